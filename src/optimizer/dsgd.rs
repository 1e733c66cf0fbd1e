//! Distributed SGD.

use super::{DeclaredIncrement, Increment, Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Streams;
use crate::rows;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i g_i(x_k)`.
pub struct Dsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dsgd {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        descend(&self.agents, self.learning_rate, x, streams, scratch, |_, _, _| {});
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        Some(self)
    }
}

impl DeclaredIncrement for Dsgd {
    /// `−η∇f(x)` and `(η/N)² Σ_i Σ_i(x)`.
    fn increment(&self, x: &[f64], out: &mut Increment) {
        let Increment { mean, covariance, scratch, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        covariance.clear();
        let gradient = self.agents.for_each_group(x, scratch, |_, agents, mean_gradient| {
            let weight = agents.count as f64 * (eta / n) * (eta / n);
            agents.noise.add_covariance(weight, x, mean_gradient, covariance);
        });
        rows::set_scaled(mean, -eta, gradient);
    }
    fn takes_blocks(&self) -> bool {
        self.agents.noises_take_blocks()
    }
}
