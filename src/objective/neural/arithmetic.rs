//! Matrix products and the functions of networks on slices of numbers.
//!
//! Candle's own products pick instructions at run time, and its exponentials are those of the platform. These have the same
//! bits on every machine, like all of `crate::simd`, and use one thread: paths run side by side already.

use crate::simd::vectorized;
use crate::special::elementary::{exp_m1, log};

/// Rows and columns of a product that are summed side by side, in registers.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// A matrix in a slice: the entry (i, j) stands at `i · row + j · column`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub entries: &'a [f64],
    pub row: usize,
    pub column: usize,
}

impl Matrix<'_> {
    /// Row after row, and rows of zeros up to a multiple of [`ROWS`].
    #[inline(always)]
    fn pack_rows(self, rows: usize, columns: usize, packed: &mut Vec<f64>) {
        packed.clear();
        packed.resize(rows.next_multiple_of(ROWS) * columns, 0.0);
        for (row, packed) in packed.chunks_exact_mut(columns).take(rows).enumerate() {
            let entries = self.entries[row * self.row..].iter().step_by(self.column);
            packed.iter_mut().zip(entries).for_each(|(packed, entry)| *packed = *entry);
        }
    }

    /// Panels of [`COLUMNS`] columns, the last filled up with zeros, each row after row.
    #[inline(always)]
    fn pack_columns(self, rows: usize, columns: usize, packed: &mut Vec<f64>) {
        packed.clear();
        packed.resize(columns.next_multiple_of(COLUMNS) * rows, 0.0);
        for (panel, packed) in packed.chunks_exact_mut(COLUMNS * rows).enumerate() {
            let first = panel * COLUMNS;
            let width = COLUMNS.min(columns - first);
            for (row, packed) in packed.chunks_exact_mut(COLUMNS).enumerate() {
                let entries =
                    self.entries[row * self.row + first * self.column..].iter().step_by(self.column);
                packed[..width].iter_mut().zip(entries).for_each(|(packed, entry)| *packed = *entry);
            }
        }
    }
}

/// `sums + a b`. By value, so that sums stay in registers.
#[inline(always)]
fn added(sums: [f64; COLUMNS], a: f64, b: &[f64; COLUMNS]) -> [f64; COLUMNS] {
    let mut sums = sums;
    for (sum, b) in sums.iter_mut().zip(b) {
        *sum += a * b;
    }
    sums
}

/// [`ROWS`] rows, one behind the other, times a panel.
#[inline(always)]
fn times_panel(rows: &[f64], panel: &[[f64; COLUMNS]]) -> [[f64; COLUMNS]; ROWS] {
    let inner = panel.len();
    let (first, second) = rows.split_at(2 * inner);
    let ((a0, a1), (a2, a3)) = (first.split_at(inner), second.split_at(inner));
    let (a0, a1, a2, a3) = (&a0[..inner], &a1[..inner], &a2[..inner], &a3[..inner]);
    let [mut s0, mut s1, mut s2, mut s3] = [[0.0; COLUMNS]; ROWS];
    for (term, b) in panel.iter().enumerate() {
        s0 = added(s0, a0[term], b);
        s1 = added(s1, a1[term], b);
        s2 = added(s2, a2[term], b);
        s3 = added(s3, a3[term], b);
    }
    [s0, s1, s2, s3]
}

