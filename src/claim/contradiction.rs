//! Samples that contradict exact expectations: then itocheck itself is wrong, in one or the other.

use super::intervals::Level;
use super::tables::finite;
use crate::ensemble::{BLOCK, Estimates, Observables};
use crate::exact::{Exact, Table};
use crate::stats::Series;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The probability of any false alarm of one test in one run, over all expectations of both processes.
pub(super) const FALSE_ALARM: f64 = 1e-9;

/// Where the SDE with m and with 2m steps differs by more than this of its mean, the steps are too long to
/// tell the bias of the integrator, and its mean contradicts nothing: e^{-10} integrated with steps of 1/4
/// and 1/8 is off by 1.7 times what the two differ by, with steps of 1 and 1/2 by 46 times.
const SHORT_STEPS: f64 = 0.1;

/// By how much more than extrapolated the bias may be before the two are said to contradict each other:
/// where a mean does not decay, its steps may be long unseen. An allowance, no bound: 1.2 times was met with
/// a minimiser away from 0.
const LENIENCY: f64 = 4.0;

/// A sampled mean that is farther from the exact expectation than sampling, the bias of the integrator and
/// numerical errors explain.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Contradiction {
    /// `optimizer` or `sde`.
    pub process: String,
    /// The test function.
    pub function: String,
    /// t.
    pub time: f64,
    /// The mean over the paths.
    pub sampled: Option<f64>,
    /// The exact expectation.
    pub exact: f64,
    /// The largest difference that is explained.
    pub explained: Option<f64>,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { process, function, time, sampled, exact, explained } = self;
        let number =
            |value: Option<f64>| value.map_or("not finite".to_owned(), |value| format!("{value:.6e}"));
        write!(
            f,
            "E {function} at t = {time:.4} of the {process} is {} by its paths and {exact:.6e} \
             exactly; a difference of {} is explained",
            number(*sampled),
            number(*explained)
        )
    }
}

/// All contradictions between samples and exact expectations, with a probability of any false alarm of
/// `false_alarm`.
pub(super) fn contradictions(
    estimates: &Estimates,
    observables: &Observables,
    exact: &Exact,
    weak_order: u32,
    false_alarm: f64,
) -> Vec<Contradiction> {
    let cells = observables.functions.len() * observables.times();
    let level = Level::new(false_alarm / (4 * cells) as f64, estimates, weak_order);
    let bias = |index| {
        let is_short =
            estimates.refinement.mean(index).abs() <= SHORT_STEPS * estimates.sde.mean(index).abs();
        if is_short { LENIENCY * level.bias(estimates, observables.times(), index) } else { f64::INFINITY }
    };
    let mut found = Vec::new();
    if let Ok(table) = &exact.optimizer {
        found.extend(of_process("optimizer", &estimates.optimizer, table, observables, &level, |_| 0.0));
    }
    if let Ok(table) = &exact.sde {
        found.extend(of_process("sde", &estimates.sde, table, observables, &level, bias));
    }
    found
}

fn of_process(
    process: &'static str,
    sampled: &Series,
    table: &Table,
    observables: &Observables,
    level: &Level,
    bias: impl Fn(usize) -> f64,
) -> Vec<Contradiction> {
    let times = observables.times();
    // What so few paths do not meet that they may all miss it has at most this probability. Far more than rounding.
    let paths = (sampled.count() * BLOCK as u64) as f64;
    let unseen = -libm::log(level.tail) / paths;
    let mut found = Vec::new();
    for (function, row) in table.iter().enumerate() {
        let Some(row) = row else { continue };
        let largest = row.iter().map(|exact| exact.value.abs()).fold(0.0, f64::max);
        for (time, exact) in row.iter().enumerate() {
            let index = function * times + time;
            // Paths that all agree show no sampling error: what they did not meet may be rare, or rounding.
            if sampled.standard_error(index) == 0.0 {
                continue;
            }
            let unseen = largest * unseen;
            let explained =
                unseen + level.sampling * sampled.standard_error(index) + bias(index) + exact.error;
            let difference = (sampled.mean(index) - exact.value).abs();
            // What is not a number explains nothing.
            if difference <= explained {
                continue;
            }
            let (function, time) = observables.place(index);
            found.push(Contradiction {
                process: process.to_owned(),
                function,
                time,
                sampled: finite(sampled.mean(index)),
                exact: exact.value,
                explained: finite(explained),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
