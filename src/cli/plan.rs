//! `itocheck plan`.

use super::interrupt::Workers;
use super::select::Selection;
use super::{exit, fail, refuse, standard_output};
use crate::claim::{Forecast, forecast};
use crate::report::terminal::{Bar, plain};
use crate::scenario::Overrides;
use std::io::{self, Write};
use std::sync::Arc;

/// Arguments of `itocheck plan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Paths of each process at the first look.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    seeds: Option<u64>,
    /// Paths of each process at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(512..=1 << 32))]
    max_seeds: Option<u64>,
    /// Show no progress.
    #[arg(long)]
    quiet: bool,
}

/// Rehearses scenarios and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let overrides = Overrides { seeds: arguments.seeds, max_seeds: arguments.max_seeds };
    match arguments.selection.load(overrides) {
        Ok(scenarios) => plan(arguments, &scenarios).unwrap_or_else(|error| fail(&error)),
        Err(errors) => refuse(&errors),
    }
}

fn plan(arguments: &Arguments, scenarios: &super::select::Scenarios) -> io::Result<u8> {
    let workers = Workers::new(arguments.selection.pool()?)?;
    let mut seconds = 0.0;
    for (index, (name, loaded)) in scenarios.iter().enumerate() {
        let bar = Arc::new(Bar::new(name, index + 1, scenarios.len(), arguments.quiet));
        let (there, bar_there) = (Arc::clone(loaded), Arc::clone(&bar));
        let forecasts = workers.run(move || forecast(&there.experiment, &*bar_there));
        bar.finish();
        let Some(forecasts) = forecasts else { return Ok(exit::INTERRUPTED) };
        seconds += forecasts.iter().flatten().map(|forecast| forecast.seconds).sum::<f64>();
        standard_output(|out| forecasts.iter().try_for_each(|forecast| print(out, name, forecast.as_ref())))?;
    }
    standard_output(|out| {
        let threads = workers.threads();
        let count = scenarios.len();
        let plural = if count == 1 { "" } else { "s" };
        writeln!(
            out,
            "{count} scenario{plural}: about {} with {threads} threads, besides figures",
            duration(seconds)
        )
    })?;
    Ok(exit::AS_EXPECTED)
}

fn print(out: &mut impl Write, name: &str, forecast: Option<&Forecast>) -> io::Result<()> {
    let name = plain(name);
    let Some(Forecast { kind, verdict, sample, looks, detectable_gap, seconds, .. }) = forecast else {
        return writeln!(out, "{name}: order cannot be planned where it is sampled");
    };
    let at_look = match looks {
        0 => String::new(),
        look => format!(" at look {look}"),
    };
    let detectable =
        detectable_gap.map_or(String::new(), |gap| format!(", gaps from {gap:.2} margins on detectable"));
    let time = duration(*seconds);
    writeln!(out, "{name}: {kind} {verdict}{at_look}: {sample}{detectable}, about {time}")
}

/// A time to one or two digits.
fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.095 => format!("{:.0} ms", 1e3 * seconds),
        seconds if seconds < 9.5 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}
