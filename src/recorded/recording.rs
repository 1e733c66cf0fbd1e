//! A file of recorded paths, whose headers and times were read and checked.

use super::{PathReader, agree};
use crate::npy::{self, Header, Number, tuple};
use crate::scenario::InputError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::read::ZipFile;

const EXPECTED: &str = "expected what np.savez(file, x=x, t=t) writes";

/// A file whose paths can be read.
pub struct Recording {
    shape: Shape,
    archive: ZipArchive<BufReader<File>>,
}

/// What a file holds, besides the numbers themselves.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// How many paths.
    pub paths: u64,
    /// t: 0 first, then increasing.
    pub times: Vec<f64>,
    /// d.
    pub dimension: usize,
    /// Bytes of the header of x.
    pub(super) header: u64,
    /// How states are stored.
    pub(super) number: Number,
}

impl Shape {
    /// An error about an array of the file.
    pub fn wrong(&self, message: impl AsRef<str>) -> InputError {
        InputError::whole(&self.file, message.as_ref())
    }
}

impl Recording {
    /// Reads all but the paths.
    pub fn open(file: &Path) -> Result<Self, InputError> {
        let wrong = |message: String| InputError::whole(file, message);
        let unreadable = |error: std::io::Error| wrong(format!("cannot be read ({error}); {EXPECTED}"));
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(wrong(format!("not a regular file; {EXPECTED}")));
        }
        let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
        let sha256 = digest(&mut reader).map_err(unreadable)?;
        reader.rewind().map_err(unreadable)?;
        let mut archive = ZipArchive::new(reader)
            .map_err(|error| wrong(format!("not a whole .npz archive ({error}); {EXPECTED}")))?;
        let times =
            times(&mut array(file, &mut archive, "t")?).map_err(|told| wrong(format!("t: {told}")))?;
        let header = Header::of_whole(&mut array(file, &mut archive, "x")?, &["(paths, times, coordinates)"])
            .map_err(|told| wrong(format!("x: {told}")))?;
        let &[paths, recorded, dimension] = &*header.shape else { unreachable!("x has three axes") };
        let found = tuple(&header.shape);
        if recorded != times.len() as u64 {
            return Err(wrong(format!(
                "x: shape {found}, and t has {} times; expected (paths, {}, coordinates)",
                times.len(),
                times.len()
            )));
        }
        if paths == 0 || dimension == 0 {
            return Err(wrong(format!("x: shape {found}; expected at least one path and one coordinate")));
        }
        let Header { number, length, .. } = header;
        let dimension = dimension as usize;
        let shape = Shape { file: file.to_owned(), sha256, paths, times, dimension, header: length, number };
        Ok(Self { shape, archive })
    }

    /// What it holds.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its paths, from the first on.
    pub fn paths(&mut self) -> Result<PathReader<'_>, InputError> {
        let Self { shape, archive } = self;
        PathReader::new(shape, array(&shape.file, archive, "x")?)
    }
}

fn digest(reader: &mut impl Read) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    std::io::copy(reader, &mut digest)?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn array<'a>(
    file: &Path,
    archive: &'a mut ZipArchive<BufReader<File>>,
    name: &str,
) -> Result<ZipFile<'a, BufReader<File>>, InputError> {
    npy::array(archive, name, EXPECTED).map_err(|message| InputError::whole(file, message))
}

/// All times, checked.
fn times(array: &mut ZipFile<BufReader<File>>) -> Result<Vec<f64>, String> {
    let header = Header::of_whole(array, &["(times,)"])?;
    let times = npy::numbers(array, &header, EXPECTED)?;
    if times.len() < 2 {
        return Err(format!("shape {}; expected 0 and at least one more time", tuple(&header.shape)));
    }
    if let Some(index) = times.iter().position(|time| !time.is_finite()) {
        return Err(format!("t[{index}] is {}; expected a finite time", times[index]));
    }
    if !agree(times[0], 0.0, times[times.len() - 1].abs()) {
        return Err(format!("t[0] is {}; expected 0, where all paths start", times[0]));
    }
    match times.windows(2).position(|pair| pair[1] <= pair[0]) {
        Some(index) => Err(format!(
            "t[{}] is {} after {}; expected times that increase",
            index + 1,
            times[index + 1],
            times[index]
        )),
        None => Ok(times),
    }
}
