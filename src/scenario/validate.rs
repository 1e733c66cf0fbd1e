//! [`Scenario`] → [`Experiment`]: what was read is checked, and built.

use super::Overrides;
use super::parse::{AgentGroup, MonteCarlo, RunParameters, Scenario, SdeParameters};
use super::{start, sweep};
use crate::agent::{Agents, Group};
use crate::claim::{Claim, ClaimParameters, Expectation, Setting, Sweep, Trajectory};
use crate::compressor::{Compressor, Identity};
use crate::ensemble::{
    BLOCK, BoundedFunction, Directions, Domain, SdeProcess, TestFunction, standard_deviations,
};
use crate::model::{Model, Run};
use crate::noise::Noise;
use crate::objective::Objective;
use crate::optimizer::Rule;
use crate::parameter::{Invalid, checked, shown};
use crate::random::Role;
use crate::sde;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

/// A checked scenario: what is compared, with how many seeds, and what is claimed of it.
pub struct Experiment {
    /// One line that says what is compared.
    pub title: String,
    /// Where the SDE is from.
    pub source: Option<String>,
    /// Optimizer, SDE and run.
    pub model: Model,
    /// Seeds and error rate.
    pub monte_carlo: MonteCarlo,
    /// Whether paths are asked for, even where expectations are exact.
    pub is_sampled: bool,
    /// The scenario at other values.
    pub sweep: Option<Arc<Sweep>>,
    /// The claims; `coefficients` is among them where processes are compared, unless the noise forbids it.
    pub claims: Vec<Claim>,
}

const MOST_AGENTS: usize = 1_000_000;
const MOST_CLAIMS: usize = 100;
/// Groups × dimension: each group keeps a few vectors, and each step visits them all.
const MOST_GROUP_ENTRIES: usize = 1_000_000;
const MOST_DIRECTIONS: usize = 256;
/// Directions × dimension: 32 megabytes for each model that a claim builds.
const MOST_DIRECTION_ENTRIES: usize = 1 << 22;
const MOST_STEPS: usize = 100_000_000;
const MOST_SEEDS: u64 = 1 << 32;
/// Test functions × record times: a moment takes some four kilobytes while tasks are under way.
pub const MOST_MOMENTS: usize = 250_000;
/// Operations of the first look, about a nanosecond each: some hours of two cores.
const MOST_WORK: f64 = 3e13;
const LONGEST_LINE: usize = 200;
/// A step must change a state of size 1 by more than rounding does.
const LEARNING_RATES: RangeInclusive<f64> = 1e-9..=1e3;

pub(super) fn validate(
    scenario: Scenario,
    text: &str,
    folder: &Path,
    overrides: Overrides,
) -> Result<Experiment, Invalid> {
    line("title", &scenario.title)?;
    scenario.source.as_deref().map_or(Ok(()), |source| line("source", source))?;
    let monte_carlo = monte_carlo(scenario.monte_carlo.unwrap_or_default(), overrides)?;
    let model = model(&scenario)?;
    fits_in_memory(&model)?;
    ends_in_time(&model, monte_carlo.first_look(), overrides)?;
    let is_sampled =
        scenario.monte_carlo.is_some() || overrides.seeds.is_some() || overrides.max_seeds.is_some();
    let rebuild = |change: &dyn Fn(&mut Scenario) -> Result<(), Invalid>| {
        let mut changed = scenario.clone();
        change(&mut changed)?;
        self::model(&changed)
    };
    let sweep = match &scenario.sweep {
        None => None,
        Some(parameters) => {
            let sweep = sweep::build(parameters, text, folder, is_sampled);
            Some(Arc::new(sweep.map_err(|invalid| invalid.under("sweep"))?))
        }
    };
    let setting = Setting { model: &model, is_sampled, rebuild: &rebuild, sweep: sweep.as_deref() };
    let claims = claims(&scenario, &setting)?;
    let Scenario { title, source, .. } = scenario;
    Ok(Experiment { title, source, model, monte_carlo, is_sampled, sweep, claims })
}

