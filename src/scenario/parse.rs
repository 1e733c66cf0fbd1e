//! Text → [`Scenario`]: the shape of a file, with unknown keys refused.

use crate::claim::ClaimParameters;
use crate::compressor::CompressorParameters;
use crate::ensemble::BoundedFunction;
use crate::noise::NoiseParameters;
use crate::objective::ObjectiveParameters;
use crate::optimizer::OptimizerName;
use crate::parameter::PerCoordinate;
use crate::sde::{Form, Mutant};
use serde::Deserialize;

/// A scenario as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that says what is compared.
    pub title: String,
    /// Where the SDE is from, such as "Theorem 1".
    pub source: Option<String>,
    /// Which optimizer.
    pub optimizer: OptimizerName,
    /// Which objective.
    pub objective: ObjectiveParameters,
    /// The groups of agents.
    pub agents: Vec<AgentGroup>,
    /// The run.
    pub run: RunParameters,
    /// The SDE and its integration.
    #[serde(default)]
    pub sde: SdeParameters,
    /// Seeds and error rate.
    #[serde(default)]
    pub monte_carlo: MonteCarlo,
    /// Bounded test functions.
    #[serde(default)]
    pub functions: Vec<BoundedFunction>,
    /// What is claimed.
    #[serde(default)]
    pub claims: Vec<ClaimParameters>,
}

/// Agents that are alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentGroup {
    /// How many.
    pub count: usize,
    /// B.
    #[serde(default = "one")]
    pub batch_size: usize,
    /// The noise of one sample.
    pub noise: NoiseParameters,
    /// What is sent; dcsgd only.
    pub compressor: Option<CompressorParameters>,
    /// `∇f_i − ∇f`, constant, averaging to zero over the agents.
    pub gradient_offset: Option<PerCoordinate>,
}

fn one() -> usize {
    1
}

/// `[run]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunParameters {
    /// η.
    pub learning_rate: f64,
    /// K.
    pub steps: usize,
    /// Record times besides t = 0.
    pub records: usize,
    /// `x_0`.
    pub start: PerCoordinate,
    /// Where both processes stop.
    pub domain: Option<DomainParameters>,
}

/// `domain = { radius }`: a ball about the origin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainParameters {
    /// R.
    pub radius: f64,
}

/// `[sde]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SdeParameters {
    /// How the SDE is written down.
    pub form: Form,
    /// m.
    pub substeps: usize,
    /// The integrator.
    pub scheme: Scheme,
    /// A deliberate mistake.
    pub mutant: Option<Mutant>,
}

impl Default for SdeParameters {
    fn default() -> Self {
        Self { form: Form::General, substeps: 4, scheme: Scheme::EulerMaruyama, mutant: None }
    }
}

/// Integrators by their names in scenarios.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Weak order 1.
    EulerMaruyama,
}

/// `[monte_carlo]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonteCarlo {
    /// Every draw follows from it.
    pub seed: u64,
    /// Paths of each process at the first look; rounded up to whole blocks.
    pub seeds: u64,
    /// Paths of each process at most.
    pub max_seeds: u64,
    /// α: the probability of a wrong verdict, at most.
    pub error_rate: f64,
}

impl Default for MonteCarlo {
    fn default() -> Self {
        Self { seed: 20_250_503, seeds: 4096, max_seeds: 1 << 20, error_rate: 1e-6 }
    }
}

pub(super) fn parse(text: &str) -> Result<Scenario, toml::de::Error> {
    toml::from_str(text)
}
