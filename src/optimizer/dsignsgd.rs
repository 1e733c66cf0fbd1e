//! Distributed sign-SGD (equation 2).

use super::{DeclaredIncrement, Increment, Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Streams;
use crate::rows;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i sign(g_i(x_k))`.
pub struct Dsignsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dsignsgd {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        descend(&self.agents, self.learning_rate, x, streams, scratch, |_, g, _| {
            rows::signs(g);
        });
    }

    fn degrees_of_freedom(&self, _of_noise: f64) -> f64 {
        f64::INFINITY
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        Some(self)
    }
}

impl DeclaredIncrement for Dsignsgd {
    /// `−(η/N) Σ_i E[sign g_i]` and `(η/N)² Σ_i Cov[sign g_i]`.
    fn increment(&self, x: &[f64], out: &mut Increment) {
        let Increment { mean, covariance, scratch, sign_law, .. } = out;
        let step = self.learning_rate / self.agents.count() as f64;
        mean.fill(0.0);
        covariance.clear();
        self.agents.for_each_group(x, scratch, |_, agents, mean_gradient| {
            agents.noise.sign_law(x, mean_gradient, sign_law);
            let count = agents.count as f64;
            rows::add_scaled(mean, -step * count, &sign_law.mean);
            covariance.add(step * step * count, &sign_law.covariance);
        });
    }
    fn takes_blocks(&self) -> bool {
        self.agents.noises_take_blocks()
    }
}
