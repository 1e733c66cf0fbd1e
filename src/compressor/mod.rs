//! Unbiased compressors C: one file each.

mod bernoulli;
mod composition;
mod dithering;
mod euclidean;
mod identity;
mod maximum;
mod natural;
mod perm_k;
mod rand_k;
mod top_k;

use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::{Invalid, registry};
use crate::random::Streams;

pub(crate) use bernoulli::keep_each;
pub use identity::Identity;

/// A random map with `E C(g) = g` and `E‖C(g) − g‖² ≤ ω‖g‖²`.
pub trait Compressor: Send + Sync {
    /// `g ← C(g)` for each of n paths, g of shape `[d, n]`, drawn from n streams.
    fn apply(&self, g: &mut [f64], streams: &mut Streams);

    /// The compression rate ω, with `E‖C(g) − g‖² ≤ ω‖g‖²` for every g; the smallest, where the compressor
    /// does not say otherwise.
    fn omega(&self) -> f64;

    /// Roughly the operations, of about a nanosecond, that applying it or the law of its error takes in
    /// dimension `d`.
    fn operations(&self, dimension: usize) -> f64 {
        10.0 * dimension as f64
    }

    /// The probability of the rarest of the two outcomes of any coordinate of `C(v)`, kept or dropped, up or
    /// down; 1 where only one is possible. Rare outcomes carry variance that few draws do not show.
    fn rarest_outcome(&self, v: &[f64]) -> f64;

    /// `out += weight · E[Φ Φᵀ]` with `Φ = C(g) − g` (Theorem 1), averaged over the law of g.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance);

    /// Whether [`Compressor::add_error_covariance`] takes the gradients of n paths at once, of shape `[d, n]`; otherwise it
    /// takes one.
    fn takes_blocks(&self) -> bool {
        false
    }

    /// What of the law of g `E[Φ Φᵀ]` depends on.
    fn needs(&self) -> Knowledge {
        Knowledge::Moments
    }

    /// p, where every coordinate is either kept and scaled by 1/p, with probability p, or dropped.
    fn keeps(&self) -> Option<f64> {
        None
    }

    /// k, where k coordinates drawn without replacement are kept, whatever is sent.
    fn keeps_exactly(&self) -> Option<usize> {
        None
    }

    /// The number of coordinates that each agent keeps of one permutation which all agents share; none
    /// where agents compress independently of each other, as Theorem 1 assumes.
    fn shared_block(&self) -> Option<usize> {
        None
    }
}

/// What must be known of the law of a stochastic gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knowledge {
    /// Mean and covariance.
    Moments,
    /// The law of each coordinate.
    Marginals,
    /// The law of each coordinate, and that they are independent; or all atoms.
    Joint,
    /// That it is Gaussian with independent coordinates; or all atoms.
    Gaussian,
    /// All values that it can have, with their probabilities.
    Atoms,
}

registry! {
    /// The compressors by their names in scenarios.
    CompressorParameters builds Box<dyn Compressor>, from (dimension: usize) by build (dimension):
    "identity" => Identity(identity::Parameters),
    "rand_k" => RandK(rand_k::Parameters),
    "bernoulli" => Bernoulli(bernoulli::Parameters),
    "dithering" => Dithering(dithering::Parameters),
    "natural" => Natural(natural::Parameters),
    "composition" => Composition(composition::Parameters),
    "perm_k" => PermK(perm_k::Parameters),
    "top_k" => TopK(top_k::Parameters),
}

impl CompressorParameters {
    /// The compressor of the same kind whose rate ω is `factor` times that of this one in dimension `d`; an error
    /// where there is none.
    pub fn recompressed(&self, factor: f64, dimension: usize) -> Result<Self, Invalid> {
        let omega = factor * self.build(dimension)?.omega();
        match self {
            _ if factor == 1.0 => Ok(self.clone()),
            Self::RandK(_) => rand_k::Parameters::of_rate(omega, dimension).map(Self::RandK),
            Self::Bernoulli(_) => Ok(Self::Bernoulli(bernoulli::Parameters::of_rate(omega))),
            _ => Err(Invalid::new(
                self.name(),
                "its compression rate cannot be set; expected rand_k or bernoulli where ω is changed",
            )),
        }
    }
}
