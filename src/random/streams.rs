//! The streams of a block of paths, which draw side by side.

use super::{Role, Stream, stream::hashed, transform};
use crate::simd::vectorized;
use std::ops::Range;

/// The streams of n paths. What they draw has the shape `[rows, n]`: one number a path in each row, and each path draws
/// the same, whatever n and whoever is beside it.
#[derive(Clone, Debug)]
pub struct Streams {
    /// The words of the states, path beside path.
    state: [Vec<u64>; 4],
    /// Room for the angles of the numbers that are drawn.
    angles: Vec<f64>,
    /// Room for uniforms that are lent.
    uniforms: Vec<f64>,
}

/// Rows that are drawn at a time: few enough to stay in the nearest cache, and not more for fewer paths, as what a path draws
/// must not depend on who is beside it.
const ROWS: usize = 16;

impl Streams {
    /// The streams of `paths`.
    pub fn new(seed: u64, role: Role, paths: Range<u64>) -> Self {
        let of_paths: Vec<Stream> = paths.map(|path| Stream::new(seed, role, path)).collect();
        let words = |word: usize| of_paths.iter().map(|stream| stream.state[word]).collect();
        Self {
            state: std::array::from_fn(words),
            angles: vec![0.0; ROWS * of_paths.len()],
            uniforms: Vec::new(),
        }
    }

    /// The stream of one path.
    pub fn of_path(seed: u64, role: Role, path: u64) -> Self {
        Self::new(seed, role, path..path + 1)
    }

    /// n.
    pub fn count(&self) -> usize {
        self.state[0].len()
    }

    /// Lets every path draw for itself, number by number.
    pub fn each(&mut self, mut draw: impl FnMut(usize, &mut Stream)) {
        for path in 0..self.count() {
            let mut stream = Stream { state: std::array::from_fn(|word| self.state[word][path]) };
            draw(path, &mut stream);
            for (words, word) in self.state.iter_mut().zip(stream.state) {
                words[path] = word;
            }
        }
    }

    /// Streams that go on elsewhere, at states hashed from those of these, which draw four words a path for it.
    pub fn split(&mut self) -> Self {
        let mut split = self.clone();
        self.each(|path, stream| {
            let state = hashed((0..4).map(|_| stream.word()));
            for (words, word) in split.state.iter_mut().zip(state) {
                words[path] = word;
            }
        });
        split
    }

    /// Uniform on the open interval (0, 1): odd multiples of 2⁻⁵³. Shape `[rows, n]`.
    pub fn uniforms(&mut self, out: &mut [f64]) {
        fill_with_uniforms(&mut self.state, out);
    }

    /// Lends so many rows of uniforms on (0, 1) to `use_them`.
    pub(crate) fn lend_uniforms(&mut self, rows: usize, use_them: impl FnOnce(&mut [f64])) {
        let mut uniforms = std::mem::take(&mut self.uniforms);
        uniforms.resize(rows * self.count(), 0.0);
        self.uniforms(&mut uniforms);
        use_them(&mut uniforms);
        self.uniforms = uniforms;
    }

    /// Standard normals. Shape `[rows, n]`.
    pub fn normals(&mut self, out: &mut [f64]) {
        self.gaussians(1.0, out);
    }

    /// Gaussians of mean 0 and this variance. Shape `[rows, n]`.
    pub fn gaussians(&mut self, variance: f64, out: &mut [f64]) {
        let n = self.count();
        for rows in out.chunks_mut(ROWS * n) {
            let pairs = (rows.len() / n).div_ceil(2);
            fill_with_gaussians(&mut self.state, &mut self.angles[..pairs * n], -2.0 * variance, rows);
        }
    }

    /// Student's t with `dof > 0` degrees of freedom, scale 1. Shape `[rows, n]`.
    pub fn student_ts(&mut self, dof: f64, out: &mut [f64]) {
        for rows in out.chunks_mut(ROWS * self.count()) {
            fill_with_student_ts(&mut self.state, &mut self.angles[..rows.len()], dof, rows);
        }
    }

