//! Expectations at stationarity: exact ones after a burn-in that is doubled until they change no more, or averages
//! over the time after a burn-in and over paths.

use super::decision::Gap;
use super::finding::terms;
use super::intervals::{ROUNDING, bias};
use super::relaxation::Relaxation;
use super::sampling::Simulated;
use super::{NonFinite, Progress, Side};
use crate::ensemble::{BLOCK, Observables, TestFunction, TimeAverages, Window};
use crate::exact::{Unknown, Value, expectations};
use crate::model::{Model, Run};
use crate::random::Role;
use crate::stats::{Look, student_quantile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How often the burn-in may be doubled.
const DOUBLINGS: u32 = 8;

/// The change over a doubling that is none, relative to the size of a function.
const UNCHANGED: f64 = 1e-7;

/// The change that is still an error, where a longer run takes too much work.
const NEARLY: f64 = 1e-3;

/// By how much a function grows over a doubling that has no rest.
const GROWN: f64 = 1e3;

/// Records of a window, and how many of them fall into one relaxation time, the inverse of the spectral gap.
const RECORDS: usize = 80;
const RECORDS_IN_RELAXATION: f64 = 4.0;

/// One block in so many measures the bias of the integrator.
const COARSE_EVERY: u64 = 4;

/// When a law is taken to be stationary, and how long it is then averaged over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// How fast mean and deviation of the process forget where they began, per unit of time; null at the end of a run.
    pub spectral_gap: Option<f64>,
    /// The time before the first record: that of the drift's flow to where it vanishes, within 1e-3 of a deviation,
    /// and 6.9 over the spectral gap.
    pub burn_in: f64,
    /// The time that is averaged over; 0 for exact expectations.
    pub window: f64,
}

/// Why there are no exact expectations.
enum Lacking {
    /// They are not known.
    Known(Unknown),
    /// They never settle: moments grow, as those of an unstable process do.
    Rest,
    /// They are not settled after so many steps.
    Time(usize),
}

/// What is known of expectations late in a run of one process.
pub(super) struct LongRun<'a> {
    model: &'a Model,
    side: Side,
    seed: u64,
    observables: Observables,
    window: Window,
    /// None at the end of a run, which need not be at rest.
    spectral_gap: Option<f64>,
    exact: Result<Vec<Value>, Lacking>,
    averages: TimeAverages,
}

impl<'a> LongRun<'a> {
    /// Expectations of `functions` at stationarity, exact where they can be had and paths are not asked for.
    pub fn at_rest(
        model: &'a Model,
        side: Side,
        functions: Vec<TestFunction>,
        relaxation: &Relaxation,
        seed: u64,
        is_sampled: bool,
    ) -> Self {
        let eta = model.run.learning_rate;
        let gap = relaxation.gap(side);
        let window = gap.map_or(Window { burn_in: 0, every: 1, records: 1 }, |gap| Window {
            burn_in: relaxation.burn_in(gap),
            every: libm::ceil(1.0 / (RECORDS_IN_RELAXATION * gap * eta)) as usize,
            records: RECORDS,
        });
        let exact = match gap {
            None => Err(Lacking::Rest),
            Some(_) if is_sampled => asked_for(),
            Some(_) => exactly(model, side, &functions, relaxation, window.burn_in),
        };
        let observables = observables(model, functions, &relaxation.point, 1);
        let spectral_gap = Some(gap.unwrap_or(0.0));
        let averages = TimeAverages::default();
        Self { model, side, seed, observables, window, spectral_gap, exact, averages }
    }

    /// The expected loss at the end of the run of `model`.
    pub fn at_end(model: &'a Model, side: Side, seed: u64, is_sampled: bool) -> Self {
        let window = Window { burn_in: model.run.steps, every: 0, records: 1 };
        let exact = if is_sampled { asked_for() } else { exactly_at_end(model, side) };
        let observables = observables(model, vec![TestFunction::Loss], &model.run.start, 1);
        let averages = TimeAverages::default();
        Self { model, side, seed, observables, window, spectral_gap: None, exact, averages }
    }

