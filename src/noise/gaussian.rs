//! Gaussian gradient noise: `g = v + N(0, Σ/B)`.

use super::elliptical::Elliptical;
use super::law::{scaled_tail, sure_tail};
use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::{Invalid, PerCoordinate, semidefinite};
use crate::random::Streams;
use crate::rows;
use crate::special::Tail;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Independent coordinates of standard deviations `scale/√B`.
pub(super) struct Independent {
    pub scale: Vec<f64>,
}

impl Noise for Independent {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        streams.normals(out);
        rows::scale_rows_and_add(out, &self.scale, v);
    }

    fn add_covariance(&self, weight: f64, _x: &[f64], _v: &[f64], out: &mut Covariance) {
        out.add_variances(self.scale.iter().map(|scale| weight * scale * scale));
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        out.set_student_t(v, &self.scale, f64::INFINITY);
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }

    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        Some((&self.scale, f64::INFINITY))
    }
}

impl Law for Independent {
    fn is_gaussian(&self) -> bool {
        true
    }

    fn is_independent(&self) -> bool {
        true
    }

    fn tail(&self, _x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        scaled_tail(v[j], self.scale[j], threshold, f64::INFINITY)
    }
}

/// A full covariance Σ/B.
struct Correlated {
    law: Elliptical,
}

impl Noise for Correlated {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        self.law.sample(streams, out);
        rows::add(out, v);
    }

    fn add_covariance(&self, weight: f64, _x: &[f64], _v: &[f64], out: &mut Covariance) {
        self.law.add_scale_matrix(weight, out);
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        self.law.sign_law(v, f64::INFINITY, out);
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }

    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        self.law.scaled_student_t(f64::INFINITY)
    }

    /// Signs of pairs are integrals, each some microseconds.
    fn operations(&self, dimension: usize) -> f64 {
        3000.0 * (dimension * dimension) as f64
    }
}

impl Law for Correlated {
    fn is_gaussian(&self) -> bool {
        true
    }

    fn tail(&self, _x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        match self.law.scales()[j] {
            0.0 => sure_tail(v[j], threshold),
            scale => scaled_tail(v[j], scale, threshold, f64::INFINITY),
        }
    }
}

/// `g = ∇f_i(x) + N(0, Σ/B)`, Σ given by the standard deviations of its independent coordinates (`scale`) or as
/// `covariance`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Standard deviation of one sample, above 0: √Σ where Σ is diagonal.
    scale: Option<PerCoordinate>,
    /// Σ row by row, symmetric and positive semidefinite, at most 500 × 500.
    covariance: Option<Vec<Vec<f64>>>,
}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        let d = objective.dimension();
        let batch_size = batch_size as f64;
        match (&self.scale, &self.covariance) {
            (Some(scale), None) => {
                let right = "a finite number above 0 (for no noise: noise.none = {})";
                let scale = scale.expand("scale", d, |s| s.is_finite() && s > 0.0, right)?;
                let scale = scale.iter().map(|scale| scale / batch_size.sqrt()).collect();
                Ok(Box::new(Independent { scale }))
            }
            (None, Some(rows)) => {
                let covariance = semidefinite("covariance", rows, d)?;
                Ok(Box::new(Correlated { law: Elliptical::new(&covariance, batch_size, d) }))
            }
            _ => Err(Invalid::new("", "expected exactly one of `scale` and `covariance`")),
        }
    }
}
