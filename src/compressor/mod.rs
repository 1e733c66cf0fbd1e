//! Unbiased compressors C: one file each.

mod bernoulli;
mod identity;
mod rand_k;

use crate::covariance::Covariance;
use crate::parameter::registry;
use crate::random::Stream;

pub use identity::Identity;

/// A random map with `E C(g) = g` and `E‖C(g) − g‖² ≤ ω‖g‖²`.
pub trait Compressor: Send + Sync {
    /// `g ← C(g)`.
    fn apply(&self, g: &mut [f64], stream: &mut Stream);

    /// The compression rate ω, the smallest with `E‖C(g) − g‖² ≤ ω‖g‖²`.
    fn omega(&self) -> f64;

    /// Roughly the operations, of about a nanosecond, that applying it or the law of its error takes in
    /// dimension `d`.
    fn operations(&self, dimension: usize) -> f64 {
        10.0 * dimension as f64
    }

    /// The probability of the rarer of the two outcomes of a coordinate, kept or dropped; 1 where only
    /// one is possible. Rare outcomes carry variance that few draws do not show.
    fn rarest_outcome(&self) -> f64;

    /// Whether C is a random linear map, `C(g) = M g` with M independent of g. Then `E[Φ Φᵀ]` is linear in
    /// `E[g gᵀ]`, and depends on nothing else of the law of g.
    fn is_linear(&self) -> bool {
        false
    }

    /// `out += weight · E[Φ Φᵀ]` with `Φ = C(g) − g` (Theorem 1), exactly, for a random g of mean `v`
    /// and covariance `sigma`.
    fn add_error_covariance(&self, weight: f64, v: &[f64], sigma: &Covariance, out: &mut Covariance);
}

registry! {
    /// The compressors by their names in scenarios.
    CompressorParameters builds Box<dyn Compressor>, from (dimension: usize) by build (dimension):
    "identity" => Identity(identity::Parameters),
    "rand_k" => RandK(rand_k::Parameters),
    "bernoulli" => Bernoulli(bernoulli::Parameters),
}
