//! Optimizers: one file for each update rule.

mod dcsgd;
mod dcsgd_perm_k;
mod dsgd;
mod dsignsgd;
mod exact_in_law;
mod momentum;
mod rmsprop;
mod sampling;

use crate::agent::{Agents, Group, Scratch};
use crate::covariance::Covariance;
use crate::noise::SignLaw;
use crate::parameter::Invalid;
use crate::random::Streams;
use crate::rows;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

pub use dcsgd::Dcsgd;
pub use dcsgd_perm_k::DcsgdPermK;
pub(crate) use dcsgd_perm_k::{keep_block, permutations};
pub use dsgd::Dsgd;
pub use dsignsgd::Dsignsgd;
pub(crate) use momentum::Parameters as MomentumParameters;
pub(crate) use rmsprop::{Constants as RmspropConstants, Parameters as RmspropParameters};
pub use sampling::Sampling;

/// A discrete optimizer `x_{k+1} = step(x_k)`.
///
/// Its state is the position x, d numbers, and what else it remembers behind them, such as a momentum.
pub trait Optimizer: Send + Sync {
    /// What happens to the initial state before the first step: nothing, of a right optimizer.
    fn begin(&self, _x: &mut [f64], _streams: &mut Streams, _scratch: &mut Scratch) {}

    /// One update, in place, of the states of n paths: x of shape `[d, n]`, drawn from n streams. For n = 1 x is a vector.
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch);

    /// Moments of a step of any lower order are finite, where those of the gradient noise are below order `of_noise`;
    /// ∞ where all are.
    fn degrees_of_freedom(&self, of_noise: f64) -> f64 {
        of_noise
    }

    /// γ, by which a step forgets where it would go without the gradient, in the time η: x falls as `∇f/γ` says; 1 where it
    /// follows the gradient at once.
    fn friction(&self) -> f64 {
        1.0
    }

    /// The probability of the rarest outcome of a step from x, besides those of the agents' signs and compressors.
    fn rarest_outcome(&self, _x: &[f64]) -> f64 {
        1.0
    }

    /// Mean and covariance of a step, where they are declared: without them no linear shadow can follow.
    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        None
    }
}

/// The first two moments of a step, as an optimizer declares them. They are proven by draws of the step, and
/// share nothing with the SDE.
pub trait DeclaredIncrement: Send + Sync {
    /// `E[x_{k+1} − x_k | x_k = x]` and `Cov[x_{k+1} − x_k | x_k = x]`, into `out`.
    fn increment(&self, x: &[f64], out: &mut Increment);

    /// Whether [`DeclaredIncrement::increment`] takes the states of n paths at once, x of shape `[d, n]`; otherwise it takes one.
    fn takes_blocks(&self) -> bool {
        false
    }
}

/// Mean and covariance of a step from one state, with the buffers that computing them takes.
#[derive(Clone, Debug)]
pub struct Increment {
    /// Shape `[d, n]`.
    pub mean: Vec<f64>,
    /// Shape `[d, d]`, one a path.
    pub covariance: Covariance,
    scratch: Scratch,
    sigma: Covariance,
    sign_law: SignLaw,
}

impl Increment {
    /// Buffers for an optimizer of dimension `d`.
    pub fn new(dimension: usize) -> Self {
        Self {
            mean: vec![0.0; dimension],
            covariance: Covariance::zero(dimension),
            scratch: Scratch::default(),
            sigma: Covariance::zero(dimension),
            sign_law: SignLaw::zero(dimension),
        }
    }

    /// Buffers for n paths.
    pub(crate) fn of_paths(dimension: usize, paths: usize) -> Self {
        let mut increment = Self::new(dimension);
        increment.mean.resize(dimension * paths, 0.0);
        increment.covariance.resize(paths);
        increment.sigma.resize(paths);
        increment.sign_law.resize(paths);
        increment
    }
}

/// The optimizers by their names in scenarios.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerParameters {
    /// `x ← x − (η/N) Σ_i g_i(x)`: distributed SGD.
    Dsgd,
    /// `x ← x − (η/N) Σ_i C_i(g_i(x))`: distributed SGD with unbiased compressors C_i (Theorem 1).
    Dcsgd,
    /// `x ← x − (η/N) Σ_i sign(g_i(x))`: distributed sign-SGD (Theorem 2).
    Dsignsgd,
    /// `m ← m − η(γm + (1/N) Σ_i g_i(x))`, `x ← x + ηm`: distributed SGD with heavy-ball momentum. The state is (x, m).
    Momentum(MomentumParameters),
    /// `v ← v + ηρ(ĝ² − v)`, `x ← x − η ĝ/(√v + ε)`, `ĝ = (1/N) Σ_i g_i(x)`: RMSprop. The state is (x, v).
    Rmsprop(RmspropParameters),
}

