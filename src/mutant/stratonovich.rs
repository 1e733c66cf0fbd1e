//! Stratonovich in place of Itô.

use crate::covariance::Root;
use crate::sde::{Coefficients, Sde};
use std::sync::Arc;

/// Length of the differences: they are off by some 1e-6 of σ, and by 1e-10 for rounding.
const STEP: f64 = 1e-6;

/// `dX = b dt + σ ∘ dW`, σ the root that the integrator takes of A. As an Itô equation its drift is
/// `b_i + ½ Σ_jk σ_kj ∂_k σ_ij` (Kloeden and Platen 1992, equation 4.9.11).
pub(super) struct Stratonovich {
    pub sde: Arc<dyn Sde>,
}

impl Sde for Stratonovich {
    fn knows_shared_compression(&self) -> bool {
        self.sde.knows_shared_compression()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let d = x.len();
        self.sde.coefficients(x, out);
        let mut root = Root::default();
        let sigma = columns(d, |unit, column| root.multiply(&out.diffusion, unit, column));
        let mut correction = vec![0.0; d];
        let mut point = x.to_vec();
        let mut moved = out.clone();
        for k in 0..d {
            point[k] = x[k] + STEP;
            self.sde.coefficients(&point, &mut moved);
            point[k] = x[k];
            // The root of a dense covariance jumps where the order of its pivots changes.
            let nearby = columns(d, |unit, column| root.multiply_nearby(&moved.diffusion, unit, column));
            for (sigma, nearby) in sigma.iter().zip(nearby) {
                for ((correction, moved), of_x) in correction.iter_mut().zip(nearby).zip(sigma) {
                    *correction += 0.5 * sigma[k] * (moved - of_x) / STEP;
                }
            }
        }
        out.drift.iter_mut().zip(correction).for_each(|(drift, correction)| *drift += correction);
    }
}

/// The columns `σ e_j` of a root.
fn columns(d: usize, mut multiply: impl FnMut(&[f64], &mut [f64])) -> Vec<Vec<f64>> {
    let column = |j: usize| {
        let mut unit = vec![0.0; d];
        unit[j] = 1.0;
        let mut column = vec![0.0; d];
        multiply(&unit, &mut column);
        column
    };
    (0..d).map(column).collect()
}
