//! Deliberately wrong SDEs, one for each factor of each theorem: the harness must refute them.

use super::{Coefficients, DsgdSde, Sde};
use crate::agent::Agents;
use crate::noise::Noise;
use crate::optimizer::OptimizerName;
use crate::parameter::Invalid;
use crate::special::xi;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// A mistake in the SDE, by its name in scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mutant {
    /// Theorem 1 without `E[ΦΦᵀ]`, the noise of the compressors; dcsgd only.
    NoCompressionNoise,
    /// η in place of √η before the diffusion; every optimizer.
    EtaForSqrtEta,
    /// The 1/N of the diffusion covariance lost; every optimizer.
    AgentsLost,
    /// Theorem 2 with the Ξ of Gaussian noise of the same scale; dsignsgd only.
    GaussianXi,
    /// Theorem 2 with Ξ in place of 2Ξ in the drift; dsignsgd only.
    XiWithoutTwo,
    /// Theorem 2 with `Σ̃ = I`, without −4Ξ²; dsignsgd only.
    IdentityDiffusion,
}

impl Mutant {
    /// The SDE with the mistake.
    pub fn spoil(
        self,
        optimizer: OptimizerName,
        sde: Box<dyn Sde>,
        agents: &Arc<Agents>,
        learning_rate: f64,
    ) -> Result<Box<dyn Sde>, Invalid> {
        let agents = Arc::clone(agents);
        let n = agents.count() as f64;
        if let Some((needed, name)) = self.belongs_to()
            && needed != optimizer
        {
            let message = format!(
                "this mistake is one in the SDE of {name}; expected one that this optimizer can have (every one \
                 eta_for_sqrt_eta, agents_lost; dcsgd no_compression_noise; dsignsgd gaussian_xi, xi_without_two, \
                 identity_diffusion)"
            );
            return Err(Invalid::new("mutant", message));
        }
        if self.changes_nothing(&agents) {
            let message = "changes nothing for these agents; expected a mistake that does";
            return Err(Invalid::new("mutant", message));
        }
        Ok(match self {
            Self::NoCompressionNoise => Box::new(DsgdSde { agents, learning_rate }),
            Self::EtaForSqrtEta => Box::new(Scaled { sde, drift: 1.0, diffusion: learning_rate }),
            Self::AgentsLost => Box::new(Scaled { sde, drift: 1.0, diffusion: n }),
            Self::GaussianXi => Box::new(GaussianXi { agents, learning_rate }),
            Self::XiWithoutTwo => Box::new(Scaled { sde, drift: 0.5, diffusion: 1.0 }),
            Self::IdentityDiffusion => Box::new(IdentityDiffusion { sde, variance: learning_rate / n }),
        })
    }

    /// The one optimizer whose SDE can have the mistake, where there is but one.
    fn belongs_to(self) -> Option<(OptimizerName, &'static str)> {
        match self {
            Self::NoCompressionNoise => Some((OptimizerName::Dcsgd, "dcsgd")),
            Self::GaussianXi | Self::XiWithoutTwo | Self::IdentityDiffusion => {
                Some((OptimizerName::Dsignsgd, "dsignsgd"))
            }
            Self::EtaForSqrtEta | Self::AgentsLost => None,
        }
    }

    /// Whether the SDE with the mistake is the right one all the same.
    fn changes_nothing(self, agents: &Agents) -> bool {
        let gaussian =
            |noise: &dyn Noise| noise.scaled_student_t().is_some_and(|(_, dof)| dof == f64::INFINITY);
        match self {
            Self::NoCompressionNoise => agents.groups().iter().all(|group| group.compressor.omega() == 0.0),
            Self::AgentsLost => agents.count() == 1,
            Self::GaussianXi => agents.groups().iter().all(|group| gaussian(&*group.noise)),
            Self::EtaForSqrtEta | Self::XiWithoutTwo | Self::IdentityDiffusion => false,
        }
    }
}

/// Drift and diffusion covariance times constants.
struct Scaled {
    sde: Box<dyn Sde>,
    drift: f64,
    diffusion: f64,
}

impl Sde for Scaled {
    fn knows_shared_compression(&self) -> bool {
        self.sde.knows_shared_compression()
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        out.drift.iter_mut().for_each(|drift| *drift *= self.drift);
        out.diffusion.scale(self.diffusion);
    }
}

/// The diffusion covariance of fair coins.
struct IdentityDiffusion {
    sde: Box<dyn Sde>,
    variance: f64,
}

impl Sde for IdentityDiffusion {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        out.diffusion.clear();
        out.diffusion.add_diagonal(std::iter::repeat_n(self.variance, x.len()));
    }
}

/// The closed form with ν = ∞ whatever the noise.
struct GaussianXi {
    agents: Arc<Agents>,
    learning_rate: f64,
}

impl Sde for GaussianXi {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, .. } = out;
        drift.fill(0.0);
        diffusion.clear();
        self.agents.for_each_group(x, scratch, |share, agent, mean_gradient| {
            let scale = agent.noise.scaled_student_t().map(|(scale, _)| scale);
            let sign =
                |j: usize| 2.0 * xi(mean_gradient[j] / scale.map_or(1.0, |scale| scale[j]), f64::INFINITY);
            for (j, drift) in drift.iter_mut().enumerate() {
                *drift -= share * sign(j);
            }
            diffusion.add_diagonal((0..x.len()).map(|j| share * (1.0 - sign(j) * sign(j))));
        });
        diffusion.scale(self.learning_rate / self.agents.count() as f64);
    }
}
