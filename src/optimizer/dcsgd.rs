//! Distributed SGD with unbiased compression (equation 1).

use super::{DeclaredIncrement, Increment, Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::noise::StochasticGradient;
use crate::random::Streams;
use crate::rows;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i C_i(g_i(x_k))`, the C_i independent.
pub struct Dcsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dcsgd {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        descend(&self.agents, self.learning_rate, x, streams, scratch, |agent, g, streams| {
            agent.compressor.apply(g, streams);
        });
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        Some(self)
    }
}

impl DeclaredIncrement for Dcsgd {
    /// `−η∇f(x)` and `(η/N)² Σ_i (Σ_i(x) + E[Φ_i Φ_iᵀ])`: errors of an unbiased compressor are not correlated with
    /// what it compresses.
    fn increment(&self, x: &[f64], out: &mut Increment) {
        let Increment { mean, covariance, scratch, sigma, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        covariance.clear();
        let gradient = self.agents.for_each_group(x, scratch, |_, agents, mean_gradient| {
            let weight = agents.count as f64 * (eta / n) * (eta / n);
            sigma.clear();
            agents.noise.add_covariance(1.0, x, mean_gradient, sigma);
            let g = StochasticGradient { x, mean: mean_gradient, covariance: sigma, noise: &*agents.noise };
            agents.compressor.add_error_covariance(weight, &g, covariance);
            covariance.add(weight, sigma);
        });
        rows::set_scaled(mean, -eta, gradient);
    }
    fn takes_blocks(&self) -> bool {
        self.agents.errors_take_blocks()
    }
}
