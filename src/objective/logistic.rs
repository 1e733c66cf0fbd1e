//! L2-regularised logistic regression on a real data set.

use super::{FiniteSum, Objective};
use crate::parameter::{Invalid, checked};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// `f(x) = (1/n) Σ_s log(1 + exp(−y_s xᵀa_s)) + (r/2)‖x‖²` with labels `y_s = ±1`, features `a_s`
/// standardised (mean 0, variance 1) and a last feature 1 for the intercept.
#[derive(Clone, Debug)]
pub struct Logistic {
    dimension: usize,
    /// `y_s a_s`, term after term.
    signed_features: Vec<f64>,
    regularisation: f64,
}

impl Logistic {
    /// Calls `visit` with every term and its margins `y_s xᵀa_s` on all n paths.
    fn for_each_term(&self, x: &[f64], mut visit: impl FnMut(&[f64], &[f64])) {
        let n = x.len() / self.dimension;
        let mut margins = vec![0.0; n];
        for term in self.signed_features.chunks_exact(self.dimension) {
            margins.fill(0.0);
            for (entry, x) in term.iter().zip(x.chunks_exact(n)) {
                add(&mut margins, *entry, x);
            }
            visit(term, &margins);
        }
    }
}

impl Objective for Logistic {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn values(&self, x: &[f64], out: &mut [f64]) {
        let (n, share) = (out.len(), 1.0 / self.terms() as f64);
        out.fill(0.0);
        self.for_each_term(x, |_, margins| {
            out.iter_mut().zip(margins).for_each(|(out, margin)| *out += share * softplus(-margin));
        });
        for x in x.chunks_exact(n) {
            out.iter_mut().zip(x).for_each(|(out, x)| *out += 0.5 * self.regularisation * x * x);
        }
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let (n, share) = (x.len() / self.dimension, 1.0 / self.terms() as f64);
        for (out, x) in out.iter_mut().zip(x) {
            *out = self.regularisation * x;
        }
        let mut weights = vec![0.0; n];
        self.for_each_term(x, |term, margins| {
            for (weight, margin) in weights.iter_mut().zip(margins) {
                *weight = -share * sigmoid(-margin);
            }
            for (out, entry) in out.chunks_exact_mut(n).zip(term) {
                add(out, *entry, &weights);
            }
        });
    }

    fn hessian_vector_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let share = 1.0 / self.terms() as f64;
        for (out, v) in out.iter_mut().zip(v) {
            *out = self.regularisation * v;
        }
        self.for_each_term(x, |term, margins| {
            let margin = margins[0];
            add(out, share * sigmoid(margin) * sigmoid(-margin) * dot(term, v), term);
        });
    }

    fn smoothness(&self) -> Option<f64> {
        let product = |i: usize, j: usize| -> f64 {
            self.signed_features.chunks_exact(self.dimension).map(|term| term[i] * term[j]).sum()
        };
        let gram = nalgebra::DMatrix::from_fn(self.dimension, self.dimension, product);
        Some(gram.symmetric_eigenvalues().max() / (4.0 * self.terms() as f64) + self.regularisation)
    }

    fn growth(&self) -> u32 {
        2
    }

    /// Each sample takes an exponential besides its features.
    fn operations(&self) -> f64 {
        self.terms() as f64 * (20.0 + 2.0 * self.dimension() as f64)
    }

    fn finite_sum(&self) -> Option<&dyn FiniteSum> {
        Some(self)
    }
}

impl FiniteSum for Logistic {
    fn terms(&self) -> usize {
        self.signed_features.len() / self.dimension
    }

    fn add_term_gradient(&self, s: usize, weight: f64, x: &[f64], out: &mut [f64]) {
        let term = &self.signed_features[s * self.dimension..][..self.dimension];
        add(out, weight * self.regularisation, x);
        add(out, -weight * sigmoid(-dot(term, x)), term);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(out: &mut [f64], weight: f64, term: &[f64]) {
    for (out, entry) in out.iter_mut().zip(term) {
        *out += weight * entry;
    }
}

/// `1/(1 + e^{−z})`, without overflow.
fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + libm::exp(-z))
    } else {
        let e = libm::exp(z);
        e / (1.0 + e)
    }
}

/// `log(1 + e^z)`, without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

/// `f(x) = (1/n) Σ_s log(1 + exp(−y_s xᵀa_s)) + (r/2)‖x‖²`: logistic regression with labels `y_s = ±1`, features a_s
/// of mean 0 and variance 1, and a last feature 1 for the intercept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The data set.
    data: Data,
    /// r, at least 0.
    regularisation: f64,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Data {
    /// Fisher's iris, versicolor (−1) against virginica (+1): 100 × 4, not linearly separable.
    Iris,
}

impl Data {
    fn text(self) -> &'static str {
        match self {
            Self::Iris => include_str!("iris.csv"),
        }
    }
}

impl Parameters {
    pub(super) fn build(&self) -> Result<Arc<dyn Objective>, Invalid> {
        let right = "a finite number of at least 0";
        let regularisation = checked("regularisation", self.regularisation, |r| r >= 0.0, right)?;
        let (features, labels) = read(self.data.text());
        let columns = features[0].len();
        let standardised: Vec<Vec<f64>> = (0..columns).map(|column| standardise(&features, column)).collect();
        let signed_features = labels
            .iter()
            .enumerate()
            .flat_map(|(s, &label)| {
                standardised.iter().map(move |column| label * column[s]).chain(std::iter::once(label))
            })
            .collect();
        Ok(Arc::new(Logistic { dimension: columns + 1, signed_features, regularisation }))
    }
}

/// Features and labels ±1 of a table with a header, the class (1 or 2) in its last column.
fn read(table: &str) -> (Vec<Vec<f64>>, Vec<f64>) {
    table
        .lines()
        .skip(1)
        .map(|line| {
            let mut row: Vec<f64> = line
                .split(',')
                .map(|field| field.parse().expect("the built-in table holds numbers"))
                .collect();
            let class = row.pop().expect("the built-in table has a class column");
            (row, if class == 1.0 { -1.0 } else { 1.0 })
        })
        .unzip()
}

/// The column with mean 0 and variance 1.
fn standardise(features: &[Vec<f64>], column: usize) -> Vec<f64> {
    let n = features.len() as f64;
    let mean = features.iter().map(|row| row[column]).sum::<f64>() / n;
    let variance = features.iter().map(|row| (row[column] - mean) * (row[column] - mean)).sum::<f64>() / n;
    features.iter().map(|row| (row[column] - mean) / variance.sqrt()).collect()
}
