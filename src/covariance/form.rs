//! The bilinear form of a covariance.

use super::Covariance;

impl Covariance {
    /// `uᵀ A v`, for one path: O(d), or O(md) with m columns, without a dense part.
    pub fn form(&self, u: &[f64], v: &[f64]) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let weighed = |diagonal: &[f64]| -> f64 {
            diagonal.iter().zip(u).zip(v).map(|((entry, u), v)| entry * u * v).sum()
        };
        let mut form = weighed(&self.common) + weighed(self.diagonal());
        if self.coefficient != 0.0 {
            form += self.coefficient * dot(&self.vector, u) * dot(&self.vector, v);
        }
        if !self.low_rank.is_zero() {
            form += self.low_rank.form(u, v);
        }
        if self.is_dense() {
            form +=
                self.dense.chunks_exact(self.dimension()).zip(u).map(|(row, u)| u * dot(row, v)).sum::<f64>();
        }
        form
    }
}
