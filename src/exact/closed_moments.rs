//! Mean and covariance of the state, and what they say of the test functions.

use super::{Table, Value};
use crate::agent::Scratch;
use crate::ensemble::{Observables, TestFunction};
use crate::model::Model;

/// `E x` and `Cov x` at one time.
///
/// The covariance is carried, not `E x xᵀ`: fluctuations are then a sum without cancellation.
#[derive(Clone, Debug)]
pub(super) struct ClosedMoments {
    /// `m = E x`.
    pub mean: Vec<f64>,
    /// `V = Cov x`, row by row.
    pub covariance: Vec<f64>,
}

impl ClosedMoments {
    /// Of a sure state.
    pub fn sure(x: &[f64]) -> Self {
        Self { mean: x.to_vec(), covariance: vec![0.0; x.len() * x.len()] }
    }

    /// The expectation of one test function at the record time `time`; none where two moments do not
    /// determine it.
    fn expectation(
        &self,
        function: &TestFunction,
        observables: &Observables,
        time: usize,
        errors: Errors,
    ) -> Option<Value> {
        let Self { mean, covariance } = self;
        let d = mean.len();
        let entry = |i: usize, j: usize| covariance[i * d + j];
        let spread = |i: usize, j: usize| (entry(i, i) * entry(j, j)).abs().sqrt();
        let second_moment = |a: f64, b: f64, i: usize, j: usize| {
            let of_means = errors.mean * (a.abs() + b.abs() + errors.mean);
            let of_covariance = errors.rounding * spread(i, j) + errors.covariance;
            Value { value: entry(i, j) + a * b, error: of_covariance + of_means }
        };
        match function {
            &TestFunction::Coordinate(i) => Some(Value { value: mean[i], error: errors.mean }),
            &TestFunction::Product(i, j) => Some(second_moment(mean[i], mean[j], i, j)),
            &TestFunction::Fluctuation(i, j) => {
                let (c, eta) = (&observables.flow[time], observables.eta);
                let Value { value, error } = second_moment(mean[i] - c[i], mean[j] - c[j], i, j);
                Some(Value { value: value / eta, error: error / eta })
            }
            TestFunction::Loss => Some(self.expected_loss(observables, errors)),
            TestFunction::Exit | TestFunction::Bounded(_) => None,
            projected => unreachable!("{projected} is sampled alone"),
        }
    }

    /// `E f = f(m) + tr(HV)/2` for a quadratic f.
    fn expected_loss(&self, observables: &Observables, errors: Errors) -> Value {
        let f = &observables.objective;
        let d = self.mean.len();
        let mut column = vec![0.0; d];
        let (mut trace, mut variance) = (0.0, 0.0);
        for (i, row) in self.covariance.chunks_exact(d).enumerate() {
            f.hessian_vector_product(&self.mean, row, &mut column);
            trace += column[i];
            variance += row[i].abs();
        }
        let mut gradient = vec![0.0; d];
        f.gradient(&self.mean, &mut gradient);
        let slope: f64 = gradient.iter().map(|g| g.abs()).sum();
        let (curvature, distance) = (f.smoothness().unwrap_or(f64::NAN), distance(&self.mean, f.centre()));
        // The d² terms of both may cancel; an error of m moves f by the slope, and by the curvature.
        let d = d as f64;
        let of_terms = d * d * f64::EPSILON * curvature * (d * distance * distance + variance);
        let of_mean = errors.mean * (slope + curvature * d * errors.mean);
        let of_covariance = curvature * (errors.rounding * variance + d * errors.covariance);
        Value { value: f.value(&self.mean) + 0.5 * trace, error: of_terms + of_mean + of_covariance }
    }
}

/// `max_i |x_i − x*_i|`.
fn distance(x: &[f64], centre: Option<&[f64]>) -> f64 {
    let centre = centre.unwrap_or(&[]).iter();
    x.iter().zip(centre).fold(0.0, |most: f64, (x, centre)| most.max((x - centre).abs()))
}

/// How far moments at one time are known.
#[derive(Clone, Copy, Debug)]
struct Errors {
    /// Of `V_ij` relative to `√(V_ii V_jj)`, and of other sums relative to their terms.
    rounding: f64,
    /// Of every mean.
    mean: f64,
    /// Of every `V_ij`, further.
    covariance: f64,
}

/// The errors at all record times, where each of `operations` in a row may add one rounding.
///
/// A mean is rounded in units of itself, and of `x − x*` as every step adds `ηH(m − x*)` to it, whose terms may
/// cancel; for `η‖H‖ ≤ 2`, beyond which m diverges, the sum of all is below `rounding` times the largest of them so far.
/// The gradient is then wrong by `‖H‖` times that, and with it the noise that is proportional to it: at most
/// η r times the square of the gradient for each unit of time, r the relative variance (N is not counted on, as an SDE
/// under test may have lost it).
fn errors(model: &Model, moments: &[ClosedMoments], operations: f64) -> Vec<Errors> {
    let rounding = operations * f64::EPSILON;
    let objective = model.agents.objective();
    let curvature = objective.smoothness().unwrap_or(f64::NAN);
    let relative_variance = model.relative_variance() * model.agents.count() as f64;
    let (mut size, mut slope) = (0.0f64, 0.0f64);
    let mut scratch = Scratch::default();
    let at = |(moments, time): (&ClosedMoments, f64)| {
        let largest = moments.mean.iter().fold(0.0, |most: f64, m| most.max(m.abs()));
        size = size.max(largest).max(distance(&moments.mean, objective.centre()));
        model.agents.for_each_group(&moments.mean, &mut scratch, |_, _, gradient| {
            slope = slope.max(gradient.iter().map(|entry| entry * entry).sum::<f64>().sqrt());
        });
        let mean = rounding * size;
        let of_gradient = curvature * mean * (moments.mean.len() as f64).sqrt();
        let covariance =
            model.run.learning_rate * relative_variance * time * of_gradient * (2.0 * slope + of_gradient);
        Errors { rounding, mean, covariance }
    };
    moments.iter().zip(model.run.times()).map(at).collect()
}

/// The table of moments known at all record times, where each of `operations` in a row may add one
/// rounding.
pub(super) fn table(
    model: &Model,
    moments: &[ClosedMoments],
    observables: &Observables,
    operations: f64,
) -> Table {
    let errors = errors(model, moments, operations);
    let at = |function: &TestFunction| -> Option<Vec<Value>> {
        let known = moments.iter().zip(&errors).enumerate();
        let values: Option<Vec<Value>> = known
            .map(|(time, (moments, errors))| moments.expectation(function, observables, time, *errors))
            .collect();
        values.filter(|values| values.iter().all(|value| value.value.is_finite() && value.error.is_finite()))
    };
    observables.functions.iter().map(at).collect()
}
