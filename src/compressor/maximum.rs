//! Dithering with the maximum norm under noise: an integral over the value of the maximum.

use crate::noise::GradientLaw;
use crate::special::{Tail, integrate_each};

/// Of the variances, relative to the largest `E g_j²`.
const TOLERANCE: f64 = 1e-8;

/// A coordinate whose deviation is below this share of the root mean square of the largest is narrow:
/// the integration is told where it is.
const NARROW: f64 = 0.05;

/// Where a narrow coordinate ends, in deviations.
const END: f64 = 6.0;

/// `E (‖g‖_∞/s)² r_j(1 − r_j)` for every j, for independent coordinates, to 1e-7 of the largest `E g_j²`.
///
/// Let the maximum be m. The coordinate that attains it has no error. Any other is as if drawn under the
/// condition `|g_j| ≤ m`, so that the mean is `∫ e_j(m) d(Π_{k≠j} P[|g_k| ≤ m])` with
/// `e_j(m) = E[(m/s)² r(1 − r); |g_j| ≤ m]`.
pub(super) fn average_over_maximum(levels: f64, g: &dyn GradientLaw) -> Vec<f64> {
    let d = g.mean().len();
    let coordinates: Vec<Coordinate> = (0..d).map(|j| Coordinate::of(g, j)).collect();
    let largest = coordinates.iter().map(|coordinate| coordinate.second_moment).fold(0.0, f64::max);
    let mut variances = vec![0.0; d];
    if largest == 0.0 || d == 1 {
        return variances;
    }
    let typical = largest.sqrt();
    // m = typical · y/(1 − y) takes (0, 1) to (0, ∞).
    let integrand = |y: f64, out: &mut [f64]| {
        let left = 1.0 - y;
        let m = typical * y / left;
        let tails: Vec<Tail> = (0..d).map(|j| g.tail(j, m)).collect();
        for (j, out) in out.iter_mut().enumerate() {
            let density = density_of_maximum(&tails, j);
            let error = if density == 0.0 { 0.0 } else { coordinates[j].error(g, j, levels, m, tails[j]) };
            *out = density * error * typical / (left * left);
        }
    };
    let mut part = vec![0.0; d];
    let places = places(&coordinates, typical);
    for ends in places.windows(2) {
        integrate_each(&integrand, ends[0], ends[1], TOLERANCE * largest, &mut part);
        variances.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
    }
    variances
}

/// Of `max_{k≠j} |g_k|` at m.
fn density_of_maximum(tails: &[Tail], j: usize) -> f64 {
    let (mut density, mut probability) = (0.0, 1.0);
    for (k, tail) in tails.iter().enumerate() {
        if k != j {
            let within = 1.0 - tail.probability;
            density = density * within + probability * tail.density;
            probability *= within;
        }
    }
    density
}

/// The places y of the means, and of the ends of narrow coordinates, from 0 to 1.
fn places(coordinates: &[Coordinate], typical: f64) -> Vec<f64> {
    let mut places = vec![0.0, 0.5, 1.0];
    for coordinate in coordinates {
        let narrow = coordinate.deviation < NARROW * typical;
        let ends: &[f64] = if narrow { &[-END, 0.0, END] } else { &[0.0] };
        let around = ends.iter().map(|end| coordinate.mean + end * coordinate.deviation);
        places.extend(around.filter(|&m| m > 0.0).map(|m| m / (m + typical)));
    }
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
}

/// One coordinate of g, in absolute value.
struct Coordinate {
    /// |v_j|.
    mean: f64,
    deviation: f64,
    second_moment: f64,
    /// `E|g_j|`.
    first_moment: f64,
}

impl Coordinate {
    fn of(g: &dyn GradientLaw, j: usize) -> Self {
        let (v, variance) = (g.mean()[j], g.covariance().entry(j, j));
        Self {
            mean: v.abs(),
            deviation: variance.sqrt(),
            second_moment: v * v + variance,
            first_moment: g.tail(j, 0.0).excess,
        }
    }

    /// `e_j(m)`: with the spacing δ = m/s, `δ² r(1 − r) = −|g|² + δ|g| + 2δ Σ_{0<l<s} (|g| − lδ)⁺`, of which
    /// every term is averaged over `|g| ≤ m`.
    fn error(&self, g: &dyn GradientLaw, j: usize, levels: f64, m: f64, beyond: Tail) -> f64 {
        let spacing = m / levels;
        let second =
            self.second_moment - beyond.square - 2.0 * m * beyond.excess - m * m * beyond.probability;
        let first = self.first_moment - beyond.excess - m * beyond.probability;
        let mut kinks = 0.0;
        for level in 1..levels as u32 {
            let kink = f64::from(level) * spacing;
            kinks += g.tail(j, kink).excess - beyond.excess - (m - kink) * beyond.probability;
        }
        (spacing * first + 2.0 * spacing * kinks - second).max(0.0)
    }
}
