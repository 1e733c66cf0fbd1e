//! Draws of one real step of the optimizer at a state.

use super::entry::{Along, Entries, Entry};
use super::{DRAWS_IN_BLOCK, State};
use crate::agent::Scratch;
use crate::claim::Progress;
use crate::ensemble::{Paths, accumulate};
use crate::model::Model;
use crate::random::{Role, Streams};
use crate::simd::vectorized;
use crate::stats::Series;
use std::ops::Range;

/// Draws that are made side by side.
const SIDE_BY_SIDE: usize = 64;

/// Draws of the optimizer's step at one state.
pub(super) struct Sampler<'a> {
    pub model: &'a Model,
    pub entries: &'a Entries,
    pub seed: u64,
    pub role: Role,
}

impl Sampler<'_> {
    /// Adds the blocks of draws `blocks` to `draws`.
    pub fn extend(&self, draws: &mut Series, state: &State, blocks: Range<u64>, progress: &dyn Progress) {
        push_blocks(draws, blocks, &|block| {
            let entries = self.block(state, block);
            progress.tick(DRAWS_IN_BLOCK);
            entries
        });
    }

    /// The same with what these draws give more than those of another optimizer, on the same random numbers.
    pub fn extend_by_difference(
        &self,
        other: &Self,
        differences: &mut Series,
        state: &State,
        blocks: Range<u64>,
    ) {
        push_blocks(differences, blocks, &|block| {
            let (own, of_other) = (self.block(state, block), other.block(state, block));
            own.iter().zip(of_other).map(|(own, of_other)| own - of_other).collect()
        });
    }

    /// `E[Δx]/η` and `Cov[Δx]/η` over one block of draws, entry by entry, the covariance unbiased.
    fn block(&self, state: &State, block: u64) -> Vec<f64> {
        match &self.entries.along {
            None => self.of_coordinates(state, block),
            Some(along) => self.of_directions(state, along, block),
        }
    }

    /// Hands the states after one step of the draws of a block to `see`, some side by side at a time.
    fn draw(&self, state: &State, block: u64, mut see: impl FnMut(&mut [f64])) {
        let first = block * SIDE_BY_SIDE as u64;
        let mut streams = Streams::new(self.seed, self.role, first..first + SIDE_BY_SIDE as u64);
        let mut scratch = Scratch::default();
        let states = Paths::at(&state.x, SIDE_BY_SIDE);
        for _ in 0..DRAWS_IN_BLOCK as usize / SIDE_BY_SIDE {
            let mut x = states.states().to_vec();
            self.model.optimizer.step(&mut x, &mut streams, &mut scratch);
            see(&mut x);
        }
    }

    fn of_coordinates(&self, state: &State, block: u64) -> Vec<f64> {
        let eta = self.model.run.learning_rate;
        // Coordinate by coordinate, all draws of it.
        let mut increments = vec![Vec::with_capacity(DRAWS_IN_BLOCK as usize); state.x.len()];
        self.draw(state, block, |x| {
            let rows = x.chunks_exact(SIDE_BY_SIDE).zip(&mut increments).zip(&state.x);
            for ((row, increments), before) in rows {
                increments.extend(row.iter().map(|after| after - before));
            }
        });
        let mean: Vec<f64> = increments.iter_mut().map(|increments| centred(increments)).collect();
        let entry = |entry: &Entry| match *entry {
            Entry::Drift(i) => mean[i] / eta,
            Entry::Diffusion(i, j) => covariance(&increments[i], &increments[j]) / eta,
            _ => unreachable!("an entry along directions, where there are none"),
        };
        self.entries.list().iter().map(entry).collect()
    }

    /// Along directions nothing of the size of all draws is kept. Increments are taken less ηb, so that sums of squares lose
    /// nothing.
    fn of_directions(&self, state: &State, along: &Along, block: u64) -> Vec<f64> {
        let eta = self.model.run.learning_rate;
        let count = along.directions.count();
        let n = DRAWS_IN_BLOCK as f64;
        let mut sums = vec![0.0; state.x.len()];
        let mut squares = vec![0.0; SIDE_BY_SIDE];
        let mut projected = vec![0.0; (count + 1) * SIDE_BY_SIDE];
        let mut increments = vec![Vec::with_capacity(DRAWS_IN_BLOCK as usize); count + 1];
        self.draw(state, block, |x| {
            take_drift(x, &state.x, eta, &state.coefficients.drift, &mut sums, &mut squares);
            let (of_directions, of_drift) = projected.split_at_mut(count * SIDE_BY_SIDE);
            along.directions.project(x, of_directions);
            weigh_rows(x, &state.direction, of_drift);
            for (increments, row) in increments.iter_mut().zip(projected.chunks_exact(SIDE_BY_SIDE)) {
                increments.extend_from_slice(row);
            }
        });
        let means: Vec<f64> = increments.iter_mut().map(|increments| centred(increments)).collect();
        let off = sums.iter().map(|sum| sum / n).map(|mean| mean * mean).sum::<f64>();
        let trace = (squares.iter().sum::<f64>() - n * off) / (n - 1.0);
        let entry = |entry: &Entry| match *entry {
            Entry::DriftAlong => state.drift_norm() + means[count] / eta,
            // The mean of n draws is off by its own noise too, by tr(Cov)/n.
            Entry::DriftError => (off - trace / n) / (eta * eta),
            Entry::Trace => trace / eta,
            Entry::DiffusionAlong(k, l) => covariance(&increments[k], &increments[l]) / eta,
            Entry::Drift(_) | Entry::Diffusion(..) => {
                unreachable!("a coordinate, where there are directions")
            }
        };
        self.entries.list().iter().map(entry).collect()
    }
}

/// Takes the mean away, and returns it.
fn centred(numbers: &mut [f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    numbers.iter_mut().for_each(|number| *number -= mean);
    mean
}

/// Of two rows that are centred.
fn covariance(first: &[f64], second: &[f64]) -> f64 {
    let products = first.iter().zip(second).map(|(first, second)| first * second);
    products.sum::<f64>() / (first.len() as f64 - 1.0)
}

vectorized! {
    /// `x − before − ηb` in place of x, with the sum of each row and of the squares of each column added.
    fn take_drift(
        x: &mut [f64],
        before: &[f64],
        eta: f64,
        drift: &[f64],
        sums: &mut [f64],
        squares: &mut [f64],
    ) {
        let rows = x.chunks_exact_mut(squares.len()).zip(before).zip(drift).zip(sums);
        for (((row, before), b), sum) in rows {
            let mut parts = [0.0; 8];
            for (x, squares) in row.chunks_exact_mut(8).zip(squares.chunks_exact_mut(8)) {
                for ((x, square), part) in x.iter_mut().zip(squares).zip(&mut parts) {
                    *x = (*x - before) - eta * b;
                    *square += *x * *x;
                    *part += *x;
                }
            }
            *sum += parts.iter().sum::<f64>();
        }
    }

    /// The sum of all rows, each with its weight.
    fn weigh_rows(x: &[f64], weights: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (row, weight) in x.chunks_exact(out.len()).zip(weights) {
            for (sum, x) in out.iter_mut().zip(row) {
                *sum += weight * x;
            }
        }
    }
}

/// Adds what `block` gives for each of `blocks`.
fn push_blocks(series: &mut Series, blocks: Range<u64>, block: &(dyn Fn(u64) -> Vec<f64> + Sync)) {
    let task = |range: Range<u64>| {
        let mut of_range = Series::default();
        range.for_each(|index| of_range.push(&block(index)));
        of_range
    };
    accumulate(blocks, task, |of_range| series.merge(of_range));
}
