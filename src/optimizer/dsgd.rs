//! Distributed SGD.

use super::{Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Stream;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i g_i(x_k)`.
pub struct Dsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dsgd {
    fn step(&self, x: &mut [f64], stream: &mut Stream, scratch: &mut Scratch) {
        descend(&self.agents, self.learning_rate, x, stream, scratch, |_, _, _| {});
    }
}
