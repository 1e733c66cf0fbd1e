//! Trajectories by sampling: both processes over many paths, with intervals that hold at the level of the
//! verdict.

use super::margins::{Margins, allowed};
use super::{Compared, Trajectory};
use crate::claim::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide};
use crate::claim::finding::{Finding, Verdict, Worst, all, terms};
use crate::claim::gates::Distrust;
use crate::claim::intervals::Intervals;
use crate::claim::pilot::{Deviations, Pilot};
use crate::claim::sampling::{ASKED_FOR, Sampling, looks};
use crate::claim::tables::{ExactTables, MomentTables, ShadowTables, finite};
use crate::claim::{NonFinite, Progress};
use crate::ensemble::Observables;
use crate::exact::Unknown;
use crate::scenario::{Experiment, MonteCarlo};
use crate::stats::Look;
use std::collections::BTreeMap;

/// Judges the claims on the same paths; `unknown` is what they would need for exact expectations, where nobody
/// asked for paths.
pub(super) fn judge(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    unknown: Option<Unknown>,
    progress: &dyn Progress,
) -> Compared {
    prepared(claims, experiment, unknown, progress, |comparison, sampling| {
        comparison.judge(claims, sampling, progress)
    })
}

/// What `then` makes of the claims' comparison, before any path of it is drawn.
pub(super) fn prepared<T>(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    unknown: Option<Unknown>,
    progress: &dyn Progress,
    then: impl FnOnce(&Comparison, Sampling) -> T,
) -> T {
    let Experiment { model, monte_carlo, .. } = experiment;
    let functions = model.functions();
    let observables = model.observables(functions.tested);
    let tolerance = |index: usize, [_, of_sde]: &Deviations| {
        let margin = |(_, claim): &(usize, &Trajectory)| allowed(&observables, of_sde, claim.margin, index);
        claims.iter().map(margin).fold(f64::INFINITY, smaller)
    };
    let (margins, shadowing) = match Pilot::run(model, monte_carlo, &observables, &tolerance, progress) {
        None => (Margins::new(claims, experiment, &observables, progress), None),
        Some(Pilot { deviations: [_, of_sde], shadowing }) => {
            (Margins::of_deviations(&observables, of_sde), shadowing)
        }
    };
    let sampling = Sampling::new(model, &observables, shadowing.as_ref(), monte_carlo.seed);
    // Where paths are asked for, they may be needed all the same.
    let unknown = unknown.or_else(|| sampling.exact.clone().complete(&observables.functions).err());
    let comparison = Comparison {
        monte_carlo,
        reason: unknown.map_or_else(|| ASKED_FOR.to_owned(), |unknown| unknown.to_string()),
        observables: &observables,
        margins,
        left_out: functions.left_out.iter().map(ToString::to_string).collect(),
    };
    then(&comparison, sampling)
}

/// The smaller of two; NaN where one is, unlike [`f64::min`].
fn smaller(a: f64, b: f64) -> f64 {
    if a <= b || a.is_nan() { a } else { b }
}

/// Everything but the draws.
pub(super) struct Comparison<'a> {
    pub monte_carlo: &'a MonteCarlo,
    /// Why paths are compared, and not expectations.
    pub reason: String,
    pub observables: &'a Observables,
    pub margins: Margins<'a>,
    pub left_out: Vec<String>,
}

/// What a look has seen, and what that rests on.
pub(super) struct Evidence<'a> {
    /// What was compared, in words.
    pub sample: String,
    pub seeds: u64,
    pub non_finite: NonFinite,
    pub assumes: Vec<String>,
    /// Expected occurrences of the rarest event of a step before the first record; infinite where that is not known.
    pub events: f64,
    /// Why nothing may be decided on the linear shadow.
    pub distrust: Option<&'a Distrust>,
    /// Where more paths come from.
    pub more_paths: &'static str,
}

