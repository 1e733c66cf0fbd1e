//! Optimizer and SDE given as code, checked like those of a scenario file.

use super::Overrides;
use super::parse::{MonteCarlo, RunParameters, SdeParameters};
use super::validate::{self, Experiment};
use crate::agent::Agents;
use crate::claim::{Claim, ClaimParameters, Expectation, Setting, Trajectory};
use crate::ensemble::{BoundedFunction, TestFunction};
use crate::model::Model;
use crate::optimizer::Optimizer;
use crate::parameter::Invalid;
use crate::sde::{Form, Sde};
use std::sync::Arc;

/// What is compared, and how.
pub(crate) struct CodedRun {
    pub optimizer: Arc<dyn Optimizer>,
    pub sde: Arc<dyn Sde>,
    /// None, but the objective is theirs.
    pub agents: Arc<Agents>,
    pub run: RunParameters,
    pub integration: SdeParameters,
    pub monte_carlo: MonteCarlo,
    pub functions: Vec<BoundedFunction>,
    /// That of the claim `coefficients`, where it is not its default.
    pub margin_of_coefficients: Option<f64>,
    pub trajectory: Trajectory,
}

/// The experiment with the claims `coefficients`, where it can be sampled, and `trajectory`.
pub(crate) fn of_code(coded: CodedRun) -> Result<Experiment, Invalid> {
    let CodedRun { optimizer, sde, agents, integration, trajectory, .. } = coded;
    let monte_carlo = validate::monte_carlo(coded.monte_carlo, Overrides::default())?;
    let dimension = agents.dimension();
    if dimension == 0 {
        return Err(Invalid::new("run.start", "no coordinate; expected the state at the start"));
    }
    trajectory.margin.check()?;
    let run = validate::run(&coded.run, &integration, &**agents.objective(), Vec::new())?;
    let bounded_functions = validate::bounded_functions(&coded.functions, dimension)?;
    let form = Form::General;
    let model = Model { named: None, optimizer, sde, form, agents, run, bounded_functions, directions: None };
    let has_trajectory = model.functions().tested.iter().any(|function| *function != TestFunction::Exit);
    if !has_trajectory {
        return Err(Invalid::new(
            "functions",
            format!(
                "none whose moments can be sampled, as those of the state exist below order {:.3} only; expected bounded \
                 ones, or an optimizer of more degrees of freedom",
                model.tail_index()
            ),
        ));
    }
    validate::fits_in_memory(&model)?;
    validate::ends_in_time(&model, monte_carlo.first_look(), Overrides::default())?;
    validate::margin_has_a_scale(&model, &trajectory)?;
    let rebuild = |_: &dyn Fn(&mut super::Scenario) -> Result<(), Invalid>| {
        Err(Invalid::new("", "optimizer and SDE are given as code; expected a scenario"))
    };
    let setting = Setting { model: &model, is_sampled: true, rebuild: &rebuild, sweep: None };
    let mut claims = Vec::new();
    if model.can_sample(1) {
        claims.push(
            ClaimParameters::coefficients(coded.margin_of_coefficients, Expectation::Upheld)
                .build(&setting)?,
        );
    }
    claims.push(Claim::Trajectory(trajectory));
    let title = "optimizer and SDE given as code".to_owned();
    Ok(Experiment { title, source: None, model, monte_carlo, is_sampled: true, sweep: None, claims })
}
