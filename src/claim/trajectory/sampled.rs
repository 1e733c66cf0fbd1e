//! Trajectories by sampling: both processes over many paths, with intervals that hold at the level of the
//! verdict.

use super::margins::Margins;
use super::pilot::{Pilot, Shadowing};
use super::{Compared, Trajectory};
use crate::claim::contradiction::{Contradiction, FALSE_ALARM, contradictions};
use crate::claim::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide};
use crate::claim::finding::{Finding, Verdict, Worst, terms};
use crate::claim::gates::Distrust;
use crate::claim::intervals::Intervals;
use crate::claim::tables::{ExactTables, MomentTables, ShadowTables, finite};
use crate::claim::{NonFinite, Progress};
use crate::ensemble::{BLOCK, Estimates, Moments, Observables, Pair, Process};
use crate::exact::{Exact, expectations};
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::{Look, Looks};
use std::collections::BTreeMap;

/// One block in so many carries the coarse paths that measure the integrator's bias.
const COARSE_EVERY: u64 = 4;

/// With linear shadows, few blocks do, and all of them carry coarse paths.
const COARSE_EVERY_SHADOWED: u64 = 1;

/// Judges the claims on the same paths.
pub(super) fn judge(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    progress: &dyn Progress,
) -> Compared {
    let model = &experiment.model;
    let seed = experiment.monte_carlo.seed;
    let functions = model.functions();
    let observables = model.observables(functions.tested);
    let Pilot { margins, shadowing } = Pilot::run(claims, experiment, &observables, progress);
    let coarse_every = if shadowing.is_some() { COARSE_EVERY_SHADOWED } else { COARSE_EVERY };
    let mut optimizer = model.optimizer_process(seed, Role::Optimizer);
    let mut sde = model.sde_process(seed, Role::Sde, coarse_every);
    optimizer.linearization = shadowing.as_ref().map(|shadowing| &shadowing.linearization);
    sde.linearization = optimizer.linearization;
    let comparison = Comparison {
        experiment,
        observables: &observables,
        margins,
        shadowing: shadowing.as_ref(),
        left_out: functions.left_out.iter().map(ToString::to_string).collect(),
    };
    comparison.judge(claims, &optimizer, &sde, progress)
}

/// What intervals are made of: estimates after the controls where there are any that are trusted.
fn estimates<'a>(moments: &'a Moments, distrust: Option<&Distrust>) -> &'a Estimates {
    let shadowed = moments.shadowed.as_ref().filter(|_| distrust.is_none());
    shadowed.map_or(&moments.raw, |shadowed| &shadowed.estimates)
}

/// Everything but the draws.
struct Comparison<'a> {
    experiment: &'a Experiment,
    observables: &'a Observables,
    margins: Margins<'a>,
    shadowing: Option<&'a Shadowing>,
    left_out: Vec<String>,
}

