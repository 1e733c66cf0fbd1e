//! What candle is taught: operations on its tape whose numbers are those of [`super::arithmetic`].

use super::arithmetic::{self, Matrix};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use std::sync::Arc;

/// The product of matrices of shapes `[rows, inner]` and `[inner, columns]`, or of as many pairs of them.
pub(super) fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    a.apply_op2(b, Product)
}

pub(super) fn tanh(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Elementwise { value: arithmetic::tanh, slope: arithmetic::tanh_slope })
}

pub(super) fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Elementwise { value: arithmetic::gelu, slope: arithmetic::gelu_slope })
}

/// Along the last axis; causal, an entry of a square sees those up to the diagonal.
pub(super) fn softmax(x: &Tensor, causal: bool) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Softmax { causal })
}

/// The mean over the rows of `logits`, of shape `[rows, classes]`, of −log of the probability of their labels.
pub(super) fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Result<Tensor> {
    logits.contiguous()?.apply_op1(CrossEntropy { labels: labels.into() })
}

struct Product;

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        of_a: &Layout,
        b: &CpuStorage,
        of_b: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ([pairs, rows, inner], a_strides) = three_axes(of_a)?;
        let ([pairs_b, inner_b, columns], b_strides) = three_axes(of_b)?;
        if (pairs, inner) != (pairs_b, inner_b) {
            bail!("product of shapes {:?} and {:?}", of_a.dims(), of_b.dims());
        }
        let (a, b) =
            (&a.as_slice::<f64>()?[of_a.start_offset()..], &b.as_slice::<f64>()?[of_b.start_offset()..]);
        let mut out = vec![0.0; pairs * rows * columns];
        let mut room = Default::default();
        for (pair, out) in out.chunks_exact_mut(rows * columns).enumerate() {
            let [skipped, row, column] = a_strides;
            let a = Matrix { entries: &a[pair * skipped..], row, column };
            let [skipped, row, column] = b_strides;
            let b = Matrix { entries: &b[pair * skipped..], row, column };
            arithmetic::multiply(a, b, rows, inner, columns, &mut room, out);
        }
        let shape = if of_a.dims().len() == 2 { vec![rows, columns] } else { vec![pairs, rows, columns] };
        Ok((CpuStorage::F64(out), shape.into()))
    }

    /// `∇_a = ∇ bᵀ`, `∇_b = aᵀ ∇`.
    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _product: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let product = |a: &Tensor, b: &Tensor| a.apply_op2_no_bwd(b, &Product);
        Ok((Some(product(gradient, &b.t()?)?), Some(product(&a.t()?, gradient)?)))
    }
}

/// Lengths and strides of a matrix, or of many behind each other.
fn three_axes(layout: &Layout) -> Result<([usize; 3], [usize; 3])> {
    match (layout.dims(), layout.stride()) {
        (&[rows, columns], &[row, column]) => Ok(([1, rows, columns], [0, row, column])),
        (&[pairs, rows, columns], &[pair, row, column]) => Ok(([pairs, rows, columns], [pair, row, column])),
        (dims, _) => bail!("a product of shape {dims:?}"),
    }
}

/// A function of every entry, and its derivative.
struct Elementwise {
    value: fn(&[f64], &mut [f64]),
    slope: fn(&[f64], &mut [f64]),
}

impl CustomOp1 for Elementwise {
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fill(x, layout, self.value)
    }

    fn bwd(&self, x: &Tensor, _value: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let slope = x.apply_op1_no_bwd(&Elementwise { value: self.slope, slope: self.slope })?;
        Ok(Some(slope.mul(gradient)?))
    }
}

struct Softmax {
    causal: bool,
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let columns = layout.dims()[layout.dims().len() - 1];
        fill(x, layout, |x, out| arithmetic::softmax(x, columns, self.causal, out))
    }

    /// `p ⊙ (∇ − Σ_j p_j ∇_j)`.
    fn bwd(&self, _x: &Tensor, p: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let mean = p.mul(gradient)?.sum_keepdim(candle_core::D::Minus1)?;
        Ok(Some(gradient.broadcast_sub(&mean)?.mul(p)?))
    }
}

struct CrossEntropy {
    labels: Arc<[u32]>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut total = 0.0;
        let (x, classes) = (numbers(logits, layout)?, layout.dims()[1]);
        arithmetic::cross_entropy(x, classes, &self.labels, &mut total);
        Ok((CpuStorage::F64(vec![total / self.labels.len() as f64]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _loss: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let excess = logits.apply_op1_no_bwd(&Excess { labels: Arc::clone(&self.labels) })?;
        Ok(Some(excess.broadcast_mul(gradient)?))
    }
}

/// The gradient of the mean cross-entropy: the probabilities, less one at the label, over the number of rows.
struct Excess {
    labels: Arc<[u32]>,
}

impl CustomOp1 for Excess {
    fn name(&self) -> &'static str {
        "excess of probabilities"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let classes = layout.dims()[1];
        fill(logits, layout, |x, out| {
            arithmetic::softmax(x, classes, false, out);
            for (out, label) in out.chunks_exact_mut(classes).zip(&*self.labels) {
                out[*label as usize] -= 1.0;
            }
            let rows = self.labels.len() as f64;
            out.iter_mut().for_each(|out| *out /= rows);
        })
    }
}

/// The entries of a contiguous tensor.
pub(super) fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f64]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice()?[start..end]),
        None => bail!("entries that are not one behind the other"),
    }
}

/// An operation whose result has the shape of its argument.
fn fill(x: &CpuStorage, layout: &Layout, value: impl Fn(&[f64], &mut [f64])) -> Result<(CpuStorage, Shape)> {
    let x = numbers(x, layout)?;
    let mut out = vec![0.0; x.len()];
    value(x, &mut out);
    Ok((CpuStorage::F64(out), layout.shape().clone()))
}
