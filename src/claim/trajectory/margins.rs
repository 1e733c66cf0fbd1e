//! What each gap is allowed, in the units of its test function.

use super::{Margin, Trajectory};
use crate::claim::Progress;
use crate::claim::pilot::PILOT_PATHS;
use crate::ensemble::{Observables, TestFunction, standard_deviations};
use crate::random::Role;
use crate::scenario::Experiment;
use crate::stats::clopper_pearson;

/// The pilot's exit probability is taken at its upper limit, which it misses with this probability: a
/// pilot without exits would put the deviation of the indicator at zero.
const EXIT_PILOT_MISS: f64 = 1e-3;

/// The observables of a comparison with the scale of effects, every (function, time) an index that runs over
/// the times of one function after another.
pub(super) struct Margins<'a> {
    observables: &'a Observables,
    /// Of the SDE; empty where no margin is an effect.
    deviations: Vec<f64>,
}

impl<'a> Margins<'a> {
    /// On the scale of known deviations of the SDE.
    pub fn of_deviations(observables: &'a Observables, deviations: Vec<f64>) -> Self {
        Self { observables, deviations }
    }

    /// Runs paths of the SDE where a claim needs its deviations.
    pub fn new(
        claims: &[(usize, &Trajectory)],
        experiment: &Experiment,
        observables: &'a Observables,
        progress: &dyn Progress,
    ) -> Self {
        if !claims.iter().any(|(_, claim)| claim.margin.is_relative()) {
            return Self { observables, deviations: Vec::new() };
        }
        let steps = experiment.model.run.steps;
        progress.announce(PILOT_PATHS * steps as u64);
        let pilot = experiment.model.sde_process(experiment.monte_carlo.seed, Role::Pilot, 0);
        let deviations = standard_deviations(&pilot, observables, steps, PILOT_PATHS, &|| {
            progress.tick(steps as u64);
        });
        Self { observables, deviations }
    }

    /// What `margin` allows at one (function, time).
    pub fn of(&self, margin: Margin, index: usize) -> f64 {
        allowed(self.observables, &self.deviations, margin, index)
    }
}

/// What `margin` allows at one (function, time), on the scale of the deviations of the SDE.
pub(super) fn allowed(observables: &Observables, deviations: &[f64], margin: Margin, index: usize) -> f64 {
    let function = &observables.functions[index / observables.times()];
    match margin {
        Margin::Absolute(margin) => margin,
        Margin::Constant(constant) => constant * observables.eta,
        Margin::Effect(effect) if *function == TestFunction::Exit => {
            effect * exit_deviation(deviations[index])
        }
        Margin::Effect(effect) => effect * deviations[index],
    }
}

/// The standard deviation of the exit indicator, from that of the pilot, at the upper limit of its
/// probability (1/2 at most, where the deviation is largest).
fn exit_deviation(pilot: f64) -> f64 {
    let probability = 0.5 * (1.0 - (1.0 - 4.0 * pilot * pilot).max(0.0).sqrt());
    let exits = (probability * PILOT_PATHS as f64).round() as u64;
    let limit = clopper_pearson(exits, PILOT_PATHS, EXIT_PILOT_MISS).1.min(0.5);
    (limit * (1.0 - limit)).sqrt()
}
