//! Agents: what each of the N workers sees of the gradient, and how it compresses it.

use crate::compressor::Compressor;
use crate::noise::Noise;
use crate::objective::Objective;
use crate::random::Streams;
use crate::rows;
use std::sync::Arc;

/// Agents that are alike.
#[derive(Clone)]
pub struct Group {
    /// How many.
    pub count: usize,
    /// The law of the stochastic gradient of one of them, over its batch.
    pub noise: Arc<dyn Noise>,
    /// That of a single sample, where the batch has more.
    pub one_sample: Option<Arc<dyn Noise>>,
    /// What it sends instead of its stochastic gradient.
    pub compressor: Arc<dyn Compressor>,
    /// `∇f_i − ∇f`, constant; none where ∇f_i = ∇f.
    pub gradient_offset: Option<Vec<f64>>,
}

impl Group {
    /// The mean gradient `∇f_i` of an agent of this group, where `gradient` is ∇f.
    fn mean_gradient<'a>(&self, gradient: &'a [f64], buffer: &'a mut Vec<f64>) -> &'a [f64] {
        match &self.gradient_offset {
            None => gradient,
            Some(offset) => {
                buffer.resize(gradient.len(), 0.0);
                buffer.copy_from_slice(gradient);
                for (row, offset) in buffer.chunks_exact_mut(gradient.len() / offset.len()).zip(offset) {
                    row.iter_mut().for_each(|entry| *entry += offset);
                }
                buffer
            }
        }
    }
}

/// All N agents and the objective they share.
pub struct Agents {
    objective: Arc<dyn Objective>,
    groups: Vec<Group>,
    count: usize,
}

/// Buffers for one evaluation of the agents.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    gradient: Vec<f64>,
    mean_gradient: Vec<f64>,
    sample: Vec<f64>,
    direction: Vec<f64>,
}

impl Agents {
    /// N agents in groups; their offsets average to zero, as scenarios are checked to give them.
    pub fn new(objective: Arc<dyn Objective>, groups: Vec<Group>) -> Self {
        let count = groups.iter().map(|group| group.count).sum();
        Self { objective, groups, count }
    }

    /// d.
    pub fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    /// N.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The objective f.
    pub fn objective(&self) -> &Arc<dyn Objective> {
        &self.objective
    }

    /// The groups of agents.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether the laws of all noises take the states of n paths at once.
    pub(crate) fn noises_take_blocks(&self) -> bool {
        self.groups.iter().all(|group| group.noise.takes_blocks())
    }

    /// Whether the error covariances of all compressors do. Not where agents have gradients of their own, whose rank-one
    /// parts add up to a dense matrix.
    pub(crate) fn errors_take_blocks(&self) -> bool {
        let is_alike = |group: &Group| group.compressor.takes_blocks() && group.gradient_offset.is_none();
        self.noises_take_blocks() && self.groups.iter().all(is_alike)
    }

    /// The block of coordinates that each agent keeps of a permutation they share, where they compress together.
    pub fn shared_block(&self) -> Option<usize> {
        self.groups.iter().find_map(|group| group.compressor.shared_block())
    }

    /// One draw of `(1/N) Σ_i T(g_i(x))` for each of n paths, where `transmit` replaces `g_i` by what the agent sends; x and
    /// all vectors of shape `[d, n]`.
    pub fn mean_direction<'a>(
        &self,
        x: &[f64],
        streams: &mut Streams,
        scratch: &'a mut Scratch,
        mut transmit: impl FnMut(&Group, &mut [f64], &mut Streams),
    ) -> &'a [f64] {
        let Scratch { gradient, mean_gradient, sample, direction } = scratch;
        for buffer in [&mut *gradient, sample, direction] {
            buffer.resize(x.len(), 0.0);
        }
        self.objective.gradient(x, gradient);
        direction.fill(0.0);
        for group in &self.groups {
            let mean = group.mean_gradient(gradient, mean_gradient);
            for _ in 0..group.count {
                group.noise.sample(x, mean, streams, sample);
                transmit(group, sample, streams);
                rows::add(direction, sample);
            }
        }
        rows::scale(direction, 1.0 / self.count as f64);
        direction
    }

    /// Calls `visit(share, group, ∇f_i(x))` for every group, its share of the N agents first, and
    /// returns `∇f(x)`; x and the gradients of shape `[d, n]`.
    pub fn for_each_group<'a>(
        &self,
        x: &[f64],
        scratch: &'a mut Scratch,
        visit: impl FnMut(f64, &Group, &[f64]),
    ) -> &'a [f64] {
        let mut gradient = std::mem::take(&mut scratch.gradient);
        gradient.resize(x.len(), 0.0);
        self.write_gradient(x, &mut gradient, scratch, visit);
        scratch.gradient = gradient;
        &scratch.gradient
    }

    /// The same, where `∇f(x)` has its place.
    pub fn write_gradient(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        scratch: &mut Scratch,
        mut visit: impl FnMut(f64, &Group, &[f64]),
    ) {
        self.objective.gradient(x, gradient);
        for group in &self.groups {
            let share = group.count as f64 / self.count as f64;
            visit(share, group, group.mean_gradient(gradient, &mut scratch.mean_gradient));
        }
    }
}
