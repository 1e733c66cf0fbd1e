//! A multilayer perceptron.

use super::data::{ImageData, Images};
use super::layers::{Activation, linear};
use super::weights::{Start, Weights};
use super::{Architecture, LARGEST_DIMENSION, Network, layers, size};
use crate::objective::Objective;
use crate::parameter::Invalid;
use candle_core::{Result, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

struct Perceptron {
    widths: Vec<usize>,
    activation: Activation,
    classes: usize,
}

impl Architecture for Perceptron {
    fn logits(&self, weights: &mut Weights, inputs: &Tensor) -> Result<Tensor> {
        let mut x = inputs.flatten_from(1)?;
        for &width in &self.widths {
            x = self.activation.of(&linear(weights, "hidden", &x, width, Start::glorot)?)?;
        }
        linear(weights, "output", &x, self.classes, Start::glorot)
    }

    /// tanh is bounded; GELU grows like its argument.
    fn growth(&self) -> u32 {
        match self.activation {
            Activation::Tanh => 1,
            Activation::Gelu => self.widths.len() as u32 + 1,
        }
    }
}

/// `f(x) = (1/n) Σ_s −log p(label_s | image_s)`, the network a multilayer perceptron. It starts by the rule of Glorot and Bengio
/// (2010), Gaussians of variance 2/(inputs + outputs) of a layer; biases at 0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// What is classified.
    data: ImageData,
    /// n, the first images of the data.
    samples: usize,
    /// Widths of the hidden layers.
    widths: Vec<usize>,
    /// The function between the layers.
    activation: Activation,
    /// The start of the network follows from it.
    seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            data: ImageData::Digits,
            samples: 100,
            widths: vec![16],
            activation: Activation::Tanh,
            seed: 1,
        }
    }
}

impl Parameters {
    /// The network and its samples.
    pub fn network(&self) -> std::result::Result<Network, Invalid> {
        layers("widths", self.widths.len(), 0)?;
        for (layer, &width) in self.widths.iter().enumerate() {
            size(&format!("widths[{layer}]"), width, 1, LARGEST_DIMENSION)?;
        }
        let images = self.data.read(self.samples)?;
        let Images { classes, .. } = images;
        let architecture = Perceptron { widths: self.widths.clone(), activation: self.activation, classes };
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
