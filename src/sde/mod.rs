//! The SDEs derived from the optimizers: one file for each theorem.

mod dcsgd;
mod dcsgd_perm_k;
mod dsgd;
mod dsignsgd;
mod dsignsgd_closed;
mod modified;
mod momentum;
mod rmsprop;

use crate::agent::{Agents, Scratch};
use crate::covariance::Covariance;
use crate::noise::SignLaw;
use crate::optimizer::OptimizerParameters;
use crate::parameter::Invalid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use dcsgd::DcsgdSde;
pub use dcsgd_perm_k::DcsgdPermKSde;
pub use dsgd::DsgdSde;
pub use dsignsgd::DsignsgdSde;
pub use dsignsgd_closed::DsignsgdClosedSde;
pub use modified::ModifiedSde;
use momentum::MomentumSde;
use rmsprop::RmspropSde;

/// An SDE `dX = b(X) dt + A(X)^{1/2} dW`.
pub trait Sde: Send + Sync {
    /// Evaluates drift and diffusion at `x` into `out`.
    fn coefficients(&self, x: &[f64], out: &mut Coefficients);

    /// Whether [`Sde::coefficients`] takes the states of n paths at once, x of shape `[d, n]` and `out` made for n paths;
    /// otherwise it takes one.
    fn takes_blocks(&self) -> bool {
        false
    }

    /// Whether the errors of agents that compress together cancel in A as they do in the optimizer; not where A
    /// has them independent of each other, as Theorem 1 does.
    fn knows_shared_compression(&self) -> bool {
        false
    }
}

/// Drift and diffusion of an SDE at one state, with the buffers that computing them takes.
#[derive(Clone, Debug)]
pub struct Coefficients {
    /// `b(x)`, of shape `[d, n]`.
    pub drift: Vec<f64>,
    /// `A(x) = d⟨X⟩/dt`, the factors η and 1/N included.
    pub diffusion: Covariance,
    scratch: Scratch,
    sigma: Covariance,
    sign_law: SignLaw,
}

impl Coefficients {
    /// Buffers for an SDE of dimension `d`.
    pub fn new(dimension: usize) -> Self {
        Self {
            drift: vec![0.0; dimension],
            diffusion: Covariance::zero(dimension),
            scratch: Scratch::default(),
            sigma: Covariance::zero(dimension),
            sign_law: SignLaw::zero(dimension),
        }
    }

    /// Buffers for n paths.
    pub(crate) fn of_paths(dimension: usize, paths: usize) -> Self {
        let mut coefficients = Self::new(dimension);
        coefficients.drift.resize(dimension * paths, 0.0);
        coefficients.diffusion.resize(paths);
        coefficients.sigma.resize(paths);
        coefficients.sign_law.resize(paths);
        coefficients
    }
}

/// How the SDE is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// From the exact laws of the agents: right wherever the theorem is.
    #[default]
    General,
    /// As the theorem is printed, whether its conditions hold or not: Theorem 2 for dsignsgd, Theorem 1 for dcsgd with
    /// perm_k; for rmsprop as it is often written, where v has no noise.
    Closed,
    /// The general form with its drift b modified to b − (η/2) b′b, for raw moments of order 2.
    #[serde(rename = "modified_order_2")]
    ModifiedOrder2,
}

/// The SDE of an optimizer with learning rate η; errors carry the key path from the root of the scenario.
pub fn derive(
    optimizer: &OptimizerParameters,
    form: Form,
    agents: &Arc<Agents>,
    learning_rate: f64,
) -> Result<Box<dyn Sde>, Invalid> {
    use OptimizerParameters as Of;
    let agents = Arc::clone(agents);
    match (optimizer, form) {
        (Of::Dsignsgd, Form::ModifiedOrder2) => {
            let sde = derive(optimizer, Form::General, &agents, learning_rate)?;
            Ok(Box::new(ModifiedSde::new(sde, learning_rate)))
        }
        (Of::Dsgd | Of::Dcsgd, Form::ModifiedOrder2) => {
            let sde = derive(optimizer, Form::General, &agents, learning_rate)?;
            Ok(Box::new(ModifiedSde::of_gradient_flow(sde, agents, learning_rate)))
        }
        (Of::Dsgd, Form::General) => Ok(Box::new(DsgdSde { agents, learning_rate })),
        (Of::Dcsgd, Form::General) if agents.shared_block().is_some() => {
            Ok(Box::new(DcsgdPermKSde::new(agents, learning_rate)?))
        }
        (Of::Dcsgd, Form::Closed) if agents.shared_block().is_some() => {
            DcsgdPermKSde::new(Arc::clone(&agents), learning_rate)?;
            Ok(Box::new(DcsgdSde::new(agents, learning_rate)?))
        }
        (Of::Dcsgd, Form::General) => Ok(Box::new(DcsgdSde::new(agents, learning_rate)?)),
        (Of::Dsignsgd, Form::General) => Ok(Box::new(DsignsgdSde { agents, learning_rate })),
        (Of::Dsignsgd, Form::Closed) => Ok(Box::new(DsignsgdClosedSde::new(agents, learning_rate)?)),
        (Of::Momentum(parameters), Form::General) => {
            let friction = parameters.friction(learning_rate)?;
            Ok(Box::new(MomentumSde { agents, learning_rate, friction }))
        }
        (Of::Rmsprop(parameters), Form::General) => {
            Ok(Box::new(RmspropSde::new(agents, learning_rate, parameters.constants(learning_rate)?)?))
        }
        (Of::Rmsprop(parameters), Form::Closed) => {
            let constants = parameters.constants(learning_rate)?;
            Ok(Box::new(RmspropSde::without_noise_of_v(agents, learning_rate, constants)?))
        }
        (Of::Dsgd | Of::Dcsgd | Of::Momentum(_), Form::Closed) => Err(Invalid::new(
            "sde.form",
            "\"closed\", but only Theorem 2 (dsignsgd), Theorem 1 under perm_k, where it fails, and rmsprop have a closed form \
             of their own; expected \"general\"",
        )),
        (Of::Momentum(_) | Of::Rmsprop(_), Form::ModifiedOrder2) => Err(Invalid::new(
            "sde.form",
            "\"modified_order_2\", which is known for dsgd, dcsgd and dsignsgd; expected \"general\"",
        )),
    }
}
