//! Claim `trajectory`: along the run, `E g(x_k) − E g(X_{kη})` stays within its margin for every test
//! function and record time.

use super::decision::{EVENTS_FOR_AN_INTERVAL, Gap, Levels, decide};
use super::finding::{Expectation, Finding, Verdict, Worst, terms};
use super::intervals::Intervals;
use super::tables::{MomentTables, finite, finite_pair};
use super::{NonFinite, Progress};
use crate::ensemble::{BLOCK, Moments, Observables, Process, TestFunction, standard_deviations};
use crate::model::Model;
use crate::parameter::{Invalid, checked};
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::{Look, Looks, clopper_pearson};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Paths of the pilot that sets the scale of effects: deviations within about 2 % of the truth for
/// near-Gaussian laws. It is frozen before anything is compared, so its error moves no error rate.
const PILOT_PATHS: u64 = 1024;

/// One block in so many carries the coarse paths that measure the integrator's bias.
const COARSE_EVERY: u64 = 4;

/// The pilot's exit probability is taken at its upper limit, which it misses with this probability: a
/// pilot without exits would put the deviation of the indicator at zero.
const EXIT_PILOT_MISS: f64 = 1e-3;

/// How large a gap is allowed.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Margin {
    /// In standard deviations of the test function under the SDE at that time.
    Effect(f64),
    /// In the units of each test function.
    Absolute(f64),
    /// C in `Cη`, as weak approximation of order 1 has it.
    Constant(f64),
}

impl Margin {
    /// Whether it is in units of standard deviations.
    pub fn is_relative(self) -> bool {
        matches!(self, Self::Effect(_))
    }

    /// Its name in scenarios, and its size.
    fn parts(self) -> (&'static str, f64) {
        match self {
            Self::Effect(size) => ("effect", size),
            Self::Absolute(size) => ("absolute", size),
            Self::Constant(size) => ("constant", size),
        }
    }

    fn describe(self) -> String {
        match self {
            Self::Effect(effect) => format!("{effect} standard deviations"),
            Self::Absolute(margin) => format!("{margin}"),
            Self::Constant(constant) => format!("{constant}·η"),
        }
    }
}

/// The claim, checked.
#[derive(Clone, Copy, Debug)]
pub struct Trajectory {
    /// What is allowed.
    pub margin: Margin,
    /// What the scenario expects.
    pub expect: Expectation,
}

/// `|E g(x_k) − E g(X_{kη})|` stays within its margin for every test function g at every record time: moments of the
/// optimizer x and of the SDE X agree along the run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How large a gap is allowed, above 0.
    margin: Margin,
    /// Whether the claim should hold.
    #[serde(default)]
    expect: Expectation,
}

impl Parameters {
    pub(super) fn build(&self, model: &Model) -> Result<super::Claim, Invalid> {
        let (name, size) = self.margin.parts();
        checked(&format!("margin.{name}"), size, |size| size > 0.0, "a number above 0")?;
        if model.functions().tested.iter().all(|function| *function == TestFunction::Exit) {
            return Err(Invalid::new(
                "",
                format!(
                    "no test function has moments that sampling can compare (under this noise, compression and \
                     learning rate those of order below {:.3} exist, and an honest interval for x[i] needs order 4); \
                     expected bounded ones, such as [[functions]] tanh = {{ coordinate = 0, scale = 1.0 }}",
                    model.tail_index()
                ),
            ));
        }
        Ok(super::Claim::Trajectory(Trajectory { margin: self.margin, expect: self.expect }))
    }
}

/// What the trajectory claims of one experiment came to.
#[derive(Default)]
pub(super) struct Compared {
    /// By the indices of their claims.
    pub findings: BTreeMap<usize, Finding>,
    pub moments: Option<MomentTables>,
    pub non_finite: NonFinite,
    pub path_steps: u64,
}

/// Judges trajectory claims of one experiment on the same paths.
pub(super) fn judge(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    progress: &dyn Progress,
) -> Compared {
    if claims.is_empty() {
        return Compared::default();
    }
    let model = &experiment.model;
    let seed = experiment.monte_carlo.seed;
    let functions = model.functions();
    let observables = model.observables(functions.tested);
    let steps = model.run.steps;
    progress.announce(PILOT_PATHS * steps as u64);
    let pilot = model.sde_process(seed, Role::Pilot, 0);
    let deviations = standard_deviations(&pilot, &observables, steps, PILOT_PATHS, &|| {
        progress.tick(steps as u64);
    });
    let optimizer = model.optimizer_process(seed, Role::Optimizer);
    let sde = model.sde_process(seed, Role::Sde, COARSE_EVERY);
    let comparison = Comparison {
        experiment,
        observables: &observables,
        deviations: &deviations,
        left_out: functions.left_out.iter().map(ToString::to_string).collect(),
    };
    comparison.judge(claims, &optimizer, &sde, progress)
}

