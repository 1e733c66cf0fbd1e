//! Ξ against values of an independent implementation, closed forms, and its properties.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::special::{ell, sign, twice_xi, upper_tail, xi, xi_derivative, xi_inverse};
use proptest::prelude::*;

/// Relative error allowed: the continued fraction loses up to three digits of sixteen, for ν near 1e5.
const TOLERANCE: f64 = 1e-13;

fn assert_close(name: &str, got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance * expected.abs(), "{name} = {got:e}, expected {expected:e}");
}

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

/// `1/2 − Ξ` is continuous where the tail becomes its leading term, at u/√ν = 1e10.
#[test]
fn the_tail_continues() {
    for dof in [0.02, 0.1, 0.3, 0.45] {
        let edge = 1e10 * f64::sqrt(dof);
        let (inside, outside) = (0.5 - xi(edge * 0.999, dof), 0.5 - xi(edge * 1.001, dof));
        assert!((inside / outside / (1.001f64 / 0.999).powf(dof) - 1.0).abs() < 1e-9, "ν = {dof}");
    }
}

/// Ξ and Ξ′ for ν from 0.5 to ∞ and u from 1e-8 to 1e8, as a positive series of the incomplete beta function
/// (2F1(a + b, 1; a + 1; x), on the side where x < 1/2) and its constants summed with 40 digits in mpmath.
#[test]
fn xi_and_its_derivative_match_a_dense_table() {
    let table: serde_json::Value = serde_json::from_str(include_str!("reference/xi_dense.json")).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert!(rows.len() > 20);
    for row in rows {
        let dof = row["dof"].as_f64().unwrap_or(f64::INFINITY);
        for (index, u) in table["u"].as_array().unwrap().iter().map(number).enumerate() {
            assert_close(&format!("Ξ_{dof}({u})"), xi(u, dof), number(&row["xi"][index]), TOLERANCE);
            let density = number(&row["density"][index]);
            // The exponent, up to 700, is rounded before it is exponentiated: two ulps of it, and of what surrounds it.
            let tolerance = 4.0 * f64::EPSILON * (2.0 + (-density.ln()).clamp(0.0, 700.0));
            let got = xi_derivative(u, dof);
            assert!(
                (got - density).abs() <= tolerance * density + 1e-299,
                "Ξ′_{dof}({u}) = {got:e}, {density:e}"
            );
        }
    }
}

/// The same series with 40 digits; where the lower side converges better, 180 digits less what 1/2 − Ξ cancels.
#[test]
fn tails_keep_their_digits() {
    let table: serde_json::Value = serde_json::from_str(include_str!("reference/tails.json")).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    for row in table["rows"].as_array().unwrap() {
        let dof = row["dof"].as_f64().unwrap_or(f64::INFINITY);
        for (u, expected) in table["u"].as_array().unwrap().iter().zip(row["tail"].as_array().unwrap()) {
            let (u, expected) = (number(u), number(expected));
            if expected < 1e-290 {
                continue; // exp underflows
            }
            let of_fisher = if dof > 1e5 { u.powi(12) / (100.0 * dof.powi(3)) } else { 0.0 };
            assert_close(&format!("P[t_{dof} > {u}]"), upper_tail(u, dof), expected, 1e-12 + of_fisher);
        }
    }
    assert!((0.5 - xi(1e3, 8.0)) / upper_tail(1e3, 8.0) != 1.0, "the difference has lost its digits");
}

#[test]
fn ell_matches_the_reference() {
    let table: serde_json::Value = serde_json::from_str(include_str!("reference/xi.json")).unwrap();
    for entry in table["ell"].as_array().unwrap() {
        let dof = entry["dof"].as_f64().unwrap_or(f64::INFINITY);
        assert_close(&format!("ℓ_{dof}"), ell(dof), entry["ell"].as_f64().unwrap(), 1e-14);
    }
}

/// The check has teeth: the standard normal's ℓ, or ℓ/2, is not that of t₃.
#[test]
fn another_ell_is_noticed() {
    assert!((ell(f64::INFINITY) / ell(3.0) - 1.0).abs() > 0.08);
    assert!((xi_derivative(0.0, 3.0) / ell(3.0) - 0.5).abs() < 1e-15);
}

