//! How the random numbers of a step are drawn.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the steps of an optimizer are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// As the optimizer is written down: the noise of every agent, and what it sends of it.
    #[default]
    Faithful,
    /// The sum over the agents from its law given the state, with fewer random numbers.
    ExactInLaw,
}

impl Sampling {
    /// What a verdict on paths that are so drawn rests on, by its name in reports.
    pub fn assumption(self) -> Option<&'static str> {
        (self == Self::ExactInLaw).then_some("steps_drawn_from_their_law")
    }
}