impl OptimizerParameters {
    /// The optimizer of this name with learning rate η, its steps drawn in this way; errors carry the key path from the root
    /// of the scenario.
    pub fn build(
        &self,
        agents: &Arc<Agents>,
        learning_rate: f64,
        sampling: Sampling,
    ) -> Result<Box<dyn Optimizer>, Invalid> {
        let build: &dyn Fn() -> Result<Box<dyn Optimizer>, Invalid> = match self {
            Self::Dsgd => return Rule::Dsgd.build_sampled(agents, learning_rate, sampling),
            Self::Dcsgd => return Rule::Dcsgd.build_sampled(agents, learning_rate, sampling),
            Self::Dsignsgd => return Rule::Dsignsgd.build_sampled(agents, learning_rate, sampling),
            Self::Momentum(parameters) => &|| parameters.build(agents, learning_rate),
            Self::Rmsprop(parameters) => &|| parameters.build(agents, learning_rate),
        };
        match sampling {
            Sampling::Faithful => build(),
            Sampling::ExactInLaw => Err(Invalid::new(
                "run.sampling",
                "\"exact_in_law\", which is known for dsgd, dcsgd and dsignsgd; expected \"faithful\"",
            )),
        }
    }

    /// Which rule of the poster it is; none of other optimizers.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Dsgd => Some(Rule::Dsgd),
            Self::Dcsgd => Some(Rule::Dcsgd),
            Self::Dsignsgd => Some(Rule::Dsignsgd),
            Self::Momentum(_) | Self::Rmsprop(_) => None,
        }
    }

    /// What it remembers at the start besides the position, of d coordinates.
    pub fn memory(&self, dimension: usize) -> Result<Vec<f64>, Invalid> {
        match self {
            Self::Dsgd | Self::Dcsgd | Self::Dsignsgd => Ok(Vec::new()),
            Self::Momentum(_) => Ok(MomentumParameters::memory(dimension)),
            Self::Rmsprop(parameters) => parameters.memory(dimension),
        }
    }
}

/// The update rules of the poster, which its theory is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `x ← x − (η/N) Σ_i g_i(x)`.
    Dsgd,
    /// `x ← x − (η/N) Σ_i C_i(g_i(x))` (Theorem 1).
    Dcsgd,
    /// `x ← x − (η/N) Σ_i sign(g_i(x))` (Theorem 2).
    Dsignsgd,
}

impl Rule {
    /// The optimizer that follows it with learning rate η.
    pub fn build(self, agents: Arc<Agents>, learning_rate: f64) -> Box<dyn Optimizer> {
        match self {
            Self::Dsgd => Box::new(Dsgd { agents, learning_rate }),
            Self::Dcsgd => match agents.shared_block() {
                None => Box::new(Dcsgd { agents, learning_rate }),
                Some(block) => Box::new(DcsgdPermK { agents, block, learning_rate }),
            },
            Self::Dsignsgd => Box::new(Dsignsgd { agents, learning_rate }),
        }
    }

    /// The same with steps that are drawn in this way; an error where they cannot be.
    fn build_sampled(
        self,
        agents: &Arc<Agents>,
        learning_rate: f64,
        sampling: Sampling,
    ) -> Result<Box<dyn Optimizer>, Invalid> {
        let faithful = self.build(Arc::clone(agents), learning_rate);
        match sampling {
            Sampling::Faithful => Ok(faithful),
            Sampling::ExactInLaw => exact_in_law::exact_in_law(self, agents, learning_rate, faithful),
        }
    }
}

/// `x ← x − η (1/N) Σ_i T(g_i(x))`, the shape that all updates of the poster share.
fn descend(
    agents: &Agents,
    learning_rate: f64,
    x: &mut [f64],
    streams: &mut Streams,
    scratch: &mut Scratch,
    transmit: impl FnMut(&Group, &mut [f64], &mut Streams),
) {
    let direction = agents.mean_direction(x, streams, scratch, transmit);
    rows::add_scaled(x, -learning_rate, direction);
}