/// The standard deviation of the exit indicator, from that of the pilot, at the upper limit of its
/// probability (1/2 at most, where the deviation is largest).
fn exit_deviation(pilot: f64) -> f64 {
    let probability = 0.5 * (1.0 - (1.0 - 4.0 * pilot * pilot).max(0.0).sqrt());
    let exits = (probability * PILOT_PATHS as f64).round() as u64;
    let limit = clopper_pearson(exits, PILOT_PATHS, EXIT_PILOT_MISS).1.min(0.5);
    (limit * (1.0 - limit)).sqrt()
}

/// Everything but the draws.
struct Comparison<'a> {
    experiment: &'a Experiment,
    observables: &'a Observables,
    deviations: &'a [f64],
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
            let levels = Levels::new(monte_carlo.error_rate, look, self.cells().count());
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
            let times = self.experiment.model.run.times();
            let margin = |index| self.margin(claims[0].1.margin, index);
            MomentTables::new(times, &moments, self.observables, &intervals, margin)
        });
        Compared {
            findings,
            moments: tables,
            non_finite: NonFinite { optimizer: moments.non_finite_optimizer, sde: moments.non_finite_sde },
            path_steps: moments.seeds() * self.experiment.model.run.steps as u64,
        }
    }

    /// Every (function, time) but t = 0, as an index into the moments.
    fn cells(&self) -> impl Iterator<Item = usize> {
        let times = self.observables.times();
        (0..self.observables.functions.len() * times).filter(move |index| index % times > 0)
    }

    fn margin(&self, margin: Margin, index: usize) -> f64 {
        let function = &self.observables.functions[index / self.observables.times()];
        match margin {
            Margin::Absolute(margin) => margin,
            Margin::Constant(constant) => constant * self.observables.eta,
            Margin::Effect(effect) if *function == TestFunction::Exit => {
                effect * exit_deviation(self.deviations[index])
            }
            Margin::Effect(effect) => effect * self.deviations[index],
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
        let cells: Vec<usize> = self.cells().collect();
        let diverged = moments.non_finite_optimizer + moments.non_finite_sde > 0;
        let rare = self.events(moments.seeds()) < EVENTS_FOR_AN_INTERVAL;
        let too_rare = rare && claim.margin.is_relative();
        let (verdict, worst) = if diverged {
            (Verdict::Refuted, None)
        } else if too_rare {
            (Verdict::Inconclusive, None)
        } else {
            let gaps: Vec<Gap> =
                cells.iter().map(|&index| intervals.gap(index, self.margin(claim.margin, index))).collect();
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
            worst: worst.map(|(index, gap)| self.worst(index, gap, intervals.bias(index, verdict), verdict)),
            left_out: self.left_out.clone(),
            sentence: self.sentence(claim, verdict, worst, moments),
        })
    }

    /// Expected occurrences of the rarest event of a step before the first record.
    fn events(&self, seeds: u64) -> f64 {
        let model = &self.experiment.model;
        model.rarest_event(&model.run.start) * model.run.every() as f64 * seeds as f64
    }

    fn worst(&self, index: usize, gap: Gap, bias: f64, verdict: Verdict) -> Worst {
        let (function, time) = self.place(index);
        let interval = gap.interval(verdict);
        // Where all paths agree, rounding may put half the width below the bias it is made of.
        let sampling = ((interval[1] - interval[0]) / 2.0 - bias).max(0.0);
        Worst {
            function,
            time,
            state: None,
            estimate: finite(gap.estimate),
            interval: finite_pair(interval),
            margin: gap.margin,
            integration: finite(bias),
            sampling: finite(sampling),
        }
    }

    /// The name of the test function and the time of an index into the moments.
    fn place(&self, index: usize) -> (String, f64) {
        let times = self.observables.times();
        let function = self.observables.functions[index / times].to_string();
        (function, self.experiment.model.run.times()[index % times])
    }

    fn sentence(
        &self,
        claim: &Trajectory,
        verdict: Verdict,
        worst: Option<(usize, Gap)>,
        moments: &Moments,
    ) -> String {
        let monte_carlo = self.experiment.monte_carlo;
        let (functions, times) = (self.observables.functions.len(), self.observables.times() - 1);
        let seeds = format!("{} seeds", moments.seeds());
        let terms = terms(monte_carlo.error_rate, &seeds, worst.map(|(_, gap)| gap));
        let margin = claim.margin.describe();
        let place = worst.map(|(index, gap)| {
            let (function, time) = self.place(index);
            format!(
                "E {function} at t = {time:.4}: optimizer minus SDE {:.4e}, margin {:.4e}",
                gap.estimate, gap.margin
            )
        });
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
            Verdict::Inconclusive if worst.is_none() => format!(
                "undecided: the rarest event of a step (a sign against the gradient, a coordinate kept or dropped) is \
                 expected {:.1e} times before the first record, and an honest interval needs {EVENTS_FOR_AN_INTERVAL}; \
                 an absolute margin does not ({terms})",
                self.events(moments.seeds())
            ),
            Verdict::Inconclusive => {
                format!("undecided within {margin}: most is missing for {place} ({terms})")
            }
        }
    }
}
