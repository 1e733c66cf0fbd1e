//! What laws with elliptical contours share: the Gaussian and the multivariate Student-t.

use super::SignLaw;
use crate::covariance::{Covariance, semidefinite_root};
use crate::random::Streams;
use crate::rows;
use crate::special::{sign, sign_covariance, xi};

/// `v + R z` times a common factor on z, with z standard normal and `R Rᵀ` the scale matrix over B.
pub(super) struct Elliptical {
    /// Row by row.
    scale_matrix: Vec<f64>,
    /// R, row by row.
    root: Vec<f64>,
    /// The roots of the diagonal.
    scales: Vec<f64>,
    /// Row by row.
    correlations: Vec<f64>,
}

impl Elliptical {
    /// Of a semidefinite scale matrix of `d` rows for one sample, and B.
    pub(super) fn new(scale_matrix: &[f64], batch_size: f64, d: usize) -> Self {
        let scale_matrix: Vec<f64> = scale_matrix.iter().map(|entry| entry / batch_size).collect();
        let scales: Vec<f64> = (0..d).map(|j| scale_matrix[j * d + j].max(0.0).sqrt()).collect();
        let correlation = |index: usize| {
            let product = scales[index / d] * scales[index % d];
            if product == 0.0 { 0.0 } else { (scale_matrix[index] / product).clamp(-1.0, 1.0) }
        };
        let correlations = (0..d * d).map(correlation).collect();
        let root = semidefinite_root(scale_matrix.clone(), d);
        Self { scale_matrix, root, scales, correlations }
    }

    /// The scale of every coordinate.
    pub(super) fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// The marginals, where every coordinate has noise.
    pub(super) fn scaled_student_t(&self, dof: f64) -> Option<(&[f64], f64)> {
        self.scales.iter().all(|scale| *scale > 0.0).then_some((&*self.scales, dof))
    }

    /// `out = R z` for each of n paths, shape `[d, n]`.
    pub(super) fn sample(&self, streams: &mut Streams, out: &mut [f64]) {
        let (d, n) = (self.scales.len(), streams.count());
        let mut z = vec![0.0; d * n];
        streams.normals(&mut z);
        out.fill(0.0);
        for (out, row) in out.chunks_exact_mut(n).zip(self.root.chunks_exact(d)) {
            for (entry, z) in row.iter().zip(z.chunks_exact(n)) {
                rows::add_scaled(out, *entry, z);
            }
        }
    }

    /// `out += weight · R Rᵀ`.
    pub(super) fn add_scale_matrix(&self, weight: f64, out: &mut Covariance) {
        let d = out.dimension();
        out.add_dense(|i, j| weight * self.scale_matrix[i * d + j]);
    }

    /// The marginals are `v_j + scale_j t_ν`, and the pairs have orthant probabilities; a coordinate
    /// without noise has a sure sign.
    pub(super) fn sign_law(&self, v: &[f64], dof: f64, out: &mut SignLaw) {
        let d = v.len();
        let standardised = |j: usize| v[j] / self.scales[j];
        for (j, mean) in out.mean.iter_mut().enumerate() {
            *mean = if self.scales[j] == 0.0 { sign(v[j]) } else { 2.0 * xi(standardised(j), dof) };
        }
        out.covariance.clear();
        let mut covariance = vec![0.0; d * d];
        for i in (0..d).filter(|&i| self.scales[i] > 0.0) {
            covariance[i * d + i] = 1.0 - out.mean[i] * out.mean[i];
            for j in (0..i).filter(|&j| self.scales[j] > 0.0) {
                let correlation = self.correlations[i * d + j];
                covariance[i * d + j] = sign_covariance(standardised(i), standardised(j), correlation, dof);
            }
        }
        out.covariance.add_dense(|i, j| covariance[i.max(j) * d + i.min(j)]);
    }
}