    /// Whether it takes paths.
    pub fn is_sampled(&self) -> bool {
        matches!(self.exact, Err(Lacking::Known(_)))
    }

    /// Why it takes paths; none where it does not.
    pub fn reason(&self) -> Option<&Unknown> {
        match &self.exact {
            Err(Lacking::Known(unknown)) => Some(unknown),
            Ok(_) | Err(Lacking::Rest | Lacking::Time(_)) => None,
        }
    }

    /// Why nothing can be said, though expectations are exact: they are not settled after so many steps.
    pub fn unsettled(&self) -> Option<String> {
        match self.exact {
            Err(Lacking::Time(steps)) => {
                Some(format!("exact expectations of {} are not settled after {steps} steps", self.side))
            }
            _ => None,
        }
    }

    /// The names of the functions.
    pub fn functions(&self) -> &[TestFunction] {
        &self.observables.functions
    }

    /// When it is looked at.
    pub fn schedule(&self) -> Schedule {
        let eta = self.model.run.learning_rate;
        let Window { burn_in, every, records } = self.window;
        let averaged = if self.is_sampled() { ((records - 1) * every) as f64 * eta } else { 0.0 };
        Schedule { spectral_gap: self.spectral_gap, burn_in: burn_in as f64 * eta, window: averaged }
    }

    /// Simulates as many blocks as the look has, where paths are needed.
    pub fn extend(&mut self, look: Look, progress: &dyn Progress) {
        if !self.is_sampled() {
            return;
        }
        let window = self.window;
        let range = self.averages.averages.count()..look.size;
        let steps = (BLOCK * window.steps()) as u64;
        progress.announce((range.end - range.start) * steps);
        let tick = || progress.tick(steps);
        let Self { model, seed, ref observables, ref mut averages, .. } = *self;
        match self.side {
            Side::Optimizer => {
                let process = model.optimizer_process(seed, Role::Optimizer);
                averages.extend(&process, observables, window, range, &tick);
            }
            Side::Sde => {
                let process = model.sde_process(seed, Role::Sde, COARSE_EVERY);
                averages.extend(&process, observables, window, range, &tick);
            }
        }
    }

    /// Whether it has no rest: exact moments grow without end, or some path is not finite.
    pub fn has_diverged(&self) -> bool {
        self.averages.non_finite > 0 || matches!(self.exact, Err(Lacking::Rest))
    }

    /// Paths.
    pub fn seeds(&self) -> u64 {
        self.averages.averages.count() * BLOCK as u64
    }

    /// The expectation of a function.
    pub fn estimate(&self, index: usize) -> f64 {
        match &self.exact {
            Ok(values) => values[index].value,
            Err(Lacking::Known(_)) => self.averages.averages.mean(index),
            Err(Lacking::Rest | Lacking::Time(_)) => f64::INFINITY,
        }
    }

    /// Its interval, either limit of which is missed with probability at most `tail`.
    pub fn interval(&self, index: usize, tail: f64) -> [f64; 2] {
        let wider = self.integration(index, tail);
        match &self.exact {
            Ok(values) => [values[index].value - wider, values[index].value + wider],
            Err(Lacking::Rest | Lacking::Time(_)) => [f64::NEG_INFINITY, f64::INFINITY],
            Err(Lacking::Known(_)) => {
                let averages = &self.averages.averages;
                // The other half of the tail is for what the bias of the integrator may be.
                let quantile = student_quantile(averages.degrees_of_freedom(), tail / 2.0);
                let [low, high] = averages.limits(index, quantile);
                [low - wider, high + wider]
            }
        }
    }

