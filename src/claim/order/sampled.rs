//! The order by sampling: the largest gap at each learning rate with an interval, and the line through them.
//!
//! The gaps of all test functions at all times and all learning rates have simultaneous intervals, widened by the
//! bias of the integrator. So the largest of their lower and of their upper limits hold the largest gap, however
//! many gaps there are, and the slopes that these intervals allow hold the slope of the true gaps: the bias of a
//! maximum of noisy values does not enter.

use super::estimate::{LargestGap, Orders, Seen};
use super::{Order, is_fluctuation};
use crate::claim::Progress;
use crate::claim::decision::{EVENTS_FOR_AN_INTERVAL, Levels};
use crate::claim::finding::{Finding, Verdict, terms};
use crate::claim::intervals::Intervals;
use crate::claim::pilot::{Deviations, PILOT_PATHS, Pilot};
use crate::claim::sampling::{Sampling, Simulated, looks};
use crate::ensemble::{Observables, TestFunction, standard_deviations};
use crate::model::Model;
use crate::random::Role;
use crate::scenario::MonteCarlo;
use crate::stats::Look;

/// Judges the claim on paths at every learning rate.
pub(super) fn judge(
    order: &Order,
    monte_carlo: &MonteCarlo,
    progress: &dyn Progress,
) -> (Finding, Simulated) {
    // Weak orders are about smooth functions: an exit is not one.
    let is_smooth = |function: &TestFunction| *function != TestFunction::Exit;
    // Tails are the heavier the larger η is.
    let functions = order.models[0].functions();
    let (tested, rough): (Vec<_>, Vec<_>) = functions.tested.into_iter().partition(is_smooth);
    let left_out = functions.left_out.iter().chain(&rough).map(ToString::to_string).collect();
    let observables: Vec<Observables> =
        order.models.iter().map(|model| model.observables(tested.clone())).collect();
    let pilots: Vec<Option<Pilot>> = order
        .models
        .iter()
        .zip(&observables)
        .map(|(model, observables)| Pilot::run(model, monte_carlo, observables, &tolerance, progress))
        .collect();
    let deviations = match &pilots[0] {
        Some(Pilot { deviations: [of_optimizer, _], .. }) => of_optimizer.clone(),
        None => deviations(&order.models[0], monte_carlo, &observables[0], progress),
    };
    let scales = deviations.chunks(observables[0].times()).map(|row| row.iter().copied().fold(0.0, f64::max));
    let runs = order.models.iter().zip(&observables).zip(&pilots);
    let samplings = runs.map(|((model, observables), pilot)| {
        let shadowing = pilot.as_ref().and_then(|pilot| pilot.shadowing.as_ref());
        Sampling::new(model, observables, shadowing, monte_carlo.seed)
    });
    let comparison =
        Comparison { order, monte_carlo, scales: scales.collect(), samplings: samplings.collect(), left_out };
    comparison.judge(progress)
}

/// A gap is to be known to a part of a deviation; where there is none, as of gradient flow, to one of the other process.
fn tolerance(index: usize, [of_optimizer, of_sde]: &Deviations) -> f64 {
    let larger = of_optimizer[index].max(of_sde[index]);
    if larger > 0.0 { larger } else { f64::INFINITY }
}

/// The optimizer's: no mistake in an SDE changes them.
fn deviations(
    model: &Model,
    monte_carlo: &MonteCarlo,
    observables: &Observables,
    progress: &dyn Progress,
) -> Vec<f64> {
    let steps = model.run.steps;
    progress.announce(PILOT_PATHS * steps as u64);
    let pilot = model.optimizer_process(monte_carlo.seed, Role::OptimizerPilot);
    standard_deviations(&pilot, observables, steps, PILOT_PATHS, &|| progress.tick(steps as u64))
}

/// Paths at every learning rate, the largest first.
struct Comparison<'a> {
    order: &'a Order,
    monte_carlo: &'a MonteCarlo,
    /// The unit of each function: its largest deviation over time, at the largest learning rate.
    scales: Vec<f64>,
    samplings: Vec<Sampling<'a>>,
    left_out: Vec<String>,
}

