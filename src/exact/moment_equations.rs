//! The SDE with affine drift and quadratic diffusion covariance: mean and covariance as functions of time.

use super::closed_moments::{self, ClosedMoments};
use super::exponential::{APPLICATIONS, act, steps};
use super::{Table, Unknown, larger};
use crate::ensemble::Observables;
use crate::model::Model;
use crate::random::{Role, Stream};
use crate::sde::{Coefficients, Sde};

/// Largest dimension: the second derivatives of A take `d⁴/2` numbers.
const LARGEST_DIMENSION: usize = 32;

/// Most multiplications of a whole run: some seconds.
const MOST_WORK: f64 = 4e9;

/// How far, relative to their size over the points looked at, drift and diffusion may be from affine
/// and quadratic: rounding of the differences, with a margin of a thousand.
const NOT_CLOSED: f64 = 1e-11;

/// Points at which that is looked at.
const POINTS: u64 = 8;

/// With `b(x) = b + J y` and `A(x) = A + Σ_i G_i y_i + ½ Σ_ij D_ij y_i y_j`, `y = x − r`, Itô's formula gives
///
/// `ṁ = b(m)`,  `V̇ = JV + VJᵀ + E A(X)`,  `E A(X) = A(m) + ½ Σ_ij D_ij V_ij`.
///
/// The SDE is known by its coefficients only, so that a deliberately wrong one gets its own moments. b, J, A, G
/// and D are differences of them, exact up to rounding where b is affine and A quadratic; that they
/// are is checked at further points.
pub(super) fn table(model: &Model, observables: &Observables) -> Result<Table, Unknown> {
    let d = model.dimension();
    if d > LARGEST_DIMENSION {
        return Err(Unknown::because(format!(
            "dimension {d}; the moment equations are solved up to {LARGEST_DIMENSION}"
        )));
    }
    let interval = model.run.every() as f64 * model.run.learning_rate;
    let equations = Equations::of(&*model.sde, &model.run.start, interval * model.run.records as f64)?;
    let steps = steps(equations.rate(), interval);
    let applications = APPLICATIONS * steps * model.run.records as f64;
    let work = applications * (d * d * (4 * d + d * (d + 1) / 2)) as f64;
    if work > MOST_WORK {
        return Err(Unknown::because(format!("the moment equations take {work:.0e} multiplications")));
    }
    let mut moments = ClosedMoments::sure(&model.run.start);
    let mut records = vec![moments.clone()];
    for _ in 0..model.run.records {
        for _ in 0..steps as usize {
            equations.advance(interval / steps, &mut moments);
        }
        records.push(moments.clone());
    }
    Ok(closed_moments::table(model, &records, observables, 16.0 * applications.max(1.0)))
}

/// `b(x)` and `A(x)`, row by row.
fn evaluate(sde: &dyn Sde, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let d = x.len();
    let mut out = Coefficients::new(d);
    sde.coefficients(x, &mut out);
    let diffusion = (0..d * d).map(|index| out.diffusion.entry(index / d, index % d)).collect();
    (out.drift, diffusion)
}

/// Drift and diffusion covariance as polynomials.
struct Equations<'a> {
    sde: &'a dyn Sde,
    d: usize,
    /// Length of the differences.
    scale: f64,
    /// J, row by row.
    jacobian: Vec<f64>,
    /// `(i, j, D_ij)` for i ≤ j, row by row; those that are not zero.
    curvature: Vec<(usize, usize, Vec<f64>)>,
}

/// The polynomials about one point.
struct Expansion {
    drift: Vec<f64>,
    diffusion: Vec<f64>,
    /// `G_i`, row by row.
    slope: Vec<Vec<f64>>,
}

