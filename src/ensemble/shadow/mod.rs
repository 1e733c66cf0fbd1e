//! The linear shadow: what the noise of a path has done to its deviation and to the powers of it, as far as linear
//! equations tell.
//!
//! With the path without noise `m_{k+1} = E[x_{k+1} | x_k = m_k]` and `e = x − m`, a step has the mean
//! `E[e_{k+1} | x_k] = A e + bend (e eᵀ) + O(e³)` and the covariance `C + slope e + curve (e eᵀ) + O(e³)`. So the means of e, e eᵀ
//! and e⊗e⊗e obey linear equations, cut off after the third power (Carleman linearization). The shadow z, v, w moves by
//! the same maps, driven by the noise of the path alone: with `n = x_{k+1} − E[x_{k+1} | x_k]`,
//! `μ = E[x_{k+1} | x_k] − m_{k+1}` and `S = n nᵀ − Cov[n | x_k]`, from z = v = w = 0,
//!
//! ```text
//! z ← A z + bend v                                          + n
//! v ← A v Aᵀ + slope z + curve v + 2 sym(A ⊗ bend) w        + μ nᵀ + n μᵀ + S
//! w ← (A⊗A⊗A) w + 3 sym(C ⊗ A) z                            + 3 sym(μ⊗μ⊗n) + 3 sym(μ ⊗ S)
//! ```
//!
//! All that is added has mean 0 given x_k, and the maps are deterministic: `E z = 0`, `E v = 0` and `E w = 0` exactly, whatever the
//! maps are. z and v are control variates for every moment of x: the variance of `e − z` and `e eᵀ − v` is that of the terms that were cut
//! off. On a quadratic under DSGD and DCSGD there are none.

mod controls;
mod derivatives;
mod expansion;
mod transition;

pub use controls::{Centre, Controls, Taylor};
pub use expansion::{Expansion, StepMoments};

use crate::covariance::Covariance;
use std::ops::Range;
use transition::place;

/// The noise of a step and its first two moments given where the step began, of m paths: vectors of shape `[d, m]`.
pub struct Noise<'a> {
    /// n.
    pub increment: &'a [f64],
    /// `E[x_{k+1} | x_k]`, or any other state that x_k determines.
    pub mean: &'a [f64],
    /// The covariances of n over the weight.
    pub covariance: &'a Covariance,
    /// The weight.
    pub weight: f64,
}

/// z, v and w of every path of a block. They advance together, by one optimizer step at a time, after the noise of
/// all paths was recorded.
pub struct Shadows<'a> {
    expansion: &'a Expansion,
    dimension: usize,
    /// The number of paths.
    lanes: usize,
    /// Steps of the process that were taken, and those of one [`Shadows::advance`].
    taken: usize,
    at_a_time: usize,
    /// z, v and w: row by row, and path by path within a row, as all below.
    powers: Vec<f64>,
    next: Vec<f64>,
    /// For each step n, μ and `Cov[n | x]` of the pairs.
    noise: Vec<f64>,
}

impl<'a> Shadows<'a> {
    /// Of `count` paths at t = 0, whose process takes so many steps at a time.
    pub fn new(expansion: &'a Expansion, dimension: usize, count: usize, at_a_time: usize) -> Self {
        let rows = expansion.size();
        let of_noise = 2 * dimension + expansion.pairs().len();
        Self {
            expansion,
            dimension,
            lanes: count,
            taken: 0,
            at_a_time,
            powers: vec![0.0; rows * count],
            next: vec![0.0; rows * count],
            noise: vec![0.0; at_a_time * of_noise * count],
        }
    }

