//! Stratonovich in place of Itô.

use crate::covariance::Root;
use crate::sde::{Coefficients, Sde};
use std::sync::Arc;

/// Half-length of the central differences: their error and rounding are about 1e-10 of σ.
const STEP: f64 = 1e-5;

/// `dX = b dt + σ ∘ dW`, σ the root that the integrator takes of A. As an Itô equation its drift is
/// `b_i + ½ Σ_jk σ_kj ∂_k σ_ij` (Kloeden and Platen 1992, equation 4.9.11).
pub(super) struct Stratonovich {
    pub sde: Arc<dyn Sde>,
}

impl Sde for Stratonovich {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let d = x.len();
        let root = |x: &[f64], out: &mut Coefficients| -> Vec<Vec<f64>> {
            self.sde.coefficients(x, out);
            columns(out, d)
        };
        let mut point = x.to_vec();
        let sigma = root(x, out);
        let mut correction = vec![0.0; d];
        for k in 0..d {
            point[k] = x[k] + STEP;
            let above = root(&point, out);
            point[k] = x[k] - STEP;
            let below = root(&point, out);
            point[k] = x[k];
            for ((sigma, above), below) in sigma.iter().zip(&above).zip(&below) {
                for (i, correction) in correction.iter_mut().enumerate() {
                    *correction += 0.5 * sigma[k] * (above[i] - below[i]) / (2.0 * STEP);
                }
            }
        }
        self.sde.coefficients(x, out);
        out.drift.iter_mut().zip(correction).for_each(|(drift, correction)| *drift += correction);
    }
}

/// The columns `σ e_j` of the root of the diffusion covariance.
fn columns(coefficients: &Coefficients, d: usize) -> Vec<Vec<f64>> {
    let mut root = Root::default();
    let column = |j: usize| {
        let mut unit = vec![0.0; d];
        unit[j] = 1.0;
        let mut column = vec![0.0; d];
        root.multiply(&coefficients.diffusion, &unit, &mut column);
        column
    };
    (0..d).map(column).collect()
}
