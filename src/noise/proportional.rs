//! Noise in proportion to the gradient: `g = v + (σ/√B) ‖v‖ z`, z standard normal.

use super::law::{scaled_tail, sure_tail};
use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::{Invalid, checked};
use crate::random::Streams;
use crate::rows;
use crate::special::Tail;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Its covariance depends on the state; at a stationary point there is no noise.
struct Proportional {
    /// σ/√B.
    scale: f64,
    dimension: usize,
}

impl Proportional {
    fn deviation(&self, v: &[f64]) -> f64 {
        self.scale * v.iter().map(|v| v * v).sum::<f64>().sqrt()
    }
}

impl Noise for Proportional {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        let n = streams.count();
        let mut deviations = vec![0.0; n];
        v.chunks_exact(n).for_each(|v| rows::add_scaled_squares(&mut deviations, 1.0, v));
        deviations.iter_mut().for_each(|square| *square = self.scale * square.sqrt());
        streams.normals(out);
        for (out, v) in out.chunks_exact_mut(n).zip(v.chunks_exact(n)) {
            for ((out, v), deviation) in out.iter_mut().zip(v).zip(&deviations) {
                *out = v + deviation * *out;
            }
        }
    }

    fn add_covariance(&self, weight: f64, _x: &[f64], v: &[f64], out: &mut Covariance) {
        let deviation = self.deviation(v);
        out.add_diagonal(std::iter::repeat_n(weight * deviation * deviation, v.len()));
    }

    /// `E[sign g_j] = 2Ξ_∞(v_j/(σ‖v‖/√B))`, which does not depend on the length of v; a sure 0 at v = 0.
    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        let deviation = self.deviation(v);
        if deviation == 0.0 {
            out.mean.fill(0.0);
            out.covariance.clear();
        } else {
            out.set_student_t(v, &vec![deviation; v.len()], f64::INFINITY);
        }
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }

    /// `E‖g − v‖² = (dσ²/B) ‖v‖²`.
    fn relative_variance(&self) -> f64 {
        self.dimension as f64 * self.scale * self.scale
    }
}

impl Law for Proportional {
    fn is_gaussian(&self) -> bool {
        true
    }

    fn is_independent(&self) -> bool {
        true
    }

    fn tail(&self, _x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        match self.deviation(v) {
            0.0 => sure_tail(v[j], threshold),
            deviation => scaled_tail(v[j], deviation, threshold, f64::INFINITY),
        }
    }
}

/// `g = v + (σ/√B) ‖v‖ z` with z standard normal, v = ∇f_i(x).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// σ, the standard deviation of a coordinate of one sample over the norm of the gradient.
    scale: f64,
}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        let right = "a finite number above 0 (for no noise: noise.none = {})";
        let scale = checked("scale", self.scale, |scale| scale > 0.0, right)? / (batch_size as f64).sqrt();
        Ok(Box::new(Proportional { scale, dimension: objective.dimension() }))
    }
}