    /// What of half the interval's width is numerical: errors of exact expectations, or the integrator's bias.
    pub fn integration(&self, index: usize, tail: f64) -> f64 {
        match &self.exact {
            Ok(values) => return values[index].error,
            Err(Lacking::Rest | Lacking::Time(_)) => return f64::INFINITY,
            Err(Lacking::Known(_)) => {}
        }
        let TimeAverages { averages, refinement, .. } = &self.averages;
        let rounding = ROUNDING * averages.mean(index).abs();
        match self.side {
            Side::Optimizer => rounding,
            Side::Sde => {
                let quantile = student_quantile(refinement.degrees_of_freedom(), tail / 2.0);
                let weak_order = self.model.run.scheme.weak_order();
                rounding + bias(refinement, std::iter::once(index), quantile, weak_order)
            }
        }
    }

    /// What a verdict rests on besides the draws.
    pub fn assumes(&self) -> Vec<String> {
        let is_at_rest = self.spectral_gap.is_some();
        let of_paths = ["block_means_gaussian"].into_iter();
        let of_paths = of_paths.chain(is_at_rest.then_some("stationary_after_burn_in"));
        let of_integrator = (self.side == Side::Sde).then_some("integrator_bias_extrapolated");
        of_paths.chain(of_integrator).map(str::to_owned).collect()
    }

    /// What stands in brackets behind a sentence.
    pub fn terms(&self, error_rate: f64, worst: Option<Gap>) -> String {
        if self.is_sampled() {
            let over_time = if self.spectral_gap.is_some() { ", averaged over time" } else { "" };
            terms(error_rate, &format!("{} seeds{over_time}", self.seeds()), worst)
        } else {
            format!("exact expectations, without a seed; itocheck {}", env!("CARGO_PKG_VERSION"))
        }
    }

    /// Independent draws that would tell as much of each function; none for exact expectations.
    pub fn effective_sample_size(&self, index: usize) -> Option<f64> {
        self.is_sampled().then(|| self.averages.effective_sample_size(index))
    }

    /// What was simulated.
    pub fn simulated(&self) -> Simulated {
        let non_finite = match self.side {
            Side::Optimizer => NonFinite { optimizer: self.averages.non_finite, sde: 0 },
            Side::Sde => NonFinite { optimizer: 0, sde: self.averages.non_finite },
        };
        let path_steps = self.seeds() * self.window.steps() as u64;
        Simulated { contradictions: Vec::new(), non_finite, path_steps }
    }
}

/// Why the expectations of `functions`, which grow like ‖x‖², can neither be had exactly nor sampled.
pub(super) fn refusal(
    model: &Model,
    side: Side,
    functions: &[TestFunction],
    relaxation: &Relaxation,
    is_sampled: bool,
) -> Option<String> {
    if model.can_sample(2) {
        return None;
    }
    let unknown = if is_sampled {
        None
    } else {
        let burn_in = relaxation.burn_in(relaxation.gap(side)?);
        match exactly(model, side, functions, relaxation, burn_in) {
            Ok(_) | Err(Lacking::Rest | Lacking::Time(_)) => return None,
            Err(Lacking::Known(unknown)) => Some(unknown.to_string()),
        }
    };
    let tail = format!(
        "only moments of order below {:.3} exist under this noise, compression and learning rate, and an honest interval \
         needs order 8",
        model.tail_index()
    );
    Some(match unknown {
        None => format!("{tail}; expected lighter tails, or no [monte_carlo] where expectations are exact"),
        Some(unknown) => format!("{tail}, while {unknown}; expected lighter tails"),
    })
}

/// Why the loss at the end of a run can neither be had exactly nor sampled.
pub(super) fn refusal_at_end(model: &Model, is_sampled: bool) -> Option<String> {
    if model.can_sample(model.agents.objective().growth()) {
        return None;
    }
    let is_unknown = |side| matches!(exactly_at_end(model, side), Err(Lacking::Known(_)));
    let needs_paths = is_sampled || [Side::Optimizer, Side::Sde].into_iter().any(is_unknown);
    needs_paths.then(|| {
        format!(
            "only moments of order below {:.3} exist under this noise, compression and learning rate: the mean loss cannot \
             be sampled with an honest interval; expected lighter tails, or no [monte_carlo] where it is exact",
            model.tail_index()
        )
    })
}

