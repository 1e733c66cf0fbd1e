//! `itocheck plan`.

use super::interrupt::Workers;
use super::select::{Seeds, Selection};
use super::{exit, fail, refuse, standard_output};
use crate::claim::{Forecast, forecast};
use crate::report::terminal::{Bar, plain};
use std::io::{self, Write};
use std::sync::Arc;

/// Arguments of `itocheck plan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    seeds: Seeds,
    /// Show no progress.
    #[arg(long)]
    quiet: bool,
}

/// Rehearses scenarios and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    match arguments.selection.load(arguments.seeds.overrides()) {
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
        standard_output(|out| {
            forecasts
                .iter()
                .zip(&loaded.experiment.claims)
                .try_for_each(|(forecast, claim)| print(out, name, claim.kind(), forecast.as_ref()))
        })?;
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

fn print(out: &mut impl Write, name: &str, kind: &str, forecast: Option<&Forecast>) -> io::Result<()> {
    let name = plain(name);
    let Some(Forecast { verdict, sample, looks, detectable_gap, seconds, .. }) = forecast else {
        return writeln!(out, "{name}: {kind} is not planned");
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