impl Comparison<'_> {
    fn judge(mut self, progress: &dyn Progress) -> (Finding, Simulated) {
        let mut finding = None;
        for look in looks(self.monte_carlo.first_look(), self.monte_carlo) {
            self.samplings.iter_mut().for_each(|sampling| sampling.extend(look, progress));
            let at_look = self.finding(look);
            let is_decided = at_look.verdict != Verdict::Inconclusive;
            let is_distrusted = self.samplings.iter().any(|sampling| sampling.distrust.is_some());
            finding = Some(at_look);
            if is_decided || is_distrusted {
                break;
            }
        }
        let mut simulated = Simulated::default();
        for sampling in self.samplings {
            simulated.add(sampling.simulated());
        }
        (finding.expect("there is always a look"), simulated)
    }

    fn finding(&self, look: Look) -> Finding {
        let points = [false, true].map(|fluctuations| -> Vec<LargestGap> {
            self.samplings.iter().map(|sampling| self.largest(sampling, look, fluctuations)).collect()
        });
        let [raw, fluctuations] = [&points[0], &points[1]].map(|points| Seen::of_line(points));
        let orders = Orders { raw, fluctuations, claimed: self.order.claimed };
        let (verdict, sentence) = match self.trouble() {
            Some(trouble) => trouble,
            None => (orders.verdict(), None),
        };
        let smallest =
            points[usize::from(raw.interval[0] >= orders.fluctuations.interval[0])].last().cloned();
        let estimate =
            orders.report("standard deviations of the optimizer at the largest learning rate", points);
        let shadowed = self.samplings.iter().find(|sampling| sampling.shadowing.is_some());
        let sampled = shadowed.unwrap_or(&self.samplings[0]);
        let sample = format!("{} at each learning rate", sampled.describe());
        let terms = terms(self.monte_carlo.error_rate, &sample, None);
        let sentence = sentence.unwrap_or_else(|| {
            let place = smallest.filter(|_| verdict != Verdict::Upheld).map(
                |LargestGap { function, time, .. }| {
                    format!("; largest at the smallest rate is the gap of E {function} at t = {time:.4}")
                },
            );
            format!("{}{}", self.order.said(verdict, &estimate), place.unwrap_or_default())
        });
        let mut assumes = sampled.assumes();
        assumes.push("pilot_deviations".to_owned());
        Finding {
            error_rate: self.monte_carlo.error_rate,
            seeds: sampled.seeds(),
            looks: look.number,
            detectable_gap: orders.detectable(),
            assumes,
            order: Some(estimate),
            left_out: self.left_out.clone(),
            ..Finding::exact("order", self.order.expect, verdict, format!("{sentence} ({terms})"))
        }
    }

    /// What leaves no order to speak of.
    fn trouble(&self) -> Option<(Verdict, Option<String>)> {
        if let Some(diverged) = self.samplings.iter().find(|sampling| sampling.has_diverged()) {
            let non_finite = diverged.non_finite();
            let sentence = format!(
                "diverged: at the learning rate {} {} of the optimizer's and {} of the SDE's paths are not finite, so \
                 that moments do not exist",
                diverged.observables.eta, non_finite.optimizer, non_finite.sde
            );
            return Some((Verdict::Refuted, Some(sentence)));
        }
        if let Some((eta, distrust)) = self
            .samplings
            .iter()
            .find_map(|sampling| Some((sampling.observables.eta, sampling.distrust.as_ref()?)))
        {
            let sentence = format!("undecided: at the learning rate {eta} {}", distrust.reason());
            return Some((Verdict::Inconclusive, Some(sentence)));
        }
        let rare = self.samplings.iter().find(|sampling| sampling.has_rare_events())?;
        let sentence = format!(
            "undecided: at the learning rate {} the rarest event of a step (a sign against the gradient, a coordinate kept \
             or dropped) is expected {:.1e} times before the first record, and an honest interval needs \
             {EVENTS_FOR_AN_INTERVAL}",
            rare.observables.eta,
            rare.events()
        );
        Some((Verdict::Inconclusive, Some(sentence)))
    }

    /// Over raw moments or fluctuations, in the units of their functions; what does not vary has none.
    fn largest(&self, sampling: &Sampling, look: Look, of_fluctuations: bool) -> LargestGap {
        let observables = sampling.observables;
        let gaps = observables.cells().count() * self.samplings.len();
        let levels = Levels::new(self.monte_carlo.error_rate, look, gaps);
        let intervals = Intervals::new(sampling.estimates(), observables, levels, sampling.weak_order(), 1.0);
        let cells = observables.cells().filter_map(|index| {
            let function = index / observables.times();
            let scale = self.scales[function];
            if is_fluctuation(&observables.functions[function]) != of_fluctuations || scale == 0.0 {
                return None;
            }
            let gap = intervals.gap(index, 0.0);
            Some((observables.place(index), gap.estimate / scale, gap.refuted.map(|end| end / scale)))
        });
        LargestGap::of(observables.eta, cells)
    }
}
