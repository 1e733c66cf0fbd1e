//! Moments of both processes, as reports give them.

use super::decision::Gap;
use super::finding::Verdict;
use super::intervals::Intervals;
use crate::ensemble::{Estimates, Moments, Observables};
use crate::exact::{self, Exact, Unknown, Value};
use crate::stats::Series;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Exact expectations, where any are known.
    pub exact: Option<ExactTables>,
    /// What linear shadows gained, where paths carried them.
    #[serde(default)]
    pub shadow: Option<ShadowTables>,
    /// c at each time: the path about which fluctuations are measured; null where not finite.
    #[serde(deserialize_with = "nan_where_null")]
    pub flow: Vec<Vec<f64>>,
}

fn nan_where_null<'de, D: Deserializer<'de>>(path: D) -> Result<Vec<Vec<f64>>, D::Error> {
    let path: Vec<Vec<Option<f64>>> = Deserialize::deserialize(path)?;
    let state = |state: Vec<Option<f64>>| state.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect();
    Ok(path.into_iter().map(state).collect())
}

/// Exact expectations by function, then by time; null where one is not known.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExactTables {
    /// Of the optimizer.
    pub optimizer: Option<Vec<Vec<Option<f64>>>>,
    /// Bounds of their numerical errors.
    pub optimizer_error: Option<Vec<Vec<Option<f64>>>>,
    /// Why they are not known.
    pub optimizer_unknown: Option<String>,
    /// Of the SDE.
    pub sde: Option<Vec<Vec<Option<f64>>>>,
    /// Bounds of their numerical errors.
    pub sde_error: Option<Vec<Vec<Option<f64>>>>,
    /// Why they are not known.
    pub sde_unknown: Option<String>,
}

/// What linear shadows gained.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShadowTables {
    /// The variance of the gap without the controls over that with them; null where there is none.
    pub variance_ratio: Vec<Vec<Option<f64>>>,
    /// The median of them.
    pub median: Option<f64>,
    /// The least of them.
    pub least: Option<f64>,
}

impl ShadowTables {
    /// Of a run with linear shadows.
    pub(super) fn new(moments: &Moments, observables: &Observables) -> Option<Self> {
        let controlled = &moments.shadowed.as_ref()?.estimates.gap;
        let ratio = |index| {
            let [raw, left] = [&moments.raw.gap, controlled].map(|gap| gap.standard_deviation(index));
            let ratio = (raw / left) * (raw / left);
            finite(ratio)
        };
        let variance_ratio = Shape::of(observables).table(ratio);
        let mut ratios: Vec<f64> = variance_ratio.iter().flatten().flatten().copied().collect();
        ratios.sort_by(f64::total_cmp);
        Some(Self {
            median: ratios.get(ratios.len() / 2).copied(),
            least: ratios.first().copied(),
            variance_ratio,
        })
    }
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

    /// Of exact expectations, all of which are known; they have no sampling error.
    pub fn exact(known: &exact::Table, observables: &Observables) -> Self {
        let mean = ExactTables::values(known, observables.times(), |value| value.value);
        let standard_error = mean.iter().map(|row| vec![Some(0.0); row.len()]).collect();
        Self { mean, standard_error }
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
            && self
                .exact
                .iter()
                .flat_map(|exact| [&exact.optimizer, &exact.sde])
                .flatten()
                .all(|table| fits(self, table))
    }

    /// The tables at one look, with the margin of every index into the moments.
    pub(super) fn sampled(
        estimates: &Estimates,
        observables: &Observables,
        intervals: &Intervals,
        margin: impl Fn(usize) -> f64,
    ) -> Self {
        let shape = Shape::of(observables);
        Self {
            optimizer: Table::new(&estimates.optimizer, observables),
            sde: SdeTable {
                table: Table::new(&estimates.sde, observables),
                integrator_bias: shape.table(|index| finite(intervals.bias(index, Verdict::Upheld))),
            },
            gap: GapTable {
                estimate: shape.table(|index| finite(estimates.gap.mean(index))),
                interval: shape.table(|index| finite_pair(intervals.gap(index, 0.0).upheld)),
                margin: shape.margins(margin),
            },
            ..Self::empty(observables)
        }
    }

    /// The tables of exact expectations, all of which are known, with the gap at every index. They have no
    /// sampling error.
    pub(super) fn exact(
        observables: &Observables,
        optimizer: &exact::Table,
        sde: &exact::Table,
        gap: impl Fn(usize) -> Gap,
    ) -> Self {
        let shape = Shape::of(observables);
        let none = || shape.table(|_| Some(0.0));
        let table = |known| Table::exact(known, observables);
        Self {
            optimizer: table(optimizer),
            sde: SdeTable { table: table(sde), integrator_bias: none() },
            gap: GapTable {
                estimate: shape.table(|index| finite(gap(index).estimate)),
                interval: shape.table(|index| finite_pair(gap(index).upheld)),
                margin: shape.margins(|index| gap(index).margin),
            },
            exact: Some(ExactTables::of(Ok(optimizer), Ok(sde), observables.times())),
            ..Self::empty(observables)
        }
    }

    fn empty(observables: &Observables) -> Self {
        let none = || Table { mean: Vec::new(), standard_error: Vec::new() };
        Self {
            times: observables.record_times.clone(),
            functions: observables.functions.iter().map(ToString::to_string).collect(),
            optimizer: none(),
            sde: SdeTable { table: none(), integrator_bias: Vec::new() },
            gap: GapTable { estimate: Vec::new(), interval: Vec::new(), margin: Vec::new() },
            exact: None,
            shadow: None,
            flow: observables.flow.clone(),
        }
    }
}

impl ExactTables {
    /// Of what is known; none where nothing is.
    pub(super) fn new(exact: &Exact, times: usize) -> Option<Self> {
        let is_known = exact.optimizer.is_ok() || exact.sde.is_ok();
        is_known.then(|| Self::of(exact.optimizer.as_ref(), exact.sde.as_ref(), times))
    }

    fn of(
        optimizer: Result<&exact::Table, &Unknown>,
        sde: Result<&exact::Table, &Unknown>,
        times: usize,
    ) -> Self {
        let values = |known: &exact::Table| Self::values(known, times, |value| value.value);
        let errors = |known: &exact::Table| Self::values(known, times, |value| value.error);
        Self {
            optimizer: optimizer.ok().map(values),
            optimizer_error: optimizer.ok().map(errors),
            optimizer_unknown: optimizer.err().map(ToString::to_string),
            sde: sde.ok().map(values),
            sde_error: sde.ok().map(errors),
            sde_unknown: sde.err().map(ToString::to_string),
        }
    }

    fn values(known: &exact::Table, times: usize, part: fn(&Value) -> f64) -> Vec<Vec<Option<f64>>> {
        let row = |row: &Option<Vec<Value>>| match row {
            None => vec![None; times],
            Some(row) => row.iter().map(|value| finite(part(value))).collect(),
        };
        known.iter().map(row).collect()
    }
}

/// So many functions at so many times.
struct Shape {
    functions: usize,
    times: usize,
}

impl Shape {
    fn of(observables: &Observables) -> Self {
        Self { functions: observables.functions.len(), times: observables.times() }
    }

    fn table<T>(&self, entry: impl Fn(usize) -> Option<T>) -> Vec<Vec<Option<T>>> {
        by_function(self.functions, self.times, entry)
    }

    /// null at t = 0, where both start alike.
    fn margins(&self, margin: impl Fn(usize) -> f64) -> Vec<Vec<Option<f64>>> {
        self.table(|index| if index.is_multiple_of(self.times) { None } else { finite(margin(index)) })
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
