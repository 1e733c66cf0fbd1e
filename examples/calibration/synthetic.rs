//! Verdicts on synthetic block sums: the looks, quantiles and decision of the harness, with draws in place of a
//! simulation. They are cheap enough to count a million of, and say what is wrong where a simulation errs.

use crate::tally::Tally;
use itocheck::claim::{Gap, Levels, Verdict, decide};
use itocheck::ensemble::BLOCK;
use itocheck::random::{Role, Stream};
use itocheck::stats::{Look, Looks, Series, student_quantile};
use rayon::prelude::*;

/// Gaps of which every one is exactly on its margin, so that both wrong verdicts are as likely as they get.
pub struct Synthetic {
    pub name: &'static str,
    /// Independent gaps.
    pub gaps: usize,
    /// Blocks at the first look, and at most.
    pub blocks: [u64; 2],
    /// One block's mean of a gap, less its expectation.
    pub noise: fn(&mut Stream) -> f64,
    /// The wrong verdict that is counted.
    pub wrong: Verdict,
    /// How levels become limits of intervals.
    pub rule: Rule,
}

/// How a limit of an interval is set.
#[derive(Clone, Copy)]
pub enum Rule {
    /// As the harness does where nothing is integrated: `coefficients`.
    Sampled,
    /// As it does for `trajectory`: half the level is kept for the bias of the integrator, of which there is none here.
    HalfForTheBias,
    /// Wrong on purpose: every look spends the whole error rate.
    SpentAtEveryLook,
    /// Wrong on purpose: quantiles of the normal law in place of Student's t.
    NormalQuantiles,
}

impl Rule {
    fn levels(self, error_rate: f64, look: Look, gaps: usize) -> Levels {
        match self {
            Self::SpentAtEveryLook => Levels::new(error_rate, Look { share: 1.0, ..look }, gaps),
            Self::HalfForTheBias => Levels::new(error_rate / 2.0, look, gaps),
            Self::Sampled | Self::NormalQuantiles => Levels::new(error_rate, look, gaps),
        }
    }

    fn quantile(self, blocks: u64, tail: f64) -> f64 {
        let dof = if matches!(self, Self::NormalQuantiles) { 1e9 } else { blocks as f64 - 1.0 };
        student_quantile(dof, tail)
    }
}

/// A look with the quantiles for *upheld* and *refuted*, the same for every verdict.
struct Prepared {
    look: Look,
    upheld: f64,
    refuted: f64,
}

impl Synthetic {
    /// Counts verdicts at the error rate α.
    pub fn run(&self, error_rate: f64, verdicts: u64) -> Tally {
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
            Tally::of(verdict, looks, verdict == self.wrong)
        };
        (0..verdicts).into_par_iter().map(one).reduce(Tally::default, Tally::merged)
    }

    /// The verdict, and after how many looks.
    fn verdict(&self, looks: &[Prepared], seed: u64) -> (Verdict, u32) {
        // Wide against standard errors, so that the other limit never matters, or of no width, so that both do.
        let margin = if self.wrong == Verdict::Upheld { 1e6 } else { 1e-6 };
        let mut stream = Stream::new(seed, Role::Optimizer, 0);
        let mut blocks = Series::default();
        let mut observed = vec![0.0; self.gaps];
        for &Prepared { look, upheld, refuted } in looks {
            while blocks.count() < look.size {
                observed.fill_with(|| (self.noise)(&mut stream));
                blocks.push(&observed);
            }
            let gap = |index| {
                let estimate = margin + blocks.mean(index);
                let around = |quantile: f64| {
                    let half = quantile * blocks.standard_error(index);
                    [estimate - half, estimate + half]
                };
                let (upheld, refuted) = (around(upheld), around(refuted));
                Gap { estimate, upheld, refuted, margin, detectable: f64::NAN }
            };
            let gaps: Vec<Gap> = (0..self.gaps).map(gap).collect();
            let (verdict, _) = decide(&gaps);
            if verdict != Verdict::Inconclusive || look.is_last {
                return (verdict, look.number);
            }
        }
        unreachable!("the last look decides")
    }
}

/// The mean of a block of Gaussian paths.
pub fn gaussian(stream: &mut Stream) -> f64 {
    stream.normal()
}

/// The mean of a block of squares of Gaussian paths: second moments, and nothing as noisy on the other side.
pub fn gaussian_squares(stream: &mut Stream) -> f64 {
    stream.chi_squared(BLOCK as f64) / BLOCK as f64 - 1.0
}

/// The mean of a block of squares of t_8: the heaviest tails whose second moments are admitted.
pub fn t8_squares(stream: &mut Stream) -> f64 {
    let square = |t: f64| t * t;
    let sum: f64 = (0..BLOCK).map(|_| square(stream.student_t(8.0))).sum();
    // E t_ν² = ν/(ν − 2).
    sum / BLOCK as f64 - 8.0 / 6.0
}

/// The mean of a block of paths of which each meets a rare event so often that 500 are expected in 16 blocks.
pub fn rare_events(stream: &mut Stream) -> f64 {
    poisson(stream, 500.0 / 16.0) - 500.0 / 16.0
}

/// A Poisson variable, as the arrivals before time 1 at rate `mean`.
fn poisson(stream: &mut Stream, mean: f64) -> f64 {
    // Arrivals are exponential, half a χ² with two degrees of freedom; uniforms are multiplied instead.
    let none = libm::exp(-mean);
    let (mut product, mut arrivals) = (stream.uniform(), 0.0);
    while product > none {
        product *= stream.uniform();
        arrivals += 1.0;
    }
    arrivals
}
