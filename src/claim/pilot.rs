//! The pilot: what a few paths say before anything is compared. They set the scale of effects and the coefficients
//! of the linear shadow's controls, and say whether the shadow pays. All of it is frozen then, and its paths
//! are used for nothing else, so that it moves no error rate.

use super::Progress;
use super::decision::EVENTS_FOR_AN_INTERVAL;
use crate::ensemble::{
    BLOCK, Centre, Controls, Linearization, Observables, Process, Taylor, TestFunction, accumulate,
    observe_path,
};
use crate::model::Model;
use crate::random::Role;
use crate::scenario::{MonteCarlo, Shadow};
use crate::stats::{Regressions, Series};
use std::ops::Range;

/// Paths of the pilot: deviations are within about 2 % of the truth for near-Gaussian laws.
pub(super) const PILOT_PATHS: u64 = 1024;

/// Paths that say where test functions are expanded; a rough place will do.
const CENTRE_PATHS: u64 = 128;

/// By how many times fewer paths the shadow has to ask for before it pays: it makes a path about three
/// times as expensive.
const COST: f64 = 4.0;

/// Half-widths of intervals, in standard errors, that the first look is sized for, and to what part of the
/// margin.
const QUANTILE: f64 = 8.0;
const PART_OF_MARGIN: f64 = 0.25;

/// Fewest paths of a first look: 32 blocks, on which the gates see a declared covariance that is half too large.
const LEAST_SEEDS: u64 = 32 * BLOCK as u64;

/// The linear shadows of a comparison.
pub(super) struct Shadowing {
    /// Along what they run.
    pub linearization: Linearization,
    /// Of the optimizer and of the SDE.
    pub controls: [Controls; 2],
    /// Paths that the first look should have.
    pub seeds: u64,
}

/// Standard deviations of every (function, time), of the optimizer and of the SDE.
pub(super) type Deviations = [Vec<f64>; 2];

/// What the pilot found.
pub(super) struct Pilot {
    pub deviations: Deviations,
    /// The shadow, where it pays.
    pub shadowing: Option<Shadowing>,
}

impl Pilot {
    /// Runs it; none where paths cannot carry a shadow, or may not. `tolerance` says of an index into the moments,
    /// by the deviations, to what its gap has to be known.
    pub fn run(
        model: &Model,
        monte_carlo: &MonteCarlo,
        observables: &Observables,
        tolerance: &dyn Fn(usize, &Deviations) -> f64,
        progress: &dyn Progress,
    ) -> Option<Self> {
        let growth_of_controls = 2;
        let may_shadow = monte_carlo.shadow == Shadow::Auto
            && model.optimizer.declared().is_some()
            && model.can_sample(growth_of_controls)
            // Else its gates could not be tested, without which nothing may be decided on it.
            && model.rarest_events(monte_carlo.first_look()) >= EVENTS_FOR_AN_INTERVAL;
        let linearization = may_shadow.then(|| model.linearization()).flatten()?;
        let steps = model.run.steps;
        progress.announce(2 * (CENTRE_PATHS + PILOT_PATHS) * steps as u64);
        let tick = || progress.tick(steps as u64);
        let mut optimizer = model.optimizer_process(monte_carlo.seed, Role::OptimizerPilot);
        let mut sde = model.sde_process(monte_carlo.seed, Role::Pilot, 0);
        optimizer.linearization = Some(&linearization);
        sde.linearization = Some(&linearization);
        let processes: [&dyn Process; 2] = [&optimizer, &sde];
        let fits = processes.map(|process| {
            let centre = centre(process, observables, model.dimension(), steps, &tick);
            let taylor = Taylor::of_all(observables, &centre, linearization.pairs());
            let regressions = regress(process, observables, &taylor, steps, &tick);
            (taylor, regressions)
        });
        let deviations = [&fits[0].1, &fits[1].1].map(|regressions| {
            (0..regressions.len()).map(|index| regressions.fit(index).variance.sqrt()).collect::<Vec<f64>>()
        });
        let tolerances = observables.cells().map(|index| (index, tolerance(index, &deviations)));
        let [raw, shadowed] = needs(tolerances, [&fits[0].1, &fits[1].1]);
        let pays = COST * shadowed < raw;
        let shadowing = pays.then(|| {
            let half = QUANTILE / PART_OF_MARGIN;
            let needed = (half * half * shadowed) as u64;
            let for_events = (EVENTS_FOR_AN_INTERVAL / model.rarest_events(1)).ceil() as u64;
            let controls = fits.map(|(taylor, regressions)| {
                let coefficients = (0..regressions.len()).map(|index| regressions.fit(index).coefficients);
                Controls::new(taylor, coefficients.collect(), observables.times())
            });
            Shadowing { seeds: needed.max(for_events).max(LEAST_SEEDS), controls, linearization }
        });
        Some(Self { deviations, shadowing })
    }
}

