//! Claim `coefficients`: at states along the run, `E[Δx]/η` is the drift of the SDE and `Cov[Δx]/η` its
//! diffusion covariance, one real `step` of the optimizer at a time.

mod difference;

use super::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide, detectable_beyond};
use super::finding::{Expectation, Finding, Verdict, Worst, terms};
use super::forecast::{Forecast, decided, rehearsal_seed, unseen_quantile};
use super::tables::{finite, finite_pair};
use super::{Progress, Setting};
use crate::agent::Scratch;
use crate::ensemble::{Paths, Process, accumulate, observed_pairs};
use crate::model::Model;
use crate::parameter::{Invalid, checked};
use crate::random::{Role, Stream, Streams};
use crate::scenario::Experiment;
use crate::sde;
use crate::stats::{Look, Looks, Series, student_quantile};
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::Range;
use std::time::Instant;

/// States at which coefficients are compared.
const STATES: usize = 4;

/// Paths of the optimizer from which states are drawn.
const PATHS_OF_STATES: u64 = 16;

/// Draws in a block: standard errors come from the means and covariances of blocks.
const DRAWS_IN_BLOCK: u64 = 256;

/// Draws that are made side by side.
const SIDE_BY_SIDE: u64 = 64;

/// Blocks of draws at the first look and at most, at each state.
const FIRST_BLOCKS: u64 = 64;
const MOST_BLOCKS: u64 = 4096;

/// Blocks that a forecast rehearses.
const REHEARSED_BLOCKS: u64 = 16;

const DEFAULT_MARGIN: f64 = 0.05;

/// Rounding of an increment `x_{k+1} − x_k`, relative to the size of the state.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// The claim, checked.
#[derive(Clone, Copy, Debug)]
pub struct Coefficients {
    /// Relative to the norm of the drift, and to the diffusion covariance: to the trace over d, or to
    /// `√(A_ii A_jj)` where that is more.
    margin: f64,
    pub(super) expect: Expectation,
}

/// `E[Δx]/η = b(x)` and `Cov[Δx]/η = A(x)`: at states along the run, one step Δx of the optimizer has the drift b and
/// the diffusion covariance A of the SDE. Part of every scenario whose noise allows it, named or not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// What is allowed, above 0: relative to ‖b‖ for the drift; for entry ij of A relative to the mean variance
    /// trace(A)/d, or to `√(A_ii A_jj)` where that is more.
    #[serde(default = "default_margin")]
    margin: f64,
    /// Whether the claim should hold.
    #[serde(default)]
    expect: Expectation,
}

fn default_margin() -> f64 {
    DEFAULT_MARGIN
}

impl Parameters {
    pub(super) fn new(expect: Expectation) -> Self {
        Self { margin: DEFAULT_MARGIN, expect }
    }

    pub(super) fn build(&self, setting: &Setting) -> Result<super::Claim, Invalid> {
        let model = setting.model;
        let margin = checked(
            "margin",
            self.margin,
            |margin| margin > 0.0 && margin <= 1.0,
            "a number above 0 and at most 1",
        )?;
        if !model.can_sample(1) {
            return Err(Invalid::new(
                "",
                format!(
                    "the mean of a step cannot be sampled: moments of the noise exist only below order {}; expected \
                     noise with dof of at least 4",
                    model.tail_index()
                ),
            ));
        }
        Ok(super::Claim::Coefficients(Coefficients { margin, expect: self.expect }))
    }
}

/// A state along the run, with the SDE's coefficients there.
struct State {
    x: Vec<f64>,
    time: f64,
    coefficients: sde::Coefficients,
    /// Expected occurrences of the rarest event of a step.
    rarest_event: f64,
}

impl State {
    fn at(model: &Model, x: &[f64], time: f64) -> Self {
        let mut coefficients = sde::Coefficients::new(x.len());
        model.sde.coefficients(x, &mut coefficients);
        Self { x: x.to_vec(), time, coefficients, rarest_event: model.rarest_event(x) }
    }

    /// Whether `draws` draws show every event of a step often enough for an honest interval.
    fn shows_its_events(&self, draws: u64) -> bool {
        self.rarest_event * draws as f64 >= EVENTS_FOR_AN_INTERVAL
    }

