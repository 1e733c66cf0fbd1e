//! Least squares of many quantities at once, each on two controls of its own.

/// Means and co-moments of a quantity and its two controls.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    mean: [f64; 3],
    /// Sums of products of deviations: gg, gL, gQ, LL, LQ, QQ.
    products: [f64; 6],
}

const PRODUCTS: [(usize, usize); 6] = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];

/// Regressions `g ≈ β₁ L + β₂ Q + constant`, from observations that are pushed one by one and merged in a fixed
/// order (as [`Series`](super::Series) does).
#[derive(Clone, Debug, Default)]
pub struct Regressions {
    count: u64,
    sums: Vec<Sums>,
}

/// The fit of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// β₁, β₂.
    pub coefficients: [f64; 2],
    /// The variance of the quantity.
    pub variance: f64,
    /// What is left of it.
    pub residual_variance: f64,
}

/// Two controls whose correlation leaves less than this of either are one control.
const LEAST_INDEPENDENCE: f64 = 1e-10;

impl Regressions {
    /// The number of quantities.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One more observation of every quantity with its controls: (g, L, Q).
    pub fn push(&mut self, observations: impl Iterator<Item = [f64; 3]>) {
        self.count += 1;
        let share = 1.0 / self.count as f64;
        if self.count == 1 {
            self.sums = observations.map(|mean| Sums { mean, products: [0.0; 6] }).collect();
            return;
        }
        for (sums, observation) in self.sums.iter_mut().zip(observations) {
            let before: [f64; 3] = std::array::from_fn(|i| observation[i] - sums.mean[i]);
            for (mean, before) in sums.mean.iter_mut().zip(before) {
                *mean += before * share;
            }
            let weight = 1.0 - share;
            for (product, (i, j)) in sums.products.iter_mut().zip(PRODUCTS) {
                *product += weight * before[i] * before[j];
            }
        }
    }

    /// All observations of `other` after those of `self`.
    pub fn merge(&mut self, other: Regressions) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        let total = (self.count + other.count) as f64;
        let share = other.count as f64 / total;
        let weight = self.count as f64 * share;
        for (sums, other) in self.sums.iter_mut().zip(&other.sums) {
            let difference: [f64; 3] = std::array::from_fn(|i| other.mean[i] - sums.mean[i]);
            for (mean, difference) in sums.mean.iter_mut().zip(difference) {
                *mean += share * difference;
            }
            for ((product, others), (i, j)) in sums.products.iter_mut().zip(other.products).zip(PRODUCTS) {
                *product += others + weight * difference[i] * difference[j];
            }
        }
        self.count += other.count;
    }

    /// The fit of quantity `index`.
    pub fn fit(&self, index: usize) -> Fit {
        let dof = self.count as f64 - 1.0;
        let [gg, gl, gq, ll, lq, qq] = self.sums[index].products;
        let determinant = ll * qq - lq * lq;
        let coefficients = if determinant > LEAST_INDEPENDENCE * ll * qq {
            [(gl * qq - gq * lq) / determinant, (gq * ll - gl * lq) / determinant]
        } else if ll > 0.0 && gl * gl * qq >= gq * gq * ll {
            [gl / ll, 0.0]
        } else if qq > 0.0 {
            [0.0, gq / qq]
        } else {
            [0.0, 0.0]
        };
        let [of_l, of_q] = coefficients;
        let left = gg - (of_l * gl + of_q * gq);
        // Rounding may leave less than nothing; what is not a number stays that.
        let residual_variance = if left < 0.0 { 0.0 } else { left / dof };
        Fit { coefficients, variance: gg / dof, residual_variance }
    }
}
