//! How far a wrong process runs from the right one.

use super::Trajectory;
use super::margins::Margins;
use crate::claim::decision::Levels;
use crate::claim::{Difference, Progress};
use crate::ensemble::{BLOCK, Moments, Observables, Pair, Process, TestFunction};
use crate::model::Model;
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::{Looks, student_quantile};
use std::sync::Arc;

/// Paths of both at the first look.
const FIRST_PATHS: u64 = 1024;

/// The probability that a difference is said to be on the wrong side of its margin.
const FALSE_ALARM: f64 = 1e-6;

/// Between the right model and one that has either another optimizer or another SDE, in margins of the claim on the
/// right one. Both draw the same random numbers, so that little is left to sampling; the paths double, up to
/// `max_seeds`, until it is known on which side of the margin the difference is. None where no test function can be
/// sampled.
pub fn sampled_difference(
    claim: &Trajectory,
    experiment: &Experiment,
    wrong: &Model,
    max_seeds: u64,
    progress: &dyn Progress,
) -> Option<Difference> {
    let model = &experiment.model;
    let seed = experiment.monte_carlo.seed;
    let observables = model.observables(model.functions().tested);
    let margins = Margins::new(&[(0, claim)], experiment, &observables, progress);
    let of_optimizers =
        (wrong.optimizer_process(seed, Role::Optimizer), model.optimizer_process(seed, Role::Optimizer));
    let of_sdes = (wrong.sde_process(seed, Role::Sde, 0), model.sde_process(seed, Role::Sde, 0));
    let in_sde = Arc::ptr_eq(&wrong.optimizer, &model.optimizer);
    let [wrong, right]: [&dyn Process; 2] =
        if in_sde { [&of_sdes.0, &of_sdes.1] } else { [&of_optimizers.0, &of_optimizers.1] };
    let steps = model.run.steps;
    let pair = Pair { optimizer: wrong, sde: right, observables: &observables, steps, controls: None };
    let mut moments = Moments::default();
    let blocks = |paths: u64| paths.div_ceil(BLOCK as u64);
    let mut decisive = None;
    for look in Looks::new(blocks(FIRST_PATHS.min(max_seeds)), blocks(max_seeds)) {
        moments.extend(&pair, moments.raw.gap.count()..look.size, &|| ());
        let levels = Levels::new(FALSE_ALARM, look, observables.cells().count());
        let allowed = |index: usize| margins.of(claim.margin, index);
        decisive = differences(&moments, &observables, levels, &allowed);
        if decisive.as_ref().is_none_or(|decisive| decisive.is_within() || decisive.is_beyond()) {
            break;
        }
    }
    decisive
}

/// The decisive one of all test functions and times. A path that is not finite is beyond every margin.
fn differences(
    moments: &Moments,
    observables: &Observables,
    levels: Levels,
    allowed: &dyn Fn(usize) -> f64,
) -> Option<Difference> {
    let gap = &moments.raw.gap;
    let is_finite = moments.non_finite_optimizer + moments.non_finite_sde == 0;
    let quantile = student_quantile(gap.degrees_of_freedom(), levels.refuted);
    let difference = |index: usize| {
        let (function, time) = observables.place(index);
        if !is_finite {
            return Difference { function, time, margins: f64::MAX, interval: [f64::MAX; 2] };
        }
        // Processes that agree do so within any margin, none included.
        let in_margins = |size: f64| if size == 0.0 { 0.0 } else { (size / allowed(index)).min(f64::MAX) };
        let is_exit = observables.functions[index / observables.times()] == TestFunction::Exit;
        // So often, at most, one of the two exits and the other does not, where that was not seen at all.
        let unseen = if is_exit { -libm::log(levels.refuted) / moments.seeds() as f64 } else { 0.0 };
        let [low, high] = gap.limits(index, quantile);
        let interval = [low.max(-high).max(0.0), high.max(-low).max(unseen)].map(in_margins);
        Difference { function, time, margins: in_margins(gap.mean(index).abs()), interval }
    };
    Difference::decisive(observables.cells().map(difference))
}
