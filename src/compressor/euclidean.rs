//! Dithering with the Euclidean norm under Gaussian noise: an integral over the angle between g and an axis.

use super::dithering::parts;
use crate::noise::GradientLaw;
use crate::special::integrate;
use nalgebra::Complex;
use std::f64::consts::{FRAC_PI_2, PI};

/// On every part the rules of quadrature must agree to this, in units of `E‖g‖²/s²`.
const TOLERANCE: f64 = 1e-7;

/// Two steps of the trapezoidal rule must agree to this. Its error falls like `exp(−a/step)`, so that half the
/// step squares it.
const AGREEMENT: f64 = 1e-5;

/// The first step of the trapezoidal rule, and how often it may be halved.
const STEP: f64 = 0.8;
const HALVINGS: u32 = 10;

/// How close to the saddle is close enough, in units of the width there, and how far from upwards the path may bend: on
/// a diagonal the Gaussian part of the transform would no longer fall.
const CLOSE: f64 = 0.5;
const MOST_BEND: f64 = 0.7;

/// Where the trapezoidal sum ends, relative to its first term.
const END_OF_SUM: f64 = 1e-8;

/// A density below `exp(−NOTHING)` is none.
const NOTHING: f64 = 60.0;

/// An angle that varies less than this, in radians, is narrow: the integration is told where it is.
const NARROW: f64 = 0.05;

/// Where a narrow law ends, in deviations.
const END: f64 = 6.0;

/// Where tan θ has scales far from 1, the integral is cut at powers of this, until so far: beyond, `r(1 − r)` is below
/// `s/FARTHEST`.
const FACTOR: f64 = 4.0;
const FARTHEST: f64 = 1e11;

/// Noise that is smaller than this, relative to the mean, moves no variance by more: `(‖g‖/s)² r(1 − r)` changes with
/// g by at most `2‖g‖/s` times the change.
const NO_NOISE: f64 = 1e-9;

/// Deviations are taken to be at least this, in units of `√E‖g‖²`: for 64 levels that moves a variance by about 1e-8, and
/// no coordinate is of a size that underflows.
const LEAST_DEVIATION: f64 = 1e-10;

/// `E (‖g‖₂/s)² r_j(1 − r_j)` for every j, for independent Gaussian coordinates, to 1e-6 of `E‖g‖²/s²`: ten
/// times the largest error that was found in 1500 random cases, with scales from 1e-3 to 20.
///
/// It depends on the length of g and the angle θ to the axis, `cos θ = |g_j|/‖g‖`: `s²` times it is
/// `‖g‖² r(1 − r)` at `u = s cos θ`. So it is the integral of r(1 − r) over the density of θ weighted with ‖g‖²,
/// smooth between the levels. With `R² = Σ_{k≠j} g_k² = g_j² tan²θ` that density is
/// `2 sin θ/cos⁵θ · E[g_j⁴ p(g_j² tan²θ)]`, p the density of R² as the inverse Laplace transform of
/// `E e^{−zR²}`, under which the mean over g_j has a closed form.
pub(super) fn average_over_norm(levels: f64, g: &dyn GradientLaw) -> Vec<f64> {
    let (v, d) = (g.mean(), g.mean().len());
    let variance = |j: usize| g.covariance().entry(j, j);
    let size: f64 = (0..d).map(|j| v[j] * v[j] + variance(j)).sum();
    if d == 1 || size == 0.0 || !size.is_finite() {
        return vec![if size.is_finite() { 0.0 } else { f64::NAN }; d];
    }
    let coordinates: Vec<Coordinate> = (0..d)
        .map(|j| Coordinate {
            square_of_mean: v[j] * v[j] / size,
            variance: (variance(j) / size).max(LEAST_DEVIATION * LEAST_DEVIATION),
        })
        .collect();
    (0..d).map(|j| size * Direction::of(&coordinates, j).average(levels) / (levels * levels)).collect()
}

/// One coordinate of g, in units in which `E‖g‖² = 1`.
#[derive(Clone, Copy)]
struct Coordinate {
    square_of_mean: f64,
    variance: f64,
}

/// Where the law of an angle has what may be narrow.
struct Shape {
    /// Where it is, if it is narrow, and its deviation then.
    angle: f64,
    spread: f64,
    /// The largest deviation of a coordinate, relative to the length of the mean.
    noise: f64,
    /// Between which values tan θ has scales of its own: the ratios of means and deviations across and along.
    ratios: (f64, f64),
}