impl<'a> Evidence<'a> {
    fn of(sampling: &'a Sampling) -> Self {
        Self {
            sample: sampling.describe(),
            seeds: sampling.seeds(),
            non_finite: sampling.non_finite(),
            assumes: sampling.assumes(),
            events: sampling.events(),
            distrust: sampling.distrust.as_ref(),
            more_paths: "more paths (max_seeds)",
        }
    }

    fn has_rare_events(&self) -> bool {
        self.events < EVENTS_FOR_AN_INTERVAL
    }

    fn has_diverged(&self) -> bool {
        self.non_finite.optimizer + self.non_finite.sde > 0
    }
}

impl Comparison<'_> {
    fn judge(
        &self,
        claims: &[(usize, &Trajectory)],
        mut sampling: Sampling,
        progress: &dyn Progress,
    ) -> Compared {
        let monte_carlo = self.monte_carlo;
        let mut findings = BTreeMap::new();
        let mut last = None;
        for look in looks(self.first_look(&sampling), monte_carlo) {
            sampling.extend(look, progress);
            let levels = Levels::new(monte_carlo.error_rate, look, self.observables.cells().count());
            let budget = (monte_carlo.max_seeds as f64 / sampling.seeds() as f64).max(1.0);
            let (estimates, weak_order) = (sampling.estimates(), sampling.weak_order());
            let intervals = Intervals::new(estimates, self.observables, levels, weak_order, budget);
            for &(index, claim) in claims {
                // What was decided on a shadow that is no longer trusted is withdrawn.
                if (sampling.distrust.is_some() || !findings.contains_key(&index))
                    && let Some(finding) = self.finding(claim, &Evidence::of(&sampling), &intervals, look)
                {
                    progress.decided(index, &finding);
                    findings.insert(index, finding);
                }
            }
            last = Some((levels, budget));
            if findings.len() == claims.len() {
                break;
            }
        }
        let tables = last.map(|(levels, budget)| {
            let estimates = sampling.estimates();
            let intervals =
                Intervals::new(estimates, self.observables, levels, sampling.weak_order(), budget);
            let margin = |index| self.margins.of(claims[0].1.margin, index);
            let tables = MomentTables::sampled(estimates, self.observables, &intervals, margin);
            MomentTables {
                exact: ExactTables::new(&sampling.exact, self.observables.times()),
                shadow: ShadowTables::new(&sampling.moments, self.observables),
                ..tables
            }
        });
        Compared { findings, moments: tables, simulated: sampling.simulated() }
    }

    pub fn first_look(&self, sampling: &Sampling) -> u64 {
        let monte_carlo = self.monte_carlo;
        match (monte_carlo.seeds, sampling.shadowing) {
            (None, Some(shadowing)) => shadowing.seeds.min(monte_carlo.first_look()),
            _ => monte_carlo.first_look(),
        }
    }

    /// The finding, or none where another look should decide.
    pub fn finding(
        &self,
        claim: &Trajectory,
        evidence: &Evidence,
        intervals: &Intervals,
        look: Look,
    ) -> Option<Finding> {
        let cells: Vec<usize> = self.observables.cells().collect();
        let rare = evidence.has_rare_events();
        let too_rare = rare && claim.margin.is_relative();
        let is_distrusted = evidence.distrust.is_some();
        let (verdict, worst) = if evidence.has_diverged() {
            (Verdict::Refuted, None)
        } else if too_rare || is_distrusted {
            (Verdict::Inconclusive, None)
        } else {
            let gaps: Vec<Gap> = cells
                .iter()
                .map(|&index| intervals.gap(index, self.margins.of(claim.margin, index)))
                .collect();
            let (verdict, worst) = decide(&gaps);
            (verdict, worst.map(|worst| (cells[worst], gaps[worst])))
        };
        if verdict == Verdict::Inconclusive && !look.is_last && !is_distrusted {
            return None;
        }
        let mut assumes = evidence.assumes.clone();
        if claim.margin.is_relative() {
            assumes.push("pilot_deviations".to_owned());
        } else if rare {
            assumes.push("rare_events_negligible".to_owned());
        }
        let sentence = self.sentence(claim, verdict, worst, evidence, intervals);
        Some(Finding {
            error_rate: self.monte_carlo.error_rate,
            seeds: evidence.seeds,
            looks: look.number,
            allowed: Some(claim.margin.describe()),
            detectable_gap: worst.and_then(|(_, gap)| finite(gap.detectable)),
            assumes,
            sampled_because: Some(self.reason.clone()),
            worst: worst.map(|(index, gap)| {
                let (function, time) = self.observables.place(index);
                Worst::of_gap(function, time, gap, verdict, intervals.bias(index, verdict))
            }),
            left_out: self.left_out.clone(),
            ..Finding::exact("trajectory", claim.expect, verdict, sentence)
        })
    }

    fn sentence(
        &self,
        claim: &Trajectory,
        verdict: Verdict,
        worst: Option<(usize, Gap)>,
        evidence: &Evidence,
        intervals: &Intervals,
    ) -> String {
        let functions = all(self.observables.functions.len(), "test function");
        let times = all(self.observables.times() - 1, "time");
        let terms = terms(self.monte_carlo.error_rate, &evidence.sample, worst.map(|(_, gap)| gap));
        let margin = claim.margin.describe();
        let place = worst.map(|(index, gap)| gap.describe(&self.observables.place(index)));
        let place = place.unwrap_or_default();
        let left_out = match self.left_out.len() {
            0 => String::new(),
            count => format!(" ({count} more have no moments to sample)"),
        };
        match verdict {
            Verdict::Inconclusive if let Some(distrust) = evidence.distrust => {
                format!("undecided: {} ({terms})", distrust.reason())
            }
            Verdict::Upheld => format!(
                "the SDE tracks the optimizer within {margin} for {functions}{left_out} at {times} ({terms})"
            ),
            Verdict::Refuted if worst.is_none() => format!(
                "diverged: {} of the optimizer's and {} of the SDE's {} paths are not finite, so that moments do not \
                 exist ({terms})",
                evidence.non_finite.optimizer, evidence.non_finite.sde, evidence.seeds
            ),
            Verdict::Refuted => {
                format!("the SDE does not track the optimizer within {margin}: {place} ({terms})")
            }
            Verdict::Inconclusive if worst.is_none() => format!(
                "undecided: the rarest event of a step (a sign against the gradient, a coordinate kept or dropped) is \
                 expected {:.1e} times before the first record, and an honest interval needs {EVENTS_FOR_AN_INTERVAL}; \
                 an absolute margin does not ({terms})",
                evidence.events
            ),
            Verdict::Inconclusive => {
                let remedy = worst.map(|(index, gap)| {
                    let bias = [intervals.bias(index, verdict), intervals.seen_bias(index)];
                    remedy(gap, bias, evidence.more_paths)
                });
                let remedy = remedy.unwrap_or_default();
                format!(
                    "undecided within {margin}: most is missing for {place}; {remedy} may decide it ({terms})"
                )
            }
        }
    }
}

/// What would narrow the interval of a gap, where the bias of the integrator is so much of it, and so much of that was seen.
fn remedy(gap: Gap, [bias, seen]: [f64; 2], more_paths: &str) -> String {
    let [low, high] = gap.upheld;
    // NaN too is a bias that cannot be told.
    if bias < (high - low) / 4.0 {
        format!("{more_paths} or a larger margin")
    } else if seen < bias / 4.0 {
        format!(
            "{more_paths} (half or more of the interval is what so few leave open of the bias of the integrator), more \
             `substeps` in [sde] or a larger margin"
        )
    } else {
        format!(
            "more `substeps` in [sde] (half or more of the interval is the bias of the integrator), {more_paths} or a \
             larger margin"
        )
    }
}
