//! Covariances of low rank, `w F Fᵀ`, and the root of their sum with a diagonal and a rank-one part in O(m²d).

use super::Covariance;
use super::root::nonnegative;
use crate::rows;
use nalgebra::{DMatrix, DVector};

/// `w F Fᵀ` with an F of m columns.
#[derive(Clone, Debug, Default)]
pub(super) struct LowRank {
    /// w; where it is 0, the matrix is, whatever the columns are.
    pub weight: f64,
    /// The columns of F, one behind the other.
    pub columns: Vec<f64>,
}

impl LowRank {
    pub fn is_zero(&self) -> bool {
        self.weight == 0.0
    }

    /// Back to the zero matrix.
    pub fn clear(&mut self) {
        self.weight = 0.0;
        self.columns.clear();
    }

    /// `+ weight · F Fᵀ`; returns what was there before, where that has another F.
    #[must_use]
    pub fn add(&mut self, weight: f64, columns: &[f64]) -> Option<Self> {
        // By their bits, as what is not a number is not equal to itself.
        let is_same = self.columns.len() == columns.len()
            && self.columns.iter().zip(columns).all(|(a, b)| a.to_bits() == b.to_bits());
        if is_same {
            let sum = self.weight + weight;
            // What cancels up to rounding is nothing: a negative rest would have no root.
            self.weight = if sum.abs() <= 4.0 * f64::EPSILON * weight.abs() { 0.0 } else { sum };
            return None;
        }
        let other = (!self.is_zero()).then(|| std::mem::take(self));
        self.weight = weight;
        self.columns.clear();
        self.columns.extend_from_slice(columns);
        other
    }

    /// The columns of F, of dimension `d`; none where the matrix is 0.
    pub fn columns(&self, d: usize) -> std::slice::ChunksExact<'_, f64> {
        let columns = if self.is_zero() { &[] } else { self.columns.as_slice() };
        columns.chunks_exact(d)
    }

    /// The entry of row `i` and column `j` of a matrix of dimension `d`.
    pub fn entry(&self, d: usize, i: usize, j: usize) -> f64 {
        self.weight * self.columns(d).map(|column| column[i] * column[j]).sum::<f64>()
    }

    /// `uᵀ w F Fᵀ v`.
    pub fn form(&self, u: &[f64], v: &[f64]) -> f64 {
        self.weight * self.columns(u.len()).map(|column| dot(column, u) * dot(column, v)).sum::<f64>()
    }
}

/// Whether [`multiply_low_rank`] has a root of a covariance: nothing is dense, w is above 0, and either there is nothing but F or the
/// diagonal is above 0 wherever F and u are not 0.
pub(super) fn has_low_rank_root(covariance: &Covariance) -> bool {
    let Covariance { low_rank, coefficient, vector, .. } = covariance;
    if covariance.is_dense() || low_rank.is_zero() || low_rank.weight < 0.0 {
        return false;
    }
    let d = covariance.dimension();
    let is_covered = |j: usize| {
        let is_empty = || {
            let mut columns = low_rank.columns(d);
            columns.all(|column| column[j] == 0.0) && (*coefficient == 0.0 || vector[j] == 0.0)
        };
        covariance.variance(j) != 0.0 || is_empty()
    };
    is_alone(covariance) || (0..d).all(is_covered)
}

/// Whether there is nothing but F.
fn is_alone(covariance: &Covariance) -> bool {
    covariance.coefficient == 0.0 && (0..covariance.dimension()).all(|j| covariance.variance(j) == 0.0)
}

/// `out = root · ξ`, for one path. Where F is alone, it is the root, and takes the first m entries of ξ.
///
/// Otherwise, for `D + w F Fᵀ − c u uᵀ`: with `W = √w D^{-1/2} F` and the Cholesky factor L of the m × m matrix `I + Wᵀ W`,
/// `A = I + W (I + L)⁻¹ Wᵀ` is a root of `I + W Wᵀ`, since `A⁻¹ = I − W (I + Lᵀ)⁻¹ L⁻¹ Wᵀ` is the transpose of the root of
/// `(I + W Wᵀ)⁻¹` of Andrews (1968). What is subtracted is one term of rank one behind it: with `z = A⁻¹ D^{-1/2} u`,
/// `D + w F Fᵀ − c u uᵀ = D^{1/2} A (I − c z zᵀ) Aᵀ D^{1/2}`, and `I − c′ z zᵀ`, `c′ = c/(1 + √(1 − c‖z‖²))`, is a root of what is
/// in the middle. All of it is smooth where D is above 0.
pub(super) fn multiply_low_rank(covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
    let d = xi.len();
    let columns = covariance.low_rank.columns(d);
    let root_of_weight = covariance.low_rank.weight.sqrt();
    if is_alone(covariance) {
        out.fill(0.0);
        columns.zip(xi).for_each(|(column, xi)| rows::add_scaled(out, root_of_weight * xi, column));
        return;
    }
    let deviations: Vec<f64> = (0..d).map(|j| covariance.variance(j).sqrt()).collect();
    let scaled = |factor: f64, column: &[f64]| -> Vec<f64> {
        let entries = column.iter().zip(&deviations);
        entries
            .map(|(entry, deviation)| if *deviation == 0.0 { 0.0 } else { factor * entry / deviation })
            .collect()
    };
    let w: Vec<Vec<f64>> = columns.map(|column| scaled(root_of_weight, column)).collect();
    let transposed_times = |x: &[f64]| DVector::from_iterator(w.len(), w.iter().map(|column| dot(column, x)));
    let add_times = |weight: f64, a: &DVector<f64>, x: &mut [f64]| {
        w.iter().zip(a.iter()).for_each(|(column, a)| rows::add_scaled(x, weight * a, column));
    };
    let identity = DMatrix::identity(w.len(), w.len());
    let gram = DMatrix::from_fn(w.len(), w.len(), |k, l| if k < l { 0.0 } else { dot(&w[k], &w[l]) });
    // It is not positive definite only where it is not finite.
    let Some(factor) = (&identity + gram).cholesky().map(|cholesky| cholesky.unpack()) else {
        return out.fill(f64::NAN);
    };
    let one_more = &factor + identity;
    out.copy_from_slice(xi);
    if covariance.coefficient != 0.0 {
        let mut z = scaled(1.0, &covariance.vector);
        let mut a = transposed_times(&z);
        factor.solve_lower_triangular_mut(&mut a);
        one_more.tr_solve_lower_triangular_mut(&mut a);
        add_times(-1.0, &a, &mut z);
        let c = -covariance.coefficient;
        let c = c / (1.0 + nonnegative(1.0 - c * dot(&z, &z)).sqrt());
        rows::add_scaled(out, -c * dot(&z, xi), &z);
    }
    let mut a = transposed_times(out);
    one_more.solve_lower_triangular_mut(&mut a);
    add_times(1.0, &a, out);
    out.iter_mut().zip(&deviations).for_each(|(out, deviation)| *out *= deviation);
}

/// Partial sums of a dot product, as many as a vector of instructions holds.
const PLACES: usize = 8;

/// `aᵀ b`.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; PLACES];
    let (a, b) = (a.chunks_exact(PLACES), b.chunks_exact(PLACES));
    let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum::<f64>();
    for (a, b) in a.zip(b) {
        for place in 0..PLACES {
            sums[place] += a[place] * b[place];
        }
    }
    sums.iter().sum::<f64>() + rest
}
