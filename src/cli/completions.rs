//! `itocheck completions`.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Arguments of `itocheck completions`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Of which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    // clap_complete panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    generate(arguments.shell, &mut super::Arguments::command(), "itocheck", &mut script);
    super::print(&String::from_utf8_lossy(&script))
}
