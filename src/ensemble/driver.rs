//! The driver: blocks of paths in parallel, their moments merged in a fixed order.

use super::{Block, Controls, Observables, Paths, Process, Shadows};
use crate::simd::vectorized;
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

/// Means of both processes, of each observable at each record time (function after function), with standard
/// errors from block means.
#[derive(Clone, Debug, Default)]
pub struct Estimates {
    /// The optimizer.
    pub optimizer: Series,
    /// The SDE, with 2m steps to each η.
    pub sde: Series,
    /// Optimizer minus SDE, block by block.
    pub gap: Series,
    /// The SDE with m steps minus that with 2m, on the same Brownian paths.
    pub refinement: Series,
}

impl Estimates {
    fn push(&mut self, optimizer: &[f64], sde: &[f64], coarse: Option<&[f64]>) {
        let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        self.optimizer.push(optimizer);
        self.sde.push(sde);
        self.gap.push(&difference(optimizer, sde));
        if let Some(coarse) = coarse {
            self.refinement.push(&difference(coarse, sde));
        }
    }

    fn merge(&mut self, other: Estimates) {
        self.optimizer.merge(other.optimizer);
        self.sde.merge(other.sde);
        self.gap.merge(other.gap);
        self.refinement.merge(other.refinement);
    }

    /// Paths of each process that were simulated.
    pub fn seeds(&self) -> u64 {
        self.gap.count() * BLOCK as u64
    }
}

/// What the linear shadows of both processes gave.
#[derive(Clone, Debug, Default)]
pub struct Shadowed {
    /// The same estimates after the controls.
    pub estimates: Estimates,
    /// z and v of the optimizer, whose expectations are 0, time after time.
    pub optimizer: Series,
    /// The same of the SDE.
    pub sde: Series,
}

impl Shadowed {
    fn push(&mut self, optimizer: &BlockMeans, sde: &BlockMeans, [of_optimizer, of_sde]: &[Controls; 2]) {
        let coarse = sde.coarse.as_ref().map(|coarse| coarse.controlled(of_sde));
        self.estimates.push(
            &optimizer.fine.controlled(of_optimizer),
            &sde.fine.controlled(of_sde),
            coarse.as_deref(),
        );
        self.optimizer.push(&optimizer.fine.shadow);
        self.sde.push(&sde.fine.shadow);
    }

    /// Whether all that the shadows gave is: z and q may overflow where x does not.
    pub fn is_finite(&self) -> bool {
        let Estimates { optimizer, sde, gap, refinement } = &self.estimates;
        [optimizer, sde, gap, refinement, &self.optimizer, &self.sde].into_iter().all(Series::is_finite)
    }

    fn merge(&mut self, other: Shadowed) {
        self.estimates.merge(other.estimates);
        self.optimizer.merge(other.optimizer);
        self.sde.merge(other.sde);
    }
}

/// Two processes that are compared, and by what.
pub struct Pair<'a> {
    /// The optimizer.
    pub optimizer: &'a dyn Process,
    /// The SDE.
    pub sde: &'a dyn Process,
    /// Test functions at record times.
    pub observables: &'a Observables,
    /// Optimizer steps of a path.
    pub steps: usize,
    /// The controls of both, where both carry linear shadows.
    pub controls: Option<&'a [Controls; 2]>,
}

/// What a run over many paths has come to.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// Plain means.
    pub raw: Estimates,
    /// Those after the controls of the linear shadow, where there are any.
    pub shadowed: Option<Shadowed>,
    /// Paths of the optimizer with a state or an observable that is not finite.
    pub non_finite_optimizer: u64,
    /// The same for the SDE.
    pub non_finite_sde: u64,
}

