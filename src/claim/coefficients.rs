//! Claim `coefficients`: at states along the run, `E[Δx]/η` is the drift of the SDE and `Cov[Δx]/η` its
//! diffusion covariance, one real `step` of the optimizer at a time.

mod difference;
mod entry;
mod sampler;
mod states;

use super::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide, detectable_beyond};
use super::finding::{Expectation, Finding, Verdict, Worst, terms};
use super::forecast::{Forecast, decided, rehearsal_seed, unseen_quantile};
use super::tables::{finite, finite_pair};
use super::{Progress, Setting};
use crate::parameter::{Invalid, checked};
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::{Look, Looks, Series, student_quantile};
use entry::{Entries, Entry};
use sampler::Sampler;
use schemars::JsonSchema;
use serde::Deserialize;
use states::State;
use std::time::Instant;

/// Draws in a block: standard errors come from the means and covariances of blocks.
const DRAWS_IN_BLOCK: u64 = 256;

/// Blocks of draws at the first look and at most, at each state.
const FIRST_BLOCKS: u64 = 64;
const MOST_BLOCKS: u64 = 4096;

/// Blocks that a forecast rehearses.
const REHEARSED_BLOCKS: u64 = 16;

const DEFAULT_MARGIN: f64 = 0.05;

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
    /// With this margin, or the default.
    pub(super) fn new(margin: Option<f64>, expect: Expectation) -> Self {
        Self { margin: margin.unwrap_or(DEFAULT_MARGIN), expect }
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

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
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
        let entries = Entries::of(model);
        let states = self.states(model, &entries, seed);
        if states.is_empty() {
            return self.finding(experiment, &entries, Verdict::Inconclusive, None, (0, 0), 0);
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
                    let state = &states[worst / entries.len()];
                    let entry = entries.list()[worst % entries.len()];
                    (state, entry, gaps[worst])
                });
                return self.finding(
                    experiment,
                    &entries,
                    verdict,
                    worst,
                    (look.size * DRAWS_IN_BLOCK, look.number),
                    states.len(),
                );
            }
        }
        unreachable!("the last look decides")
    }

    /// What judging it is expected to take, from a rehearsal.
    pub(super) fn forecast(&self, experiment: &Experiment, progress: &dyn Progress) -> Forecast {
        let Experiment { model, monte_carlo, .. } = experiment;
        let begin = Instant::now();
        let entries = Entries::of(model);
        let states = self.states(model, &entries, monte_carlo.seed);
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
                let claimed = |index: usize| entries.value(entries.list()[index], &state.coefficients, state);
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
        entries: &Entries,
        eta: f64,
        levels: Levels,
    ) -> Vec<Gap> {
        let dof = draws[0].degrees_of_freedom();
        let upheld = student_quantile(dof, levels.upheld);
        let refuted = student_quantile(dof, levels.refuted);
        let mut gaps = Vec::new();
        for (state, draws) in states.iter().zip(draws) {
            for (index, &entry) in entries.list().iter().enumerate() {
                let claimed = entries.value(entry, &state.coefficients, state);
                let estimate = draws.mean(index) - claimed;
                let (allowed, rounding) = entries.margin_and_rounding(entry, state, self.margin, eta);
                let shows_its_events = state.shows_its_events(draws.count() * DRAWS_IN_BLOCK);
                let interval = |quantile: f64| {
                    if !shows_its_events {
                        return [f64::NEG_INFINITY, f64::INFINITY];
                    }
                    let [low, high] = draws.limits(index, quantile);
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
        entries: &Entries,
        verdict: Verdict,
        worst: Option<(&State, Entry, Gap)>,
        (seeds, looks): (u64, u32),
        states: usize,
    ) -> Finding {
        let draws = format!("{seeds} draws at each");
        let terms = terms(experiment.monte_carlo.error_rate, &draws, worst.map(|(_, _, gap)| gap));
        let tested = if experiment.model.can_sample(2) { "drift and diffusion are" } else { "the drift is" };
        let percent = 100.0 * self.margin;
        let place = worst.map(|(state, entry, gap)| {
            let claimed = entries.value(entry, &state.coefficients, state);
            format!(
                "{} at x = {} (t = {:.4}) is {claimed:.4e} in the SDE and {:.4e} in the optimizer",
                entries.name(entry),
                abridged(&state.x),
                state.time,
                claimed + gap.estimate
            )
        });
        let place = place.unwrap_or_default();
        let sentence = match verdict {
            Verdict::Upheld => format!(
                "one step at a time{}, {tested} the optimizer's within {percent} % at {states} state{} ({terms})",
                entries.describe(),
                if states == 1 { "" } else { "s" }
            ),
            Verdict::Refuted => format!("{place}: off by more than {percent} % ({terms})"),
            Verdict::Inconclusive if worst.is_none() => format!(
                "undecided: nowhere along the run is the rarest event of a step (a sign against the gradient, a coordinate \
                 kept or dropped) frequent enough to be sampled; a start nearer to the minimum or more noise would make it so \
                 ({terms})"
            ),
            Verdict::Inconclusive => {
                let advice = if worst.is_some_and(|(_, _, gap)| gap.estimate.is_nan()) {
                    "steps from there are not finite; a start nearer to the minimum has finite ones"
                } else {
                    "a larger margin may decide it"
                };
                format!("undecided within {percent} %: most is missing for {place}; {advice} ({terms})")
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
                    function: entries.name(entry),
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