vectorized! {
    /// `out = a b` for a of shape `[rows, inner]`, b of `[inner, columns]`, `out` row after row. Each entry is summed from the
    /// first term to the last.
    pub(super) fn multiply(
        a: Matrix,
        b: Matrix,
        rows: usize,
        inner: usize,
        columns: usize,
        room: &mut [Vec<f64>; 2],
        out: &mut [f64],
    ) {
        let [packed_a, packed_b] = room;
        a.pack_rows(rows, inner, packed_a);
        b.pack_columns(inner, columns, packed_b);
        for (a, out) in packed_a.chunks_exact(ROWS * inner).zip(out.chunks_mut(ROWS * columns)) {
            for (panel, b) in packed_b.chunks_exact(COLUMNS * inner).enumerate() {
                let sums = times_panel(a, b.as_chunks().0);
                let first = panel * COLUMNS;
                let width = COLUMNS.min(columns - first);
                for (out, sums) in out.chunks_exact_mut(columns).zip(&sums) {
                    out[first..][..width].copy_from_slice(&sums[..width]);
                }
            }
        }
    }

    /// `out = tanh x`.
    pub(super) fn tanh(x: &[f64], out: &mut [f64]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = hyperbolic_tangent(*x);
        }
    }

    /// `out = tanh′(x) = 1 − tanh² x`.
    pub(super) fn tanh_slope(x: &[f64], out: &mut [f64]) {
        for (out, x) in out.iter_mut().zip(x) {
            let tanh = hyperbolic_tangent(*x);
            *out = 1.0 - tanh * tanh;
        }
    }

    /// `out = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`: the GELU of Hendrycks and Gimpel (2016) as GPT-2 computes it.
    pub(super) fn gelu(x: &[f64], out: &mut [f64]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = 0.5 * x * (1.0 + hyperbolic_tangent(GELU_SCALE * (x + GELU_CUBE * x * x * x)));
        }
    }

    /// `out = gelu′(x)`.
    pub(super) fn gelu_slope(x: &[f64], out: &mut [f64]) {
        for (out, &x) in out.iter_mut().zip(x) {
            let tanh = hyperbolic_tangent(GELU_SCALE * (x + GELU_CUBE * x * x * x));
            let of_argument = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x);
            *out = 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * of_argument;
        }
    }

    /// Rows of probabilities `e^{x_j}/Σ e^{x_i}`, of length `columns`; causal, the rows of a square have one entry, two, …, and
    /// zeros beyond.
    pub(super) fn softmax(x: &[f64], columns: usize, causal: bool, out: &mut [f64]) {
        for (row, (x, out)) in x.chunks_exact(columns).zip(out.chunks_exact_mut(columns)).enumerate() {
            let seen = if causal { row % columns + 1 } else { columns };
            let (out, unseen) = out.split_at_mut(seen);
            unseen.fill(0.0);
            let largest = maximum(&x[..seen]);
            let mut sum = 0.0;
            for (out, x) in out.iter_mut().zip(x) {
                *out = exp_of_negative(x - largest);
            }
            for out in &*out {
                sum += out;
            }
            for out in out {
                *out /= sum;
            }
        }
    }

    /// The sum over rows of `−log` of the probability that a row gives to its label.
    pub(super) fn cross_entropy(x: &[f64], columns: usize, labels: &[u32], total: &mut f64) {
        *total = 0.0;
        for (x, label) in x.chunks_exact(columns).zip(labels) {
            let largest = maximum(x);
            let mut sum = 0.0;
            for x in x {
                sum += exp_of_negative(x - largest);
            }
            *total += largest + log(sum) - x[*label as usize];
        }
    }
}

/// √(2/π).
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

#[inline(always)]
fn hyperbolic_tangent(x: f64) -> f64 {
    let power = exp_m1(2.0 * x.abs());
    // Beyond, 1 − tanh is below half a unit in the last place.
    let tanh = if x.abs() > 20.0 { 1.0 } else { power / (power + 2.0) };
    if x.is_nan() { x } else { tanh.copysign(x) }
}

/// `e^x` for x ≤ 0; 0 below −700, NaN for NaN.
#[inline(always)]
fn exp_of_negative(x: f64) -> f64 {
    if x < -700.0 { 0.0 } else { 1.0 / (exp_m1(-x) + 1.0) }
}

/// The largest entry; NaN where there is one, so that it reaches the loss.
#[inline(always)]
fn maximum(x: &[f64]) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for &x in x {
        largest = if largest >= x { largest } else { x };
    }
    largest
}