    fn drift_norm(&self) -> f64 {
        norm(&self.coefficients.drift)
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// An entry of drift or diffusion.
#[derive(Clone, Copy)]
enum Entry {
    Drift(usize),
    Diffusion(usize, usize),
}

impl Entry {
    /// All that a claim on this model can test: covariances need moments of twice the order.
    fn all(model: &Model) -> Vec<Entry> {
        let mut entries = Self::of_dimension(model.dimension());
        entries.retain(|entry| matches!(entry, Entry::Drift(_)) || model.can_sample(2));
        entries
    }

    fn of_dimension(d: usize) -> Vec<Entry> {
        let pairs = observed_pairs(d).into_iter().map(|(i, j)| Entry::Diffusion(i, j));
        (0..d).map(Entry::Drift).chain(pairs).collect()
    }

    fn name(self) -> String {
        match self {
            Entry::Drift(i) => format!("drift[{i}]"),
            Entry::Diffusion(i, j) => format!("diffusion[{i}][{j}]"),
        }
    }

    fn of_sde(self, coefficients: &sde::Coefficients) -> f64 {
        match self {
            Entry::Drift(i) => coefficients.drift[i],
            Entry::Diffusion(i, j) => coefficients.diffusion.entry(i, j),
        }
    }

    /// What is allowed, and what rounding alone can amount to.
    fn margin_and_rounding(self, state: &State, margin: f64, eta: f64) -> (f64, f64) {
        let rounding = ROUNDING * norm(&state.x);
        match self {
            Entry::Drift(_) => (margin * state.drift_norm(), rounding / eta),
            Entry::Diffusion(i, j) => {
                let diffusion = &state.coefficients.diffusion;
                let trace = diffusion.trace();
                let own = (diffusion.entry(i, i) * diffusion.entry(j, j)).max(0.0).sqrt();
                let scale = own.max(trace / state.x.len() as f64);
                let step = rounding + eta * state.drift_norm();
                (margin * scale, ROUNDING * (trace + step * step / eta) + rounding * rounding / eta)
            }
        }
    }
}

impl Default for Coefficients {
    fn default() -> Self {
        Self { margin: DEFAULT_MARGIN, expect: Expectation::Upheld }
    }
}

impl Coefficients {
    pub(super) fn judge(&self, experiment: &Experiment, progress: &dyn Progress) -> Finding {
        let model = &experiment.model;
        let seed = experiment.monte_carlo.seed;
        let error_rate = experiment.monte_carlo.error_rate;
        let entries = Entry::all(model);
        let states = self.states(model, seed);
        if states.is_empty() {
            return self.finding(experiment, Verdict::Inconclusive, None, 0, 0, 0);
        }
        let mut draws: Vec<Series> = vec![Series::default(); states.len()];
        for look in Looks::new(FIRST_BLOCKS, MOST_BLOCKS) {
            progress.announce((look.size - draws[0].count()) * states.len() as u64 * DRAWS_IN_BLOCK);
            for (index, (state, draws)) in states.iter().zip(&mut draws).enumerate() {
                let sampler =
                    Sampler { model, entries: &entries, seed, role: Role::Increments(index as u32) };
                sampler.extend(draws, state, draws.count()..look.size, progress);
            }
            let levels = Levels::new(error_rate, look, states.len() * entries.len());
            let gaps = self.gaps(&states, &draws, &entries, model.run.learning_rate, levels);
            let (verdict, worst) = decide(&gaps);
            if verdict != Verdict::Inconclusive || look.is_last {
                let worst = worst.map(|worst| {
                    let (state, entry) = (&states[worst / entries.len()], entries[worst % entries.len()]);
                    (state, entry, gaps[worst])
                });
                return self.finding(
                    experiment,
                    verdict,
                    worst,
                    look.size * DRAWS_IN_BLOCK,
                    look.number,
                    states.len(),
                );
            }
        }
        unreachable!("the last look decides")
    }

    /// Whether all draws make the intervals of the drift narrower than its margin: a draw of Δx/η has the variance A/η.
    fn is_within_reach(&self, state: &State, eta: f64) -> bool {
        /// About the quantile of the default error rate, over a few entries.
        const HALF_WIDTH: f64 = 6.0;
        let variance = state.coefficients.diffusion.largest_variance();
        let error = (variance / eta / (MOST_BLOCKS * DRAWS_IN_BLOCK) as f64).sqrt();
        let norm = state.drift_norm();
        norm > 0.0 && 2.0 * HALF_WIDTH * error <= self.margin * norm
    }

    /// The start, and states drawn from the record times of some paths with probability proportional to
    /// ‖drift‖²: a margin relative to ‖drift‖ asks for the more draws the smaller that is, and where all draws would not do
    /// the state is left out.
    fn states(&self, model: &Model, seed: u64) -> Vec<State> {
        let eta = model.run.learning_rate;
        let times = model.run.times();
        let process = model.optimizer_process(seed, Role::States);
        let mut block = process.start(0, PATHS_OF_STATES as usize);
        let mut candidates = Vec::new();
        for &time in &times[1..] {
            (0..model.run.every()).for_each(|_| block.advance());
            let paths = block.paths();
            let inside =
                (0..paths.count()).filter(|&path| !paths.exited()[path]).map(|path| paths.state(path));
            let finite = inside.filter(|x| x.iter().all(|x| x.is_finite()));
            candidates.extend(finite.map(|x| State::at(model, &x, time)));
        }
        let weight = |state: &State| {
            let norm = state.drift_norm();
            let shows_its_events = state.shows_its_events(MOST_BLOCKS * DRAWS_IN_BLOCK);
            let eligible = norm.is_finite() && shows_its_events && self.is_within_reach(state, eta);
            if eligible { norm * norm } else { 0.0 }
        };
        let mut stream = Stream::new(seed, Role::States, PATHS_OF_STATES);
        let mut states = vec![State::at(model, &model.run.start, 0.0)];
        while states.len() < STATES {
            let total: f64 = candidates.iter().map(weight).sum();
            let mut left = stream.uniform() * total;
            let drawn = candidates.iter().position(|candidate| {
                left -= weight(candidate);
                left < 0.0
            });
            match drawn {
                Some(index) => states.push(candidates.swap_remove(index)),
                None => break,
            }
        }
        let start = &states[0];
        let start_is_unfit = !start.shows_its_events(MOST_BLOCKS * DRAWS_IN_BLOCK)
            || (states.len() > 1 && !self.is_within_reach(start, eta));
        if start_is_unfit {
            states.remove(0);
        }
        states
    }

    /// What judging it is expected to take, from a rehearsal.
    pub(super) fn forecast(&self, experiment: &Experiment, progress: &dyn Progress) -> Forecast {
        let Experiment { model, monte_carlo, .. } = experiment;
        let begin = Instant::now();
        let entries = Entry::all(model);
        let states = self.states(model, monte_carlo.seed);
        let before = begin.elapsed().as_secs_f64();
        progress.announce(REHEARSED_BLOCKS * states.len() as u64 * DRAWS_IN_BLOCK);
        let begin = Instant::now();
        let rehearsed: Vec<Series> = (0..states.len())
            .map(|index| {
                let role = Role::Increments(index as u32);
                let sampler =
                    Sampler { model, entries: &entries, seed: rehearsal_seed(monte_carlo.seed), role };
                let mut draws = Series::default();
                sampler.extend(&mut draws, &states[index], 0..REHEARSED_BLOCKS, progress);
                draws
            })
            .collect();
        let per_block = begin.elapsed().as_secs_f64() / REHEARSED_BLOCKS as f64;
        let cells = states.len() * entries.len();
        let gaps = |look: Look| {
            let quantile = unseen_quantile(REHEARSED_BLOCKS, cells);
            let at_look = |(state, draws): (&State, &Series)| {
                let claimed = |index: usize| entries[index].of_sde(&state.coefficients);
                draws.extrapolated(look.size, claimed, quantile)
            };
            let draws: Vec<Series> = states.iter().zip(&rehearsed).map(at_look).collect();
            let levels = Levels::new(monte_carlo.error_rate, look, cells);
            Some(self.gaps(&states, &draws, &entries, model.run.learning_rate, levels))
        };
        let decided = decided(Looks::new(FIRST_BLOCKS, MOST_BLOCKS), gaps);
        let draws = decided.look.size * DRAWS_IN_BLOCK;
        let sample = format!("{draws} draws at each of {} states", states.len());
        decided.forecast("coefficients", draws, sample, before + per_block * decided.look.size as f64)
    }

    fn gaps(
        &self,
        states: &[State],
        draws: &[Series],
        entries: &[Entry],
        eta: f64,
        levels: Levels,
    ) -> Vec<Gap> {
        let dof = draws[0].degrees_of_freedom();
        let upheld = student_quantile(dof, levels.upheld);
        let refuted = student_quantile(dof, levels.refuted);
        let mut gaps = Vec::new();
        for (state, draws) in states.iter().zip(draws) {
            for (index, entry) in entries.iter().enumerate() {
                let estimate = draws.mean(index) - entry.of_sde(&state.coefficients);
                let (allowed, rounding) = entry.margin_and_rounding(state, self.margin, eta);
                let shows_its_events = state.shows_its_events(draws.count() * DRAWS_IN_BLOCK);
                let interval = |quantile: f64| {
                    if !shows_its_events {
                        return [f64::NEG_INFINITY, f64::INFINITY];
                    }
                    let [low, high] = draws.limits(index, quantile);
                    let claimed = entry.of_sde(&state.coefficients);
                    [low - claimed - rounding, high - claimed + rounding]
                };
                // A coefficient that is exactly zero is upheld by draws that differ from it by rounding.
                let margin = allowed + 4.0 * rounding;
                let budget = MOST_BLOCKS as f64 / draws.count() as f64;
                let detectable = margin + rounding + detectable_beyond(draws, index, refuted, budget);
                gaps.push(Gap {
                    estimate,
                    upheld: interval(upheld),
                    refuted: interval(refuted),
                    margin,
                    detectable,
                });
            }
        }
        gaps
    }

    fn finding(
        &self,
        experiment: &Experiment,
        verdict: Verdict,
        worst: Option<(&State, Entry, Gap)>,
        seeds: u64,
        looks: u32,
        states: usize,
    ) -> Finding {
        let draws = format!("{seeds} draws at each");
        let terms = terms(experiment.monte_carlo.error_rate, &draws, worst.map(|(_, _, gap)| gap));
        let tested = if experiment.model.can_sample(2) { "drift and diffusion are" } else { "the drift is" };
        let percent = 100.0 * self.margin;
        let place = worst.map(|(state, entry, gap)| {
            let claimed = entry.of_sde(&state.coefficients);
            format!(
                "{} at x = {} (t = {:.4}) is {claimed:.4e} in the SDE and {:.4e} in the optimizer",
                entry.name(),
                abridged(&state.x),
                state.time,
                claimed + gap.estimate
            )
        });
        let place = place.unwrap_or_default();
        let sentence = match verdict {
            Verdict::Upheld => format!(
                "one step at a time, {tested} the optimizer's within {percent} % at {states} state{} ({terms})",
                if states == 1 { "" } else { "s" }
            ),
            Verdict::Refuted => format!("{place}: off by more than {percent} % ({terms})"),
            Verdict::Inconclusive if worst.is_none() => format!(
                "undecided: nowhere along the run is the rarest event of a step (a sign against the gradient, a coordinate \
                 kept or dropped) frequent enough to be sampled; a start nearer to the minimum or more noise would make it so \
                 ({terms})"
            ),
            Verdict::Inconclusive => {
                format!(
                    "undecided within {percent} %: most is missing for {place}; a larger margin may decide it ({terms})"
                )
            }
        };
        let left_out = if experiment.model.can_sample(2) { Vec::new() } else { vec!["diffusion".to_owned()] };
        Finding {
            error_rate: experiment.monte_carlo.error_rate,
            seeds,
            looks,
            allowed: Some(format!("{} % of a coefficient", 100.0 * self.margin)),
            detectable_gap: worst.and_then(|(_, _, gap)| finite(gap.detectable)),
            assumes: vec!["block_means_gaussian".to_owned()],
            worst: worst.map(|(state, entry, gap)| {
                let interval = gap.interval(verdict);
                Worst {
                    function: entry.name(),
                    time: state.time,
                    state: Some(state.x.clone()),
                    estimate: finite(gap.estimate),
                    interval: finite_pair(interval),
                    margin: gap.margin,
                    integration: None,
                    sampling: finite((interval[1] - interval[0]) / 2.0),
                }
            }),
            left_out,
            ..Finding::exact("coefficients", self.expect, verdict, sentence)
        }
    }
}

/// The state, its first coordinates where it has many.
fn abridged(x: &[f64]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = x.iter().take(SHOWN).map(|x| format!("{x:.4}")).collect();
    format!("[{}{}]", shown.join(", "), if x.len() > SHOWN { ", …" } else { "" })
}

/// Draws of the optimizer's step at one state.
struct Sampler<'a> {
    model: &'a Model,
    entries: &'a [Entry],
    seed: u64,
    role: Role,
}

impl Sampler<'_> {
    /// Adds the blocks of draws `blocks` to `draws`.
    fn extend(&self, draws: &mut Series, state: &State, blocks: Range<u64>, progress: &dyn Progress) {
        push_blocks(draws, blocks, &|block| {
            let entries = self.block(&state.x, block);
            progress.tick(DRAWS_IN_BLOCK);
            entries
        });
    }

