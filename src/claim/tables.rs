//! Moments of both processes, as reports give them.

use super::finding::Verdict;
use super::intervals::Intervals;
use crate::ensemble::{Moments, Observables};
use crate::stats::Series;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Moments of both processes as reports give them; tables are by function, then by time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MomentTables {
    /// t, 0 first.
    pub times: Vec<f64>,
    /// Names of the test functions.
    pub functions: Vec<String>,
    /// The optimizer.
    pub optimizer: Table,
    /// The SDE.
    pub sde: SdeTable,
    /// Optimizer minus SDE.
    pub gap: GapTable,
    /// Exact values, where they are known.
    pub exact: Option<()>,
    /// c at each time: the path about which fluctuations are measured.
    pub flow: Vec<Vec<f64>>,
}

/// Means with standard errors, by function, then by time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// null where not finite.
    pub mean: Vec<Vec<Option<f64>>>,
    /// null where not finite.
    pub standard_error: Vec<Vec<Option<f64>>>,
}

/// Means of the SDE, with the bias of its integrator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SdeTable {
    /// Of the finer integration.
    #[serde(flatten)]
    pub table: Table,
    /// The upper confidence limit of the integrator's own bias, by which intervals are widened.
    pub integrator_bias: Vec<Vec<Option<f64>>>,
}

/// Gaps with their intervals and margins.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GapTable {
    /// Optimizer minus SDE.
    pub estimate: Vec<Vec<Option<f64>>>,
    /// At the level of *upheld*.
    pub interval: Vec<Vec<Option<[f64; 2]>>>,
    /// null at t = 0, where both start alike.
    pub margin: Vec<Vec<Option<f64>>>,
}

impl Table {
    /// Of every observable of `series`, the sums of one process.
    pub fn new(series: &Series, observables: &Observables) -> Self {
        let table = |entry: &dyn Fn(usize) -> f64| {
            by_function(observables.functions.len(), observables.times(), |index| finite(entry(index)))
        };
        Self {
            mean: table(&|index| series.mean(index)),
            standard_error: table(&|index| series.standard_error(index)),
        }
    }

    /// Whether it has a row for each of so many functions, and a column for each time.
    pub fn has_shape(&self, functions: usize, times: usize) -> bool {
        let fits =
            |rows: &[Vec<Option<f64>>]| rows.len() == functions && rows.iter().all(|row| row.len() == times);
        fits(&self.mean) && fits(&self.standard_error)
    }
}

impl MomentTables {
    /// Whether all tables have a row for each function, and a column for each time.
    pub fn is_rectangular(&self) -> bool {
        fn fits<T>(tables: &MomentTables, rows: &[Vec<T>]) -> bool {
            rows.len() == tables.functions.len() && rows.iter().all(|row| row.len() == tables.times.len())
        }
        let (functions, times) = (self.functions.len(), self.times.len());
        self.optimizer.has_shape(functions, times)
            && self.sde.table.has_shape(functions, times)
            && fits(self, &self.sde.integrator_bias)
            && fits(self, &self.gap.estimate)
            && fits(self, &self.gap.interval)
            && fits(self, &self.gap.margin)
    }

    /// The tables at one look, with the margin of every index into the moments.
    pub(super) fn new(
        times: Vec<f64>,
        moments: &Moments,
        observables: &Observables,
        intervals: &Intervals,
        margin: impl Fn(usize) -> f64,
    ) -> Self {
        let records = times.len();
        let functions = observables.functions.len();
        let table =
            |entry: &dyn Fn(usize) -> f64| by_function(functions, records, |index| finite(entry(index)));
        Self {
            times,
            functions: observables.functions.iter().map(ToString::to_string).collect(),
            optimizer: Table::new(&moments.optimizer, observables),
            sde: SdeTable {
                table: Table::new(&moments.sde, observables),
                integrator_bias: table(&|index| intervals.bias(index, Verdict::Upheld)),
            },
            gap: GapTable {
                estimate: table(&|index| moments.gap.mean(index)),
                interval: by_function(functions, records, |index| {
                    finite_pair(intervals.gap(index, 0.0).upheld)
                }),
                margin: by_function(functions, records, |index| {
                    if index % records == 0 { None } else { finite(margin(index)) }
                }),
            },
            exact: None,
            flow: observables.flow.clone(),
        }
    }
}

/// Rows of `entry`, one a function, from an index that runs over the times of one function after another.
fn by_function<T>(functions: usize, times: usize, entry: impl Fn(usize) -> T) -> Vec<Vec<T>> {
    (0..functions).map(|function| (0..times).map(|time| entry(function * times + time)).collect()).collect()
}

/// The value where it is a number; reports have no NaN.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The interval where both of its limits are numbers.
pub(super) fn finite_pair(pair: [f64; 2]) -> Option<[f64; 2]> {
    (pair[0].is_finite() && pair[1].is_finite()).then_some(pair)
}