/// `functions` at so many times, about the point where the drift vanishes.
fn observables(model: &Model, functions: Vec<TestFunction>, point: &[f64], times: usize) -> Observables {
    Observables {
        functions,
        flow: vec![point.to_vec(); times],
        record_times: vec![f64::INFINITY; times],
        eta: model.run.learning_rate,
        objective: Arc::clone(model.agents.objective()),
        projections: None,
    }
}

fn asked_for() -> Result<Vec<Value>, Lacking> {
    Err(Lacking::Known(Unknown::because("paths are asked for")))
}

/// All rows of the expectations of one side.
fn rows(model: &Model, side: Side, observables: &Observables) -> Result<Vec<Vec<Value>>, Lacking> {
    let table = side.table(expectations(model, observables)).map_err(Lacking::Known)?;
    let rows: Option<Vec<Vec<Value>>> = table.into_iter().collect();
    // Two moments give all functions that are asked for, unless they are not finite.
    rows.ok_or(Lacking::Rest)
}

fn exactly_at_end(model: &Model, side: Side) -> Result<Vec<Value>, Lacking> {
    let run = Run { records: 1, ..model.run.clone() };
    let model = Model { run, ..model.clone() };
    let observables = observables(&model, vec![TestFunction::Loss], &model.run.start, 2);
    let rows = rows(&model, side, &observables)?;
    Ok(vec![rows[0][1]])
}

/// Exact expectations at the end of a burn-in that is doubled until they change no more.
fn exactly(
    model: &Model,
    side: Side,
    functions: &[TestFunction],
    relaxation: &Relaxation,
    burn_in: usize,
) -> Result<Vec<Value>, Lacking> {
    let mut steps = burn_in;
    let mut nearly = None;
    for _ in 0..DOUBLINGS {
        let run = Run { steps: 2 * steps, records: 2, ..model.run.clone() };
        let longer = Model { run, ..model.clone() };
        let observables = observables(&longer, functions.to_vec(), &relaxation.point, 3);
        let rows = match rows(&longer, side, &observables) {
            // Where a longer run takes too much work, what is left of the change is an error.
            Err(Lacking::Known(unknown)) => return nearly.ok_or(Lacking::Known(unknown)),
            rows => rows?,
        };
        let of_each = rows.iter().zip(functions);
        let change = |(row, function): (&Vec<Value>, &TestFunction)| {
            let size = row[2].value.abs() + scale(function, model, relaxation);
            (row[2].value - row[1].value).abs() / size
        };
        let is_within = |most: f64| of_each.clone().map(change).all(|change| change <= most);
        let grows = |(row, function): (&Vec<Value>, &TestFunction)| {
            row[2].value.abs() > GROWN * (row[1].value.abs() + scale(function, model, relaxation))
        };
        if of_each.clone().any(grows) {
            return Err(Lacking::Rest);
        }
        let at_rest = |row: &Vec<Value>| Value {
            value: row[2].value,
            error: row[2].error + (row[2].value - row[1].value).abs(),
        };
        let values: Vec<Value> = rows.iter().map(at_rest).collect();
        if is_within(UNCHANGED) {
            return Ok(values);
        }
        nearly = is_within(NEARLY).then_some(values);
        steps *= 2;
    }
    nearly.ok_or(Lacking::Time(steps))
}

/// How large a function is whose expectation may be 0.
fn scale(function: &TestFunction, model: &Model, relaxation: &Relaxation) -> f64 {
    let deviations = &relaxation.deviations;
    match *function {
        TestFunction::Coordinate(i) => deviations[i],
        TestFunction::Fluctuation(i, j) => deviations[i] * deviations[j] / model.run.learning_rate,
        _ => 0.0,
    }
}
