//! Blocks of paths that advance together.

use super::Shadows;
use crate::random::{Role, Stream};

/// The states of a block of paths, path after path.
#[derive(Clone, Debug)]
pub struct Paths {
    dimension: usize,
    states: Vec<f64>,
    exited: Vec<bool>,
}

impl Paths {
    /// `count` paths at `start`.
    pub fn at(start: &[f64], count: usize) -> Self {
        Self { dimension: start.len(), states: start.repeat(count), exited: vec![false; count] }
    }

    /// State of each path, and whether the path has left the domain.
    pub fn iter(&self) -> impl Iterator<Item = (&[f64], bool)> {
        self.states.chunks_exact(self.dimension).zip(self.exited.iter().copied())
    }

    pub(super) fn path_mut(&mut self, path: usize) -> (&mut [f64], &mut bool) {
        let d = self.dimension;
        (&mut self.states[path * d..][..d], &mut self.exited[path])
    }

    pub(super) fn has_exited(&self, path: usize) -> bool {
        self.exited[path]
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&mut [f64], &mut bool)> {
        self.states.chunks_exact_mut(self.dimension).zip(&mut self.exited)
    }
}

/// Paths that advance together, by one optimizer step (or the time η) a call.
pub trait Block {
    /// One optimizer step, or the SDE over the time η.
    fn advance(&mut self);

    /// Where the paths are.
    fn paths(&self) -> &Paths;

    /// The linear shadows of the paths, where the block carries them.
    fn shadows(&self) -> Option<&Shadows<'_>> {
        None
    }

    /// The same paths integrated with twice the step, where the block carries them, with their shadows.
    fn coarse(&self) -> Option<(&Paths, Option<&Shadows<'_>>)> {
        None
    }
}

/// The streams of `count` paths from `first` on.
pub(super) fn streams(seed: u64, role: Role, first: u64, count: usize) -> Vec<Stream> {
    (first..first + count as u64).map(|path| Stream::new(seed, role, path)).collect()
}
