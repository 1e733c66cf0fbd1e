//! Mean and covariance of the state, and what they say of the test functions.

use super::{Table, Value};
use crate::ensemble::{Observables, TestFunction};

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
    /// determine it. Means are known up to `rounding` times the largest one, `V_ij` up to `rounding`
    /// times `√(V_ii V_jj)`.
    fn expectation(
        &self,
        function: &TestFunction,
        observables: &Observables,
        time: usize,
        rounding: f64,
    ) -> Option<Value> {
        let Self { mean, covariance } = self;
        let d = mean.len();
        let entry = |i: usize, j: usize| covariance[i * d + j];
        let size = mean.iter().fold(0.0, |size: f64, m| size.max(m.abs()));
        let spread = |i: usize, j: usize| (entry(i, i) * entry(j, j)).abs().sqrt();
        let second_moment = |a: f64, b: f64, i: usize, j: usize| {
            let size_of_error = spread(i, j) + size * (a.abs() + b.abs()) + rounding * size * size;
            Value { value: entry(i, j) + a * b, error: rounding * size_of_error }
        };
        match function {
            &TestFunction::Coordinate(i) => Some(Value { value: mean[i], error: rounding * size }),
            &TestFunction::Product(i, j) => Some(second_moment(mean[i], mean[j], i, j)),
            &TestFunction::Fluctuation(i, j) => {
                let (c, eta) = (&observables.flow[time], observables.eta);
                let Value { value, error } = second_moment(mean[i] - c[i], mean[j] - c[j], i, j);
                Some(Value { value: value / eta, error: error / eta })
            }
            TestFunction::Loss => Some(self.expected_loss(observables, rounding)),
            TestFunction::Exit | TestFunction::Bounded(_) => None,
        }
    }

    /// `E f = f(m) + tr(HV)/2` for a quadratic f.
    fn expected_loss(&self, observables: &Observables, rounding: f64) -> Value {
        let f = &observables.objective;
        let d = self.mean.len();
        let mut column = vec![0.0; d];
        let mut trace = 0.0;
        for (i, row) in self.covariance.chunks_exact(d).enumerate() {
            f.hessian_vector_product(&self.mean, row, &mut column);
            trace += column[i];
        }
        let mut gradient = vec![0.0; d];
        f.gradient(&self.mean, &mut gradient);
        let size = self.mean.iter().fold(0.0, |size: f64, m| size.max(m.abs()));
        let slope: f64 = gradient.iter().map(|g| g.abs()).sum();
        let at_mean = f.value(&self.mean);
        Value { value: at_mean + 0.5 * trace, error: rounding * (at_mean.abs() + trace.abs() + slope * size) }
    }
}

/// The table of moments known at all record times, where each of `operations` in a row may add one
/// rounding.
pub(super) fn table(moments: &[ClosedMoments], observables: &Observables, operations: f64) -> Table {
    let rounding = operations * f64::EPSILON;
    let at = |function: &TestFunction| -> Option<Vec<Value>> {
        let values = moments
            .iter()
            .enumerate()
            .map(|(time, moments)| moments.expectation(function, observables, time, rounding));
        let values: Option<Vec<Value>> = values.collect();
        values.filter(|values| values.iter().all(|value| value.value.is_finite() && value.error.is_finite()))
    };
    observables.functions.iter().map(at).collect()
}