/// The optimizer and its SDE over one run.
pub(super) fn model(scenario: &Scenario) -> Result<Model, Invalid> {
    let objective = scenario.objective.build().map_err(|invalid| invalid.under("objective"))?;
    let memory = scenario.optimizer.memory(objective.dimension())?;
    let run = run(&scenario.run, &scenario.sde, &*objective, memory)?;
    let groups = groups(scenario, &objective)?;
    let bounded_functions = bounded_functions(&scenario.functions, run.start.len())?;
    let directions = directions(scenario, run.start.len())?;
    let agents = Arc::new(Agents::new(objective, groups));
    let learning_rate = run.learning_rate;
    let form = scenario.sde.form;
    let model = Model {
        named: Some(scenario.optimizer.clone()),
        optimizer: scenario.optimizer.build(&agents, learning_rate, run.sampling)?.into(),
        sde: sde::derive(&scenario.optimizer, form, &agents, learning_rate)?.into(),
        form,
        agents,
        run,
        bounded_functions,
        directions,
    };
    moments_exist(&model)?;
    match scenario.sde.mutant {
        None => Ok(model),
        Some(mutant) => mutant.spoil(&model).map_err(|misfit| Invalid::new("sde.mutant", misfit.to_string())),
    }
}

fn whole(key: &str, value: usize, least: usize, most: usize) -> Result<usize, Invalid> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Invalid::new(key, format!("{value}; expected a whole number from {least} to {most}")))
    }
}

pub(super) fn run(
    parameters: &RunParameters,
    sde: &SdeParameters,
    objective: &dyn Objective,
    memory: Vec<f64>,
) -> Result<Run, Invalid> {
    let SdeParameters { scheme, substeps, .. } = *sde;
    let build = || -> Result<Run, Invalid> {
        let in_range = |value: f64| LEARNING_RATES.contains(&value);
        let right = format!("a number from {:e} to {:e}", LEARNING_RATES.start(), LEARNING_RATES.end());
        let learning_rate = checked("learning_rate", parameters.learning_rate, in_range, &right)?;
        let steps = whole("steps", parameters.steps, 1, MOST_STEPS)?;
        let records = whole("records", parameters.records, 1, steps)?;
        if !steps.is_multiple_of(records) {
            let message =
                format!("{records}; expected a divisor of steps = {steps}, so that times are evenly spaced");
            return Err(Invalid::new("records", message));
        }
        let mut start = start::of_run(parameters, objective)?;
        start.extend(memory);
        let domain = match &parameters.domain {
            None => None,
            Some(domain) => {
                let norm = start.iter().fold(0.0, |norm, &x| libm::hypot(norm, x));
                let right = format!("a finite number above the norm of the start, {}", shown(norm));
                let radius = checked("domain.radius", domain.radius, |radius| radius > norm, &right)?;
                Some(Domain { radius })
            }
        };
        let sampling = parameters.sampling;
        Ok(Run { learning_rate, steps, records, start, domain, sampling, scheme, substeps })
    };
    let run = build().map_err(|invalid| invalid.under("run"))?;
    whole("sde.substeps", substeps, 1, 10_000)?;
    let (dimension, most) = (run.start.len(), scheme.largest_dimension());
    if dimension > most {
        let message = format!(
            "takes too long in dimension {dimension}; expected at most {most}, or \"euler_maruyama\""
        );
        return Err(Invalid::new("sde.scheme", message));
    }
    Ok(run)
}

pub(super) fn monte_carlo(from_file: MonteCarlo, overrides: Overrides) -> Result<MonteCarlo, Invalid> {
    let given = MonteCarlo {
        seeds: overrides.seeds.or(from_file.seeds),
        max_seeds: overrides.max_seeds.unwrap_or(from_file.max_seeds.max(overrides.seeds.unwrap_or(0))),
        ..from_file
    };
    // Eight blocks, two of which measure the integrator's bias, are the least that have standard errors.
    let least = 8 * BLOCK as u64;
    let in_range = |key: &str, value: u64, least: u64| {
        if (least..=MOST_SEEDS).contains(&value) {
            Ok(())
        } else {
            Err(Invalid::new(key, format!("{value}; expected a whole number from {least} to {MOST_SEEDS}")))
        }
    };
    let key = |option: Option<u64>, key, name| if option.is_some() { name } else { key };
    let first = given.seeds.unwrap_or(least);
    in_range(key(overrides.seeds, "monte_carlo.seeds", "--seeds"), first, least)?;
    in_range(key(overrides.max_seeds, "monte_carlo.max_seeds", "--max-seeds"), given.max_seeds, first)?;
    let right = "a number from 1e-12 to 0.1";
    checked("monte_carlo.error_rate", given.error_rate, |rate| (1e-12..=0.1).contains(&rate), right)?;
    Ok(given)
}

