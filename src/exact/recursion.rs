//! The optimizer on a quadratic: mean and covariance from step to step.

use super::closed_moments::{self, ClosedMoments};
use super::{Table, Unknown};
use crate::agent::Scratch;
use crate::compressor::Knowledge;
use crate::covariance::Covariance;
use crate::ensemble::Observables;
use crate::model::Model;
use crate::noise::TwoMoments;
use crate::objective::Objective;

/// Most multiplications of a whole run: some seconds.
const MOST_WORK: f64 = 4e9;

/// One step takes m and V to
///
/// `m′ = m − η∇f(m)`,  `V′ = (I − ηH)V(I − ηH) + (η²/N) (1/N) Σ_i (E[Φ_i Φ_iᵀ] + Σ_i)`,
///
/// the first term of V′ the covariance of the conditional mean `x − η∇f(x)`, the second the mean of
/// the conditional covariance: C_i is unbiased and independent of the others, so that
/// `Cov[C_i(g_i) | x] = E[Φ_i Φ_iᵀ | x] + Σ_i`. For a linear C_i, `E[Φ_i Φ_iᵀ]` over x too is that
/// of a gradient of mean `∇f_i(m)` and covariance `HVH + Σ_i`.
pub(super) fn table(model: &Model, observables: &Observables) -> Result<Table, Unknown> {
    let d = model.dimension();
    let groups = model.agents.groups();
    let compresses = model.compresses();
    if compresses && groups.iter().any(|group| group.compressor.needs() != Knowledge::Moments) {
        return Err(Unknown::because("a compressor is not linear in the gradient: moments do not close"));
    }
    if model.agents.shared_block().is_some() {
        return Err(Unknown::because("the agents compress together"));
    }
    if !groups.iter().all(|group| group.noise.is_additive() && group.noise.relative_variance() == 0.0) {
        return Err(Unknown::because("the covariance of the noise depends on the state"));
    }
    if groups.iter().any(|group| group.noise.degrees_of_freedom() <= 2.0) {
        return Err(Unknown::because("the noise has no finite covariance"));
    }
    let work = model.run.steps as f64 * (d * d) as f64 * (4 * d + 4 * groups.len()) as f64;
    if work > MOST_WORK {
        return Err(Unknown::because(format!("the recursion takes {work:.0e} multiplications")));
    }
    let mut step = Step::new(model);
    let mut moments = ClosedMoments::sure(&model.run.start);
    let mut records = vec![moments.clone()];
    for _ in 0..model.run.records {
        (0..model.run.every()).for_each(|_| step.advance(&mut moments));
        records.push(moments.clone());
    }
    // Each step is two products with d terms.
    let operations = (2 * d + 16) as f64 * (1 + model.run.steps) as f64;
    Ok(closed_moments::table(model, &records, observables, operations))
}

/// One step of the optimizer, and the buffers it takes.
struct Step<'a> {
    model: &'a Model,
    scratch: Scratch,
    /// `(1/N) Σ_i (E[Φ_i Φ_iᵀ] + Σ_i)`.
    noise: Covariance,
    /// `Σ_i`.
    sigma: Covariance,
    /// `HVH + Σ_i`.
    of_gradient: Covariance,
}

impl<'a> Step<'a> {
    fn new(model: &'a Model) -> Self {
        let zero = Covariance::zero(model.dimension());
        Self {
            model,
            scratch: Scratch::default(),
            noise: zero.clone(),
            sigma: zero.clone(),
            of_gradient: zero,
        }
    }

    fn advance(&mut self, ClosedMoments { mean, covariance }: &mut ClosedMoments) {
        let Self { model, scratch, noise, sigma, of_gradient } = self;
        let (eta, n) = (model.run.learning_rate, model.agents.count() as f64);
        let (f, d) = (&**model.agents.objective(), mean.len());
        let hvh = both_sides(covariance, |v, out| f.hessian_vector_product(mean, v, out));
        noise.clear();
        let gradient = model.agents.for_each_group(mean, scratch, |share, group, mean_gradient| {
            sigma.clear();
            group.noise.add_covariance(1.0, mean, mean_gradient, sigma);
            if model.compresses() {
                of_gradient.clone_from(sigma);
                of_gradient.add_dense(|i, j| hvh[i * d + j]);
                let g = TwoMoments { mean: mean_gradient, covariance: of_gradient };
                group.compressor.add_error_covariance(share, &g, noise);
            }
            noise.add(share, sigma);
        });
        *covariance = both_sides(covariance, |v, out| contract(f, eta, mean, v, out));
        for (index, entry) in covariance.iter_mut().enumerate() {
            *entry += eta * eta / n * noise.entry(index / d, index % d);
        }
        for (mean, gradient) in mean.iter_mut().zip(gradient) {
            *mean -= eta * gradient;
        }
    }
}

/// `out = (I − ηH)v`.
fn contract(f: &dyn Objective, eta: f64, x: &[f64], v: &[f64], out: &mut [f64]) {
    f.hessian_vector_product(x, v, out);
    for (out, v) in out.iter_mut().zip(v) {
        *out = v - eta * *out;
    }
}

/// `M V Mᵀ` of a symmetric `d × d` matrix V, where `apply(v, out)` is `out = M v`.
fn both_sides(matrix: &[f64], apply: impl Fn(&[f64], &mut [f64])) -> Vec<f64> {
    let d = matrix.len().isqrt();
    let mut once = vec![0.0; d * d];
    for (row, out) in matrix.chunks_exact(d).zip(once.chunks_exact_mut(d)) {
        apply(row, out);
    }
    let mut twice = vec![0.0; d * d];
    let mut column = vec![0.0; d];
    for (i, out) in twice.chunks_exact_mut(d).enumerate() {
        column.iter_mut().zip(once.chunks_exact(d)).for_each(|(entry, row)| *entry = row[i]);
        apply(&column, out);
    }
    twice
}
