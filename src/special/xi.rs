//! Ξ_ν, the centred distribution function of Student's t (Theorem 2).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, PI};

/// Largest integer number of degrees of freedom for which the finite trigonometric sum is used.
const LARGEST_FINITE_SUM: f64 = 64.0;

/// Beyond this number of degrees of freedom Ξ_ν is the Gaussian Ξ with its first correction in 1/ν.
const NEARLY_GAUSSIAN: f64 = 1e6;

/// Beyond this `|u|/√ν` both `u²` would overflow and Ξ is ±1/2 to the last bit for every ν ≥ 0.5.
const SATURATED: f64 = 1e150;

/// `Ξ_ν(u) = F_{t_ν}(u) − 1/2`, with `dof = ∞` for the Gaussian (Theorem 2).
///
/// Integer ν up to 64 by the finite sums of Abramowitz and Stegun 26.7.3–4, whose terms all have one
/// sign, so that the relative error stays at a few units in the last place; other ν by the continued
/// fraction of the incomplete beta function (relative error below 1e-12 for |u| up to 1e3), and from
/// ν = 1e6 on by the expansion of Abramowitz and Stegun 26.7.8, `Φ − φ(u)(u³ + u)/(4ν)`, whose next
/// term is below 1e-12.
pub fn xi(u: f64, dof: f64) -> f64 {
    if dof == f64::INFINITY {
        return 0.5 * libm::erf(u * FRAC_1_SQRT_2);
    }
    if dof > NEARLY_GAUSSIAN {
        let density = libm::exp(-0.5 * u * u) * (FRAC_2_PI * 0.25).sqrt();
        let correction = if density == 0.0 { 0.0 } else { density * (u * u * u + u) / (4.0 * dof) };
        return xi(u, f64::INFINITY) - correction;
    }
    let t = (u / dof.sqrt()).clamp(-SATURATED, SATURATED);
    if dof <= LARGEST_FINITE_SUM && dof.fract() == 0.0 {
        finite_sum(t, dof as u32)
    } else {
        0.5 * incomplete_beta_half(t, 0.5 * dof).copysign(t)
    }
}

/// Abramowitz and Stegun 26.7.3 (odd ν) and 26.7.4 (even ν), with `θ = atan(u/√ν)`.
fn finite_sum(t: f64, dof: u32) -> f64 {
    let cos_squared = 1.0 / (1.0 + t * t);
    let cos = cos_squared.sqrt();
    let sin = t * cos;
    let odd = dof % 2 == 1;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..(dof / 2).max(1) {
        let (numerator, denominator) = if odd { (2 * k, 2 * k + 1) } else { (2 * k - 1, 2 * k) };
        term *= cos_squared * f64::from(numerator) / f64::from(denominator);
        sum += term;
    }
    let probability_within = match (odd, dof) {
        (true, 1) => FRAC_2_PI * libm::atan(t),
        (true, _) => FRAC_2_PI * (libm::atan(t) + sin * cos * sum),
        (false, _) => sin * sum,
    };
    0.5 * probability_within
}

/// Regularised incomplete beta function `I_x(1/2, b)` at `x = t²/(1 + t²)`.
fn incomplete_beta_half(t: f64, b: f64) -> f64 {
    let a = 0.5;
    let t_squared = t * t;
    if t_squared == 0.0 {
        // I_x ~ x^{1/2} Γ(b + 1/2)/(Γ(3/2) Γ(b)) for small x.
        return 2.0 * t.abs() * gamma_ratio(b) / PI.sqrt();
    }
    let x = t_squared / (1.0 + t_squared);
    let complement = 1.0 / (1.0 + t_squared);
    // x^a (1 − x)^b / B(a, b), with B(1/2, b) = √π Γ(b)/Γ(b + 1/2).
    let front = libm::exp(-b * libm::log1p(t_squared)) * x.sqrt() * gamma_ratio(b) / PI.sqrt();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(a, b, x) / a
    } else {
        1.0 - front * continued_fraction(b, a, complement) / b
    }
}

/// `Γ(b + 1/2)/Γ(b)`: for large b, where the logarithms cancel, by its asymptotic series (its next
/// term, 399/(262144 b⁵), is below 2e-13 for b = 100).
fn gamma_ratio(b: f64) -> f64 {
    if b < 100.0 {
        return libm::exp(libm::lgamma(b + 0.5) - libm::lgamma(b));
    }
    let r = 1.0 / b;
    b.sqrt() * (1.0 + r * (-1.0 / 8.0 + r * (1.0 / 128.0 + r * (5.0 / 1024.0 - r * 21.0 / 32768.0))))
}

/// Continued fraction 26.5.8 of Abramowitz and Stegun for the incomplete beta function, by the
/// modified Lentz method. It converges in O(√max(a, b)) terms on the side where it is called.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            factor = c * d;
            fraction *= factor;
        }
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}
