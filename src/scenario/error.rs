//! Errors in the input, each with the place it stands at.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Longest message that quotes what was read, in characters.
const LONGEST_MESSAGE: usize = 400;

/// Longest source line that is quoted, in characters.
const LONGEST_QUOTE: usize = 100;

/// A wrong input: the file, the line and the column, what was read and what would be right.
#[derive(Debug, thiserror::Error)]
pub struct InputError {
    file: PathBuf,
    place: Option<Place>,
    message: String,
}

#[derive(Debug)]
struct Place {
    line: usize,
    column: usize,
    quote: String,
    marked: usize,
}

impl InputError {
    /// An error that concerns a file or folder as a whole.
    pub fn whole(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, message: message.into() }
    }

    /// The text of a regular file of at most `longest` bytes, which is to be `expected`.
    pub fn read(file: &Path, longest: u64, expected: &str) -> Result<String, Self> {
        let unreadable = |error: std::io::Error| {
            Self::whole(file, format!("cannot be read ({error}); expected {expected}"))
        };
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Self::whole(file, format!("not a regular file; expected {expected}")));
        }
        if metadata.len() > longest {
            let message = format!("{} bytes; expected {expected} of at most {longest}", metadata.len());
            return Err(Self::whole(file, message));
        }
        let bytes = std::fs::read(file).map_err(unreadable)?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let message =
                format!("the byte 0x{:02x} is not UTF-8; expected {expected} in UTF-8", bytes[valid]);
            Self::at(file, &String::from_utf8_lossy(bytes), Some(valid..valid), message)
        })
    }

    /// The file or folder.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Line and column, from 1, where it is one place that is wrong.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }

    /// What was read and what would be right.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What is wrong with a file of JSON.
    pub fn json(file: &Path, text: &str, error: &serde_json::Error) -> Self {
        let line_start: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let start = line_start + error.column().saturating_sub(1);
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Self::at(file, text, Some(start..start), format!("{message}; expected what itocheck writes"))
    }

    pub(super) fn at(file: &Path, text: &str, span: Option<Range<usize>>, message: String) -> Self {
        let place = span.map(|span| Place::of(text, span));
        Self { file: file.to_owned(), place, message }
    }
}

impl Place {
    fn of(text: &str, span: Range<usize>) -> Self {
        // Editors do not show the byte order mark.
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let (text, span) = (&text[mark..], span.start.saturating_sub(mark)..span.end.saturating_sub(mark));
        let start = floor_char_boundary(text, span.start);
        let end = floor_char_boundary(text, span.end.max(start));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = text[line_start..].lines().next().unwrap_or("");
        let column = text[line_start..start].chars().count() + 1;
        // A quote of a very long line starts a little before the place.
        let skipped = column.saturating_sub(LONGEST_QUOTE / 2);
        let skipped = if line_text.chars().count() <= LONGEST_QUOTE { 0 } else { skipped };
        // What terminals would obey is not quoted.
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        let quote: String = line_text.chars().skip(skipped).take(LONGEST_QUOTE).map(shown).collect();
        let end_of_line = line_start + line_text.len();
        let marked = text[start..end.min(end_of_line).max(start)].chars().count().clamp(1, LONGEST_QUOTE);
        Self { line: before.matches('\n').count() + 1, column, quote, marked }
    }
}

fn floor_char_boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        // Only the layout breaks lines.
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        let file: String = self.file.display().to_string().chars().map(shown).collect();
        let message: String = self.message.chars().map(shown).take(LONGEST_MESSAGE).collect();
        let Some(Place { line, column, quote, marked }) = &self.place else {
            return write!(f, "{file}: {message}");
        };
        write!(f, "{file}:{line}:{column}: {message}")?;
        let indent = " ".repeat(line.to_string().len());
        let shown = (column - 1).min(quote.chars().count());
        let marker = "^".repeat((*marked).min(LONGEST_QUOTE));
        write!(f, "\n{indent} |\n{line} | {quote}\n{indent} | {}{marker}", " ".repeat(shown))
    }
}
