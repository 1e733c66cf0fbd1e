//! Covariance matrices in the cheapest form that holds them, and their roots.

mod form;
mod low_rank;
mod root;

pub use root::{Root, semidefinite_root};

use crate::rows;
use low_rank::LowRank;

/// A `d × d` covariance `diag(C + D) + c u uᵀ + w F Fᵀ + M`, where all but the diagonal may be absent; or one for each of n
/// paths, without F and M: then C, of d entries, and c are the same for all, and D and u have the shape `[d, n]`.
///
/// It is an accumulator: terms are added, and the form stays diagonal, or diagonal plus rank one or low rank, as
/// long as the terms allow, so that its root costs O(d). The buffers are kept over [`clear`].
///
/// [`clear`]: Covariance::clear
#[derive(Clone, Debug, Default)]
pub struct Covariance {
    paths: usize,
    common: Vec<f64>,
    /// D, where it is not 0.
    diagonal: Vec<f64>,
    has_diagonal: bool,
    coefficient: f64,
    vector: Vec<f64>,
    low_rank: LowRank,
    /// Row by row; empty where there is no dense part.
    dense: Vec<f64>,
}

impl Covariance {
    /// The zero matrix of dimension `d`.
    pub fn zero(dimension: usize) -> Self {
        let zero = vec![0.0; dimension];
        Self { paths: 1, common: zero.clone(), diagonal: zero, ..Self::default() }
    }

    /// Number of rows.
    pub fn dimension(&self) -> usize {
        self.common.len()
    }

    /// Zero matrices of so many paths.
    pub(crate) fn resize(&mut self, paths: usize) {
        self.reshape(self.dimension(), paths);
    }

    /// Zero matrices of another dimension.
    pub(crate) fn reshape(&mut self, dimension: usize, paths: usize) {
        self.paths = paths;
        self.common.resize(dimension, 0.0);
        self.diagonal.resize(dimension * paths, 0.0);
        self.clear();
    }

    /// Back to the zero matrix.
    pub fn clear(&mut self) {
        self.common.fill(0.0);
        self.has_diagonal = false;
        self.coefficient = 0.0;
        self.low_rank.clear();
        self.dense.clear();
    }

    /// Whether the matrix is held as its diagonal alone.
    pub fn is_diagonal(&self) -> bool {
        self.coefficient == 0.0 && self.low_rank.is_zero() && self.dense.is_empty()
    }

    /// Whether the matrix has a dense part, whose root takes d³ operations.
    pub fn is_dense(&self) -> bool {
        !self.dense.is_empty()
    }

    /// Roughly the operations of its root, beyond a few for each coordinate.
    pub(crate) fn root_operations(&self) -> f64 {
        let d = self.dimension() as f64;
        let columns = self.low_rank.columns(self.dimension()).len() as f64;
        if self.is_dense() { d * d * d / 3.0 } else { columns * columns * d }
    }

    /// `+ diag(D)`, D of shape `[d, n]`, of d entries for one path.
    ///
    /// # Panics
    ///
    /// Where there are fewer or more.
    #[track_caller]
    pub fn add_diagonal(&mut self, entries: impl IntoIterator<Item = f64>) {
        if !std::mem::replace(&mut self.has_diagonal, true) {
            self.diagonal.fill(0.0);
        }
        add_each(&mut self.diagonal, entries);
    }

    /// `+ diag(C)` with a C of d entries, the same for all paths.
    ///
    /// # Panics
    ///
    /// Where there are fewer or more.
    #[track_caller]
    pub fn add_variances(&mut self, entries: impl IntoIterator<Item = f64>) {
        add_each(&mut self.common, entries);
    }

    /// `+ weight · diag(a²)`, a of shape `[d, n]`.
    pub(crate) fn add_squares(&mut self, weight: f64, a: &[f64]) {
        if std::mem::replace(&mut self.has_diagonal, true) {
            rows::add_scaled_squares(&mut self.diagonal, weight, a);
        } else {
            rows::set_scaled_squares(&mut self.diagonal, weight, a);
        }
    }