fn groups(scenario: &Scenario, objective: &Arc<dyn Objective>) -> Result<Vec<Group>, Invalid> {
    if scenario.agents.is_empty() {
        return Err(Invalid::new("agents", "no group; expected at least one [[agents]]"));
    }
    let most = MOST_GROUP_ENTRIES / objective.dimension();
    if scenario.agents.len() > most {
        let message = format!(
            "{} groups; expected at most {most} in dimension {}, each with a count",
            scenario.agents.len(),
            objective.dimension()
        );
        return Err(Invalid::new("agents", message));
    }
    let mut groups = Vec::new();
    for (index, parameters) in scenario.agents.iter().enumerate() {
        let under = |invalid: Invalid| invalid.under(&format!("agents[{index}]"));
        let group = group(parameters, scenario, objective).map_err(under)?;
        groups.push(group);
    }
    whole("agents", groups.iter().map(|group| group.count).sum(), 1, MOST_AGENTS)?;
    offsets_cancel(&groups, objective.dimension())?;
    Ok(groups)
}

fn group(
    parameters: &AgentGroup,
    scenario: &Scenario,
    objective: &Arc<dyn Objective>,
) -> Result<Group, Invalid> {
    let d = objective.dimension();
    let count = whole("count", parameters.count, 1, MOST_AGENTS)?;
    let batch_size = whole("batch_size", parameters.batch_size, 1, 1_000_000)?;
    let noise = |batch_size: usize| -> Result<Arc<dyn Noise>, Invalid> {
        let noise = parameters.noise.build(objective, batch_size);
        noise.map(Arc::from).map_err(|invalid| invalid.under("noise"))
    };
    let one_sample = (batch_size > 1).then(|| noise(1)).transpose()?;
    let noise = noise(batch_size)?;
    let rule = scenario.optimizer.rule();
    let takes_signs = rule == Some(Rule::Dsignsgd);
    if takes_signs && let Some(refusal) = noise.sign_law_refusal() {
        return Err(Invalid::new("noise", format!("no sign law: {refusal}")));
    }
    let dof = noise.degrees_of_freedom();
    if !takes_signs && dof <= 2.0 {
        return Err(Invalid::new(
            format!("noise.{}.dof", parameters.noise.name()),
            format!("{dof}; expected more than 2: without a finite covariance Σ this optimizer has no SDE"),
        ));
    }
    let compressor: Arc<dyn Compressor> = match &parameters.compressor {
        None => Arc::new(Identity),
        Some(_) if rule != Some(Rule::Dcsgd) => {
            let message = "a compressor, but only dcsgd compresses; expected none, or optimizer = \"dcsgd\"";
            return Err(Invalid::new("compressor", message));
        }
        Some(compressor) => {
            compressor.build(d).map(Arc::from).map_err(|invalid| invalid.under("compressor"))?
        }
    };
    let gradient_offset = match &parameters.gradient_offset {
        None => None,
        Some(_) if !noise.is_additive() => {
            let message =
                "an offset, but minibatches draw from the samples of f; expected none, or additive noise";
            return Err(Invalid::new("gradient_offset", message));
        }
        Some(offset) => Some(offset.expand("gradient_offset", d, f64::is_finite, "a finite number")?),
    };
    Ok(Group { count, noise, one_sample, compressor, gradient_offset })
}

