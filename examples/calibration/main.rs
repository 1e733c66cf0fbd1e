//! Counts wrong verdicts where the truth is known, and writes what it finds to docs/calibration.md:
//! `cargo run --release --example calibration`.

pub mod cases;
mod simulated;
mod synthetic;
pub mod table;
mod tally;

use cases::{Case, cases, controls};
use std::time::Instant;
use table::{HEAD, Row};

const FILE: &str = "docs/calibration.md";
const TEXT: &str = include_str!("calibration.md");

fn main() -> std::io::Result<()> {
    let begin = Instant::now();
    let held = cases();
    let (rates, controls) = (table(&held, 0), table(&controls(), held.len()));
    let minutes = format!("{:.0}", begin.elapsed().as_secs_f64() / 60.0);
    let threads = rayon::current_num_threads().to_string();
    let text = TEXT.replace("{minutes}", &minutes).replace("{threads}", &threads);
    std::fs::write(FILE, text.replace("{rates}", &rates).replace("{controls}", &controls))
}

/// Runs cases in full; they stand behind `before` others.
fn table(cases: &[Case], before: usize) -> String {
    let mut table = HEAD.to_owned();
    for (position, case) in cases.iter().enumerate() {
        let begin = Instant::now();
        let tally = case.run(case.verdicts[0], before + position);
        for &wrong in case.wrong {
            let line = Row::new(case, wrong, &tally).line(&tally, begin.elapsed().as_secs_f64());
            eprint!("{line}");
            table += &line;
        }
    }
    table
}
