//! Paths, one after another.

use super::{Shape, agree};
use crate::scenario::InputError;
use std::fs::File;
use std::io::{BufReader, Read, copy, sink};
use zip::read::ZipFile;

/// Bytes that are read at a time, a multiple of those of any number.
const AT_A_TIME: u64 = 1 << 16;

/// Reads the paths of a file from the first on, and checks all of them: states are finite, and paths start at one state.
pub struct PathReader<'a> {
    shape: &'a Shape,
    array: ZipFile<'a, BufReader<File>>,
    next: u64,
    start: Vec<f64>,
}

impl<'a> PathReader<'a> {
    pub(super) fn new(shape: &'a Shape, mut array: ZipFile<'a, BufReader<File>>) -> Result<Self, InputError> {
        copy(&mut array.by_ref().take(shape.header), &mut sink())
            .map_err(|error| unreadable(shape, &error))?;
        Ok(Self { shape, array, next: 0, start: Vec::new() })
    }

    /// What the file holds.
    pub fn shape(&self) -> &'a Shape {
        self.shape
    }

    /// The state at t = 0 of the paths that were read.
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// The next `count` paths, of shape [path, time, coordinate].
    pub fn read(&mut self, count: u64) -> Result<Vec<f64>, InputError> {
        let &mut Self { shape, ref mut array, next, ref mut start } = self;
        let size = shape.number.bytes as u64;
        let in_path = (shape.times.len() * shape.dimension) as u64;
        let mut left = count * in_path * size;
        let mut states = Vec::new();
        let mut bytes = Vec::new();
        while left > 0 {
            bytes.resize(left.min(AT_A_TIME) as usize, 0);
            array.read_exact(&mut bytes).map_err(|error| unreadable(shape, &error))?;
            left -= bytes.len() as u64;
            states.extend(bytes.chunks_exact(shape.number.bytes).map(|bytes| shape.number.read(bytes)));
        }
        self.next += count;
        if start.is_empty() {
            start.extend(states.iter().take(shape.dimension));
        }
        if let Some(index) = states.iter().position(|x| !x.is_finite()) {
            return Err(not_finite(shape, next * in_path + index as u64, states[index]));
        }
        for (path, first) in (next..).zip(states.chunks_exact(in_path as usize)) {
            let differs = |&(x, start): &(&f64, &f64)| !agree(*x, *start, start.abs());
            if let Some(j) = first.iter().zip(&*start).position(|pair| differs(&pair)) {
                return Err(shape.wrong(format!(
                    "x[{path}, 0, {j}] is {}, and x[0, 0, {j}] is {}; expected paths that start at one state",
                    first[j], start[j]
                )));
            }
        }
        if self.next == shape.paths {
            // The checksum is looked at where the end is read.
            copy(array, &mut sink()).map_err(|error| unreadable(shape, &error))?;
        }
        Ok(states)
    }

    /// How many paths are still to be read.
    pub fn left(&self) -> u64 {
        self.shape.paths - self.next
    }
}

fn unreadable(shape: &Shape, error: &std::io::Error) -> InputError {
    shape.wrong(format!(
        "x: cannot be read to its end ({error}); expected what np.savez(file, x=x, t=t) writes"
    ))
}

fn not_finite(shape: &Shape, index: u64, x: f64) -> InputError {
    let d = shape.dimension as u64;
    let times = shape.times.len() as u64;
    let (path, time, coordinate) = (index / d / times, index / d % times, index % d);
    shape.wrong(format!(
        "x[{path}, {time}, {coordinate}] is {x} (path {path}, t = {}); expected finite states: paths that diverged have no \
         moments to compare",
        shape.times[time as usize]
    ))
}
