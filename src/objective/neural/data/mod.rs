//! What networks learn from: images with labels, and texts.

mod images;
mod text;

pub(super) use images::{ImageData, Images};
pub(super) use text::{Text, TextData};

/// Most samples of a data set: f visits all of them.
const MOST_SAMPLES: usize = 10_000;