impl Comparison<'_> {
    fn judge(
        &self,
        claims: &[(usize, &Trajectory)],
        optimizer: &dyn Process,
        sde: &dyn Process,
        progress: &dyn Progress,
    ) -> Compared {
        let monte_carlo = self.experiment.monte_carlo;
        let whole_blocks = |paths: u64| paths.div_ceil(BLOCK as u64);
        let mut moments = Moments::default();
        let mut findings = BTreeMap::new();
        let mut last = None;
        let exact = expectations(&self.experiment.model, self.observables);
        let first_look = self.first_look().min(monte_carlo.max_seeds);
        for look in Looks::new(whole_blocks(first_look), whole_blocks(monte_carlo.max_seeds)) {
            let blocks = moments.raw.gap.count()..look.size;
            let steps = self.experiment.model.run.steps;
            let steps_in_block = (BLOCK * steps) as u64;
            progress.announce((blocks.end - blocks.start) * steps_in_block);
            let controls = self.shadowing.map(|shadowing| &shadowing.controls);
            let pair = Pair { optimizer, sde, observables: self.observables, steps, controls };
            moments.extend(&pair, blocks, &|| progress.tick(steps_in_block));
            let distrust = self.distrust(&moments, &exact, look);
            let levels = Levels::new(monte_carlo.error_rate, look, self.margins.cells().count());
            let budget = (monte_carlo.max_seeds as f64 / moments.seeds() as f64).max(1.0);
            let estimates = estimates(&moments, distrust.as_ref());
            let intervals = Intervals::new(estimates, self.observables, levels, budget);
            for &(index, claim) in claims {
                // What was decided on a shadow that is no longer trusted is withdrawn.
                if (distrust.is_some() || !findings.contains_key(&index))
                    && let Some(finding) = self.finding(claim, &moments, &intervals, look, distrust.as_ref())
                {
                    progress.decided(index, &finding);
                    findings.insert(index, finding);
                }
            }
            last = Some((intervals, estimates, distrust));
            if findings.len() == claims.len() {
                break;
            }
        }
        let (tables, distrust) = last.map_or((None, None), |(intervals, estimates, distrust)| {
            let margin = |index| self.margins.of(claims[0].1.margin, index);
            let tables = MomentTables::sampled(estimates, self.observables, &intervals, margin);
            let tables = MomentTables {
                exact: ExactTables::new(&exact, self.observables.times()),
                shadow: ShadowTables::new(&moments, self.observables),
                ..tables
            };
            (Some(tables), distrust)
        });
        let mut contradictions = self.contradictions(&moments, &exact);
        if let Some(Distrust::Contradicted(found)) = distrust {
            contradictions.extend(found);
        }
        Compared {
            findings,
            moments: tables,
            contradictions,
            non_finite: NonFinite { optimizer: moments.non_finite_optimizer, sde: moments.non_finite_sde },
            path_steps: moments.seeds() * self.experiment.model.run.steps as u64,
        }
    }

    fn first_look(&self) -> u64 {
        let monte_carlo = self.experiment.monte_carlo;
        match (monte_carlo.seeds, self.shadowing) {
            (None, Some(shadowing)) => shadowing.seeds.min(monte_carlo.first_look()),
            _ => monte_carlo.first_look(),
        }
    }

    /// What contradicts exact expectations.
    fn contradictions(&self, moments: &Moments, exact: &Exact) -> Vec<Contradiction> {
        let is_rare = self.experiment.model.rarest_events(moments.seeds()) < EVENTS_FOR_AN_INTERVAL;
        if moments.has_diverged() || is_rare {
            return Vec::new();
        }
        contradictions(&moments.raw, self.observables, exact, FALSE_ALARM)
    }

    /// Why nothing may be decided on the shadow any more, if there is a reason.
    fn distrust(&self, moments: &Moments, exact: &Exact, look: Look) -> Option<Distrust> {
        let linearization = &self.shadowing.filter(|_| !moments.has_diverged())?.linearization;
        Distrust::of(moments, self.observables, linearization, exact, look)
    }

    /// The finding, or none where another look should decide.
    fn finding(
        &self,
        claim: &Trajectory,
        moments: &Moments,
        intervals: &Intervals,
        look: Look,
        distrust: Option<&Distrust>,
    ) -> Option<Finding> {
        let cells: Vec<usize> = self.margins.cells().collect();
        let rare = self.experiment.model.rarest_events(moments.seeds()) < EVENTS_FOR_AN_INTERVAL;
        let too_rare = rare && claim.margin.is_relative();
        let (verdict, worst) = if moments.has_diverged() {
            (Verdict::Refuted, None)
        } else if too_rare || distrust.is_some() {
            (Verdict::Inconclusive, None)
        } else {
            let gaps: Vec<Gap> = cells
                .iter()
                .map(|&index| intervals.gap(index, self.margins.of(claim.margin, index)))
                .collect();
            let (verdict, worst) = decide(&gaps);
            (verdict, worst.map(|worst| (cells[worst], gaps[worst])))
        };
        if verdict == Verdict::Inconclusive && !look.is_last && distrust.is_none() {
            return None;
        }
        let monte_carlo = self.experiment.monte_carlo;
        let mut assumes = vec!["block_means_gaussian".to_owned(), "integrator_bias_extrapolated".to_owned()];
        if self.shadowing.is_some() {
            assumes.push("declared_moments".to_owned());
        }
        if claim.margin.is_relative() {
            assumes.push("pilot_deviations".to_owned());
        } else if rare {
            assumes.push("rare_events_negligible".to_owned());
        }
        Some(Finding {
            kind: "trajectory",
            expected: claim.expect,
            verdict,
            as_expected: claim.expect.is_met_by(verdict),
            error_rate: monte_carlo.error_rate,
            seeds: moments.seeds(),
            looks: look.number,
            detectable_gap: worst.and_then(|(_, gap)| finite(gap.detectable)),
            assumes,
            order: None,
            worst: worst.map(|(index, gap)| {
                let (function, time) = self.observables.place(index);
                Worst::of_gap(function, time, gap, verdict, intervals.bias(index, verdict))
            }),
            left_out: self.left_out.clone(),
            sentence: self.sentence(claim, verdict, worst, moments, distrust),
        })
    }

    fn sentence(
        &self,
        claim: &Trajectory,
        verdict: Verdict,
        worst: Option<(usize, Gap)>,
        moments: &Moments,
        distrust: Option<&Distrust>,
    ) -> String {
        let monte_carlo = self.experiment.monte_carlo;
        let (functions, times) = (self.observables.functions.len(), self.observables.times() - 1);
        let with_shadows = if self.shadowing.is_some() { " with linear shadows" } else { "" };
        let seeds = format!("{} seeds{with_shadows}", moments.seeds());
        let terms = terms(monte_carlo.error_rate, &seeds, worst.map(|(_, gap)| gap));
        let margin = claim.margin.describe();
        let place = worst.map(|(index, gap)| gap.describe(&self.observables.place(index)));
        let place = place.unwrap_or_default();
        let left_out = match self.left_out.len() {
            0 => String::new(),
            count => format!(" ({count} more have no moments to sample)"),
        };
        match verdict {
            Verdict::Upheld => format!(
                "the SDE tracks the optimizer within {margin} for all {functions} test functions{left_out} at all {times} \
                 times ({terms})"
            ),
            Verdict::Refuted if worst.is_none() => format!(
                "diverged: {} of the optimizer's and {} of the SDE's {} paths are not finite, so that moments do not \
                 exist ({terms})",
                moments.non_finite_optimizer,
                moments.non_finite_sde,
                moments.seeds()
            ),
            Verdict::Refuted => {
                format!("the SDE does not track the optimizer within {margin}: {place} ({terms})")
            }
            Verdict::Inconclusive if let Some(distrust) = distrust => {
                format!("undecided: {} ({terms})", distrust.reason())
            }
            Verdict::Inconclusive if worst.is_none() => format!(
                "undecided: the rarest event of a step (a sign against the gradient, a coordinate kept or dropped) is \
                 expected {:.1e} times before the first record, and an honest interval needs {EVENTS_FOR_AN_INTERVAL}; \
                 an absolute margin does not ({terms})",
                self.experiment.model.rarest_events(moments.seeds())
            ),
            Verdict::Inconclusive => {
                format!("undecided within {margin}: most is missing for {place} ({terms})")
            }
        }
    }
}
