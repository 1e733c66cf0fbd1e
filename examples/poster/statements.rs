//! What the poster says, and by which claims of which scenarios it is judged.

use serde::Deserialize;

/// A part of the poster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// In the words of the theory.
    pub says: String,
    /// What to make of the verdicts: a mistake, a condition, a limit.
    pub remark: Option<String>,
    /// What it is judged by.
    pub evidence: Vec<Evidence>,
    /// A figure of the first scenario.
    pub figure: Option<String>,
}

/// Claims of one scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The path of its file below scenarios/, without `.toml`.
    pub scenario: String,
    /// The kind of its claims; all that the scenario writes unless given.
    pub claim: Option<String>,
    /// What holds where the verdict is *upheld*, for a negative control: what does not.
    pub of: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Poster {
    sections: Vec<Section>,
}

/// Reads the sections.
pub fn read(text: &str) -> Result<Vec<Section>, String> {
    toml::from_str::<Poster>(text).map(|poster| poster.sections).map_err(|error| error.to_string())
}
