//! From random words to random numbers, a fixed number of words each, so that many paths draw side by side.
//!
//! A word comes as its high 52 bits, the fraction of a number in [1, 2).

use crate::special::elementary::{exp_m1, log, sin_cos, sin_pi};
use std::f64::consts::FRAC_PI_2;

/// 2⁻⁵³.
const HALF_SPACING: f64 = 1.0 / (1u64 << 53) as f64;

/// A word as a number in [1, 2).
#[inline(always)]
pub(super) fn number(word: u64) -> f64 {
    f64::from_bits((word >> 12) | 1.0f64.to_bits())
}

/// Uniform on the open interval (0, 1): odd multiples of 2⁻⁵³.
#[inline(always)]
pub(super) fn uniform(number: f64) -> f64 {
    number - (1.0 - HALF_SPACING)
}

/// `√(−2σ² log u)` for the factor −2σ², the distance from 0 of a pair of independent Gaussians of variance σ² (Box and Muller
/// 1958). At most 8.57σ; what the law has beyond is 1e-17.
#[inline(always)]
pub(super) fn radius_of_gaussians(factor: f64, number: f64) -> f64 {
    (factor * log(uniform(number))).sqrt()
}

/// The two Gaussians of a pair at this distance, at a uniform angle.
#[inline(always)]
pub(super) fn gaussians(radius: f64, number: f64) -> (f64, f64) {
    // Three bits are for the axis and the signs; 49 for an angle of up to an eighth of a turn to both sides of the axis.
    let bits = number.to_bits();
    let angle = f64::from_bits(bits & !7 | 4) - 1.5;
    let (sin, cos) = sin_cos(angle * FRAC_PI_2);
    let (first, second) = if bits & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let signed = |value: f64, bit: u32| f64::from_bits(value.to_bits() ^ (bits >> bit << 63));
    (radius * signed(first, 1), radius * signed(second, 2))
}

/// `−(2/ν) log u`, from which [`radius_of_student_t`] is made.
#[inline(always)]
pub(super) fn exponent_of_student_t(inverse_dof: f64, number: f64) -> f64 {
    -2.0 * inverse_dof * log(uniform(number))
}

/// `√(ν (u^{−2/ν} − 1))`, the distance from 0 of a pair with the spherical Student-t law (Bailey 1994). At most `√ν 2^{53/ν}`, or
/// 1e154√ν where that is more; what t has beyond is 1e-16, or rounds to it.
#[inline(always)]
pub(super) fn radius_of_student_t(dof: f64, exponent: f64) -> f64 {
    (dof * exp_m1(exponent)).sqrt()
}

/// One coordinate at this distance, at a uniform angle.
#[inline(always)]
pub(super) fn at_uniform_angle(radius: f64, number: f64) -> f64 {
    radius * sin_pi(number - (1.5 - HALF_SPACING))
}
