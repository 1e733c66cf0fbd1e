//! Theorem 2 with mistakes.

use super::Misfit;
use crate::agent::Agents;
use crate::sde::{Coefficients, Sde};
use crate::special::xi;
use std::sync::Arc;

/// The diffusion covariance between the right one and that of fair coins: `own · A + (1 − own) (η/N) I`.
pub(super) struct TowardsIdentity {
    pub sde: Arc<dyn Sde>,
    pub own: f64,
    /// η/N.
    pub variance: f64,
}

impl Sde for TowardsIdentity {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        if self.own == 0.0 {
            out.diffusion.clear();
        } else {
            out.diffusion.scale(self.own);
        }
        out.diffusion.add_diagonal(std::iter::repeat_n((1.0 - self.own) * self.variance, x.len()));
    }
}

/// The closed form with ν = ∞ whatever the noise.
pub(super) struct GaussianXi {
    agents: Arc<Agents>,
    learning_rate: f64,
}

impl GaussianXi {
    pub fn new(agents: Arc<Agents>, learning_rate: f64) -> Result<Self, Misfit> {
        if agents.groups().iter().all(|group| group.noise.scaled_student_t().is_some()) {
            return Ok(Self { agents, learning_rate });
        }
        Misfit::inapplicable("the noise of some agents is not S t_ν, so that it has no ν to get wrong")
    }
}

impl Sde for GaussianXi {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        out.drift.fill(0.0);
        out.diffusion.clear();
        let Coefficients { drift, diffusion, .. } = out;
        self.agents.for_each_group(x, &mut Default::default(), |share, agent, mean_gradient| {
            let (scale, _) = agent.noise.scaled_student_t().expect("checked by new");
            let sign = |j: usize| 2.0 * xi(mean_gradient[j] / scale[j], f64::INFINITY);
            for (j, drift) in drift.iter_mut().enumerate() {
                *drift -= share * sign(j);
            }
            diffusion.add_diagonal((0..x.len()).map(|j| share * (1.0 - sign(j) * sign(j))));
        });
        diffusion.scale(self.learning_rate / self.agents.count() as f64);
    }
}
