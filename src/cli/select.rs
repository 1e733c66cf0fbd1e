//! Which scenarios a subcommand works on, and with how many threads.

use crate::scenario::{InputError, Loaded, Overrides, is_line, load};
use rayon::ThreadPool;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Scenarios by the stems of their files.
pub(super) type Scenarios = BTreeMap<String, Arc<Loaded>>;

/// Arguments that choose scenarios.
#[derive(Debug, clap::Args)]
pub struct Selection {
    /// Scenario files, or folders with scenario files directly in them.
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Threads to simulate with; they change no bit of the moments [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Only scenarios whose file name contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// How many paths a call asks for in place of what scenarios say.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Seeds {
    /// Paths of each process at the first look.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    seeds: Option<u64>,
    /// Paths of each process at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    max_seeds: Option<u64>,
}

impl Seeds {
    /// What is set over the files.
    pub fn overrides(self) -> Overrides {
        Overrides { seeds: self.seeds, max_seeds: self.max_seeds }
    }
}

impl Selection {
    /// All scenarios asked for, or every error in them.
    pub(super) fn load(&self, overrides: Overrides) -> Result<Scenarios, Vec<InputError>> {
        let mut scenarios = Scenarios::new();
        let mut errors = Vec::new();
        for path in &self.paths {
            match files(path) {
                Ok(files) => {
                    let wanted = files.iter().filter(|file| self.wants(&stem(file)));
                    errors.extend(wanted.filter_map(|file| add(&mut scenarios, file, overrides).err()));
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() && scenarios.is_empty() {
            let message = match &self.filter {
                Some(text) => format!("no scenario's file name contains {text:?}; expected at least one"),
                None => "no scenario; expected at least one .toml file".to_owned(),
            };
            let first = self.paths.first().map_or(Path::new("scenarios"), PathBuf::as_path);
            errors.push(InputError::whole(first, message));
        }
        if errors.is_empty() { Ok(scenarios) } else { Err(errors) }
    }

    /// The threads to simulate with.
    pub(super) fn pool(&self) -> io::Result<ThreadPool> {
        pool(self.threads)
    }

    /// Whether it names folders only, and all that is in them.
    pub(super) fn is_of_whole_folders(&self) -> bool {
        self.filter.is_none() && self.paths.iter().all(|path| path.is_dir())
    }

    fn wants(&self, stem: &str) -> bool {
        self.filter.as_ref().is_none_or(|text| stem.contains(text.as_str()))
    }
}

/// So many threads, or as many as there are cores.
pub(super) fn pool(threads: Option<u16>) -> io::Result<ThreadPool> {
    let threads = threads.map_or(0, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)
}

/// The file itself, or the `.toml` files directly in a folder.
fn files(path: &Path) -> Result<Vec<PathBuf>, InputError> {
    let unreadable = |error: io::Error| {
        InputError::whole(
            path,
            format!("cannot be read ({error}); expected a scenario file or a folder of them"),
        )
    };
    if !path.metadata().map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads one scenario. A file that is named twice is run once.
fn add(scenarios: &mut Scenarios, file: &Path, overrides: Overrides) -> Result<(), InputError> {
    let stem = stem(file);
    if !names_a_folder(&stem) {
        let message =
            format!("the reports cannot stand in a folder named {stem:?}; expected another file name");
        return Err(InputError::whole(file, message));
    }
    let loaded = load(file, overrides)?;
    match scenarios.insert(stem, Arc::new(loaded)) {
        Some(other) if !is_same(file, &other.file) => {
            let message = format!(
                "its reports would stand in the same folder {} as those of {}; expected file names that differ",
                self::stem(file),
                other.file.display()
            );
            Err(InputError::whole(file, message))
        }
        _ => Ok(()),
    }
}

/// Whether a folder of this name can stand beside `index.html` and `junit.xml`.
fn names_a_folder(stem: &str) -> bool {
    let taken = ["", ".", "..", "index.html", "junit.xml"];
    !taken.contains(&stem) && is_line(stem) && !stem.contains('/')
}

fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}
