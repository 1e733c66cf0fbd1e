//! Theorems 3 and 4 for the agents of a model: what they ask for, and the bound that follows.

use super::landscape::Known;
use crate::agent::{Group, Scratch};
use crate::covariance::Covariance;
use crate::model::Model;
use crate::parameter::{Invalid, checked, shown};
use crate::theory::{Delta, Landscape, LossBound, Regime, theorem_3, theorem_4};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which form a theorem is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is printed.
    #[default]
    Printed,
    /// Theorem 3 with the larger `Δ = 1 − ηLω/(2N)`, which holds as well.
    Tight,
    /// Theorem 4 as it holds where `‖S⁻¹∇f‖_∞ ≤ R`: with `2Ξ(R)/R` in place of ℓ.
    Within(f64),
}

/// A theorem in a form that it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Theorem {
    Three(Delta),
    Four(Regime),
}

impl Theorem {
    /// The theorem of this number.
    pub fn new(number: u32, form: Form) -> Result<Self, Invalid> {
        match (number, form) {
            (3, Form::Printed) => Ok(Self::Three(Delta::Printed)),
            (3, Form::Tight) => Ok(Self::Three(Delta::Tight)),
            (4, Form::Printed) => Ok(Self::Four(Regime::Printed)),
            (4, Form::Within(reach)) => {
                let reach = checked("form.within", reach, |reach| reach > 0.0, "a number above 0")?;
                Ok(Self::Four(Regime::Within(reach)))
            }
            (3, Form::Within(_)) => {
                let message = "{ within }, which theorem 3 does not have; expected \"printed\" or \"tight\"";
                Err(Invalid::new("form", message))
            }
            (4, Form::Tight) => {
                let message =
                    "\"tight\", which theorem 4 does not have; expected \"printed\" or { within = R }";
                Err(Invalid::new("form", message))
            }
            _ => Err(Invalid::new("theorem", format!("{number}; expected 3 or 4"))),
        }
    }

    /// The bound for a model; an error where the theorem says nothing of it.
    pub fn bound(&self, model: &Model, known: &Known) -> Result<LossBound, Invalid> {
        let Known { mu, smoothness, minimum, .. } = *known;
        let landscape = Landscape { mu, smoothness, dimension: model.dimension() };
        let initial = model.agents.objective().value(&model.run.start) - minimum;
        let takes_signs = model.takes_signs();
        match *self {
            Self::Three(_) if takes_signs => {
                Err(Invalid::new("theorem", "3, which is about dsgd and dcsgd; expected 4 for dsignsgd"))
            }
            Self::Four(_) if !takes_signs => {
                Err(Invalid::new("theorem", "4, which is about dsignsgd; expected 3 for dsgd and dcsgd"))
            }
            Self::Three(delta) => of_gradients(model, landscape, initial, delta),
            Self::Four(regime) => of_signs(model, landscape, initial, regime),
        }
    }

    /// What the bound needs and the model does not have. It is compared all the same: that it fails without is a control.
    pub fn unmet(&self, model: &Model) -> Vec<String> {
        let differs = |group: &Group| group.gradient_offset.iter().flatten().any(|offset| *offset != 0.0);
        let agents = &model.agents;
        let homogeneous = agents.groups().iter().any(differs).then(|| "homogeneous agents".to_owned());
        let shared = agents.shared_block();
        let independent = shared.map(|_| "compressors that are independent of each other".to_owned());
        let farthest = if *self == Self::Four(Regime::Printed) { farthest(model) } else { 0.0 };
        let near = (farthest > 1.0).then(|| {
            format!("‖S⁻¹∇f‖_∞ well below 1 (on the flow of the drift it is up to {})", shown(farthest))
        });
        homogeneous.into_iter().chain(independent).chain(near).collect()
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Three(Delta::Printed) => "Theorem 3 as printed".to_owned(),
            Self::Three(Delta::Tight) => "Theorem 3 with the tight Δ".to_owned(),
            Self::Four(Regime::Printed) => "Theorem 4 as printed".to_owned(),
            Self::Four(Regime::Within(reach)) => format!("Theorem 4 within ‖S⁻¹∇f‖_∞ ≤ {}", shown(*reach)),
        }
    }
}

