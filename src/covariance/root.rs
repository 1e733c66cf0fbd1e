//! `Σ^{1/2} ξ`: a root of each form of covariance, times a vector.

use super::Covariance;

/// Multiplies by a root `A` of a covariance, `A Aᵀ = Σ`, with the buffers this needs.
///
/// The factor of a dense covariance is kept and used again as long as the matrix stays the same, so
/// that a constant one is factored once.
#[derive(Clone, Debug, Default)]
pub struct Root {
    matrix: Vec<f64>,
    factored: Vec<f64>,
    factor: Vec<f64>,
    whitened: Vec<f64>,
}

impl Root {
    /// `out = A ξ` for a vector `ξ` of the dimension of the covariance.
    pub fn multiply(&mut self, covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
        if !covariance.dense.is_empty() {
            self.multiply_dense(covariance, xi, out);
        } else if covariance.coefficient != 0.0 {
            self.multiply_rank_one(covariance, xi, out);
        } else {
            for ((out, variance), xi) in out.iter_mut().zip(&covariance.diagonal).zip(xi) {
                *out = nonnegative(*variance).sqrt() * xi;
            }
        }
    }

    /// The O(d) root `D^{1/2}(I − c′ u uᵀ)` of `D − c u₀u₀ᵀ`, `u = D^{-1/2}u₀`,
    /// `c′ = c/(1 + √(1 − c‖u‖²))`: stable at u = 0 and at c‖u‖² = 1.
    fn multiply_rank_one(&mut self, covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
        let Covariance { diagonal, coefficient, vector, .. } = covariance;
        let c = -coefficient;
        self.whitened.clear();
        let mut norm_squared = 0.0;
        let mut projection = 0.0;
        for (j, deviation) in out.iter_mut().enumerate() {
            *deviation = nonnegative(diagonal[j]).sqrt();
            let u = if *deviation == 0.0 { 0.0 } else { vector[j] / *deviation };
            norm_squared += u * u;
            projection += u * xi[j];
            self.whitened.push(u);
        }
        let c_prime = c / (1.0 + nonnegative(1.0 - c * norm_squared).sqrt());
        for ((out, u), xi) in out.iter_mut().zip(&self.whitened).zip(xi) {
            *out *= xi - c_prime * projection * u;
        }
    }

    fn multiply_dense(&mut self, covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
        let d = covariance.dimension();
        self.matrix.clear();
        self.matrix.extend((0..d * d).map(|index| covariance.entry(index / d, index % d)));
        if self.matrix != self.factored {
            self.factored.clone_from(&self.matrix);
            self.factor = semidefinite_root(std::mem::take(&mut self.matrix), d);
        }
        for (out, row) in out.iter_mut().zip(self.factor.chunks_exact(d)) {
            *out = row.iter().zip(xi).map(|(entry, xi)| entry * xi).sum();
        }
    }
}

/// Zero for a variance that rounding made negative; a NaN stays one.
fn nonnegative(variance: f64) -> f64 {
    if variance < 0.0 { 0.0 } else { variance }
}

/// A root `A Aᵀ = Σ` of a semidefinite `d × d` matrix, all row by row.
///
/// Cholesky factorisation with diagonal pivoting: it stops when no pivot is above rounding, and what
/// it leaves out is as small (Higham, Accuracy and Stability of Numerical Algorithms, section 10.3).
pub fn semidefinite_root(mut matrix: Vec<f64>, d: usize) -> Vec<f64> {
    let mut factor = vec![0.0; d * d];
    let largest = (0..d).map(|i| matrix[i * d + i]).fold(0.0, f64::max);
    let negligible = d as f64 * f64::EPSILON * largest;
    for column in 0..d {
        let pivot = (0..d).max_by(|&i, &j| matrix[i * d + i].total_cmp(&matrix[j * d + j])).unwrap_or(0);
        let variance = matrix[pivot * d + pivot];
        if variance <= negligible {
            break;
        }
        let scale = 1.0 / variance.sqrt();
        for i in 0..d {
            factor[i * d + column] = matrix[i * d + pivot] * scale;
        }
        for i in 0..d {
            for j in 0..d {
                matrix[i * d + j] -= factor[i * d + column] * factor[j * d + column];
            }
        }
    }
    factor
}