    /// ±1 with probability ½ each, 64 rows from each word. Shape `[rows, n]`.
    pub fn signs(&mut self, out: &mut [f64]) {
        if out.is_empty() {
            return;
        }
        let n = self.count();
        self.each(|path, stream| {
            for rows in out.chunks_mut(64 * n) {
                let word = stream.word();
                for (place, sign) in rows.iter_mut().skip(path).step_by(n).enumerate() {
                    *sign = if word >> place & 1 == 1 { 1.0 } else { -1.0 };
                }
            }
        });
    }
}

/// Draws one word a path for each row of `first` and of `second`, row by row in turns, as numbers in [1, 2).
#[inline(always)]
fn draw_in_turns(state: &mut [Vec<u64>; 4], first: &mut [f64], second: &mut [f64]) {
    let n = state[0].len();
    let mut firsts = first.chunks_exact_mut(2 * n);
    let mut seconds = second.chunks_exact_mut(2 * n);
    for (first, second) in (&mut firsts).zip(&mut seconds) {
        let ((a, c), (b, d)) = (first.split_at_mut(n), second.split_at_mut(n));
        draw_rows(state, [a, b, c, d]);
    }
    let (first, second) = (firsts.into_remainder(), seconds.into_remainder());
    if !first.is_empty() {
        draw_rows(state, [first, second]);
    }
}

/// Draws a row for each of `rows` from every path. The states are read and written once.
#[inline(always)]
fn draw_rows<const ROWS: usize>(state: &mut [Vec<u64>; 4], rows: [&mut [f64]; ROWS]) {
    let n = state[0].len();
    let [s0, s1, s2, s3] = state;
    let (s0, s1, s2, s3) = (&mut s0[..n], &mut s1[..n], &mut s2[..n], &mut s3[..n]);
    let mut rows = rows.map(|row| &mut row[..n]);
    for path in 0..n {
        let mut stream = Stream { state: [s0[path], s1[path], s2[path], s3[path]] };
        for row in &mut rows {
            row[path] = transform::number(stream.word());
        }
        [s0[path], s1[path], s2[path], s3[path]] = stream.state;
    }
}

// Each step is a loop of its own: the shorter its body, the more of its rounds a processor has in flight.
vectorized! {
    fn fill_with_uniforms(state: &mut [Vec<u64>; 4], out: &mut [f64]) {
        let n = state[0].len();
        let mut whole = out.chunks_exact_mut(4 * n);
        for rows in &mut whole {
            let (first, second) = rows.split_at_mut(2 * n);
            let ((a, b), (c, d)) = (first.split_at_mut(n), second.split_at_mut(n));
            draw_rows(state, [a, b, c, d]);
        }
        for row in whole.into_remainder().chunks_exact_mut(n) {
            draw_rows(state, [row]);
        }
        for number in out {
            *number = transform::uniform(*number);
        }
    }

    fn fill_with_gaussians(state: &mut [Vec<u64>; 4], angles: &mut [f64], factor: f64, out: &mut [f64]) {
        let (radii, seconds) = out.split_at_mut(angles.len());
        draw_in_turns(state, radii, angles);
        let (radii, last) = radii.split_at_mut(seconds.len());
        let (angles, last_angles) = angles.split_at(radii.len());
        for ((first, second), angle) in radii.iter_mut().zip(seconds).zip(angles) {
            (*first, *second) = transform::gaussians(transform::radius_of_gaussians(factor, *first), *angle);
        }
        for (first, angle) in last.iter_mut().zip(last_angles) {
            *first = transform::gaussians(transform::radius_of_gaussians(factor, *first), *angle).0;
        }
    }

    fn fill_with_student_ts(state: &mut [Vec<u64>; 4], angles: &mut [f64], dof: f64, out: &mut [f64]) {
        draw_in_turns(state, out, angles);
        let inverse_dof = 1.0 / dof;
        for number in &mut *out {
            *number = transform::exponent_of_student_t(inverse_dof, *number);
        }
        for exponent in &mut *out {
            *exponent = transform::radius_of_student_t(dof, *exponent);
        }
        for (radius, angle) in out.iter_mut().zip(&*angles) {
            *radius = transform::at_uniform_angle(*radius, *angle);
        }
    }
}
