//! Hard tests of the linear shadow: what its controls are said to be 0 of is 0, and it moves no mean away from
//! where plain sampling has it. Where they fail, the declared moments are not those of the steps.

use super::contradiction::{Contradiction, FALSE_ALARM};
use super::tables::finite;
use crate::ensemble::{Estimates, Linearization, Observables, Shadowed};
use crate::stats::{Series, student_quantile};

/// A rounding floor, relative to the largest deviation of a quantity over time.
const ROUNDING: f64 = 1e-12;

/// All of `E z = 0`, `E[z zᵀ − q] = 0` and `E controlled = E raw` that the paths contradict, with a probability
/// of any false alarm of [`FALSE_ALARM`].
pub(super) fn contradicted(
    raw: &Estimates,
    shadowed: &Shadowed,
    observables: &Observables,
    linearization: &Linearization,
) -> Vec<Contradiction> {
    let times = observables.times();
    let cells = shadowed.optimizer.len() + observables.functions.len() * times;
    let level = FALSE_ALARM / (4 * cells) as f64;
    let mut found = Vec::new();
    for (process, sums, plain, controlled) in [
        ("optimizer", &shadowed.optimizer, &raw.optimizer, &shadowed.estimates.optimizer),
        ("sde", &shadowed.sde, &raw.sde, &shadowed.estimates.sde),
    ] {
        let quantile = student_quantile(sums.degrees_of_freedom(), level);
        let contradiction =
            |function: String, time: usize, sampled: f64, exact: f64, explained: f64| Contradiction {
                process,
                function,
                time: observables.record_times[time],
                sampled: finite(sampled),
                exact,
                explained: finite(explained),
            };
        let size = sums.len() / times;
        for quantity in 0..size {
            let index = |time: usize| time * size + quantity;
            let floor = ROUNDING * largest_deviation(sums, (0..times).map(index));
            for time in 0..times {
                let mean = sums.mean(index(time));
                let explained = quantile * sums.standard_error(index(time)) + floor;
                // What is not a number explains nothing.
                let is_explained = mean.abs() <= explained;
                if !is_explained {
                    let name = name(quantity, observables.flow[0].len(), linearization.pairs());
                    found.push(contradiction(name, time, mean, 0.0, explained));
                }
            }
        }
        for (function, test_function) in observables.functions.iter().enumerate() {
            for time in 0..times {
                let index = function * times + time;
                let errors = plain.standard_error(index) + controlled.standard_error(index);
                let size = plain.mean(index).abs() + controlled.mean(index).abs();
                let explained = quantile * errors + ROUNDING * size;
                let is_explained = (controlled.mean(index) - plain.mean(index)).abs() <= explained;
                if !is_explained {
                    let name = format!("{test_function}, controlled");
                    let (sampled, plain) = (controlled.mean(index), plain.mean(index));
                    found.push(contradiction(name, time, sampled, plain, explained));
                }
            }
        }
    }
    found
}

fn largest_deviation(series: &Series, indices: impl Iterator<Item = usize>) -> f64 {
    indices.map(|index| series.standard_deviation(index)).fold(0.0, f64::max)
}

fn name(quantity: usize, dimension: usize, pairs: &[(usize, usize)]) -> String {
    match quantity.checked_sub(dimension) {
        None => format!("z[{quantity}]"),
        Some(pair) => {
            let (i, j) = pairs[pair];
            format!("z[{i}]*z[{j}]-q[{i},{j}]")
        }
    }
}
