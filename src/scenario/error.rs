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

    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self::whole(file, format!("cannot be read ({error}); expected a scenario file"))
    }

    pub(super) fn not_text(file: &Path, error: &std::string::FromUtf8Error) -> Self {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let text = String::from_utf8_lossy(&bytes[..valid]);
        let message = format!("the byte 0x{:02x} is not UTF-8; expected a TOML file in UTF-8", bytes[valid]);
        Self::at(file, &text, Some(valid..valid), message)
    }

    pub(super) fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message: String = error.message().replace('\n', "; ").chars().take(LONGEST_MESSAGE).collect();
        Self::at(file, text, error.span(), message)
    }

    pub(super) fn at(file: &Path, text: &str, span: Option<Range<usize>>, message: String) -> Self {
        let place = span.map(|span| Place::of(text, span));
        Self { file: file.to_owned(), place, message }
    }
}

impl Place {
    fn of(text: &str, span: Range<usize>) -> Self {
        let start = floor_char_boundary(text, span.start);
        let end = floor_char_boundary(text, span.end.max(start));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = text[line_start..].lines().next().unwrap_or("");
        let column = text[line_start..start].chars().count() + 1;
        // A quote of a very long line starts a little before the place.
        let skipped = column.saturating_sub(LONGEST_QUOTE / 2);
        let skipped = if line_text.chars().count() <= LONGEST_QUOTE { 0 } else { skipped };
        let quote: String = line_text.chars().skip(skipped).take(LONGEST_QUOTE).collect();
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
        let file = self.file.display();
        let Some(Place { line, column, quote, marked }) = &self.place else {
            return write!(f, "{file}: {}", self.message);
        };
        write!(f, "{file}:{line}:{column}: {}", self.message)?;
        let indent = " ".repeat(line.to_string().len());
        let shown = (column - 1).min(quote.chars().count());
        let marker = "^".repeat((*marked).min(LONGEST_QUOTE));
        write!(f, "\n{indent} |\n{line} | {quote}\n{indent} | {}{marker}", " ".repeat(shown))
    }
}
