//! Neural networks as objectives, behind the cargo feature `neural`: f is the mean cross-entropy over all samples of a data set,
//! x all parameters of the network, one behind the other.
//!
//! The tape that differentiates f is candle's, on one thread; products of matrices and functions are those of `arithmetic`, so
//! that runs have the same bits on every machine and with every number of threads.

mod arithmetic;
mod data;
mod gpt2;
mod layers;
mod mlp;
mod neighbours;
mod operations;
mod resnet;
mod transformer;
mod vit;
mod weights;

use super::{FiniteSum, LARGEST_DIMENSION, Objective};
use crate::parameter::Invalid;
use crate::rows;
use candle_core::{Result, Tensor};
use operations::cross_entropy;
use std::ops::Range;
use weights::{Drawn, Weights};

pub use gpt2::Parameters as Gpt2;
pub use mlp::Parameters as Mlp;
pub use resnet::Parameters as ResNet;
pub use vit::Parameters as Vit;
pub use weights::Block;

/// From inputs to the logits of classes.
trait Architecture: Send + Sync {
    /// Logits of shape `[labels, classes]` for inputs whose first axis is that of the samples.
    fn logits(&self, weights: &mut Weights, inputs: &Tensor) -> Result<Tensor>;

    /// The power of ‖x‖ with which logits grow at most.
    fn growth(&self) -> u32;
}

/// What a network is to learn.
struct Samples {
    /// The first axis is that of the samples.
    inputs: Tensor,
    /// As many a sample, sample after sample.
    labels: Vec<u32>,
}

impl Samples {
    fn count(&self) -> usize {
        self.inputs.dims()[0]
    }
}

/// `f(x) = (1/n) Σ_s f_s(x)`, f_s the mean over the labels of sample s of −log of the probability that the network gives to
/// them.
pub struct Network {
    architecture: Box<dyn Architecture>,
    samples: Samples,
    start: Drawn,
}

/// Candle refuses what does not fit together, which is settled when a network is built.
const SETTLED: &str = "shapes fit, or the network would not have been built";

/// Multiplications of a part of the samples.
const AT_A_TIME: usize = 1 << 19;

impl Network {
    fn new(
        architecture: impl Architecture + 'static,
        samples: Samples,
        seed: u64,
    ) -> std::result::Result<Self, Invalid> {
        let mut weights = Weights::draw(seed);
        let first = samples.inputs.narrow(0, 0, 1).expect(SETTLED);
        let logits = architecture.logits(&mut weights, &first);
        let Some(start) = weights.drawn() else {
            let message = format!(
                "more than {LARGEST_DIMENSION} parameters; expected fewer, by smaller or fewer layers"
            );
            return Err(Invalid::new("", message));
        };
        logits.expect(SETTLED);
        Ok(Self { architecture: Box::new(architecture), samples, start })
    }

    /// What the coordinates of x are.
    pub fn blocks(&self) -> &[Block] {
        &self.start.blocks
    }

    /// The samples in parts, so few at a time that what lies between the layers stays in the cache.
    fn parts(&self, samples: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let at_a_time = (AT_A_TIME / self.start.multiplications).max(1);
        let end = samples.end;
        samples.step_by(at_a_time).map(move |first| first..end.min(first + at_a_time))
    }

    /// The mean of f_s over a range of samples.
    fn loss(&self, weights: &mut Weights, samples: Range<usize>) -> Result<Tensor> {
        let Samples { inputs, labels } = &self.samples;
        let of_sample = labels.len() / self.samples.count();
        let labels = &labels[samples.start * of_sample..samples.end * of_sample];
        let inputs = inputs.narrow(0, samples.start, samples.len())?;
        cross_entropy(&self.architecture.logits(weights, &inputs)?, labels)
    }

    /// `out += weight · ∇` of the sum of f_s over a range of samples.
    fn add_gradient(&self, samples: Range<usize>, weight: f64, x: &[f64], out: &mut [f64]) {
        for part in self.parts(samples) {
            let mut weights = Weights::read(x, true);
            let weight = weight * part.len() as f64;
            let loss = self.loss(&mut weights, part).expect(SETTLED);
            weights.add_gradient(&loss, weight, out).expect(SETTLED);
        }
    }
}

impl Objective for Network {
    fn dimension(&self) -> usize {
        self.start.values.len()
    }

