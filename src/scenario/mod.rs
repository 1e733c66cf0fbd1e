//! Scenario files: text → [`Scenario`] (parse) → [`Experiment`] (validate). Nothing else knows TOML.

mod code;
mod error;
mod parse;
mod rescale;
mod schema;
mod span;
mod start;
mod sweep;
mod validate;
mod wording;

pub(crate) use code::{CodedRun, of_code};
pub use error::InputError;
pub(crate) use parse::{DomainParameters, RunParameters, SdeParameters};
pub use parse::{MonteCarlo, Scenario, Shadow};
pub use schema::schema;
pub use validate::{Experiment, MOST_MOMENTS, is_line};

use schema::Misplaced;
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A scenario file that was read and checked.
pub struct Loaded {
    /// Where it stands.
    pub file: PathBuf,
    /// The text.
    pub text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the file with data that it names, where it names one.
    pub data_sha256: Option<String>,
    /// What it asks for.
    pub experiment: Experiment,
    /// The line of each claim of the experiment, from 1; of one that was added, 1.
    pub claim_lines: Vec<usize>,
}

/// What a caller may set over the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// Paths at the first look.
    pub seeds: Option<u64>,
    /// Paths at most.
    pub max_seeds: Option<u64>,
}

/// Reads and checks one scenario file.
pub fn load(file: &Path, overrides: Overrides) -> Result<Loaded, InputError> {
    check(file, InputError::read(file, LONGEST_FILE, "a scenario file")?, overrides)
}

/// Checks the text of a scenario that stands in `file`.
pub fn check(file: &Path, text: String, overrides: Overrides) -> Result<Loaded, InputError> {
    if let Some(Misplaced { path, span, message }) = schema::misplaced(&text) {
        return Err(InputError::at(file, &text, Some(span), format!("{path}: {message}")));
    }
    let mut scenario = parse::parse(&text).map_err(|error| {
        let (span, message) = wording::reword(&text, &error);
        InputError::at(file, &text, span, message)
    })?;
    let folder = file.parent().unwrap_or(Path::new(""));
    scenario.objective.relative_to(folder);
    let data = scenario.objective.data_file().map(Path::to_owned);
    let written = scenario.claims.len();
    let experiment = validate::validate(scenario, &text, folder, overrides).map_err(|invalid| {
        InputError::at(file, &text, span::of(&text, &invalid.path), invalid.to_string())
    })?;
    let sha256 = hexadecimal(text.as_bytes());
    // It was read a moment ago.
    let data_sha256 = data.and_then(|file| std::fs::read(file).ok()).map(|data| hexadecimal(&data));
    let claim_lines = claim_lines(&text, written, experiment.claims.len());
    Ok(Loaded { file: file.to_owned(), text, sha256, data_sha256, experiment, claim_lines })
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lines of the claims of an experiment, of which those that are not written in the text come first.
fn claim_lines(text: &str, written: usize, all: usize) -> Vec<usize> {
    let paths: Vec<String> = (0..written).map(|index| format!("claims[{index}]")).collect();
    let line =
        |span: Option<Range<usize>>| span.map_or(1, |span| text[..span.start].matches('\n').count() + 1);
    let added = std::iter::repeat_n(1, all - written);
    added.chain(span::of_all(text, &paths).into_iter().map(line)).collect()
}

/// Longest file that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 20;
