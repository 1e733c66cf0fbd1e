//! The terminal: one line a claim, and a bar with the time left.

use super::Report;
use crate::claim::{Finding, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, Write};

/// The lines of one scenario; with `quiet` only those of claims that did not come out as expected.
pub fn print(out: &mut impl Write, name: &str, report: &Report, quiet: bool) -> io::Result<()> {
    for claim in &report.claims {
        if quiet && claim.as_expected {
            continue;
        }
        let Finding { kind, sentence, .. } = claim;
        let expected = if claim.as_expected {
            ", as expected".to_owned()
        } else {
            format!(", expected {}", claim.expected)
        };
        writeln!(out, "{} {name}: {kind} {}{expected}: {sentence}", mark(claim), claim.verdict)?;
    }
    Ok(())
}

/// The last line of a run.
pub fn print_summary(out: &mut impl Write, reports: &[&Report]) -> io::Result<()> {
    writeln!(out, "{}", super::summary(reports.iter().copied()))
}

fn mark(claim: &Finding) -> &'static str {
    match claim.standing() {
        "passed" => "ok  ",
        "failed" => "FAIL",
        _ => "??  ",
    }
}

/// A progress bar on standard error; nothing is drawn where that is not a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// The bar of the scenario `name`, the `number`-th of `total`.
    pub fn new(name: &str, number: usize, total: usize) -> Self {
        let bar = ProgressBar::new(0);
        let template = "{prefix} {wide_bar:.blue} {elapsed_precise}, {eta_precise} left for this look";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(format!("[{number}/{total}] {name}"));
        Self(bar)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn announce(&self, units: u64) {
        self.0.inc_length(units);
    }

    fn tick(&self, units: u64) {
        self.0.inc(units);
    }
}
