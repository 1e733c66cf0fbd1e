//! Contaminated Gaussian noise: every coordinate of a sample is `N(0, σ²)` or, rarely, much wider.

use super::law::scaled_tail;
use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::{Invalid, PerCoordinate, checked};
use crate::random::Streams;
use crate::rows;
use crate::special::{Tail, xi};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Batches in which so many samples are contaminated are left out: their probabilities add up to less
/// than B times this.
const NEGLIGIBLE: f64 = 1e-18;

/// The mean of B samples exactly: given that k of them are contaminated, with probability
/// `C(B, k) εᵏ(1 − ε)^{B−k}` for each coordinate on its own, it is Gaussian with variance
/// `σ² (B − k + k factor²)/B²`.
struct Contaminated {
    /// σ.
    scale: Vec<f64>,
    components: Vec<Component>,
}

/// A number k of contaminated samples.
struct Component {
    probability: f64,
    /// The standard deviation over σ.
    factor: f64,
}

impl Contaminated {
    fn mixed(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.components.iter().map(|component| component.probability * of(component.factor)).sum()
    }
}

impl Noise for Contaminated {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        let mut uniforms = vec![0.0; out.len()];
        streams.uniforms(&mut uniforms);
        streams.normals(out);
        for (out, uniform) in out.iter_mut().zip(&uniforms) {
            let mut left = *uniform;
            let drawn = self.components.iter().find(|component| {
                left -= component.probability;
                left < 0.0
            });
            // Rounding may leave a little of the last component.
            *out *= drawn.or(self.components.last()).map_or(0.0, |component| component.factor);
        }
        rows::scale_rows_and_add(out, &self.scale, v);
    }

    /// Variances `σ² (1 − ε + ε factor²)/B`.
    fn add_covariance(&self, weight: f64, _x: &[f64], _v: &[f64], out: &mut Covariance) {
        let variance = self.mixed(|factor| factor * factor);
        out.add_variances(self.scale.iter().map(|scale| weight * scale * scale * variance));
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        let n = v.len() / self.scale.len();
        let rows = out.mean.chunks_exact_mut(n).zip(v.chunks_exact(n));
        for ((mean, v), scale) in rows.zip(&self.scale) {
            for (mean, v) in mean.iter_mut().zip(v) {
                *mean = self.mixed(|factor| 2.0 * xi(v / (scale * factor), f64::INFINITY));
            }
        }
        out.set_variances();
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }
}

impl Law for Contaminated {
    fn is_independent(&self) -> bool {
        true
    }

    fn tail(&self, _x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        self.components.iter().fold(Tail::default(), |sum, component| {
            let scale = self.scale[j] * component.factor;
            sum + component.probability * scaled_tail(v[j], scale, threshold, f64::INFINITY)
        })
    }
}

/// `g = ∇f_i(x) + (1/B) Σ_b σ c_b z_b`, z standard normal; `c = factor` with probability `fraction` and 1 otherwise,
/// drawn for every sample and coordinate on its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// σ, the standard deviation of clean samples: one number, or one a coordinate.
    scale: PerCoordinate,
    /// ε, the probability that a coordinate of a sample is contaminated, from 0 to 1.
    fraction: f64,
    /// What contamination multiplies the standard deviation by.
    factor: f64,
}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        let scale = self.scale.scales(objective.dimension())?;
        let right = "a number from 0 to 1";
        let fraction = checked("fraction", self.fraction, |fraction| (0.0..=1.0).contains(&fraction), right)?;
        let factor = checked("factor", self.factor, |factor| factor > 0.0, "a finite number above 0")?;
        Ok(Box::new(Contaminated { scale, components: components(batch_size, fraction, factor) }))
    }
}

fn components(batch_size: usize, fraction: f64, factor: f64) -> Vec<Component> {
    let batch = batch_size as f64;
    let binomial = |k: usize| {
        let (k, clean) = (k as f64, (batch_size - k) as f64);
        let power = |count: f64, base: f64| if count == 0.0 { 0.0 } else { count * libm::log(base) };
        let ways = libm::lgamma(batch + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(clean + 1.0);
        libm::exp(ways + power(k, fraction) + power(clean, 1.0 - fraction))
    };
    let component = |k: usize| {
        let variance = ((batch_size - k) as f64 + k as f64 * factor * factor) / (batch * batch);
        Component { probability: binomial(k), factor: variance.sqrt() }
    };
    let mut components: Vec<Component> =
        (0..=batch_size).map(component).filter(|component| component.probability > NEGLIGIBLE).collect();
    // The logarithms of large factorials round: up to 1e-10 for B = 1e6.
    let total: f64 = components.iter().map(|component| component.probability).sum();
    components.iter_mut().for_each(|component| component.probability /= total);
    components
}