/// The law of the angle between g and one axis.
struct Direction {
    /// g_j.
    along: Coordinate,
    /// The others.
    across: Vec<Coordinate>,
}

impl Direction {
    fn of(coordinates: &[Coordinate], j: usize) -> Self {
        let mut across = coordinates.to_vec();
        Self { along: across.remove(j), across }
    }

    /// `E ‖g‖² r(1 − r)`.
    fn average(&self, levels: f64) -> f64 {
        let error = |theta: f64| {
            let up = parts(levels * libm::cos(theta)).1;
            up * (1.0 - up)
        };
        let Shape { angle, spread, noise, ratios } = self.shape();
        if noise <= NO_NOISE {
            return error(angle);
        }
        let mut places: Vec<f64> =
            (0..=levels as u32).map(|level| libm::acos(f64::from(level) / levels)).collect();
        if spread < NARROW {
            places.extend([angle - END * spread, angle, angle + END * spread]);
        }
        let mut ratio = FACTOR;
        while ratio < (1.0 / ratios.0).max(ratios.1).min(FARTHEST) * FACTOR {
            places.extend((ratio * ratios.0 < FACTOR).then(|| libm::atan(1.0 / ratio)));
            places.extend((ratio < FACTOR * ratios.1).then(|| FRAC_PI_2 - libm::atan(1.0 / ratio)));
            ratio *= FACTOR;
        }
        places.retain(|place| (0.0..=FRAC_PI_2).contains(place));
        places.sort_by(f64::total_cmp);
        places.dedup();
        let integrand = |theta: f64| error(theta) * self.density(theta);
        places.windows(2).map(|ends| integrate(&integrand, ends[0], ends[1], TOLERANCE)).sum()
    }

    fn shape(&self) -> Shape {
        let sum = |of: fn(&Coordinate) -> f64| self.across.iter().map(of).sum::<f64>();
        let along = self.along;
        let square = sum(|other| other.square_of_mean + other.variance);
        let of_square = sum(|other| 2.0 * other.variance * (other.variance + 2.0 * other.square_of_mean));
        let turning = 0.25 * along.square_of_mean * of_square / square + square * along.variance;
        let spread = turning.sqrt() / (square + along.square_of_mean);
        let largest = self.across.iter().fold(along.variance, |most, other| most.max(other.variance));
        let mean = sum(|other| other.square_of_mean) + along.square_of_mean;
        let sizes = |of: &[Coordinate]| {
            let each = of.iter().flat_map(|one| [one.square_of_mean.sqrt(), one.variance.sqrt()]);
            each.filter(|size| *size > 0.0).fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), size| {
                (least.min(size), most.max(size))
            })
        };
        let (along, across) = (sizes(&[along]), sizes(&self.across));
        Shape {
            angle: libm::atan2(square.sqrt(), self.along.square_of_mean.sqrt()),
            spread,
            noise: (largest / mean).sqrt(),
            ratios: (across.0 / along.1, across.1 / along.0),
        }
    }

    /// `E[‖g‖² δ(θ − arccos(|g_j|/‖g‖))]`.
    fn density(&self, theta: f64) -> f64 {
        let (sin, cos) = (libm::sin(theta), libm::cos(theta));
        let square = sin / cos * (sin / cos);
        match self.saddle(square) {
            None => 0.0,
            Some(saddle) => {
                let mean = saddle.integral(|z| self.transform(square, z));
                2.0 * sin / (PI * cos * cos * cos * cos * cos) * mean
            }
        }
    }

    /// Where `K(z) = log E e^{−zX}`, `X = R² − g_j² tan²θ`, is least. None where `e^K` shows that X is never 0.
    ///
    /// 2K is self-concordant, so that damped Newton steps from 0 stay where K is finite and converge.
    fn saddle(&self, square: f64) -> Option<Saddle> {
        let mut z = 0.0;
        loop {
            let (mut slope, mut curvature, mut third, mut exponent, mut scale) = (0.0, 0.0, 0.0, 0.0, 1.0);
            let mut add = |sign: f64, Coordinate { square_of_mean, variance }: Coordinate| {
                let shrink = 1.0 / (1.0 + 2.0 * sign * z * variance);
                exponent -= sign * z * square_of_mean * shrink;
                scale *= shrink;
                // Under the density tilted by e^{−zX}.
                let (mean, variance) = (square_of_mean * shrink * shrink, variance * shrink);
                slope -= sign * (variance + mean);
                curvature += 2.0 * sign * sign * variance * (variance + 2.0 * mean);
                third -= 8.0 * sign * sign * sign * variance * variance * (variance + 3.0 * mean);
            };
            self.across.iter().for_each(|other| add(1.0, *other));
            add(-square, self.along);
            if exponent < -NOTHING && exponent + 0.5 * libm::log(scale) < -NOTHING {
                return None;
            }
            let decrement = (2.0 * slope * slope / curvature).sqrt();
            if decrement < CLOSE || decrement.is_nan() {
                let width = 1.0 / curvature.sqrt();
                let bend = (third * width / (3.0 * curvature)).clamp(-MOST_BEND, MOST_BEND);
                return Some(Saddle { place: z, width, bend });
            }
            z -= slope / curvature / (1.0 + decrement);
        }
    }

    /// `E[g_j⁴ e^{−zX}]`.
    fn transform(&self, square: f64, z: Complex<f64>) -> Complex<f64> {
        let one = Complex::new(1.0, 0.0);
        let mut exponent = Complex::new(0.0, 0.0);
        let mut factor = one;
        for other in &self.across {
            let shrink = one / (one + z * (2.0 * other.variance));
            exponent -= z * shrink * other.square_of_mean;
            factor *= root(shrink);
        }
        let z = z * square;
        let shrink = one / (one - z * (2.0 * self.along.variance));
        exponent += z * shrink * self.along.square_of_mean;
        let (mean, variance) = (shrink * shrink * self.along.square_of_mean, shrink * self.along.variance);
        let fourth = mean * mean + mean * variance * 6.0 + variance * variance * 3.0;
        factor * root(shrink) * fourth * exponential(exponent)
    }
}

