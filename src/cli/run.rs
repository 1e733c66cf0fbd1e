//! `itocheck run`.

use super::exit;
use crate::claim::judge;
use crate::ensemble::record_paths;
use crate::model::Model;
use crate::random::Role;
use crate::report::plot::{PathPicture, Picture};
use crate::report::terminal::{Bar, print, print_summary};
use crate::report::{Outcome, Report, github, html, junit, plot, write_whole};
use crate::scenario::{InputError, Loaded, Overrides, load};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Sample paths of each process in the figure of paths.
const PATHS_DRAWN: usize = 5;

/// Arguments of `itocheck run`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Scenario files, or folders with scenario files directly in them.
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Folder for reports and figures.
    #[arg(long, value_name = "DIR", default_value = "itocheck-out")]
    out: PathBuf,
    /// Threads to simulate with; they change no bit of the moments [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Paths of each process at the first look.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    seeds: Option<u64>,
    /// Paths of each process at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    max_seeds: Option<u64>,
    /// Only scenarios whose file name contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Print only claims that did not come out as expected.
    #[arg(long)]
    quiet: bool,
    /// Print how long each scenario took.
    #[arg(long)]
    timings: bool,
}

/// Runs scenarios and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let scenarios = match scenarios(arguments) {
        Ok(scenarios) => scenarios,
        Err(errors) => {
            for error in &errors {
                eprintln!("error: {error}");
            }
            return match github::tell_errors(&mut io::stdout(), &errors) {
                Ok(()) => exit::WRONG_INPUT,
                Err(error) => {
                    eprintln!("error: {error}");
                    exit::MACHINE
                }
            };
        }
    };
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = arguments.threads {
        pool = pool.num_threads(threads.into());
    }
    let done = match pool.build() {
        Ok(pool) => pool.install(|| run_all(arguments, &scenarios)),
        Err(error) => Err(io::Error::other(error)),
    };
    match done {
        Ok(outcomes) if outcomes.contains(&Outcome::Failed) => exit::NOT_AS_EXPECTED,
        Ok(outcomes) if outcomes.contains(&Outcome::Inconclusive) => exit::INCONCLUSIVE,
        Ok(_) => exit::AS_EXPECTED,
        Err(error) => {
            eprintln!("error: {error}");
            exit::MACHINE
        }
    }
}

