//! Gaussian gradient noise: `g = v + N(0, Σ/B)`.

use super::{Noise, SignLaw};
use crate::covariance::{Covariance, semidefinite_root};
use crate::objective::Objective;
use crate::parameter::{Invalid, PerCoordinate, semidefinite};
use crate::random::Stream;
use crate::special::xi;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Independent coordinates of standard deviations `scale/√B`.
struct Independent {
    scale: Vec<f64>,
}

impl Noise for Independent {
    fn sample(&self, _x: &[f64], v: &[f64], stream: &mut Stream, out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            *out = v[j] + self.scale[j] * stream.normal();
        }
    }

    fn add_covariance(&self, weight: f64, _x: &[f64], out: &mut Covariance) {
        out.add_diagonal(self.scale.iter().map(|scale| weight * scale * scale));
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        out.set_independent(v.iter().zip(&self.scale).map(|(v, scale)| 2.0 * xi(v / scale, f64::INFINITY)));
    }

    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        Some((&self.scale, f64::INFINITY))
    }
}

/// A full covariance Σ/B.
struct Correlated {
    /// Row by row.
    covariance: Vec<f64>,
    /// `A Aᵀ = Σ/B`, row by row.
    root: Vec<f64>,
}

impl Noise for Correlated {
    fn sample(&self, _x: &[f64], v: &[f64], stream: &mut Stream, out: &mut [f64]) {
        let d = out.len();
        out.copy_from_slice(v);
        for column in 0..d {
            let normal = stream.normal();
            for (row, out) in out.iter_mut().enumerate() {
                *out += self.root[row * d + column] * normal;
            }
        }
    }

    fn add_covariance(&self, weight: f64, _x: &[f64], out: &mut Covariance) {
        let d = out.dimension();
        out.add_dense(|i, j| weight * self.covariance[i * d + j]);
    }

    fn sign_law(&self, _x: &[f64], _v: &[f64], _out: &mut SignLaw) {
        unreachable!("refused by sign_law_refusal");
    }

    fn operations(&self, dimension: usize) -> f64 {
        2.0 * (dimension * dimension) as f64
    }

    fn sign_law_refusal(&self) -> Option<&'static str> {
        Some(
            "the signs of correlated Gaussian coordinates are correlated through orthant probabilities, which \
             itocheck does not compute; give `scale` (independent coordinates) instead of `covariance`",
        )
    }
}

/// `g = ∇f_i(x) + N(0, Σ/B)`, Σ given by the standard deviations of its independent coordinates (`scale`) or as
/// `covariance`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Standard deviation of one sample, above 0: √Σ where Σ is diagonal.
    scale: Option<PerCoordinate>,
    /// Σ row by row, symmetric and positive semidefinite, at most 500 × 500; for optimizers that take no signs.
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
                let covariance: Vec<f64> = covariance.iter().map(|entry| entry / batch_size).collect();
                let root = semidefinite_root(covariance.clone(), d);
                Ok(Box::new(Correlated { covariance, root }))
            }
            _ => Err(Invalid::new("", "expected exactly one of `scale` and `covariance`")),
        }
    }
}