impl Moments {
    /// Simulates `blocks` of both processes and adds them. `progress` hears of every block that is done.
    pub fn extend(&mut self, pair: &Pair, blocks: Range<u64>, progress: &(dyn Fn() + Sync)) {
        let &Pair { optimizer, sde, observables, steps, controls } = pair;
        let task = |range: Range<u64>| {
            let mut moments = Moments::default();
            for block in range {
                let first = block * BLOCK as u64;
                let by_optimizer = observe(optimizer, observables, steps, first);
                let by_sde = observe(sde, observables, steps, first);
                moments.push(&by_optimizer, &by_sde, controls);
                progress();
            }
            moments
        };
        accumulate(blocks, task, |moments| self.merge(moments));
    }

    fn push(&mut self, optimizer: &BlockMeans, sde: &BlockMeans, controls: Option<&[Controls; 2]>) {
        let coarse = sde.coarse.as_ref().map(|coarse| &*coarse.functions);
        self.raw.push(&optimizer.fine.functions, &sde.fine.functions, coarse);
        if let Some(controls) = controls {
            self.shadowed.get_or_insert_default().push(optimizer, sde, controls);
        }
        self.non_finite_optimizer += optimizer.non_finite;
        self.non_finite_sde += sde.non_finite;
    }

    fn merge(&mut self, other: Moments) {
        self.raw.merge(other.raw);
        if let Some(shadowed) = other.shadowed {
            self.shadowed.get_or_insert_default().merge(shadowed);
        }
        self.non_finite_optimizer += other.non_finite_optimizer;
        self.non_finite_sde += other.non_finite_sde;
    }

    /// Paths of each process that were simulated.
    pub fn seeds(&self) -> u64 {
        self.raw.seeds()
    }
}

/// Means over the paths of one block.
struct BlockMeans {
    /// With the finer steps, or those of the optimizer.
    fine: Means,
    coarse: Option<Means>,
    non_finite: u64,
}

/// Means over paths integrated with one length of step.
pub struct Means {
    /// Of the test functions at the record times, function after function.
    pub functions: Vec<f64>,
    /// Of z and v at the record times, time after time; empty without a shadow.
    pub shadow: Vec<f64>,
}

impl Means {
    fn zero(observables: &Observables, shadows: Option<&Shadows>) -> Self {
        let times = observables.times();
        let functions = vec![0.0; observables.functions.len() * times];
        Self { functions, shadow: vec![0.0; shadows.map_or(0, |shadows| shadows.sums() * times)] }
    }

    /// Adds the paths of a block. A path with a function that is not finite makes its place in `finite` NaN.
    fn add(
        &mut self,
        observables: &Observables,
        time: usize,
        (paths, shadows): (&Paths, Option<&Shadows>),
        finite: &mut [f64],
    ) {
        let times = observables.times();
        observables.evaluate(time, paths, |index, values| {
            sum(values, finite, &mut self.functions[index * times + time]);
        });
        if let Some(shadows) = shadows {
            shadows.add(0..paths.count(), &mut self.shadow[time * shadows.sums()..][..shadows.sums()]);
        }
    }

    fn divide(&mut self, count: usize) {
        for mean in self.functions.iter_mut().chain(&mut self.shadow) {
            *mean /= count as f64;
        }
    }

    fn controlled(&self, controls: &Controls) -> Vec<f64> {
        controls.apply(&self.functions, &self.shadow)
    }
}

/// Numbers that a sum adds side by side.
const SIDE_BY_SIDE: usize = 8;

