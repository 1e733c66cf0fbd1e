//! Each allowance on its own: what it explains is no contradiction, and a little more is one.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use super::{Contradiction, FALSE_ALARM, contradictions};
use crate::ensemble::{BLOCK, Estimates, Observables, TestFunction};
use crate::exact::{Exact, Table, Unknown, Value};
use crate::objective::ObjectiveParameters;
use crate::stats::Series;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Blocks of each process.
const BLOCKS: usize = 100;

/// x[0] at t = 0 and at t = 1.
fn observables() -> Observables {
    let objective = toml::from_str::<ObjectiveParameters>("quadratic = { eigenvalues = [1.0] }").unwrap();
    Observables {
        projections: None,
        functions: vec![TestFunction::Coordinate(0)],
        flow: vec![vec![1.0]; 2],
        record_times: vec![0.0, 1.0],
        eta: 0.1,
        objective: objective.build().unwrap(),
    }
}

/// x[0] = 1 at t = 0; at t = 1 a mean with a standard error.
fn series(mean: f64, standard_error: f64) -> Series {
    let mut series = Series::default();
    let deviation = standard_error * (BLOCKS as f64 - 1.0).sqrt();
    for block in 0..BLOCKS {
        let sign = if block % 2 == 0 { 1.0 } else { -1.0 };
        series.push(&[1.0, mean + sign * deviation]);
    }
    series
}

/// What was sampled, and what is exact, at t = 1.
struct Case {
    /// By the paths, of both processes.
    sampled: f64,
    standard_error: f64,
    /// The SDE with m steps minus that with 2m.
    refinement: f64,
    /// Of the integrator.
    weak_order: u32,
    exact: f64,
    /// Of the exact expectation.
    error: f64,
    /// The exact expectation at t = 0, the largest over time.
    largest: f64,
}

const AGREES: Case = Case {
    sampled: 0.5,
    standard_error: 1e-9,
    refinement: 0.0,
    weak_order: 1,
    exact: 0.5,
    error: 0.0,
    largest: 1.0,
};

impl Case {
    fn found_by(&self, process: &'static str) -> Vec<Contradiction> {
        let series = series(self.sampled, self.standard_error);
        let mut refinement = Series::default();
        (0..BLOCKS / 4).for_each(|_| refinement.push(&[0.0, self.refinement]));
        let estimates = Estimates { optimizer: series.clone(), sde: series.clone(), gap: series, refinement };
        let start = Value { value: self.largest, error: 1.0 };
        let table: Table = vec![Some(vec![start, Value { value: self.exact, error: self.error }])];
        let unknown = || Err(Unknown::because("not asked for"));
        let exact = match process {
            "optimizer" => Exact { optimizer: Ok(table), sde: unknown() },
            _ => Exact { optimizer: unknown(), sde: Ok(table) },
        };
        contradictions(&estimates, &observables(), &exact, self.weak_order, FALSE_ALARM)
    }

    /// Whether, besides what paths may miss, a difference of `allowed` passes and one of a hundredth more does not, on
    /// either side.
    fn is_allowed_up_to(&self, process: &'static str, allowed: f64) -> bool {
        [-1.0, 1.0].into_iter().all(|side| {
            let off_by = |difference: f64| Self { exact: self.sampled + side * difference, ..*self };
            let missed = self.largest * missed();
            off_by(missed + 0.99 * allowed).found_by(process).is_empty()
                && off_by(missed + 1.01 * allowed).found_by(process).len() == 1
        })
    }
}

/// The probability of an event that all paths miss with the probability 1e-9/8, the share of one of eight limits.
fn missed() -> f64 {
    -(1e-9f64 / 8.0).ln() / (BLOCKS * BLOCK) as f64
}

