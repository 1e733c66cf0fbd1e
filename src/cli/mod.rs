//! The command line: one file a subcommand.

pub mod exit;
mod run;

use clap::{Parser, Subcommand};

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
}

/// Reads the command line, does what it says, and returns the exit code, one of [`exit`].
pub fn main() -> u8 {
    match Arguments::try_parse() {
        Ok(Arguments { command: Command::Run(arguments) }) => run::run(&arguments),
        Err(error) => {
            // Help and version are errors to clap; where even printing fails, the code still tells.
            let _ = error.print();
            if error.use_stderr() { exit::WRONG_INPUT } else { exit::AS_EXPECTED }
        }
    }
}
