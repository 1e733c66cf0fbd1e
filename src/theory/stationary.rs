//! Stationary laws on quadratics `f = xᵀHx/2`.

use crate::special::ell;

/// One coordinate of a diagonal quadratic under N agents: `λ`, η and N.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curvature {
    /// λ.
    pub lambda: f64,
    /// η.
    pub eta: f64,
    /// N.
    pub agents: f64,
}

/// The stationary variance of one coordinate under the SDE of DSGD, `(η/2N) Σ_jj/λ_j`; Σ over B already.
pub fn dsgd_variance(Curvature { lambda, eta, agents }: Curvature, variance: f64) -> f64 {
    eta / (2.0 * agents) * variance / lambda
}

/// The stationary variance of one coordinate under DCSGD with Rand-k or Bernoulli compression, diagonal H: of the SDE
/// and of the algorithm, `(η/2N)(1 + ω) Σ_jj/λ_j / (1 − ηωλ_j/(2N))` and
/// `ηΣ_jj(1 + ω)/(Nλ_j(2 − ηλ_j(1 + ω/N)))`. None where it is not stable.
pub fn dcsgd_variance(at: Curvature, variance: f64, omega: f64) -> [Option<f64>; 2] {
    let Curvature { lambda, eta, agents } = at;
    let sde_damping = 1.0 - eta * omega * lambda / (2.0 * agents);
    let sde = dsgd_variance(at, variance) * (1.0 + omega) / sde_damping;
    let damping = 2.0 - eta * lambda * (1.0 + omega / agents);
    let algorithm = eta * variance * (1.0 + omega) / (agents * lambda * damping);
    [(sde_damping > 0.0).then_some(sde), (damping > 0.0).then_some(algorithm)]
}

/// The stationary variance of one coordinate under DSignSGD with noise `S t_ν`, diagonal S, to leading order in η:
/// `(η/2N) S/(λℓ_ν)`.
pub fn dsignsgd_variance(at: Curvature, scale: f64, dof: f64) -> f64 {
    dsgd_variance(at, scale) / ell(dof)
}

/// The same in one dimension to the next order: with `s = ηλ/(2Nσℓ)`, the SDE's is `1 + s((ν + 1)/(2ν) − ℓ²)` times
/// the leading order, the algorithm's `sNℓ²` more.
pub fn dsignsgd_variance_1d(at: Curvature, scale: f64, dof: f64) -> [f64; 2] {
    let ell = ell(dof);
    let s = at.eta * at.lambda / (2.0 * at.agents * scale * ell);
    let flattening = if dof.is_finite() { (dof + 1.0) / (2.0 * dof) } else { 0.5 };
    let sde = 1.0 + s * (flattening - ell * ell);
    let leading = dsignsgd_variance(at, scale, dof);
    [leading * sde, leading * (sde + s * at.agents * ell * ell)]
}
