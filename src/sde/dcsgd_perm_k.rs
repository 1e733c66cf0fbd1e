//! The SDE of distributed SGD with Perm-k, which compresses for all agents together.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use crate::parameter::Invalid;
use std::sync::Arc;

/// `dX = −∇f(X) dt + √η Cov[ĝ]^{1/2} dW`, where `ĝ_j = g_{a(j),j}` is the coordinate of the one agent a(j)
/// that keeps it: the N of its scale cancels the 1/N of the average.
///
/// Two coordinates have the same agent with probability p = (k − 1)/(d − 1). So, with
/// `Σ̄ = (1/N) Σ_i Σ_i` and `M = (1/N) Σ_i (∇f_i − ∇f)(∇f_i − ∇f)ᵀ`, `Cov[ĝ]` has the diagonal of Σ̄ + M, and
/// off it `pΣ̄ + (p − (1 − p)/(N − 1))M`: for two different agents the deviations add up to −M/(N − 1).
/// Theorem 1 would have `(1/N)((N − 1) diag(G) + …)` instead: Perm-k's errors cancel over the agents.
pub struct DcsgdPermKSde {
    agents: Arc<Agents>,
    learning_rate: f64,
}

impl DcsgdPermKSde {
    /// The SDE; an error where not all agents share the permutation, or their blocks do not cover it.
    pub fn new(agents: Arc<Agents>, learning_rate: f64) -> Result<Self, Invalid> {
        let (d, n) = (agents.dimension(), agents.count());
        let blocks: Vec<_> = agents.groups().iter().map(|group| group.compressor.shared_block()).collect();
        let refused =
            |index: usize, message: String| Err(Invalid::new(format!("agents[{index}].compressor"), message));
        if let Some(other) = blocks.iter().position(|block| *block != blocks[0]) {
            let message = "some agents have perm_k, others another compressor or another k; expected the same perm_k for all";
            return refused(other, message.to_owned());
        }
        if blocks[0].is_none_or(|block| block * n != d) {
            let k = blocks[0].unwrap_or(0);
            let message = format!(
                "perm_k with k = {k} for {n} agents in dimension {d}; expected kN = d, blocks that cover all coordinates once"
            );
            return refused(0, message);
        }
        Ok(Self { agents, learning_rate })
    }
}

impl Sde for DcsgdPermKSde {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, sigma, .. } = out;
        let (d, n) = (x.len() as f64, self.agents.count() as f64);
        sigma.clear();
        let mut gradients = Vec::new();
        let gradient = self.agents.for_each_group(x, scratch, |share, agent, mean_gradient| {
            agent.noise.add_covariance(share, x, mean_gradient, sigma);
            gradients.push((share, mean_gradient.to_vec()));
        });
        let same_agent = if d > 1.0 { (d / n - 1.0) / (d - 1.0) } else { 1.0 };
        let of_deviations = if n > 1.0 { same_agent - (1.0 - same_agent) / (n - 1.0) } else { 0.0 };
        diffusion.clear();
        diffusion.add(same_agent, sigma);
        diffusion.add_diagonal((0..x.len()).map(|j| (1.0 - same_agent) * sigma.entry(j, j)));
        for (share, mean_gradient) in gradients {
            let deviation: Vec<f64> =
                mean_gradient.iter().zip(gradient).map(|(own, all)| own - all).collect();
            if deviation.iter().any(|deviation| *deviation != 0.0) {
                diffusion.add_rank_one(share * of_deviations, &deviation);
                diffusion.add_diagonal(
                    deviation.iter().map(|entry| share * (1.0 - of_deviations) * entry * entry),
                );
            }
        }
        diffusion.scale(self.learning_rate);
        for (drift, gradient) in drift.iter_mut().zip(gradient) {
            *drift = -gradient;
        }
    }
}
