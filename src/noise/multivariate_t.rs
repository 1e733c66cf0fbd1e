//! Multivariate Student-t gradient noise: `g = v + S^{1/2} z √(ν/χ²_ν)/√B`, one χ² for all coordinates.

use super::elliptical::Elliptical;
use super::law::{scaled_tail, sure_tail};
use super::student_t::checked_dof;
use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::{Invalid, PerCoordinate, semidefinite};
use crate::random::Streams;
use crate::special::Tail;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Its coordinates are Student-t but never independent, not even for diagonal S, so that their signs are
/// correlated and the diagonal Σ̃ of Theorem 2 is wrong. As for `student_t`, a batch of B divides the
/// scale by √B and keeps ν.
struct MultivariateT {
    law: Elliptical,
    dof: f64,
}

impl Noise for MultivariateT {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        self.law.sample(streams, out);
        let mut factors = vec![0.0; streams.count()];
        streams.each(|path, stream| factors[path] = (self.dof / stream.chi_squared(self.dof)).sqrt());
        for (out, v) in out.chunks_exact_mut(factors.len()).zip(v.chunks_exact(factors.len())) {
            for ((out, v), factor) in out.iter_mut().zip(v).zip(&factors) {
                *out = v + factor * *out;
            }
        }
    }

    /// `S ν/((ν − 2)B)`; infinite for ν ≤ 2.
    fn add_covariance(&self, weight: f64, _x: &[f64], _v: &[f64], out: &mut Covariance) {
        if self.dof > 2.0 {
            self.law.add_scale_matrix(weight * self.dof / (self.dof - 2.0), out);
        } else {
            out.add_diagonal(std::iter::repeat_n(f64::INFINITY, out.dimension()));
        }
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        self.law.sign_law(v, self.dof, out);
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Ok(self)
    }

    fn degrees_of_freedom(&self) -> f64 {
        self.dof
    }

    /// Signs of pairs are integrals, each some microseconds.
    fn operations(&self, dimension: usize) -> f64 {
        3000.0 * (dimension * dimension) as f64
    }

    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        self.law.scaled_student_t(self.dof)
    }
}

impl Law for MultivariateT {
    fn tail(&self, _x: &[f64], v: &[f64], j: usize, threshold: f64) -> Tail {
        match self.law.scales()[j] {
            0.0 => sure_tail(v[j], threshold),
            scale => scaled_tail(v[j], scale, threshold, self.dof),
        }
    }
}

/// `g = ∇f_i(x) + S^{1/2} z √(ν/χ²_ν)/√B` with z standard normal and one χ² for all coordinates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The roots of the diagonal of a diagonal S: one number, or one a coordinate. Not the standard
    /// deviation, which is `scale·√(ν/(ν − 2))`.
    scale: Option<PerCoordinate>,
    /// A full S, symmetric and positive semidefinite, instead of `scale`.
    scale_matrix: Option<Vec<Vec<f64>>>,
    /// ν, the degrees of freedom, above 0; above 2 unless the optimizer takes signs.
    dof: f64,
}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        let d = objective.dimension();
        let scale_matrix = match (&self.scale, &self.scale_matrix) {
            (Some(scale), None) => {
                let scale = scale.scales(d)?;
                let entry = |index: usize| {
                    if index / d == index % d { scale[index / d] * scale[index / d] } else { 0.0 }
                };
                (0..d * d).map(entry).collect()
            }
            (None, Some(rows)) => semidefinite("scale_matrix", rows, d)?,
            _ => return Err(Invalid::new("", "expected exactly one of `scale` and `scale_matrix`")),
        };
        let law = Elliptical::new(&scale_matrix, batch_size as f64, d);
        Ok(Box::new(MultivariateT { law, dof: checked_dof(self.dof)? }))
    }
}
