//! `itocheck plot`.

use super::{exit, fail, refuse};
use crate::claim::MomentTables;
use crate::report::plot::Chosen;
use crate::report::write_whole;
use crate::scenario::{InputError, is_line};
use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Longest report that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 28;

/// More panels in one figure cannot be read.
const MOST_FUNCTIONS: usize = 12;

/// Longest side of a figure, in points.
const LONGEST_SIDE: u32 = 8000;

/// Arguments of `itocheck plot`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A report.json.
    report: PathBuf,
    /// The file to write: .svg, .png, or .csv for the numbers.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Optional: a test function by its name in the report, such as "x[0]"; once for each panel [default: the
    /// first 12, for .csv all].
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// Width and height in points, such as 900x560 [default: 900x560, higher for more than two rows of panels].
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    size: Option<(u32, u32)>,
    /// The title [default: that of the scenario].
    #[arg(long, value_name = "TEXT", value_parser = title)]
    title: Option<String>,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| text.parse().ok().filter(|side| (1..=LONGEST_SIDE).contains(side));
        Some((side(width)?, side(height)?))
    });
    sides.ok_or_else(|| format!("expected width and height, such as 900x560, each at most {LONGEST_SIDE}"))
}

fn title(text: &str) -> Result<String, String> {
    if is_line(text) { Ok(text.to_owned()) } else { Err("expected one short line".to_owned()) }
}

/// What is read of a report.
#[derive(Deserialize)]
struct Report {
    scenario: Scenario,
    moments: Option<MomentTables>,
}

#[derive(Deserialize)]
struct Scenario {
    title: String,
}

/// Draws test functions of a report and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let bytes = match render(arguments) {
        Ok(bytes) => bytes,
        Err(error) => return refuse(&[error]),
    };
    match write_whole(&arguments.out, &bytes) {
        Ok(()) => exit::AS_EXPECTED,
        Err(error) => fail(&error),
    }
}

/// What a file can hold.
#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
    Csv,
}

/// What the extension of a file says that it holds.
fn format_of(file: &Path) -> Result<Format, InputError> {
    match &*file.extension().unwrap_or_default().to_string_lossy() {
        "svg" => Ok(Format::Svg),
        "png" => Ok(Format::Png),
        "csv" => Ok(Format::Csv),
        other => {
            let message = format!("the extension {other:?}; expected .svg, .png or .csv");
            Err(InputError::whole(file, message))
        }
    }
}

fn render(arguments: &Arguments) -> Result<Vec<u8>, InputError> {
    let format = format_of(&arguments.out)?;
    let report = &arguments.report;
    let wrong = |message: String| InputError::whole(report, message);
    let (title, tables) = read(report)?;
    let functions = functions(&tables, &arguments.function).map_err(wrong)?;
    let first = |count: usize| (0..tables.functions.len().min(count)).collect();
    if matches!(format, Format::Csv) {
        return Ok(csv(&tables, &functions.unwrap_or_else(|| first(usize::MAX))).into_bytes());
    }
    let functions: Vec<usize> = functions.unwrap_or_else(|| first(MOST_FUNCTIONS));
    if functions.len() > MOST_FUNCTIONS {
        let message = format!("{} functions; expected at most {MOST_FUNCTIONS} in a figure", functions.len());
        return Err(wrong(message));
    }
    let is_cut = arguments.function.is_empty() && functions.len() < tables.functions.len();
    let note =
        is_cut.then(|| format!("the first {} of {} test functions", functions.len(), tables.functions.len()));
    let title = arguments.title.as_deref().unwrap_or(&title);
    let figure = Chosen::new(title, (&tables).into(), functions, arguments.size, note);
    let figure = figure.map_err(|message| wrong(format!("the size {message}")))?;
    let bytes = if matches!(format, Format::Svg) { figure.svg() } else { figure.png() };
    bytes.map_err(wrong)
}

/// Title and moments of a report.
fn read(report: &Path) -> Result<(String, MomentTables), InputError> {
    let text = InputError::read(report, LONGEST_FILE, "a report.json")?;
    let Report { scenario, moments } =
        serde_json::from_str(&text).map_err(|error| InputError::json(report, &text, &error))?;
    let Some(tables) = moments else {
        let message = "no moments; expected the report of a scenario that claims a trajectory";
        return Err(InputError::whole(report, message));
    };
    if let Some(name) = tables.functions.iter().chain([&scenario.title]).find(|name| !is_line(name)) {
        return Err(InputError::whole(report, format!("the name {name:?}; expected one short line")));
    }
    if !tables.is_rectangular() || tables.functions.is_empty() {
        let message = "tables of different shapes; expected a row for each function, a column for each time";
        return Err(InputError::whole(report, message));
    }
    Ok((scenario.title, tables))
}

/// Indices of the functions of these names; none where no name is given.
fn functions(tables: &MomentTables, names: &[String]) -> Result<Option<Vec<usize>>, String> {
    let index = |name: &String| {
        let known = tables.functions.iter().position(|function| function == name);
        known.ok_or_else(|| {
            format!("no test function {name:?}; expected some of {}", tables.functions.join(", "))
        })
    };
    let indices: Vec<usize> = names.iter().map(index).collect::<Result<_, _>>()?;
    Ok((!indices.is_empty()).then_some(indices))
}

/// A row for each function and time; what has no value is empty.
fn csv(tables: &MomentTables, functions: &[usize]) -> String {
    let mut text = "function,time,optimizer_mean,optimizer_standard_error,sde_mean,sde_standard_error,\
                    integrator_bias,gap,gap_low,gap_high,margin\n"
        .to_owned();
    for &row in functions {
        for (column, time) in tables.times.iter().enumerate() {
            let MomentTables { optimizer, sde, gap, .. } = tables;
            let interval = gap.interval[row][column];
            let values = [
                optimizer.mean[row][column],
                optimizer.standard_error[row][column],
                sde.table.mean[row][column],
                sde.table.standard_error[row][column],
                sde.integrator_bias[row][column],
                gap.estimate[row][column],
                interval.map(|[low, _]| low),
                interval.map(|[_, high]| high),
                gap.margin[row][column],
            ];
            let cells = values.map(|value| value.map_or(String::new(), |value| value.to_string()));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{},{time},{}", quoted(&tables.functions[row]), cells.join(","));
        }
    }
    text
}

/// A name as CSV has it: in quotes where it holds what separates cells (RFC 4180).
fn quoted(name: &str) -> String {
    if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
