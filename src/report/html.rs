//! index.html: the run on one page, without network or scripts.

use super::Report;
use crate::claim::Expectation;
use askama::Template;

/// A report with its figures.
pub struct Entry<'a> {
    /// The report.
    pub report: &'a Report,
    /// The folder of its files, relative to the page.
    pub folder: &'a str,
    /// Name and SVG text of each figure.
    pub figures: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    entries: &'a [Entry<'a>],
    version: &'a str,
    summary: String,
}

/// The page; every string of a scenario is escaped.
pub fn render(entries: &[Entry]) -> Result<Vec<u8>, askama::Error> {
    let summary = super::summary(entries.iter().map(|entry| entry.report));
    Ok(Page { entries, version: env!("CARGO_PKG_VERSION"), summary }.render()?.into_bytes())
}
