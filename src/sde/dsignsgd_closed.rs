//! Theorem 2 as printed: the SDE of distributed sign-SGD under scaled Student-t noise.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use crate::parameter::Invalid;
use crate::rows;
use crate::special::twice_xi;
use std::sync::Arc;

/// `dX = −(2/N) Σ_i Ξ_i(S_i⁻¹∇f_i(X)) dt + √(η/N) Σ̃(X)^{1/2} dW` with
/// `Σ̃ = I − (4/N) Σ_i diag(Ξ_i(S_i⁻¹∇f_i(X)))²` (equations 5, 6), for noise `S_i t_ν` with diagonal
/// S_i (over √B) and independent coordinates.
pub struct DsignsgdClosedSde {
    agents: Arc<Agents>,
    learning_rate: f64,
}

impl DsignsgdClosedSde {
    /// The SDE; an error where the noise of some agents is not `S t_ν`.
    pub fn new(agents: Arc<Agents>, learning_rate: f64) -> Result<Self, Invalid> {
        if agents.groups().iter().all(|group| group.noise.scaled_student_t().is_some()) {
            return Ok(Self { agents, learning_rate });
        }
        Err(Invalid::new(
            "sde.form",
            "\"closed\", but the noise of some agents is not a scaled Student-t with independent coordinates; \
             expected \"general\", or noise.gaussian or noise.student_t with `scale`",
        ))
    }
}

impl Sde for DsignsgdClosedSde {
    fn takes_blocks(&self) -> bool {
        true
    }

    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, sign_law, .. } = out;
        let two_xi = &mut sign_law.mean;
        drift.fill(0.0);
        diffusion.clear();
        diffusion.add_variances(std::iter::repeat_n(1.0, diffusion.dimension()));
        self.agents.for_each_group(x, scratch, |share, agent, mean_gradient| {
            let (scale, dof) = agent.noise.scaled_student_t().expect("checked by new");
            twice_xi(mean_gradient, scale, dof, two_xi);
            rows::add_scaled(drift, -share, two_xi);
            diffusion.add_squares(-share, two_xi);
        });
        diffusion.scale(self.learning_rate / self.agents.count() as f64);
    }
}
