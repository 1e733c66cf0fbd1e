//! Images with labels: the built-in ones, and those of a file.

use super::super::{LARGEST_DIMENSION, Samples, size};
use super::MOST_SAMPLES;
use crate::npy::{self, Header};
use crate::parameter::Invalid;
use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use zip::ZipArchive;

const EXPECTED: &str = "expected what np.savez(file, x=images, y=labels) writes";

/// Largest archive that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 28;

/// What is classified.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageData {
    /// 500 images of 8 × 8 pixels of handwritten digits (Alpaydin and Kaynak 1998), of values from −1 to 1.
    #[default]
    Digits,
    /// A file of arrays `x`, (samples, height, width, channels), without the last axis for one channel, (samples, features) for a
    /// table; and `y`, (samples,), classes 0, 1, … . Both in float32 or float64; x as it is. Relative to the folder of the
    /// scenario.
    Npz(PathBuf),
}

/// Images of one size.
pub struct Images {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub classes: usize,
    /// Shape `[samples, height, width, channels]`.
    values: Vec<f64>,
    labels: Vec<u32>,
}

impl Images {
    pub fn samples(self) -> Samples {
        let Self { height, width, channels, values, labels, .. } = self;
        let inputs = Tensor::from_vec(values, (labels.len(), height, width, channels), &Device::Cpu);
        Samples { inputs: inputs.expect("as many values as the shape has"), labels }
    }
}

impl ImageData {
    pub fn relative_to(&mut self, folder: &Path) {
        if let Self::Npz(file) = self {
            *file = folder.join(&*file);
        }
    }

    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Digits => None,
            Self::Npz(file) => Some(file),
        }
    }

    /// The first `samples` images. All of the data say how many classes there are.
    pub fn read(&self, samples: usize) -> Result<Images, Invalid> {
        size("samples", samples, 1, MOST_SAMPLES)?;
        let mut images = match self {
            Self::Digits => digits(),
            Self::Npz(file) => npz(file)
                .map_err(|message| Invalid::new("data.npz", format!("{}: {message}", file.display())))?,
        };
        let Images { height, width, channels, .. } = images;
        if samples > images.labels.len() {
            let message = format!("{samples}; expected at most the {} that there are", images.labels.len());
            return Err(Invalid::new("samples", message));
        }
        images.labels.truncate(samples);
        images.values.truncate(samples * height * width * channels);
        Ok(images)
    }
}

/// A line an image: its digit, a space, and 64 pixels of 17 levels, 0 to 9 and a to g.
fn digits() -> Images {
    const TEXT: &str = include_str!("digits.txt");
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for line in TEXT.lines() {
        let (digit, pixels) = line.split_once(' ').expect("a digit and its pixels");
        let level = |pixel: char| pixel.to_digit(17).expect("a level");
        labels.push(digit.parse().expect("a digit"));
        values.extend(pixels.chars().map(|pixel| f64::from(level(pixel)) / 8.0 - 1.0));
    }
    Images { height: 8, width: 8, channels: 1, classes: 10, values, labels }
}

fn npz(file: &Path) -> Result<Images, String> {
    const SHAPES: [&str; 3] =
        ["(samples, features)", "(samples, height, width)", "(samples, height, width, channels)"];
    let unreadable = |error: std::io::Error| format!("cannot be read ({error}); {EXPECTED}");
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(format!("not a regular file; {EXPECTED}"));
    }
    let reader = BufReader::new(File::open(file).map_err(unreadable)?);
    let mut archive =
        ZipArchive::new(reader).map_err(|error| format!("not a whole .npz archive ({error}); {EXPECTED}"))?;
    let (shape, values) = numbers(&mut archive, "x", &SHAPES)?;
    let (_, labels) = numbers(&mut archive, "y", &["(samples,)"])?;
    let axis = |index: usize| shape.get(index).map_or(1, |length| *length as usize);
    let (height, width, channels) = match shape.len() {
        2 => (1, axis(1), 1),
        _ => (axis(1), axis(2), axis(3)),
    };
    let found = npy::tuple(&shape);
    if values.is_empty() || height * width * channels > LARGEST_DIMENSION {
        return Err(format!("x: shape {found}; expected samples of 1 to {LARGEST_DIMENSION} numbers"));
    }
    if labels.len() != axis(0) {
        let read = labels.len();
        return Err(format!("y: {read} labels for x of shape {found}; expected {}", axis(0)));
    }
    if let Some(index) = values.iter().position(|value| value.is_nan() || value.abs() > 1e6) {
        let mut place = index;
        let mut indices: Vec<String> = Vec::new();
        for length in shape.iter().rev() {
            indices.insert(0, (place as u64 % length).to_string());
            place /= *length as usize;
        }
        let indices = indices.join(", ");
        return Err(format!("x[{indices}] is {}; expected a number from -1e6 to 1e6", values[index]));
    }
    let is_label = |label: f64| label.fract() == 0.0 && (0.0..1000.0).contains(&label);
    if let Some(index) = labels.iter().position(|label| !is_label(*label)) {
        return Err(format!("y[{index}] is {}; expected a class: 0, 1, … up to 999", labels[index]));
    }
    let labels: Vec<u32> = labels.iter().map(|label| *label as u32).collect();
    let classes = labels.iter().max().map_or(0, |largest| *largest as usize + 1);
    if labels.iter().all(|label| *label == labels[0]) {
        return Err(format!("y: only {}; expected at least two classes, such as 0 and 1", labels[0]));
    }
    Ok(Images { height, width, channels, classes, values, labels })
}

/// Shape and numbers of an array.
fn numbers(
    archive: &mut ZipArchive<BufReader<File>>,
    name: &str,
    shapes: &[&str],
) -> Result<(Vec<u64>, Vec<f64>), String> {
    let mut array = npy::array(archive, name, EXPECTED)?;
    let mut read = || {
        if array.size() > LARGEST_FILE {
            return Err(format!("{} bytes; expected at most {LARGEST_FILE}", array.size()));
        }
        let header = Header::of_whole(&mut array, shapes)?;
        let numbers = npy::numbers(&mut array, &header, EXPECTED)?;
        Ok((header.shape, numbers))
    };
    read().map_err(|message| format!("{name}: {message}"))
}
