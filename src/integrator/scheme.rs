//! What a scheme is, what it draws, and the schemes by name.

use super::{EulerMaruyama, Platen};
use crate::covariance::Covariance;
use crate::random::Stream;
use crate::sde::Sde;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scheme for an Itô SDE, with the buffers of a step.
pub trait Scheme: Send {
    /// One step of length `h`, for which `draws` were made.
    fn step(&mut self, sde: &dyn Sde, x: &mut [f64], h: f64, draws: &Draws);

    /// `A(X)` where the last step began, and `A(X)^{1/2} ΔW`, the martingale part of the step to lowest order.
    fn martingale(&self) -> (&Covariance, &[f64]);
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
    /// The scheme for an SDE of dimension `d`.
    pub fn build(self, dimension: usize) -> Box<dyn Scheme> {
        match self {
            Self::EulerMaruyama => Box::new(EulerMaruyama::new(dimension)),
            Self::Platen => Box::new(Platen::new(dimension)),
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

    /// What a step draws, before it is drawn.
    pub fn draws(self, dimension: usize) -> Draws {
        let signs = match self {
            Self::EulerMaruyama => 0,
            Self::Platen => Platen::signs(dimension),
        };
        Draws { dw: vec![0.0; dimension], signs: vec![1.0; signs] }
    }

    /// The largest dimension for which it is meant.
    pub fn largest_dimension(self) -> usize {
        match self {
            Self::EulerMaruyama => usize::MAX,
            Self::Platen => Platen::LARGEST_DIMENSION,
        }
    }
}

/// What one step draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// ΔW, of variance h.
    pub dw: Vec<f64>,
    /// ±1, each with probability ½, as many as the scheme needs besides ΔW.
    pub signs: Vec<f64>,
}

impl Draws {
    /// Draws all anew, for a step of length `deviation²`.
    pub fn renew(&mut self, deviation: f64, stream: &mut Stream) {
        self.dw.fill_with(|| deviation * stream.normal());
        stream.signs(&mut self.signs);
    }

    /// Goes on over the next step: on the same Brownian path, with its own signs.
    pub fn extend(&mut self, next: &Self) {
        self.dw.iter_mut().zip(&next.dw).for_each(|(sum, dw)| *sum += dw);
    }
}
