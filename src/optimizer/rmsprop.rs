//! RMSprop (Tieleman and Hinton 2012).

use super::Optimizer;
use crate::agent::{Agents, Scratch};
use crate::parameter::{Invalid, PerCoordinate, checked};
use crate::random::Streams;
use crate::simd::vectorized;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// `v_{k+1} = v_k + ηρ(ĝ_k² − v_k)`, `x_{k+1} = x_k − η ĝ_k/(√v_{k+1} + ε)`, `ĝ_k = (1/N) Σ_i g_i(x_k)`, coordinate by
/// coordinate. In the usual notation `β₂ = 1 − ηρ`.
struct Rmsprop {
    agents: Arc<Agents>,
    learning_rate: f64,
    rate: f64,
    epsilon: f64,
}

impl Optimizer for Rmsprop {
    fn step(&self, state: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        let (x, v) = state.split_at_mut(state.len() / 2);
        let gradient = self.agents.mean_direction(x, streams, scratch, |_, _, _| {});
        descend(self.learning_rate, self.rate, self.epsilon, gradient, x, v);
    }

    fn degrees_of_freedom(&self, of_noise: f64) -> f64 {
        of_noise / 2.0
    }
}

vectorized! {
    fn descend(eta: f64, rate: f64, epsilon: f64, gradient: &[f64], x: &mut [f64], v: &mut [f64]) {
        for ((x, v), g) in x.iter_mut().zip(v).zip(gradient) {
            *v += eta * rate * (g * g - *v);
            *x -= eta * g / (v.sqrt() + epsilon);
        }
    }
}

/// `rmsprop = { rate, epsilon, second_moment }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// ρ, above 0: a step keeps `β₂ = 1 − ηρ` of v, at least 0.
    rate: f64,
    /// ε, at least 0.
    #[serde(default)]
    epsilon: f64,
    /// `v_0`, above 0.
    second_moment: PerCoordinate,
}

/// ρ and ε, checked.
#[derive(Clone, Copy)]
pub(crate) struct Constants {
    pub rate: f64,
    pub epsilon: f64,
}

impl Parameters {
    pub(super) fn build(
        &self,
        agents: &Arc<Agents>,
        learning_rate: f64,
    ) -> Result<Box<dyn Optimizer>, Invalid> {
        let Constants { rate, epsilon } = self.constants(learning_rate)?;
        Ok(Box::new(Rmsprop { agents: Arc::clone(agents), learning_rate, rate, epsilon }))
    }

    pub(crate) fn constants(&self, learning_rate: f64) -> Result<Constants, Invalid> {
        let right = format!("a number above 0 and at most 1/η = {}", 1.0 / learning_rate);
        let in_range = |rate: f64| rate > 0.0 && rate * learning_rate <= 1.0;
        let rate = checked("optimizer.rmsprop.rate", self.rate, in_range, &right)?;
        let is_positive = |epsilon: f64| epsilon >= 0.0;
        let epsilon =
            checked("optimizer.rmsprop.epsilon", self.epsilon, is_positive, "a number of at least 0")?;
        Ok(Constants { rate, epsilon })
    }

    pub(super) fn memory(&self, dimension: usize) -> Result<Vec<f64>, Invalid> {
        let is_positive = |v: f64| v.is_finite() && v > 0.0;
        self.second_moment.expand(
            "optimizer.rmsprop.second_moment",
            dimension,
            is_positive,
            "a finite number above 0",
        )
    }
}
