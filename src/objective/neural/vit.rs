//! A vision transformer (Dosovitskiy et al. 2021).

use super::data::{ImageData, Images};
use super::layers::linear;
use super::transformer::Stack;
use super::weights::{Start, Weights};
use super::{Architecture, DEEPEST, MOST_POSITIONS, Network, size, width_of_heads};
use crate::objective::Objective;
use crate::parameter::{Invalid, checked};
use candle_core::{Result, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

struct VisionTransformer {
    patch: usize,
    width: usize,
    position_deviation: f64,
    stack: Stack,
    classes: usize,
}

impl Architecture for VisionTransformer {
    fn logits(&self, weights: &mut Weights, images: &Tensor) -> Result<Tensor> {
        let (samples, _, _, _) = images.dims4()?;
        let patches = linear(weights, "patch embedding", &self.patches(images)?, self.width, Start::glorot)?;
        let class = weights.take("class token", &[1, 1, self.width], Start::Zeros)?;
        let class = class.broadcast_as((samples, 1, self.width))?;
        let tokens = Tensor::cat(&[&class, &patches], 1)?;
        let (_, positions, _) = tokens.dims3()?;
        let start = Start::Gaussians(self.position_deviation);
        let positions = weights.take("positions", &[positions, self.width], start)?;
        let x = self.stack.apply(weights, tokens.broadcast_add(&positions)?)?;
        let class = x.narrow(1, 0, 1)?.flatten_from(1)?.contiguous()?;
        linear(weights, "output", &class, self.classes, Start::glorot)
    }

    /// A normalised input times scales, times the last matrix.
    fn growth(&self) -> u32 {
        2
    }
}

impl VisionTransformer {
    /// From `[samples, height, width, channels]` to `[samples, patches, entries of a patch]`, row after row.
    fn patches(&self, images: &Tensor) -> Result<Tensor> {
        let (samples, height, width, channels) = images.dims4()?;
        let (down, right, patch) = (height / self.patch, width / self.patch, self.patch);
        let squares = images.reshape((samples, down, patch, right, patch, channels))?;
        let squares = squares.permute((0, 1, 3, 2, 4, 5))?.contiguous()?;
        squares.reshape((samples, down * right, patch * patch * channels))
    }
}

/// `f(x) = (1/n) Σ_s −log p(label_s | image_s)`, the network a ViT: patches, a class token, position embeddings, attention, and an
/// MLP with GELU. It starts by the rule of Glorot and Bengio (2010), Gaussians of variance 2/(inputs + outputs) of a layer, and
/// position embeddings of a deviation to choose; scales at 1, the class token, shifts and biases at 0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// What is classified.
    data: ImageData,
    /// n, the first images of the data.
    samples: usize,
    /// Height and width of a patch, which divide those of the images.
    patch: usize,
    /// Width of the embeddings, a multiple of `heads`.
    width: usize,
    /// Heads of attention.
    heads: usize,
    /// Blocks of attention and MLP.
    depth: usize,
    /// Width of the hidden layer of the MLPs, over `width`.
    expansion: usize,
    /// Standard deviation of the position embeddings at the start. The class token is 0 there, so that the first normalisation
    /// divides by it: curvatures grow like its inverse square.
    position_deviation: f64,
    /// The start of the network follows from it.
    seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            data: ImageData::Digits,
            samples: 50,
            patch: 2,
            width: 8,
            heads: 2,
            depth: 2,
            expansion: 4,
            position_deviation: 0.02,
            seed: 1,
        }
    }
}

impl Parameters {
    /// The network and its samples.
    pub fn network(&self) -> std::result::Result<Network, Invalid> {
        width_of_heads(self.width, self.heads)?;
        size("depth", self.depth, 1, DEEPEST)?;
        size("expansion", self.expansion, 1, 100)?;
        let is_above_0 = |deviation| deviation > 0.0;
        checked("position_deviation", self.position_deviation, is_above_0, "a finite number above 0")?;
        let images = self.data.read(self.samples)?;
        let Images { height, width, classes, .. } = images;
        if self.patch == 0 || !(height.is_multiple_of(self.patch) && width.is_multiple_of(self.patch)) {
            let message = format!(
                "{}; expected a divisor of {height} and {width}, the sizes of the images",
                self.patch
            );
            return Err(Invalid::new("patch", message));
        }
        let patches = height / self.patch * (width / self.patch);
        if patches >= MOST_POSITIONS {
            let message = format!(
                "{}, which makes {patches} patches; expected fewer than {MOST_POSITIONS}",
                self.patch
            );
            return Err(Invalid::new("patch", message));
        }
        let stack = Stack {
            depth: self.depth,
            heads: self.heads,
            expansion: self.expansion,
            causal: false,
            start: Box::new(Start::glorot),
            residual_start: Box::new(Start::glorot),
        };
        let architecture = VisionTransformer {
            patch: self.patch,
            width: self.width,
            position_deviation: self.position_deviation,
            stack,
            classes,
        };
        Network::new(architecture, images.samples(), self.seed)
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
