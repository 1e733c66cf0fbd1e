//! The SDE of order 2: any SDE of order 1 with its drift modified.

use super::{Coefficients, Sde};
use crate::agent::Agents;
use std::sync::Arc;

/// `b̃ = b − (η/2) b′b` in place of the drift b, and the diffusion as it is (Li, Tai and E 2019, for SGD;
/// the same for any step whose conditional covariance is O(η²)).
///
/// One step of the optimizer moves the mean by ηb. The SDE moves it by `ηb̃ + (η²/2) b̃′b̃ + O(η³)`, its diffusion
/// being O(η), so that the modification takes the second term away. For `b = −∇f` it is `−∇(f + (η/4)‖∇f‖²)`.
pub struct ModifiedSde {
    sde: Box<dyn Sde>,
    learning_rate: f64,
    derivative: Derivative,
}

/// How the derivative of the drift along itself is found.
enum Derivative {
    /// For `b = −∇f`: `b′b = ∇²f ∇f`.
    Hessian(Arc<Agents>),
    /// By a central difference.
    Difference,
}

/// The time along the drift over which the central difference is taken: its error is about `1e-11` of the drift where
/// that varies on the scale 1, and the modification has it times η/2.
const STEP: f64 = 6e-6;

impl ModifiedSde {
    /// Of an SDE whose drift is `−∇f`.
    pub fn of_gradient_flow(sde: Box<dyn Sde>, agents: Arc<Agents>, learning_rate: f64) -> Self {
        Self { sde, learning_rate, derivative: Derivative::Hessian(agents) }
    }

    /// Of any SDE.
    pub fn new(sde: Box<dyn Sde>, learning_rate: f64) -> Self {
        Self { sde, learning_rate, derivative: Derivative::Difference }
    }
}

impl Sde for ModifiedSde {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        let mut along = vec![0.0; x.len()];
        match &self.derivative {
            Derivative::Hessian(agents) => {
                agents.objective().hessian_vector_product(x, &out.drift, &mut along);
                along.iter_mut().for_each(|entry| *entry = -*entry);
            }
            Derivative::Difference => {
                let drift = out.drift.clone();
                let mut drift_after = |t: f64| {
                    let moved: Vec<f64> = x.iter().zip(&drift).map(|(x, b)| x + t * b).collect();
                    self.sde.coefficients(&moved, out);
                    out.drift.clone()
                };
                let (after, before) = (drift_after(STEP), drift_after(-STEP));
                for ((along, after), before) in along.iter_mut().zip(after).zip(before) {
                    *along = (after - before) / (2.0 * STEP);
                }
                self.sde.coefficients(x, out);
            }
        }
        for (drift, along) in out.drift.iter_mut().zip(&along) {
            *drift -= 0.5 * self.learning_rate * along;
        }
    }
}
