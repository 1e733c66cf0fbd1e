//! What the scenarios of some folders came to.

use itocheck::cli::{called_with, exit};
use itocheck::report::Report;
use itocheck::scenario::{Loaded, Overrides, load};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A scenario that was judged.
pub struct Outcome {
    /// The folder that it is in, as the call names it.
    pub folder: String,
    /// What it asks for.
    pub loaded: Loaded,
    /// What it came to.
    pub report: Report,
}

/// By the names of scenarios.
pub type Results = BTreeMap<String, Outcome>;

/// Judges the scenarios of the folders that have no report in `out` yet, as `itocheck run --resume`; the exit code where not
/// all came out as they expect.
pub fn judge(folders: &[String], out: &str) -> Result<(), u8> {
    let words = ["itocheck", "run"].into_iter().chain(folders.iter().map(String::as_str));
    match called_with(words.chain(["--out", out, "--resume"])) {
        exit::AS_EXPECTED => Ok(()),
        code => Err(code),
    }
}

/// Reads what they came to.
pub fn read(folders: &[String], out: &Path) -> Result<Results, String> {
    let mut results = Results::new();
    for folder in folders {
        for file in files(folder)? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let loaded = load(&file, Overrides::default()).map_err(|error| error.to_string())?;
            let path = out.join(&name).join("report.json");
            let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let report = Report::read(&bytes, &loaded).ok_or_else(|| {
                format!("{}: not a whole report of {} as it is now", path.display(), file.display())
            })?;
            results.insert(name, Outcome { folder: folder.clone(), loaded, report });
        }
    }
    Ok(results)
}

/// The scenario files directly in a folder.
fn files(folder: &str) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: std::io::Error| format!("{folder}: {error}");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") && !file.is_dir() {
            files.push(file);
        }
    }
    Ok(files)
}
