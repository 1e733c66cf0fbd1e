//! Rand-k: k coordinates, drawn without replacement, scaled by d/k.

use super::Compressor;
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Stream;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct RandK {
    pub(super) k: usize,
    pub(super) dimension: usize,
}

impl Compressor for RandK {
    /// Selection sampling: coordinate j is kept with probability (places left)/(coordinates left).
    fn apply(&self, g: &mut [f64], stream: &mut Stream) {
        if self.k == self.dimension {
            return;
        }
        let scale = self.dimension as f64 / self.k as f64;
        let mut left = self.k;
        for (j, g) in g.iter_mut().enumerate() {
            if stream.index(self.dimension - j) < left {
                *g *= scale;
                left -= 1;
            } else {
                *g = 0.0;
            }
        }
    }

    /// `ω = d/k − 1`.
    fn omega(&self) -> f64 {
        self.dimension as f64 / self.k as f64 - 1.0
    }

    fn rarest_outcome(&self, _v: &[f64]) -> f64 {
        let kept = self.k as f64 / self.dimension as f64;
        if self.k == self.dimension { 1.0 } else { kept.min(1.0 - kept) }
    }

    /// `E[Φ Φᵀ] = (ω/(d − 1)) (d·diag(G) − G)` with `G = E[g gᵀ] = v vᵀ + Σ`.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        if self.k == self.dimension {
            return;
        }
        let (v, sigma) = (g.mean(), g.covariance());
        let d = self.dimension as f64;
        let c = weight * self.omega() / (d - 1.0);
        out.add_diagonal((0..self.dimension).map(|j| c * d * (v[j] * v[j] + sigma.entry(j, j))));
        out.add_rank_one(-c, v);
        out.add(-c, sigma);
    }

    fn keeps(&self) -> Option<f64> {
        Some(self.k as f64 / self.dimension as f64)
    }

    fn keeps_exactly(&self) -> Option<usize> {
        Some(self.k)
    }
}

/// `C(g) = (d/k) Σ_{j∈J} g_j e_j`: k coordinates J, drawn without replacement; ω = d/k − 1.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Coordinates that are kept, from 1 to d.
    k: usize,
}

impl Parameters {
    /// With `d/k − 1 = ω`, where that gives a whole k.
    pub(super) fn of_rate(omega: f64, dimension: usize) -> Result<Self, Invalid> {
        let k = dimension as f64 / (1.0 + omega);
        let nearest = k.round();
        // Rounding of a quotient of decimal numbers.
        if (k - nearest).abs() > 1e-9 * k || nearest < 1.0 {
            let message =
                format!("ω = {omega} takes k = {k:.4e} of {dimension}; expected a whole number from 1 on");
            return Err(Invalid::new("rand_k.k", message));
        }
        Ok(Self { k: nearest as usize })
    }

    pub(super) fn build(&self, dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        if !(1..=dimension).contains(&self.k) {
            return Err(Invalid::new(
                "k",
                format!("{}; expected a whole number from 1 to the dimension, {dimension}", self.k),
            ));
        }
        Ok(Box::new(RandK { k: self.k, dimension }))
    }
}