    /// The noise of the paths from `first` on, in the step that comes `ahead` steps after those that were taken.
    pub fn record(&mut self, first: usize, ahead: usize, noise: Noise) {
        let Noise { increment, mean, covariance, weight } = noise;
        let (d, lanes, pairs) = (self.dimension, self.lanes, self.expansion.pairs());
        let of_step = 2 * d + pairs.len();
        let columns = increment.len() / d;
        let after = self.expansion.after(self.taken + ahead);
        let mut rows = self.noise[ahead * of_step * lanes..][..of_step * lanes].chunks_exact_mut(lanes);
        for (increment, row) in increment.chunks_exact(columns).zip(rows.by_ref()) {
            row[first..first + columns].copy_from_slice(increment);
        }
        let means = mean.chunks_exact(columns).zip(after);
        for ((mean, after), row) in means.zip(rows.by_ref()) {
            row[first..].iter_mut().zip(mean).for_each(|(out, mean)| *out = mean - after);
        }
        for (row, &(i, j)) in rows.zip(pairs) {
            for (path, out) in row[first..first + columns].iter_mut().enumerate() {
                *out = weight * covariance.entry_of(path, i, j);
            }
        }
    }

    /// One path has stopped, and has no noise in that step.
    pub(super) fn rest(&mut self, path: usize, ahead: usize) {
        let of_step = (2 * self.dimension + self.expansion.pairs().len()) * self.lanes;
        let of_path = self.noise[ahead * of_step..][..of_step].iter_mut().skip(path).step_by(self.lanes);
        of_path.for_each(|number| *number = 0.0);
    }

    /// The recorded steps.
    pub fn advance(&mut self) {
        let rows = 2 * self.dimension + self.expansion.pairs().len();
        for step in 0..self.at_a_time {
            let Self { expansion, lanes, taken, ref mut powers, ref mut next, ref mut noise, .. } = *self;
            expansion.transition(taken).apply(powers, next, lanes, expansion.pairs());
            std::mem::swap(powers, next);
            add_noise(powers, &mut noise[step * rows * lanes..][..rows * lanes], expansion, lanes);
            self.taken += 1;
        }
    }

    /// Adds z and v of some paths to `sums`.
    pub(super) fn add(&self, paths: Range<usize>, sums: &mut [f64]) {
        for (sum, row) in sums.iter_mut().zip(self.powers.chunks_exact(self.lanes)) {
            row[paths.clone()].iter().for_each(|power| *sum += power);
        }
    }

    /// How many sums [`Shadows::add`] adds to.
    pub(super) fn sums(&self) -> usize {
        self.dimension + self.expansion.pairs().len()
    }
}

/// The noise of one step, of which the covariances are overwritten.
fn add_noise(powers: &mut [f64], noise: &mut [f64], expansion: &Expansion, lanes: usize) {
    let (pairs, triples) = (expansion.pairs(), expansion.triples());
    let d = expansion.after(0).len();
    let (n, rest) = noise.split_at_mut(d * lanes);
    let (mu, square) = rest.split_at_mut(d * lanes);
    let (z, rest) = powers.split_at_mut(d * lanes);
    let (v, w) = rest.split_at_mut(pairs.len() * lanes);
    z.iter_mut().zip(&*n).for_each(|(z, n)| *z += n);
    let row = |i: usize| i * lanes..(i + 1) * lanes;
    let products = v.chunks_exact_mut(lanes).zip(square.chunks_exact_mut(lanes));
    for ((v, square), &(i, j)) in products.zip(pairs) {
        let (n_i, n_j, mu_i, mu_j) = (&n[row(i)], &n[row(j)], &mu[row(i)], &mu[row(j)]);
        for lane in 0..lanes {
            // n nᵀ − Cov[n | x] from here on.
            square[lane] = n_i[lane] * n_j[lane] - square[lane];
            v[lane] += mu_i[lane] * n_j[lane] + n_i[lane] * mu_j[lane] + square[lane];
        }
    }
    for (w, &[i, j, k]) in w.chunks_exact_mut(lanes).zip(triples) {
        let [n_i, n_j, n_k] = [i, j, k].map(|i| &n[row(i)]);
        let [mu_i, mu_j, mu_k] = [i, j, k].map(|i| &mu[row(i)]);
        let [square_jk, square_ik, square_ij] =
            [(j, k), (i, k), (i, j)].map(|(i, j)| &square[row(place(d, i, j))]);
        for lane in 0..lanes {
            w[lane] += mu_i[lane] * (mu_j[lane] * n_k[lane] + n_j[lane] * mu_k[lane] + square_jk[lane])
                + mu_j[lane] * (mu_k[lane] * n_i[lane] + square_ik[lane])
                + mu_k[lane] * square_ij[lane];
        }
    }
}
