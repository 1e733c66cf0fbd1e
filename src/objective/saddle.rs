//! An embedded saddle: an indefinite quadratic form confined by a quartic.

use super::{LARGEST_DIMENSION, Objective};
use crate::parameter::{Invalid, checked};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// `f(x) = Σ_j λ_j x_j²/2 + q x_j⁴/4`, with some `λ_j < 0`: a strict saddle at 0 and minima at
/// `x_j = ±√(−λ_j/q)` along the negative directions.
#[derive(Clone, Debug)]
pub struct Saddle {
    eigenvalues: Vec<f64>,
    quartic: f64,
}

impl Saddle {
    fn term(&self, j: usize, x: f64) -> f64 {
        let square = x * x;
        0.5 * self.eigenvalues[j] * square + 0.25 * self.quartic * square * square
    }
}

impl Objective for Saddle {
    fn dimension(&self) -> usize {
        self.eigenvalues.len()
    }

    fn values(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (j, x) in x.chunks_exact(out.len()).enumerate() {
            out.iter_mut().zip(x).for_each(|(out, x)| *out += self.term(j, *x));
        }
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let n = x.len() / self.dimension();
        let rows = out.chunks_exact_mut(n).zip(x.chunks_exact(n));
        for ((out, x), eigenvalue) in rows.zip(&self.eigenvalues) {
            for (out, x) in out.iter_mut().zip(x) {
                *out = (eigenvalue + self.quartic * x * x) * x;
            }
        }
    }

    fn hessian_vector_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            *out = (self.eigenvalues[j] + 3.0 * self.quartic * x[j] * x[j]) * v[j];
        }
    }

    fn smoothness(&self) -> Option<f64> {
        None
    }

    fn growth(&self) -> u32 {
        4
    }

    fn separable_term(&self, j: usize, x: f64) -> Option<f64> {
        Some(self.term(j, x))
    }
}

/// `f(x) = Σ_j λ_j x_j²/2 + q x_j⁴/4`: a strict saddle at 0, and minima at `x_j = ±√(−λ_j/q)` where λ_j
/// is negative.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// λ, one a coordinate, at least one of them below 0.
    eigenvalues: Vec<f64>,
    /// q, above 0.
    #[serde(default = "one")]
    quartic: f64,
}

fn one() -> f64 {
    1.0
}

impl Parameters {
    pub(super) fn build(&self) -> Result<Arc<dyn Objective>, Invalid> {
        let d = self.eigenvalues.len();
        if !(1..=LARGEST_DIMENSION).contains(&d) {
            let message = format!("{d} of them; expected from 1 to {LARGEST_DIMENSION}, one a coordinate");
            return Err(Invalid::new("eigenvalues", message));
        }
        for (index, &value) in self.eigenvalues.iter().enumerate() {
            checked(&format!("eigenvalues[{index}]"), value, |_| true, "a finite number")?;
        }
        if !self.eigenvalues.iter().any(|&lambda| lambda < 0.0) {
            return Err(Invalid::new(
                "eigenvalues",
                "none is below 0; expected a saddle (for a bowl see objective.quadratic)",
            ));
        }
        let quartic = checked("quartic", self.quartic, |q| q > 0.0, "a finite number above 0")?;
        Ok(Arc::new(Saddle { eigenvalues: self.eigenvalues.clone(), quartic }))
    }
}
