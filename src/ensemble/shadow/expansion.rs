//! Mean and covariance of a step, expanded along the path that has no noise.

use super::Centre;
use super::derivatives::{Derivatives, Detail, differences};
use super::transition::{Transition, triples};
use crate::ensemble::observed_pairs;

/// Beyond this dimension a dense A, which costs d³ operations a step, is replaced by its diagonal.
const LARGEST_DENSE_DIMENSION: usize = 32;

/// Beyond this dimension only A is used: a path without second derivatives takes d³ operations a step, with them d⁴.
const LARGEST_CURVED_DIMENSION: usize = 8;

/// Beyond this dimension third powers are not followed: they cost d⁴ operations a step, and second powers do.
const LARGEST_CUBIC_DIMENSION: usize = 3;

/// Beyond this dimension paths carry no shadows.
const LARGEST_DIMENSION: usize = 1 << 12;

/// Most numbers that an expansion may take.
const MOST_NUMBERS: usize = 1 << 23;

/// `E[x_{k+1} | x_k = x] − x` and the entries of `Cov[x_{k+1} | x_k = x]`, pair after pair.
pub struct StepMoments {
    /// Shape `[d]`.
    pub mean: Vec<f64>,
    /// Of the pairs.
    pub covariance: Vec<f64>,
}

/// A process expanded along the path `m_{k+1} = E[x_{k+1} | x_k = m_k]` from its start.
pub struct Expansion {
    transitions: Vec<Transition>,
    path: Vec<Vec<f64>>,
    pairs: Vec<(usize, usize)>,
    triples: Vec<[usize; 3]>,
}

impl Expansion {
    /// Over `steps` steps with the given `moments` at a state, for some pairs. `may_be_cubic` says whether third powers of x can
    /// be sampled with an honest interval. None where it would take too much memory, or is not finite.
    pub fn along(
        start: &[f64],
        steps: usize,
        may_be_cubic: bool,
        mut moments: impl FnMut(&[f64], &[(usize, usize)]) -> StepMoments,
    ) -> Option<Self> {
        let d = start.len();
        let pairs = (d <= LARGEST_DIMENSION).then(|| observed_pairs(d))?;
        let rows = d + pairs.len();
        let fits = |numbers: usize| numbers.saturating_mul(steps) <= MOST_NUMBERS;
        let detail = match d {
            0..=LARGEST_CURVED_DIMENSION if fits(rows * rows) => Detail::Curved,
            0..=LARGEST_DENSE_DIMENSION if fits(d * d) => Detail::Linear,
            _ if fits(d) => Detail::Diagonal,
            _ => return None,
        };
        let mut path = vec![start.to_vec()];
        let mut derivatives = Vec::with_capacity(steps);
        let mut spread = vec![0.0; pairs.len()];
        for _ in 0..steps {
            let m = &path[path.len() - 1];
            let (mean, here) = differences(m, &pairs, &spread, detail, |x| moments(x, &pairs));
            let next: Vec<f64> = m.iter().zip(&mean).map(|(m, mean)| m + mean).collect();
            spread = here.spread(&spread, &pairs);
            if !next.iter().chain(&spread).all(|x| x.is_finite()) {
                return None;
            }
            path.push(next);
            derivatives.push(here);
        }
        let is_bent = derivatives.iter().any(Derivatives::is_bent);
        let is_cubic = may_be_cubic && is_bent && d <= LARGEST_CUBIC_DIMENSION;
        let triples = if is_cubic { triples(d) } else { Vec::new() };
        let transitions: Vec<Transition> =
            derivatives.iter().map(|here| here.transition(&pairs, &triples)).collect();
        let is_finite = transitions.iter().all(Transition::is_finite);
        is_finite.then_some(Self { transitions, path, pairs, triples })
    }

    /// The pairs (i, j), i ≤ j, of which products are followed.
    pub fn pairs(&self) -> &[(usize, usize)] {
        &self.pairs
    }

    /// m at so many times, evenly spaced, the first and the last included.
    pub fn centre(&self, times: usize) -> Centre {
        let every = self.transitions.len() / (times - 1);
        self.path.iter().step_by(every).cloned().collect()
    }

    /// The (i, j, k), i ≤ j ≤ k, of which products are followed; none where only pairs are.
    pub(super) fn triples(&self) -> &[[usize; 3]] {
        &self.triples
    }

    /// The number of rows of a shadow.
    pub(super) fn size(&self) -> usize {
        self.path[0].len() + self.pairs.len() + self.triples.len()
    }

    /// Of step k.
    pub(super) fn transition(&self, k: usize) -> &Transition {
        &self.transitions[k]
    }

    /// `m_{k+1}`.
    pub(super) fn after(&self, k: usize) -> &[f64] {
        &self.path[k + 1]
    }
}
