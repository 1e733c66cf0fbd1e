//! Distributed SGD with heavy-ball momentum (Polyak 1964).

use super::{DeclaredIncrement, Increment, Optimizer};
use crate::agent::{Agents, Scratch};
use crate::covariance::Covariance;
use crate::parameter::{Invalid, checked};
use crate::random::Streams;
use crate::rows;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// `m_{k+1} = m_k − η(γ m_k + (1/N) Σ_i g_i(x_k))`, `x_{k+1} = x_k + η m_{k+1}`.
///
/// In the usual notation `x_{k+1} = x_k − α ĝ + β(x_k − x_{k−1})` with `α = η²` and `β = 1 − γη`.
struct Momentum {
    agents: Arc<Agents>,
    learning_rate: f64,
    friction: f64,
}

impl Optimizer for Momentum {
    fn step(&self, state: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        let (x, m) = state.split_at_mut(state.len() / 2);
        let gradient = self.agents.mean_direction(x, streams, scratch, |_, _, _| {});
        rows::scale(m, 1.0 - self.learning_rate * self.friction);
        rows::add_scaled(m, -self.learning_rate, gradient);
        rows::add_scaled(x, self.learning_rate, m);
    }

    fn friction(&self) -> f64 {
        self.friction
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        Some(self)
    }
}

impl DeclaredIncrement for Momentum {
    /// `η(m + ηb)` of x and `ηb` of m, `b = −γm − ∇f(x)`; the noise `n = −η(ĝ − ∇f)` of m is ηn in x.
    fn increment(&self, state: &[f64], out: &mut Increment) {
        let Increment { mean, covariance, scratch, .. } = out;
        let (eta, n) = (self.learning_rate, self.agents.count() as f64);
        let d = state.len() / 2;
        let (x, m) = state.split_at(d);
        let mut of_noise = Covariance::zero(d);
        let gradient = self.agents.for_each_group(x, scratch, |_, agents, mean_gradient| {
            let weight = agents.count as f64 * (eta / n) * (eta / n);
            agents.noise.add_covariance(weight, x, mean_gradient, &mut of_noise);
        });
        for j in 0..d {
            let b = -self.friction * m[j] - gradient[j];
            mean[j] = eta * (m[j] + eta * b);
            mean[d + j] = eta * b;
        }
        covariance.clear();
        let weight = |i: usize| if i < d { eta } else { 1.0 };
        covariance.add_dense(|i, j| weight(i) * weight(j) * of_noise.entry(i % d, j % d));
    }
}

/// `momentum = { friction }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// γ, above 0: of the momentum a step keeps `β = 1 − γη`, at least 0.
    friction: f64,
}

impl Parameters {
    pub(super) fn build(
        &self,
        agents: &Arc<Agents>,
        learning_rate: f64,
    ) -> Result<Box<dyn Optimizer>, Invalid> {
        let friction = self.friction(learning_rate)?;
        Ok(Box::new(Momentum { agents: Arc::clone(agents), learning_rate, friction }))
    }

    /// γ, checked.
    pub(crate) fn friction(&self, learning_rate: f64) -> Result<f64, Invalid> {
        let right = format!("a number above 0 and at most 1/η = {}", 1.0 / learning_rate);
        let in_range = |friction: f64| friction > 0.0 && friction * learning_rate <= 1.0;
        checked("optimizer.momentum.friction", self.friction, in_range, &right)
    }

    /// At rest.
    pub(super) fn memory(dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }
}
