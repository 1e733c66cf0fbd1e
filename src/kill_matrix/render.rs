//! The kill matrix as text: a character for each mutant on the terminal, and tables in Markdown.

use super::{Distance, Entry, Fate, KillMatrix, Killer, Row};
use crate::claim::{Difference, OrderOfDifference};
use crate::report::terminal::{FAILED, INCONCLUSIVE, PASSED, plain};
use anstyle::Style;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Symbols and what they say, the killers first.
const LEGEND: &[(&str, &str)] = &[
    ("c", "killed by the claim coefficients"),
    ("t", "killed by the claim trajectory"),
    ("o", "killed by the claim order"),
    ("x", "killed by a contradiction to exact expectations or declared moments"),
    ("~", "survives, but differs from the right one by less than the margin"),
    ("S", "SURVIVES, and differs from the right one by more than the margin"),
    ("?", "undecided within the budget"),
    ("=", "equivalent: no mistake here"),
    (".", "inapplicable: the mistake cannot be made here, or nothing here could notice it"),
];

fn symbol_of_killer(killer: Killer) -> char {
    match killer {
        Killer::Coefficients => 'c',
        Killer::Trajectory => 't',
        Killer::Order => 'o',
        Killer::Contradiction => 'x',
    }
}

impl Fate {
    /// One character; several where several claims were judged and noticed.
    fn symbol(&self) -> String {
        match self {
            Self::Killed { by, .. } => by.iter().map(|&killer| symbol_of_killer(killer)).collect(),
            Self::Within { .. } => "~".to_owned(),
            Self::Beyond { .. } => "S".to_owned(),
            Self::Undecided { .. } => "?".to_owned(),
            Self::Equivalent { .. } => "=".to_owned(),
            Self::Inapplicable { .. } => ".".to_owned(),
        }
    }

    fn style(&self) -> Style {
        match self {
            Self::Killed { .. } => PASSED,
            Self::Beyond { .. } => FAILED,
            Self::Within { .. } | Self::Undecided { .. } => INCONCLUSIVE,
            Self::Equivalent { .. } | Self::Inapplicable { .. } => Style::new(),
        }
    }

    /// What there is to say of a mutant that was not killed.
    fn explanation(&self) -> Option<String> {
        match self {
            Self::Within { distance } => Some(format!("within the margin: {}", describe(distance))),
            Self::Beyond { distance } => Some(format!("beyond the margin: {}", describe(distance))),
            Self::Undecided { claim: Some(claim), distance } => {
                Some(format!("{}; {claim}", describe(distance)))
            }
            Self::Undecided { claim: None, distance } => Some(format!(
                "all claims are upheld, but it is undecided whether it is within the margin: {}",
                describe(distance)
            )),
            _ => None,
        }
    }
}

/// By how many margins a mutant differs from the right one.
fn describe(Distance { coefficients, trajectory, order }: &Distance) -> String {
    let by = |Difference { margins, interval: [low, high], .. }: &Difference| {
        if low == high {
            format!("{margins:.2} margins")
        } else {
            format!("{margins:.2} [{low:.2}, {high:.2}] margins")
        }
    };
    let of_step = coefficients.as_ref().map(|difference @ Difference { function, time, .. }| {
        format!("one step differs by {} ({function} at t = {time:.4})", by(difference))
    });
    let of_paths = trajectory.as_ref().map(|difference @ Difference { function, time, .. }| {
        format!("expectations by {} (E {function} at t = {time:.4})", by(difference))
    });
    let of_order = order.as_ref().map(|OrderOfDifference { order, claimed }| {
        format!("which falls like η^{order:.2} (claimed: order {claimed})")
    });
    let parts: Vec<String> = of_step.into_iter().chain(of_order).chain(of_paths).collect();
    if parts.is_empty() { "no margin to measure it by".to_owned() } else { parts.join(", ") }
}

/// Width of the names of scenarios.
const NAMES: usize = 34;

/// Numbers of the columns, digits below each other.
pub fn terminal_header(matrix: &KillMatrix) -> String {
    let columns = 1..=matrix.catalogue.len();
    let tens: String = columns.clone().map(|number| digit(number / 10)).collect();
    let ones: String = columns.map(|number| digit(number % 10)).collect();
    format!("{:NAMES$} {}\n{:NAMES$} {ones}\n", "", tens.replace('0', " "), "scenario")
}

fn digit(digit: usize) -> char {
    char::from_digit(digit as u32 % 10, 10).unwrap_or(' ')
}

