//! Averages over time as well as over paths, for laws at stationarity.

use super::driver::{BLOCK, accumulate, sum};
use super::{Block, Observables, Paths, Process};
use crate::stats::Series;
use std::ops::Range;

/// When paths are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Optimizer steps before the first record.
    pub burn_in: usize,
    /// Optimizer steps between records.
    pub every: usize,
    /// Records.
    pub records: usize,
}

impl Window {
    /// Optimizer steps of a path.
    pub fn steps(&self) -> usize {
        self.burn_in + (self.records - 1) * self.every
    }
}

/// What paths of one process give, averaged over a window.
///
/// The records of a path depend on each other, paths do not: standard errors are those of means over whole blocks of
/// paths, whatever the correlation in time.
#[derive(Clone, Debug, Default)]
pub struct TimeAverages {
    /// Averages over paths and records.
    pub averages: Series,
    /// Averages over paths at the last record alone.
    pub last: Series,
    /// The averages with twice the integrator's step minus those with the step itself.
    pub refinement: Series,
    /// Paths with a state or a function that is not finite.
    pub non_finite: u64,
}

impl TimeAverages {
    /// Simulates `blocks` of `process` and adds them; `observables` has one time, at which c is the same throughout.
    /// `progress` hears of every block that is done.
    pub fn extend(
        &mut self,
        process: &dyn Process,
        observables: &Observables,
        window: Window,
        blocks: Range<u64>,
        progress: &(dyn Fn() + Sync),
    ) {
        let task = |range: Range<u64>| {
            let mut averages = Self::default();
            for block in range {
                averages.push(&mut *process.start(block * BLOCK as u64, BLOCK), observables, window);
                progress();
            }
            averages
        };
        accumulate(blocks, task, |part| self.merge(part));
    }

    /// Independent draws of the stationary law whose mean would be known as well as that of function `index` is.
    pub fn effective_sample_size(&self, index: usize) -> f64 {
        let [of_block, of_mean] = [self.last.standard_deviation(index), self.averages.standard_error(index)];
        BLOCK as f64 * (of_block / of_mean) * (of_block / of_mean)
    }

    fn push(&mut self, block: &mut dyn Block, observables: &Observables, window: Window) {
        let mut finite = vec![0.0; BLOCK];
        let mut coarse_finite = vec![0.0; BLOCK];
        let zero = vec![0.0; observables.functions.len()];
        let (mut sums, mut last, mut coarse) = (zero.clone(), zero.clone(), zero.clone());
        let mut has_coarse = false;
        (0..window.burn_in).for_each(|_| block.advance());
        for record in 0..window.records {
            if record > 0 {
                (0..window.every).for_each(|_| block.advance());
            }
            last.copy_from_slice(&zero);
            add(observables, block.paths(), &mut last, &mut finite);
            sums.iter_mut().zip(&last).for_each(|(sum, value)| *sum += value);
            if let Some((paths, _)) = block.coarse() {
                has_coarse = true;
                add(observables, paths, &mut coarse, &mut coarse_finite);
            }
        }
        let all = (BLOCK * window.records) as f64;
        sums.iter_mut().chain(&mut coarse).for_each(|sum| *sum /= all);
        last.iter_mut().for_each(|sum| *sum /= BLOCK as f64);
        self.averages.push(&sums);
        self.last.push(&last);
        if has_coarse {
            coarse.iter_mut().zip(&sums).for_each(|(coarse, fine)| *coarse -= fine);
            self.refinement.push(&coarse);
        }
        self.non_finite += finite.iter().filter(|finite| finite.is_nan()).count() as u64;
    }

    fn merge(&mut self, other: Self) {
        self.averages.merge(other.averages);
        self.last.merge(other.last);
        self.refinement.merge(other.refinement);
        self.non_finite += other.non_finite;
    }
}

fn add(observables: &Observables, paths: &Paths, sums: &mut [f64], finite: &mut [f64]) {
    observables.evaluate(0, paths, |index, values| sum(values, finite, &mut sums[index]));
}
