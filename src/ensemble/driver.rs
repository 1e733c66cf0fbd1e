//! The driver: blocks of paths in parallel, their moments merged in a fixed order.

use super::{Block, Observables, Paths, Process};
use crate::stats::Series;
use rayon::prelude::*;
use std::ops::Range;

/// Paths in a block. Standard errors come from the means of blocks, which are close to Gaussian.
pub const BLOCK: usize = 64;

/// Blocks that one task runs, and tasks that are merged at a time: fixed, so that neither the bits
/// nor the memory depend on the number of threads or seeds.
const BLOCKS_IN_TASK: u64 = 4;
const TASKS_AT_A_TIME: u64 = 64;

/// Runs `task` over consecutive ranges that make up `blocks`, in parallel, and hands the results to
/// `merge` in order.
pub fn accumulate<A: Send>(
    blocks: Range<u64>,
    task: impl Fn(Range<u64>) -> A + Sync,
    mut merge: impl FnMut(A),
) {
    let mut first = blocks.start;
    while first < blocks.end {
        let end = blocks.end.min(first + BLOCKS_IN_TASK * TASKS_AT_A_TIME);
        let tasks: Vec<u64> = (first..end).step_by(BLOCKS_IN_TASK as usize).collect();
        let done: Vec<A> =
            tasks.into_par_iter().map(|first| task(first..end.min(first + BLOCKS_IN_TASK))).collect();
        done.into_iter().for_each(&mut merge);
        first = end;
    }
}

/// Moments of both processes: of each observable at each record time (function after function), the
/// mean over paths, with standard errors from block means.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// The optimizer.
    pub optimizer: Series,
    /// The SDE, with 2m steps to each η.
    pub sde: Series,
    /// Optimizer minus SDE, block by block.
    pub gap: Series,
    /// The SDE with m steps minus that with 2m, on the same Brownian paths.
    pub refinement: Series,
    /// Paths of the optimizer with a state or an observable that is not finite.
    pub non_finite_optimizer: u64,
    /// The same for the SDE.
    pub non_finite_sde: u64,
}

impl Moments {
    /// Simulates `blocks` of both processes for `steps` steps, and adds them. `progress` hears of
    /// every block that is done.
    pub fn extend(
        &mut self,
        optimizer: &dyn Process,
        sde: &dyn Process,
        observables: &Observables,
        steps: usize,
        blocks: Range<u64>,
        progress: &(dyn Fn() + Sync),
    ) {
        let task = |range: Range<u64>| {
            let mut moments = Moments::default();
            for block in range {
                let first = block * BLOCK as u64;
                let by_optimizer = observe(&mut *optimizer.start(first, BLOCK), observables, steps, BLOCK);
                let by_sde = observe(&mut *sde.start(first, BLOCK), observables, steps, BLOCK);
                moments.push(&by_optimizer, &by_sde);
                progress();
            }
            moments
        };
        accumulate(blocks, task, |moments| self.merge(moments));
    }

    fn push(&mut self, optimizer: &BlockMeans, sde: &BlockMeans) {
        let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        self.optimizer.push(&optimizer.means);
        self.sde.push(&sde.means);
        self.gap.push(&difference(&optimizer.means, &sde.means));
        if let Some(coarse) = &sde.coarse {
            self.refinement.push(&difference(coarse, &sde.means));
        }
        self.non_finite_optimizer += optimizer.non_finite;
        self.non_finite_sde += sde.non_finite;
    }

    fn merge(&mut self, other: Moments) {
        self.optimizer.merge(other.optimizer);
        self.sde.merge(other.sde);
        self.gap.merge(other.gap);
        self.refinement.merge(other.refinement);
        self.non_finite_optimizer += other.non_finite_optimizer;
        self.non_finite_sde += other.non_finite_sde;
    }

    /// Paths of each process that were simulated.
    pub fn seeds(&self) -> u64 {
        self.gap.count() * BLOCK as u64
    }
}

/// Means over the paths of one block.
struct BlockMeans {
    means: Vec<f64>,
    coarse: Option<Vec<f64>>,
    non_finite: u64,
}

/// Runs a block to the end and averages its observables.
fn observe(block: &mut dyn Block, observables: &Observables, steps: usize, count: usize) -> BlockMeans {
    let size = observables.functions.len() * observables.times();
    let mut means = vec![0.0; size];
    let mut coarse = block.coarse().map(|_| vec![0.0; size]);
    let mut finite = vec![true; count];
    let mut coarse_finite = vec![true; count];
    let every = steps / (observables.times() - 1);
    for time in 0..observables.times() {
        if time > 0 {
            (0..every).for_each(|_| block.advance());
        }
        add_paths(observables, time, block.paths(), &mut means, &mut finite);
        if let (Some(sums), Some(paths)) = (&mut coarse, block.coarse()) {
            add_paths(observables, time, paths, sums, &mut coarse_finite);
        }
    }
    for mean in means.iter_mut().chain(coarse.iter_mut().flatten()) {
        *mean /= count as f64;
    }
    BlockMeans { means, coarse, non_finite: finite.iter().filter(|finite| !**finite).count() as u64 }
}

fn add_paths(observables: &Observables, time: usize, paths: &Paths, sums: &mut [f64], finite: &mut [bool]) {
    for ((x, exited), finite) in paths.iter().zip(finite) {
        *finite &= observables.add(time, x, exited, sums);
    }
}

/// Standard deviations of one path of `process`, observable by observable, from `paths` paths. `progress`
/// hears of every path that is done.
pub fn standard_deviations(
    process: &dyn Process,
    observables: &Observables,
    steps: usize,
    paths: u64,
    progress: &(dyn Fn() + Sync),
) -> Vec<f64> {
    let mut series = Series::default();
    let task = |range: Range<u64>| {
        let mut series = Series::default();
        for path in range {
            series.push(&observe(&mut *process.start(path, 1), observables, steps, 1).means);
            progress();
        }
        series
    };
    accumulate(0..paths, task, |part| series.merge(part));
    (0..series.len()).map(|index| series.standard_deviation(index)).collect()
}

/// The states of the first `count` paths of `process` over `steps` steps, after every `every` of them and
/// at t = 0.
pub fn record_paths(process: &dyn Process, steps: usize, every: usize, count: usize) -> Vec<Vec<Vec<f64>>> {
    let mut block = process.start(0, count);
    let mut paths = vec![Vec::with_capacity(steps / every + 1); count];
    for step in 0..=steps {
        if step > 0 {
            block.advance();
        }
        if step % every == 0 {
            for (path, (x, _)) in paths.iter_mut().zip(block.paths().iter()) {
                path.push(x.to_vec());
            }
        }
    }
    paths
}
