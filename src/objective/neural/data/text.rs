//! Texts as sequences of characters: the built-in one, and that of a file.

use super::super::{Samples, size};
use super::MOST_SAMPLES;
use crate::parameter::Invalid;
use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Longest file that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 24;

/// What is read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextData {
    /// The beginning of Cicero's "De finibus bonorum et malorum", in Latin.
    #[default]
    LiberPrimus,
    /// A file in UTF-8. Relative to the folder of the scenario.
    Text(PathBuf),
}

/// Windows of a text, their characters numbered in the order of Unicode.
pub struct Text {
    /// Different characters.
    pub vocabulary: usize,
    context: usize,
    /// A character more than the windows have: the last one's next.
    tokens: Vec<u32>,
}

impl Text {
    pub fn samples(self) -> Samples {
        let windows = (self.tokens.len() - 1) / self.context;
        let (seen, next) = (&self.tokens[..self.tokens.len() - 1], &self.tokens[1..]);
        let inputs = Tensor::from_slice(seen, (windows, self.context), &Device::Cpu);
        Samples { inputs: inputs.expect("as many tokens as the shape has"), labels: next.to_vec() }
    }
}

impl TextData {
    pub fn relative_to(&mut self, folder: &Path) {
        if let Self::Text(file) = self {
            *file = folder.join(&*file);
        }
    }

    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::LiberPrimus => None,
            Self::Text(file) => Some(file),
        }
    }

    /// The first windows of `context` characters. Those that they hold are the vocabulary.
    pub fn read(&self, windows: usize, context: usize) -> Result<Text, Invalid> {
        size("samples", windows, 1, MOST_SAMPLES)?;
        let text = match self {
            Self::LiberPrimus => include_str!("liber_primus.txt").to_owned(),
            Self::Text(file) => of_file(file)
                .map_err(|message| Invalid::new("data.text", format!("{}{message}", file.display())))?,
        };
        let needed = windows * context + 1;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let characters: Vec<char> = text.chars().take(needed).collect();
        if characters.len() < needed {
            let message = format!(
                "{windows} windows of {context} characters and the next one; expected at most the {} characters that there are",
                characters.len()
            );
            return Err(Invalid::new("samples", message));
        }
        let mut vocabulary = characters.clone();
        vocabulary.sort_unstable();
        vocabulary.dedup();
        let token = |c: &char| vocabulary.binary_search(c).expect("a character of the text") as u32;
        Ok(Text { vocabulary: vocabulary.len(), context, tokens: characters.iter().map(token).collect() })
    }
}

/// The text of a file, or what is wrong with it, behind its name.
fn of_file(file: &Path) -> Result<String, String> {
    const EXPECTED: &str = "expected a text in UTF-8";
    let unreadable = |error: std::io::Error| format!(": cannot be read ({error}); {EXPECTED}");
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(format!(": not a regular file; {EXPECTED}"));
    }
    if metadata.len() > LONGEST_FILE {
        return Err(format!(": {} bytes; {EXPECTED} of at most {LONGEST_FILE}", metadata.len()));
    }
    String::from_utf8(std::fs::read(file).map_err(unreadable)?).map_err(|error| {
        let (before, wrong) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        format!(":{line}:{column}: the byte 0x{:02x} is not UTF-8; {EXPECTED}", wrong[0])
    })
}
