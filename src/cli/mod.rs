//! The command line: one file a subcommand.

pub mod exit;
mod golden;
mod plot;
mod run;
mod select;

use crate::scenario::InputError;
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::Path;

/// Does this SDE track this optimizer?
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate the optimizer and the SDE of each scenario, and judge their claims.
    Run(run::Arguments),
    /// Compare what is simulated with golden outputs, or make it golden.
    #[command(subcommand)]
    Golden(golden::Command),
    /// Draw test functions of a report anew, or give their numbers.
    Plot(plot::Arguments),
}

/// Reads the command line, does what it says, and returns the exit code, one of [`exit`].
pub fn main() -> u8 {
    match Arguments::try_parse() {
        Ok(Arguments { command }) => match command {
            Command::Run(arguments) => run::run(&arguments),
            Command::Golden(command) => golden::run(&command),
            Command::Plot(arguments) => plot::run(&arguments),
        },
        Err(error) => {
            // Help and version are errors to clap; where even printing fails, the code still tells.
            let _ = error.print();
            if error.use_stderr() { exit::WRONG_INPUT } else { exit::AS_EXPECTED }
        }
    }
}

/// Tells what is wrong with the input.
fn refuse(errors: &[InputError]) -> u8 {
    errors.iter().for_each(|error| tell(&error.to_string()));
    exit::WRONG_INPUT
}

/// Tells how the machine failed us.
fn fail(error: &io::Error) -> u8 {
    tell(&error.to_string());
    exit::MACHINE
}

fn tell(error: &str) {
    // Where standard error is closed too, the exit code still tells.
    let _ = writeln!(io::stderr(), "error: {error}");
}

/// Prints to standard output; an error names it.
fn standard_output(print: impl FnOnce(&mut io::StdoutLock) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    print(&mut out)
        .and_then(|()| out.flush())
        .map_err(|error| io::Error::new(error.kind(), format!("standard output: {error}")))
}

/// Creates a folder and those above it; an error names it.
fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
}
