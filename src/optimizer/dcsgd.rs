//! Distributed SGD with unbiased compression (equation 1).

use super::{Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Stream;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i C_i(g_i(x_k))`, the C_i independent, or Perm-k, which is one for all agents.
pub struct Dcsgd {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for Dcsgd {
    fn step(&self, x: &mut [f64], stream: &mut Stream, scratch: &mut Scratch) {
        match self.agents.shared_block() {
            None => descend(&self.agents, self.learning_rate, x, stream, scratch, |agent, g, stream| {
                agent.compressor.apply(g, stream);
            }),
            Some(block) => {
                let permutation = stream.permutation(x.len());
                let mut blocks = permutation.chunks_exact(block);
                descend(&self.agents, self.learning_rate, x, stream, scratch, |_, g, _| {
                    keep(blocks.next().unwrap_or_default(), g);
                });
            }
        }
    }
}

/// Perm-k of one agent: its coordinates, scaled by d/k, and 0 elsewhere.
fn keep(coordinates: &[usize], g: &mut [f64]) {
    let scale = g.len() as f64 / coordinates.len() as f64;
    let kept: Vec<f64> = coordinates.iter().map(|&j| scale * g[j]).collect();
    g.fill(0.0);
    for (&j, kept) in coordinates.iter().zip(kept) {
        g[j] = kept;
    }
}
