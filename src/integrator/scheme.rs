//! What a scheme is, what it draws, and the schemes by name.

use super::{EulerMaruyama, Platen};
use crate::random::Streams;
use crate::rows;
use crate::sde::{Coefficients, Sde};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scheme for an Itô SDE, with the buffers of a step.
pub trait Scheme: Send {
    /// One step of length `h` of the paths that it was built for, x of shape `[d, n]`, for which `draws` were made.
    fn step(&mut self, sde: &dyn Sde, x: &mut [f64], h: f64, draws: &Draws);

    /// b(X) and A(X) where the last step began, and `A(X)^{1/2} ΔW`, the martingale part of the step to lowest order; of
    /// shape `[d, n]`.
    fn martingale(&self) -> (&Coefficients, &[f64]);
}

/// Schemes by their names in scenarios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// `X ← X + b h + A^{1/2} ΔW`: weak order 1.
    #[default]
    EulerMaruyama,
    /// Platen's explicit scheme of weak order 2 (Kloeden and Platen, section 15.1), which evaluates drift and diffusion
    /// at 4d + 2 states a step; d at most 1000.
    Platen,
}

impl SchemeName {
    /// The scheme for n paths of an SDE of dimension `d`; n is 1 unless the scheme [takes blocks](Self::takes_blocks).
    pub fn build(self, dimension: usize, paths: usize) -> Box<dyn Scheme> {
        match self {
            Self::EulerMaruyama => Box::new(EulerMaruyama::new(dimension, paths)),
            Self::Platen => Box::new(Platen::new(dimension)),
        }
    }

    /// Whether it takes many paths at once.
    pub fn takes_blocks(self) -> bool {
        self == Self::EulerMaruyama
    }

    /// By how much a step of length `h` without noise moves from `x`.
    pub fn mean(self, sde: &dyn Sde, x: &[f64], h: f64, coefficients: &mut Coefficients) -> Vec<f64> {
        sde.coefficients(x, coefficients);
        let euler: Vec<f64> = coefficients.drift.iter().map(|drift| h * drift).collect();
        match self {
            Self::EulerMaruyama => euler,
            Self::Platen => {
                let there: Vec<f64> = x.iter().zip(&euler).map(|(x, moved)| x + moved).collect();
                sde.coefficients(&there, coefficients);
                euler
                    .iter()
                    .zip(&coefficients.drift)
                    .map(|(moved, drift)| 0.5 * (moved + h * drift))
                    .collect()
            }
        }
    }

    /// p: its bias is `O(h^p)`.
    pub fn weak_order(self) -> u32 {
        match self {
            Self::EulerMaruyama => EulerMaruyama::WEAK_ORDER,
            Self::Platen => Platen::WEAK_ORDER,
        }
    }

    /// How often a step evaluates drift and diffusion.
    pub fn evaluations(self, dimension: usize) -> usize {
        match self {
            Self::EulerMaruyama => 1,
            Self::Platen => Platen::evaluations(dimension),
        }
    }

    /// What a step of n paths draws, before it is drawn.
    pub fn draws(self, dimension: usize, paths: usize) -> Draws {
        let signs = match self {
            Self::EulerMaruyama => 0,
            Self::Platen => Platen::signs(dimension),
        };
        Draws { dw: vec![0.0; dimension * paths], signs: vec![1.0; signs * paths] }
    }

    /// The largest dimension for which it is meant.
    pub fn largest_dimension(self) -> usize {
        match self {
            Self::EulerMaruyama => usize::MAX,
            Self::Platen => Platen::LARGEST_DIMENSION,
        }
    }
}

/// What one step of n paths draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// ΔW, of variance h; shape `[d, n]`.
    pub dw: Vec<f64>,
    /// ±1, each with probability ½, as many as the scheme needs besides ΔW, for each path.
    pub signs: Vec<f64>,
}

impl Draws {
    /// Draws all anew, for a step of length `h`.
    pub fn renew(&mut self, h: f64, streams: &mut Streams) {
        streams.gaussians(h, &mut self.dw);
        streams.signs(&mut self.signs);
    }

    /// What one of n paths drew.
    pub(crate) fn read_path(&self, n: usize, path: usize, out: &mut Draws) {
        rows::read_column(&self.dw, n, path, &mut out.dw);
        rows::read_column(&self.signs, n, path, &mut out.signs);
    }

    /// Goes on over the next step: on the same Brownian path, with its own signs.
    pub fn extend(&mut self, next: &Self) {
        rows::add(&mut self.dw, &next.dw);
    }
}
