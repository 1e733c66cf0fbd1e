//! The optimizer as a process.

use super::{Domain, Process};
use crate::agent::Scratch;
use crate::ensemble::block::{Block, Paths};
use crate::ensemble::shadow::{Expansion, Noise, Shadows, StepMoments};
use crate::optimizer::{DeclaredIncrement, Increment, Optimizer};
use crate::random::{Role, Streams};
use crate::rows;

/// The optimizer.
pub struct OptimizerProcess<'a> {
    /// What advances the paths.
    pub optimizer: &'a dyn Optimizer,
    /// The state at t = 0.
    pub start: &'a [f64],
    /// Where paths stop, if anywhere.
    pub domain: Option<Domain>,
    /// η.
    pub eta: f64,
    /// Seed of the run.
    pub seed: u64,
    /// What the streams are drawn for.
    pub role: Role,
    /// What linear shadows of the paths follow, if they carry any and the optimizer declares its increments.
    pub expansion: Option<&'a Expansion>,
}

struct OptimizerBlock<'a> {
    process: &'a OptimizerProcess<'a>,
    paths: Paths,
    streams: Streams,
    scratch: Scratch,
    /// Where the paths were before a step.
    before: Vec<f64>,
    shadow: Option<OptimizerShadow<'a>>,
}

/// The shadows of paths of an optimizer, from its declared increments.
struct OptimizerShadow<'a> {
    declared: &'a dyn DeclaredIncrement,
    /// Of all n paths, or of one.
    increment: Increment,
    shadows: Shadows<'a>,
    /// x and `E[x_{k+1} | x_k]` of as many paths, and the noise of the step.
    before: Vec<f64>,
    after: Vec<f64>,
    noise: Vec<f64>,
}

impl<'a> OptimizerShadow<'a> {
    fn new(process: &'a OptimizerProcess, count: usize) -> Option<Self> {
        let (expansion, declared) = (process.expansion?, process.optimizer.declared()?);
        let d = process.start.len();
        let at_once = if declared.takes_blocks() { count } else { 1 };
        let zero = vec![0.0; d * at_once];
        Some(Self {
            declared,
            increment: Increment::of_paths(d, at_once),
            shadows: Shadows::new(expansion, d, count, 1),
            before: zero.clone(),
            after: zero.clone(),
            noise: zero,
        })
    }

    /// After a step of n paths from `before` to `after`.
    fn record(&mut self, before: &[f64], after: &[f64], exited: &[bool]) {
        let n = exited.len();
        if before.len() == self.before.len() {
            self.before.copy_from_slice(before);
            self.after.copy_from_slice(after);
            self.record_from(0);
        } else {
            for path in (0..n).filter(|&path| !exited[path]) {
                rows::read_column(before, n, path, &mut self.before);
                rows::read_column(after, n, path, &mut self.after);
                self.record_from(path);
            }
        }
        (0..n).filter(|&path| exited[path]).for_each(|path| self.shadows.rest(path, 0));
    }

    fn record_from(&mut self, first: usize) {
        let Self { declared, increment, shadows, before: mean, after, noise } = self;
        declared.increment(mean, increment);
        rows::add(mean, &increment.mean);
        noise.copy_from_slice(after);
        rows::add_scaled(noise, -1.0, mean);
        let covariance = &increment.covariance;
        shadows.record(first, 0, Noise { increment: noise, mean, covariance, weight: 1.0 });
    }
}

impl OptimizerProcess<'_> {
    /// The expansion of so many steps, where the optimizer declares its increments and the expansion exists.
    /// `may_be_cubic` is explained at [`Expansion::along`].
    pub fn expand(&self, steps: usize, may_be_cubic: bool) -> Option<Expansion> {
        let declared = self.optimizer.declared()?;
        let mut increment = Increment::new(self.start.len());
        Expansion::along(self.start, steps, may_be_cubic, |x, pairs| {
            declared.increment(x, &mut increment);
            let covariance = pairs.iter().map(|&(i, j)| increment.covariance.entry(i, j)).collect();
            StepMoments { mean: increment.mean.clone(), covariance }
        })
    }
}

impl Process for OptimizerProcess<'_> {
    fn dimension(&self) -> usize {
        self.start.len()
    }

    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let mut paths = Paths::at(self.start, count);
        let mut streams = Streams::new(self.seed, self.role, first..first + count as u64);
        let mut scratch = Scratch::default();
        self.optimizer.begin(paths.states_mut(), &mut streams, &mut scratch);
        Box::new(OptimizerBlock {
            process: self,
            before: paths.states().to_vec(),
            paths,
            streams,
            scratch,
            shadow: OptimizerShadow::new(self, count),
        })
    }
}

impl Block for OptimizerBlock<'_> {
    fn advance(&mut self) {
        let Self { process, paths, streams, scratch, before, shadow } = self;
        let looks_back = shadow.is_some() || process.domain.is_some();
        if looks_back {
            before.copy_from_slice(paths.states());
        }
        if shadow.is_none() && paths.exited().iter().all(|exited| *exited) {
            return;
        }
        process.optimizer.step(paths.states_mut(), streams, scratch);
        if process.domain.is_some() {
            paths.restore_exited(before);
        }
        if let Some(shadow) = shadow {
            shadow.record(before, paths.states(), paths.exited());
            shadow.shadows.advance();
        }
        if let Some(domain) = process.domain {
            paths.stop(|x| domain.stops(x));
        }
    }

    fn paths(&self) -> &Paths {
        &self.paths
    }

    fn shadows(&self) -> Option<&Shadows<'_>> {
        self.shadow.as_ref().map(|shadow| &shadow.shadows)
    }
}
