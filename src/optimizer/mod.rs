//! Optimizers: one file for each update rule.

mod dcsgd;
mod dcsgd_perm_k;
mod dsgd;
mod dsignsgd;
mod exact_in_law;
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
pub use sampling::Sampling;

/// A discrete optimizer `x_{k+1} = step(x_k)`.
pub trait Optimizer: Send + Sync {
    /// What happens to the initial state before the first step: nothing, of a right optimizer.
    fn begin(&self, _x: &mut [f64], _streams: &mut Streams, _scratch: &mut Scratch) {}

    /// One update, in place, of the states of n paths: x of shape `[d, n]`, drawn from n streams. For n = 1 x is a vector.
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch);

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerName {
    /// `x ← x − (η/N) Σ_i g_i(x)`: distributed SGD.
    Dsgd,
    /// `x ← x − (η/N) Σ_i C_i(g_i(x))`: distributed SGD with unbiased compressors C_i (Theorem 1).
    Dcsgd,
    /// `x ← x − (η/N) Σ_i sign(g_i(x))`: distributed sign-SGD (Theorem 2).
    Dsignsgd,
}

impl OptimizerName {
    /// The optimizer of this name with learning rate η.
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
    pub fn build_sampled(
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

    /// Whether its agents compress.
    pub fn compresses(self) -> bool {
        self == Self::Dcsgd
    }

    /// Whether every step is bounded, whatever the gradient.
    pub fn has_bounded_steps(self) -> bool {
        self == Self::Dsignsgd
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
