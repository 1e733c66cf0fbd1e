//! What judging trajectories is expected to take.

use super::sampled::{Comparison, prepared};
use super::{Trajectory, exactly};
use crate::claim::Progress;
use crate::claim::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels};
use crate::claim::finding::{Finding, Verdict};
use crate::claim::forecast::{Forecast, decided, rehearsal_seed, unseen_quantile};
use crate::claim::intervals::Intervals;
use crate::claim::sampling::{Sampling, looks};
use crate::ensemble::{BLOCK, Estimates};
use crate::scenario::Experiment;
use crate::stats::{Look, Series};
use std::time::Instant;

/// Blocks of paths that are rehearsed.
const REHEARSED_BLOCKS: u64 = 16;

/// A forecast for each of the claims, which share their paths.
pub(in crate::claim) fn forecast(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    progress: &dyn Progress,
) -> Vec<(usize, Forecast)> {
    if claims.is_empty() {
        return Vec::new();
    }
    let begin = Instant::now();
    let unknown = if experiment.is_sampled {
        None
    } else {
        match exactly::judge(claims, experiment, progress) {
            Ok(compared) => {
                let seconds = begin.elapsed().as_secs_f64();
                let forecast =
                    |(index, finding): (usize, Finding)| (index, Forecast::of_exact(&finding, seconds));
                return compared.findings.into_iter().map(forecast).collect();
            }
            Err(unknown) => Some(unknown),
        }
    };
    prepared(claims, experiment, unknown, progress, |comparison, sampling| {
        let before = begin.elapsed().as_secs_f64();
        let rehearsal = Rehearsal::new(comparison, &sampling, progress);
        claims.iter().map(|&(index, claim)| (index, rehearsal.forecast(claim, before))).collect()
    })
}

struct Rehearsal<'a> {
    comparison: &'a Comparison<'a>,
    first_look: u64,
    sampling: Sampling<'a>,
    seconds_per_block: f64,
}

impl<'a> Rehearsal<'a> {
    fn new(comparison: &'a Comparison<'a>, sampling: &Sampling<'a>, progress: &dyn Progress) -> Self {
        let Sampling { model, observables, shadowing, seed, .. } = *sampling;
        let mut rehearsed = Sampling::new(model, observables, shadowing, rehearsal_seed(seed));
        let begin = Instant::now();
        rehearsed.extend(Look { number: 1, size: REHEARSED_BLOCKS, share: 1.0, is_last: true }, progress);
        let seconds_per_block = begin.elapsed().as_secs_f64() / REHEARSED_BLOCKS as f64;
        Self {
            comparison,
            first_look: comparison.first_look(sampling),
            sampling: rehearsed,
            seconds_per_block,
        }
    }

    fn forecast(&self, claim: &Trajectory, before: f64) -> Forecast {
        let decided =
            decided(looks(self.first_look, self.comparison.monte_carlo), |look| self.gaps(claim, look));
        let diverged = self.sampling.has_diverged();
        let seeds = decided.look.size * BLOCK as u64;
        let with_shadows = if self.sampling.shadowing.is_some() { " with linear shadows" } else { "" };
        let seconds = before + self.seconds_per_block * decided.look.size as f64;
        let sample = format!("{seeds} seeds{with_shadows}");
        let forecast = decided.forecast("trajectory", seeds, sample, seconds);
        if diverged { Forecast { verdict: Verdict::Refuted, ..forecast } } else { forecast }
    }

    /// The gaps that a look is expected to see.
    fn gaps(&self, claim: &Trajectory, look: Look) -> Option<Vec<Gap>> {
        let Comparison { monte_carlo, observables, ref margins, .. } = *self.comparison;
        let seeds = (look.size * BLOCK as u64) as f64;
        let events = self.sampling.events() * seeds / self.sampling.seeds() as f64;
        if claim.margin.is_relative() && events < EVENTS_FOR_AN_INTERVAL {
            return None;
        }
        let cells = observables.cells().count();
        let estimates = extrapolated(self.sampling.estimates(), look.size, cells);
        let levels = Levels::new(monte_carlo.error_rate, look, cells);
        let budget = (monte_carlo.max_seeds as f64 / seeds).max(1.0);
        let intervals = Intervals::new(&estimates, observables, levels, self.sampling.weak_order(), budget);
        Some(observables.cells().map(|index| intervals.gap(index, margins.of(claim.margin, index))).collect())
    }
}

/// What so many blocks are expected to give. A gap within what the rehearsal cannot see is none.
fn extrapolated(rehearsed: &Estimates, blocks: u64, cells: usize) -> Estimates {
    let own_mean = |series: &Series, count: u64| series.extrapolated(count, |index| series.mean(index), 0.0);
    let coarse = rehearsed.refinement.count() * blocks / rehearsed.gap.count();
    Estimates {
        optimizer: own_mean(&rehearsed.optimizer, blocks),
        sde: own_mean(&rehearsed.sde, blocks),
        gap: rehearsed.gap.extrapolated(blocks, |_| 0.0, unseen_quantile(REHEARSED_BLOCKS, cells)),
        refinement: own_mean(&rehearsed.refinement, coarse),
    }
}
