//! Derivatives of mean and covariance of a step, by differences. That controls have expectation 0 does not depend on
//! them: any deterministic numbers would do.

use super::StepMoments;
use super::transition::{Transition, place};

/// Differences are over √3 deviations of the paths to either side, at which they make up for the terms that are left out
/// (Nørgaard, Poulsen and Ravn, New developments in state estimation for nonlinear systems, Automatica 36, 2000).
const SPREAD: f64 = 3.0;

/// The least step of a difference, relative to the size of its coordinate.
const LEAST_STEP: f64 = 1e-4;

/// Differences below this part of what they are differences of are rounding.
const ROUNDING: f64 = 1e-12;

/// Of one step from `m + e`: mean `m' + A e + bend (e eᵀ)` and covariance `C + slope e + curve (e eᵀ)`, up to third
/// powers of e.
pub(super) struct Derivatives {
    /// Of z and v by A alone.
    propagator: Transition,
    /// None where second derivatives are left out.
    curvature: Option<Curvature>,
    /// C of the pairs.
    covariance: Vec<f64>,
}

/// How much is taken of a step.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Detail {
    /// The diagonal of A.
    Diagonal,
    /// A.
    Linear,
    /// A and all second derivatives.
    Curved,
}

/// All row by row.
struct Curvature {
    /// A.
    propagator: Vec<f64>,
    /// A row to a coordinate, a column to a pair.
    bend: Vec<f64>,
    /// A row to a pair, a column to a coordinate.
    slope: Vec<f64>,
    /// Rows and columns are pairs.
    curve: Vec<f64>,
}

/// The mean of a step from m and the derivatives there. `spread` is the covariance of the paths about m.
pub(super) fn differences(
    m: &[f64],
    pairs: &[(usize, usize)],
    spread: &[f64],
    detail: Detail,
    moments: impl FnMut(&[f64]) -> StepMoments,
) -> (Vec<f64>, Derivatives) {
    let mut differences = Differences::at(m, pairs, spread, moments);
    let derivatives = differences.derivatives(detail);
    (differences.here.mean, derivatives)
}

impl Derivatives {
    /// Whether the mean is not linear.
    pub fn is_bent(&self) -> bool {
        self.curvature.iter().any(|curvature| curvature.bend.iter().any(|entry| *entry != 0.0))
    }

    /// The covariance of the paths after the step, from that before.
    pub fn spread(&self, before: &[f64], pairs: &[(usize, usize)]) -> Vec<f64> {
        let dimension = pairs.last().map_or(0, |&(_, j)| j + 1);
        let mut powers = vec![0.0; dimension];
        powers.extend_from_slice(before);
        let mut after = vec![0.0; powers.len()];
        self.transition(pairs, &[]).apply(&powers, &mut after, 1, pairs);
        after[dimension..].iter().zip(&self.covariance).map(|(after, c)| after + c).collect()
    }

    /// Of z and v, and of w where there are `triples`.
    pub fn transition(&self, pairs: &[(usize, usize)], triples: &[[usize; 3]]) -> Transition {
        let Some(Curvature { propagator: a, bend, slope, curve }) = &self.curvature else {
            return self.propagator.clone();
        };
        let d = a.len().isqrt();
        let (of_v, of_w) = (d, d + pairs.len());
        let size = of_w + triples.len();
        let mut m = vec![0.0; size * size];
        let mut add = |row: usize, column: usize, entry: f64| m[row * size + column] += entry;
        let place_of = |mut triple: [usize; 3]| {
            triple.sort_unstable();
            triples.iter().position(|known| *known == triple)
        };
        for i in 0..d {
            (0..d).for_each(|j| add(i, j, a[i * d + j]));
            (0..pairs.len()).for_each(|p| add(i, of_v + p, bend[i * pairs.len() + p]));
        }
        for (row, &(i, j)) in pairs.iter().enumerate() {
            for k in 0..d {
                (0..d).for_each(|l| add(of_v + row, of_v + place(d, k, l), a[i * d + k] * a[j * d + l]));
                add(of_v + row, k, slope[row * d + k]);
            }
            for (p, &(b, c)) in pairs.iter().enumerate() {
                add(of_v + row, of_v + p, curve[row * pairs.len() + p]);
                for k in 0..d {
                    if let Some(triple) = place_of([k, b, c]) {
                        let [of_i, of_j] = [i, j].map(|i| bend[i * pairs.len() + p]);
                        add(of_v + row, of_w + triple, a[i * d + k] * of_j + a[j * d + k] * of_i);
                    }
                }
            }
        }
        for (row, &[i, j, k]) in triples.iter().enumerate() {
            for (b, c, l) in (0..d * d * d).map(|at| (at / (d * d), at / d % d, at % d)) {
                if let Some(triple) = place_of([b, c, l]) {
                    add(of_w + row, of_w + triple, a[i * d + b] * a[j * d + c] * a[k * d + l]);
                }
            }
            for l in 0..d {
                for (i, j, k) in [(i, j, k), (j, i, k), (k, i, j)] {
                    add(of_w + row, l, a[i * d + l] * self.covariance[place(d, j, k)]);
                }
            }
        }
        Transition::sparse(&m, size)
    }
}

