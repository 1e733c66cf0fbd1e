//! A ratio of gamma functions that the constants of Student's t are made of.

/// From here on the asymptotic series is exact to the last bit but one.
const ASYMPTOTIC: f64 = 10.0;

/// Coefficients of `w⁻²ᵏ` in `Γ(w + 3/4)/(Γ(w + 1/4) √w)`, from the Bernoulli polynomials at 3/4 and 1/4:
/// odd powers vanish by symmetry.
const SERIES: [f64; 8] = [
    1.0,
    1.0 / 64.0,
    -19.0 / 8192.0,
    631.0 / 524_288.0,
    -174_317.0 / 134_217_728.0,
    20_491_783.0 / 8_589_934_592.0,
    -7_334_801_895.0 / 1_099_511_627_776.0,
    1_858_590_154_455.0 / 70_368_744_177_664.0,
];

/// `Γ(b + 1/2)/Γ(b)` for b > 0: a difference of two `lgamma` would lose digits as b grows.
pub(super) fn gamma_ratio(b: f64) -> f64 {
    // Γ(b + 1/2)/Γ(b) = (b/(b + 1/2)) Γ(b + 3/2)/Γ(b + 1) leads up to where the series holds.
    let (mut shifted, mut numerator, mut denominator) = (b, 1.0, 1.0);
    while shifted < ASYMPTOTIC {
        numerator *= shifted;
        denominator *= shifted + 0.5;
        shifted += 1.0;
    }
    let w = shifted - 0.25;
    let inverse_square = 1.0 / (w * w);
    let series = SERIES.iter().rev().fold(0.0, |sum, coefficient| sum * inverse_square + coefficient);
    w.sqrt() * series * (numerator / denominator)
}
