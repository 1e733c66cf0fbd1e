//! The Euler–Maruyama scheme.

use crate::covariance::{Covariance, Root};
use crate::sde::{Coefficients, Sde};

/// Its weak order (Kloeden and Platen, Numerical Solution of Stochastic Differential Equations, 14.1).
pub const WEAK_ORDER: u32 = 1;

/// `X ← X + b(X) h + A(X)^{1/2} ΔW`, with the buffers of a step.
pub struct EulerMaruyama {
    coefficients: Coefficients,
    root: Root,
    noise: Vec<f64>,
}

impl EulerMaruyama {
    /// Buffers for an SDE of dimension `d`.
    pub fn new(dimension: usize) -> Self {
        Self {
            coefficients: Coefficients::new(dimension),
            root: Root::default(),
            noise: vec![0.0; dimension],
        }
    }

    /// One step of length `h` with the Brownian increment `dw` of variance h.
    pub fn step(&mut self, sde: &dyn Sde, x: &mut [f64], h: f64, dw: &[f64]) {
        sde.coefficients(x, &mut self.coefficients);
        self.root.multiply(&self.coefficients.diffusion, dw, &mut self.noise);
        for ((x, drift), noise) in x.iter_mut().zip(&self.coefficients.drift).zip(&self.noise) {
            *x += drift * h + noise;
        }
    }

    /// `A(X)` where the last step began, and `A(X)^{1/2} ΔW`, the martingale part of the step.
    pub fn martingale(&self) -> (&Covariance, &[f64]) {
        (&self.coefficients.diffusion, &self.noise)
    }
}
