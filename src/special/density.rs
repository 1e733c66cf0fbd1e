//! Ξ_ν′, the density of Student's t, and its value at 0, from which the linear phase of DSignSGD follows.

use super::gamma_ratio::gamma_ratio;
use std::f64::consts::PI;

/// Beyond this `|u|/√ν` the 1 in `1 + u²/ν` is below rounding, and u² may overflow.
const FAR: f64 = 1e10;

/// `Ξ_ν′(u) = Γ((ν+1)/2)/(√(πν) Γ(ν/2)) · (1 + u²/ν)^{−(ν+1)/2}`, with `dof = ∞` for the Gaussian.
pub fn xi_derivative(u: f64, dof: f64) -> f64 {
    if dof == f64::INFINITY {
        return libm::exp(-0.5 * u * u) / (2.0 * PI).sqrt();
    }
    let t = u / dof.sqrt();
    let log = if t.abs() < FAR { libm::log1p(t * t) } else { 2.0 * libm::log(t.abs()) };
    0.5 * ell(dof) * libm::exp(-0.5 * (dof + 1.0) * log)
}

/// `ℓ_ν = 2Ξ_ν′(0) = 2Γ((ν+1)/2)/(√(πν) Γ(ν/2))`: `E[sign g] ≈ ℓ_ν S⁻¹∇f` where `S⁻¹∇f` is small.
pub fn ell(dof: f64) -> f64 {
    if dof == f64::INFINITY {
        return (2.0 / PI).sqrt();
    }
    2.0 * gamma_ratio(0.5 * dof) / (PI * dof).sqrt()
}
