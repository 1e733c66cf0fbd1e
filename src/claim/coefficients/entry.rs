//! What is compared at a state: entries of drift and diffusion, or, in a large dimension, what they are along directions.

use super::{DRAWS_IN_BLOCK, State};
use crate::ensemble::{Directions, observed_pairs};
use crate::model::Model;
use crate::sde;
use std::sync::Arc;

/// Rounding of an increment `x_{k+1} − x_k`, relative to the size of the state.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// One number of drift b and diffusion covariance A.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    /// `b_i`.
    Drift(usize),
    /// `A_ij`.
    Diffusion(usize, usize),
    /// `b̂ᵀ b`, b̂ the direction of the SDE's drift.
    DriftAlong,
    /// `‖E[Δx]/η − b‖²`: what the drift of the optimizer is off by, in whichever direction.
    DriftError,
    /// tr A.
    Trace,
    /// `u_kᵀ A u_l`, with b̂ as the last direction.
    DiffusionAlong(usize, usize),
}

/// All that is compared at each state.
pub(super) struct Entries {
    list: Vec<Entry>,
    pub along: Option<Along>,
}

/// The directions of a comparison, in both shapes.
pub(super) struct Along {
    pub directions: Arc<Directions>,
    vectors: Vec<Vec<f64>>,
}

impl Entries {
    /// All that a claim on this model can test: covariances need moments of twice the order.
    pub fn of(model: &Model) -> Self {
        let Self { mut list, along } = Self::all(model);
        list.retain(|entry| matches!(entry, Entry::Drift(_) | Entry::DriftAlong) || model.can_sample(2));
        Self { list, along }
    }

    /// All, whether they can be sampled or not.
    pub fn all(model: &Model) -> Self {
        match &model.directions {
            None => {
                let d = model.dimension();
                let pairs = observed_pairs(d).into_iter().map(|(i, j)| Entry::Diffusion(i, j));
                Self { list: (0..d).map(Entry::Drift).chain(pairs).collect(), along: None }
            }
            Some(directions) => {
                let pairs = observed_pairs(directions.count() + 1).into_iter();
                let of_drift = [Entry::DriftAlong, Entry::DriftError, Entry::Trace].into_iter();
                let vectors = (0..directions.count()).map(|k| directions.direction(k)).collect();
                Self {
                    list: of_drift.chain(pairs.map(|(k, l)| Entry::DiffusionAlong(k, l))).collect(),
                    along: Some(Along { directions: Arc::clone(directions), vectors }),
                }
            }
        }
    }

    pub fn list(&self) -> &[Entry] {
        &self.list
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Along what is compared, in words.
    pub fn describe(&self) -> String {
        match &self.along {
            None => String::new(),
            Some(along) => {
                format!(", along the drift and {} random directions", along.vectors.len())
            }
        }
    }

    pub fn name(&self, entry: Entry) -> String {
        let direction = |k: usize| if k == self.last() { "b".to_owned() } else { format!("u{k}") };
        match entry {
            Entry::Drift(i) => format!("drift[{i}]"),
            Entry::Diffusion(i, j) => format!("diffusion[{i}][{j}]"),
            Entry::DriftAlong => "drift[b]".to_owned(),
            Entry::DriftError => "|E[dx]/η-b|^2".to_owned(),
            Entry::Trace => "trace(diffusion)".to_owned(),
            Entry::DiffusionAlong(k, l) => format!("diffusion[{}][{}]", direction(k), direction(l)),
        }
    }

    /// What an SDE with these coefficients at a state says of an entry; directions and errors are those of the state's own.
    pub fn value(&self, entry: Entry, coefficients: &sde::Coefficients, state: &State) -> f64 {
        let sde::Coefficients { drift, diffusion, .. } = coefficients;
        match entry {
            Entry::Drift(i) => drift[i],
            Entry::Diffusion(i, j) => diffusion.entry(i, j),
            Entry::DriftAlong => drift.iter().zip(&state.direction).map(|(b, along)| b * along).sum(),
            Entry::DriftError => {
                let own = &state.coefficients.drift;
                drift.iter().zip(own).map(|(b, own)| (b - own) * (b - own)).sum()
            }
            Entry::Trace => diffusion.trace(),
            Entry::DiffusionAlong(k, l) => diffusion.form(self.direction(k, state), self.direction(l, state)),
        }
    }

    /// What is allowed, and what rounding alone can amount to.
    pub fn margin_and_rounding(&self, entry: Entry, state: &State, margin: f64, eta: f64) -> (f64, f64) {
        let d = state.x.len() as f64;
        let diffusion = &state.coefficients.diffusion;
        // Of an increment, in norm.
        let rounding = ROUNDING * super::norm(&state.x);
        let of_square = |terms: f64| {
            let step = rounding + eta * state.drift_norm();
            terms * ROUNDING * (diffusion.trace() + step * step / eta) + rounding * rounding / eta
        };
        let of_variances = |first: f64, second: f64| {
            let own = (first * second).max(0.0).sqrt();
            margin * own.max(diffusion.trace() / d)
        };
        match entry {
            Entry::Drift(_) => (margin * state.drift_norm(), rounding / eta),
            // Sums of d terms.
            Entry::DriftAlong => {
                (margin * state.drift_norm(), rounding / eta + d * ROUNDING * state.drift_norm())
            }
            Entry::DriftError => {
                let (allowed, of_mean) = (margin * state.drift_norm(), rounding / eta);
                let of_variance = d * ROUNDING * diffusion.trace() / (eta * DRAWS_IN_BLOCK as f64);
                (allowed * allowed, of_mean * (2.0 * allowed + of_mean) + of_variance)
            }
            Entry::Trace => (margin * diffusion.trace(), of_square(d)),
            Entry::Diffusion(i, j) => {
                (of_variances(diffusion.entry(i, i), diffusion.entry(j, j)), of_square(1.0))
            }
            Entry::DiffusionAlong(k, l) => {
                let [first, second] = [k, l].map(|k| self.direction(k, state)).map(|u| diffusion.form(u, u));
                (of_variances(first, second), of_square(d))
            }
        }
    }

    /// The largest part of its margin that the standard error of an entry of the drift is after so many blocks.
    pub fn largest_drift_error(&self, state: &State, margin: f64, eta: f64, blocks: u64) -> f64 {
        let diffusion = &state.coefficients.diffusion;
        let draws = (blocks * DRAWS_IN_BLOCK) as f64;
        // A draw of Δx/η has the covariance A/η.
        let part = |entry: &Entry| {
            let error = match entry {
                Entry::Drift(0) => (diffusion.largest_variance() / eta / draws).sqrt(),
                Entry::DriftAlong => {
                    (diffusion.form(&state.direction, &state.direction) / eta / draws).sqrt()
                }
                // √(2 tr A²)/(nη) in a block of n draws; of A, the diagonal.
                Entry::DriftError => {
                    let squares = (0..state.x.len()).map(|j| diffusion.entry(j, j)).map(|a| a * a);
                    (2.0 * squares.sum::<f64>() / (DRAWS_IN_BLOCK as f64 * draws)).sqrt() / eta
                }
                _ => return 0.0,
            };
            error / self.margin_and_rounding(*entry, state, margin, eta).0
        };
        self.list.iter().map(part).fold(0.0, f64::max)
    }

    fn last(&self) -> usize {
        self.along.as_ref().map_or(0, |along| along.vectors.len())
    }

    fn direction<'a>(&'a self, k: usize, state: &'a State) -> &'a [f64] {
        let of_index = self.along.as_ref().and_then(|along| along.vectors.get(k));
        of_index.unwrap_or(&state.direction)
    }
}