/// Central differences about one state.
struct Differences<'a, F> {
    m: &'a [f64],
    pairs: &'a [(usize, usize)],
    steps: Vec<f64>,
    here: StepMoments,
    /// Above and below m along each coordinate.
    beside: Vec<[StepMoments; 2]>,
    moments: F,
}

impl<'a, F: FnMut(&[f64]) -> StepMoments> Differences<'a, F> {
    fn at(m: &'a [f64], pairs: &'a [(usize, usize)], spread: &[f64], mut moments: F) -> Self {
        let mut steps: Vec<f64> = m.iter().map(|m| LEAST_STEP * m.abs().max(1.0)).collect();
        for (&(i, j), spread) in pairs.iter().zip(spread) {
            if i == j {
                steps[i] = steps[i].max((SPREAD * spread).sqrt());
            }
        }
        let here = moments(m);
        Self { m, pairs, steps, here, beside: Vec::new(), moments }
    }

    fn derivatives(&mut self, detail: Detail) -> Derivatives {
        let d = self.m.len();
        let covariance = self.here.covariance.clone();
        let mut a = vec![0.0; if detail == Detail::Diagonal { d } else { d * d }];
        for j in 0..d {
            let beside = [1.0, -1.0].map(|sign| self.moved(&[j], sign));
            let entry = |i: usize| f64::from(u8::from(i == j)) + self.first(j, &beside, |of| of.mean[i]);
            if detail == Detail::Diagonal {
                a[j] = entry(j);
                continue;
            }
            (0..d).for_each(|i| a[i * d + j] = entry(i));
            if detail == Detail::Curved {
                self.beside.push(beside);
            }
        }
        let propagator = match detail {
            Detail::Diagonal => Transition::Diagonal(a.clone()),
            Detail::Linear | Detail::Curved => Transition::of_propagator(&a, d),
        };
        let curvature = (detail == Detail::Curved).then(|| self.curvature(a));
        Derivatives { propagator, curvature, covariance }
    }

    fn curvature(&mut self, propagator: Vec<f64>) -> Curvature {
        let (d, pairs) = (self.m.len(), self.pairs);
        let mut out = Curvature {
            propagator,
            bend: vec![0.0; d * pairs.len()],
            slope: vec![0.0; pairs.len() * d],
            curve: vec![0.0; pairs.len() * pairs.len()],
        };
        for (j, beside) in self.beside.iter().enumerate() {
            for p in 0..pairs.len() {
                out.slope[p * d + j] = self.first(j, beside, |of| of.covariance[p]);
            }
        }
        for (column, &(i, j)) in pairs.iter().enumerate() {
            let corners = (i != j).then(|| [1.0, -1.0].map(|sign| self.moved(&[i, j], sign)));
            for k in 0..d {
                out.bend[k * pairs.len() + column] = self.second(column, corners.as_ref(), |of| of.mean[k]);
            }
            for p in 0..pairs.len() {
                out.curve[p * pairs.len() + column] =
                    self.second(column, corners.as_ref(), |of| of.covariance[p]);
            }
        }
        out
    }

    /// Where some coordinates have moved by their steps.
    fn moved(&mut self, coordinates: &[usize], sign: f64) -> StepMoments {
        let mut x = self.m.to_vec();
        coordinates.iter().for_each(|&j| x[j] += sign * self.steps[j]);
        (self.moments)(&x)
    }

    /// The first derivative along coordinate j.
    fn first(&self, j: usize, [above, below]: &[StepMoments; 2], of: impl Fn(&StepMoments) -> f64) -> f64 {
        let (above, below) = (of(above), of(below));
        above_rounding(above - below, above.abs().max(below.abs())) / (2.0 * self.steps[j])
    }

    /// What multiplies `e_i e_j` in a Taylor sum; `corners` are where both coordinates of a pair of two have moved.
    fn second(
        &self,
        pair: usize,
        corners: Option<&[StepMoments; 2]>,
        of: impl Fn(&StepMoments) -> f64,
    ) -> f64 {
        let (i, j) = self.pairs[pair];
        let here = of(&self.here);
        let bend = |[above, below]: &[StepMoments; 2]| of(above) + of(below) - 2.0 * here;
        let size = |[above, below]: &[StepMoments; 2]| of(above).abs().max(of(below).abs()).max(here.abs());
        let [along_i, along_j] = [i, j].map(|j| &self.beside[j]);
        let difference = match corners {
            None => above_rounding(bend(along_i), size(along_i)),
            Some(corners) => above_rounding(bend(corners) - bend(along_i) - bend(along_j), size(corners)),
        };
        difference / (2.0 * self.steps[i] * self.steps[j])
    }
}

/// A difference of numbers of a size, or 0 where that is rounding.
fn above_rounding(difference: f64, size: f64) -> f64 {
    if difference.abs() <= ROUNDING * size { 0.0 } else { difference }
}
