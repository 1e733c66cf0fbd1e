//! Covariance matrices in the cheapest form that holds them, and their roots.

mod root;

pub use root::{Root, semidefinite_root};

use crate::rows;

/// A `d × d` covariance `diag(D) + c u uᵀ + M`, where the rank-one and the dense part may be absent; or one for each of n
/// paths, without a dense part: then D and u have the shape `[d, n]`, and c is one for all.
///
/// It is an accumulator: terms are added, and the form stays diagonal or diagonal plus rank one as
/// long as the terms allow, so that its root costs O(d). The buffers are kept over [`clear`].
///
/// [`clear`]: Covariance::clear
#[derive(Clone, Debug, Default)]
pub struct Covariance {
    dimension: usize,
    diagonal: Vec<f64>,
    coefficient: f64,
    vector: Vec<f64>,
    /// Row by row; empty where there is no dense part.
    dense: Vec<f64>,
}

impl Covariance {
    /// The zero matrix of dimension `d`.
    pub fn zero(dimension: usize) -> Self {
        Self { dimension, diagonal: vec![0.0; dimension], ..Self::default() }
    }

    /// Number of rows.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Zero matrices of so many paths.
    pub(crate) fn resize(&mut self, paths: usize) {
        self.diagonal.resize(self.dimension * paths, 0.0);
        self.clear();
    }

    /// Back to the zero matrix.
    pub fn clear(&mut self) {
        self.diagonal.fill(0.0);
        self.coefficient = 0.0;
        self.dense.clear();
    }

    /// Whether the matrix is held as its diagonal alone.
    pub fn is_diagonal(&self) -> bool {
        self.coefficient == 0.0 && self.dense.is_empty()
    }

    /// Whether the matrix has a dense part, whose root takes d³ operations.
    pub fn is_dense(&self) -> bool {
        !self.dense.is_empty()
    }

    /// `+ diag(D)`, D of shape `[d, n]`.
    pub fn add_diagonal(&mut self, entries: impl IntoIterator<Item = f64>) {
        for (sum, entry) in self.diagonal.iter_mut().zip(entries) {
            *sum += entry;
        }
    }

    /// `+ diag(D)` with a D of d entries, the same for all paths.
    pub fn add_variances(&mut self, entries: impl IntoIterator<Item = f64>) {
        let n = self.paths();
        for (row, entry) in self.diagonal.chunks_exact_mut(n).zip(entries) {
            row.iter_mut().for_each(|sum| *sum += entry);
        }
    }

    /// `+ c I`.
    pub(crate) fn add_to_every_variance(&mut self, variance: f64) {
        self.diagonal.iter_mut().for_each(|sum| *sum += variance);
    }

    /// `+ weight · diag(a²)`, a of shape `[d, n]`.
    pub(crate) fn add_squares(&mut self, weight: f64, a: &[f64]) {
        rows::add_scaled_squares(&mut self.diagonal, weight, a);
    }

    /// `+ weight · diag(other)`, without what `other` has off its diagonal.
    pub(crate) fn add_diagonal_of(&mut self, weight: f64, other: &Covariance) {
        rows::add_scaled(&mut self.diagonal, weight, &other.diagonal);
        if other.coefficient != 0.0 {
            self.add_squares(weight * other.coefficient, &other.vector);
        }
        let dense = other.dense.iter().step_by(self.dimension + 1);
        self.add_diagonal(dense.map(|entry| weight * entry));
    }

    /// `+ c u uᵀ`, u of shape `[d, n]`; a second, different vector moves the first into the dense part.
    pub fn add_rank_one(&mut self, coefficient: f64, vector: &[f64]) {
        if coefficient == 0.0 {
            return;
        }
        // By their bits, as what is not a number is not equal to itself.
        let is_same = || self.vector.iter().zip(vector).all(|(a, b)| a.to_bits() == b.to_bits());
        if self.coefficient != 0.0 && !is_same() {
            let first = std::mem::take(&mut self.vector);
            let first_coefficient = std::mem::replace(&mut self.coefficient, 0.0);
            self.add_dense(|i, j| first_coefficient * first[i] * first[j]);
        }
        self.coefficient += coefficient;
        self.vector.clear();
        self.vector.extend_from_slice(vector);
    }

    /// `+ M`, given by its entries, for one path.
    pub fn add_dense(&mut self, entry: impl Fn(usize, usize) -> f64) {
        let d = self.dimension;
        assert_eq!(self.paths(), 1, "a dense covariance is that of one path");
        self.dense.resize(d * d, 0.0);
        for i in 0..d {
            for j in 0..d {
                self.dense[i * d + j] += entry(i, j);
            }
        }
    }

    /// `+ weight · other`, keeping the form of `other` where it can.
    pub fn add(&mut self, weight: f64, other: &Covariance) {
        rows::add_scaled(&mut self.diagonal, weight, &other.diagonal);
        if other.coefficient != 0.0 {
            self.add_rank_one(weight * other.coefficient, &other.vector);
        }
        if !other.dense.is_empty() {
            let d = self.dimension;
            self.add_dense(|i, j| weight * other.dense[i * d + j]);
        }
    }

    /// `· factor`.
    pub fn scale(&mut self, factor: f64) {
        self.coefficient *= factor;
        rows::scale(&mut self.diagonal, factor);
        rows::scale(&mut self.dense, factor);
    }

    /// The entry of row `i` and column `j`, for one path.
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        self.entry_of(0, i, j)
    }

    /// The same for a path among n.
    pub(crate) fn entry_of(&self, path: usize, i: usize, j: usize) -> f64 {
        let n = self.paths();
        let mut entry = if i == j { self.diagonal[i * n + path] } else { 0.0 };
        if self.coefficient != 0.0 {
            entry += self.coefficient * self.vector[i * n + path] * self.vector[j * n + path];
        }
        if !self.dense.is_empty() {
            entry += self.dense[i * self.dimension + j];
        }
        entry
    }

    /// The sum of the variances, for one path.
    pub fn trace(&self) -> f64 {
        (0..self.dimension).map(|i| self.entry(i, i)).sum()
    }

    /// n.
    fn paths(&self) -> usize {
        (self.diagonal.len() / self.dimension.max(1)).max(1)
    }
}
