//! Where the time of a run went.

use std::collections::BTreeMap;
use std::fmt;

/// Seconds of the phases of a run.
#[derive(Default)]
pub(super) struct Timings {
    /// Until the first scenario begins.
    pub start_up: f64,
    /// To the verdicts.
    pub judging: f64,
    /// To the verdicts on claims of each kind.
    pub claims: BTreeMap<String, f64>,
    /// Of drawing and writing figures, beside the judging.
    pub figures: f64,
    /// What of that came after the last verdict.
    pub figures_after: f64,
    /// Of index.html and junit.xml.
    pub page: f64,
}

impl Timings {
    /// Adds a scenario, with the seconds to each verdict.
    pub fn add(&mut self, judging: f64, claims: &[(String, f64)]) {
        self.judging += judging;
        for (kind, seconds) in claims {
            *self.claims.entry(kind.clone()).or_default() += seconds;
        }
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "start-up {:.3} s", self.start_up)?;
        let claims: Vec<String> =
            self.claims.iter().map(|(kind, seconds)| format!("{kind} {seconds:.2} s")).collect();
        writeln!(f, "verdicts {:.2} s ({})", self.judging, claims.join(", "))?;
        writeln!(f, "figures {:.2} s beside them, {:.2} s after the last", self.figures, self.figures_after)?;
        write!(f, "page {:.2} s", self.page)
    }
}
