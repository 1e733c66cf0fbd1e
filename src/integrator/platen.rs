//! Platen's explicit scheme of weak order 2 for noise of several dimensions.

use super::{Draws, Scheme};
use crate::covariance::{Covariance, Root};
use crate::sde::{Coefficients, Sde};

/// The explicit order 2.0 weak scheme of Kloeden and Platen, Numerical Solution of Stochastic Differential
/// Equations, section 15.1, equation (1.3), with Gaussian ΔW. `b^j` is column j of a root of A, `a` the drift:
///
/// ```text
/// Y ← Y + ½ (a(Ῡ) + a) Δ
///       + ¼ Σ_j { b^j(R₊^j) + b^j(R₋^j) + 2b^j + Σ_{r≠j} (b^j(U₊^r) + b^j(U₋^r) − 2b^j) } ΔW^j
///       + ¼ Σ_j { (b^j(R₊^j) − b^j(R₋^j)) ((ΔW^j)² − Δ)
///                 + Σ_{r≠j} (b^j(U₊^r) − b^j(U₋^r)) (ΔW^j ΔW^r + V_{r,j}) } Δ^{-1/2}
///
/// Ῡ = Y + aΔ + Σ_j b^j ΔW^j,   R±^j = Y + aΔ ± b^j √Δ,   U±^j = Y ± b^j √Δ,
/// V_{r,j} = ±Δ with probability ½ each, independent for r < j,   V_{j,r} = −V_{r,j}
/// ```
///
/// Within a step the root is a smooth function of the state wherever A has constant rank there: see
/// [`Root::multiply_nearby`]. The law of a step does not depend on which root it is, up to its order.
pub struct Platen {
    here: Coefficients,
    nearby: Coefficients,
    root: Root,
    noise: Vec<f64>,
    /// `b^j` after `b^j`.
    columns: Vec<f64>,
    unit: Vec<f64>,
    state: Vec<f64>,
    product: Vec<f64>,
    weights: [Vec<f64>; 2],
    moved: Vec<f64>,
}

impl Platen {
    /// Its weak order.
    pub const WEAK_ORDER: u32 = 2;

    /// Beyond, the d² numbers that it keeps and draws take too much memory.
    pub const LARGEST_DIMENSION: usize = 1000;

    /// States at which a step evaluates drift and diffusion.
    pub fn evaluations(dimension: usize) -> usize {
        2 + 2 * dimension + if dimension > 1 { 2 * dimension } else { 0 }
    }

    /// V_{r,j} for r < j.
    pub fn signs(dimension: usize) -> usize {
        dimension * (dimension - 1) / 2
    }

    /// Buffers for an SDE of dimension `d`.
    pub fn new(dimension: usize) -> Self {
        let zero = vec![0.0; dimension];
        Self {
            here: Coefficients::new(dimension),
            nearby: Coefficients::new(dimension),
            root: Root::default(),
            noise: zero.clone(),
            columns: vec![0.0; dimension * dimension],
            unit: zero.clone(),
            state: zero.clone(),
            product: zero.clone(),
            weights: [zero.clone(), zero.clone()],
            moved: zero,
        }
    }

    /// `b^j` at the state where the step begins.
    fn columns(&mut self) {
        for (j, column) in self.columns.chunks_exact_mut(self.unit.len()).enumerate() {
            self.unit[j] = 1.0;
            self.root.multiply(&self.here.diffusion, &self.unit, column);
            self.unit[j] = 0.0;
        }
    }

    /// Adds `factor · B(state) weights` to what the step moves, B the root.
    fn add(&mut self, sde: &dyn Sde, factor: f64, weights: &[f64]) {
        sde.coefficients(&self.state, &mut self.nearby);
        self.root.multiply_nearby(&self.nearby.diffusion, weights, &mut self.product);
        for (moved, product) in self.moved.iter_mut().zip(&self.product) {
            *moved += factor * product;
        }
    }

    /// `Y + drift·a + noise·b^j` as the state of the next evaluation.
    fn place(&mut self, x: &[f64], drift: f64, noise: f64, j: usize) {
        let column = &self.columns[j * x.len()..][..x.len()];
        for (i, state) in self.state.iter_mut().enumerate() {
            *state = x[i] + drift * self.here.drift[i] + noise * column[i];
        }
    }

    /// The terms of `b^j(R±^j)`.
    fn own(&mut self, sde: &dyn Sde, x: &[f64], h: f64, dw: &[f64], j: usize) {
        let root_h = h.sqrt();
        let across = (dw[j] * dw[j] - h) / root_h;
        let mut unit = std::mem::take(&mut self.unit);
        unit[j] = 1.0;
        for sign in [1.0, -1.0] {
            self.place(x, h, sign * root_h, j);
            self.add(sde, 0.25 * (dw[j] + sign * across), &unit);
        }
        unit[j] = 0.0;
        self.unit = unit;
    }

    /// The terms of `b^j(U±^r)` for all j ≠ r.
    fn mixed(&mut self, sde: &dyn Sde, x: &[f64], h: f64, draws: &Draws, r: usize) {
        let (d, root_h) = (x.len(), h.sqrt());
        let dw = &draws.dw;
        let mut weights = std::mem::take(&mut self.weights);
        for j in 0..d {
            let along = if j == r { 0.0 } else { dw[j] };
            let across = if j == r { 0.0 } else { (dw[j] * dw[r] + h * v(&draws.signs, d, r, j)) / root_h };
            weights[0][j] = along + across;
            weights[1][j] = along - across;
        }
        for (weights, sign) in weights.iter().zip([1.0, -1.0]) {
            self.place(x, 0.0, sign * root_h, r);
            self.add(sde, 0.25, weights);
        }
        self.weights = weights;
        let column = &self.columns[r * d..][..d];
        for ((moved, noise), column) in self.moved.iter_mut().zip(&self.noise).zip(column) {
            *moved -= 0.5 * (noise - column * dw[r]);
        }
    }
}

/// `V_{r,j}/Δ` for r ≠ j, from the signs of the pairs r < j in the order of their rows.
fn v(signs: &[f64], d: usize, r: usize, j: usize) -> f64 {
    let of_pair = |low: usize, high: usize| signs[low * (2 * d - low - 1) / 2 + high - low - 1];
    if r < j { of_pair(r, j) } else { -of_pair(j, r) }
}

impl Scheme for Platen {
    fn step(&mut self, sde: &dyn Sde, x: &mut [f64], h: f64, draws: &Draws) {
        let (d, dw) = (x.len(), &draws.dw);
        sde.coefficients(x, &mut self.here);
        self.root.multiply(&self.here.diffusion, dw, &mut self.noise);
        self.columns();
        for (i, state) in self.state.iter_mut().enumerate() {
            *state = x[i] + self.here.drift[i] * h + self.noise[i];
        }
        sde.coefficients(&self.state, &mut self.nearby);
        for (i, moved) in self.moved.iter_mut().enumerate() {
            *moved = 0.5 * (self.here.drift[i] + self.nearby.drift[i]) * h + 0.5 * self.noise[i];
        }
        for j in 0..d {
            self.own(sde, x, h, dw, j);
            if d > 1 {
                self.mixed(sde, x, h, draws, j);
            }
        }
        for (x, moved) in x.iter_mut().zip(&self.moved) {
            *x += moved;
        }
    }

    fn martingale(&self) -> (&Covariance, &[f64]) {
        (&self.here.diffusion, &self.noise)
    }
}
