//! The command line: one file a subcommand.

mod compare;
mod completions;
pub mod exit;
mod golden;
mod interrupt;
mod key;
mod list;
mod mutants;
mod new;
mod outputs;
mod plan;
mod plot;
mod run;
mod schema;
mod select;
mod timings;
mod wrap;

use crate::report::github;
use crate::report::terminal::{StandardOutput, plain};
use crate::scenario::InputError;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::fmt::Display;
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
    /// Make each mistake of a catalogue, one at a time, and see whether the claims of each scenario notice.
    Mutants(mutants::Arguments),
    /// Compare paths that were recorded elsewhere with each other, or with a scenario.
    Compare(compare::Arguments),
    /// Draw test functions of a report anew, or give their numbers.
    Plot(plot::Arguments),
    /// Say what running scenarios would take, and to what gaps it would be sensitive, from a rehearsal.
    Plan(plan::Arguments),
    /// Write a scenario to start from, with a comment on every key.
    New(new::Arguments),
    /// Print what scenarios can name, with formulas and parameters.
    List(list::Arguments),
    /// Print the JSON Schema of a file, for editors and validators.
    Schema(schema::Arguments),
    /// Print the completions of a shell.
    Completions(completions::Arguments),
}

/// Reads the command line, does what it says, and returns the exit code, one of [`exit`].
pub fn main() -> u8 {
    called_with(std::env::args_os())
}

/// Does what a command line of these words says, the first of which is the name of the program, and returns the exit code, one
/// of [`exit`].
pub fn called_with(words: impl IntoIterator<Item: Into<OsString> + Clone>) -> u8 {
    if let Some(refusal) = crate::simd::refusal() {
        complain(&refusal);
        return exit::WRONG_INPUT;
    }
    match Arguments::try_parse_from(words) {
        Ok(Arguments { command }) => match command {
            Command::Run(arguments) => run::run(&arguments),
            Command::Golden(command) => golden::run(&command),
            Command::Mutants(arguments) => mutants::run(&arguments),
            Command::Compare(arguments) => compare::run(&arguments),
            Command::Plot(arguments) => plot::run(&arguments),
            Command::Plan(arguments) => plan::run(&arguments),
            Command::New(arguments) => new::run(&arguments),
            Command::List(arguments) => list::run(&arguments),
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments),
        },
        Err(error) if error.use_stderr() => {
            // Where even this cannot be printed, the code still tells.
            let _ = error.print();
            exit::WRONG_INPUT
        }
        // Help and version are errors to clap.
        Err(help) => print(&help.render().ansi().to_string()),
    }
}

/// Prints a text that ends in a newline on standard output, and returns the exit code.
fn print(text: &str) -> u8 {
    match standard_output(|out| out.write_all(text.as_bytes())) {
        Ok(()) => exit::AS_EXPECTED,
        Err(error) => fail(&error),
    }
}

/// Tells what is wrong with the input.
fn refuse(errors: &[InputError]) -> u8 {
    errors.iter().for_each(complain);
    match standard_output(|out| github::tell_errors(out, errors)) {
        Ok(()) => exit::WRONG_INPUT,
        Err(error) => fail(&error),
    }
}

/// Tells how the machine failed us.
fn fail(error: &io::Error) -> u8 {
    complain(error);
    exit::MACHINE
}

/// Says what went wrong, on standard error.
fn complain(error: impl Display) {
    // Where even this cannot be printed, the exit code still tells.
    let _ = writeln!(io::stderr(), "error: {}", plain(&error.to_string()));
}

/// Prints to standard output; an error names it.
fn standard_output(print: impl FnOnce(&mut StandardOutput) -> io::Result<()>) -> io::Result<()> {
    let mut out = StandardOutput::lock();
    print(&mut out).and_then(|()| out.flush())
}

/// Creates a folder and those above it; an error names it.
fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
}
