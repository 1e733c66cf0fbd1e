//! Which moments moved beyond the joint error of both runs.

use super::super::Report;
use super::earlier::Earlier;
use super::joint_error::{JointError, Sample};
use crate::claim::MomentTables;
use crate::ensemble::TestFunction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Rounding of a mean of a million terms, relative to its size: each addition is off by at most 2⁻⁵³.
/// It counts only where all paths agree, or an exact value states no error; elsewhere it is far below the standard error.
const ROUNDING: f64 = 1.0 / (1u64 << 33) as f64;

/// Moments of both runs, side by side.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparedMoments {
    /// The probability of naming any of them although none moved: two-sided, simultaneous over processes, functions and
    /// times, at whichever look either run stopped.
    pub error_rate: f64,
    /// Values that both runs have, sampled means and exact expectations.
    pub compared: usize,
    /// Those of them that have not the same bits.
    pub differing: usize,
    /// Those that moved beyond the joint error, the farthest first.
    pub moved: Vec<Moved>,
    /// Test functions that the earlier run does not have.
    pub new_functions: Vec<String>,
    /// Test functions that only the earlier run has.
    pub gone_functions: Vec<String>,
    /// Whether record times are the same; otherwise those that both have are compared.
    pub same_times: bool,
}

/// A moment that moved.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Of which process.
    pub process: Process,
    /// Where the value comes from.
    pub source: Source,
    /// The test function.
    pub function: String,
    /// t.
    pub time: f64,
    /// Before; null where not finite.
    pub before: Option<f64>,
    /// Now; null where not finite.
    pub after: Option<f64>,
    /// The joint error: how far apart they may be; null where one is not finite.
    pub joint_error: Option<f64>,
}

/// Optimizer or SDE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// The optimizer.
    Optimizer,
    /// The SDE.
    Sde,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A mean over paths.
    Sampled,
    /// An exact expectation.
    Exact,
}

/// What one run says of the mean of a function at a time.
#[derive(Clone, Copy)]
struct Value {
    mean: Option<f64>,
    standard_error: Option<f64>,
    /// The limit of the integrator's bias; none where it cannot be told.
    bias: Option<f64>,
    /// An exact expectation with the bound of its error.
    exact: Option<(f64, f64)>,
}

impl Value {
    fn of(tables: &MomentTables, process: Process, row: usize, column: usize) -> Self {
        let at = |table: &[Vec<Option<f64>>]| table.get(row).and_then(|row| *row.get(column)?);
        let (table, bias) = match process {
            Process::Optimizer => (&tables.optimizer, Some(0.0)),
            Process::Sde => (&tables.sde.table, at(&tables.sde.integrator_bias)),
        };
        let exact = tables.exact.as_ref().and_then(|exact| {
            let (value, error) = match process {
                Process::Optimizer => (&exact.optimizer, &exact.optimizer_error),
                Process::Sde => (&exact.sde, &exact.sde_error),
            };
            let value = at(value.as_deref()?)?;
            Some((value, error.as_deref().and_then(at).unwrap_or(ROUNDING * value.abs())))
        });
        Self { mean: at(&table.mean), standard_error: at(&table.standard_error), bias, exact }
    }

    /// Whether nothing was drawn for the mean.
    fn is_exact(&self) -> bool {
        self.exact.is_some_and(|(value, _)| self.standard_error == Some(0.0) && self.mean == Some(value))
    }
}

