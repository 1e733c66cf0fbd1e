//! Tables and figures of docs/networks.md: `cargo run --release --features neural --example networks` judges the scenarios of
//! the folders that the page has tables of, and fills the page with what they came to. Results are kept in
//! target/networks, so that a call goes on where an earlier one was stopped. With `--check` it writes nothing in docs and fails
//! where something would change; with folders it is about the tables and figures of these alone.

#[path = "../made/mod.rs"]
pub mod made;
pub mod page;
pub mod results;
pub mod tables;

use made::{Made, Maker, image};
use page::Page;
use results::{Results, judge, read};
use std::path::Path;
use std::process::ExitCode;

const FILE: &str = "docs/networks.md";
const FIGURES: &str = "networks";
const OUT: &str = "target/networks";

const NETWORKS: Maker =
    Maker { name: "networks", command: "cargo run --release --features neural --example networks" };

fn main() -> ExitCode {
    let (options, folders): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if let Some(unknown) = options.iter().find(|option| *option != "--check") {
        eprintln!("networks: {unknown}; expected --check, or folders that {FILE} has tables of");
        return ExitCode::from(2);
    }
    match files(folders) {
        Ok(files) => NETWORKS.deliver(&files, !options.is_empty()),
        Err(Failure { code, message }) => {
            eprintln!("networks: {message}");
            code.into()
        }
    }
}

/// Why there is no page.
pub struct Failure {
    /// The exit code, that of the run where it is the run's.
    code: u8,
    message: String,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { code: 2, message }
    }
}

/// The page and its figures.
fn files(folders: Vec<String>) -> Result<Vec<Made>, Failure> {
    let folders = asked(folders, &Page::read(FILE, FIGURES, &text()?)?)?;
    judge(&folders, OUT).map_err(|code| {
        let message =
            format!("not every claim was judged to be what its scenario expects; {FILE} stays as it is");
        Failure { code, message }
    })?;
    // Read again, for somebody may have written on it since.
    let text = text()?;
    Ok(filled(&Page::read(FILE, FIGURES, &text)?, &read(&folders, Path::new(OUT))?)?)
}

fn text() -> Result<String, String> {
    std::fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))
}

/// The folders that are asked for, all of the page if none are; an error where the page is wrong before anything is judged.
fn asked(folders: Vec<String>, page: &Page) -> Result<Vec<String>, String> {
    let known = page.folders();
    page.figures()?.iter().try_for_each(|figure| figure.is_of_a_scenario_in(&known))?;
    page.has_tables_of(&folders)?;
    Ok(if folders.is_empty() { known } else { folders })
}

/// The page with the tables of all that was judged, and the figures of it that the page shows.
fn filled(page: &Page, results: &Results) -> Result<Vec<Made>, String> {
    let mut files = Vec::new();
    for figure in page.figures()? {
        let Some(result) = results.get(figure.scenario) else { continue };
        let report = &result.report;
        let (title, name) = (&report.scenario.title, figure.name);
        let bytes = image(title, &report.claims, report.moments.as_ref(), report.sweep.as_ref(), name);
        let bytes = bytes.map_err(|error| figure.wrong(&error))?;
        files.push((format!("docs/{FIGURES}/{}-{name}.png", figure.scenario), bytes));
    }
    let text = page.fill(&tables::all(results)?)?;
    files.push((FILE.to_owned(), text.into_bytes()));
    Ok(files)
}