    /// The same with what these draws give more than those of another optimizer, on the same random numbers.
    fn extend_by_difference(
        &self,
        other: &Self,
        differences: &mut Series,
        state: &State,
        blocks: Range<u64>,
    ) {
        push_blocks(differences, blocks, &|block| {
            let (own, of_other) = (self.block(&state.x, block), other.block(&state.x, block));
            own.iter().zip(of_other).map(|(own, of_other)| own - of_other).collect()
        });
    }

    /// `E[Δx]/η` and `Cov[Δx]/η` over one block of draws, entry by entry, the covariance unbiased.
    fn block(&self, state: &[f64], block: u64) -> Vec<f64> {
        let d = state.len();
        let eta = self.model.run.learning_rate;
        let mut streams =
            Streams::new(self.seed, self.role, block * SIDE_BY_SIDE..(block + 1) * SIDE_BY_SIDE);
        let mut scratch = Scratch::default();
        let states = Paths::at(state, SIDE_BY_SIDE as usize);
        // Coordinate by coordinate, all draws of it.
        let mut increments = vec![Vec::with_capacity(DRAWS_IN_BLOCK as usize); d];
        for _ in 0..DRAWS_IN_BLOCK / SIDE_BY_SIDE {
            let mut x = states.states().to_vec();
            self.model.optimizer.step(&mut x, &mut streams, &mut scratch);
            for ((row, increments), before) in x.chunks_exact(states.count()).zip(&mut increments).zip(state)
            {
                increments.extend(row.iter().map(|after| after - before));
            }
        }
        let n = DRAWS_IN_BLOCK as f64;
        let mean: Vec<f64> = increments.iter().map(|increments| increments.iter().sum::<f64>() / n).collect();
        for (increments, mean) in increments.iter_mut().zip(&mean) {
            increments.iter_mut().for_each(|increment| *increment -= mean);
        }
        let covariance = |i: usize, j: usize| {
            let products = increments[i].iter().zip(&increments[j]).map(|(first, second)| first * second);
            products.sum::<f64>() / (n - 1.0)
        };
        self.entries
            .iter()
            .map(|&entry| match entry {
                Entry::Drift(i) => mean[i] / eta,
                Entry::Diffusion(i, j) => covariance(i, j) / eta,
            })
            .collect()
    }
}

/// Adds what `block` gives for each of `blocks`.
fn push_blocks(series: &mut Series, blocks: Range<u64>, block: &(dyn Fn(u64) -> Vec<f64> + Sync)) {
    let task = |range: Range<u64>| {
        let mut of_range = Series::default();
        range.for_each(|index| of_range.push(&block(index)));
        of_range
    };
    accumulate(blocks, task, |of_range| series.merge(of_range));
}
