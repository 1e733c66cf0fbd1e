//! Verdicts on synthetic block sums: the looks, limits and decision of the harness, with draws in place of a
//! simulation. They are cheap enough to count a million of.

use super::tally::{Tally, Truth};
use itocheck::claim::{Gap, Levels, Verdict, decide};
use itocheck::ensemble::BLOCK;
use itocheck::random::{Role, Stream};
use itocheck::stats::{Look, Looks, Series, student_quantile};
use rayon::prelude::*;

/// Gaps of which every one is exactly on its margin.
pub struct Synthetic {
    /// Independent gaps.
    pub gaps: usize,
    /// Margin, in standard deviations of a block. Where it is wide the far limit never matters, as for *upheld* at its
    /// worst; where it is narrow both limits do, as for *refuted* at its worst.
    pub margin: f64,
    /// Blocks at the first look, and at most.
    pub blocks: [u64; 2],
    /// One block's mean of a gap, less its expectation.
    pub noise: fn(&mut Stream) -> f64,
    /// How levels become limits.
    pub rule: Rule,
}

/// How a limit is set.
#[derive(Clone, Copy, PartialEq)]
pub enum Rule {
    /// As the harness does where nothing is integrated: the claim `coefficients`.
    WholeLevel,
    /// As it does for `trajectory`: half the level is kept for the bias of the integrator, of which there is none here.
    HalfForTheBias,
    /// Wrong on purpose: every look spends the whole error rate.
    SpentAtEveryLook,
    /// Wrong on purpose: quantiles of the normal law in place of Student's t.
    NormalQuantiles,
    /// Wrong on purpose: limits that allow for no skewness.
    Symmetric,
}

impl Rule {
    fn levels(self, error_rate: f64, look: Look, gaps: usize) -> Levels {
        match self {
            Self::SpentAtEveryLook => Levels::new(error_rate, Look { share: 1.0, ..look }, gaps),
            Self::HalfForTheBias | Self::Symmetric => Levels::new(error_rate / 2.0, look, gaps),
            Self::WholeLevel | Self::NormalQuantiles => Levels::new(error_rate, look, gaps),
        }
    }

    fn quantile(self, blocks: u64, tail: f64) -> f64 {
        // A t law of so many degrees of freedom is normal to 1e-8.
        let dof = if self == Self::NormalQuantiles { 1e9 } else { blocks as f64 - 1.0 };
        student_quantile(dof, tail)
    }

    fn limits(self, blocks: &Series, index: usize, quantile: f64) -> [f64; 2] {
        if self == Self::Symmetric {
            let half = quantile * blocks.standard_error(index);
            [blocks.mean(index) - half, blocks.mean(index) + half]
        } else {
            blocks.limits(index, quantile)
        }
    }
}

/// A look with the quantiles for *upheld* and *refuted*, the same for every verdict.
struct Prepared {
    look: Look,
    upheld: f64,
    refuted: f64,
}

impl Synthetic {
    /// Counts verdicts at the error rate α, from the seeds that start at `first_seed`.
    pub fn run(&self, error_rate: f64, verdicts: u64, first_seed: u64) -> Tally {
        let [first, most] = self.blocks;
        let looks: Vec<Prepared> = Looks::new(first, most)
            .map(|look| {
                let levels = self.rule.levels(error_rate, look, self.gaps);
                let quantile = |tail| self.rule.quantile(look.size, tail);
                Prepared { look, upheld: quantile(levels.upheld), refuted: quantile(levels.refuted) }
            })
            .collect();
        let one = |seed| {
            let (verdict, looks) = self.verdict(&looks, seed);
            Tally::of(verdict, looks, Truth::OnTheMargin)
        };
        (first_seed..first_seed + verdicts).into_par_iter().map(one).reduce(Tally::default, Tally::merged)
    }

    /// The verdict, and after how many looks.
    fn verdict(&self, looks: &[Prepared], seed: u64) -> (Verdict, u32) {
        let mut stream = Stream::new(seed, Role::Optimizer, 0);
        let mut blocks = Series::default();
        let mut observed = vec![0.0; self.gaps];
        for prepared in looks {
            while blocks.count() < prepared.look.size {
                observed.fill_with(|| (self.noise)(&mut stream));
                blocks.push(&observed);
            }
            let gap = |index| {
                let around = |quantile: f64| {
                    self.rule.limits(&blocks, index, quantile).map(|limit| self.margin + limit)
                };
                Gap {
                    estimate: self.margin + blocks.mean(index),
                    upheld: around(prepared.upheld),
                    refuted: around(prepared.refuted),
                    margin: self.margin,
                    detectable: f64::NAN,
                }
            };
            let gaps: Vec<Gap> = (0..self.gaps).map(gap).collect();
            let (verdict, _) = decide(&gaps);
            if verdict != Verdict::Inconclusive || prepared.look.is_last {
                return (verdict, prepared.look.number);
            }
        }
        unreachable!("the last look decides")
    }
}

/// The mean of a block of Gaussian paths.
pub fn gaussian(stream: &mut Stream) -> f64 {
    stream.normal()
}

/// The mean of a block of squares of Gaussian paths, against an SDE without noise.
pub fn gaussian_squares(stream: &mut Stream) -> f64 {
    stream.chi_squared(BLOCK as f64) / BLOCK as f64 - 1.0
}

/// The mean of a block of squares of t_8, the heaviest tails whose second moments are admitted, against an SDE
/// without noise.
pub fn t8_squares(stream: &mut Stream) -> f64 {
    let square = |t: f64| t * t;
    let sum: f64 = (0..BLOCK).map(|_| square(stream.student_t(8.0))).sum();
    // E t_ν² = ν/(ν − 2).
    sum / BLOCK as f64 - 8.0 / 6.0
}

/// Rare events in one of 64 blocks of which 500 are expected, the fewest that are admitted.
pub fn rare_events(stream: &mut Stream) -> f64 {
    const EXPECTED: f64 = 500.0 / 64.0;
    poisson(stream, EXPECTED) - EXPECTED
}

/// A Poisson variable: the number of arrivals before time `mean` where the times between them are exponential.
fn poisson(stream: &mut Stream, mean: f64) -> f64 {
    let none = libm::exp(-mean);
    let (mut product, mut arrivals) = (stream.uniform(), 0.0);
    while product > none {
        product *= stream.uniform();
        arrivals += 1.0;
    }
    arrivals
}
