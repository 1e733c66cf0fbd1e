//! Confidence intervals for the gaps of a trajectory: sampling and the bias of the integrator.

use super::decision::{Gap, Levels, detectable_beyond};
use super::finding::Verdict;
use crate::ensemble::{BLOCK, Estimates, Observables, TestFunction};
use crate::stats::{Series, clopper_pearson, student_quantile};

/// The limit of the bias is that of its leading order in the step, times this: it covers terms of higher
/// order up to half the leading one. Where they are larger the step is too long to tell the bias at all.
const HIGHER_ORDERS: f64 = 1.5;

/// A rounding floor for intervals, relative to the size of the two means.
pub(super) const ROUNDING: f64 = 1e-13;

/// Intervals for all gaps at one look.
pub(super) struct Intervals<'a> {
    estimates: &'a Estimates,
    observables: &'a Observables,
    upheld: Level,
    refuted: Level,
    /// Seeds that the budget allows, over those of this look.
    budget: f64,
}

/// Quantiles at which each limit of an interval is missed with probability at most `tail`: half of it
/// is spent on sampling, half on the bias of the integrator.
pub(super) struct Level {
    pub tail: f64,
    pub sampling: f64,
    /// None where no path measures the bias.
    refinement: Option<f64>,
    /// p.
    weak_order: u32,
}

impl Level {
    /// `weak_order` is that of the integrator.
    pub fn new(tail: f64, estimates: &Estimates, weak_order: u32) -> Self {
        let quantile = |dof: f64| student_quantile(dof, tail / 2.0);
        Self {
            tail,
            sampling: quantile(estimates.gap.degrees_of_freedom()),
            refinement: (!estimates.refinement.is_empty())
                .then(|| quantile(estimates.refinement.degrees_of_freedom())),
            weak_order,
        }
    }

    /// The upper confidence limit of `|E_m − E_2m|/(2^p − 1)`, what the SDE with 2m steps is off by, as
    /// the largest over this record time and its neighbours: where the difference changes its sign, the
    /// bias is not zero. 0 where it is not measured, as that of recorded paths.
    pub fn bias(&self, estimates: &Estimates, times: usize, index: usize) -> f64 {
        self.refinement.map_or(0.0, |quantile| self.bias_at(quantile, estimates, times, index))
    }

    /// The same as it was seen, without what few paths leave open.
    fn seen_bias(&self, estimates: &Estimates, times: usize, index: usize) -> f64 {
        self.refinement.map_or(0.0, |_| self.bias_at(0.0, estimates, times, index))
    }

    fn bias_at(&self, quantile: f64, estimates: &Estimates, times: usize, index: usize) -> f64 {
        let function = index - index % times;
        let neighbours = index.saturating_sub(1).max(function)..=(index + 1).min(function + times - 1);
        bias(&estimates.refinement, neighbours, quantile, self.weak_order)
    }
}

/// The upper confidence limit, at `quantile`, of what an integrator of this weak order is off by with half the step of
/// the coarser paths of `refinement`: the largest over `indices`.
pub(super) fn bias(
    refinement: &Series,
    indices: impl Iterator<Item = usize>,
    quantile: f64,
    weak_order: u32,
) -> f64 {
    let limit = |index: usize| refinement.mean(index).abs() + quantile * refinement.standard_error(index);
    let largest = indices
        .map(limit)
        .fold(0.0, |largest, limit| if limit > largest || limit.is_nan() { limit } else { largest });
    HIGHER_ORDERS * largest / f64::from((1u32 << weak_order) - 1)
}

impl<'a> Intervals<'a> {
    pub(super) fn new(
        estimates: &'a Estimates,
        observables: &'a Observables,
        levels: Levels,
        weak_order: u32,
        budget: f64,
    ) -> Self {
        let upheld = Level::new(levels.upheld, estimates, weak_order);
        let refuted = Level::new(levels.refuted, estimates, weak_order);
        Self { estimates, observables, upheld, refuted, budget }
    }

    /// The gap of one observable at one time, an index into the moments.
    pub(super) fn gap(&self, index: usize, margin: f64) -> Gap {
        let interval = |level: &Level| {
            if self.is_exit(index) { self.of_exit(index, level) } else { self.of_mean(index, level) }
        };
        let estimate = self.estimates.gap.mean(index);
        let beyond = detectable_beyond(&self.estimates.gap, index, self.refuted.sampling, self.budget);
        let detectable = margin + beyond + self.refuted.bias(self.estimates, self.observables.times(), index);
        Gap { estimate, upheld: interval(&self.upheld), refuted: interval(&self.refuted), margin, detectable }
    }

    /// The limit of the integrator's bias by which the interval at the level of `verdict` is widened.
    pub(super) fn bias(&self, index: usize, verdict: Verdict) -> f64 {
        let level = if verdict == Verdict::Refuted { &self.refuted } else { &self.upheld };
        if self.is_exit(index) {
            self.bias_of_exit(index, level)
        } else {
            level.bias(self.estimates, self.observables.times(), index)
        }
    }

    /// What of that limit was seen; the rest is what few paths leave open.
    pub(super) fn seen_bias(&self, index: usize) -> f64 {
        self.upheld.seen_bias(self.estimates, self.observables.times(), index)
    }

    fn is_exit(&self, index: usize) -> bool {
        self.observables.functions[index / self.observables.times()] == TestFunction::Exit
    }

    fn of_mean(&self, index: usize, level: &Level) -> [f64; 2] {
        let Estimates { optimizer, sde, gap, .. } = self.estimates;
        let rounding = ROUNDING * (optimizer.mean(index).abs() + sde.mean(index).abs());
        let [low, high] = gap.limits(index, level.sampling);
        let wider = level.bias(self.estimates, self.observables.times(), index) + rounding;
        [low - wider, high + wider]
    }

    /// Exact limits for probabilities, which hold where no exit was seen at all.
    fn of_exit(&self, index: usize, level: &Level) -> [f64; 2] {
        let Estimates { optimizer, sde, .. } = self.estimates;
        let n = self.estimates.seeds();
        let limits =
            |probability: f64| clopper_pearson((probability * n as f64).round() as u64, n, level.tail / 4.0);
        let (optimizer_low, optimizer_high) = limits(optimizer.mean(index));
        let (sde_low, sde_high) = limits(sde.mean(index));
        let bias = self.bias_of_exit(index, level);
        [optimizer_low - sde_high - bias, optimizer_high - sde_low + bias]
    }

    /// The bias of the integrator, no less than what as many coarse paths without a difference leave
    /// possible.
    fn bias_of_exit(&self, index: usize, level: &Level) -> f64 {
        let coarse_paths = (self.estimates.refinement.count() * BLOCK as u64) as f64;
        let unseen = -libm::log(level.tail / 2.0) / coarse_paths;
        level.bias(self.estimates, self.observables.times(), index).max(unseen)
    }
}
