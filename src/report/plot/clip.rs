//! Cutting lines and polygons at the lower and upper end of a frame.

use super::Point;

/// The parts of a line with `low <= y <= high`.
pub(super) fn line(points: &[Point], low: f64, high: f64) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for ends in points.windows(2) {
        let Some([from, to]) = segment(ends[0], ends[1], low, high) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

fn segment(from: Point, to: Point, low: f64, high: f64) -> Option<[Point; 2]> {
    if from.1.max(to.1) < low || from.1.min(to.1) > high {
        return None;
    }
    // An end outside is moved to where the segment enters.
    let level = |end: Point| end.1.clamp(low, high);
    Some([from, to].map(|end| if level(end) == end.1 { end } else { at(from, to, level(end)) }))
}

/// The polygon with `low <= y <= high` (Sutherland and Hodgman 1974).
pub(super) fn polygon(corners: &[Point], low: f64, high: f64) -> Vec<Point> {
    let above = half_plane(corners, low, |y| y >= low);
    half_plane(&above, high, |y| y <= high)
}

fn half_plane(corners: &[Point], level: f64, inside: impl Fn(f64) -> bool) -> Vec<Point> {
    let mut kept = Vec::with_capacity(corners.len() + 4);
    for (index, &corner) in corners.iter().enumerate() {
        let next = corners[(index + 1) % corners.len()];
        if inside(corner.1) {
            kept.push(corner);
        }
        if inside(corner.1) != inside(next.1) {
            kept.push(at(corner, next, level));
        }
    }
    kept
}

/// Where the segment, which is not level, has y = `level`.
fn at(from: Point, to: Point, level: f64) -> Point {
    (from.0 + (level - from.1) / (to.1 - from.1) * (to.0 - from.0), level)
}
