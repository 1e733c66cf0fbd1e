//! `itocheck golden`.

use super::interrupt::Workers;
use super::select::{Scenarios, Selection};
use super::{create_folder, exit, fail, refuse, standard_output};
use crate::golden::{Files, Golden};
use crate::report::terminal::{Bar, plain};
use crate::report::{counted, write_whole};
use crate::scenario::{InputError, Overrides};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `itocheck golden`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Simulate at the fixed seeds, and compare with the golden outputs bit by bit.
    Check(Arguments),
    /// Simulate at the fixed seeds, and make what comes out the golden outputs.
    Bless {
        #[command(flatten)]
        arguments: Arguments,
        /// Why the outputs are right where they differ from those before; it is kept with them.
        #[arg(long, value_name = "REASON", value_parser = reason)]
        because: String,
    },
}

/// What both have in common.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Folder of the golden outputs.
    #[arg(long, value_name = "DIR", default_value = "golden")]
    golden: PathBuf,
    /// Print only what differs, and no lines of progress.
    #[arg(long)]
    quiet: bool,
}

fn reason(text: &str) -> Result<String, String> {
    let is_line = !text.trim().is_empty() && !text.contains(char::is_control);
    if is_line { Ok(text.to_owned()) } else { Err("expected one line that says why".to_owned()) }
}

/// Checks or blesses and returns the exit code.
pub fn run(command: &Command) -> u8 {
    let (arguments, because) = match command {
        Command::Check(arguments) => (arguments, None),
        Command::Bless { arguments, because } => (arguments, Some(because)),
    };
    let scenarios = match arguments.selection.load(Overrides::default()) {
        Ok(scenarios) => scenarios,
        Err(errors) => return refuse(&errors),
    };
    let kept = match kept(&arguments.golden, &scenarios) {
        Ok(kept) => kept,
        Err(errors) => return refuse(&errors),
    };
    if because.is_none()
        && let Err(errors) = folder_of_golden_outputs(&arguments.golden)
    {
        return refuse(&errors);
    }
    let done = match because {
        None => check(arguments, &scenarios, &kept),
        Some(because) => bless(arguments, &scenarios, &kept, because),
    };
    done.unwrap_or_else(|error| fail(&error))
}

/// That a folder which is named is one.
pub(super) fn folder_of_golden_outputs(folder: &Path) -> Result<(), Vec<InputError>> {
    if folder.is_dir() {
        return Ok(());
    }
    let message = "no folder that can be read; expected golden outputs, made by itocheck golden bless";
    Err(vec![InputError::whole(folder, message)])
}

