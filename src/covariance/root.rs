//! `Σ^{1/2} ξ`: a root of each form of covariance, times a vector.

use super::Covariance;
use super::low_rank::{has_low_rank_root, multiply_low_rank};
use crate::simd::vectorized;
use crate::special::elementary::reciprocal_roots;

/// Multiplies by a root `A` of a covariance, `A Aᵀ = Σ`, with the buffers this needs.
///
/// The factor of a dense covariance is kept and used again as long as the matrix stays the same, so
/// that a constant one is factored once.
#[derive(Clone, Debug, Default)]
pub struct Root {
    matrix: Vec<f64>,
    factored: Vec<f64>,
    factor: Vec<f64>,
    /// The pivots of that factor, in their order.
    order: Vec<usize>,
}

impl Root {
    /// `out = A ξ` for a vector `ξ` of the dimension of the covariance, or for each of n paths, all of shape `[d, n]`.
    pub fn multiply(&mut self, covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
        if needs_factor(covariance) {
            self.multiply_dense(covariance, xi, out);
        } else {
            multiply_sparse(covariance, xi, out);
        }
    }

    /// The same for a covariance near that of the last [`Root::multiply`], of the same form: its root is one that
    /// is a smooth function of the covariance there. Where it is dense, it is factored in the same order of
    /// pivots, which otherwise changes from one covariance to the next, and the root with it.
    pub fn multiply_nearby(&mut self, covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
        if !needs_factor(covariance) {
            return multiply_sparse(covariance, xi, out);
        }
        let d = xi.len();
        self.read(covariance);
        if self.matrix == self.factored {
            return product(&self.factor, xi, out);
        }
        let order = &self.order;
        let factor = factorize(std::mem::take(&mut self.matrix), d, |column, _| order[column]);
        product(&factor, xi, out);
    }

    fn multiply_dense(&mut self, covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
        let d = xi.len();
        self.read(covariance);
        if self.matrix != self.factored {
            self.factored.clone_from(&self.matrix);
            let order = &mut self.order;
            order.clear();
            self.factor = factorize(std::mem::take(&mut self.matrix), d, |_, left| {
                let pivot = largest_pivot(left, d, order);
                order.push(pivot);
                pivot
            });
        }
        product(&self.factor, xi, out);
    }

    fn read(&mut self, covariance: &Covariance) {
        let d = covariance.dimension();
        self.matrix.clear();
        self.matrix.extend((0..d * d).map(|index| covariance.entry(index / d, index % d)));
    }
}

/// Whether there is no root of it but the factor of a matrix.
fn needs_factor(covariance: &Covariance) -> bool {
    covariance.is_dense() || !covariance.low_rank.is_zero() && !has_low_rank_root(covariance)
}

fn multiply_sparse(covariance: &Covariance, xi: &[f64], out: &mut [f64]) {
    let Covariance { paths, common, coefficient, vector, low_rank, .. } = covariance;
    if !low_rank.is_zero() {
        multiply_low_rank(covariance, xi, out);
    } else if *coefficient == 0.0 {
        multiply_diagonal(common, covariance.diagonal(), xi, out);
    } else {
        multiply_rank_one(*paths, common, covariance.diagonal(), -coefficient, vector, xi, out);
    }
}

fn product(factor: &[f64], xi: &[f64], out: &mut [f64]) {
    for (out, row) in out.iter_mut().zip(factor.chunks_exact(xi.len())) {
        *out = row.iter().zip(xi).map(|(entry, xi)| entry * xi).sum();
    }
}

vectorized! {
    /// `out = (C + D)^{1/2} ξ`, C one number a row, and no D where it is empty.
    fn multiply_diagonal(common: &[f64], diagonal: &[f64], xi: &[f64], out: &mut [f64]) {
        let n = xi.len() / common.len();
        let rows = out.chunks_exact_mut(n).zip(xi.chunks_exact(n)).zip(common).enumerate();
        for (j, ((out, xi), common)) in rows {
            if diagonal.is_empty() {
                let deviation = nonnegative(*common).sqrt();
                out.iter_mut().zip(xi).for_each(|(out, xi)| *out = deviation * xi);
            } else {
                for ((out, xi), diagonal) in out.iter_mut().zip(xi).zip(&diagonal[j * n..][..n]) {
                    *out = nonnegative(common + diagonal).sqrt() * xi;
                }
            }
        }
    }

    /// `out = A ξ` for n paths, A the root of `C + D − c u uᵀ` of [`multiply_strip`].
    fn multiply_rank_one(
        n: usize,
        common: &[f64],
        diagonal: &[f64],
        c: f64,
        u: &[f64],
        xi: &[f64],
        out: &mut [f64],
    ) {
        let rest = n - n % STRIP;
        for first in (0..rest).step_by(STRIP) {
            multiply_strip::<STRIP>(first, n, common, diagonal, c, u, xi, out);
        }
        for path in rest..n {
            multiply_strip::<1>(path, n, common, diagonal, c, u, xi, out);
        }
    }
}

