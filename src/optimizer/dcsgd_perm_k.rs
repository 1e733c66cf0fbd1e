//! Distributed SGD with Perm-k, which compresses for all agents together.

use super::{DeclaredIncrement, Increment, Optimizer, descend};
use crate::agent::{Agents, Scratch};
use crate::random::Streams;
use std::sync::Arc;

/// `x_{k+1} = x_k − (η/N) Σ_i C_i(g_i(x_k))`, where `C_i` keeps the i-th block of k = d/N coordinates of one
/// permutation that all agents share, and scales them by d/k (Szlendak, Tyurin and Richtárik 2021).
pub struct DcsgdPermK {
    /// The N agents.
    pub agents: Arc<Agents>,
    /// k.
    pub block: usize,
    /// η.
    pub learning_rate: f64,
}

impl Optimizer for DcsgdPermK {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        let permutations = permutations(x, streams);
        let mut agent = 0;
        descend(&self.agents, self.learning_rate, x, streams, scratch, |_, g, _| {
            keep_block(&permutations, agent, self.block, g);
            agent += 1;
        });
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        // Without blocks that cover every coordinate once, some are never sent.
        (self.block * self.agents.count() == self.agents.dimension()).then_some(self)
    }
}

impl DeclaredIncrement for DcsgdPermK {
    /// Each coordinate moves by −η times that of one agent, drawn from all: `−η∇f(x)`, and η² times the covariance of
    ///
    /// ```text
    /// j = l: (1/N) Σ_a (Σ_a + v_a v_aᵀ)_jj − (v̄ v̄ᵀ)_jj
    /// j ≠ l: p (1/N) Σ_a (Σ_a + v_a v_aᵀ)_jl + (1 − p)/(N(N − 1)) Σ_{a≠b} v_aj v_bl − (v̄ v̄ᵀ)_jl
    /// ```
    ///
    /// with `v_a = ∇f_a`, v̄ their mean, and p = (k − 1)/(d − 1) the probability that one agent has both. The v_a
    /// may be taken about v̄, whose terms cancel.
    fn increment(&self, x: &[f64], out: &mut Increment) {
        let Increment { mean, covariance, scratch, sigma, .. } = out;
        let (d, n, k) = (x.len(), self.agents.count() as f64, self.block as f64);
        let eta = self.learning_rate;
        sigma.clear();
        let mut deviations = vec![0.0; d * d];
        let gradient = self.agents.for_each_group(x, scratch, |share, agents, v| {
            agents.noise.add_covariance(share, x, v, sigma);
            let Some(offset) = &agents.gradient_offset else { return };
            for (row, first) in deviations.chunks_exact_mut(d).zip(offset) {
                row.iter_mut().zip(offset).for_each(|(sum, second)| *sum += share * first * second);
            }
        });
        for (mean, gradient) in mean.iter_mut().zip(gradient) {
            *mean = -eta * gradient;
        }
        let same = if d > 1 { (k - 1.0) / (d as f64 - 1.0) } else { 1.0 };
        // Deviations add up to 0 over the agents, so that those of two different ones give −1/(N − 1) of one's own.
        let of_deviations = if n > 1.0 { same - (1.0 - same) / (n - 1.0) } else { same };
        covariance.clear();
        covariance.add(eta * eta * same, sigma);
        covariance.add_diagonal((0..d).map(|j| eta * eta * (1.0 - same) * sigma.entry(j, j)));
        if deviations.iter().any(|deviation| *deviation != 0.0) {
            covariance.add_dense(|j, l| {
                let share = if j == l { 1.0 } else { of_deviations };
                eta * eta * share * deviations[j * d + l]
            });
        }
    }
}

/// A permutation of the coordinates for every path of x.
pub(crate) fn permutations(x: &[f64], streams: &mut Streams) -> Vec<Vec<usize>> {
    let mut permutations = vec![Vec::new(); streams.count()];
    let d = x.len() / permutations.len();
    streams.each(|path, stream| permutations[path] = stream.permutation(d));
    permutations
}

/// On every path the coordinates of one agent, those of its block of k, scaled by d/k, and 0 elsewhere.
pub(crate) fn keep_block(permutations: &[Vec<usize>], agent: usize, k: usize, g: &mut [f64]) {
    let n = permutations.len();
    let scale = (g.len() / n) as f64 / k as f64;
    for (path, permutation) in permutations.iter().enumerate() {
        for (place, &j) in permutation.iter().enumerate() {
            let entry = &mut g[j * n + path];
            *entry = if place / k == agent { scale * *entry } else { 0.0 };
        }
    }
}
