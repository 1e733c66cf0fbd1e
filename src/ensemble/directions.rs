//! Random directions, along which states of a large dimension are compared.

use crate::random::{Role, Streams};
use crate::simd::vectorized;

/// Unit vectors `u_0, …, u_{K−1}` of ℝ^d: independent of each other and uniform on the sphere, as Gaussian vectors over
/// their norms are (Muller, A note on a method for generating points uniformly on n-dimensional spheres, Communications
/// of the ACM 2, 1959). u_k depends on nothing but the seed, k and d.
#[derive(Clone, Debug)]
pub struct Directions {
    count: usize,
    /// Shape `[d, K]`.
    entries: Vec<f64>,
}

impl Directions {
    /// K = `count` directions, K above 0.
    pub fn random(seed: u64, dimension: usize, count: usize) -> Self {
        let mut entries = vec![0.0; dimension * count];
        let mut u = vec![0.0; dimension];
        for k in 0..count {
            Streams::of_path(seed, Role::Directions, k as u64).normals(&mut u);
            let norm = u.iter().map(|u| u * u).sum::<f64>().sqrt();
            entries.iter_mut().skip(k).step_by(count).zip(&u).for_each(|(entry, u)| *entry = u / norm);
        }
        Self { count, entries }
    }

    /// K.
    pub fn count(&self) -> usize {
        self.count
    }

    /// `u_k`.
    pub fn direction(&self, k: usize) -> Vec<f64> {
        self.entries.iter().skip(k).step_by(self.count).copied().collect()
    }

    /// `out = u_kᵀ x` for every k and each of n paths: x of shape `[d, n]`, `out` of shape `[K, n]`.
    pub fn project(&self, x: &[f64], out: &mut [f64]) {
        project(&self.entries, x, out, out.len() / self.count);
    }
}

vectorized! {
    fn project(directions: &[f64], x: &[f64], out: &mut [f64], n: usize) {
        out.fill(0.0);
        let count = out.len() / n;
        for (x, of_coordinate) in x.chunks_exact(n).zip(directions.chunks_exact(count)) {
            for (sums, u) in out.chunks_exact_mut(n).zip(of_coordinate) {
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum += u * x;
                }
            }
        }
    }
}