vectorized! {
    /// Adds values to a sum, every eighth by itself at first. What is not finite makes its place in `finite` NaN.
    pub(super) fn sum(values: &[f64], finite: &mut [f64], sum: &mut f64) {
        for (finite, value) in finite.iter_mut().zip(values) {
            *finite += 0.0 * value;
        }
        let mut sums = [0.0; SIDE_BY_SIDE];
        let groups = values.chunks_exact(SIDE_BY_SIDE);
        let rest = groups.remainder();
        for group in groups {
            for (sum, value) in sums.iter_mut().zip(group) {
                *sum += value;
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += value;
        }
        *sum += ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    }
}

/// Paths that advance side by side in dimension d: a whole block, or fewer where their states would not stay in the nearest
/// cache.
fn at_once(dimension: usize) -> usize {
    const NUMBERS_IN_CACHE: usize = 1024;
    let mut paths = BLOCK;
    while paths > SIDE_BY_SIDE && paths * dimension > NUMBERS_IN_CACHE {
        paths /= 2;
    }
    paths
}

/// Runs the paths from `first` on to the end and averages their observables.
fn observe(process: &dyn Process, observables: &Observables, steps: usize, first: u64) -> BlockMeans {
    let width = at_once(process.dimension());
    let mut means: Option<BlockMeans> = None;
    for first in (first..first + BLOCK as u64).step_by(width) {
        let mut block = process.start(first, width);
        let BlockMeans { fine, coarse, non_finite } = means.get_or_insert_with(|| BlockMeans {
            fine: Means::zero(observables, block.shadows()),
            coarse: block.coarse().map(|(_, shadows)| Means::zero(observables, shadows)),
            non_finite: 0,
        });
        let mut finite = vec![0.0; width];
        let mut coarse_finite = vec![0.0; width];
        advance(&mut *block, observables, steps, |time, block| {
            fine.add(observables, time, (block.paths(), block.shadows()), &mut finite);
            if let (Some(means), Some(paths)) = (&mut *coarse, block.coarse()) {
                means.add(observables, time, paths, &mut coarse_finite);
            }
        });
        *non_finite += finite.iter().filter(|finite| finite.is_nan()).count() as u64;
    }
    let mut means = means.expect("a block has paths");
    for means in [&mut means.fine].into_iter().chain(&mut means.coarse) {
        means.divide(BLOCK);
    }
    means
}

/// Runs a block to the end, and hands it to `record` at every record time.
fn advance(
    block: &mut dyn Block,
    observables: &Observables,
    steps: usize,
    mut record: impl FnMut(usize, &dyn Block),
) {
    let every = steps / (observables.times() - 1);
    for time in 0..observables.times() {
        if time > 0 {
            (0..every).for_each(|_| block.advance());
        }
        record(time, block);
    }
}

/// Means over blocks of one process, of each observable at each record time (function after function).
pub fn average(process: &dyn Process, observables: &Observables, steps: usize, blocks: Range<u64>) -> Series {
    let mut series = Series::default();
    let task = |range: Range<u64>| {
        let mut series = Series::default();
        for block in range {
            series.push(&observe(process, observables, steps, block * BLOCK as u64).fine.functions);
        }
        series
    };
    accumulate(blocks, task, |part| series.merge(part));
    series
}

/// The observables of some paths of `process`, and the sums of their shadows, path by path.
pub fn observe_each(
    process: &dyn Process,
    observables: &Observables,
    steps: usize,
    paths: Range<u64>,
) -> Vec<Means> {
    let count = (paths.end - paths.start) as usize;
    let times = observables.times();
    let mut block = process.start(paths.start, count);
    let mut each: Vec<Means> = (0..count).map(|_| Means::zero(observables, block.shadows())).collect();
    advance(&mut *block, observables, steps, |time, block| {
        observables.evaluate(time, block.paths(), |index, values| {
            for (means, value) in each.iter_mut().zip(values) {
                means.functions[index * times + time] = *value;
            }
        });
        if let Some(shadows) = block.shadows() {
            for (path, means) in each.iter_mut().enumerate() {
                shadows.add(path..path + 1, &mut means.shadow[time * shadows.sums()..][..shadows.sums()]);
            }
        }
    });
    each
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
        for means in observe_each(process, observables, steps, range) {
            series.push(&means.functions);
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
            for (index, path) in paths.iter_mut().enumerate() {
                path.push(block.paths().state(index));
            }
        }
    }
    paths
}
