//! Whether the claims of a scenario notice mistakes: each of a catalogue of wrong SDEs and wrong optimizers is put in
//! the place of the right one, and the scenario's own claims are judged.

mod distance;
mod fate;
mod render;

use crate::mutant::Mutant;
use schemars::JsonSchema;
use serde::Serialize;

pub use distance::Distance;
pub use fate::{Effort, Fate, Killer, fate, has_only_upheld_claims};
pub use render::{markdown, terminal_header, terminal_legend, terminal_row};

/// The schema of `mutants.json`.
const SCHEMA: &str = "itocheck/mutants/1";

/// What became of every mutant in every scenario.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KillMatrix {
    /// Names this shape.
    schema: &'static str,
    /// Of itocheck.
    version: &'static str,
    /// Whether not all scenarios were come to.
    pub interrupted: bool,
    /// The mutants, in the order of the columns.
    pub catalogue: Vec<Entry>,
    /// The rows.
    pub scenarios: Vec<Row>,
}

/// A mutant.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// What is wrong: `sde` or `optimizer`.
    pub side: &'static str,
    /// Its name, unique on its side.
    pub name: &'static str,
    /// What is wrong, in a formula.
    pub about: &'static str,
}

/// A scenario.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The stem of its file.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: String,
    /// One a mutant, in the order of the catalogue.
    pub fates: Vec<Fate>,
}

impl Default for KillMatrix {
    fn default() -> Self {
        let entry =
            |mutant: Mutant| Entry { side: mutant.side(), name: mutant.name(), about: mutant.about() };
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            interrupted: false,
            catalogue: Mutant::all().into_iter().map(entry).collect(),
            scenarios: Vec::new(),
        }
    }
}

impl KillMatrix {
    /// Whether any fate in any scenario is such.
    pub fn any(&self, is_such: impl Fn(&Fate) -> bool) -> bool {
        self.scenarios.iter().flat_map(|row| &row.fates).any(is_such)
    }

    /// How many fates are such.
    fn count(&self, is_such: impl Fn(&Fate) -> bool) -> usize {
        self.scenarios.iter().flat_map(|row| &row.fates).filter(|fate| is_such(fate)).count()
    }

    /// How many there are of each fate, in a line.
    pub fn summary(&self) -> String {
        format!(
            "{} scenarios: {} mutants killed, {} within the margin, {} SURVIVED beyond it, {} undecided, {} equivalent",
            self.scenarios.len(),
            self.count(|fate| matches!(fate, Fate::Killed { .. })),
            self.count(|fate| matches!(fate, Fate::Within { .. })),
            self.count(|fate| matches!(fate, Fate::Beyond { .. })),
            self.count(|fate| matches!(fate, Fate::Undecided { .. })),
            self.count(|fate| matches!(fate, Fate::Equivalent { .. })),
        )
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}