/// `(1/N) Σ ∇f_i = ∇f`, up to rounding of the sum.
fn offsets_cancel(groups: &[Group], dimension: usize) -> Result<(), Invalid> {
    for j in 0..dimension {
        let terms =
            groups.iter().filter_map(|group| Some(group.count as f64 * group.gradient_offset.as_ref()?[j]));
        let (sum, size) =
            terms.fold((0.0, 0.0), |(sum, size): (f64, f64), term| (sum + term, size + term.abs()));
        if sum.abs() > 1e-12 * size {
            let last = groups.iter().rposition(|group| group.gradient_offset.is_some()).unwrap_or(0);
            return Err(Invalid::new(
                format!("agents[{last}].gradient_offset"),
                format!("the offsets of coordinate {j} add up to {} over the agents; expected 0", shown(sum)),
            ));
        }
    }
    Ok(())
}

pub(super) fn bounded_functions(
    given: &[BoundedFunction],
    dimension: usize,
) -> Result<Vec<TestFunction>, Invalid> {
    let mut functions = Vec::new();
    for (index, function) in given.iter().enumerate() {
        let argument = function.argument();
        let path = format!("functions[{index}].{}", function.name());
        whole(&format!("{path}.coordinate"), argument.coordinate, 0, dimension - 1)?;
        let in_range = |scale| (1e-9..=1e9).contains(&scale);
        checked(&format!("{path}.scale"), argument.scale, in_range, "a number from 1e-9 to 1e9")?;
        functions.push(TestFunction::Bounded(function.clone()));
    }
    Ok(functions)
}

fn directions(scenario: &Scenario, dimension: usize) -> Result<Option<Arc<Directions>>, Invalid> {
    let Some(count) = scenario.projections else { return Ok(None) };
    let most = MOST_DIRECTIONS.min(MOST_DIRECTION_ENTRIES / dimension);
    let count = whole("projections", count, 1, most)?;
    let seed = scenario.monte_carlo.unwrap_or_default().seed;
    Ok(Some(Arc::new(Directions::random(seed, dimension, count))))
}

/// Where ∇f grows faster than linearly and steps with it, moments need a domain.
fn moments_exist(model: &Model) -> Result<(), Invalid> {
    let explosive = model.agents.objective().smoothness().is_none() && !model.has_bounded_steps();
    if explosive && model.run.domain.is_none() {
        return Err(Invalid::new(
            "run",
            "no domain, but ∇f grows faster than linearly, so that moments are ruled by explosions that no sample \
             sees; expected `domain = { radius = R }`",
        ));
    }
    Ok(())
}

pub(super) fn fits_in_memory(model: &Model) -> Result<(), Invalid> {
    let functions = model.functions().tested.len();
    let records = model.run.records;
    if functions.saturating_mul(records + 1) > MOST_MOMENTS {
        return Err(Invalid::new(
            "run.records",
            format!(
                "{functions} test functions at {records} times; expected at most {MOST_MOMENTS} moments, as fewer records or \
                 `projections` have"
            ),
        ));
    }
    Ok(())
}

/// The first look ends within hours.
pub(super) fn ends_in_time(model: &Model, seeds: u64, overrides: Overrides) -> Result<(), Invalid> {
    let Run { steps, substeps, .. } = model.run;
    let operations = model.optimizer_operations() + 2.0 * substeps as f64 * model.sde_operations();
    let work = operations * steps as f64 * seeds as f64;
    if work > MOST_WORK {
        let key = if overrides.seeds.is_some() { "--seeds" } else { "run.steps" };
        let read = if overrides.seeds.is_some() { seeds } else { steps as u64 };
        return Err(Invalid::new(
            key,
            format!(
                "{read}; {steps} steps of {operations:.0e} operations with {seeds} seeds take {work:.0e} at the first \
                 look; expected at most {MOST_WORK:.0e}, some hours"
            ),
        ));
    }
    Ok(())
}

/// A text that every report can show in a line.
fn line(key: &str, text: &str) -> Result<(), Invalid> {
    let length = text.chars().count();
    if length > LONGEST_LINE {
        Err(Invalid::new(key, format!("{length} characters; expected at most {LONGEST_LINE}")))
    } else if text.trim().is_empty() {
        Err(Invalid::new(key, "nothing to read; expected some words"))
    } else if let Some(c) = text.chars().find(|&c| is_unprintable(c)) {
        Err(Invalid::new(key, format!("the character {c:?}; expected one line of printable text")))
    } else {
        Ok(())
    }
}

