//! Compressors that do, or are said to do, something else.

use crate::compressor::{Compressor, Knowledge, keep_each};
use crate::covariance::Covariance;
use crate::noise::{GradientLaw, TwoMoments};
use crate::random::Streams;
use std::sync::Arc;

/// A compressor with a mistake in what it sends or in its error covariance `E[ΦΦᵀ]`, otherwise as `original`.
pub(super) struct Wrong {
    pub original: Arc<dyn Compressor>,
    pub mistake: Mistake,
}

/// What is wrong with a compressor.
#[derive(Clone, Copy)]
pub(super) enum Mistake {
    /// What is kept with probability p is not scaled by 1/p.
    Unscaled { kept: f64 },
    /// k of d coordinates are drawn with replacement.
    WithReplacement { k: usize },
    /// Each coordinate is kept for itself with probability p.
    EachForItself { kept: f64 },
    /// A permutation that agents should share is every agent's own.
    OfOneAgent,
    /// Nothing is compressed.
    Nothing,
    /// `E[ΦΦᵀ] = (ω/d) E‖g‖² I`: the bound ω for what happens.
    Omega,
    /// `E[ΦΦᵀ]` of a gradient without noise.
    OfMeanGradient,
    /// `E[ΦΦᵀ]` of the noise without the gradient.
    OfNoise,
}

impl Compressor for Wrong {
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        match self.mistake {
            Mistake::Unscaled { kept } => {
                self.original.apply(g, streams);
                g.iter_mut().for_each(|g| *g *= kept);
            }
            Mistake::WithReplacement { k } => {
                let n = streams.count();
                let d = g.len() / n;
                let mut times = vec![0.0; g.len()];
                streams.each(|path, stream| (0..k).for_each(|_| times[stream.index(d) * n + path] += 1.0));
                let scale = d as f64 / k as f64;
                g.iter_mut().zip(times).for_each(|(g, times)| *g *= scale * times);
            }
            Mistake::EachForItself { kept } => {
                keep_each(g, kept, streams);
            }
            Mistake::Nothing => {}
            Mistake::OfOneAgent | Mistake::Omega | Mistake::OfMeanGradient | Mistake::OfNoise => {
                self.original.apply(g, streams);
            }
        }
    }

    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        let d = g.mean().len();
        match self.mistake {
            Mistake::Omega => {
                let square = g.mean().iter().map(|v| v * v).sum::<f64>() + g.covariance().trace();
                let variance = weight * self.omega() * square / d as f64;
                out.add_diagonal(std::iter::repeat_n(variance, d));
            }
            Mistake::OfMeanGradient => {
                let g = TwoMoments { mean: g.mean(), covariance: &Covariance::zero(d) };
                self.original.add_error_covariance(weight, &g, out);
            }
            Mistake::OfNoise => {
                let g = TwoMoments { mean: &vec![0.0; d], covariance: g.covariance() };
                self.original.add_error_covariance(weight, &g, out);
            }
            _ => self.original.add_error_covariance(weight, g, out),
        }
    }

    fn omega(&self) -> f64 {
        self.original.omega()
    }

    fn rarest_outcome(&self, v: &[f64]) -> f64 {
        self.original.rarest_outcome(v)
    }

    fn needs(&self) -> Knowledge {
        match self.mistake {
            Mistake::Omega => Knowledge::Moments,
            _ => self.original.needs(),
        }
    }
}
