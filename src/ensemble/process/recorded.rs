//! Recorded paths as a process.

use super::Process;
use crate::ensemble::block::{Block, Paths};

/// Consecutive paths that were recorded.
pub struct RecordedProcess {
    /// The number of the first path.
    pub first: u64,
    /// All states, of shape [path, time, coordinate].
    pub states: Vec<f64>,
    /// Recorded times of a path, t = 0 included.
    pub times: usize,
    /// d.
    pub dimension: usize,
    /// Steps between recorded times: what a process that is compared with this one takes.
    pub every: usize,
}

struct RecordedBlock<'a> {
    /// The states of its paths.
    states: &'a [f64],
    process: &'a RecordedProcess,
    paths: Paths,
    step: usize,
}

impl RecordedBlock<'_> {
    fn load(&mut self, time: usize) {
        let &RecordedProcess { times, dimension: d, .. } = self.process;
        let n = self.paths.count();
        let states = self.paths.states_mut();
        for (path, recorded) in self.states.chunks_exact(times * d).enumerate() {
            for (j, x) in recorded[time * d..][..d].iter().enumerate() {
                states[j * n + path] = *x;
            }
        }
    }
}

impl Process for RecordedProcess {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn start(&self, first: u64, count: usize) -> Box<dyn Block + '_> {
        let numbers = self.times * self.dimension;
        let states = &self.states[(first - self.first) as usize * numbers..][..count * numbers];
        let paths = Paths::at(&vec![0.0; self.dimension], count);
        let mut block = RecordedBlock { states, process: self, paths, step: 0 };
        block.load(0);
        Box::new(block)
    }
}

impl Block for RecordedBlock<'_> {
    fn advance(&mut self) {
        self.step += 1;
        if self.step.is_multiple_of(self.process.every) {
            self.load(self.step / self.process.every);
        }
    }

    fn paths(&self) -> &Paths {
        &self.paths
    }
}