/// Whether every report can show the text in a line.
pub fn is_line(text: &str) -> bool {
    line("", text).is_ok()
}

/// Controls, characters that XML forbids, and those that cannot be seen or turn the line round.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// The claims of the scenario, and `coefficients` where it is not among them and can be sampled.
fn claims(scenario: &Scenario, setting: &Setting) -> Result<Vec<Claim>, Invalid> {
    let model = setting.model;
    if scenario.claims.len() > MOST_CLAIMS {
        let message = format!("{} of them; expected at most {MOST_CLAIMS}", scenario.claims.len());
        return Err(Invalid::new("claims", message));
    }
    let mut claims = Vec::new();
    for (index, parameters) in scenario.claims.iter().enumerate() {
        let claim = parameters.build(setting);
        claims.push(claim.map_err(|invalid| invalid.under(&format!("claims[{index}]")))?);
    }
    let effect = claims.iter().enumerate().find_map(|(index, claim)| match claim {
        Claim::Trajectory(trajectory) if trajectory.margin.is_relative() => Some((index, trajectory)),
        _ => None,
    });
    if let Some((index, trajectory)) = effect {
        let scaled = margin_has_a_scale(model, trajectory);
        scaled.map_err(|invalid| invalid.under(&format!("claims[{index}]")))?;
    }
    let has_coefficients = claims.iter().any(|claim| matches!(claim, Claim::Coefficients(_)));
    // What is concluded from an SDE is compared with theory, and not with the steps of the optimizer.
    let is_of_conclusions = setting.sweep.is_some() || !claims.is_empty();
    let compares = !is_of_conclusions || claims.iter().any(|claim| !claim.is_of_conclusions());
    if !has_coefficients && compares && model.can_sample(1) {
        // A mutant is by definition wrong in its coefficients.
        let expect = if scenario.sde.mutant.is_some() { Expectation::Refuted } else { Expectation::Upheld };
        claims.insert(0, ClaimParameters::coefficients(None, expect).build(setting)?);
    }
    if claims.is_empty() && setting.sweep.is_none() {
        return Err(Invalid::new(
            "claims",
            "nothing can be tested by sampling under this noise; expected a claim",
        ));
    }
    Ok(claims)
}

/// Steps of the paths that check for a deviation, and operations of the check, a moment's work.
const MOST_STEPS_OF_A_CHECK: usize = 64;
const MOST_WORK_OF_A_CHECK: f64 = 1e8;

/// A margin in standard deviations needs some deviation: where four paths of the SDE agree at the first
/// record time, or after some steps towards it, there is none. Coarse steps tell as well as fine ones.
pub(super) fn margin_has_a_scale(model: &Model, trajectory: &Trajectory) -> Result<(), Invalid> {
    if !trajectory.margin.is_relative() {
        return Ok(());
    }
    const PATHS: u64 = 4;
    let functions = model.functions().tested.into_iter().filter(|function| *function != TestFunction::Exit);
    let affordable = MOST_WORK_OF_A_CHECK / (PATHS as f64 * 2.0 * model.sde_operations());
    let steps = model.run.every().min(MOST_STEPS_OF_A_CHECK).min(affordable as usize).max(1);
    let observables = model.observables_over(steps, steps, functions.collect());
    let pilot = SdeProcess { substeps: 1, ..model.sde_process(0, Role::Pilot, 0) };
    let deviations = standard_deviations(&pilot, &observables, steps, PATHS, &|| ());
    let times = observables.times();
    let at_first_record = deviations.iter().skip(times - 1).step_by(times);
    match observables.functions.iter().zip(at_first_record).find(|(_, deviation)| **deviation == 0.0) {
        None => Ok(()),
        Some((function, _)) => Err(Invalid::new(
            "trajectory.margin",
            format!(
                "an effect, but {function} has no deviation under the SDE at the first record time; expected an \
                 absolute one, {{ absolute = .. }} in a scenario"
            ),
        )),
    }
}
