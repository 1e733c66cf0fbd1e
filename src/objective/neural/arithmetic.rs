//! Matrix products and the functions of networks on slices of numbers.
//!
//! Candle's own products pick instructions at run time, and its exponentials are those of the platform. These have the same
//! bits on every machine, like all of `crate::simd`, and use one thread: paths run side by side already.

use crate::simd::vectorized;
use crate::special::elementary::{exp_m1, log};

/// Rows and columns of a product that are summed side by side: as many sums as the registers of AVX2 hold.
const ROWS: usize = 6;
const COLUMNS: usize = 8;

/// A matrix in a slice: the entry (i, j) stands at `i · row + j · column`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub entries: &'a [f64],
    pub row: usize,
    pub column: usize,
}

impl<'a> Matrix<'a> {
    #[inline(always)]
    fn transposed(self) -> Self {
        Self { entries: self.entries, row: self.column, column: self.row }
    }

    /// Groups of `WIDTH` of the `rows` rows, the last filled up with zeros, entries of a column beside each other.
    #[inline(always)]
    fn pack<const WIDTH: usize>(self, rows: usize, columns: usize, packed: &mut Vec<f64>) {
        packed.clear();
        packed.resize(rows.next_multiple_of(WIDTH) * columns, 0.0);
        for (group, packed) in packed.chunks_exact_mut(WIDTH * columns).enumerate() {
            let first = group * WIDTH;
            for in_group in 0..WIDTH.min(rows - first) {
                let row = &self.entries[(first + in_group) * self.row..];
                let entries = row.iter().step_by(self.column);
                for (packed, entry) in packed[in_group..].iter_mut().step_by(WIDTH).zip(entries) {
                    *packed = *entry;
                }
            }
        }
    }
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
        a.pack::<ROWS>(rows, inner, packed_a);
        b.transposed().pack::<COLUMNS>(columns, inner, packed_b);
        for (group, a) in packed_a.chunks_exact(ROWS * inner).enumerate() {
            let out = &mut out[group * ROWS * columns..];
            for (panel, b) in packed_b.chunks_exact(COLUMNS * inner).enumerate() {
                let mut sums = [[0.0; COLUMNS]; ROWS];
                for (a, b) in a.chunks_exact(ROWS).zip(b.chunks_exact(COLUMNS)) {
                    for (sums, a) in sums.iter_mut().zip(a) {
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum += a * b;
                        }
                    }
                }
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
