//! Distributed SGD with unbiased compression (equation 1).

use super::{Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Stream;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i C_i(g_i(x_k))`, the C_i independent.
pub struct Dcsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dcsgd {
    fn step(&self, x: &mut [f64], stream: &mut Stream, scratch: &mut Scratch) {
        descend(&self.agents, self.learning_rate, x, stream, scratch, |agent, g, stream| {
            agent.compressor.apply(g, stream);
        });
    }
}
