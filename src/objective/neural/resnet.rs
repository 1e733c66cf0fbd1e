//! A residual network (He, Zhang, Ren and Sun 2016) with activations before the convolutions (the same, "Identity mappings").

use super::data::{ImageData, Images};
use super::layers::{linear, normalise, project};
use super::neighbours::neighbours;
use super::operations::gelu;
use super::weights::{Start, Weights};
use super::{Architecture, DEEPEST, LARGEST_DIMENSION, Network, layers, size};
use crate::objective::Objective;
use crate::parameter::Invalid;
use candle_core::{D, Result, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

struct Residual {
    channels: Vec<usize>,
    blocks: usize,
    classes: usize,
}

impl Architecture for Residual {
    /// Activations have the shape `[samples, height, width, channels]`.
    fn logits(&self, weights: &mut Weights, images: &Tensor) -> Result<Tensor> {
        let mut x = convolve(weights, images, self.channels[0])?;
        for (stage, &channels) in self.channels.iter().enumerate() {
            if stage > 0 {
                x = halve(&x)?;
            }
            for _ in 0..self.blocks {
                x = block(weights, &x, channels)?;
            }
        }
        let x = activate(weights, &x)?.mean((1, 2))?;
        linear(weights, "output", &x, self.classes, |inputs, _| Start::he(inputs))
    }

    /// A normalised input times scales, times the last matrix.
    fn growth(&self) -> u32 {
        2
    }
}

/// `x + conv(act(conv(act(x))))`; where the channels change, x goes through a 1 × 1 convolution.
fn block(weights: &mut Weights, x: &Tensor, channels: usize) -> Result<Tensor> {
    let active = activate(weights, x)?;
    let inside = convolve(weights, &active, channels)?;
    let active = activate(weights, &inside)?;
    let residual = convolve(weights, &active, channels)?;
    if x.dim(D::Minus1)? == channels {
        residual.add(x)
    } else {
        residual.add(&project(weights, "shortcut", x, channels, |inputs, _| Start::he(inputs))?)
    }
}

/// GELU, for a smooth f, of what is normalised over all of an image: batch normalisation would make f no sum over samples.
fn activate(weights: &mut Weights, x: &Tensor) -> Result<Tensor> {
    gelu(&normalise(weights, x, 3)?)
}

/// A 3 × 3 convolution, zeros beyond the edges: a product with the nine neighbours side by side.
fn convolve(weights: &mut Weights, x: &Tensor, channels: usize) -> Result<Tensor> {
    let neighbours = neighbours(x)?;
    project(weights, "convolution", &neighbours, channels, |inputs, _| Start::he(inputs))
}

/// Means over squares of 2 × 2.
fn halve(x: &Tensor) -> Result<Tensor> {
    let (samples, height, width, channels) = x.dims4()?;
    x.reshape((samples, height / 2, 2, width / 2, 2, channels))?.mean((2, 4))
}

/// `f(x) = (1/n) Σ_s −log p(label_s | image_s)`, the network a ResNet with 3 × 3 convolutions, GELU and layer normalisation before
/// each, means over 2 × 2 between stages and over the image at the end. It starts by the rule of He et al. (2015), Gaussians of
/// variance 2/inputs of a layer; scales at 1, shifts and biases at 0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// What is classified.
    data: ImageData,
    /// n, the first images of the data.
    samples: usize,
    /// Channels of each stage; from one to the next, height and width are halved.
    channels: Vec<usize>,
    /// Residual blocks in a stage.
    blocks: usize,
    /// The start of the network follows from it.
    seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { data: ImageData::Digits, samples: 50, channels: vec![4, 8], blocks: 1, seed: 1 }
    }
}

impl Parameters {
    /// The network and its samples.
    pub fn network(&self) -> std::result::Result<Network, Invalid> {
        let stages = layers("channels", self.channels.len(), 1)?;
        for (stage, &channels) in self.channels.iter().enumerate() {
            size(&format!("channels[{stage}]"), channels, 1, LARGEST_DIMENSION)?;
        }
        size("blocks", self.blocks, 1, DEEPEST / stages)?;
        let images = self.data.read(self.samples)?;
        let Images { height, width, classes, .. } = images;
        let halved = 1 << (stages - 1);
        if !(height.is_multiple_of(halved) && width.is_multiple_of(halved)) {
            let message = format!(
                "{stages} stages, which halve images of {height} × {width} pixels {} times; expected sizes that are \
                 divisible by {halved}, or fewer stages",
                stages - 1
            );
            return Err(Invalid::new("channels", message));
        }
        let architecture = Residual { channels: self.channels.clone(), blocks: self.blocks, classes };
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
