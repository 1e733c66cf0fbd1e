//! The sign as DSignSGD takes it.

/// −1, 0 or 1; 0 for 0 (where `f64::signum` gives ±1), NaN for NaN.
#[inline(always)]
pub fn sign(value: f64) -> f64 {
    if value == 0.0 || value.is_nan() { value } else { 1f64.copysign(value) }
}