/// The Student-t quantile that sampling is judged by: of the four limits (two processes, two sides) at each of the two
/// times, each is spent an equal share of 1e-9, half of it on sampling.
fn quantile() -> f64 {
    StudentsT::new(0.0, 1.0, BLOCKS as f64 - 1.0).unwrap().inverse_cdf(1.0 - 1e-9 / 16.0)
}

#[test]
fn sampling_errors_are_explained_up_to_their_quantile() {
    let case = Case { standard_error: 1e-3, ..AGREES };
    for process in ["optimizer", "sde"] {
        assert!(case.is_allowed_up_to(process, 1e-3 * quantile()), "{}", quantile());
    }
}

#[test]
fn all_false_alarms_together_have_the_stated_probability() {
    let case = Case { standard_error: 1e-3, exact: 0.6, ..AGREES };
    let [ref found] = case.found_by("optimizer")[..] else { panic!("one contradiction") };
    let errors = (found.explained.unwrap() - missed()) / 1e-3;
    let tail = StudentsT::new(0.0, 1.0, BLOCKS as f64 - 1.0).unwrap().sf(errors);
    // Eight limits spend half of the rate on sampling; the quantile is found to a millionth.
    assert!((8.0 * tail / 0.5e-9 - 1.0).abs() < 1e-3, "{:e}", 8.0 * tail);
}

#[test]
fn the_integrators_bias_is_explained_up_to_six_differences_and_only_of_the_sde() {
    // Four times the limit of what the paths extrapolate to, which is 1.5 times the difference.
    let case = Case { refinement: 1e-3, ..AGREES };
    assert!(case.is_allowed_up_to("sde", 6e-3));
    assert_eq!(Case { exact: 0.505, ..case }.found_by("optimizer").len(), 1);
    // A scheme of weak order 2 is off by a third of the difference.
    assert!(Case { weak_order: 2, ..case }.is_allowed_up_to("sde", 2e-3));
}

#[test]
fn where_steps_are_too_long_for_the_bias_the_sde_contradicts_nothing() {
    // A tenth of the mean is 0.05; far beyond six differences.
    let case = Case { exact: 10.0, ..AGREES };
    assert_eq!(Case { refinement: 0.049, ..case }.found_by("sde").len(), 1);
    assert_eq!(Case { refinement: -0.049, ..case }.found_by("sde").len(), 1);
    assert!(Case { refinement: 0.051, ..case }.found_by("sde").is_empty());
    assert!(Case { refinement: -0.051, ..case }.found_by("sde").is_empty());
    assert_eq!(Case { refinement: 0.051, ..case }.found_by("optimizer").len(), 1);
}

#[test]
fn numerical_errors_are_explained() {
    for process in ["optimizer", "sde"] {
        assert!(Case { error: 0.1, ..AGREES }.is_allowed_up_to(process, 0.1));
    }
}

#[test]
fn what_so_many_paths_may_all_miss_is_explained() {
    // It happens to none of the paths with the probability (1 − p)^6400, about 1e-9/8.
    let nobody = (1.0 - missed()).powi(6400);
    assert!((nobody / (1e-9 / 8.0) - 1.0).abs() < 0.05, "{nobody:e}");
    for process in ["optimizer", "sde"] {
        let off_by = |share: f64| Case { exact: 0.5 + share * 100.0 * missed(), largest: 100.0, ..AGREES };
        assert!(off_by(0.99).found_by(process).is_empty());
        assert_eq!(off_by(1.01).found_by(process).len(), 1);
    }
}

#[test]
fn paths_that_all_agree_contradict_nothing() {
    for process in ["optimizer", "sde"] {
        assert!(Case { standard_error: 0.0, exact: 0.6, ..AGREES }.found_by(process).is_empty());
        assert_eq!(Case { exact: 0.6, ..AGREES }.found_by(process).len(), 1);
    }
}

#[test]
fn what_is_not_a_number_is_a_contradiction() {
    assert_eq!(Case { error: f64::NAN, ..AGREES }.found_by("optimizer").len(), 1);
}
