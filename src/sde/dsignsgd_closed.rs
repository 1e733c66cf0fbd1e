//! Theorem 2 as printed: the SDE of distributed sign-SGD under scaled Student-t noise.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use crate::parameter::Invalid;
use crate::special::xi;
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
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, .. } = out;
        drift.fill(0.0);
        diffusion.clear();
        diffusion.add_diagonal(std::iter::repeat_n(1.0, x.len()));
        self.agents.for_each_group(x, scratch, |share, agent, mean_gradient| {
            let (scale, dof) = agent.noise.scaled_student_t().expect("checked by new");
            let xi = |j: usize| xi(mean_gradient[j] / scale[j], dof);
            for (j, drift) in drift.iter_mut().enumerate() {
                *drift -= 2.0 * share * xi(j);
            }
            diffusion.add_diagonal((0..x.len()).map(|j| -4.0 * share * xi(j) * xi(j)));
        });
        diffusion.scale(self.learning_rate / self.agents.count() as f64);
    }
}
