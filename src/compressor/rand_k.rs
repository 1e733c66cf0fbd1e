//! Rand-k: k coordinates, drawn without replacement, scaled by d/k.

use super::Compressor;
use crate::covariance::Covariance;
use crate::noise::GradientLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use crate::simd::vectorized;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct RandK {
    pub(super) k: usize,
    dimension: usize,
    /// All sets of k coordinates, each as the bits of a word, where they are few.
    sets: Option<Vec<u64>>,
}

impl RandK {
    pub(super) fn new(k: usize, dimension: usize) -> Self {
        Self { k, dimension, sets: sets(k, dimension) }
    }
}

/// Most sets that are listed.
const MOST_SETS: usize = 1 << 12;

/// The sets of k of d coordinates, where a word holds each and they are few.
fn sets(k: usize, d: usize) -> Option<Vec<u64>> {
    let mut sets = vec![0u64];
    // Sets of ever more members, the largest of them last.
    for _ in 0..k {
        let longer = |set: &u64| {
            let from = 64 - set.leading_zeros() as usize;
            let set = *set;
            (from..d).map(move |j| set | 1 << j)
        };
        if d > 64 || sets.len() * d > MOST_SETS * 64 {
            return None;
        }
        sets = sets.iter().flat_map(longer).collect();
    }
    (sets.len() <= MOST_SETS).then_some(sets)
}

impl Compressor for RandK {
    /// One of all sets where they are listed, up to 2⁻⁵² equally likely; otherwise by selection sampling: coordinate j is kept
    /// with probability (places left)/(coordinates left).
    fn apply(&self, g: &mut [f64], streams: &mut Streams) {
        if self.k == self.dimension {
            return;
        }
        let n = streams.count();
        let scale = self.dimension as f64 / self.k as f64;
        if let Some(sets) = &self.sets {
            let mut chosen = vec![0; n];
            streams.lend_uniforms(1, |uniforms| choose(sets, uniforms, &mut chosen));
            return keep_chosen(g, scale, &chosen);
        }
        let mut places = vec![self.k as f64; n];
        let mut shares = vec![1.0; n];
        streams.lend_uniforms(self.dimension.div_ceil(COORDINATES_OF_A_WORD), |uniforms| {
            select(g, scale, uniforms, &mut places, &mut shares);
        });
    }

    /// `ω = d/k − 1`.
    fn omega(&self) -> f64 {
        self.dimension as f64 / self.k as f64 - 1.0
    }

    fn rarest_outcome(&self, _v: &[f64]) -> f64 {
        let kept = self.k as f64 / self.dimension as f64;
        if self.k == self.dimension { 1.0 } else { kept.min(1.0 - kept) }
    }

    /// `E[Φ Φᵀ] = (ω/(d − 1)) (d·diag(G) − G)` with `G = E[g gᵀ] = v vᵀ + Σ`.
    fn add_error_covariance(&self, weight: f64, g: &dyn GradientLaw, out: &mut Covariance) {
        if self.k == self.dimension {
            return;
        }
        let (v, sigma) = (g.mean(), g.covariance());
        let d = self.dimension as f64;
        let c = weight * self.omega() / (d - 1.0);
        out.add_squares_and_rank_one(c * d, -c, v);
        out.add_diagonal_of(c * d, sigma);
        out.add(-c, sigma);
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn keeps(&self) -> Option<f64> {
        Some(self.k as f64 / self.dimension as f64)
    }

    fn keeps_exactly(&self) -> Option<usize> {
        Some(self.k)
    }
}

/// Coordinates that one uniform number decides: where it lies within the outcome of one decides the next. No outcome of so
/// many has a probability that is off by more than 2⁻⁵⁰.
const COORDINATES_OF_A_WORD: usize = 8;

vectorized! {
    /// One of the sets for each path.
    fn choose(sets: &[u64], uniforms: &[f64], chosen: &mut [u64]) {
        let count = sets.len() as f64;
        for (chosen, uniform) in chosen.iter_mut().zip(uniforms) {
            *chosen = sets[((uniform * count) as usize).min(sets.len() - 1)];
        }
    }

    /// Scales the entries of the chosen coordinates, and makes the others 0.
    fn keep_chosen(g: &mut [f64], scale: f64, chosen: &[u64]) {
        for (j, g) in g.chunks_exact_mut(chosen.len()).enumerate() {
            for (g, chosen) in g.iter_mut().zip(chosen) {
                *g = if chosen & (1 << j) != 0 { scale * *g } else { 0.0 };
            }
        }
    }

    /// Keeps as many entries of each column as it has `places`, scaled, and makes the others 0. `uniforms` has a row for
    /// every [`COORDINATES_OF_A_WORD`] rows of g; a uniform lies in `(0, share)`, at first 1.
    fn select(g: &mut [f64], scale: f64, uniforms: &mut [f64], places: &mut [f64], shares: &mut [f64]) {
        let n = places.len();
        let d = g.len() / n;
        let groups = g.chunks_mut(COORDINATES_OF_A_WORD * n).zip(uniforms.chunks_exact_mut(n));
        for (group, (rows, uniforms)) in groups.enumerate() {
            shares.fill(1.0);
            for (row, g) in rows.chunks_exact_mut(n).enumerate() {
                let left = (d - group * COORDINATES_OF_A_WORD - row) as f64;
                let reciprocal = 1.0 / left;
                let of_paths = uniforms.iter_mut().zip(&mut *places).zip(&mut *shares);
                for (g, ((uniform, places), share)) in g.iter_mut().zip(of_paths) {
                    let kept = *share * *places * reciprocal;
                    let is_kept = (*uniform < kept) | (*places >= left);
                    *g = if is_kept { scale * *g } else { 0.0 };
                    *places = if is_kept { *places - 1.0 } else { *places };
                    *uniform = if is_kept { *uniform } else { *uniform - kept };
                    *share = if is_kept { kept } else { *share - kept };
                }
            }
        }
    }
}

/// `C(g) = (d/k) Σ_{j∈J} g_j e_j`: k coordinates J, drawn without replacement; ω = d/k − 1.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Coordinates that are kept, from 1 to d.
    k: usize,
}

impl Parameters {
    /// With `d/k − 1 = ω`, where that gives a whole k.
    pub(super) fn of_rate(omega: f64, dimension: usize) -> Result<Self, Invalid> {
        let k = dimension as f64 / (1.0 + omega);
        let nearest = k.round();
        // Rounding of a quotient of decimal numbers.
        if (k - nearest).abs() > 1e-9 * k || nearest < 1.0 {
            let message =
                format!("ω = {omega} takes k = {k:.4e} of {dimension}; expected a whole number from 1 on");
            return Err(Invalid::new("rand_k.k", message));
        }
        Ok(Self { k: nearest as usize })
    }

    pub(super) fn build(&self, dimension: usize) -> Result<Box<dyn Compressor>, Invalid> {
        if !(1..=dimension).contains(&self.k) {
            return Err(Invalid::new(
                "k",
                format!("{}; expected a whole number from 1 to the dimension, {dimension}", self.k),
            ));
        }
        Ok(Box::new(RandK::new(self.k, dimension)))
    }
}
