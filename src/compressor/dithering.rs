//! Random dithering: every coordinate is rounded at random to one of s levels of the norm.

use super::euclidean::average_over_norm;
use super::maximum::average_over_maximum;
use super::{Compressor, Knowledge};
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use crate::rows;
use schemars::JsonSchema;
use serde::Deserialize;

/// The norm that the levels divide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Norm {
    /// `‖g‖₂`, as in QSGD.
    #[serde(rename = "2")]
    Euclidean,
    /// `‖g‖_∞ = max |g_j|`.
    #[serde(rename = "inf")]
    Maximum,
}

impl Norm {
    fn of(self, g: &[f64]) -> f64 {
        match self {
            Self::Euclidean => g.iter().map(|g| g * g).sum::<f64>().sqrt(),
            Self::Maximum => g.iter().fold(0.0, |most, g| most.max(g.abs())),
        }
    }
}

/// Coordinate j becomes `‖g‖ sign(g_j) ℓ/s`, ℓ one of the two integers around `u_j = s|g_j|/‖g‖`, the
/// higher one with probability r_j, the fractional part of u_j; `C(0) = 0` (Alistarh et al. 2017). The
/// maximum norm with s = 1 is TernGrad, without clipping and with a scale for each agent.
struct Dithering {
    levels: f64,
    norm: Norm,
    dimension: usize,
}

/// ⌊u⌋ and u − ⌊u⌋.
pub(super) fn parts(u: f64) -> (f64, f64) {
    let whole = libm::floor(u);
    (whole, u - whole)
}

impl Dithering {
    /// `‖g‖/s`; none for g = 0.
    fn spacing(&self, g: &[f64]) -> Option<f64> {
        let norm = self.norm.of(g);
        (norm > 0.0 && norm.is_finite()).then_some(norm / self.levels)
    }
}

impl Compressor for Dithering {
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        let n = streams.count();
        let mut of_path = vec![0.0; self.dimension];
        streams.lend_uniforms(self.dimension, |uniforms| {
            for path in 0..n {
                rows::read_column(g, n, path, &mut of_path);
                let Some(spacing) = self.spacing(&of_path) else { continue };
                for (g, uniform) in of_path.iter_mut().zip(uniforms.iter().skip(path).step_by(n)) {
                    let (whole, up) = parts(g.abs() / spacing);
                    let level = if *uniform < up { whole + 1.0 } else { whole };
                    *g = (spacing * level).copysign(*g);
                }
                rows::write_column(g, n, path, &of_path);
            }
        });
    }

    /// Of norm ∞: `(√(1 + (d − 1)/s²) − 1)/2`, attained. Of norm 2: `d/(4s²)` where √d ≤ 2s, otherwise `√d/s − 1`,
    /// which are upper bounds: as `Σ u_j² = s²`, `Σ r_j(1 − r_j) ≤ min(d/4, √d s − s²)`.
    fn omega(&self) -> f64 {
        let (s, d) = (self.levels, self.dimension as f64);
        match self.norm {
            Norm::Maximum => 0.5 * ((1.0 + (d - 1.0) / (s * s)).sqrt() - 1.0),
            Norm::Euclidean if d.sqrt() <= 2.0 * s => d / (4.0 * s * s),
            Norm::Euclidean => d.sqrt() / s - 1.0,
        }
    }

    /// The averages over the law of the norm are integrals for each pair, over the levels of the Euclidean one.
    fn operations(&self, dimension: usize) -> f64 {
        let of_pair = match self.norm {
            Norm::Maximum => 15_000.0,
            Norm::Euclidean => 20_000.0 * (1.0 + self.levels.min(MOST_LEVELS_UNDER_NOISE)),
        };
        of_pair * (dimension * dimension) as f64
    }

    fn rarest_outcome(&self, v: &[f64]) -> f64 {
        let Some(spacing) = self.spacing(v) else { return 1.0 };
        let rarer = v.iter().map(|v| parts(v.abs() / spacing).1).map(|up| up.min(1.0 - up));
        // An outcome that rounding alone makes possible is none.
        rarer.filter(|&probability| probability > ROUNDING * self.levels).fold(1.0, f64::min)
    }

    /// Diagonal: given g, `(‖g‖/s)² r_j(1 − r_j)`.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        if g.is_discrete() {
            g.for_each_atom(&mut |probability, g| {
                if let Some(spacing) = self.spacing(g) {
                    let weight = weight * probability * spacing * spacing;
                    let up = |g: &f64| parts(g.abs() / spacing).1;
                    out.add_diagonal(g.iter().map(|g| weight * up(g) * (1.0 - up(g))));
                }
            });
        } else {
            let variances = match self.norm {
                Norm::Maximum => average_over_maximum(self.levels, g),
                Norm::Euclidean => average_over_norm(self.levels, g),
            };
            out.add_diagonal(variances.iter().map(|variance| weight * variance));
        }
    }

    /// The Euclidean norm and a coordinate have a joint law that can be integrated for Gaussian noise; each level is
    /// an interval of its own.
    fn needs(&self) -> Knowledge {
        match self.norm {
            Norm::Maximum => Knowledge::Joint,
            Norm::Euclidean if self.levels <= MOST_LEVELS_UNDER_NOISE => Knowledge::Gaussian,
            Norm::Euclidean => Knowledge::Atoms,
        }
    }
}

/// Of `s|g_j|/‖g‖`, relative.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Most levels that the Euclidean norm is integrated over: some milliseconds for each coordinate.
const MOST_LEVELS_UNDER_NOISE: f64 = 64.0;

/// Most levels: more are no compression.
const MOST_LEVELS: u32 = 1 << 16;

/// Every `|g_j|` becomes one of the two multiples of `‖g‖/s` around it, unbiased.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// s, from 1.
    levels: u32,
    /// "2" for QSGD, "inf" for the maximum norm; with levels = 1 the latter is TernGrad.
    norm: Norm,
}

impl Parameters {
    pub(super) fn build(&self, dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        if !(1..=MOST_LEVELS).contains(&self.levels) {
            let message = format!("{}; expected a whole number from 1 to {MOST_LEVELS}", self.levels);
            return Err(Invalid::new("levels", message));
        }
        Ok(Box::new(Dithering { levels: f64::from(self.levels), norm: self.norm, dimension }))
    }
}
