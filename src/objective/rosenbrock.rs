//! Rosenbrock's valley, chained over the coordinates.

use super::{LARGEST_DIMENSION, Objective};
use crate::parameter::{Invalid, checked};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// `f(x) = Σ_{j<d−1} (1 − x_j)² + b (x_{j+1} − x_j²)²`; Rosenbrock (1960) for d = 2, b = 100.
#[derive(Clone, Debug)]
pub struct Rosenbrock {
    dimension: usize,
    steepness: f64,
}

impl Objective for Rosenbrock {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn values(&self, x: &[f64], out: &mut [f64]) {
        let n = out.len();
        out.fill(0.0);
        for (x, next) in x.chunks_exact(n).zip(x.chunks_exact(n).skip(1)) {
            for ((out, x), next) in out.iter_mut().zip(x).zip(next) {
                let valley = next - x * x;
                *out += (1.0 - x) * (1.0 - x) + self.steepness * valley * valley;
            }
        }
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let n = x.len() / self.dimension;
        out.fill(0.0);
        for j in 0..self.dimension - 1 {
            let (x, next) = x[j * n..][..2 * n].split_at(n);
            let (out, out_next) = out[j * n..][..2 * n].split_at_mut(n);
            for path in 0..n {
                let valley = next[path] - x[path] * x[path];
                out[path] += -2.0 * (1.0 - x[path]) - 4.0 * self.steepness * x[path] * valley;
                out_next[path] += 2.0 * self.steepness * valley;
            }
        }
    }

    fn hessian_vector_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let b = self.steepness;
        out.fill(0.0);
        for j in 0..self.dimension - 1 {
            let valley = x[j + 1] - x[j] * x[j];
            out[j] += (2.0 - 4.0 * b * valley + 8.0 * b * x[j] * x[j]) * v[j] - 4.0 * b * x[j] * v[j + 1];
            out[j + 1] += 2.0 * b * (v[j + 1] - 2.0 * x[j] * v[j]);
        }
    }

    fn smoothness(&self) -> Option<f64> {
        None
    }

    fn growth(&self) -> u32 {
        4
    }
}

/// `f(x) = Σ_j (1 − x_j)² + b(x_{j+1} − x_j²)²`: a curved valley with its minimum at (1, …, 1).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// d, from 2 to 100000.
    #[serde(default = "two")]
    dimension: usize,
    /// b, above 0.
    #[serde(default = "hundred")]
    steepness: f64,
}

fn two() -> usize {
    2
}

fn hundred() -> f64 {
    100.0
}

impl Parameters {
    pub(super) fn build(&self) -> Result<Arc<dyn Objective>, Invalid> {
        if !(2..=LARGEST_DIMENSION).contains(&self.dimension) {
            let message =
                format!("{}; expected a whole number from 2 to {LARGEST_DIMENSION}", self.dimension);
            return Err(Invalid::new("dimension", message));
        }
        let steepness = checked("steepness", self.steepness, |b| b > 0.0, "a finite number above 0")?;
        Ok(Arc::new(Rosenbrock { dimension: self.dimension, steepness }))
    }
}
