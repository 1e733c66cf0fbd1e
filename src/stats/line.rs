//! A straight line through quantities that are known up to intervals.

/// A quantity y at x: an estimate within its interval, whose ends may be infinite.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// x.
    pub x: f64,
    /// y.
    pub estimate: f64,
    /// Where y is.
    pub interval: [f64; 2],
}

/// What follows for a linear combination of the y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// That of the estimates.
    pub estimate: f64,
    /// From the least to the largest value that any y within their intervals give.
    pub interval: [f64; 2],
}

/// Intervals narrower than this count as so wide: a line through them is bent by more than they tell, and
/// weights would otherwise be ruled by the luckiest of them.
const LEAST_WIDTH: f64 = 0.1;

/// The least-squares line, each point weighed by the inverse square of its interval's width.
///
/// The slope and the values of the line are linear in the y, so that their ranges over all y within the intervals are
/// found end by end. Where all intervals hold their y at once with probability 1 − α, the ranges hold the slope and
/// the values of the line through the y, at once, whatever the weights: these may come from the same data.
pub struct Line {
    points: Vec<Point>,
    /// Over their sum; 0 for a point without a finite interval.
    weights: Vec<f64>,
    centre: f64,
    /// `Σ w (x − centre)²`.
    spread: f64,
}

impl Line {
    /// Through points at different x; none where fewer than two have finite intervals.
    pub fn through(points: Vec<Point>) -> Option<Self> {
        let weight = |point: &Point| {
            let width = (point.interval[1] - point.interval[0]).max(LEAST_WIDTH);
            if width.is_finite() { 1.0 / (width * width) } else { 0.0 }
        };
        let mut weights: Vec<f64> = points.iter().map(weight).collect();
        if weights.iter().filter(|weight| **weight > 0.0).count() < 2 {
            return None;
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        let weighed = || points.iter().zip(&weights);
        let centre: f64 = weighed().map(|(point, weight)| weight * point.x).sum();
        let spread = weighed().map(|(point, weight)| weight * (point.x - centre) * (point.x - centre)).sum();
        Some(Self { points, weights, centre, spread })
    }

    /// Its slope.
    pub fn slope(&self) -> Range {
        self.range(|x| (x - self.centre) / self.spread)
    }

    /// Its value at `x`.
    pub fn at(&self, x: f64) -> Range {
        let distance = (x - self.centre) / self.spread;
        self.range(|own| 1.0 + distance * (own - self.centre))
    }

    /// The points with no part in it.
    pub fn left_out(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().zip(&self.weights).filter_map(|(point, weight)| (*weight == 0.0).then_some(point))
    }

    /// Of `Σ weight · share(x) · y`.
    fn range(&self, share: impl Fn(f64) -> f64) -> Range {
        let mut range = Range { estimate: 0.0, interval: [0.0, 0.0] };
        for (point, weight) in self.points.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0.0) {
            let factor = weight * share(point.x);
            let [low, high] = point.interval;
            let ends = if factor < 0.0 { [high, low] } else { [low, high] };
            range.estimate += factor * point.estimate;
            range.interval[0] += factor * ends[0];
            range.interval[1] += factor * ends[1];
        }
        range
    }
}
