//! `itocheck mutants`.

use super::interrupt::Workers;
use super::select::{Scenarios, Selection};
use super::{create_folder, exit, fail, refuse, standard_output};
use crate::claim::Progress;
use crate::kill_matrix::{
    Effort, Fate, KillMatrix, Row, fate, has_only_upheld_claims, markdown, terminal_header, terminal_legend,
    terminal_row,
};
use crate::mutant::Mutant;
use crate::report::terminal::Bar;
use crate::report::write_whole;
use crate::scenario::{InputError, Loaded, Overrides};
use rayon::prelude::*;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `itocheck mutants`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Folder for mutants.json and mutants.md; nothing is written unless given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Paths of each process at the first look.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    seeds: Option<u64>,
    /// Paths of each process at most, where the scenario does not say less.
    #[arg(long, value_name = "N", default_value_t = Effort::default().max_seeds, value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    max_seeds: u64,
    /// Judge every claim, also of mutants that one has noticed.
    #[arg(long)]
    every_claim: bool,
    /// Print only scenarios with a mutant that survives beyond the margin or stays undecided.
    #[arg(long)]
    quiet: bool,
}

/// Runs the mutants and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let overrides = Overrides { seeds: arguments.seeds, max_seeds: None };
    let mut scenarios = match arguments.selection.load(overrides) {
        Ok(scenarios) => scenarios,
        Err(errors) => return refuse(&errors),
    };
    let first = scenarios.values().next().map(|loaded| loaded.file.clone()).unwrap_or_default();
    scenarios.retain(|_, loaded| has_only_upheld_claims(&loaded.experiment));
    if scenarios.is_empty() {
        let message =
            "no scenario whose claims should all be upheld; expected one, in which mistakes would be noticed";
        return refuse(&[InputError::whole(&first, message)]);
    }
    run_all(arguments, &scenarios).unwrap_or_else(|error| fail(&error))
}

fn run_all(arguments: &Arguments, scenarios: &Scenarios) -> io::Result<u8> {
    if let Some(out) = &arguments.out {
        create_folder(out)?;
    }
    let workers = Workers::new(arguments.selection.pool()?)?;
    let mut matrix = KillMatrix::default();
    let cells = (scenarios.len() * matrix.catalogue.len()) as u64;
    let bar = Arc::new(Bar::of_whole("mutants", cells, arguments.quiet));
    standard_output(|out| out.write_all(terminal_header(&matrix).as_bytes()))?;
    for (name, loaded) in scenarios {
        let (there, bar_there) = (Arc::clone(loaded), Arc::clone(&bar));
        let effort = Effort { every_claim: arguments.every_claim, max_seeds: arguments.max_seeds };
        let Some(fates) = workers.run(move || fates(&there, effort, &bar_there)) else {
            matrix.interrupted = true;
            break;
        };
        let row = Row { name: name.clone(), sha256: loaded.sha256.clone(), fates };
        let is_worth = row.fates.iter().any(|fate| is_survivor(fate) || is_undecided(fate));
        if is_worth || !arguments.quiet {
            bar.suspend(|| standard_output(|out| out.write_all(terminal_row(&matrix, &row).as_bytes())))?;
        }
        matrix.scenarios.push(row);
    }
    bar.finish();
    matrix.interrupted |= workers.was_interrupted();
    standard_output(|out| {
        if !arguments.quiet {
            out.write_all(terminal_legend(&matrix).as_bytes())?;
        }
        if matrix.interrupted {
            let left = scenarios.len() - matrix.scenarios.len();
            writeln!(out, "interrupted; {left} more scenarios were not come to")?;
        }
        writeln!(out, "{}", matrix.summary())
    })?;
    if let Some(out) = &arguments.out {
        write(out, &matrix)?;
    }
    Ok(exit_code(&matrix))
}

/// What becomes of every mutant in one scenario, in the order of the catalogue.
fn fates(loaded: &Loaded, effort: Effort, bar: &Bar) -> Vec<Fate> {
    let judged = |&mutant: &Mutant| {
        let fate = fate(&loaded.experiment, mutant, effort, &Unheard);
        bar.tick(1);
        fate
    };
    Mutant::all().par_iter().map(judged).collect()
}

/// The bar counts mutants; how far one has come is not shown.
struct Unheard;

impl Progress for Unheard {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn write(out: &Path, matrix: &KillMatrix) -> io::Result<()> {
    write_whole(&out.join("mutants.json"), &matrix.json()?)?;
    write_whole(&out.join("mutants.md"), markdown(matrix).as_bytes())
}

fn is_survivor(fate: &Fate) -> bool {
    matches!(fate, Fate::Beyond { .. })
}

fn is_undecided(fate: &Fate) -> bool {
    matches!(fate, Fate::Undecided { .. })
}

fn exit_code(matrix: &KillMatrix) -> u8 {
    if matrix.interrupted {
        exit::INTERRUPTED
    } else if matrix.any(is_survivor) {
        exit::NOT_AS_EXPECTED
    } else if matrix.any(is_undecided) {
        exit::INCONCLUSIVE
    } else {
        exit::AS_EXPECTED
    }
}
