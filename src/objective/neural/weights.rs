//! The parameters of a network as one vector, in blocks.

use crate::objective::LARGEST_DIMENSION;
use crate::random::{Role, Stream};
use candle_core::{Device, Error, Result, Tensor, Var};
use std::ops::Range;

/// How the entries of a block are drawn at the start.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// All of them 0.
    Zeros,
    /// All of them 1.
    Ones,
    /// Gaussians of this standard deviation.
    Gaussians(f64),
}

impl Start {
    /// Of a layer with so many inputs and outputs, by Glorot and Bengio (2010): variance `2/(inputs + outputs)`.
    pub fn glorot(inputs: usize, outputs: usize) -> Self {
        Self::Gaussians((2.0 / (inputs + outputs) as f64).sqrt())
    }

    /// Of a layer with so many inputs, by He, Zhang, Ren and Sun (2015): variance `2/inputs`.
    pub fn he(inputs: usize) -> Self {
        Self::Gaussians((2.0 / inputs as f64).sqrt())
    }
}

/// Parameters that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What they are, such as "attention output".
    pub name: &'static str,
    /// The shape of their array, the last index running fastest.
    pub shape: Vec<usize>,
    /// Their coordinates.
    pub range: Range<usize>,
}

/// Hands the parameters to the layers of a network, in the order in which these ask for them.
///
/// The same walk over the layers draws the blocks at the start and reads them from a vector later, so that the two agree.
pub(super) struct Weights<'a> {
    source: Source<'a>,
    /// Blocks that a gradient is taken with respect to.
    variables: Vec<Var>,
    /// Multiplications in products of matrices.
    multiplications: usize,
}

enum Source<'a> {
    Draw { stream: Stream, values: Vec<f64>, blocks: Vec<Block>, too_many: bool },
    Read { left: &'a [f64], differentiated: bool },
}

/// What a walk with drawn weights leaves behind.
pub(super) struct Drawn {
    pub values: Vec<f64>,
    pub blocks: Vec<Block>,
    pub multiplications: usize,
}

impl<'a> Weights<'a> {
    /// Draws all blocks from a stream of their own.
    pub fn draw(seed: u64) -> Self {
        let stream = Stream::new(seed, Role::Initial, 0);
        Self::from(Source::Draw { stream, values: Vec::new(), blocks: Vec::new(), too_many: false })
    }

    /// Those of x; where `differentiated`, as variables of candle's tape.
    pub fn read(x: &'a [f64], differentiated: bool) -> Self {
        Self::from(Source::Read { left: x, differentiated })
    }

    fn from(source: Source<'a>) -> Self {
        Self { source, variables: Vec::new(), multiplications: 0 }
    }

    /// The next block.
    pub fn take(&mut self, name: &'static str, shape: &[usize], start: Start) -> Result<Tensor> {
        let count = shape.iter().product();
        match &mut self.source {
            Source::Draw { stream, values, blocks, too_many } => {
                let first = values.len();
                if first + count > LARGEST_DIMENSION {
                    *too_many = true;
                    return Err(Error::msg("too many parameters"));
                }
                values.extend((0..count).map(|_| match start {
                    Start::Zeros => 0.0,
                    Start::Ones => 1.0,
                    Start::Gaussians(deviation) => deviation * stream.normal(),
                }));
                blocks.push(Block { name, shape: shape.to_vec(), range: first..values.len() });
                Tensor::from_slice(&values[first..], shape, &Device::Cpu)
            }
            Source::Read { left, differentiated } => {
                let (block, rest) = left.split_at(count);
                *left = rest;
                if !*differentiated {
                    return Tensor::from_slice(block, shape, &Device::Cpu);
                }
                let variable = Var::from_slice(block, shape, &Device::Cpu)?;
                self.variables.push(variable.clone());
                Ok(variable.as_tensor().clone())
            }
        }
    }

    /// Counts what a product of matrices takes.
    pub fn count(&mut self, multiplications: usize) {
        self.multiplications += multiplications;
    }

    /// What was drawn; none where that was more than any scenario may have.
    pub fn drawn(self) -> Option<Drawn> {
        match self.source {
            Source::Draw { too_many: true, .. } => None,
            Source::Draw { values, blocks, .. } => {
                Some(Drawn { values, blocks, multiplications: self.multiplications })
            }
            Source::Read { .. } => unreachable!("these weights were read"),
        }
    }

    /// `out += weight · ∇loss`.
    pub fn add_gradient(&self, loss: &Tensor, weight: f64, out: &mut [f64]) -> Result<()> {
        let gradients = loss.backward()?;
        let mut left = out;
        for variable in &self.variables {
            let (block, rest) = left.split_at_mut(variable.elem_count());
            left = rest;
            let gradient = gradients.get(variable).expect("every block of a network has a part in its loss");
            let gradient = gradient.flatten_all()?.to_vec1::<f64>()?;
            crate::rows::add_scaled(block, weight, &gradient);
        }
        Ok(())
    }
}