/// All scenarios asked for, by the stems of their files, or every error in them.
fn scenarios(arguments: &Arguments) -> Result<BTreeMap<String, Loaded>, Vec<InputError>> {
    let overrides = Overrides { seeds: arguments.seeds, max_seeds: arguments.max_seeds };
    let wanted = |stem: &str| arguments.filter.as_ref().is_none_or(|text| stem.contains(text.as_str()));
    let mut scenarios = BTreeMap::new();
    let mut errors = Vec::new();
    for path in &arguments.paths {
        let files = match files(path) {
            Ok(files) => files,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for file in files {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if !wanted(&stem) {
                continue;
            }
            if !names_a_folder(&stem) {
                let message = format!(
                    "the reports cannot stand in a folder named {stem:?}; expected another file name"
                );
                errors.push(InputError::whole(&file, message));
                continue;
            }
            match load(&file, overrides) {
                Ok(loaded) => {
                    if let Some(Loaded { file: other, .. }) = scenarios.insert(stem.clone(), loaded) {
                        let message = format!(
                            "its reports would stand in the same folder {stem} as those of {}; expected file names \
                             that differ",
                            other.display()
                        );
                        errors.push(InputError::whole(&file, message));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() && scenarios.is_empty() {
        let message = match &arguments.filter {
            Some(text) => format!("no scenario's file name contains {text:?}; expected at least one"),
            None => "no scenario; expected at least one .toml file".to_owned(),
        };
        errors.push(InputError::whole(
            arguments.paths.first().map_or(Path::new("scenarios"), PathBuf::as_path),
            message,
        ));
    }
    if errors.is_empty() { Ok(scenarios) } else { Err(errors) }
}

/// Whether a folder of this name can stand beside `index.html` and `junit.xml`.
fn names_a_folder(stem: &str) -> bool {
    let taken = ["", ".", "..", "index.html", "junit.xml"];
    !taken.contains(&stem) && !stem.contains(|c: char| c.is_control() || c == '/')
}

/// Creates a folder and those above it; an error names it.
fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
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

/// A finished scenario: its folder's name, its report and its SVG figures.
struct Finished {
    name: String,
    report: Report,
    figures: Vec<(String, String)>,
}

fn run_all(arguments: &Arguments, scenarios: &BTreeMap<String, Loaded>) -> io::Result<Vec<Outcome>> {
    create_folder(&arguments.out)?;
    let mut out = io::stdout().lock();
    let mut finished = Vec::new();
    for (index, (name, loaded)) in scenarios.iter().enumerate() {
        let bar = Bar::new(name, index + 1, scenarios.len());
        let begin = Instant::now();
        let judgement = judge(&loaded.experiment, &bar);
        let report = Report::new(loaded, judgement, begin.elapsed().as_secs_f64());
        bar.finish();
        let figures = write_scenario(&arguments.out.join(name), loaded, &report)?;
        print(&mut out, name, &report, arguments.quiet)?;
        if arguments.timings {
            let total = begin.elapsed().as_secs_f64();
            writeln!(out, "     {name}: {:.2} s, {total:.2} s with figures", report.provenance.wall_seconds)?;
        }
        finished.push(Finished { name: name.clone(), report, figures });
    }
    let entries: Vec<html::Entry> = finished
        .iter()
        .map(|Finished { name, report, figures }| html::Entry {
            report,
            folder: name,
            text: &scenarios[name].text,
            figures,
        })
        .collect();
    write_whole(&arguments.out.join("index.html"), &html::render(&entries).map_err(io::Error::other)?)?;
    let judged: Vec<(&Loaded, &Report)> =
        finished.iter().map(|Finished { name, report, .. }| (&scenarios[name], report)).collect();
    github::tell(&mut out, &judged)?;
    let reports: Vec<Report> = finished.into_iter().map(|finished| finished.report).collect();
    write_whole(&arguments.out.join("junit.xml"), &junit::render(&reports).map_err(io::Error::other)?)?;
    print_summary(&mut out, &reports)?;
    out.flush()?;
    Ok(reports.iter().map(|report| report.outcome).collect())
}

/// Writes report.json and the figures of one scenario; returns the SVG figures.
fn write_scenario(folder: &Path, loaded: &Loaded, report: &Report) -> io::Result<Vec<(String, String)>> {
    create_folder(folder)?;
    let mut figures = Vec::new();
    if let Some(moments) = &report.moments {
        let title = &loaded.experiment.title;
        let model = &loaded.experiment.model;
        let paths = (model.dimension() == 2).then(|| paths(model, report.provenance.seed));
        let images = plot::draw(&Picture { title, moments, paths }).map_err(io::Error::other)?;
        for plot::Image { name, bytes } in images {
            write_whole(&folder.join(&name), &bytes)?;
            if let Some(stem) = name.strip_suffix(".svg") {
                figures.push((stem.to_owned(), String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    write_whole(&folder.join("report.json"), &report.json()?)?;
    Ok(figures)
}

/// The first paths of the run, as they stand in its moments.
fn paths(model: &Model, seed: u64) -> PathPicture<'_> {
    let planar = |paths: Vec<Vec<Vec<f64>>>| -> Vec<Vec<[f64; 2]>> {
        paths.into_iter().map(|path| path.into_iter().map(|x| [x[0], x[1]]).collect()).collect()
    };
    let optimizer = model.optimizer_process(seed, Role::Optimizer);
    let sde = model.sde_process(seed, Role::Sde, 0);
    PathPicture {
        objective: &**model.agents.objective(),
        optimizer: planar(record_paths(&optimizer, model.run.steps, PATHS_DRAWN)),
        sde: planar(record_paths(&sde, model.run.steps, PATHS_DRAWN)),
    }
}
