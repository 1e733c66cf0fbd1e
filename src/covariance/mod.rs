//! Covariance matrices in the cheapest form that holds them, and their roots.

mod root;

pub use root::{Root, semidefinite_root};

/// A `d × d` covariance `diag(D) + c u uᵀ + M`, where the rank-one and the dense part may be absent.
///
/// It is an accumulator: terms are added, and the form stays diagonal or diagonal plus rank one as
/// long as the terms allow, so that its root costs O(d). The buffers are kept over [`clear`].
///
/// [`clear`]: Covariance::clear
#[derive(Clone, Debug, Default)]
pub struct Covariance {
    diagonal: Vec<f64>,
    coefficient: f64,
    vector: Vec<f64>,
    /// Row by row; empty where there is no dense part.
    dense: Vec<f64>,
}

impl Covariance {
    /// The zero matrix of dimension `d`.
    pub fn zero(dimension: usize) -> Self {
        Self { diagonal: vec![0.0; dimension], ..Self::default() }
    }

    /// Number of rows.
    pub fn dimension(&self) -> usize {
        self.diagonal.len()
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

    /// `+ diag(D)`.
    pub fn add_diagonal(&mut self, entries: impl IntoIterator<Item = f64>) {
        for (sum, entry) in self.diagonal.iter_mut().zip(entries) {
            *sum += entry;
        }
    }

    /// `+ c u uᵀ`; a second, different vector moves the first into the dense part.
    pub fn add_rank_one(&mut self, coefficient: f64, vector: &[f64]) {
        if coefficient == 0.0 {
            return;
        }
        if self.coefficient != 0.0 && self.vector != vector {
            let first = std::mem::take(&mut self.vector);
            let first_coefficient = std::mem::replace(&mut self.coefficient, 0.0);
            self.add_dense(|i, j| first_coefficient * first[i] * first[j]);
        }
        self.coefficient += coefficient;
        self.vector.clear();
        self.vector.extend_from_slice(vector);
    }

    /// `+ M`, given by its entries.
    pub fn add_dense(&mut self, entry: impl Fn(usize, usize) -> f64) {
        let d = self.dimension();
        self.dense.resize(d * d, 0.0);
        for i in 0..d {
            for j in 0..d {
                self.dense[i * d + j] += entry(i, j);
            }
        }
    }

    /// `+ weight · other`, keeping the form of `other` where it can.
    pub fn add(&mut self, weight: f64, other: &Covariance) {
        self.add_diagonal(other.diagonal.iter().map(|entry| weight * entry));
        if other.coefficient != 0.0 {
            self.add_rank_one(weight * other.coefficient, &other.vector);
        }
        if !other.dense.is_empty() {
            let d = self.dimension();
            self.add_dense(|i, j| weight * other.dense[i * d + j]);
        }
    }

    /// `· factor`.
    pub fn scale(&mut self, factor: f64) {
        self.coefficient *= factor;
        for entry in self.diagonal.iter_mut().chain(&mut self.dense) {
            *entry *= factor;
        }
    }

    /// The entry of row `i` and column `j`.
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        let mut entry = if i == j { self.diagonal[i] } else { 0.0 };
        if self.coefficient != 0.0 {
            entry += self.coefficient * self.vector[i] * self.vector[j];
        }
        if !self.dense.is_empty() {
            entry += self.dense[i * self.dimension() + j];
        }
        entry
    }

    /// The sum of the variances.
    pub fn trace(&self) -> f64 {
        (0..self.dimension()).map(|i| self.entry(i, i)).sum()
    }
}
