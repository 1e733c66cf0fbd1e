//! Arrays of shape `[rows, n]`, row after row: a row has one number for each of n paths, a column is a vector of one path.
//! With n = 1 they are vectors.

use crate::simd::vectorized;

/// The column of one path.
pub(crate) fn read_column(array: &[f64], n: usize, path: usize, column: &mut [f64]) {
    for (entry, row) in column.iter_mut().zip(array.chunks_exact(n)) {
        *entry = row[path];
    }
}

/// Puts a column into its place.
pub(crate) fn write_column(array: &mut [f64], n: usize, path: usize, column: &[f64]) {
    for (row, entry) in array.chunks_exact_mut(n).zip(column) {
        row[path] = *entry;
    }
}

vectorized! {
    /// `out += a`.
    pub(crate) fn add(out: &mut [f64], a: &[f64]) {
        for (out, a) in out.iter_mut().zip(a) {
            *out += a;
        }
    }

    /// `out += weight · a`.
    pub(crate) fn add_scaled(out: &mut [f64], weight: f64, a: &[f64]) {
        for (out, a) in out.iter_mut().zip(a) {
            *out += weight * a;
        }
    }

    /// `out += weight · a + b`.
    pub(crate) fn add_scaled_and(out: &mut [f64], weight: f64, a: &[f64], b: &[f64]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out += weight * a + b;
        }
    }

    /// `out += weight · a²`, entry by entry.
    pub(crate) fn add_scaled_squares(out: &mut [f64], weight: f64, a: &[f64]) {
        for (out, a) in out.iter_mut().zip(a) {
            *out += weight * (a * a);
        }
    }

    /// `out = weight · a²`, entry by entry.
    pub(crate) fn set_scaled_squares(out: &mut [f64], weight: f64, a: &[f64]) {
        for (out, a) in out.iter_mut().zip(a) {
            *out = weight * (a * a);
        }
    }

    /// `out = weight · a²` and `copy = a`, entry by entry.
    pub(crate) fn set_scaled_squares_and_copy(out: &mut [f64], copy: &mut [f64], weight: f64, a: &[f64]) {
        for ((out, copy), a) in out.iter_mut().zip(copy).zip(a) {
            *out = weight * (a * a);
            *copy = *a;
        }
    }

    /// `out *= factor`.
    pub(crate) fn scale(out: &mut [f64], factor: f64) {
        for out in out {
            *out *= factor;
        }
    }

    /// `out = factor · a`.
    pub(crate) fn set_scaled(out: &mut [f64], factor: f64, a: &[f64]) {
        for (out, a) in out.iter_mut().zip(a) {
            *out = factor * a;
        }
    }

    /// `out = a + scale · out`, one scale a row.
    pub(crate) fn scale_rows_and_add(out: &mut [f64], scale: &[f64], a: &[f64]) {
        let n = out.len() / scale.len();
        for ((out, a), scale) in out.chunks_exact_mut(n).zip(a.chunks_exact(n)).zip(scale) {
            for (out, a) in out.iter_mut().zip(a) {
                *out = a + scale * *out;
            }
        }
    }

    /// `out = scale · (a − centre)`, one scale and one centre a row.
    pub(crate) fn scale_rows_about(out: &mut [f64], scale: &[f64], a: &[f64], centre: &[f64]) {
        let n = out.len() / scale.len();
        for (((out, a), scale), centre) in out.chunks_exact_mut(n).zip(a.chunks_exact(n)).zip(scale).zip(centre) {
            for (out, a) in out.iter_mut().zip(a) {
                *out = scale * (a - centre);
            }
        }
    }

    /// The sum of every column of `Σ_j scale_j (a_j − centre_j)²`.
    pub(crate) fn add_scaled_squares_about(sums: &mut [f64], scale: &[f64], a: &[f64], centre: &[f64]) {
        let n = sums.len();
        for ((a, scale), centre) in a.chunks_exact(n).zip(scale).zip(centre) {
            for (sum, a) in sums.iter_mut().zip(a) {
                *sum += scale * (a - centre) * (a - centre);
            }
        }
    }

    /// Every entry becomes its sign, 0 for 0 and NaN for NaN.
    pub(crate) fn signs(out: &mut [f64]) {
        for out in out {
            *out = crate::special::sign(*out);
        }
    }
}
