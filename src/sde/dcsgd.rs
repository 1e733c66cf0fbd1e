//! Theorem 1: the SDE of distributed SGD with unbiased compression.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use std::sync::Arc;

/// `dX = −∇f(X) dt + √(η/N) Σ̃(X)^{1/2} dW` with `Σ̃ = (1/N) Σ_i (E[Φ_i Φ_iᵀ] + Σ_i)` (equations 3, 4).
pub struct DcsgdSde {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Sde for DcsgdSde {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, sigma, .. } = out;
        diffusion.clear();
        let gradient = self.agents.for_each_group(x, scratch, |share, agent, mean_gradient| {
            sigma.clear();
            agent.noise.add_covariance(1.0, x, mean_gradient, sigma);
            agent.compressor.add_error_covariance(share, mean_gradient, sigma, diffusion);
            diffusion.add(share, sigma);
        });
        diffusion.scale(self.learning_rate / self.agents.count() as f64);
        for (drift, gradient) in drift.iter_mut().zip(gradient) {
            *drift = -gradient;
        }
    }
}