/// The hyperbola `z(u) = z_0 + w(i sinh u + β(cosh u − 1))`, which follows the path of steepest descent from the
/// saddle: nothing cancels on it, and what would oscillate dies out (Daniels 1954).
struct Saddle {
    place: f64,
    /// `w = K″^{−1/2}`.
    width: f64,
    /// `β = K‴/(3 K″^{3/2})`, so that the curvatures agree.
    bend: f64,
}

impl Saddle {
    /// `(1/2i) ∫ f(z) dz` upwards by the trapezoidal rule in u, for an f that is real on the real line.
    fn integral(&self, f: impl Fn(Complex<f64>) -> Complex<f64>) -> f64 {
        // At e^u.
        let at = |growth: f64| {
            let (sinh, cosh) = (0.5 * (growth - 1.0 / growth), 0.5 * (growth + 1.0 / growth));
            let z = Complex::new(self.place + self.width * self.bend * (cosh - 1.0), self.width * sinh);
            f(z) * Complex::new(cosh, -self.bend * sinh)
        };
        let first = at(1.0).re;
        // Over u = offset + n·step, n = 0, 1, …
        let sum = |offset: f64, step: f64| {
            let (mut sum, mut growth, ratio) = (0.0, libm::exp(offset), libm::exp(step));
            loop {
                let term = at(growth);
                sum += term.re;
                growth *= ratio;
                let is_going_on = term.l1_norm() > END_OF_SUM * first;
                if !is_going_on {
                    return sum;
                }
            }
        };
        let mut step = STEP;
        let mut integral = step * (0.5 * first + sum(step, step));
        for _ in 0..HALVINGS {
            let finer = 0.5 * (integral + step * sum(0.5 * step, step));
            step *= 0.5;
            let change = (finer - integral).abs();
            integral = finer;
            if change <= AGREEMENT * finer.abs() {
                break;
            }
        }
        self.width * integral
    }
}

/// The root of a z with Re z > 0.
fn root(z: Complex<f64>) -> Complex<f64> {
    let real = (0.5 * (z.re + (z.re * z.re + z.im * z.im).sqrt())).sqrt();
    Complex::new(real, 0.5 * z.im / real)
}

fn exponential(z: Complex<f64>) -> Complex<f64> {
    let (sin, cos) = libm::sincos(z.im);
    Complex::new(cos, sin) * libm::exp(z.re)
}