impl<'a> Equations<'a> {
    /// The polynomials of `sde`, found about the start `r`; an error where the coefficients are not such ones.
    ///
    /// Differences are taken over the distance that paths cover in the time t: over shorter ones
    /// they would lose digits to the values, over longer ones small slopes would be lost to curvature.
    fn of(sde: &'a dyn Sde, r: &[f64], t: f64) -> Result<Self, Unknown> {
        let d = r.len();
        let (drift, diffusion) = evaluate(sde, r);
        let variance: f64 = (0..d).map(|i| diffusion[i * d + i]).sum();
        let covered = largest(r).max(largest(&drift) * t).max((variance * t).sqrt());
        // A power of 2, by which to divide is exact.
        let scale = if covered > 0.0 { libm::exp2(libm::ceil(libm::log2(covered))) } else { 1.0 };
        let moved = |directions: &[usize]| {
            let mut x = r.to_vec();
            directions.iter().for_each(|&i| x[i] += scale);
            evaluate(sde, &x)
        };
        let once: Vec<_> = (0..d).map(|i| moved(&[i])).collect();
        let jacobian =
            (0..d * d).map(|index| (once[index % d].0[index / d] - drift[index / d]) / scale).collect();
        let mut curvature = Vec::new();
        for (i, j) in (0..d).flat_map(|i| (i..d).map(move |j| (i, j))) {
            let twice = moved(&[i, j]).1;
            let difference =
                |entry: usize| (twice[entry] - once[i].1[entry]) - (once[j].1[entry] - diffusion[entry]);
            let second: Vec<f64> = (0..d * d).map(|entry| difference(entry) / (scale * scale)).collect();
            if second.iter().any(|&entry| entry != 0.0) {
                curvature.push((i, j, second));
            }
        }
        let equations = Self { sde, d, scale, jacobian, curvature };
        equations.verify(r)?;
        Ok(equations)
    }

    /// Whether the polynomials are the coefficients elsewhere too.
    fn verify(&self, r: &[f64]) -> Result<(), Unknown> {
        let d = self.d;
        let expansion = self.expand(r);
        let mut size = [largest(&expansion.drift), largest(&expansion.diffusion)];
        let mut gap = [0.0, 0.0];
        for point in 0..POINTS {
            let mut stream = Stream::new(0, Role::States, point);
            let y: Vec<f64> = r.iter().map(|_| 4.0 * self.scale * (stream.uniform() - 0.5)).collect();
            let products: Vec<f64> = (0..d * d).map(|index| y[index / d] * y[index % d]).collect();
            let mut expected = (vec![0.0; d], vec![0.0; d * d]);
            self.drift(&expansion, 1.0, &y, &mut expected.0);
            self.diffusion(&expansion, 1.0, &y, &products, &mut expected.1);
            let x: Vec<f64> = r.iter().zip(&y).map(|(r, y)| r + y).collect();
            let found = evaluate(self.sde, &x);
            for (index, (expected, found)) in
                [(&expected.0, &found.0), (&expected.1, &found.1)].into_iter().enumerate()
            {
                let difference: Vec<f64> = expected.iter().zip(found).map(|(a, b)| a - b).collect();
                size[index] = larger(size[index], largest(found));
                gap[index] = larger(gap[index], largest(&difference));
            }
        }
        if gap[0] <= NOT_CLOSED * size[0] && gap[1] <= NOT_CLOSED * size[1] {
            Ok(())
        } else {
            Err(Unknown::because(
                "the drift is not affine or the diffusion covariance not quadratic: moments do not close",
            ))
        }
    }

    /// The polynomials about `x`: second derivatives are the same everywhere.
    fn expand(&self, x: &[f64]) -> Expansion {
        let (drift, diffusion) = evaluate(self.sde, x);
        let mut slope = Vec::new();
        for i in 0..self.d {
            let mut moved = x.to_vec();
            moved[i] += self.scale;
            let mut difference = evaluate(self.sde, &moved).1;
            difference
                .iter_mut()
                .zip(&diffusion)
                .for_each(|(entry, at_x)| *entry = (*entry - at_x) / self.scale);
            for (_, _, second) in self.curvature.iter().filter(|(k, j, _)| *k == i && *j == i) {
                difference
                    .iter_mut()
                    .zip(second)
                    .for_each(|(entry, second)| *entry -= 0.5 * self.scale * second);
            }
            slope.push(difference);
        }
        Expansion { drift, diffusion, slope }
    }