fn of_gradients(
    model: &Model,
    landscape: Landscape,
    initial: f64,
    delta: Delta,
) -> Result<LossBound, Invalid> {
    let (eta, agents) = (model.run.learning_rate, model.agents.count());
    let groups = model.agents.groups();
    let omega = groups.iter().map(|group| group.compressor.omega()).fold(0.0, f64::max);
    let mut variance: f64 = 0.0;
    for (index, group) in groups.iter().enumerate() {
        variance = variance.max(mean_variance(model, group, index)?);
    }
    let of_delta = |delta| theorem_3(landscape, initial, eta, agents, variance, omega, delta);
    of_delta(delta).ok_or_else(|| {
        let Landscape { mu, smoothness, .. } = landscape;
        let tight = 2.0 * agents as f64 / (smoothness * omega);
        let (form, formula, below) = match delta {
            Delta::Printed => ("printed", "1 − ηL²ω/(2μN)", tight * mu / smoothness),
            Delta::Tight => ("tight", "1 − ηLω/(2N)", tight),
        };
        let or = if of_delta(Delta::Tight).is_some() { ", or \"tight\"" } else { "" };
        let message = format!(
            "\"{form}\" with learning_rate = {}, for which the theorem says nothing: Δ = {formula} = {:.4}; expected \
             one above 0, by a learning rate below {below:.4e}{or}",
            shown(eta),
            1.0 - eta / below
        );
        Invalid::new("form", message)
    })
}

/// `Tr Σ_i/d` over the batch.
fn mean_variance(model: &Model, group: &Group, index: usize) -> Result<f64, Invalid> {
    if !group.noise.is_additive() || group.noise.relative_variance() > 0.0 {
        let message = format!(
            "3, which needs Tr Σ ≤ dσ² everywhere, but the covariance of agents[{index}].noise depends on x; expected \
             noise with one that does not"
        );
        return Err(Invalid::new("theorem", message));
    }
    let d = model.dimension();
    let mut sigma = Covariance::zero(d);
    group.noise.add_covariance(1.0, &model.run.start, &vec![0.0; d], &mut sigma);
    Ok(sigma.trace() / d as f64)
}

fn of_signs(model: &Model, landscape: Landscape, initial: f64, regime: Regime) -> Result<LossBound, Invalid> {
    let (eta, agents) = (model.run.learning_rate, model.agents.count());
    let of_group = |(index, group): (usize, &Group)| {
        let (scale, dof) = group.noise.scaled_student_t().ok_or_else(|| {
            let message = format!(
                "4, which is about noise S t_ν, but agents[{index}].noise is another; expected student_t or gaussian"
            );
            Invalid::new("theorem", message)
        })?;
        let largest = scale.iter().copied().fold(0.0, f64::max);
        Ok(theorem_4(landscape, initial, eta, agents, largest, dof, regime))
    };
    let bounds: Result<Vec<LossBound>, Invalid> =
        model.agents.groups().iter().enumerate().map(of_group).collect();
    let slowest = bounds?.into_iter().min_by(|a, b| a.rate.total_cmp(&b.rate));
    if let Regime::Within(reach) = regime {
        let farthest = farthest(model);
        if reach < farthest {
            let message = format!(
                "{}; expected at least {farthest:.4}, which ‖S⁻¹∇f‖_∞ is on the flow of the drift",
                shown(reach)
            );
            return Err(Invalid::new("form.within", message));
        }
    }
    Ok(slowest.expect("there is at least one group of agents"))
}

/// The largest `‖S⁻¹∇f_i‖_∞` of any agent on the flow of the drift, rounded up to the four decimals that are shown.
fn farthest(model: &Model) -> f64 {
    let mut farthest: f64 = 0.0;
    let mut scratch = Scratch::default();
    for x in &model.observables(Vec::new()).flow {
        model.agents.for_each_group(x, &mut scratch, |_, group, mean_gradient| {
            if let Some((scale, _)) = group.noise.scaled_student_t() {
                let in_scales = mean_gradient.iter().zip(scale).map(|(g, s)| (g / s).abs());
                farthest = in_scales.fold(farthest, f64::max);
            }
        });
    }
    (farthest * 1e4).ceil() / 1e4
}
