//! The SDE of distributed SGD with heavy-ball momentum (Li, Tai and E 2019, Stochastic modified equations I).

use super::{Coefficients, Sde};
use crate::agent::Agents;
use crate::rows;
use std::sync::Arc;

/// `dX = M dt`, `dM = −(γM + ∇f(X)) dt + √(η/N) Σ̄(X)^{1/2} dW`, `Σ̄ = (1/N) Σ_i Σ_i`; the state is (X, M).
pub(super) struct MomentumSde {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
    /// γ.
    pub friction: f64,
}

impl Sde for MomentumSde {
    fn knows_shared_compression(&self) -> bool {
        true
    }

    fn takes_blocks(&self) -> bool {
        self.agents.noises_take_blocks()
    }

    fn coefficients(&self, state: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, sigma, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        let d = self.agents.dimension();
        let (x, m) = state.split_at(state.len() / 2);
        sigma.reshape(d, x.len() / d);
        let gradient = self.agents.for_each_group(x, scratch, |share, group, mean_gradient| {
            group.noise.add_covariance(eta / n * share, x, mean_gradient, sigma);
        });
        let (of_x, of_m) = drift.split_at_mut(m.len());
        of_x.copy_from_slice(m);
        rows::set_scaled(of_m, -self.friction, m);
        rows::add_scaled(of_m, -1.0, gradient);
        diffusion.clear();
        diffusion.add_block(d, sigma);
    }
}
