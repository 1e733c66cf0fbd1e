//! How far a wrong process runs from the right one.

use super::Trajectory;
use super::margins::Margins;
use crate::claim::{Difference, Progress};
use crate::ensemble::{BLOCK, Moments, Pair, Process};
use crate::model::Model;
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::student_quantile;

/// Paths of both.
const PATHS: u64 = 4096;

/// The probability that a difference is said to be larger than it is.
const FALSE_ALARM: f64 = 1e-6;

/// Between the right model and one that has either another optimizer or another SDE, in margins of the claim on the
/// right one. Both draw the same random numbers, so that little is left to sampling. None where no test function can
/// be sampled, or a path is not finite.
pub fn sampled_difference(
    claim: &Trajectory,
    experiment: &Experiment,
    wrong: &Model,
    progress: &dyn Progress,
) -> Option<Difference> {
    let model = &experiment.model;
    let seed = experiment.monte_carlo.seed;
    let observables = model.observables(model.functions().tested);
    let margins = Margins::new(&[(0, claim)], experiment, &observables, progress);
    let of_optimizers =
        (wrong.optimizer_process(seed, Role::Optimizer), model.optimizer_process(seed, Role::Optimizer));
    let of_sdes = (wrong.sde_process(seed, Role::Sde, 0), model.sde_process(seed, Role::Sde, 0));
    let in_sde = std::sync::Arc::ptr_eq(&wrong.optimizer, &model.optimizer);
    let [wrong, right]: [&dyn Process; 2] =
        if in_sde { [&of_sdes.0, &of_sdes.1] } else { [&of_optimizers.0, &of_optimizers.1] };
    let mut moments = Moments::default();
    let steps = model.run.steps;
    let pair = Pair { optimizer: wrong, sde: right, observables: &observables, steps, controls: None };
    moments.extend(&pair, 0..PATHS / BLOCK as u64, &|| ());
    if moments.non_finite_optimizer + moments.non_finite_sde > 0 {
        return None;
    }
    let gap = &moments.raw.gap;
    let cells: Vec<usize> = observables.cells().collect();
    let quantile = student_quantile(gap.degrees_of_freedom(), FALSE_ALARM / (2 * cells.len().max(1)) as f64);
    let in_margins = |index: usize, half: f64| {
        let margin = margins.of(claim.margin, index);
        let size = (gap.mean(index).abs() - half).max(0.0);
        // Processes that agree do so within any margin, none included.
        if size == 0.0 { 0.0 } else { size / margin }
    };
    let estimate = |index: usize| in_margins(index, 0.0);
    let at_least = |index: usize| in_margins(index, quantile * gap.standard_error(index));
    let largest = cells.iter().copied().max_by(|&a, &b| estimate(a).total_cmp(&estimate(b)))?;
    let (function, time) = observables.place(largest);
    Some(Difference {
        function,
        time,
        margins: estimate(largest),
        at_least: cells.iter().map(|&index| at_least(index)).fold(0.0, f64::max),
    })
}
