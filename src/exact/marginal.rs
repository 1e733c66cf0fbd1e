//! What the law of one coordinate says of the test functions, where coordinates are independent.

use super::{Table, Value, larger};
use crate::ensemble::{Observables, TestFunction};

/// Rounding of a place that is found from the start x_0 in equal steps, relative to `|x| + |x_0|`; and of the gradient
/// there, which is that of a place as near.
const PLACE: f64 = 4.0 * f64::EPSILON;

/// Expectations of functions of one coordinate at one time.
#[derive(Clone, Debug)]
pub(super) struct Marginal {
    values: Vec<Value>,
    /// What the errors of the signs' probabilities may add to the error of each.
    of_signs: Vec<f64>,
}

/// How well a law is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accuracy {
    /// Of sums, relative to the sum of their absolute terms.
    pub rounding: f64,
    /// How many signs so far are drawn otherwise than by their right probabilities, in expectation. Each counts
    /// as much as later steps make of it, where they drive neighbouring paths apart.
    pub wrong_signs: f64,
    /// 2η/N, by which a sign that is drawn otherwise moves x.
    pub moved: f64,
}

const COORDINATE: usize = 0;
const SQUARE: usize = 1;
/// `(x − c)/√η`.
const DEVIATION: usize = 2;
/// `(x − c)²/η`.
const FLUCTUATION: usize = 3;
/// The term of a separable f.
const LOSS: usize = 4;
/// The bounded functions of this coordinate, in the order of the test functions.
const BOUNDED: usize = 5;

impl Marginal {
    /// Of coordinate `j` at record time `time` under a law of weights on points.
    pub fn new(
        observables: &Observables,
        j: usize,
        time: usize,
        points: &[f64],
        weights: &[f64],
        accuracy: Accuracy,
    ) -> Self {
        let Accuracy { rounding, wrong_signs, moved } = accuracy;
        let start = observables.flow[0][j];
        let expectation = |g: &dyn Fn(f64) -> f64| {
            let (mut sum, mut error, mut of_signs) = (0.0, 0.0, 0.0);
            for (&x, weight) in points.iter().zip(weights) {
                let change = |shift: f64| (g(x + shift) - g(x)).abs().max((g(x - shift) - g(x)).abs());
                sum += weight * g(x);
                error += weight.abs() * (rounding * g(x).abs() + change(PLACE * (x.abs() + start.abs())));
                of_signs += weight.abs() * change(moved);
            }
            (Value { value: sum, error }, wrong_signs * of_signs)
        };
        let (c, eta) = (observables.flow[time][j], observables.eta);
        let loss = |x| observables.objective.separable_term(j, x).unwrap_or(f64::NAN);
        let mut values = vec![
            expectation(&|x| x),
            expectation(&|x| x * x),
            expectation(&|x| (x - c) / eta.sqrt()),
            expectation(&|x| (x - c) * (x - c) / eta),
            expectation(&loss),
        ];
        values.extend(bounded(observables, j).map(|index| match &observables.functions[index] {
            TestFunction::Bounded(function) => expectation(&|x| function.value(x)),
            _ => unreachable!("chosen by `bounded`"),
        }));
        let (values, of_signs) = values.into_iter().unzip();
        Self { values, of_signs }
    }

    /// The values of the finer of two solutions, with the change from the coarser as their error.
    pub fn refined(coarse: &Self, fine: &Self) -> Self {
        let refined = |(coarse, fine): (&Value, &Value)| Value {
            value: fine.value,
            error: fine.error + (fine.value - coarse.value).abs(),
        };
        let values = coarse.values.iter().zip(&fine.values).map(refined).collect();
        Self { values, of_signs: fine.of_signs.clone() }
    }

    /// The largest change from a coarser to a finer solution beyond what rounding explains, absolute or relative to
    /// the value, whichever is less.
    pub fn largest_change(coarse: &Self, fine: &Self) -> f64 {
        let change = |(coarse, fine): (&Value, &Value)| {
            let unexplained = (fine.value - coarse.value).abs() - coarse.error - fine.error;
            larger(0.0, unexplained) / fine.value.abs().max(1.0)
        };
        coarse.values.iter().zip(&fine.values).map(change).fold(0.0, larger)
    }

    fn value(&self, which: usize) -> Value {
        let Value { value, error } = self.values[which];
        Value { value, error: error + self.of_signs[which] }
    }
}

/// Where the bounded functions of coordinate `j` stand among the test functions.
fn bounded(observables: &Observables, j: usize) -> impl Iterator<Item = usize> {
    observables.functions.iter().enumerate().filter_map(move |(index, function)| match function {
        TestFunction::Bounded(function) if function.argument().coordinate == j => Some(index),
        _ => None,
    })
}

/// `E[X Y] = E X · E Y`.
fn independent(x: Value, y: Value) -> Value {
    let error = x.value.abs() * y.error + y.value.abs() * x.error + x.error * y.error;
    Value { value: x.value * y.value, error }
}

fn sum(values: impl Iterator<Item = Value>) -> Value {
    values.fold(Value { value: 0.0, error: 0.0 }, |sum, term| Value {
        value: sum.value + term.value,
        error: sum.error + term.error,
    })
}

/// The table of independent coordinates, `marginals` by coordinate, then by record time.
pub(super) fn table(marginals: &[Vec<Marginal>], observables: &Observables) -> Table {
    let at = |index: usize, function: &TestFunction, time: usize| -> Option<Value> {
        let of = |j: usize, which: usize| marginals[j][time].value(which);
        match function {
            &TestFunction::Coordinate(i) => Some(of(i, COORDINATE)),
            &TestFunction::Product(i, j) if i == j => Some(of(i, SQUARE)),
            &TestFunction::Product(i, j) => Some(independent(of(i, COORDINATE), of(j, COORDINATE))),
            &TestFunction::Fluctuation(i, j) if i == j => Some(of(i, FLUCTUATION)),
            &TestFunction::Fluctuation(i, j) => Some(independent(of(i, DEVIATION), of(j, DEVIATION))),
            TestFunction::Loss => Some(sum((0..marginals.len()).map(|j| of(j, LOSS)))),
            TestFunction::Exit => None,
            TestFunction::Bounded(function) => {
                let j = function.argument().coordinate;
                let place = bounded(observables, j).position(|known| known == index)?;
                Some(of(j, BOUNDED + place))
            }
            projected => unreachable!("{projected} is sampled alone"),
        }
    };
    let row = |(index, function): (usize, &TestFunction)| {
        (0..observables.times()).map(|time| at(index, function, time)).collect()
    };
    observables.functions.iter().enumerate().map(row).collect()
}

/// The sharpest bounded function of coordinate `j`: its scale and its name.
pub(super) fn sharpest(observables: &Observables, j: usize) -> Option<(f64, String)> {
    let scale_and_name = |index: usize| match &observables.functions[index] {
        function @ TestFunction::Bounded(bounded) => (bounded.argument().scale, function.to_string()),
        _ => unreachable!("chosen by `bounded`"),
    };
    bounded(observables, j).map(scale_and_name).min_by(|a, b| a.0.total_cmp(&b.0))
}
