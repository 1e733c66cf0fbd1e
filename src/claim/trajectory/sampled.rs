//! Trajectories by sampling: both processes over many paths, with intervals that hold at the level of the
//! verdict.

use super::margins::Margins;
use super::{Compared, Trajectory};
use crate::claim::contradiction::contradictions;
use crate::claim::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide};
use crate::claim::finding::{Finding, Verdict, Worst, all, terms};
use crate::claim::intervals::Intervals;
use crate::claim::tables::{ExactTables, MomentTables, finite};
use crate::claim::{NonFinite, Progress};
use crate::ensemble::{BLOCK, Moments, Observables, Process};
use crate::exact::{Exact, Unknown, expectations};
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::{Look, Looks};
use std::collections::BTreeMap;

/// One block in so many carries the coarse paths that measure the integrator's bias.
const COARSE_EVERY: u64 = 4;

const ASKED_FOR: &str = "[monte_carlo], --seeds or --max-seeds asks for it";

/// Judges the claims on the same paths; `unknown` is what they would need for exact expectations, where nobody
/// asked for paths.
pub(super) fn judge(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    unknown: Option<Unknown>,
    progress: &dyn Progress,
) -> Compared {
    let model = &experiment.model;
    let seed = experiment.monte_carlo.seed;
    let functions = model.functions();
    let observables = model.observables(functions.tested);
    let exact = expectations(model, &observables);
    // Where paths are asked for, they may be needed all the same.
    let unknown = unknown.or_else(|| exact.clone().complete(&observables.functions).err());
    let comparison = Comparison {
        experiment,
        exact,
        reason: unknown.map_or_else(|| ASKED_FOR.to_owned(), |unknown| unknown.to_string()),
        observables: &observables,
        margins: Margins::new(claims, experiment, &observables, progress),
        left_out: functions.left_out.iter().map(ToString::to_string).collect(),
    };
    let optimizer = model.optimizer_process(seed, Role::Optimizer);
    let sde = model.sde_process(seed, Role::Sde, COARSE_EVERY);
    comparison.judge(claims, &optimizer, &sde, progress)
}

