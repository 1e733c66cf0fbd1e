//! The SDE of RMSprop: of its step, and without the noise of v, as it is often written (Compagnoni et al. 2025, Adaptive methods
//! through the lens of SDEs). That v has noise of the same order is shown by Callisti, Romito and Triggiano (2025,
//! arXiv:2509.21614).

use super::{Coefficients, Sde};
use crate::agent::{Agents, Group};
use crate::optimizer::RmspropConstants;
use crate::parameter::Invalid;
use std::sync::Arc;

/// `dX = −P(V)^{-1}(∇f(X) dt + …)`, `dV = ρ(∇f(X)² + s − V) dt + …`, `P(V) = √V + ε`, s the variances of ĝ, coordinate by coordinate;
/// the noise is that of one step, whose covariance is
///
/// ```text
/// η [  s/P²                 −ρ Cov[ĝ, ĝ²]/P ]
///   [ −ρ Cov[ĝ, ĝ²]/P        ρ² Var[ĝ²]     ]
/// ```
///
/// with `Cov[ĝ, ĝ²] = 2s∇f` and `Var[ĝ²] = κ + 2s² + 4s∇f²`, κ the fourth cumulants of ĝ, as the noise is symmetric.
pub(super) struct RmspropSde {
    agents: Arc<Agents>,
    learning_rate: f64,
    constants: RmspropConstants,
    /// s, and κ where v has noise.
    variances: Vec<f64>,
    fourth_cumulants: Option<Vec<f64>>,
}

impl RmspropSde {
    /// The SDE of one step's mean and covariance; an error where the noise of an agent has no fourth moments that are known, or
    /// depends on x.
    pub fn new(
        agents: Arc<Agents>,
        learning_rate: f64,
        constants: RmspropConstants,
    ) -> Result<Self, Invalid> {
        let sde = Self::without_noise_of_v(agents, learning_rate, constants)?;
        let n = sde.agents.count() as f64;
        let mut fourth_cumulants = vec![0.0; sde.agents.dimension()];
        for (index, group) in sde.agents.groups().iter().enumerate() {
            let (scales, dof) = known_noise(index, group)?;
            if dof <= 4.0 {
                let message = format!(
                    "degrees of freedom {dof}; expected more than 4, so that ĝ² has a variance, or [sde] form = \"closed\""
                );
                return Err(Invalid::new(format!("agents[{index}].noise"), message));
            }
            // Of S t_ν: 6/(ν − 4) times its variance squared.
            let excess = if dof == f64::INFINITY { 0.0 } else { 6.0 / (dof - 4.0) };
            for (cumulant, scale) in fourth_cumulants.iter_mut().zip(scales) {
                let variance = variance(*scale, dof);
                *cumulant += group.count as f64 * excess * variance * variance / (n * n * n * n);
            }
        }
        Ok(Self { fourth_cumulants: Some(fourth_cumulants), ..sde })
    }

    /// As it is often written, where v has no noise.
    pub fn without_noise_of_v(
        agents: Arc<Agents>,
        learning_rate: f64,
        constants: RmspropConstants,
    ) -> Result<Self, Invalid> {
        let n = agents.count() as f64;
        let mut variances = vec![0.0; agents.dimension()];
        for (index, group) in agents.groups().iter().enumerate() {
            let (scales, dof) = known_noise(index, group)?;
            for (sum, scale) in variances.iter_mut().zip(scales) {
                *sum += group.count as f64 * variance(*scale, dof) / (n * n);
            }
        }
        Ok(Self { agents, learning_rate, constants, variances, fourth_cumulants: None })
    }
}

/// Variance of `S t_ν`.
fn variance(scale: f64, dof: f64) -> f64 {
    scale * scale * if dof == f64::INFINITY { 1.0 } else { dof / (dof - 2.0) }
}

/// S and ν of a group.
fn known_noise(index: usize, group: &Group) -> Result<(&[f64], f64), Invalid> {
    let is_independent = group.noise.has_independent_coordinates();
    group.noise.scaled_student_t().filter(|_| is_independent).ok_or_else(|| {
        Invalid::new(
            format!("agents[{index}].noise"),
            "no fourth moments that the SDE of rmsprop knows; expected noise.gaussian with `scale`, or noise.student_t",
        )
    })
}

impl Sde for RmspropSde {
    fn knows_shared_compression(&self) -> bool {
        true
    }

    fn coefficients(&self, state: &[f64], out: &mut Coefficients) {
        let Coefficients { drift, diffusion, scratch, .. } = out;
        let (eta, RmspropConstants { rate, epsilon }) = (self.learning_rate, self.constants);
        let d = self.agents.dimension();
        let (x, v) = state.split_at(d);
        let gradient = self.agents.for_each_group(x, scratch, |_, _, _| {});
        // A V that the noise took below 0 counts as 0.
        let p = |j: usize| v[j].max(0.0).sqrt() + epsilon;
        for j in 0..d {
            drift[j] = -gradient[j] / p(j);
            drift[d + j] = rate * (gradient[j] * gradient[j] + self.variances[j] - v[j]);
        }
        diffusion.clear();
        let of_x = |j: usize| eta * self.variances[j] / (p(j) * p(j));
        let Some(fourth_cumulants) = &self.fourth_cumulants else {
            diffusion.add_diagonal((0..2 * d).map(|j| if j < d { of_x(j) } else { 0.0 }));
            return;
        };
        diffusion.add_dense(|i, j| {
            let (s, gradient) = (self.variances[i % d], gradient[i % d]);
            match (i < d, j < d) {
                _ if i % d != j % d => 0.0,
                (true, true) => of_x(i),
                (false, false) => {
                    eta * rate
                        * rate
                        * (fourth_cumulants[i - d] + 2.0 * s * s + 4.0 * s * gradient * gradient)
                }
                _ => -eta * rate * 2.0 * s * gradient / p(i % d),
            }
        });
    }
}
