//! What is read of the folder of an earlier run.

use super::super::{SCHEMA, counted};
use crate::claim::{MomentTables, Verdict};
use crate::scenario::{InputError, is_line};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Longest report that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 28;

/// The reports of an earlier run.
pub struct Baseline {
    folder: PathBuf,
    /// Of scenarios that are asked for.
    reports: BTreeMap<String, Earlier>,
    /// All scenarios that have a report.
    names: BTreeSet<String>,
}

/// What is compared of an earlier report.
#[derive(Debug, Deserialize)]
pub struct Earlier {
    pub(super) scenario: Scenario,
    pub(super) provenance: Provenance,
    pub(super) claims: Vec<Claim>,
    pub(super) moments: Option<MomentTables>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Scenario {
    pub sha256: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Provenance {
    pub version: String,
    pub seed: u64,
    pub wall_seconds: f64,
    pub path_steps: u64,
}

impl Provenance {
    pub fn work(&self) -> super::Work {
        super::Work { path_steps: self.path_steps, seconds: self.wall_seconds }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Claim {
    pub kind: String,
    pub verdict: Verdict,
    pub seeds: u64,
    pub looks: u32,
    pub worst: Option<Worst>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Worst {
    pub interval: Option<[f64; 2]>,
    pub margin: f64,
    pub sampling: Option<f64>,
}

impl Baseline {
    /// Reads the reports of the scenarios `wanted` in the folder that an earlier run wrote into, or every error in them.
    ///
    /// # Errors
    /// Where the folder or a report cannot be read, where a report is no report of this schema, and where there is none
    /// of any scenario that is wanted: then nothing would be compared.
    pub fn read<'a>(
        folder: &Path,
        wanted: impl Iterator<Item = &'a String>,
    ) -> Result<Self, Vec<InputError>> {
        let names = names(folder).map_err(|error| {
            let message =
                format!("cannot be read ({error}); expected a folder that `itocheck run --out` wrote");
            vec![InputError::whole(folder, message)]
        })?;
        let mut reports = BTreeMap::new();
        let mut errors = Vec::new();
        for name in wanted.filter(|name| names.contains(*name)) {
            match Earlier::read(&folder.join(name).join("report.json")) {
                Ok(report) => {
                    reports.insert(name.clone(), report);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() && reports.is_empty() {
            let found = match names.first() {
                Some(first) => {
                    format!("reports of {} ({first}, for one)", counted(names.len(), "other scenario"))
                }
                None => "no <scenario>/report.json".to_owned(),
            };
            let message = format!("{found}; expected the report of at least one scenario of this run");
            errors.push(InputError::whole(folder, message));
        }
        if errors.is_empty() { Ok(Self { folder: folder.to_owned(), reports, names }) } else { Err(errors) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it says of a scenario, where it does.
    pub fn of(&self, name: &str) -> Option<&Earlier> {
        self.reports.get(name)
    }

    /// Scenarios that have a report here, and are not among those asked for.
    pub fn others(&self) -> Vec<String> {
        self.names.iter().filter(|name| !self.reports.contains_key(*name)).cloned().collect()
    }
}

/// The folders that have a report.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.path().join("report.json").exists() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// The schema alone, which says whether the rest can be read.
#[derive(Deserialize)]
struct Header {
    schema: String,
}

impl Earlier {
    fn read(file: &Path) -> Result<Self, InputError> {
        let text = InputError::read(file, LONGEST_FILE, "a report.json")?;
        let broken = |error: serde_json::Error| InputError::json(file, &text, &error);
        let Header { schema } = serde_json::from_str(&text).map_err(broken)?;
        if schema != SCHEMA {
            return Err(InputError::whole(file, format!("the schema {schema:?}; expected {SCHEMA:?}")));
        }
        let report: Self = serde_json::from_str(&text).map_err(broken)?;
        let functions = report.moments.iter().flat_map(|moments| &moments.functions);
        if let Some(name) = functions.chain([&report.provenance.version]).find(|name| !is_line(name)) {
            return Err(InputError::whole(file, format!("the name {name:?}; expected one short line")));
        }
        if report.moments.as_ref().is_some_and(|moments| !moments.is_rectangular()) {
            let message =
                "tables of different shapes; expected a row for each function, a column for each time";
            return Err(InputError::whole(file, message));
        }
        Ok(report)
    }
}
