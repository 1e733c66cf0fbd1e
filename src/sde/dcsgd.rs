//! Theorem 1: the SDE of distributed SGD with unbiased compression.

use super::{Coefficients, Sde};
use crate::agent::{Agents, Group};
use crate::compressor::Knowledge;
use crate::noise::StochasticGradient;
use crate::parameter::Invalid;
use crate::rows;
use std::sync::Arc;

/// `dX = −∇f(X) dt + √(η/N) Σ̃(X)^{1/2} dW` with `Σ̃ = (1/N) Σ_i (E[Φ_i Φ_iᵀ] + Σ_i)` (equations 3, 4).
pub struct DcsgdSde {
    agents: Arc<Agents>,
    learning_rate: f64,
}

impl DcsgdSde {
    /// The SDE; an error where the error covariance of some agents cannot be had to a stated error.
    pub fn new(agents: Arc<Agents>, learning_rate: f64) -> Result<Self, Invalid> {
        for (index, group) in agents.groups().iter().enumerate() {
            if let Some(refusal) = refusal(group) {
                let message = format!("no E[Φ Φᵀ] under this noise: {refusal}");
                return Err(Invalid::new(format!("agents[{index}].compressor"), message));
            }
        }
        Ok(Self { agents, learning_rate })
    }
}

/// Why the error covariance cannot be averaged over the noise, where it cannot.
fn refusal(group: &Group) -> Option<&'static str> {
    let needs = group.compressor.needs();
    if needs == Knowledge::Moments {
        return None;
    }
    let law = match group.noise.law() {
        Err(refusal) => return Some(refusal),
        Ok(law) => law,
    };
    if law.is_discrete() {
        return None;
    }
    match needs {
        Knowledge::Moments | Knowledge::Marginals => None,
        Knowledge::Joint if law.is_independent() => None,
        Knowledge::Gaussian if law.is_independent() && law.is_gaussian() => None,
        Knowledge::Joint => Some(
            "dithering takes the maximum over coordinates that are not independent; expected independent coordinates, \
             such as noise.gaussian or noise.student_t with `scale`",
        ),
        Knowledge::Gaussian => Some(
            "dithering divides the Euclidean norm, whose joint law with the coordinates is integrated to a stated error \
             for independent Gaussian coordinates only; expected noise.gaussian with `scale`, noise.proportional, \
             noise.none, noise.minibatch with batch_size = 1, or norm = \"inf\"",
        ),
        Knowledge::Atoms => Some(
            "dithering divides the Euclidean norm into more levels than can be integrated one by one; expected at most \
             64 levels, norm = \"inf\", noise.none, or noise.minibatch with batch_size = 1",
        ),
    }
}

impl Sde for DcsgdSde {
    fn takes_blocks(&self) -> bool {
        self.agents.errors_take_blocks()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, sigma, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        diffusion.clear();
        self.agents.write_gradient(x, drift, scratch, |share, agent, mean_gradient| {
            sigma.clear();
            agent.noise.add_covariance(1.0, x, mean_gradient, sigma);
            let g = StochasticGradient { x, mean: mean_gradient, covariance: sigma, noise: &*agent.noise };
            agent.compressor.add_error_covariance(eta / n * share, &g, diffusion);
            diffusion.add(eta / n * share, sigma);
        });
        rows::scale(drift, -1.0);
    }
}