/// A scenario, and a line for each mutant that survives beyond the margin or stays undecided.
pub fn terminal_row(matrix: &KillMatrix, row: &Row) -> String {
    let mut text = format!("{:NAMES$} ", plain(&row.name));
    for fate in &row.fates {
        // Of several killers the first, which is enough.
        let (style, first) = (fate.style(), fate.symbol().chars().next().unwrap_or(' '));
        let _ = write!(text, "{style}{first}{style:#}");
    }
    text.push('\n');
    for (entry, fate) in matrix.catalogue.iter().zip(&row.fates) {
        let tells = matches!(fate, Fate::Undecided { .. } | Fate::Beyond { .. });
        if let (true, Some(explanation)) = (tells, fate.explanation()) {
            let style = fate.style();
            let Entry { side, name, .. } = entry;
            let symbol = fate.symbol();
            let _ = writeln!(text, "  {style}{symbol}{style:#} {side} {name}: {}", plain(&explanation));
        }
    }
    text
}

/// What symbols and numbers say.
pub fn terminal_legend(matrix: &KillMatrix) -> String {
    let mut text = String::new();
    for (symbol, meaning) in LEGEND {
        let _ = writeln!(text, "{symbol}  {meaning}");
    }
    for (index, Entry { side, name, about }) in matrix.catalogue.iter().enumerate() {
        let _ = writeln!(text, "{:2} {side} {name}: {about}", index + 1);
    }
    text
}

/// Catalogue, matrix and survivors.
pub fn markdown(matrix: &KillMatrix) -> String {
    let mut text = String::from("<!-- Written by itocheck mutants --out; do not edit. -->\n\n");
    let _ = writeln!(text, "{}.\n\n## The catalogue\n", matrix.summary());
    text += "| | in the | mutant | mistake | killed | within margin | beyond | undecided | equivalent |\n";
    text += "| ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n";
    for (index, Entry { side, name, about }) in matrix.catalogue.iter().enumerate() {
        let count = |is_such: fn(&Fate) -> bool| {
            matrix.scenarios.iter().filter(|row| is_such(&row.fates[index])).count()
        };
        let killed = count(|fate| matches!(fate, Fate::Killed { .. }));
        let within = count(|fate| matches!(fate, Fate::Within { .. }));
        let beyond = count(|fate| matches!(fate, Fate::Beyond { .. }));
        let undecided = count(|fate| matches!(fate, Fate::Undecided { .. }));
        let equivalent = count(|fate| matches!(fate, Fate::Equivalent { .. }));
        let number = index + 1;
        let _ = writeln!(
            text,
            "| {number} | {side} | `{name}` | {about} | {killed} | {within} | {beyond} | {undecided} | {equivalent} |"
        );
    }
    text += "\n## The matrix\n\n| symbol | |\n| --- | --- |\n";
    for (symbol, meaning) in LEGEND {
        let _ = writeln!(text, "| `{symbol}` | {meaning} |");
    }
    let numbers: Vec<String> = (1..=matrix.catalogue.len()).map(|number| number.to_string()).collect();
    let _ =
        writeln!(text, "\n| scenario | {} |\n| --- |{}", numbers.join(" | "), " --- |".repeat(numbers.len()));
    for row in &matrix.scenarios {
        let symbols: Vec<String> = row.fates.iter().map(Fate::symbol).collect();
        let _ = writeln!(text, "| {} | {} |", escaped(&row.name), symbols.join(" | "));
    }
    text += "\n## Not killed\n\n| scenario | mutant | by how much it differs |\n| --- | --- | --- |\n";
    for row in &matrix.scenarios {
        for (entry, fate) in matrix.catalogue.iter().zip(&row.fates) {
            if let Some(explanation) = fate.explanation() {
                let (name, side, mutant) = (escaped(&row.name), entry.side, entry.name);
                let _ = writeln!(text, "| {name} | {side} `{mutant}` | {} |", escaped(&explanation));
            }
        }
    }
    text += "\n## No mistake, and why\n\n| mutant | | scenarios | because |\n| --- | --- | ---: | --- |\n";
    for (index, Entry { side, name, .. }) in matrix.catalogue.iter().enumerate() {
        let mut reasons: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for fate in matrix.scenarios.iter().map(|row| &row.fates[index]) {
            if let Fate::Equivalent { because } | Fate::Inapplicable { because } = fate {
                *reasons.entry((fate.symbol(), because)).or_default() += 1;
            }
        }
        for ((symbol, because), count) in reasons {
            let _ = writeln!(text, "| {side} `{name}` | `{symbol}` | {count} | {} |", escaped(because));
        }
    }
    text
}

/// Text in a cell of a table.
fn escaped(text: &str) -> String {
    plain(text).replace('|', "\\|")
}