/// What moved between the moments of both, where both have some.
pub(super) fn compare(
    earlier: &Earlier,
    report: &Report,
    same_seed: bool,
    error_rate: f64,
) -> Option<ComparedMoments> {
    let (before, after) = (earlier.moments.as_ref()?, report.moments.as_ref()?);
    let only_in = |one: &MomentTables, other: &MomentTables| -> Vec<String> {
        one.functions.iter().filter(|name| !other.functions.contains(name)).cloned().collect()
    };
    let places = places(before, after);
    let samples = [
        Sample::of(earlier.claims.iter().map(|claim| (&*claim.kind, claim.seeds, claim.looks))),
        Sample::of(report.claims.iter().map(|claim| (&*claim.kind, claim.seeds, claim.looks))),
    ];
    // Both processes at every place: Bonferroni. Holm names no first moment that this does not.
    let joint = JointError { samples, same_seed, error_rate: error_rate / (2 * places.len()).max(1) as f64 };
    let mut compared = ComparedMoments {
        error_rate,
        compared: 0,
        differing: 0,
        moved: Vec::new(),
        new_functions: only_in(after, before),
        gone_functions: only_in(before, after),
        same_times: before.times == after.times,
    };
    for place in &places {
        for process in [Process::Optimizer, Process::Sde] {
            let values = [
                Value::of(before, process, place.rows[0], place.columns[0]),
                Value::of(after, process, place.rows[1], place.columns[1]),
            ];
            let moment = |source| Moved {
                process,
                source,
                function: after.functions[place.rows[1]].clone(),
                time: after.times[place.columns[1]],
                before: None,
                after: None,
                joint_error: None,
            };
            if let [Some(one), Some(other)] = values.map(|value| value.exact) {
                let moved = Moved { before: Some(one.0), after: Some(other.0), ..moment(Source::Exact) };
                compared.add(Moved { joint_error: Some(one.1 + other.1), ..moved });
            }
            if values.iter().all(Value::is_exact) {
                continue;
            }
            let [one, other] = values.map(|value| value.mean);
            let joint_error = joint_error(&joint, &moment(Source::Sampled).function, values);
            compared.add(Moved { before: one, after: other, joint_error, ..moment(Source::Sampled) });
        }
    }
    compared.moved.sort_by(|one, other| other.distance().total_cmp(&one.distance()));
    Some(compared)
}

/// How far two sampled means may be apart; none where a standard error or the bias of the integrator is not known.
fn joint_error(joint: &JointError, function: &str, values: [Value; 2]) -> Option<f64> {
    let [one, other] = values;
    let (x, y) = (one.mean?, other.mean?);
    let bias = one.bias? + other.bias?;
    if function == TestFunction::Exit.to_string() && joint.counts_paths() {
        return Some(joint.of_probabilities([x, y]) + bias);
    }
    let errors = [one.standard_error?, other.standard_error?];
    let stated = values.iter().filter(|value| value.is_exact()).filter_map(|value| Some(value.exact?.1));
    Some(joint.of_means(errors) + bias + stated.sum::<f64>() + ROUNDING * x.abs().max(y.abs()))
}

/// A function and a time that both runs have: rows and columns before and after.
struct Place {
    rows: [usize; 2],
    columns: [usize; 2],
}

fn places(before: &MomentTables, after: &MomentTables) -> Vec<Place> {
    let both = |position: &dyn Fn(usize) -> Option<usize>, count: usize| -> Vec<[usize; 2]> {
        (0..count).filter_map(|index| Some([position(index)?, index])).collect()
    };
    let row = |index: usize| before.functions.iter().position(|name| *name == after.functions[index]);
    let column = |index: usize| before.times.iter().position(|time| *time == after.times[index]);
    let columns = both(&column, after.times.len());
    let rows = both(&row, after.functions.len());
    rows.iter().flat_map(|&rows| columns.iter().map(move |&columns| Place { rows, columns })).collect()
}

impl Moved {
    /// In joint errors.
    fn distance(&self) -> f64 {
        match (self.before, self.after, self.joint_error) {
            (Some(before), Some(after), Some(error)) => {
                let distance = (after - before).abs();
                if distance == 0.0 { 0.0 } else { distance / error }
            }
            _ => f64::INFINITY,
        }
    }
}

impl ComparedMoments {
    fn add(&mut self, moment: Moved) {
        let has_no_error = moment.joint_error.is_none() && moment.before.is_some() && moment.after.is_some();
        if has_no_error {
            return;
        }
        self.compared += 1;
        if moment.before.map(f64::to_bits) == moment.after.map(f64::to_bits) {
            return;
        }
        self.differing += 1;
        if moment.distance() > 1.0 {
            self.moved.push(moment);
        }
    }

    /// Functions and times that only one run has, in a line.
    pub(super) fn differing_shape(&self) -> Option<String> {
        let mut parts = Vec::new();
        for (names, what) in [(&self.new_functions, "new"), (&self.gone_functions, "gone")] {
            if !names.is_empty() {
                parts.push(format!("test functions that are {what}: {}", super::abridged(names)));
            }
        }
        if !self.same_times {
            parts.push("other record times".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let shown = |value: Option<f64>| value.map_or("not finite".to_owned(), |value| value.to_string());
        let process = if self.process == Process::Optimizer { "optimizer" } else { "SDE" };
        let source = if self.source == Source::Exact { ", exactly," } else { "" };
        let (before, after) = (shown(self.before), shown(self.after));
        write!(
            f,
            "{process}: E {}{source} at t = {:.4} moved from {before} to {after}",
            self.function, self.time
        )?;
        match self.joint_error {
            Some(error) => write!(f, ", joint error {error:.2e}"),
            None => Ok(()),
        }
    }
}
