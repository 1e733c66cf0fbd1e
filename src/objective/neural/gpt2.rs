//! A decoder like GPT-2 (Radford et al. 2019) on the characters of a text.

use super::data::{Text, TextData};
use super::operations::product;
use super::transformer::Stack;
use super::weights::{Start, Weights};
use super::{Architecture, DEEPEST, MOST_POSITIONS, Network, size, width_of_heads};
use crate::objective::Objective;
use crate::parameter::Invalid;
use candle_core::{Result, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// Standard deviation of all matrices at the start.
const OF_MATRICES: f64 = 0.02;

struct Decoder {
    vocabulary: usize,
    width: usize,
    stack: Stack,
}

impl Architecture for Decoder {
    /// Tokens of shape `[samples, positions]`; the head is the token embedding, transposed.
    fn logits(&self, weights: &mut Weights, tokens: &Tensor) -> Result<Tensor> {
        let (samples, positions) = tokens.dims2()?;
        let start = Start::Gaussians(OF_MATRICES);
        let of_tokens = weights.take("token embedding", &[self.vocabulary, self.width], start)?;
        let of_positions = weights.take("positions", &[positions, self.width], start)?;
        let embedded = of_tokens.index_select(&tokens.flatten_all()?, 0)?;
        let embedded = embedded.reshape((samples, positions, self.width))?.broadcast_add(&of_positions)?;
        let x = self.stack.apply(weights, embedded)?.reshape((samples * positions, self.width))?;
        weights.count(x.elem_count() * self.vocabulary);
        product(&x, &of_tokens.t()?)
    }

    /// A normalised input times scales, times the embedding.
    fn growth(&self) -> u32 {
        2
    }
}

/// `f(x) = (1/n) Σ_s (1/T) Σ_t −log p(c_{t+1} | c_1 … c_t)`, the mean over n windows of a text of the loss of their T next
/// characters; the network a decoder like GPT-2: token and position embeddings, causal attention, an MLP with GELU, layer
/// normalisation before each, and the token embedding as its head. It starts as GPT-2 does: Gaussians of deviation 0.02, those that
/// are added to the residual stream of 0.02/√(2 depth); scales at 1, shifts and biases at 0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// What is read.
    data: TextData,
    /// n, windows of the text one behind the other.
    samples: usize,
    /// T, characters that a window sees.
    context: usize,
    /// Width of the embeddings, a multiple of `heads`.
    width: usize,
    /// Heads of attention.
    heads: usize,
    /// Blocks of attention and MLP.
    depth: usize,
    /// Width of the hidden layer of the MLPs, over `width`.
    expansion: usize,
    /// The start of the network follows from it.
    seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            data: TextData::LiberPrimus,
            samples: 32,
            context: 16,
            width: 12,
            heads: 2,
            depth: 2,
            expansion: 4,
            seed: 1,
        }
    }
}

impl Parameters {
    /// The network and its samples.
    pub fn network(&self) -> std::result::Result<Network, Invalid> {
        width_of_heads(self.width, self.heads)?;
        size("context", self.context, 1, MOST_POSITIONS)?;
        size("depth", self.depth, 1, DEEPEST)?;
        size("expansion", self.expansion, 1, 100)?;
        let text = self.data.read(self.samples, self.context)?;
        let Text { vocabulary, .. } = text;
        if vocabulary < 2 {
            let message = "the same character everywhere; expected a text with different ones";
            return Err(Invalid::new("data", message));
        }
        let of_residuals = OF_MATRICES / (2.0 * self.depth as f64).sqrt();
        let stack = Stack {
            depth: self.depth,
            heads: self.heads,
            expansion: self.expansion,
            causal: true,
            start: Box::new(|_, _| Start::Gaussians(OF_MATRICES)),
            residual_start: Box::new(move |_, _| Start::Gaussians(of_residuals)),
        };
        let architecture = Decoder { vocabulary, width: self.width, stack };
        Network::new(architecture, text.samples(), self.seed)
    }

    pub(in crate::objective) fn build(&self) -> std::result::Result<Arc<dyn Objective>, Invalid> {
        Ok(Arc::new(self.network()?))
    }

    pub(in crate::objective) fn relative_to(&mut self, folder: &Path) {
        self.data.relative_to(folder);
    }

    pub(in crate::objective) fn data_file(&self) -> Option<&Path> {
        self.data.file()
    }
}