    fn values(&self, x: &[f64], out: &mut [f64]) {
        let n = out.len();
        let mut of_path = vec![0.0; self.dimension()];
        for (path, out) in out.iter_mut().enumerate() {
            rows::read_column(x, n, path, &mut of_path);
            *out = 0.0;
            for part in self.parts(0..self.terms()) {
                let share = part.len() as f64 / self.terms() as f64;
                let loss = self.loss(&mut Weights::read(&of_path, false), part);
                *out += share * loss.and_then(|loss| loss.to_scalar::<f64>()).expect(SETTLED);
            }
        }
    }

    /// Once for neighbours that are at the same place, as where many steps are drawn from one state.
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let n = x.len() / self.dimension();
        let mut of_path = vec![0.0; self.dimension()];
        let (mut place, mut gradient) = (Vec::new(), of_path.clone());
        for path in 0..n {
            rows::read_column(x, n, path, &mut of_path);
            if place != of_path {
                place.clone_from(&of_path);
                gradient.fill(0.0);
                self.add_gradient(0..self.terms(), 1.0 / self.terms() as f64, &of_path, &mut gradient);
            }
            rows::write_column(out, n, path, &gradient);
        }
    }

    /// By a central difference of gradients, h along v: wrong by `h²/6` third derivatives of ∇f along v, and by the
    /// rounding of ∇f over h. With `h‖v‖ = ε^{1/3} max(1, ‖x‖/√d)` both are about 1e-10 of the size of these derivatives.
    fn hessian_vector_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        const CUBE_ROOT_OF_EPSILON: f64 = 6.055_454_452_393_343e-6;
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let size = (norm(x) / (x.len() as f64).sqrt()).max(1.0);
        let h = CUBE_ROOT_OF_EPSILON * size / norm(v);
        out.fill(0.0);
        if !h.is_finite() {
            return;
        }
        for step in [h, -h] {
            let moved: Vec<f64> = x.iter().zip(v).map(|(x, v)| x + step * v).collect();
            self.add_gradient(0..self.terms(), 0.5 / (step * self.terms() as f64), &moved, out);
        }
    }

    /// None is known.
    fn smoothness(&self) -> Option<f64> {
        None
    }

    /// The cross-entropy grows like the logits.
    fn growth(&self) -> u32 {
        self.architecture.growth()
    }

    /// Forwards and backwards, a multiplication is followed by two more; at these sizes what is between the products takes
    /// longer than they do. `cargo bench --features neural --bench neural` measures it.
    fn operations(&self) -> f64 {
        3.0 * (self.terms() * self.start.multiplications) as f64
    }

    /// The cross-entropy of what can be told apart falls for ever.
    fn comes_to_rest(&self) -> bool {
        false
    }

    fn finite_sum(&self) -> Option<&dyn FiniteSum> {
        Some(self)
    }

    fn initial(&self) -> Option<Vec<f64>> {
        Some(self.start.values.clone())
    }
}

impl FiniteSum for Network {
    fn terms(&self) -> usize {
        self.samples.count()
    }

    fn add_term_gradient(&self, s: usize, weight: f64, x: &[f64], out: &mut [f64]) {
        self.add_gradient(s..s + 1, weight, x, out);
    }
}

/// A size of a network: `value` where it is from `least` to `most`.
fn size(key: &str, value: usize, least: usize, most: usize) -> std::result::Result<usize, Invalid> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Invalid::new(key, format!("{value}; expected a whole number from {least} to {most}")))
    }
}

/// How many layers a list names, where that is from `least` to [`DEEPEST`].
fn layers(key: &str, count: usize, least: usize) -> std::result::Result<usize, Invalid> {
    let message = |invalid: Invalid| Invalid::new(key, format!("a list of {}", invalid.message));
    size(key, count, least, DEEPEST).map_err(message)
}

/// Most layers one after another: the tape is walked by recursion.
const DEEPEST: usize = 32;

/// Most positions that attend to each other.
const MOST_POSITIONS: usize = 256;

/// `width` for attention by so many heads.
fn width_of_heads(width: usize, heads: usize) -> std::result::Result<(), Invalid> {
    size("width", width, 1, LARGEST_DIMENSION)?;
    size("heads", heads, 1, width)?;
    if width.is_multiple_of(heads) {
        Ok(())
    } else {
        Err(Invalid::new("heads", format!("{heads}; expected a divisor of width = {width}")))
    }
}