/// Paths of a strip: a whole block of the driver. Half as many are slower here by 3 %.
const STRIP: usize = 64;

/// The O(d) root `D^{1/2}(I − c′ w wᵀ)` of `D − c u uᵀ`, `w = D^{-1/2}u`, `c′ = c/(1 + √(1 − c‖w‖²))`: stable at w = 0
/// and at c‖w‖² = 1. Of ξ it makes `D^{1/2}ξ − c′(wᵀξ) u`; here for M of n paths, from the `first` on.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn multiply_strip<const M: usize>(
    first: usize,
    n: usize,
    common: &[f64],
    diagonal: &[f64],
    c: f64,
    u: &[f64],
    xi: &[f64],
    out: &mut [f64],
) {
    let mut squares = [0.0; M];
    let mut projections = [0.0; M];
    for (j, common) in common.iter().enumerate() {
        let start = j * n + first;
        let (out, xi, u) = (&mut out[start..][..M], &xi[start..][..M], &u[start..][..M]);
        let diagonal = if diagonal.is_empty() { diagonal } else { &diagonal[start..][..M] };
        let mut variances = [0.0; M];
        for path in 0..M {
            variances[path] =
                nonnegative(if diagonal.is_empty() { *common } else { common + diagonal[path] });
        }
        let reciprocals = reciprocal_roots(&variances);
        for path in 0..M {
            let (variance, reciprocal) = (variances[path], reciprocals[path]);
            let reciprocal = if variance == 0.0 { 0.0 } else { reciprocal };
            let (deviation, w) = (variance * reciprocal, u[path] * reciprocal);
            squares[path] += w * w;
            projections[path] += w * xi[path];
            out[path] = deviation * xi[path];
        }
    }
    let mut factors = [0.0; M];
    for path in 0..M {
        factors[path] = projections[path] * (-c / (1.0 + nonnegative(1.0 - c * squares[path]).sqrt()));
    }
    for j in 0..common.len() {
        let start = j * n + first;
        let (out, u) = (&mut out[start..][..M], &u[start..][..M]);
        for path in 0..M {
            out[path] += factors[path] * u[path];
        }
    }
}

/// Zero for a variance that rounding made negative; a NaN stays one.
#[inline(always)]
pub(super) fn nonnegative(variance: f64) -> f64 {
    if variance < 0.0 { 0.0 } else { variance }
}

/// A root `A Aᵀ = Σ` of a semidefinite `d × d` matrix, all row by row.
///
/// Cholesky factorisation with diagonal pivoting: what it leaves out is as small as rounding (Higham, Accuracy and
/// Stability of Numerical Algorithms, section 10.3).
pub fn semidefinite_root(matrix: Vec<f64>, d: usize) -> Vec<f64> {
    let mut used = Vec::new();
    factorize(matrix, d, |_, left| {
        let pivot = largest_pivot(left, d, &used);
        used.push(pivot);
        pivot
    })
}

/// The largest variance of what is left of a matrix, among those not used yet.
fn largest_pivot(left: &[f64], d: usize, used: &[usize]) -> usize {
    let unused = (0..d).filter(|i| !used.contains(i));
    unused.max_by(|&i, &j| left[i * d + i].total_cmp(&left[j * d + j])).unwrap_or(0)
}

/// Cholesky factorisation: `pivot` says which row is next, given the column of the factor and what is left of the
/// matrix. A variance that is not above rounding has no column.
fn factorize(mut matrix: Vec<f64>, d: usize, mut pivot: impl FnMut(usize, &[f64]) -> usize) -> Vec<f64> {
    let mut factor = vec![0.0; d * d];
    let largest = (0..d).map(|i| matrix[i * d + i]).fold(0.0, f64::max);
    let negligible = d as f64 * f64::EPSILON * largest;
    for column in 0..d {
        let pivot = pivot(column, &matrix);
        let variance = matrix[pivot * d + pivot];
        if variance <= negligible {
            continue;
        }
        let scale = 1.0 / variance.sqrt();
        for i in 0..d {
            factor[i * d + column] = matrix[i * d + pivot] * scale;
        }
        for i in 0..d {
            for j in 0..d {
                matrix[i * d + j] -= factor[i * d + column] * factor[j * d + column];
            }
        }
    }
    factor
}
