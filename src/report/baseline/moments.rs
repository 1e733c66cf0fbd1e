//! Which moments moved beyond the joint error of both runs.

use super::super::Report;
use super::earlier::Earlier;
use crate::claim::MomentTables;
use crate::ensemble::{BLOCK, TestFunction};
use crate::stats::{clopper_pearson, student_quantile};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// Rounding of a mean of a million terms, relative to its size: each addition is off by at most 2⁻⁵³.
/// It counts only where all paths agree, or an exact value states no error; elsewhere it is far below the standard error.
const ROUNDING: f64 = 1.0 / (1u64 << 33) as f64;

/// Moments of both runs, side by side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// The optimizer.
    Optimizer,
    /// The SDE.
    Sde,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

/// How many paths a run drew for its means, and at which look it stopped.
#[derive(Clone, Copy)]
struct Sample {
    seeds: u64,
    look: u32,
}

impl Sample {
    /// Of the trajectories of a run. They share their paths, and the moments are those of the last look, at which the last
    /// of them was decided.
    fn of<'a>(claims: impl Iterator<Item = (&'a str, u64, u32)>) -> Self {
        let trajectories = claims.filter(|(kind, ..)| *kind == "trajectory");
        let samples = trajectories.map(|(_, seeds, look)| Self { seeds, look });
        samples.max_by_key(|sample| sample.seeds).unwrap_or(Self { seeds: 0, look: 0 })
    }

    fn degrees_of_freedom(self) -> f64 {
        self.seeds.div_ceil(BLOCK as u64) as f64 - 1.0
    }

    /// The share of an error rate for stopping at this look: Σ_k 1/(k(k+1)) = 1, so that it holds at whichever look a run stops.
    fn share(self) -> f64 {
        let look = f64::from(self.look.max(1));
        1.0 / (look * (look + 1.0))
    }
}

/// What two sampled means may be apart.
struct JointError {
    samples: [Sample; 2],
    same_seed: bool,
    /// Of one comparison.
    error_rate: f64,
}

impl JointError {
    /// Of two means with these standard errors.
    ///
    /// Means over different seeds are independent: t with the fewer degrees of freedom on the root of the sum of squares. Its
    /// level is no more than nominal. With variances in the ratio w : 1 − w a difference is beyond q such roots with probability
    /// `E φ(w A + (1 − w) B)`, where A and B are χ² over their degrees of freedom and `φ(a) = P[z² > q² a]` is
    /// convex; so it is at most the mean, by w, of the two-sided tails of both t, the heavier of which is that with fewer degrees
    /// of freedom. Means over the same seeds may depend on each other in any way; each is then within its own limit at half
    /// the level.
    fn of_means(&self, standard_errors: [f64; 2]) -> f64 {
        let quantile = |dof: f64, rate: f64| student_quantile(dof, rate / 2.0);
        if standard_errors.iter().all(|&error| error > 0.0) && !self.same_seed {
            let [before, after] = self.samples;
            let dof = before.degrees_of_freedom().min(after.degrees_of_freedom());
            let [s, t] = standard_errors;
            return quantile(dof, self.error_rate * before.share() * after.share()) * (s * s + t * t).sqrt();
        }
        let own = |(sample, error): (Sample, f64)| {
            // No paths of its own, or all agree.
            if error == 0.0 {
                return 0.0;
            }
            quantile(sample.degrees_of_freedom(), self.error_rate / 2.0 * sample.share()) * error
        };
        self.samples.into_iter().zip(standard_errors).map(own).sum()
    }

    /// Of two shares of paths, whatever they depend on: from each to that of its exact limits which faces the other. Limits hold
    /// where nothing was seen at all, too.
    fn of_probabilities(&self, probabilities: [f64; 2]) -> f64 {
        let limits = |run: usize| {
            let (sample, probability) = (self.samples[run], probabilities[run]);
            let seen = (probability * sample.seeds as f64).round() as u64;
            clopper_pearson(seen, sample.seeds, self.error_rate / 4.0 * sample.share())
        };
        let (less, more) = if probabilities[0] <= probabilities[1] { (0, 1) } else { (1, 0) };
        (limits(less).1 - probabilities[less]) + (probabilities[more] - limits(more).0)
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
        Sample::of(report.claims.iter().map(|claim| (claim.kind, claim.seeds, claim.looks))),
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
    if function == TestFunction::Exit.to_string() && joint.samples.iter().all(|sample| sample.seeds > 0) {
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
