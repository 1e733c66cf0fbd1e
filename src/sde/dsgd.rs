//! The SDE of distributed SGD.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use crate::rows;
use std::sync::Arc;

/// `dX = −∇f(X) dt + √(η/N) Σ̄(X)^{1/2} dW`, `Σ̄ = (1/N) Σ_i Σ_i`.
pub struct DsgdSde {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Sde for DsgdSde {
    /// It has no compression at all.
    fn knows_shared_compression(&self) -> bool {
        true
    }

    fn takes_blocks(&self) -> bool {
        self.agents.noises_take_blocks()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        diffusion.clear();
        self.agents.write_gradient(x, drift, scratch, |share, group, mean_gradient| {
            group.noise.add_covariance(eta / n * share, x, mean_gradient, diffusion);
        });
        rows::scale(drift, -1.0);
    }
}
