//! The linear shadow: a linear copy of a process, driven by the process's own martingale noise, whose moments
//! are known exactly.
//!
//! With `n_k = x_{k+1} − x_k − E[x_{k+1} − x_k | x_k]`, deterministic matrices J_k and `z_0 = q_0 = 0`,
//!
//! ```text
//! z_{k+1} = (I + hJ_k) z_k + n_k
//! q_{k+1} = (I + hJ_k) q_k (I + hJ_k)ᵀ + Cov[n_k | x_k]
//! ```
//!
//! have `E z = 0` and `E[z zᵀ − q] = 0` exactly, whatever J: they are control variates for every moment of x,
//! the better the closer `x − E x` is to z, for which J is the Jacobian of the drift along its flow.

mod controls;

pub use controls::{Centre, Controls, Taylor};

use super::observable::observed_pairs;
use crate::covariance::Covariance;
use crate::integrator::{Jacobian, drift_flow, drift_jacobian};
use crate::sde::{Coefficients, Sde};

/// Beyond this dimension a dense J, which costs d³ operations a step, is replaced by its diagonal.
const LARGEST_DENSE_DIMENSION: usize = 32;

/// Most numbers that the Jacobians along a run may take.
const MOST_NUMBERS: usize = 1 << 24;

/// J along the flow of the drift, one matrix an optimizer step, and the pairs of coordinates whose products
/// are followed.
pub struct Linearization {
    jacobians: Vec<Jacobian>,
    pairs: Vec<(usize, usize)>,
}

impl Linearization {
    /// Along the flow `ċ = b(c)` of the drift of `sde` from `start` over `steps` steps of η, with so many
    /// Runge–Kutta steps to each. None where it would take too much memory, or where J is not finite.
    pub fn along_flow(sde: &dyn Sde, start: &[f64], eta: f64, steps: usize, substeps: usize) -> Option<Self> {
        let d = start.len();
        let is_large = d > LARGEST_DENSE_DIMENSION;
        let numbers = if is_large { d } else { d * d };
        if numbers.saturating_mul(steps) > MOST_NUMBERS || d * d > MOST_NUMBERS {
            return None;
        }
        let flow = drift_flow(sde, start, eta, steps, 1, substeps);
        let mut coefficients = Coefficients::new(d);
        let jacobian = |c: &Vec<f64>| {
            let jacobian = drift_jacobian(sde, c, &mut coefficients);
            if is_large { jacobian.into_diagonal(d) } else { jacobian }
        };
        let jacobians: Vec<Jacobian> = flow[..steps].iter().map(jacobian).collect();
        let is_finite = jacobians.iter().all(Jacobian::is_finite);
        is_finite.then(|| Self { jacobians, pairs: observed_pairs(d) })
    }

    /// The pairs (i, j), i ≤ j, of which `z_i z_j − q_ij` is followed.
    pub fn pairs(&self) -> &[(usize, usize)] {
        &self.pairs
    }
}

/// The martingale noise `n` of a step, and its covariance given where the step began: `weight · covariance`.
pub struct Noise<'a> {
    /// n.
    pub increment: &'a [f64],
    /// Its conditional covariance over the weight.
    pub covariance: &'a Covariance,
    /// The weight.
    pub weight: f64,
}

/// z and q of every path of a block.
pub struct Shadows<'a> {
    linearization: &'a Linearization,
    dimension: usize,
    z: Vec<f64>,
    q: Vec<f64>,
    propagator: Vec<f64>,
    product: Vec<f64>,
    moved: Vec<f64>,
}

impl<'a> Shadows<'a> {
    /// Of `count` paths at t = 0.
    pub fn new(linearization: &'a Linearization, dimension: usize, count: usize) -> Self {
        Self {
            linearization,
            dimension,
            z: vec![0.0; dimension * count],
            q: vec![0.0; linearization.pairs.len() * count],
            propagator: Vec::new(),
            product: Vec::new(),
            moved: vec![0.0; dimension],
        }
    }

    /// Advances the shadow of one path by the time `h` within an optimizer step, with the noise of the path;
    /// a path that has stopped has none.
    pub fn advance(&mut self, path: usize, step: usize, h: f64, noise: Option<&Noise>) {
        let d = self.dimension;
        let pairs = &self.linearization.pairs;
        let z = &mut self.z[path * d..][..d];
        let q = &mut self.q[path * pairs.len()..][..pairs.len()];
        match &self.linearization.jacobians[step] {
            Jacobian::Diagonal(entries) => {
                for (z, entry) in z.iter_mut().zip(entries) {
                    *z *= 1.0 + h * entry;
                }
                for (q, &(i, j)) in q.iter_mut().zip(pairs) {
                    *q *= (1.0 + h * entries[i]) * (1.0 + h * entries[j]);
                }
            }
            Jacobian::Dense(entries) => {
                self.propagator.clear();
                self.propagator.extend(entries.iter().map(|entry| h * entry));
                for i in 0..d {
                    self.propagator[i * d + i] += 1.0;
                }
                multiply(&self.propagator, z, &mut self.moved);
                z.copy_from_slice(&self.moved);
                congruence(&self.propagator, d, q, &mut self.product);
            }
        }
        if let Some(noise) = noise {
            for (z, n) in z.iter_mut().zip(noise.increment) {
                *z += n;
            }
            for (q, &(i, j)) in q.iter_mut().zip(pairs) {
                *q += noise.weight * noise.covariance.entry(i, j);
            }
        }
    }

    /// Adds z and the `z_i z_j − q_ij` of every path to `sums`.
    pub(super) fn add(&self, sums: &mut [f64]) {
        let pairs = &self.linearization.pairs;
        let (of_z, of_pairs) = sums.split_at_mut(self.dimension);
        for (z, q) in self.z.chunks_exact(self.dimension).zip(self.q.chunks_exact(pairs.len())) {
            for (sum, z) in of_z.iter_mut().zip(z) {
                *sum += z;
            }
            for ((sum, q), &(i, j)) in of_pairs.iter_mut().zip(q).zip(pairs) {
                *sum += z[i] * z[j] - q;
            }
        }
    }

    /// How many sums [`Shadows::add`] adds to.
    pub(super) fn sums(&self) -> usize {
        self.dimension + self.linearization.pairs.len()
    }
}

fn multiply(matrix: &[f64], vector: &[f64], out: &mut [f64]) {
    for (out, row) in out.iter_mut().zip(matrix.chunks_exact(vector.len())) {
        *out = row.iter().zip(vector).map(|(entry, x)| entry * x).sum();
    }
}

/// `q ← M q Mᵀ` for a symmetric q, held as its upper triangle row by row.
fn congruence(matrix: &[f64], d: usize, q: &mut [f64], product: &mut Vec<f64>) {
    let row_starts = |i: usize| i * (2 * d - i + 1) / 2;
    let entry = |q: &[f64], i: usize, j: usize| q[row_starts(i.min(j)) + i.max(j) - i.min(j)];
    product.clear();
    for row in matrix.chunks_exact(d) {
        product.extend((0..d).map(|j| (0..d).map(|k| row[k] * entry(q, k, j)).sum::<f64>()));
    }
    let mut index = 0;
    for i in 0..d {
        for j in i..d {
            let (left, right) = (&product[i * d..][..d], &matrix[j * d..][..d]);
            q[index] = left.iter().zip(right).map(|(a, b)| a * b).sum();
            index += 1;
        }
    }
}
