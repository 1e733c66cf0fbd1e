//! `itocheck compare`.

use super::interrupt::Workers;
use super::outputs::{write_run, write_scenario};
use super::select::pool;
use super::{complain, create_folder, exit, fail, refuse, standard_output};
use crate::claim::{Expectation, Judgement, Margin, Recorded, RecordedPaths, Trajectory, judge_recorded};
use crate::recorded::Recording;
use crate::report::terminal::{Bar, plain, print};
use crate::report::{Report, html};
use crate::scenario::{InputError, Loaded, Overrides, load};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The folder of the report and the figures, in that of the call.
const FOLDER: &str = "comparison";

/// Arguments of `itocheck compare`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Paths of the optimizer: an .npz file with x [path, time, coordinate] and t [time].
    #[arg(long, value_name = "NPZ")]
    optimizer: Option<PathBuf>,
    /// Paths of the SDE, likewise.
    #[arg(long, value_name = "NPZ")]
    sde: Option<PathBuf>,
    /// The scenario that the other side is simulated from; its claims are not judged.
    #[arg(long, value_name = "TOML")]
    scenario: Option<PathBuf>,
    /// The gap that is allowed, in standard deviations of each test function under the SDE.
    #[arg(long, value_name = "EFFECT", default_value_t = 0.1, value_parser = above_0)]
    margin: f64,
    /// The probability of a wrong verdict, at most.
    #[arg(long, value_name = "ALPHA", default_value_t = 1e-6, value_parser = error_rate)]
    error_rate: f64,
    /// η, by which fluctuations are divided where there is no scenario; no verdict depends on it.
    #[arg(long, value_name = "ETA", default_value_t = 1.0, value_parser = above_0, conflicts_with = "scenario")]
    learning_rate: f64,
    /// Folder for the report and the figures.
    #[arg(long, value_name = "DIR", default_value = "itocheck-out")]
    out: PathBuf,
    /// Threads to work with; they change no bit of the moments [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print only a claim that did not come out as expected, and no lines of progress.
    #[arg(long)]
    quiet: bool,
}

fn above_0(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0 && number.is_finite(), "a number above 0")
}

fn error_rate(text: &str) -> Result<f64, String> {
    number(text, |number| (1e-12..=0.1).contains(&number), "a number from 1e-12 to 0.1")
}

fn number(text: &str, is_right: fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number| is_right(*number)).ok_or_else(|| format!("expected {expected}"))
}

/// Compares recorded paths and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let Arguments { optimizer, sde, scenario, .. } = arguments;
    if [optimizer, sde, scenario].into_iter().flatten().count() != 2 {
        complain(
            "expected two of --optimizer NPZ, --sde NPZ and --scenario TOML: what is compared with what",
        );
        return exit::WRONG_INPUT;
    }
    match Sides::open(arguments) {
        Ok(sides) => compare(arguments, sides).unwrap_or_else(|error| fail(&error)),
        Err(error) => refuse(&[error]),
    }
}

/// What is compared, read as far as needed to say that it can be.
enum Sides {
    Both { optimizer: Recording, sde: Recording },
    Optimizer(Recording, Box<Loaded>),
    Sde(Recording, Box<Loaded>),
}

impl Sides {
    fn open(arguments: &Arguments) -> Result<Self, InputError> {
        let Arguments { optimizer, sde, scenario, .. } = arguments;
        let load = |file: &Path| load(file, Overrides::default()).map(Box::new);
        Ok(match (optimizer, sde, scenario) {
            (Some(optimizer), Some(sde), None) => {
                Self::Both { optimizer: Recording::open(optimizer)?, sde: Recording::open(sde)? }
            }
            (Some(optimizer), None, Some(scenario)) => {
                Self::Optimizer(Recording::open(optimizer)?, load(scenario)?)
            }
            (None, Some(sde), Some(scenario)) => Self::Sde(Recording::open(sde)?, load(scenario)?),
            _ => unreachable!("two of three are given"),
        })
    }

    fn scenario(&self) -> Option<&Loaded> {
        match self {
            Self::Both { .. } => None,
            Self::Optimizer(_, loaded) | Self::Sde(_, loaded) => Some(loaded),
        }
    }

    fn title(&self) -> String {
        let name = |recording: &Recording| recording.shape().file.display().to_string();
        match self {
            Self::Both { optimizer, sde } => format!("{} against {}", name(optimizer), name(sde)),
            Self::Optimizer(optimizer, loaded) => {
                format!("{} against the SDE of: {}", name(optimizer), loaded.experiment.title)
            }
            Self::Sde(sde, loaded) => {
                format!("the optimizer of: {} against {}", loaded.experiment.title, name(sde))
            }
        }
    }

    fn recorded(&mut self, learning_rate: f64) -> Recorded<'_> {
        match self {
            Self::Both { optimizer, sde } => Recorded::Both { optimizer, sde, learning_rate },
            Self::Optimizer(recording, loaded) => Recorded::Optimizer(recording, &loaded.experiment),
            Self::Sde(recording, loaded) => Recorded::Sde(recording, &loaded.experiment),
        }
    }
}

/// What the work comes to: the sides again, as the report tells of them, and what was found.
type Work = (Sides, Result<(Judgement, Vec<RecordedPaths>), InputError>);

fn compare(arguments: &Arguments, mut sides: Sides) -> io::Result<u8> {
    let &Arguments { margin, error_rate, learning_rate, ref out, quiet, .. } = arguments;
    let workers: Workers<Work> = Workers::new(pool(arguments.threads)?)?;
    let bar = Arc::new(Bar::new(FOLDER, 1, 1, quiet));
    let begin = Instant::now();
    let bar_there = Arc::clone(&bar);
    let work = workers.run(move || {
        let claim = Trajectory { margin: Margin::Effect(margin), expect: Expectation::Upheld };
        let judged = judge_recorded(sides.recorded(learning_rate), &claim, error_rate, &*bar_there);
        (sides, judged)
    });
    bar.finish();
    let Some((sides, judged)) = work else {
        standard_output(|out| writeln!(out, "interrupted; nothing was written"))?;
        return Ok(exit::INTERRUPTED);
    };
    let (judgement, recorded) = match judged {
        Ok(judged) => judged,
        Err(error) => return Ok(refuse(&[error])),
    };
    let seconds = begin.elapsed().as_secs_f64();
    let report =
        Report::of_recorded(sides.title(), sides.scenario(), recorded, judgement, seconds, workers.threads());
    create_folder(out)?;
    let figures = write_scenario(&out.join(FOLDER), &report, None, None)?;
    let text = sides.scenario().map_or("", |loaded| &loaded.text);
    write_run(out, &[html::Entry { report: &report, folder: FOLDER, text, figures: &figures }], None)?;
    standard_output(|out| {
        print(out, FOLDER, &report, quiet)?;
        for RecordedPaths { file, paths, pilot, compared, left_over, .. } in
            report.recorded.iter().filter(|_| !quiet)
        {
            writeln!(
                out,
                "     {}: {paths} paths, {pilot} for the pilot, {compared} compared, {left_over} left over",
                plain(file)
            )?;
        }
        Ok(())
    })?;
    Ok(exit::of(&[&report]))
}
