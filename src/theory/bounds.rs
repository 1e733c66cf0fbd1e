//! Theorems 3 and 4: bounds of the expected loss along the SDEs.

use crate::special::{ell, xi};

/// What is known of f: it is μ-PL, `‖∇f(x)‖² ≥ 2μ(f(x) − f*)`, and L-smooth, in d dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landscape {
    /// μ.
    pub mu: f64,
    /// L.
    pub smoothness: f64,
    /// d.
    pub dimension: usize,
}

/// `(f(X_0) − f*) e^{−2μΔt} + (1 − e^{−2μΔt}) · floor`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossBound {
    /// `f(X_0) − f*`.
    pub initial: f64,
    /// `2μΔ`.
    pub rate: f64,
    /// What it tends to.
    pub floor: f64,
}

impl LossBound {
    /// The bound of `E f(X_t) − f*`.
    pub fn at(&self, t: f64) -> f64 {
        let left = libm::exp(-self.rate * t);
        self.initial * left - libm::expm1(-self.rate * t) * self.floor
    }
}

/// Which Δ Theorem 3 is taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delta {
    /// `1 − ηL²ω/(2μN)`, as printed.
    Printed,
    /// `1 − ηLω/(2N)`, which holds as well and is larger unless μ = L: the compression noise enters the loss through
    /// `(L/2)(η/N) ω ‖∇f‖²`, against `−‖∇f‖²` of the drift, before `‖∇f‖² ≥ 2μ(f − f*)` is used at all.
    Tight,
}

/// Theorem 3, DCSGD: `Tr Σ_i ≤ dσ²`, batch size B, compressors with `E‖C(v) − v‖² ≤ ω‖v‖²`, N homogeneous agents. The
/// floor is `(ηLd/(4μN)) (σ²/B) (1 + ω)/Δ`. None where Δ is not above 0.
pub fn theorem_3(
    landscape: Landscape,
    initial: f64,
    eta: f64,
    agents: usize,
    variance_over_batch: f64,
    omega: f64,
    delta: Delta,
) -> Option<LossBound> {
    let Landscape { mu, smoothness, dimension } = landscape;
    let n = agents as f64;
    let delta = match delta {
        Delta::Printed => 1.0 - eta * smoothness * smoothness * omega / (2.0 * mu * n),
        Delta::Tight => 1.0 - eta * smoothness * omega / (2.0 * n),
    };
    let floor =
        eta * smoothness * dimension as f64 / (4.0 * mu * n) * variance_over_batch * (1.0 + omega) / delta;
    (delta > 0.0).then_some(LossBound { initial, rate: 2.0 * mu * delta, floor })
}

/// Where Theorem 4 is taken to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regime {
    /// Everywhere, as printed: false far from the optimum, since `2Ξ(u) ≤ ℓ_ν u`.
    Printed,
    /// As long as `‖S⁻¹∇f‖_∞ ≤ R`, where `2Ξ_ν(u) ≥ (2Ξ_ν(R)/R) u`.
    Within(f64),
}

/// Theorem 4, DSignSGD with noise `(σ/√B) t_ν`: as Theorem 3, with `Δ = ℓ_ν√B/σ` and the floor
/// `(ηLd/(4μN)) (σ/√B)/ℓ_ν`; within R, with `2Ξ_ν(R)/R` in place of ℓ_ν.
pub fn theorem_4(
    landscape: Landscape,
    initial: f64,
    eta: f64,
    agents: usize,
    scale_over_root_batch: f64,
    dof: f64,
    regime: Regime,
) -> LossBound {
    let Landscape { mu, smoothness, dimension } = landscape;
    let slope = match regime {
        Regime::Printed => ell(dof),
        Regime::Within(reach) => 2.0 * xi(reach, dof) / reach,
    };
    let delta = slope / scale_over_root_batch;
    let floor = eta * smoothness * dimension as f64 / (4.0 * mu * agents as f64) / delta;
    LossBound { initial, rate: 2.0 * mu * delta, floor }
}
