//! Blocks of paths that advance together.

use super::Shadows;

/// The states of a block of n paths, coordinate after coordinate and path beside path: shape `[d, n]`.
#[derive(Clone, Debug)]
pub struct Paths {
    states: Vec<f64>,
    exited: Vec<bool>,
}

impl Paths {
    /// `count` paths at `start`.
    pub fn at(start: &[f64], count: usize) -> Self {
        let states = start.iter().flat_map(|&x| std::iter::repeat_n(x, count)).collect();
        Self { states, exited: vec![false; count] }
    }

    /// n.
    pub fn count(&self) -> usize {
        self.exited.len()
    }

    /// All states, of shape `[d, n]`.
    pub fn states(&self) -> &[f64] {
        &self.states
    }

    /// Whether each path has left the domain.
    pub fn exited(&self) -> &[bool] {
        &self.exited
    }

    /// The state of one path.
    pub fn state(&self, path: usize) -> Vec<f64> {
        self.states.iter().skip(path).step_by(self.count()).copied().collect()
    }

    pub(super) fn states_mut(&mut self) -> &mut [f64] {
        &mut self.states
    }

    /// Puts the paths that have left the domain back to where they were in `before`.
    pub(super) fn restore_exited(&mut self, before: &[f64]) {
        let n = self.count();
        for (path, _) in self.exited.iter().enumerate().filter(|(_, exited)| **exited) {
            let old = before.iter().skip(path).step_by(n);
            self.states.iter_mut().skip(path).step_by(n).zip(old).for_each(|(x, old)| *x = *old);
        }
    }

    /// Lets `stop` decide of every path that is inside whether it leaves, and where it stays then.
    pub(super) fn stop(&mut self, mut stop: impl FnMut(&mut [f64]) -> bool) {
        let n = self.count();
        let mut x = vec![0.0; self.states.len() / n];
        for path in 0..n {
            if !self.exited[path] {
                crate::rows::read_column(&self.states, n, path, &mut x);
                if stop(&mut x) {
                    self.exited[path] = true;
                    crate::rows::write_column(&mut self.states, n, path, &x);
                }
            }
        }
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
