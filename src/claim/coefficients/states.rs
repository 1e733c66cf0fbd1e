//! The states at which coefficients are compared.

use super::entry::Entries;
use super::{Coefficients, DRAWS_IN_BLOCK, EVENTS_FOR_AN_INTERVAL, MOST_BLOCKS, norm};
use crate::ensemble::Process;
use crate::model::Model;
use crate::random::{Role, Stream};
use crate::sde;

/// States at which coefficients are compared.
const STATES: usize = 4;

/// Paths of the optimizer from which states are drawn.
const PATHS_OF_STATES: u64 = 16;

/// A state along the run, with the SDE's coefficients there.
pub(super) struct State {
    pub x: Vec<f64>,
    pub time: f64,
    pub coefficients: sde::Coefficients,
    /// b̂, the direction of the drift; 0 where that is 0.
    pub direction: Vec<f64>,
    /// Expected occurrences of the rarest event of a step.
    rarest_event: f64,
}

impl State {
    pub fn at(model: &Model, x: &[f64], time: f64) -> Self {
        let mut coefficients = sde::Coefficients::new(x.len());
        model.sde.coefficients(x, &mut coefficients);
        let size = norm(&coefficients.drift);
        let direction = coefficients.drift.iter().map(|b| if size > 0.0 { b / size } else { 0.0 });
        Self {
            x: x.to_vec(),
            time,
            direction: direction.collect(),
            coefficients,
            rarest_event: model.rarest_event(x),
        }
    }

    /// Whether `draws` draws show every event of a step often enough for an honest interval.
    pub fn shows_its_events(&self, draws: u64) -> bool {
        self.rarest_event * draws as f64 >= EVENTS_FOR_AN_INTERVAL
    }

    pub fn drift_norm(&self) -> f64 {
        norm(&self.coefficients.drift)
    }
}

/// A state of a path at a record time, of which nothing is kept but this.
struct Candidate {
    record: usize,
    path: usize,
    weight: f64,
}

impl Coefficients {
    /// Whether all draws make the intervals of the drift narrower than its margin.
    fn is_within_reach(&self, entries: &Entries, state: &State, eta: f64) -> bool {
        /// About the quantile of the default error rate, over a few entries.
        const HALF_WIDTH: f64 = 6.0;
        let part = entries.largest_drift_error(state, self.margin, eta, MOST_BLOCKS);
        state.drift_norm() > 0.0 && 2.0 * HALF_WIDTH * part <= 1.0
    }

    /// The start, and states drawn from the record times of some paths with probability proportional to
    /// ‖drift‖²: a margin relative to ‖drift‖ asks for the more draws the smaller that is, and where all draws would not do
    /// the state is left out.
    pub(super) fn states(&self, model: &Model, entries: &Entries, seed: u64) -> Vec<State> {
        let eta = model.run.learning_rate;
        let mut candidates = Vec::new();
        along_paths(model, seed, model.run.records, |record, path, state| {
            let norm = state.drift_norm();
            let shows_its_events = state.shows_its_events(MOST_BLOCKS * DRAWS_IN_BLOCK);
            let eligible = norm.is_finite() && shows_its_events && self.is_within_reach(entries, &state, eta);
            let weight = if eligible { norm * norm } else { 0.0 };
            candidates.push(Candidate { record, path, weight });
        });
        let mut stream = Stream::new(seed, Role::States, PATHS_OF_STATES);
        let mut drawn: Vec<Candidate> = Vec::new();
        while drawn.len() + 1 < STATES {
            let total: f64 = candidates.iter().map(|candidate| candidate.weight).sum();
            let mut left = stream.uniform() * total;
            let next = candidates.iter().position(|candidate| {
                left -= candidate.weight;
                left < 0.0
            });
            match next {
                Some(index) => drawn.push(candidates.swap_remove(index)),
                None => break,
            }
        }
        let start = State::at(model, &model.run.start, 0.0);
        let start_is_unfit = !start.shows_its_events(MOST_BLOCKS * DRAWS_IN_BLOCK)
            || (!drawn.is_empty() && !self.is_within_reach(entries, &start, eta));
        let start = (!start_is_unfit).then_some(start);
        start.into_iter().chain(revisited(model, seed, &drawn)).collect()
    }
}

/// Runs the paths from which states are drawn, and hands each that is inside and finite to `see` at each of the first
/// `records` record times.
fn along_paths(model: &Model, seed: u64, records: usize, mut see: impl FnMut(usize, usize, State)) {
    let times = model.run.times();
    let process = model.optimizer_process(seed, Role::States);
    let mut block = process.start(0, PATHS_OF_STATES as usize);
    for (record, &time) in times.iter().enumerate().take(records + 1).skip(1) {
        (0..model.run.every()).for_each(|_| block.advance());
        let paths = block.paths();
        for path in (0..paths.count()).filter(|&path| !paths.exited()[path]) {
            let x = paths.state(path);
            if x.iter().all(|x| x.is_finite()) {
                see(record, path, State::at(model, &x, time));
            }
        }
    }
}

/// The states that were drawn, in that order, from the same paths once more: in a large dimension all that could have
/// been drawn would not fit into memory.
fn revisited(model: &Model, seed: u64, drawn: &[Candidate]) -> Vec<State> {
    let mut states: Vec<Option<State>> = drawn.iter().map(|_| None).collect();
    let last = drawn.iter().map(|candidate| candidate.record).max().unwrap_or(0);
    along_paths(model, seed, last, |record, path, state| {
        let place = drawn.iter().position(|candidate| candidate.record == record && candidate.path == path);
        if let Some(place) = place {
            states[place] = Some(state);
        }
    });
    states.into_iter().flatten().collect()
}
