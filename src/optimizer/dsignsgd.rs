//! Distributed sign-SGD (equation 2).

use super::{Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Stream;
use crate::special::sign;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i sign(g_i(x_k))`.
pub struct Dsignsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dsignsgd {
    fn step(&self, x: &mut [f64], stream: &mut Stream, scratch: &mut Scratch) {
        descend(&self.agents, self.learning_rate, x, stream, scratch, |_, g, _| {
            for g in g {
                *g = sign(*g);
            }
        });
    }
}
