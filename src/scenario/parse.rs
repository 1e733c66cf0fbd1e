//! Text → [`Scenario`]: the shape of a file, with unknown keys refused.

use crate::claim::{ClaimParameters, Quantity};
use crate::compressor::CompressorParameters;
use crate::ensemble::BoundedFunction;
use crate::integrator::SchemeName;
use crate::mutant::SdeMutant;
use crate::noise::NoiseParameters;
use crate::objective::ObjectiveParameters;
use crate::optimizer::{OptimizerParameters, Sampling};
use crate::parameter::PerCoordinate;
use crate::sde::Form;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is compared, and what is claimed of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that says what is compared, at most 200 characters.
    pub title: String,
    /// Where the SDE is from, such as "Theorem 1"; shown in the report.
    pub source: Option<String>,
    /// The optimizer that the SDE should track.
    pub optimizer: OptimizerParameters,
    /// The objective f that is minimised.
    pub objective: ObjectiveParameters,
    /// The N agents, in groups that are alike; at least one group.
    pub agents: Vec<AgentGroup>,
    /// Over what the two are compared.
    pub run: RunParameters,
    /// The SDE, which is derived from the optimizer, and its integration.
    #[serde(default)]
    pub sde: SdeParameters,
    /// Paths and error rate. Without it, claims whose expectations are exact on both sides are decided without paths.
    pub monte_carlo: Option<MonteCarlo>,
    /// Bounded test functions, besides coordinates, their products, scaled fluctuations and the loss; their moments exist
    /// whatever the noise.
    #[serde(default)]
    pub functions: Vec<BoundedFunction>,
    /// K, from 1 to 256, for large dimensions: instead of coordinates and their products, compares the loss, ‖x‖², ‖∇f‖²,
    /// `p[k] = u_kᵀ x` along K unit vectors u_k that the seed draws uniformly from the sphere, and scaled fluctuations of
    /// these about the flow; `coefficients` compares along the u_k too.
    pub projections: Option<usize>,
    /// The scenario at other values of one or two of its numbers.
    pub sweep: Option<SweepParameters>,
    /// What is claimed, one kind an entry; `coefficients` is added where it is missing and can be sampled.
    #[serde(default)]
    pub claims: Vec<ClaimParameters>,
}

/// Agents that are alike.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentGroup {
    /// Agents in the group, at least 1.
    pub count: usize,
    /// B, the samples that each agent averages; Gaussian and Student-t scales are divided by √B.
    #[serde(default = "one")]
    pub batch_size: usize,
    /// The gradient noise of one sample.
    pub noise: NoiseParameters,
    /// What an agent sends in place of its gradient, for optimizers that compress; identity unless given.
    pub compressor: Option<CompressorParameters>,
    /// `∇f_i − ∇f`, constant, averaging to zero over all agents; 0 unless given.
    pub gradient_offset: Option<PerCoordinate>,
}

fn one() -> usize {
    1
}

/// `[run]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunParameters {
    /// η, above 0.
    pub learning_rate: f64,
    /// K, at least 1; the run ends at t = Kη.
    pub steps: usize,
    /// Record times besides t = 0, evenly spaced; a divisor of `steps`.
    pub records: usize,
    /// `x_0`, where both processes start. May be left out where f has an initial point of its own.
    pub start: Option<PerCoordinate>,
    /// A ball about 0, outside of which both processes stop. Required where ∇f grows faster than linearly and steps with
    /// it; adds the test function exit.
    pub domain: Option<DomainParameters>,
    /// How the steps of the optimizer are drawn.
    #[serde(default)]
    pub sampling: Sampling,
}

/// `domain = { radius }`: a ball about the origin.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainParameters {
    /// R, above the norm of the start.
    pub radius: f64,
}

/// `[sde]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SdeParameters {
    /// How the SDE is written down.
    pub form: Form,
    /// m, from 1 to 10000: the SDE is integrated with 2m steps to each η, and with m to measure the bias.
    pub substeps: usize,
    /// The integrator.
    pub scheme: SchemeName,
    /// A deliberate mistake in the SDE, whose claims should then be refuted; none unless given.
    pub mutant: Option<SdeMutant>,
}

impl Default for SdeParameters {
    fn default() -> Self {
        Self { form: Form::General, substeps: 4, scheme: SchemeName::EulerMaruyama, mutant: None }
    }
}

/// `[sweep]`: the scenario at every combination of values on one or two axes. Where a value makes no sense, as ν ≤ 2
/// under DSGD, the report says why and has no number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepParameters {
    /// One or two.
    pub axes: Vec<Axis>,
    /// What is looked at.
    #[serde(default)]
    pub quantity: Quantity,
}

/// An axis of a sweep.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The key path of a number that the scenario has, such as `agents[0].noise.student_t.dof`.
    pub parameter: String,
    /// At least two different numbers in its place, the least first.
    pub values: Vec<f64>,
}

/// `[monte_carlo]`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonteCarlo {
    /// Every draw follows from it.
    pub seed: u64,
    /// Paths of each process at the first look, at least 512, rounded up to whole blocks of 64; doubled until decided.
    /// Unless given 4096, or with linear shadows as few as the pilot says will do, at least 2048.
    pub seeds: Option<u64>,
    /// Paths of each process at most, at least `seeds`.
    pub max_seeds: u64,
    /// α, from 1e-12 to 0.1: the probability of a wrong verdict, at most.
    pub error_rate: f64,
    /// Whether linear shadows may be used to need fewer paths.
    pub shadow: Shadow,
}

/// When paths carry linear shadows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shadow {
    /// Where the optimizer declares the moments of its steps, and a pilot says that it pays.
    Auto,
    /// Never.
    Off,
}

impl Default for MonteCarlo {
    fn default() -> Self {
        Self { seed: 20_250_503, seeds: None, max_seeds: 1 << 20, error_rate: 1e-6, shadow: Shadow::Auto }
    }
}

impl MonteCarlo {
    /// Paths of a first look without linear shadows, unless the scenario gives them.
    pub fn first_look(&self) -> u64 {
        self.seeds.unwrap_or(4096).min(self.max_seeds)
    }
}

pub(super) fn parse(text: &str) -> Result<Scenario, toml::de::Error> {
    toml::from_str(text)
}
