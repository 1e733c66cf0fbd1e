//! The three errors of a comparison, kept apart.

use super::tables::{MomentTables, finite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At each record time, each error in margins, the largest over all test functions; null where there is none, as
/// at t = 0, or where it is not finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Errors {
    /// What is tested: optimizer minus SDE, without its sign, as estimated.
    pub modelling: Vec<Option<f64>>,
    /// The limit of the SDE solver's own bias; of exact expectations 0.
    pub integration: Vec<Option<f64>>,
    /// What sampling leaves open: half of the interval's width without the integrator's part; of exact expectations
    /// their numerical error.
    pub sampling: Vec<Option<f64>>,
}

impl Errors {
    /// Those of all moments of a report.
    pub fn of(tables: &MomentTables) -> Self {
        let largest = |error: &dyn Fn(usize, usize) -> Option<f64>| -> Vec<Option<f64>> {
            let at = |time| {
                let in_margins = |function: usize| {
                    let ratio = error(function, time)? / tables.gap.margin[function][time]?;
                    // No margin at all is no unit.
                    finite(ratio)
                };
                (0..tables.functions.len()).filter_map(in_margins).max_by(f64::total_cmp)
            };
            (0..tables.times.len()).map(at).collect()
        };
        let bias = |function: usize, time: usize| tables.sde.integrator_bias[function][time];
        Self {
            modelling: largest(&|function, time| tables.gap.estimate[function][time].map(f64::abs)),
            integration: largest(&bias),
            sampling: largest(&|function, time| {
                let [low, high] = tables.gap.interval[function][time]?;
                // Where all paths agree, rounding may put half the width below the bias it is made of.
                Some(((high - low) / 2.0 - bias(function, time)?).max(0.0))
            }),
        }
    }
}
