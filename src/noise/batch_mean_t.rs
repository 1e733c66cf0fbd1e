//! The true mean of a batch under Student-t noise: `g = v + (1/B) Σ_b S t_ν^b`.

use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::Objective;
use crate::parameter::{Invalid, PerCoordinate, checked};
use crate::random::Streams;
use crate::rows;
use crate::special::MeanOfT;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Least ν: below it averaging makes noise worse, and its tails have no end that a table could hold.
const LEAST_DOF: f64 = 1.0;

/// Largest B: every draw is B draws.
const LARGEST_BATCH: usize = 10_000;

/// What `student_t`, the `(S/√B) t_ν` of the poster, only models. The mean of B > 1 samples is not
/// Student-t: nearer to the Gaussian for ν > 2, and no better than one sample for ν = 1.
struct BatchMeanT {
    scale: Vec<f64>,
    dof: f64,
    batch_size: usize,
    /// The law of the mean at scale 1.
    law: MeanOfT,
    /// S/√B, the scale of the poster's model.
    modelled_scale: Vec<f64>,
}

impl Noise for BatchMeanT {
    fn sample(&self, _x: &[f64], v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        let mut of_one = vec![0.0; out.len()];
        out.fill(0.0);
        for _ in 0..self.batch_size {
            streams.student_ts(self.dof, &mut of_one);
            rows::add(out, &of_one);
        }
        rows::scale(out, 1.0 / self.batch_size as f64);
        rows::scale_rows_and_add(out, &self.scale, v);
    }

    /// Variances `S² ν/((ν − 2)B)`, those of the poster's model; infinite for ν ≤ 2.
    fn add_covariance(&self, weight: f64, _x: &[f64], _v: &[f64], out: &mut Covariance) {
        let of_one = if self.dof > 2.0 { self.dof / (self.dof - 2.0) } else { f64::INFINITY };
        let variance = of_one / self.batch_size as f64;
        out.add_variances(self.scale.iter().map(|scale| weight * scale * scale * variance));
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn sign_law(&self, _x: &[f64], v: &[f64], out: &mut SignLaw) {
        let n = v.len() / self.scale.len();
        let rows = out.mean.chunks_exact_mut(n).zip(v.chunks_exact(n));
        for ((mean, v), scale) in rows.zip(&self.scale) {
            mean.iter_mut().zip(v).for_each(|(mean, v)| *mean = 2.0 * self.law.xi(v / scale));
        }
        out.set_variances();
    }

    fn sign_error(&self) -> f64 {
        MeanOfT::ERROR
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        Err(
            "the law of a mean of Student-t samples is only known for its signs and moments; expected noise.student_t, \
             or a linear compressor (rand_k, bernoulli, identity)",
        )
    }

    fn degrees_of_freedom(&self) -> f64 {
        self.dof
    }

    /// What the poster takes it for.
    fn scaled_student_t(&self) -> Option<(&[f64], f64)> {
        Some((&self.modelled_scale, self.dof))
    }

    /// Every draw is a mean of B.
    fn operations(&self, dimension: usize) -> f64 {
        30.0 * (self.batch_size * dimension) as f64
    }

    /// They are, though their law beyond two moments and signs is not known here.
    fn has_independent_coordinates(&self) -> bool {
        true
    }
}

/// `g = ∇f_i(x) + (1/B) Σ_b S t_ν^b`, the mean of `batch_size` independent samples, each `S t_ν` in every coordinate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// S, the scale of one sample (not its standard deviation): one number, or one a coordinate.
    scale: PerCoordinate,
    /// ν, the degrees of freedom, at least 1; above 2 unless the optimizer takes signs.
    dof: f64,
}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        let scale = self.scale.scales(objective.dimension())?;
        let right = "a finite number of at least 1 (for Gaussian noise: noise.gaussian)";
        let dof = checked("dof", self.dof, |dof| dof >= LEAST_DOF, right)?;
        if batch_size > LARGEST_BATCH {
            let message = format!(
                "batches of {batch_size}, drawn one by one; expected a batch_size up to {LARGEST_BATCH}"
            );
            return Err(Invalid::new("", message));
        }
        let modelled_scale = scale.iter().map(|scale| scale / (batch_size as f64).sqrt()).collect();
        let law = MeanOfT::new(dof, batch_size);
        Ok(Box::new(BatchMeanT { scale, dof, batch_size, law, modelled_scale }))
    }
}
