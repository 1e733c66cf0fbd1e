//! The three-valued decision over many gaps with margins, at one look.

use super::finding::Verdict;
use crate::stats::{Look, Series};

/// The 0.95 quantile of the normal law: how many standard errors beyond a limit a gap must lie to be
/// detected with probability 0.95.
const POWER_QUANTILE: f64 = 1.645;

/// Fewer expected occurrences of a discrete event leave means too far from Gaussian for an interval at
/// small error rates: the skewness of a mean over rare events is one over the root of their number.
pub(super) const EVENTS_FOR_AN_INTERVAL: f64 = 500.0;

/// Error probabilities of one look.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    /// What a limit of an interval may miss by, on either side, for *upheld*: by intersection–union
    /// every gap is tested at the full level (Berger 1982).
    pub upheld: f64,
    /// The same for *refuted*: divided over all gaps and both sides (Bonferroni).
    pub refuted: f64,
}

impl Levels {
    /// Levels of one look at `gaps` gaps, under the error rate α of the verdict.
    pub fn new(error_rate: f64, look: Look, gaps: usize) -> Self {
        let upheld = error_rate * look.share;
        Self { upheld, refuted: upheld / (2.0 * gaps.max(1) as f64) }
    }
}

/// A gap between optimizer and SDE.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// Optimizer minus SDE.
    pub estimate: f64,
    /// At level [`Levels::upheld`].
    pub upheld: [f64; 2],
    /// At level [`Levels::refuted`].
    pub refuted: [f64; 2],
    /// What is allowed on either side.
    pub margin: f64,
    /// The smallest gap that the whole budget refutes with probability 0.95.
    pub detectable: f64,
}

impl Gap {
    /// The gap of a test function at a time, in words.
    pub(super) fn describe(&self, (function, time): &(String, f64)) -> String {
        format!(
            "E {function} at t = {time:.4}: optimizer minus SDE {:.4e}, margin {:.4e}",
            self.estimate, self.margin
        )
    }

    /// The interval at the level of `verdict`.
    pub(super) fn interval(&self, verdict: Verdict) -> [f64; 2] {
        if verdict == Verdict::Refuted { self.refuted } else { self.upheld }
    }

    fn is_inside(&self) -> bool {
        -self.margin <= self.upheld[0] && self.upheld[1] <= self.margin
    }

    fn is_outside(&self) -> bool {
        self.refuted[0] > self.margin || self.refuted[1] < -self.margin
    }

    /// How much of the margin the interval reaches to; above 1 it reaches outside.
    fn reach(&self) -> f64 {
        self.upheld[1].max(-self.upheld[0]) / self.margin
    }

    /// By how much of the margin even the near end of the interval is outside.
    fn excess(&self) -> f64 {
        self.refuted[0].max(-self.refuted[1]) / self.margin
    }
}

/// How far beyond its margin a gap must lie for `budget` times as many observations as `series` has to refute it
/// with probability 0.95, by limits at `quantile`.
pub(super) fn detectable_beyond(series: &Series, index: usize, quantile: f64, budget: f64) -> f64 {
    let standard_error = series.standard_error(index);
    let [low, high] = series.limits(index, quantile);
    let widest = (series.mean(index) - low).max(high - series.mean(index));
    // What limits are moved by for skewness falls with the number of observations, standard errors with its root.
    let for_skewness = widest - quantile * standard_error;
    (quantile + POWER_QUANTILE) * standard_error / budget.sqrt() + for_skewness / budget
}

/// The verdict over all gaps, and the index of the one that is closest to breaking it, or breaks it.
pub fn decide(gaps: &[Gap]) -> (Verdict, Option<usize>) {
    let largest = |measure: fn(&Gap) -> f64| {
        (0..gaps.len()).max_by(|&a, &b| measure(&gaps[a]).total_cmp(&measure(&gaps[b])))
    };
    if gaps.iter().any(Gap::is_outside) {
        (Verdict::Refuted, largest(Gap::excess))
    } else if gaps.iter().all(Gap::is_inside) {
        (Verdict::Upheld, largest(Gap::reach))
    } else {
        (Verdict::Inconclusive, largest(Gap::reach))
    }
}
