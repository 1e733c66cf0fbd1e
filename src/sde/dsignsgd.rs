//! Theorem 2 in its general form: the SDE of distributed sign-SGD for any noise.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use crate::rows;
use std::sync::Arc;

/// `dX = −(1/N) Σ_i E[sign g_i] dt + √(η/N) ((1/N) Σ_i Cov[sign g_i])^{1/2} dW`.
pub struct DsignsgdSde {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Sde for DsignsgdSde {
    fn takes_blocks(&self) -> bool {
        self.agents.noises_take_blocks()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, sign_law, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        let mut is_first = true;
        diffusion.clear();
        self.agents.for_each_group(x, scratch, |share, agent, mean_gradient| {
            agent.noise.sign_law(x, mean_gradient, sign_law);
            if std::mem::take(&mut is_first) {
                rows::set_scaled(drift, -share, &sign_law.mean);
            } else {
                rows::add_scaled(drift, -share, &sign_law.mean);
            }
            diffusion.add(eta / n * share, &sign_law.covariance);
        });
    }
}
