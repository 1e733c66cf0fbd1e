//! The law of the mean of B Student-t variables against convolution, stable laws and the slopes of THEORY.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::special::{MeanOfT, xi};
use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

/// What the docs promise.
const TOLERANCE: f64 = MeanOfT::ERROR;
const POINTS: [f64; 12] = [1e-6, 0.01, 0.2, 0.5, 0.9, 1.3, 2.0, 3.7, 8.0, 50.0, 1e3, 1e7];

#[test]
fn one_sample_is_student_t() {
    for dof in [1.0, 1.5, 2.0, 3.0, 4.7, 10.0, 50.0, 300.0] {
        let law = MeanOfT::new(dof, 1);
        for u in POINTS {
            assert!((law.xi(u) - xi(u, dof)).abs() < TOLERANCE, "ν = {dof}, u = {u}");
            assert_eq!(law.xi(-u), -law.xi(u));
        }
        assert_eq!(law.xi(0.0), 0.0);
    }
}

#[test]
fn the_mean_of_cauchy_variables_is_cauchy() {
    for batch_size in [2, 7, 64] {
        let law = MeanOfT::new(1.0, batch_size);
        for u in POINTS {
            assert!(
                (law.xi(u) - u.atan() / std::f64::consts::PI).abs() < TOLERANCE,
                "B = {batch_size}, u = {u}"
            );
        }
        // Averaging does nothing: the poster's model gains √B at the optimum.
        assert!((law.slope_over_scaled_t() * (batch_size as f64).sqrt() - 1.0).abs() < 1e-9);
    }
}

/// `P[t¹ + t² ≤ 2u] − 1/2 = ∫ f(x) (F(2u − x) − 1/2) dx` by the trapezoidal rule in s, x = u + sinh s: for
/// u up to 50 its nodes are 0.1 apart, or closer, around the peaks at 0 and 2u of width 1.
#[test]
fn two_samples_are_the_convolution() {
    for dof in [1.5, 3.0, 4.7, 20.0] {
        let t = StudentsT::new(0.0, 1.0, dof).unwrap();
        let law = MeanOfT::new(dof, 2);
        for u in POINTS.into_iter().filter(|u| *u <= 50.0) {
            let h = 2e-3;
            let term = |k: i32| {
                let s = f64::from(k) * h;
                let x = s.sinh() + u;
                h * s.cosh() * t.pdf(x) * (t.cdf(2.0 * u - x) - 0.5)
            };
            // Beyond sinh(25) = 4e10 there is less than 1e-14 for ν ≥ 1.5.
            let expected: f64 = (-12_500..=12_500).map(term).sum();
            assert!((law.xi(u) - expected).abs() < TOLERANCE, "ν = {dof}, u = {u}: {} {expected}", law.xi(u));
        }
    }
}

#[test]
fn slopes_of_larger_batches_fall_behind_the_posters() {
    // THEORY section 6, item 5, to the three digits it prints.
    for (batch_size, slope) in [(1, 1.0), (4, 0.805), (16, 0.713), (64, 0.669)] {
        let got = MeanOfT::new(3.0, batch_size).slope_over_scaled_t();
        assert!((got - slope).abs() < 5e-4, "B = {batch_size}: {got}");
    }
}

#[test]
fn the_posters_model_is_another_law() {
    let law = MeanOfT::new(3.0, 16);
    assert!((0..20).map(|k| 0.05 * f64::from(k)).any(|u| (law.xi(u) - xi(4.0 * u, 3.0)).abs() > 0.03));
}