/// The golden numbers of each scenario, in order.
pub(super) fn kept(folder: &Path, scenarios: &Scenarios) -> Result<Vec<Option<Golden>>, Vec<InputError>> {
    let mut kept = Vec::new();
    let mut errors = Vec::new();
    for name in scenarios.keys() {
        match Golden::load(&Files::of(folder, name).numbers) {
            Ok(golden) => kept.push(golden),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(kept) } else { Err(errors) }
}

/// Simulates one scenario after the other and hands name, golden and new numbers to `visit`; whether it
/// came to the end.
fn for_each(
    arguments: &Arguments,
    scenarios: &Scenarios,
    kept: &[Option<Golden>],
    because: &str,
    mut visit: impl FnMut(&str, Option<&Golden>, &Golden) -> io::Result<()>,
) -> io::Result<bool> {
    let workers = Workers::new(arguments.selection.pool()?)?;
    for (index, ((name, loaded), kept)) in scenarios.iter().zip(kept).enumerate() {
        let bar = Arc::new(Bar::new(name, index + 1, scenarios.len(), arguments.quiet));
        let (loaded, bar_there, because) = (Arc::clone(loaded), Arc::clone(&bar), because.to_owned());
        let new = workers.run(move || Golden::compute(&loaded.experiment, because, &*bar_there));
        bar.finish();
        let Some(new) = new else { return Ok(false) };
        visit(name, kept.as_ref(), &new)?;
    }
    Ok(!workers.was_interrupted())
}

fn check(arguments: &Arguments, scenarios: &Scenarios, kept: &[Option<Golden>]) -> io::Result<u8> {
    let mut differ = 0;
    let is_complete = for_each(arguments, scenarios, kept, "", |name, kept, new| {
        let difference = difference(&Files::of(&arguments.golden, name), kept, new)?;
        differ += u32::from(difference.is_some());
        standard_output(|out| match difference {
            Some(difference) => writeln!(out, "MOVED {}: {difference}", plain(name)),
            None if arguments.quiet => Ok(()),
            None => writeln!(out, "same  {}", plain(name)),
        })
    })?;
    if !is_complete {
        standard_output(|out| writeln!(out, "interrupted; not all scenarios were compared"))?;
        return Ok(exit::INTERRUPTED);
    }
    for name in without_scenario(arguments, scenarios)? {
        differ += 1;
        standard_output(|out| {
            writeln!(
                out,
                "MOVED {}: it has no scenario; expected one, or the golden output removed",
                plain(&name)
            )
        })?;
    }
    let scenarios = counted(scenarios.len(), "scenario");
    let differences = match differ {
        1 => "1 golden output differs".to_owned(),
        _ => format!("{differ} golden outputs differ"),
    };
    standard_output(|out| writeln!(out, "{scenarios}, {differences}"))?;
    Ok(if differ == 0 { exit::AS_EXPECTED } else { exit::NOT_AS_EXPECTED })
}

/// What differs of the golden output of one scenario, if anything.
fn difference(files: &Files, kept: Option<&Golden>, new: &Golden) -> io::Result<Option<String>> {
    let Some(kept) = kept else {
        return Ok(Some("it had no golden output; expected one, made by itocheck golden bless".to_owned()));
    };
    if let Some(difference) = kept.difference(new) {
        return Ok(Some(difference));
    }
    let overlay = new.overlay().map_err(io::Error::other)?;
    Ok(match std::fs::read(&files.overlay) {
        Ok(kept) if kept == overlay => None,
        Ok(_) => Some("the numbers are the same, but the overlay is drawn otherwise".to_owned()),
        Err(error) => Some(format!("its overlay {} cannot be read ({error})", files.overlay.display())),
    })
}

/// Golden outputs whose scenario is gone, where whole folders are checked.
fn without_scenario(arguments: &Arguments, scenarios: &Scenarios) -> io::Result<Vec<String>> {
    if !arguments.selection.is_of_whole_folders() || !arguments.golden.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in arguments.golden.read_dir()? {
        let file = entry?.path();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_numbers = file.extension().is_some_and(|extension| extension == "json");
        if is_numbers && !scenarios.contains_key(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn bless(
    arguments: &Arguments,
    scenarios: &Scenarios,
    kept: &[Option<Golden>],
    because: &str,
) -> io::Result<u8> {
    create_folder(&arguments.golden)?;
    let is_complete = for_each(arguments, scenarios, kept, because, |name, kept, new| {
        let files = Files::of(&arguments.golden, name);
        let difference = difference(&files, kept, new)?;
        if difference.is_some() {
            write_whole(&files.overlay, &new.overlay().map_err(io::Error::other)?)?;
            write_whole(&files.numbers, &new.json()?)?;
        }
        standard_output(|out| match difference {
            Some(difference) => writeln!(out, "blessed {}: {difference}", plain(name)),
            None if arguments.quiet => Ok(()),
            None => writeln!(out, "same    {}", plain(name)),
        })
    })?;
    if !is_complete {
        standard_output(|out| writeln!(out, "interrupted; not all scenarios were blessed"))?;
        return Ok(exit::INTERRUPTED);
    }
    Ok(exit::AS_EXPECTED)
}
