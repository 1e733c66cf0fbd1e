//! The Euler–Maruyama scheme.

use super::{Draws, Scheme};
use crate::covariance::Root;
use crate::rows;
use crate::sde::{Coefficients, Sde};

/// `X ← X + b(X) h + A(X)^{1/2} ΔW`.
pub struct EulerMaruyama {
    coefficients: Coefficients,
    root: Root,
    noise: Vec<f64>,
}

impl EulerMaruyama {
    /// Its weak order (Kloeden and Platen, Numerical Solution of Stochastic Differential Equations, 14.1).
    pub const WEAK_ORDER: u32 = 1;

    /// Buffers for n paths of an SDE of dimension `d`.
    pub fn new(dimension: usize, paths: usize) -> Self {
        Self {
            coefficients: Coefficients::of_paths(dimension, paths),
            root: Root::default(),
            noise: vec![0.0; dimension * paths],
        }
    }
}

impl Scheme for EulerMaruyama {
    fn step(&mut self, sde: &dyn Sde, x: &mut [f64], h: f64, draws: &Draws) {
        sde.coefficients(x, &mut self.coefficients);
        self.root.multiply(&self.coefficients.diffusion, &draws.dw, &mut self.noise);
        rows::add_scaled_and(x, h, &self.coefficients.drift, &self.noise);
    }

    fn martingale(&self) -> (&Coefficients, &[f64]) {
        (&self.coefficients, &self.noise)
    }
}
