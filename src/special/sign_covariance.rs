//! The covariance of two signs, by the orthant probability of a bivariate law.

use super::quadrature::integrate;
use super::xi;
use std::f64::consts::FRAC_PI_2;

/// Beyond this a sign is as good as sure; within it squares do not overflow.
const FAR: f64 = 1e75;

/// Of the integral over the angle; the covariance is 2/π of it.
const TOLERANCE: f64 = 1e-11;

/// `Cov[sign(a + Z₁), sign(b + Z₂)]` for Z bivariate Student-t with unit scales, this `correlation` and
/// ν = `dof`, or Gaussian for `dof = ∞`; the error is below 1e-11.
///
/// It is `4(P[both > 0] − P[first > 0] P[second > 0])`. By Plackett's identity (1954; for Student's t
/// Genz 2004), with ρ = sin θ, `dP/dθ = (1/2π)(1 + q/ν)^{−ν/2}`, q = (a² + b² − 2ab sin θ)/cos² θ, which is
/// integrated from an angle where P is known: ρ = 0 for the Gaussian, whose coordinates are independent
/// there, and ρ = ±1 for Student's t, whose are not.
pub fn sign_covariance(a: f64, b: f64, correlation: f64, dof: f64) -> f64 {
    let (a, b) = (a.clamp(-FAR, FAR), b.clamp(-FAR, FAR));
    let angle = libm::asin(correlation.clamp(-1.0, 1.0));
    let (start, at_start) = if dof == f64::INFINITY {
        (0.0, 0.0)
    } else {
        let end = if correlation < 0.0 { -1.0 } else { 1.0 };
        let (of_a, of_b) = (xi(a, dof), xi(b, dof));
        (end * FRAC_PI_2, end * (1.0 - 2.0 * (of_a - end * of_b).abs()) - 4.0 * of_a * of_b)
    };
    let slope = |theta: f64| density(quadratic_form(a, b, theta), dof);
    at_start + integrate(&slope, start, angle, TOLERANCE) / FRAC_PI_2
}

/// `(a² + b² − 2ab sin θ)/cos² θ = (a ∓ b)²/cos² θ ± 2ab/(1 ± sin θ)`, with the signs that do not cancel.
fn quadratic_form(a: f64, b: f64, theta: f64) -> f64 {
    let (sin, cos) = (libm::sin(theta), libm::cos(theta));
    let end = if theta < 0.0 { -1.0 } else { 1.0 };
    let difference = (a - end * b) / cos;
    difference * difference + end * 2.0 * a * b / (1.0 + end * sin)
}

fn density(form: f64, dof: f64) -> f64 {
    if dof == f64::INFINITY {
        libm::exp(-0.5 * form)
    } else {
        libm::exp(-0.5 * dof * libm::log1p(form / dof))
    }
}
