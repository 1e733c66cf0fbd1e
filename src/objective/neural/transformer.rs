//! Blocks of transformers: attention (Vaswani et al. 2017), normalised before each half as in GPT-2 (Radford et al. 2019) and
//! ViT (Dosovitskiy et al. 2021).

use super::layers::{linear, normalise};
use super::operations::{gelu, product, softmax};
use super::weights::{Start, Weights};
use candle_core::{Result, Tensor};

/// The shape of a stack of blocks, and how its matrices start.
pub(super) struct Stack {
    pub depth: usize,
    pub heads: usize,
    /// Width of the hidden layer of an MLP, in widths of the model.
    pub expansion: usize,
    /// Whether a position sees only those up to itself.
    pub causal: bool,
    pub start: Rule,
    /// Of the matrices whose products are added to the residual stream.
    pub residual_start: Rule,
}

/// From inputs and outputs of a matrix to its start.
type Rule = Box<dyn Fn(usize, usize) -> Start + Send + Sync>;

impl Stack {
    /// x of shape `[samples, positions, width]`, after `depth` times `x += attention(norm(x)); x += mlp(norm(x))`, and a last
    /// normalisation.
    pub fn apply(&self, weights: &mut Weights, x: Tensor) -> Result<Tensor> {
        let mut x = x;
        for _ in 0..self.depth {
            let normal = normalise(weights, &x, 1)?;
            x = x.add(&self.attention(weights, &normal)?)?;
            let normal = normalise(weights, &x, 1)?;
            x = x.add(&self.perceptron(weights, &normal)?)?;
        }
        normalise(weights, &x, 1)
    }

    /// `softmax(q kᵀ/√(width of a head)) v`, all heads side by side, and a projection.
    fn attention(&self, weights: &mut Weights, x: &Tensor) -> Result<Tensor> {
        let (samples, positions, width) = x.dims3()?;
        let of_head = width / self.heads;
        let all = linear(weights, "attention queries, keys and values", x, 3 * width, &self.start)?;
        let all = all.reshape((samples, positions, 3, self.heads, of_head))?.permute((2, 0, 3, 1, 4))?;
        let all = all.contiguous()?.reshape((3, samples * self.heads, positions, of_head))?;
        let (queries, keys, values) = (all.get(0)?, all.get(1)?, all.get(2)?);
        let scores = (product(&queries, &keys.t()?)? / (of_head as f64).sqrt())?;
        let seen = product(&softmax(&scores, self.causal)?, &values)?;
        weights.count(2 * samples * positions * positions * width);
        let side_by_side = seen.reshape((samples, self.heads, positions, of_head))?.transpose(1, 2)?;
        let side_by_side = side_by_side.contiguous()?.reshape((samples, positions, width))?;
        linear(weights, "attention output", &side_by_side, width, &self.residual_start)
    }

    fn perceptron(&self, weights: &mut Weights, x: &Tensor) -> Result<Tensor> {
        let (_, _, width) = x.dims3()?;
        let hidden = gelu(&linear(weights, "hidden", x, self.expansion * width, &self.start)?)?;
        linear(weights, "hidden output", &hidden, width, &self.residual_start)
    }
}
