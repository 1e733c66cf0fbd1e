//! The covariance of two signs against conditional integrals, closed forms and its limits.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::special::{integrate, sign_covariance, xi};
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};
use std::f64::consts::PI;

/// `∫_{−a}^∞ f(x) P[Y > −b | X = x] dx` by Simpson's rule in s, `x = −a + s/(1 − s)²`, on 20,000 intervals.
fn orthant(a: f64, density: impl Fn(f64) -> f64, conditional: impl Fn(f64) -> f64) -> f64 {
    let n = 20_000;
    let h = 1.0 / f64::from(n);
    let term = |k: i32| {
        let s = f64::from(k) * h;
        let left = 1.0 - s;
        let x = -a + s / (left * left);
        let jacobian = (1.0 + s) / left.powi(3);
        let weight = if k == 0 {
            1.0
        } else if k % 2 == 1 {
            4.0
        } else {
            2.0
        };
        weight * density(x) * conditional(x) * jacobian
    };
    // The last term is that of an infinite x, where the integrand is 0 for ν > 1/2.
    (0..n).map(term).sum::<f64>() * h / 3.0
}

/// Cov[sign, sign] = 4(P[both > 0] − P P) from the law of Y given X: Gaussian, or t with ν + 1 degrees of freedom
/// and scale √((1 − ρ²)(ν + x²)/(ν + 1)).
fn by_conditioning(a: f64, b: f64, rho: f64, dof: f64) -> f64 {
    let left = (1.0 - rho * rho).sqrt();
    if dof == f64::INFINITY {
        let normal = Normal::new(0.0, 1.0).unwrap();
        let both = orthant(a, |x| normal.pdf(x), |x| normal.cdf((b + rho * x) / left));
        return 4.0 * (both - normal.cdf(a) * normal.cdf(b));
    }
    let (t, next) = (StudentsT::new(0.0, 1.0, dof).unwrap(), StudentsT::new(0.0, 1.0, dof + 1.0).unwrap());
    let scale = |x: f64| left * ((dof + x * x) / (dof + 1.0)).sqrt();
    let both = orthant(a, |x| t.pdf(x), |x| next.cdf((b + rho * x) / scale(x)));
    4.0 * (both - t.cdf(a) * t.cdf(b))
}

const POINTS: [(f64, f64); 8] =
    [(0.0, 0.0), (1.0, 1.0), (0.3, -0.7), (-2.0, 1.5), (3.0, 2.9), (-0.4, -4.0), (0.0, 1.0), (1.0, -1.0)];

#[test]
fn it_is_that_of_the_conditional_law() {
    for (a, b) in POINTS {
        for rho in [-0.98, -0.5, 0.0, 0.2, 0.7, 0.95] {
            for dof in [2.0, 2.5, 3.0, 10.0, 100.0, f64::INFINITY] {
                let (got, expected) = (sign_covariance(a, b, rho, dof), by_conditioning(a, b, rho, dof));
                // Simpson's rule with its 20,000 intervals, and the cdf of statrs, are good to 1e-10.
                assert!((got - expected).abs() < 2e-10, "({a}, {b}), ρ = {rho}, ν = {dof}: {got} {expected}");
            }
        }
    }
}

#[test]
fn it_has_its_closed_forms() {
    for rho in [-1.0f64, -0.999_999, -0.3, 0.0, 0.5, 1.0 - 1e-12, 1.0] {
        for dof in [0.5, 1.0, 3.0, f64::INFINITY] {
            // Sheppard: P[both > 0] = 1/4 + asin ρ/(2π) for any centred elliptical law.
            assert!(
                (sign_covariance(0.0, 0.0, rho, dof) - 2.0 * rho.asin() / PI).abs() < 1e-11,
                "{rho} {dof}"
            );
        }
    }
    // THEORY section 6, item 6: 1/12 although ρ = 0.
    assert!((sign_covariance(1.0, 1.0, 0.0, 1.0) - 1.0 / 12.0).abs() < 1e-11);
    for dof in [0.7, 1.0, 4.0, f64::INFINITY] {
        for (a, b) in POINTS {
            let (m, n) = (2.0 * xi(a, dof), 2.0 * xi(b, dof));
            // One and the same Z, or its negative.
            assert!((sign_covariance(a, b, 1.0, dof) - (1.0 - (m - n).abs() - m * n)).abs() < 1e-11);
            assert!((sign_covariance(a, b, -1.0, dof) - ((m + n).abs() - 1.0 - m * n)).abs() < 1e-11);
        }
    }
}

#[test]
fn independent_signs_are_told_from_uncorrelated_ones() {
    // At ρ = 0 Gaussian coordinates are independent; those of Student's t share a χ².
    assert_eq!(sign_covariance(1.0, 1.0, 0.0, f64::INFINITY), 0.0);
    assert!(sign_covariance(1.0, 1.0, 0.0, 10.0) > 0.005);
    // Sure signs do not vary together.
    for (a, b) in [(1e200, 0.3), (1e200, -1e200), (f64::INFINITY, 1.0)] {
        for dof in [1.0, 5.0, f64::INFINITY] {
            assert!(sign_covariance(a, b, -0.5, dof).abs() < 1e-11);
            assert!(sign_covariance(a, b, 0.5, dof).abs() < 1e-11);
        }
    }
}

#[test]
fn quadrature_is_exact_for_polynomials_and_halves_at_kinks() {
    for degree in 0..=22 {
        let got = integrate(&|x: f64| x.powi(degree), -0.5, 1.5, f64::INFINITY);
        let exact = (1.5f64.powi(degree + 1) - (-0.5f64).powi(degree + 1)) / f64::from(degree + 1);
        assert!((got - exact).abs() < 1e-14 * exact.max(1.0), "degree {degree}");
    }
    let got = integrate(&|x: f64| (x - 0.3).abs().sqrt(), 0.0, 1.0, 1e-11);
    assert!((got - (0.3f64.powf(1.5) + 0.7f64.powf(1.5)) / 1.5).abs() < 1e-11);
}
