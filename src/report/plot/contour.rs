//! Contour lines of a function on a grid, by marching squares.

use super::Point;

/// No other end.
const NONE: usize = usize::MAX;

/// Shorter lines show the grid rather than the function.
const LEAST_EDGES: usize = 8;

/// Values of a function at the nodes of a grid over a box.
pub(super) struct Grid {
    x: [f64; 2],
    y: [f64; 2],
    columns: usize,
    rows: usize,
    values: Vec<f64>,
}

impl Grid {
    /// Evaluates `function` at `columns` × `rows` nodes.
    pub fn new(
        x: [f64; 2],
        y: [f64; 2],
        (columns, rows): (usize, usize),
        function: impl Fn(Point) -> f64,
    ) -> Self {
        let mut grid = Self { x, y, columns, rows, values: Vec::new() };
        grid.values = (0..columns * rows).map(|node| function(grid.place(node))).collect();
        grid
    }

    /// Levels that are denser the lower they are, for it is about minima that paths move: with q their
    /// number, a share of (k/(q + 1))² of the nodes is below level k.
    pub fn levels(&self, count: usize) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let mut levels: Vec<f64> = (1..=count)
            .filter_map(|level| {
                let part = level as f64 / (count + 1) as f64;
                sorted.get((part * part * sorted.len() as f64) as usize).copied()
            })
            .collect();
        levels.dedup();
        levels
    }

    /// The lines at which the function has the value `level`.
    pub fn lines(&self, level: f64) -> Vec<Vec<Point>> {
        // Each edge of the grid that a line crosses has the one or two edges where it goes on.
        let mut onward = vec![[NONE; 2]; 2 * self.values.len()];
        let mut crossed = Vec::new();
        for row in 0..self.rows - 1 {
            for column in 0..self.columns - 1 {
                for [from, to] in self.segments(row * self.columns + column, level).into_iter().flatten() {
                    link(&mut onward, from, to);
                    link(&mut onward, to, from);
                    crossed.push(from);
                    crossed.push(to);
                }
            }
        }
        // Open lines first, from an end; then only closed ones are left.
        let ends: Vec<usize> = crossed.iter().copied().filter(|&edge| onward[edge][1] == NONE).collect();
        let mut lines = Vec::new();
        for &start in ends.iter().chain(&crossed) {
            let edges = follow(&mut onward, start);
            if edges.len() >= LEAST_EDGES {
                lines.push(edges.into_iter().map(|edge| self.crossing(edge, level)).collect());
            }
        }
        lines
    }

    /// The lines within the cell whose lower left node is given, from edge to edge.
    fn segments(&self, node: usize, level: f64) -> [Option<[usize; 2]>; 2] {
        let corners = [node, node + 1, node + 1 + self.columns, node + self.columns];
        let values = corners.map(|corner| self.values[corner]);
        if values.iter().any(|value| !value.is_finite()) {
            return [None; 2];
        }
        let [bottom, right, top, left] = [2 * node, 2 * corners[1] + 1, 2 * corners[3], 2 * node + 1];
        let above = values.map(|value| value >= level);
        match above {
            [a, b, c, d] if a == b && b == c && c == d => [None; 2],
            [a, b, c, d] if b == c && c == d && a != b => [Some([left, bottom]), None],
            [a, b, c, d] if a == c && c == d && b != a => [Some([bottom, right]), None],
            [a, b, c, d] if a == b && b == d && c != a => [Some([right, top]), None],
            [a, b, c, d] if a == b && b == c && d != a => [Some([top, left]), None],
            [a, b, ..] if a == b => [Some([left, right]), None],
            [a, _, _, d] if a == d => [Some([bottom, top]), None],
            // A saddle: its middle tells which corners belong together.
            [a, ..] => {
                let middle = values.iter().sum::<f64>() / 4.0 >= level;
                if middle == a {
                    [Some([bottom, right]), Some([top, left])]
                } else {
                    [Some([left, bottom]), Some([right, top])]
                }
            }
        }
    }

    /// Where the line at `level` crosses an edge: even ones lead from their node to the right, odd ones
    /// upwards.
    fn crossing(&self, edge: usize, level: f64) -> Point {
        let from = edge / 2;
        let to = if edge.is_multiple_of(2) { from + 1 } else { from + self.columns };
        let part = (level - self.values[from]) / (self.values[to] - self.values[from]);
        let (from, to) = (self.place(from), self.place(to));
        (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
    }

    fn place(&self, node: usize) -> Point {
        let part = |index: usize, count: usize, [low, high]: [f64; 2]| {
            low + index as f64 / (count - 1) as f64 * (high - low)
        };
        (part(node % self.columns, self.columns, self.x), part(node / self.columns, self.rows, self.y))
    }
}

fn link(onward: &mut [[usize; 2]], from: usize, to: usize) {
    let [first, second] = &mut onward[from];
    *(if *first == NONE { first } else { second }) = to;
}

/// Takes the line that begins at edge `start`.
fn follow(onward: &mut [[usize; 2]], start: usize) -> Vec<usize> {
    let mut edges = vec![start];
    let mut here = start;
    loop {
        let [first, second] = onward[here];
        let next = if first == NONE { second } else { first };
        if next == NONE {
            return edges;
        }
        unlink(onward, here, next);
        unlink(onward, next, here);
        edges.push(next);
        here = next;
    }
}

fn unlink(onward: &mut [[usize; 2]], from: usize, to: usize) {
    let [first, second] = &mut onward[from];
    *(if *first == to { first } else { second }) = NONE;
}