    /// `out = one · b + J y`.
    fn drift(&self, expansion: &Expansion, one: f64, y: &[f64], out: &mut [f64]) {
        for ((out, row), drift) in
            out.iter_mut().zip(self.jacobian.chunks_exact(self.d)).zip(&expansion.drift)
        {
            *out = one * drift + row.iter().zip(y).map(|(entry, y)| entry * y).sum::<f64>();
        }
    }

    /// `out += one · A + Σ_i G_i y_i + ½ Σ_ij D_ij S_ij` with a symmetric S.
    fn diffusion(&self, expansion: &Expansion, one: f64, y: &[f64], s: &[f64], out: &mut [f64]) {
        let mut add = |weight: f64, matrix: &[f64]| {
            out.iter_mut().zip(matrix).for_each(|(out, entry)| *out += weight * entry);
        };
        add(one, &expansion.diffusion);
        expansion.slope.iter().zip(y).for_each(|(slope, &y)| add(y, slope));
        for (i, j, second) in &self.curvature {
            let weight = if i == j { 0.5 } else { 1.0 };
            add(weight * s[i * self.d + j], second);
        }
    }

    /// A bound of how fast the second moments change, relative to their size.
    fn rate(&self) -> f64 {
        let row_sum = |row: &[f64]| row.iter().map(|entry| entry.abs()).sum::<f64>();
        let of_drift = self.jacobian.chunks_exact(self.d).map(row_sum).fold(0.0, f64::max);
        let of_diffusion = (0..self.d * self.d)
            .map(|entry| self.curvature.iter().map(|(_, _, second)| second[entry].abs()).sum::<f64>())
            .fold(0.0, f64::max);
        2.0 * of_drift + of_diffusion
    }

    /// m and V after the time h.
    ///
    /// With `y = E X − m` from the present mean m on, the vector `(1, y, yyᵀ, V)` obeys a linear
    /// equation. It starts from (1, 0, 0, V) in every step, so that A at the mean is never the
    /// difference of larger numbers.
    fn advance(&self, h: f64, ClosedMoments { mean, covariance }: &mut ClosedMoments) {
        let d = self.d;
        let expansion = self.expand(mean);
        let mut z = vec![0.0; 1 + d];
        z[0] = 1.0;
        z.extend(std::iter::repeat_n(0.0, d * d));
        z.extend_from_slice(covariance);
        let mut sum = vec![0.0; d * d];
        let apply = |z: &[f64], out: &mut [f64]| {
            let (one, y, p, v) = (z[0], &z[1..=d], &z[1 + d..1 + d + d * d], &z[1 + d + d * d..]);
            let (head, tail) = out.split_at_mut(1 + d);
            let (p_out, v_out) = tail.split_at_mut(d * d);
            head[0] = 0.0;
            self.drift(&expansion, one, y, &mut head[1..]);
            self.lyapunov(p, p_out);
            for (index, out) in p_out.iter_mut().enumerate() {
                let (i, j) = (index / d, index % d);
                *out += expansion.drift[i] * y[j] + y[i] * expansion.drift[j];
            }
            self.lyapunov(v, v_out);
            sum.iter_mut().zip(p.iter().zip(v)).for_each(|(sum, (p, v))| *sum = p + v);
            self.diffusion(&expansion, one, y, &sum, v_out);
        };
        act(apply, h, &mut z);
        mean.iter_mut().zip(&z[1..]).for_each(|(mean, y)| *mean += y);
        covariance.copy_from_slice(&z[1 + d + d * d..]);
    }

    /// `out = JS + SJᵀ` of a symmetric S.
    fn lyapunov(&self, s: &[f64], out: &mut [f64]) {
        let d = self.d;
        let product = |i: usize, j: usize| -> f64 {
            let row = &self.jacobian[i * d..(i + 1) * d];
            row.iter().zip(&s[j * d..(j + 1) * d]).map(|(entry, s)| entry * s).sum()
        };
        for (index, out) in out.iter_mut().enumerate() {
            let (i, j) = (index / d, index % d);
            *out = product(i, j) + product(j, i);
        }
    }
}

/// The largest absolute entry; NaN where one is.
fn largest(entries: &[f64]) -> f64 {
    entries.iter().fold(0.0, |size, entry| larger(size, entry.abs()))
}