/// Where the process is on average, at each record time: `x − z` has the mean of x and hardly varies.
fn centre(
    process: &dyn Process,
    observables: &Observables,
    dimension: usize,
    steps: usize,
    tick: &(dyn Fn() + Sync),
) -> Centre {
    let coordinates = Observables {
        functions: (0..dimension).map(TestFunction::Coordinate).collect(),
        flow: observables.flow.clone(),
        record_times: observables.record_times.clone(),
        eta: observables.eta,
        objective: std::sync::Arc::clone(&observables.objective),
    };
    let times = observables.times();
    let mut series = Series::default();
    let task = |paths: Range<u64>| {
        let mut series = Series::default();
        for path in paths {
            let means = observe_path(process, &coordinates, steps, PILOT_PATHS + path);
            let sums = means.shadow.len() / times;
            let unshadowed = means.functions.iter().enumerate();
            let unshadowed: Vec<f64> =
                unshadowed.map(|(index, x)| x - means.shadow[index % times * sums + index / times]).collect();
            series.push(&unshadowed);
            tick();
        }
        series
    };
    accumulate(0..CENTRE_PATHS, task, |part| series.merge(part));
    (0..times).map(|time| (0..dimension).map(|i| series.mean(i * times + time)).collect()).collect()
}

/// Every test function on its own Taylor terms.
fn regress(
    process: &dyn Process,
    observables: &Observables,
    taylor: &[Taylor],
    steps: usize,
    tick: &(dyn Fn() + Sync),
) -> Regressions {
    let times = observables.times();
    let mut regressions = Regressions::default();
    let task = |paths: Range<u64>| {
        let mut regressions = Regressions::default();
        for path in paths {
            let means = observe_path(process, observables, steps, path);
            let sums = means.shadow.len() / times;
            let observation = |(index, taylor): (usize, &Taylor)| {
                let [linear, quadratic] = taylor.terms(&means.shadow[index % times * sums..][..sums]);
                [means.functions[index], linear, quadratic]
            };
            regressions.push(taylor.iter().enumerate().map(observation));
            tick();
        }
        regressions
    };
    accumulate(0..PILOT_PATHS, task, |part| regressions.merge(part));
    regressions
}

/// The largest `variance of the gap / tolerance²` over indices with their tolerances: without and with the shadow.
/// The paths that a verdict needs are proportional to it.
fn needs(tolerances: impl Iterator<Item = (usize, f64)>, [optimizer, sde]: [&Regressions; 2]) -> [f64; 2] {
    let mut largest = [0.0f64; 2];
    for (index, tolerance) in tolerances {
        let (optimizer, sde) = (optimizer.fit(index), sde.fit(index));
        let raw = optimizer.variance + sde.variance;
        let shadowed = optimizer.residual_variance + sde.residual_variance;
        for (largest, variance) in largest.iter_mut().zip([raw, shadowed]) {
            let needed = variance / (tolerance * tolerance);
            // A tolerance of zero, or what is not finite, is nothing to size a look by, but for the worse.
            *largest = if needed.is_nan() { f64::INFINITY } else { largest.max(needed) };
        }
    }
    largest
}
