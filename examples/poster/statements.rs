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
    /// Which of these, from 0 on; all unless given.
    pub only: Option<usize>,
    /// What is judged, where it is not the statement itself.
    pub of: Option<String>,
    /// What it is evidence for.
    #[serde(default)]
    pub role: Role,
}

/// What a scenario is evidence for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The statement as it is made.
    #[default]
    Statement,
    /// What holds in its place.
    Corrected,
    /// The statement outside of the conditions that it needs.
    Limit,
    /// A mistake that the same claim has to see.
    Control,
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
