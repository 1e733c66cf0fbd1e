//! Ξ against values of an independent implementation, closed forms, and its properties.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::special::{sign, xi};
use proptest::prelude::*;

/// Relative error allowed: the reference values carry about 15 digits, and libm's lgamma loses up to
/// two of ours where the continued fraction is used.
const TOLERANCE: f64 = 1e-13;

#[test]
fn xi_matches_the_reference() {
    let table: serde_json::Value = serde_json::from_str(include_str!("reference/xi.json")).unwrap();
    let entries = table["xi"].as_array().unwrap();
    assert!(entries.len() > 30);
    for entry in entries {
        let dof = entry["dof"].as_f64().unwrap_or(f64::INFINITY);
        let (u, expected) = (entry["u"].as_f64().unwrap(), entry["xi"].as_f64().unwrap());
        let got = xi(u, dof);
        assert!(
            (got - expected).abs() <= TOLERANCE * expected.abs(),
            "Ξ_{dof}({u}) = {got}, expected {expected}"
        );
    }
}

/// `∫_0^u φ` by Simpson's rule on 20,000 intervals, whose error is below 1e-15 here.
fn gaussian_mass(u: f64) -> f64 {
    let end = u.clamp(-12.0, 12.0);
    let n = 20_000;
    let h = end / f64::from(n);
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let weight = |k: i32| {
        if k == 0 || k == n {
            1.0
        } else if k % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    (0..=n).map(|k| weight(k) * density(f64::from(k) * h)).sum::<f64>() * h / 3.0
}

#[test]
fn xi_has_its_closed_forms() {
    for u in [-30.0, -1.7, -1e-9, 0.0, 1e-3, 0.4, 2.0, 1e7] {
        let close = |got: f64, expected: f64| {
            assert!((got - expected).abs() <= TOLERANCE * expected.abs(), "{u}: {got} {expected}")
        };
        close(xi(u, 1.0), u.atan() / std::f64::consts::PI);
        close(xi(u, 2.0), u / (2.0 * (2.0 + u * u).sqrt()));
        close(xi(u, f64::INFINITY), gaussian_mass(u));
    }
}

#[test]
fn the_finite_sum_continues_the_continued_fraction() {
    // An integer ν takes the finite sum, its neighbours the continued fraction: Ξ is smooth in ν.
    for dof in [1.0, 2.0, 3.0, 4.0, 7.0, 10.0, 33.0, 64.0] {
        for u in [0.01, 0.5, 1.0, 3.0, 20.0] {
            let h = 1e-6;
            let mean = 0.5 * (xi(u, dof - h) + xi(u, dof + h));
            // The mean of the neighbours is off by h²/2 of the second derivative in ν, below 1e-12.
            assert!((xi(u, dof) - mean).abs() < 2e-12, "ν = {dof}, u = {u}");
        }
    }
}

proptest! {
    #[test]
    fn xi_is_odd_increasing_and_within_one_half(u in -1e3f64..1e3, step in 1e-3f64..1.0, dof in 0.5f64..300.0) {
        prop_assert_eq!(xi(-u, dof), -xi(u, dof));
        prop_assert!(xi(u, dof) < xi(u + step * u.abs().max(1e-3), dof) || xi(u, dof).abs() > 0.499_999);
        prop_assert!(xi(u, dof).abs() <= 0.5);
    }

    #[test]
    fn xi_of_many_degrees_of_freedom_is_gaussian(u in -6f64..6.0) {
        // F_ν − Φ = −φ(u)(u³ + u)/(4ν) + O(1/ν²).
        let dof = 1e6;
        let density = (-0.5 * u * u).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let expected = xi(u, f64::INFINITY) - density * (u * u * u + u) / (4.0 * dof);
        prop_assert!((xi(u, dof) - expected).abs() < 1e-9);
    }
}

#[test]
fn very_many_degrees_of_freedom_keep_their_precision() {
    for u in [1e-8, 0.3, 1.0, 2.5, 6.0, 40.0] {
        // Both sides of the change to the expansion at ν = 1e6 agree to its next term, and the limit is Gaussian.
        let (below, above) = (xi(u, 999_999.0), xi(u, 1_000_001.0));
        assert!((below - above).abs() <= 2e-12 * above, "{u}: {below} {above}");
        for dof in [1e12, 1e16, 1e300] {
            assert!((xi(u, dof) - xi(u, f64::INFINITY)).abs() <= 1e-12 * xi(u, f64::INFINITY));
        }
    }
}

#[test]
fn extreme_arguments_saturate() {
    for dof in [0.5, 1.0, 2.0, 3.0, 4.5, 100.0, f64::INFINITY] {
        assert!((xi(1e300, dof) - 0.5).abs() < 1e-12);
        assert_eq!(xi(f64::INFINITY, dof), -xi(f64::NEG_INFINITY, dof));
        assert!(xi(f64::NAN, dof).is_nan());
        assert_eq!(xi(0.0, dof), 0.0);
    }
}

#[test]
fn the_sign_of_zero_is_zero() {
    assert_eq!([sign(-2.0), sign(0.0), sign(-0.0), sign(1e-300)], [-1.0, 0.0, 0.0, 1.0]);
    assert!(sign(f64::NAN).is_nan());
}
