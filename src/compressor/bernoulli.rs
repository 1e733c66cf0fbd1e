//! Bernoulli sparsification: each coordinate kept with probability p, scaled by 1/p.

use super::Compressor;
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::{Invalid, checked};
use crate::random::Stream;
use schemars::JsonSchema;
use serde::Deserialize;

struct Bernoulli {
    probability: f64,
}

impl Compressor for Bernoulli {
    fn apply(&self, g: &mut [f64], stream: &mut Stream) {
        for g in g {
            *g = if stream.uniform() < self.probability { *g / self.probability } else { 0.0 };
        }
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
        let sigma = g.covariance();
        out.add_diagonal(g.mean().iter().enumerate().map(|(j, v)| omega * (v * v + sigma.entry(j, j))));
    }

    fn keeps(&self) -> Option<f64> {
        Some(self.probability)
    }
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