/// Everything but the draws.
struct Comparison<'a> {
    experiment: &'a Experiment,
    /// What is known of the expectations without sampling.
    exact: Exact,
    /// Why paths are drawn.
    reason: String,
    observables: &'a Observables,
    margins: Margins<'a>,
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
        for look in Looks::new(whole_blocks(monte_carlo.seeds), whole_blocks(monte_carlo.max_seeds)) {
            let blocks = moments.gap.count()..look.size;
            let steps = self.experiment.model.run.steps;
            let steps_in_block = (BLOCK * steps) as u64;
            progress.announce((blocks.end - blocks.start) * steps_in_block);
            moments
                .extend(optimizer, sde, self.observables, steps, blocks, &|| progress.tick(steps_in_block));
            let levels = Levels::new(monte_carlo.error_rate, look, self.margins.cells().count());
            let budget = (monte_carlo.max_seeds as f64 / moments.seeds() as f64).max(1.0);
            let intervals = Intervals::new(&moments, self.observables, levels, budget);
            for &(index, claim) in claims {
                if !findings.contains_key(&index)
                    && let Some(finding) = self.finding(claim, &moments, &intervals, look)
                {
                    progress.decided(index, &finding);
                    findings.insert(index, finding);
                }
            }
            last = Some(intervals);
            if findings.len() == claims.len() {
                break;
            }
        }
        let tables = last.map(|intervals| {
            let margin = |index| self.margins.of(claims[0].1.margin, index);
            let tables = MomentTables::sampled(&moments, self.observables, &intervals, margin);
            MomentTables { exact: ExactTables::new(&self.exact, self.observables.times()), ..tables }
        });
        let shows_its_events = self.events(moments.seeds()) >= EVENTS_FOR_AN_INTERVAL;
        let contradictions = if shows_its_events {
            contradictions(&moments, self.observables, &self.exact)
        } else {
            Vec::new()
        };
        Compared {
            findings,
            moments: tables,
            contradictions,
            non_finite: NonFinite { optimizer: moments.non_finite_optimizer, sde: moments.non_finite_sde },
            path_steps: moments.seeds() * self.experiment.model.run.steps as u64,
        }
    }

    /// The finding, or none where another look should decide.
    fn finding(
        &self,
        claim: &Trajectory,
        moments: &Moments,
        intervals: &Intervals,
        look: Look,
    ) -> Option<Finding> {
        let cells: Vec<usize> = self.margins.cells().collect();
        let diverged = moments.non_finite_optimizer + moments.non_finite_sde > 0;
        let rare = self.events(moments.seeds()) < EVENTS_FOR_AN_INTERVAL;
        let too_rare = rare && claim.margin.is_relative();
        let (verdict, worst) = if diverged {
            (Verdict::Refuted, None)
        } else if too_rare {
            (Verdict::Inconclusive, None)
        } else {
            let gaps: Vec<Gap> = cells
                .iter()
                .map(|&index| intervals.gap(index, self.margins.of(claim.margin, index)))
                .collect();
            let (verdict, worst) = decide(&gaps);
            (verdict, worst.map(|worst| (cells[worst], gaps[worst])))
        };
        if verdict == Verdict::Inconclusive && !look.is_last {
            return None;
        }
        let monte_carlo = self.experiment.monte_carlo;
        let mut assumes = vec!["block_means_gaussian".to_owned(), "integrator_bias_extrapolated".to_owned()];
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
            sampled_because: Some(self.reason.clone()),
            order: None,
            sentence: self.sentence(claim, verdict, worst, moments, intervals),
            worst: worst.map(|(index, gap)| {
                let (function, time) = self.observables.place(index);
                Worst::of_gap(function, time, gap, verdict, intervals.bias(index, verdict))
            }),
            left_out: self.left_out.clone(),
        })
    }

    /// Expected occurrences of the rarest event of a step before the first record.
    fn events(&self, seeds: u64) -> f64 {
        let model = &self.experiment.model;
        model.rarest_event(&model.run.start) * model.run.every() as f64 * seeds as f64
    }

    fn sentence(
        &self,
        claim: &Trajectory,
        verdict: Verdict,
        worst: Option<(usize, Gap)>,
        moments: &Moments,
        intervals: &Intervals,
    ) -> String {
        let monte_carlo = self.experiment.monte_carlo;
        let functions = all(self.observables.functions.len(), "test function");
        let times = all(self.observables.times() - 1, "time");
        let seeds = format!("{} seeds", moments.seeds());
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
                "the SDE tracks the optimizer within {margin} for {functions}{left_out} at {times} ({terms})"
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
            Verdict::Inconclusive if worst.is_none() => format!(
                "undecided: the rarest event of a step (a sign against the gradient, a coordinate kept or dropped) is \
                 expected {:.1e} times before the first record, and an honest interval needs {EVENTS_FOR_AN_INTERVAL}; \
                 an absolute margin does not ({terms})",
                self.events(moments.seeds())
            ),
            Verdict::Inconclusive => {
                let remedy = worst.map_or("", |(index, gap)| remedy(gap, intervals.bias(index, verdict)));
                format!(
                    "undecided within {margin}: most is missing for {place}; {remedy} may decide it ({terms})"
                )
            }
        }
    }
}

/// What would narrow the interval of a gap, where the bias of the integrator is so much of it.
fn remedy(gap: Gap, bias: f64) -> &'static str {
    let [low, high] = gap.upheld;
    // NaN too is a bias that cannot be told.
    if bias < (high - low) / 4.0 {
        "more paths (--max-seeds) or a larger margin"
    } else {
        "more `substeps` in [sde] (half or more of the interval is the bias of the integrator), more paths (--max-seeds) \
         or a larger margin"
    }
}