    /// `+ weight · diag(other)`, without what `other` has off its diagonal.
    pub(crate) fn add_diagonal_of(&mut self, weight: f64, other: &Covariance) {
        self.add_variances(other.common.iter().map(|entry| weight * entry));
        self.add_diagonal_part(weight, other);
        if other.coefficient != 0.0 {
            self.add_squares(weight * other.coefficient, &other.vector);
        }
        if !other.low_rank.is_zero() {
            self.add_variances(
                (0..other.dimension()).map(|j| weight * other.low_rank.entry(other.dimension(), j, j)),
            );
        }
        if other.is_dense() {
            self.add_variances(other.dense.iter().step_by(other.dimension() + 1).map(|entry| weight * entry));
        }
    }

    /// `+ c u uᵀ`, u of shape `[d, n]`, of d entries for one path; a second, different vector moves the first into the dense part.
    ///
    /// # Panics
    ///
    /// Where there are fewer or more.
    #[track_caller]
    pub fn add_rank_one(&mut self, coefficient: f64, vector: &[f64]) {
        let expected = self.dimension() * self.paths;
        assert_eq!(vector.len(), expected, "entries of a vector; the covariance takes so many: {expected}");
        if coefficient == 0.0 {
            return;
        }
        if self.coefficient == 0.0 {
            self.vector.clear();
            self.vector.extend_from_slice(vector);
        // By their bits, as what is not a number is not equal to itself.
        } else if self.vector.iter().zip(vector).any(|(a, b)| a.to_bits() != b.to_bits()) {
            let first = std::mem::replace(&mut self.vector, vector.to_vec());
            let first_coefficient = std::mem::replace(&mut self.coefficient, 0.0);
            self.add_dense(|i, j| first_coefficient * first[i] * first[j]);
        }
        self.coefficient += coefficient;
    }

    /// `+ a·diag(u²) + c u uᵀ`, u of shape `[d, n]`: both at once where nothing like them is there yet.
    pub(crate) fn add_squares_and_rank_one(&mut self, a: f64, c: f64, u: &[f64]) {
        if self.has_diagonal || self.coefficient != 0.0 || c == 0.0 {
            self.add_squares(a, u);
            return self.add_rank_one(c, u);
        }
        self.has_diagonal = true;
        self.coefficient = c;
        self.vector.resize(u.len(), 0.0);
        rows::set_scaled_squares_and_copy(&mut self.diagonal, &mut self.vector, a, u);
    }

    /// `+ weight · F Fᵀ`, for one path: F of m columns of d entries, one behind the other. It is held as such where m < d; a
    /// second, different F moves the first into the dense part.
    ///
    /// # Panics
    ///
    /// Where the entries do not make whole columns.
    #[track_caller]
    pub fn add_columns(&mut self, weight: f64, columns: &[f64]) {
        let d = self.dimension();
        assert_eq!(
            columns.len() % d,
            0,
            "entries of columns beyond whole ones; a column of the covariance takes {d}"
        );
        assert_eq!(self.paths, 1, "a covariance of low rank is that of one path");
        if weight == 0.0 || columns.is_empty() {
            return;
        }
        let dense = if columns.len() < d * d {
            self.low_rank.add(weight, columns)
        } else {
            Some(LowRank { weight, columns: columns.to_vec() })
        };
        if let Some(dense) = dense {
            self.add_dense(|i, j| dense.entry(d, i, j));
        }
    }

    /// `+ M`, given by its entries, for one path.
    pub fn add_dense(&mut self, entry: impl Fn(usize, usize) -> f64) {
        let d = self.dimension();
        assert_eq!(self.paths, 1, "a dense covariance is that of one path");
        self.dense.resize(d * d, 0.0);
        for i in 0..d {
            for j in 0..d {
                self.dense[i * d + j] += entry(i, j);
            }
        }
    }

    /// `+ weight · other`, keeping the form of `other` where it can.
    pub fn add(&mut self, weight: f64, other: &Covariance) {
        self.add_variances(other.common.iter().map(|entry| weight * entry));
        self.add_diagonal_part(weight, other);
        if other.coefficient != 0.0 {
            self.add_rank_one(weight * other.coefficient, &other.vector);
        }
        if !other.low_rank.is_zero() {
            self.add_columns(weight * other.low_rank.weight, &other.low_rank.columns);
        }
        if other.is_dense() {
            let d = self.dimension();
            self.add_dense(|i, j| weight * other.dense[i * d + j]);
        }
    }

