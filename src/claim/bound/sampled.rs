//! A loss bound by sampling: means over paths, each with limits at the level of the verdict.

use super::{Bound, Comparison};
use crate::claim::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide_one_sided, detectable_beyond};
use crate::claim::finding::{EXACT_EXPECTATIONS, Finding, Verdict, terms};
use crate::claim::intervals::{Level, ROUNDING};
use crate::claim::sampling::{Sampling, Simulated, looks};
use crate::claim::{Progress, Side};
use crate::ensemble::Observables;
use crate::scenario::{Experiment, MonteCarlo};
use crate::stats::Look;

/// Judges the claim on paths, for which there is a `reason`.
pub(super) fn judge(
    bound: &Bound,
    experiment: &Experiment,
    observables: &Observables,
    reason: String,
    progress: &dyn Progress,
) -> (Finding, Simulated) {
    let Experiment { model, monte_carlo, .. } = experiment;
    let mut sampling = Sampling::new(model, observables, None, monte_carlo.seed);
    let mut finding = None;
    for look in looks(monte_carlo.first_look(), monte_carlo) {
        sampling.extend(look, progress);
        let at_look = at_look(bound, &sampling, monte_carlo, look);
        let is_decided = at_look.verdict != Verdict::Inconclusive;
        finding = Some(Finding { sampled_because: Some(reason.clone()), ..at_look });
        if is_decided {
            break;
        }
    }
    (finding.expect("there is always a look"), sampling.simulated())
}

fn at_look(bound: &Bound, sampling: &Sampling, monte_carlo: &MonteCarlo, look: Look) -> Finding {
    let observables = sampling.observables;
    let comparison = compared(bound, sampling, monte_carlo, look);
    let trouble = trouble(bound, sampling);
    let (comparison, trouble) = match trouble {
        None => (comparison, None),
        Some((verdict, sentence)) => (Comparison { verdict, worst: None, ..comparison }, Some(sentence)),
    };
    let worst = comparison.worst.map(|worst| comparison.gaps[worst]);
    let terms = terms(monte_carlo.error_rate, &sampling.describe(), worst);
    let finding = bound.finding(observables, &comparison, trouble, &terms);
    let of_integrator = (bound.process == Side::Sde).then_some("integrator_bias_extrapolated");
    let of_paths = ["block_means_gaussian"].into_iter().chain(of_integrator).map(str::to_owned);
    let of_landscape = finding.assumes.iter().filter(|assumed| *assumed != EXACT_EXPECTATIONS).cloned();
    Finding {
        error_rate: monte_carlo.error_rate,
        seeds: sampling.seeds(),
        looks: look.number,
        assumes: of_paths.chain(of_landscape).collect(),
        ..finding
    }
}

fn compared(bound: &Bound, sampling: &Sampling, monte_carlo: &MonteCarlo, look: Look) -> Comparison {
    let (observables, estimates) = (sampling.observables, sampling.estimates());
    let times = observables.times();
    let levels = Levels::one_sided(monte_carlo.error_rate, look, times - 1);
    let [upheld, refuted] =
        [levels.upheld, levels.refuted].map(|tail| Level::new(tail, estimates, sampling.weak_order()));
    let budget = (monte_carlo.max_seeds as f64 / sampling.seeds() as f64).max(1.0);
    let (series, has_bias) = match bound.process {
        Side::Optimizer => (&estimates.optimizer, false),
        Side::Sde => (&estimates.sde, true),
    };
    let minimum = bound.known.minimum;
    let wider = |level: &Level, index: usize| {
        let bias = if has_bias { level.bias(estimates, times, index) } else { 0.0 };
        bias + ROUNDING * (series.mean(index).abs() + minimum.abs())
    };
    let interval = |level: &Level, index: usize| {
        let ([low, high], wider) = (series.limits(index, level.sampling), wider(level, index));
        [low - minimum - wider, high - minimum + wider]
    };
    let gap = |index: usize| {
        let margin = bound.allowed(observables.record_times[index]);
        let beyond = detectable_beyond(series, index, refuted.sampling, budget) + wider(&refuted, index);
        Gap {
            estimate: series.mean(index) - minimum,
            upheld: interval(&upheld, index),
            refuted: interval(&refuted, index),
            margin,
            detectable: margin + beyond,
        }
    };
    let gaps: Vec<Gap> = (1..times).map(gap).collect();
    let (verdict, worst) = decide_one_sided(&gaps);
    let level = if verdict == Verdict::Refuted { &refuted } else { &upheld };
    let integration = (1..times).map(|index| wider(level, index)).collect();
    Comparison { gaps, integration, verdict, worst }
}

/// What leaves no bound to speak of.
fn trouble(bound: &Bound, sampling: &Sampling) -> Option<(Verdict, String)> {
    let process = bound.process;
    let non_finite = match process {
        Side::Optimizer => sampling.non_finite().optimizer,
        Side::Sde => sampling.non_finite().sde,
    };
    if non_finite > 0 {
        let sentence = format!(
            "diverged: {non_finite} of the {} paths of {process} are not finite, so that E f does not exist",
            sampling.seeds()
        );
        return Some((Verdict::Refuted, sentence));
    }
    sampling.has_rare_events().then(|| {
        let sentence = format!(
            "undecided: the rarest event of a step (a sign against the gradient, a coordinate kept or dropped) is \
             expected {:.1e} times before the first record, and an honest interval needs {EVENTS_FOR_AN_INTERVAL}",
            sampling.events()
        );
        (Verdict::Inconclusive, sentence)
    })
}
