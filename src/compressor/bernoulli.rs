//! Bernoulli sparsification: each coordinate kept with probability p, scaled by 1/p.

use super::Compressor;
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::{Invalid, checked};
use crate::random::Streams;
use schemars::JsonSchema;
use serde::Deserialize;

struct Bernoulli {
    probability: f64,
}

impl Compressor for Bernoulli {
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        keep_each(g, self.probability, streams);
    }

    /// `ω = 1/p − 1`.
    fn omega(&self) -> f64 {
        1.0 / self.probability - 1.0
    }

    fn rarest_outcome(&self, _v: &[f64]) -> f64 {
        let p = self.probability;
        if p == 1.0 { 1.0 } else { p.min(1.0 - p) }
    }

    /// `E[Φ Φᵀ] = ω diag(G)` with `G = E[g gᵀ] = v vᵀ + Σ`.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        let omega = weight * self.omega();
        out.add_squares(omega, g.mean());
        out.add_diagonal_of(omega, g.covariance());
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn keeps(&self) -> Option<f64> {
        Some(self.probability)
    }
}

/// Keeps every entry with probability p, scaled by 1/p, each for itself.
pub(crate) fn keep_each(g: &mut [f64], p: f64, streams: &mut Streams) {
    streams.lend_uniforms(g.len() / streams.count(), |uniforms| {
        for (g, uniform) in g.iter_mut().zip(uniforms) {
            *g = if *uniform < p { *g / p } else { 0.0 };
        }
    });
}

/// `C(g)_j = g_j/p` with probability p, else 0, each coordinate for itself; ω = 1/p − 1.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// p, above 0 and at most 1.
    probability: f64,
}

impl Parameters {
    /// With `1/p − 1 = ω`.
    pub(super) fn of_rate(omega: f64) -> Self {
        Self { probability: 1.0 / (1.0 + omega) }
    }

    pub(super) fn build(&self, _dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        let right = "a number above 0 and at most 1";
        let probability = checked("probability", self.probability, |p| p > 0.0 && p <= 1.0, right)?;
        Ok(Box::new(Bernoulli { probability }))
    }
}
