//! Natural compression: every coordinate is rounded at random to a power of two.

use super::{Compressor, Knowledge};
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use schemars::JsonSchema;
use serde::Deserialize;

/// Octaves below the root mean square of a coordinate in which its law is not resolved: the error is
/// below `E g_j²` times `2⁻⁴⁸`, times the probability of being there.
const OCTAVES_BELOW: i32 = 24;

/// Octaves above it at most. For ν > 2 terms fall at least like `2^{(2−ν)a}`.
const OCTAVES_ABOVE: i32 = 900;

/// Terms below `E g_j²` times this are left out.
const NEGLIGIBLE: f64 = 1e-16;

/// `|g_j|` becomes `2^a` or `2^{a+1}`, the powers of two around it, the higher one with probability
/// `|g_j|/2^a − 1`; 0 stays 0 (Horváth et al. 2019).
struct Natural;

/// `2^a ≤ |g| < 2^{a+1}` and `|g|/2^a − 1`; none for 0.
fn octave(g: f64) -> Option<(f64, f64)> {
    if g == 0.0 || !g.is_finite() {
        return None;
    }
    let (fraction, exponent) = libm::frexp(g.abs());
    Some((libm::ldexp(1.0, exponent - 1), 2.0 * fraction - 1.0))
}

/// `(|g| − 2^a)(2^{a+1} − |g|)`, the variance of what g becomes.
fn variance(g: f64) -> f64 {
    octave(g).map_or(0.0, |(low, up)| low * low * up * (1.0 - up))
}

impl Compressor for Natural {
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        streams.lend_uniforms(g.len() / streams.count(), |uniforms| {
            for (g, uniform) in g.iter_mut().zip(uniforms) {
                if let Some((low, up)) = octave(*g) {
                    *g = if *uniform < up { 2.0 * low } else { low }.copysign(*g);
                }
            }
        });
    }

    /// `ω = 1/8`, attained where every |v_j| is 4/3 of a power of two.
    fn omega(&self) -> f64 {
        0.125
    }

    /// The averages over the law of g are sums over powers of two.
    fn operations(&self, dimension: usize) -> f64 {
        5000.0 * dimension as f64
    }

    fn rarest_outcome(&self, v: &[f64]) -> f64 {
        let rarer = v.iter().filter_map(|v| octave(*v)).map(|(_, up)| up.min(1.0 - up));
        rarer.filter(|&probability| probability > 0.0).fold(1.0, f64::min)
    }

    /// Diagonal, of mean [`variance`] over the law of each coordinate.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        let d = g.mean().len();
        if g.is_discrete() {
            g.for_each_atom(&mut |probability, g| {
                out.add_diagonal(g.iter().map(|g| weight * probability * variance(*g)));
            });
        } else {
            out.add_diagonal((0..d).map(|j| weight * mean_variance(g, j)));
        }
    }

    fn needs(&self) -> Knowledge {
        Knowledge::Marginals
    }
}

/// `E (|g| − 2^a)(2^{a+1} − |g|) = −E g² + (3/2) Σ_a 2^a E (|g| − 2^a)⁺`: the function is −g² between its
/// kinks, and at 2^a its slope jumps by 3·2^a/2.
fn mean_variance(g: &dyn GradientLaw, j: usize) -> f64 {
    let v = g.mean()[j];
    let second_moment = v * v + g.covariance().entry(j, j);
    let Some((typical, _)) = octave(second_moment.sqrt()) else { return 0.0 };
    let mut threshold = libm::ldexp(typical, -OCTAVES_BELOW);
    // Below the lowest threshold the excess is E|g| less the threshold, and the sum geometric.
    let mut sum = threshold * g.tail(j, 0.0).excess - threshold * threshold / 3.0;
    for _ in -OCTAVES_BELOW..=OCTAVES_ABOVE {
        let term = threshold * g.tail(j, threshold).excess;
        sum += term;
        if threshold > typical && term < NEGLIGIBLE * second_moment {
            break;
        }
        threshold *= 2.0;
    }
    (1.5 * sum - second_moment).max(0.0)
}

/// Every `|g_j|` becomes one of the two powers of two around it, unbiased; ω = 1/8.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {}

impl Parameters {
    pub(super) fn build(&self, _dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        Ok(Box::new(Natural))
    }
}
