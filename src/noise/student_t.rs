//! Student-t gradient noise with independent coordinates: `g = v + (S/√B) t_ν`, any ν > 0.

use super::gaussian::Independent;
use super::law::scaled_tail;
use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::{Invalid, PerCoordinate, checked};
use crate::random::Streams;
use crate::rows;
use crate::special::Tail;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// As the poster models it, a batch of B divides the *scale* by √B and keeps ν; the mean of B
/// samples of `S t_ν` would have another law.
struct StudentT {
    scale: Vec<f64>,
    dof: f64,
}

impl Noise for StudentT {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        streams.student_ts(self.dof, out);
        rows::scale_rows_and_add(out, &self.scale, v);
    }

    /// Variances `S² ν/(ν − 2)`; infinite for ν ≤ 2.
    fn add_covariance(&self, weight: f64, _x: &[f64], _v: &[f64], out: &mut Covariance) {
        let variance = if self.dof > 2.0 { self.dof / (self.dof - 2.0) } else { f64::INFINITY };
        out.add_variances(self.scale.iter().map(|scale| weight * scale * scale * variance));
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        out.set_student_t(v, &self.scale, self.dof);
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }

    fn degrees_of_freedom(&self) -> f64 {
        self.dof
    }

    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        Some((&self.scale, self.dof))
    }
}

impl Law for StudentT {
    fn is_independent(&self) -> bool {
        true
    }

    fn tail(&self, _x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        scaled_tail(v[j], self.scale[j], threshold, self.dof)
    }
}

/// `g = ∇f_i(x) + (S/√B) t_ν` with diagonal S and independent coordinates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Diagonal of S, above 0: the scale of one sample, not its standard deviation, which is `S√(ν/(ν − 2))`.
    scale: PerCoordinate,
    /// ν, the degrees of freedom, above 0, `inf` for the Gaussian; above 2 unless the optimizer takes signs.
    dof: f64,
}

/// ν of a law that has any above 0.
pub(super) fn checked_dof(dof: f64) -> Result<f64, Invalid> {
    checked("dof", dof, |dof| dof > 0.0, "a finite number above 0 (for Gaussian noise: noise.gaussian)")
}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        let scale = self.scale.scales(objective.dimension())?;
        let scale = scale.iter().map(|scale| scale / (batch_size as f64).sqrt()).collect();
        if self.dof == f64::INFINITY {
            return Ok(Box::new(Independent { scale }));
        }
        let dof = checked("dof", self.dof, |dof| dof > 0.0, "a number above 0, or inf (Gaussian noise)")?;
        Ok(Box::new(StudentT { scale, dof }))
    }
}