#[test]
fn xi_inverse_has_its_closed_forms() {
    for p in [-0.499, -0.3, -1e-12, 0.0, 1e-300, 0.01, 0.25, 0.4, 0.4999] {
        let p: f64 = p;
        // Ξ is flat near 1/2: the last digit of p moves u by ε/(2Ξ′), relative ε/(1/2 − |p|) for ν = 1 and less for others.
        let tolerance = 8.0 * f64::EPSILON / (0.5 - p.abs());
        assert_close("ν = 1", xi_inverse(p, 1.0), (std::f64::consts::PI * p).tan(), tolerance);
        assert_close("ν = 2", xi_inverse(p, 2.0), 2.0 * p * (2.0 / (1.0 - 4.0 * p * p)).sqrt(), tolerance);
    }
    // The 97.5 % points of the tables, to the digits they print.
    for (dof, point) in
        [(1.0, 12.706_204_74), (5.0, 2.570_581_84), (30.0, 2.042_272_46), (f64::INFINITY, 1.959_963_985)]
    {
        assert!((xi_inverse(0.475, dof) - point).abs() < 1e-8, "ν = {dof}");
    }
    assert_eq!([0.5, -0.5].map(|p| xi_inverse(p, 3.0)), [f64::INFINITY, f64::NEG_INFINITY]);
    assert!(xi_inverse(0.51, 3.0).is_nan() && xi_inverse(f64::NAN, 3.0).is_nan());
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
    fn xi_tends_to_one_half(dof in 0.5f64..1e4) {
        // 1/2 − Ξ is below ℓ ν^{ν/2} u^{−ν}/2 < u^{−1/2} here.
        prop_assert!((xi(1e150, dof) - 0.5).abs() < 1e-70);
        prop_assert!((xi(1e-150, dof) / 1e-150 - xi_derivative(0.0, dof)).abs() < 1e-15);
    }

    #[test]
    fn the_derivative_is_that_of_differences(u in -20f64..20.0, dof in 0.5f64..2e5) {
        // Richardson's combination of two central differences: h⁴ of the fifth derivative, and rounding of Ξ over h.
        let h = 1e-2;
        let central = |h: f64| (xi(u + h, dof) - xi(u - h, dof)) / (2.0 * h);
        let difference = (4.0 * central(0.5 * h) - central(h)) / 3.0;
        prop_assert!((difference - xi_derivative(u, dof)).abs() < 5e-9, "{} {}", difference, xi_derivative(u, dof));
    }

    #[test]
    fn the_inverse_inverts(p in -0.5f64..0.5, exponent in 0f64..12.0, dof in 0.5f64..2e5) {
        let p = p * 10f64.powf(-exponent);
        let u = xi_inverse(p, dof);
        // Ξ is known to TOLERANCE, u to two ulps, and u Ξ′(u) ≤ Ξ(u).
        prop_assert!((xi(u, dof) - p).abs() <= 2.0 * TOLERANCE * p.abs(), "Ξ({}) = {} for {}", u, xi(u, dof), p);
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
        // Both sides of the change to the expansion at ν = 1e5 agree within 1e-13 and what ν does (u³/(4ν²) · 2e-3).
        let (below, above) = (xi(u, 99_999.999), xi(u, 100_000.001));
        assert!((below - above).abs() <= 3e-13 * above, "{u}: {below} {above}");
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
    // Half of the mass of t_0.01 is beyond 1e29, a part of it beyond all numbers.
    assert!((0.5 - xi(1e200, 0.01)).abs() > 4e-3 && xi(1e200, 0.01) > xi(1e199, 0.01));
    assert_eq!(xi_inverse(0.499_999, 0.01), f64::INFINITY);
    assert!((xi(xi_inverse(0.4, 0.01), 0.01) - 0.4).abs() < 1e-12);
}

#[test]
fn the_sign_of_zero_is_zero() {
    assert_eq!([sign(-2.0), sign(0.0), sign(-0.0), sign(1e-300)], [-1.0, 0.0, 0.0, 1.0]);
    assert!(sign(f64::NAN).is_nan());
}

/// Of many arguments at once, over all magnitudes: beyond 1e10 Ξ is that of its tail, which shares nothing with the sums.
#[test]
fn means_of_signs_are_twice_xi() {
    for dof in [0.7, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 64.0, 65.0, f64::INFINITY] {
        let v: Vec<f64> = (-200..=400)
            .flat_map(|k| [1.1, -0.7].map(|size| size * 10f64.powf(0.1 * f64::from(k))))
            .collect();
        let mut out = vec![0.0; v.len()];
        twice_xi(&v, &[2.5], dof, &mut out);
        for (v, twice) in v.iter().zip(&out) {
            assert_close(&format!("2Ξ_{dof}({v}/2.5)"), *twice, 2.0 * xi(v / 2.5, dof), 2e-15);
        }
    }
    let mut out = [0.0; 4];
    twice_xi(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0], &[1.0], 3.0, &mut out);
    assert!(out[0].is_nan() && out[1] == 1.0 && out[2] == -1.0 && out[3] == 0.0, "{out:?}");
}