    /// `+ other`, of fewer dimensions, in the rows and columns from `first` on.
    pub(crate) fn add_block(&mut self, first: usize, other: &Covariance) {
        self.common[first..].iter_mut().zip(&other.common).for_each(|(sum, entry)| *sum += entry);
        let before = first * self.paths;
        if other.has_diagonal {
            let after = self.diagonal.len() - before - other.diagonal.len();
            let zeros = |count: usize| std::iter::repeat_n(0.0, count);
            self.add_diagonal(zeros(before).chain(other.diagonal.iter().copied()).chain(zeros(after)));
        }
        let last = first + other.dimension();
        if other.coefficient != 0.0 {
            let mut vector = vec![0.0; self.dimension() * self.paths];
            vector[before..last * self.paths].copy_from_slice(&other.vector);
            self.add_rank_one(other.coefficient, &vector);
        }
        if !other.low_rank.is_zero() {
            let mut columns = Vec::new();
            for column in other.low_rank.columns(other.dimension()) {
                columns.resize(columns.len() + first, 0.0);
                columns.extend_from_slice(column);
                columns.resize(columns.len() + self.dimension() - last, 0.0);
            }
            self.add_columns(other.low_rank.weight, &columns);
        }
        if other.is_dense() {
            let block = first..last;
            self.add_dense(|i, j| {
                let is_inside = block.contains(&i) && block.contains(&j);
                if is_inside { other.dense[(i - first) * other.dimension() + (j - first)] } else { 0.0 }
            });
        }
    }

    /// The largest variance, for one path.
    pub(crate) fn largest_variance(&self) -> f64 {
        (0..self.dimension()).map(|i| self.entry(i, i)).fold(0.0, f64::max)
    }

    /// `+ weight · diag(D)`, the D of `other`.
    fn add_diagonal_part(&mut self, weight: f64, other: &Covariance) {
        if other.has_diagonal {
            if std::mem::replace(&mut self.has_diagonal, true) {
                rows::add_scaled(&mut self.diagonal, weight, &other.diagonal);
            } else {
                rows::set_scaled(&mut self.diagonal, weight, &other.diagonal);
            }
        }
    }

    /// D, empty where it is 0.
    fn diagonal(&self) -> &[f64] {
        if self.has_diagonal { &self.diagonal } else { &[] }
    }

    /// `· factor`.
    pub fn scale(&mut self, factor: f64) {
        self.coefficient *= factor;
        self.low_rank.weight *= factor;
        for part in [&mut self.common, &mut self.diagonal, &mut self.dense] {
            rows::scale(part, factor);
        }
    }

    /// The entry of row `i` and column `j`, for one path.
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        self.entry_of(0, i, j)
    }

    /// The same for a path among n.
    pub(crate) fn entry_of(&self, path: usize, i: usize, j: usize) -> f64 {
        let n = self.paths;
        let mut entry = 0.0;
        if i == j {
            entry += self.common[i] + self.diagonal().get(i * n + path).copied().unwrap_or(0.0);
        }
        if self.coefficient != 0.0 {
            entry += self.coefficient * self.vector[i * n + path] * self.vector[j * n + path];
        }
        if !self.low_rank.is_zero() {
            entry += self.low_rank.entry(self.dimension(), i, j);
        }
        if self.is_dense() {
            entry += self.dense[i * self.dimension() + j];
        }
        entry
    }

    /// `C_j + D_j`, for one path; 0 where rounding made it negative.
    fn variance(&self, j: usize) -> f64 {
        root::nonnegative(self.common[j] + self.diagonal().get(j).copied().unwrap_or(0.0))
    }

    /// The sum of the variances, for one path.
    pub fn trace(&self) -> f64 {
        (0..self.dimension()).map(|i| self.entry(i, i)).sum()
    }
}

/// `sums += entries`, of which there have to be as many.
#[track_caller]
fn add_each(sums: &mut [f64], entries: impl IntoIterator<Item = f64>) {
    let mut entries = entries.into_iter();
    let mut added = 0;
    for (sum, entry) in sums.iter_mut().zip(&mut entries) {
        *sum += entry;
        added += 1;
    }
    let (given, expected) = (added + entries.count(), sums.len());
    assert_eq!(given, expected, "entries of a diagonal; the covariance takes so many: {expected}");
}
