//! Layers that several architectures share.

use super::operations::{gelu, product, tanh};
use super::weights::{Start, Weights};
use candle_core::{D, Result, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;

/// A smooth function of every entry: SDEs of optimizers ask for derivatives of f, which ReLU has not.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Activation {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    Gelu,
}

impl Activation {
    pub fn of(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Tanh => tanh(x),
            Self::Gelu => gelu(x),
        }
    }
}

/// `x W` along the last axis, W of shape `[inputs, outputs]`.
pub(super) fn project(
    weights: &mut Weights,
    name: &'static str,
    x: &Tensor,
    outputs: usize,
    start: impl Fn(usize, usize) -> Start,
) -> Result<Tensor> {
    let (mut shape, inputs) = (x.dims().to_vec(), x.dim(D::Minus1)?);
    let matrix = weights.take(name, &[inputs, outputs], start(inputs, outputs))?;
    weights.count(x.elem_count() * outputs);
    let rows = x.elem_count() / inputs;
    *shape.last_mut().expect("x has a last axis") = outputs;
    product(&x.reshape((rows, inputs))?, &matrix)?.reshape(shape)
}

/// `x W + b` along the last axis; b starts at 0.
pub(super) fn linear(
    weights: &mut Weights,
    name: &'static str,
    x: &Tensor,
    outputs: usize,
    start: impl Fn(usize, usize) -> Start,
) -> Result<Tensor> {
    let projected = project(weights, name, x, outputs, start)?;
    projected.broadcast_add(&weights.take("bias", &[outputs], Start::Zeros)?)
}

/// Layer normalisation (Ba, Kiros and Hinton 2016): `γ ⊙ (x − mean)/√(variance + 1e-5) + β`, mean and variance over the last
/// `axes` axes, γ and β along the last.
pub(super) fn normalise(weights: &mut Weights, x: &Tensor, axes: usize) -> Result<Tensor> {
    const VARIANCE_ADDED: f64 = 1e-5;
    let (shape, width) = (x.shape(), x.dim(D::Minus1)?);
    let together = x.flatten_from(x.rank() - axes)?;
    let centred = together.broadcast_sub(&together.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + VARIANCE_ADDED)?.sqrt()?;
    let normal = centred.broadcast_div(&deviation)?.reshape(shape)?;
    let scaled = normal.broadcast_mul(&weights.take("normalisation scale", &[width], Start::Ones)?)?;
    scaled.broadcast_add(&weights.take("normalisation shift", &[width], Start::Zeros)?)
}
