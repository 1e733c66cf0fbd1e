//! The noise of minibatches: `g = (1/B) Σ_b ∇f_{s_b}(x)`, B samples drawn with replacement.

use super::{Law, Noise, SignLaw};
use crate::covariance::Covariance;
use crate::objective::{FiniteSum, Objective};
use crate::parameter::Invalid;
use crate::random::Streams;
use crate::rows;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

struct Minibatch {
    objective: Arc<dyn Objective>,
    batch_size: usize,
}

impl Minibatch {
    fn sum(&self) -> &dyn FiniteSum {
        self.objective.finite_sum().expect("checked when the noise was built")
    }

    /// Calls `visit` with the gradient of every sample.
    fn for_each_sample(&self, x: &[f64], mut visit: impl FnMut(&mut [f64])) {
        let mut gradient = vec![0.0; x.len()];
        for s in 0..self.sum().terms() {
            gradient.fill(0.0);
            self.sum().add_term_gradient(s, 1.0, x, &mut gradient);
            visit(&mut gradient);
        }
    }
}

impl Noise for Minibatch {
    fn sample(&self, x: &[f64], _v: &[f64], streams: &mut Streams, out: &mut [f64]) {
        let n = streams.count();
        let mut of_path = vec![0.0; x.len() / n];
        let mut gradient = of_path.clone();
        streams.each(|path, stream| {
            rows::read_column(x, n, path, &mut of_path);
            gradient.fill(0.0);
            for _ in 0..self.batch_size {
                let s = stream.index(self.sum().terms());
                self.sum().add_term_gradient(s, 1.0 / self.batch_size as f64, &of_path, &mut gradient);
            }
            rows::write_column(out, n, path, &gradient);
        });
    }

    /// `Σ(x) = (1/B) ((1/n) Σ_s ∇f_s ∇f_sᵀ − ∇f ∇fᵀ)`.
    fn add_covariance(&self, weight: f64, x: &[f64], _v: &[f64], out: &mut Covariance) {
        let mut gradients = Vec::new();
        self.for_each_sample(x, |gradient| gradients.extend_from_slice(gradient));
        let d = x.len();
        let weight = weight / self.batch_size as f64;
        add_sample_covariance(&mut gradients, d, weight, out);
    }

    /// For B = 1 the joint law of the signs is that of the n samples, exactly.
    fn sign_law(&self, x: &[f64], _v: &[f64], out: &mut SignLaw) {
        let mut signs = Vec::new();
        self.for_each_sample(x, |gradient| signs.extend(gradient.iter().map(|g| crate::special::sign(*g))));
        let d = x.len();
        let n = (signs.len() / d) as f64;
        for (j, mean) in out.mean.iter_mut().enumerate() {
            *mean = signs.iter().skip(j).step_by(d).sum::<f64>() / n;
        }
        out.covariance.clear();
        add_sample_covariance(&mut signs, d, 1.0, &mut out.covariance);
    }

    fn sign_law_refusal(&self) -> Option<&'static str> {
        (self.batch_size > 1).then_some(
            "the sign of a mean over B > 1 samples depends on all n^B batches, which is intractable; \
             expected batch_size = 1, whose sign law is that of the n samples",
        )
    }

    fn law(&self) -> Result<&dyn Law, &'static str> {
        if self.batch_size == 1 {
            return Ok(self);
        }
        Err(
            "a mean over B > 1 samples has n^B values, which is intractable; expected batch_size = 1, whose law is \
             that of the n samples",
        )
    }

    fn is_additive(&self) -> bool {
        false
    }

    /// A draw adds B gradients; the covariance is that of all terms, dense where they are many.
    fn operations(&self, dimension: usize) -> f64 {
        let (d, n) = (dimension as f64, self.sum().terms() as f64);
        let of_term = self.objective.operations() / n;
        (self.batch_size as f64 * of_term).max(n * (of_term + d * if n < d { 1.0 } else { d }))
    }
}

/// For B = 1 the n samples are the atoms.
impl Law for Minibatch {
    fn for_each_atom(&self, x: &[f64], _v: &[f64], visit: &mut dyn FnMut(f64, &[f64])) {
        let probability = 1.0 / self.sum().terms() as f64;
        self.for_each_sample(x, |gradient| visit(probability, gradient));
    }

    fn is_discrete(&self) -> bool {
        true
    }
}

/// `out += weight · Cov` of n equally likely vectors of dimension d, one after the other in `samples`; of low rank where
/// these are fewer than d.
fn add_sample_covariance(samples: &mut [f64], d: usize, weight: f64, out: &mut Covariance) {
    let n = (samples.len() / d) as f64;
    let mut mean = vec![0.0; d];
    for sample in samples.chunks_exact(d) {
        mean.iter_mut().zip(sample).for_each(|(mean, entry)| *mean += entry / n);
    }
    for sample in samples.chunks_exact_mut(d) {
        sample.iter_mut().zip(&mean).for_each(|(entry, mean)| *entry -= mean);
    }
    if samples.len() < d * d {
        return out.add_columns(weight / n, samples);
    }
    let mut covariance = vec![0.0; d * d];
    for sample in samples.chunks_exact(d) {
        for (i, row) in covariance.chunks_exact_mut(d).enumerate() {
            row[..=i].iter_mut().zip(sample).for_each(|(sum, entry)| *sum += sample[i] * entry);
        }
    }
    out.add_dense(|i, j| weight * covariance[i.max(j) * d + i.min(j)] / n);
}

/// `g = (1/B) Σ_b ∇f_{s_b}(x)`: B samples s_b of a finite sum, drawn with replacement; B is the `batch_size` of the
/// agents. For objectives that are averages over data.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {}

impl Parameters {
    pub(super) fn build(
        &self,
        objective: &Arc<dyn Objective>,
        batch_size: usize,
    ) -> Result<Box<dyn Noise>, Invalid> {
        if objective.finite_sum().is_none() {
            return Err(Invalid::new(
                "",
                "the objective is not an average over samples; expected one that is, such as objective.logistic",
            ));
        }
        Ok(Box::new(Minibatch { objective: Arc::clone(objective), batch_size }))
    }
}
