//! Trajectories made elsewhere: recorded paths of the optimizer, of the SDE, or of both.

use super::Trajectory;
use super::margins::Margins;
use super::sampled::{Comparison, Evidence};
use crate::claim::decision::Levels;
use crate::claim::intervals::Intervals;
use crate::claim::pilot::PILOT_PATHS;
use crate::claim::sampling::COARSE_EVERY;
use crate::claim::tables::MomentTables;
use crate::claim::{Judgement, NonFinite, Progress, Side};
use crate::ensemble::{
    BLOCK, Moments, Observables, Pair, Process, RecordedProcess, TestFunction, observe_each,
};
use crate::model::Model;
use crate::objective::Unknown;
use crate::random::Role;
use crate::recorded::{PathReader, Recording, Shape, agree};
use crate::scenario::{Experiment, InputError, MOST_MOMENTS, MonteCarlo};
use crate::stats::{Look, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Fewest blocks that are compared: those of the least first look of a scenario.
const LEAST_BLOCKS: u64 = 8;

/// Numbers of one file that are in memory at a time, unless a block of paths has more.
const NUMBERS_AT_A_TIME: u64 = 1 << 21;

/// What is compared with what.
pub enum Recorded<'a> {
    /// A recorded optimizer with a recorded SDE.
    Both {
        /// Paths of the optimizer.
        optimizer: &'a mut Recording,
        /// Paths of the SDE.
        sde: &'a mut Recording,
        /// η, by which fluctuations are divided.
        learning_rate: f64,
    },
    /// A recorded optimizer with the SDE of a scenario.
    Optimizer(&'a mut Recording, &'a Experiment),
    /// The optimizer of a scenario with a recorded SDE.
    Sde(&'a mut Recording, &'a Experiment),
}

/// What became of the paths of a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordedPaths {
    /// What they are of.
    pub side: Side,
    /// The file.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Paths in the file.
    pub paths: u64,
    /// Those that set the scale of margins, and without a scenario c; they are not compared.
    pub pilot: u64,
    /// Those that are compared.
    pub compared: u64,
    /// Those that are left over: paths are compared in blocks of 64, and as many of both sides.
    pub left_over: u64,
}

/// Judges the claim on recorded paths, in one look at all of them.
pub fn judge_recorded(
    mut recorded: Recorded,
    claim: &Trajectory,
    error_rate: f64,
    progress: &dyn Progress,
) -> Result<(Judgement, Vec<RecordedPaths>), InputError> {
    recorded.check()?;
    let counts = recorded.counts()?;
    let experiment = recorded.experiment();
    let model = experiment.map(|experiment| &experiment.model);
    let observables = recorded.observables(&counts, model)?;
    let margins = match recorded.files() {
        [_, Some(sde)] => {
            let every = model.map_or(1, |model| model.run.every());
            Margins::of_deviations(&observables, deviations(sde, counts.pilot, every, &observables)?)
        }
        [_, None] => {
            Margins::new(&[(0, claim)], experiment.expect("one side is simulated"), &observables, progress)
        }
    };
    let seed = experiment.map_or(0, |experiment| experiment.monte_carlo.seed);
    let moments = recorded.moments(&counts, model, seed, &observables, progress)?;

    let monte_carlo = MonteCarlo { seed, error_rate, ..MonteCarlo::default() };
    let left_out = model.map_or(Vec::new(), |model| model.functions().left_out);
    let comparison = Comparison {
        monte_carlo: &monte_carlo,
        reason: "paths were recorded".to_owned(),
        observables: &observables,
        margins,
        left_out: left_out.iter().map(ToString::to_string).collect(),
    };
    let look = Look { number: 1, size: counts.blocks, share: 1.0, is_last: true };
    let levels = Levels::new(error_rate, look, observables.cells().count());
    let weak_order = model.map_or(1, |model| model.run.scheme.weak_order());
    let intervals = Intervals::new(&moments.raw, &observables, levels, weak_order, 1.0);
    let non_finite = NonFinite { optimizer: moments.non_finite_optimizer, sde: moments.non_finite_sde };
    let evidence = Evidence {
        sample: format!("{} recorded paths", moments.seeds()),
        seeds: moments.seeds(),
        non_finite,
        assumes: recorded.assumes(),
        events: model.map_or(f64::INFINITY, |model| model.rarest_events(moments.seeds())),
        distrust: None,
        more_paths: "more recorded paths",
    };
    let mut finding =
        comparison.finding(claim, &evidence, &intervals, look).expect("the last look has a finding");
    let margin = |index| comparison.margins.of(claim.margin, index);
    let mut tables = MomentTables::sampled(&moments.raw, &observables, &intervals, margin);
    if let [_, Some(_)] = recorded.files() {
        // Who recorded an SDE knows what its solver is off by; here it is not known.
        tables.sde.integrator_bias.iter_mut().flatten().for_each(|bias| *bias = None);
        finding.worst.iter_mut().for_each(|worst| worst.integration = None);
    }
    progress.decided(0, &finding);
    let judgement = Judgement {
        findings: vec![finding],
        moments: Some(tables),
        sweep: None,
        contradictions: Vec::new(),
        non_finite,
        path_steps: model.map_or(0, |model| moments.seeds() * model.run.steps as u64),
    };
    Ok((judgement, recorded.uses(&counts)))
}

/// How many paths are compared.
struct Counts {
    /// Of a recorded SDE.
    pilot: u64,
    /// Blocks of both sides that are compared.
    blocks: u64,
}

/// Paths of a recorded SDE that are held out: a quarter in whole blocks, as many as other pilots have at most.
fn pilot_paths(paths: u64) -> u64 {
    (paths / 4 / BLOCK as u64 * BLOCK as u64).min(PILOT_PATHS)
}

impl<'a> Recorded<'a> {
    fn experiment(&self) -> Option<&'a Experiment> {
        match self {
            Self::Both { .. } => None,
            Self::Optimizer(_, experiment) | Self::Sde(_, experiment) => Some(experiment),
        }
    }

    /// The files of the optimizer and of the SDE.
    fn files(&mut self) -> [Option<&mut Recording>; 2] {
        match self {
            Self::Both { optimizer, sde, .. } => [Some(optimizer), Some(sde)],
            Self::Optimizer(optimizer, _) => [Some(optimizer), None],
            Self::Sde(sde, _) => [None, Some(sde)],
        }
    }

    fn shapes(&self) -> [Option<&Shape>; 2] {
        match self {
            Self::Both { optimizer, sde, .. } => [Some(optimizer.shape()), Some(sde.shape())],
            Self::Optimizer(optimizer, _) => [Some(optimizer.shape()), None],
            Self::Sde(sde, _) => [None, Some(sde.shape())],
        }
    }

    /// Whether both sides have the same times and dimension.
    fn check(&self) -> Result<(), InputError> {
        match self {
            Self::Both { optimizer, sde, .. } => {
                let (optimizer, sde) = (optimizer.shape(), sde.shape());
                fits(sde, &optimizer.times, optimizer.dimension, &optimizer.file.display().to_string())
            }
            Self::Optimizer(recording, experiment) | Self::Sde(recording, experiment) => {
                let (shape, model) = (recording.shape(), &experiment.model);
                if model.run.domain.is_some() {
                    let message = "cannot be compared with a scenario that has run.domain: recorded paths did not stop at \
                                   its edge; expected a scenario without";
                    return Err(shape.wrong(message));
                }
                fits(shape, &model.run.times(), model.dimension(), "the scenario")
            }
        }
    }

    fn counts(&self) -> Result<Counts, InputError> {
        let [optimizer, sde] = self.shapes();
        let pilot = sde.map_or(0, |sde| pilot_paths(sde.paths));
        let mut blocks = u64::MAX;
        for (shape, held_out) in [(optimizer, 0), (sde, pilot)] {
            let Some(shape) = shape else { continue };
            let whole = (shape.paths - held_out) / BLOCK as u64;
            if whole < LEAST_BLOCKS {
                let also = if held_out > 0 {
                    format!(" besides the {held_out} of the pilot")
                } else {
                    String::new()
                };
                let least = LEAST_BLOCKS * BLOCK as u64;
                let message = format!("x: {} paths; expected at least {least}{also}", shape.paths);
                return Err(shape.wrong(message));
            }
            blocks = blocks.min(whole);
        }
        Ok(Counts { pilot, blocks })
    }

    /// The test functions. Without a scenario c is the mean of the SDE's held-out paths: any path will do that is fixed before
    /// what is compared is seen.
    fn observables(&mut self, counts: &Counts, model: Option<&Model>) -> Result<Observables, InputError> {
        if let Some(model) = model {
            return Ok(model.observables(model.functions().tested));
        }
        let Self::Both { sde, learning_rate, .. } = self else {
            unreachable!("only two files have no scenario")
        };
        let Shape { times, dimension, .. } = sde.shape().clone();
        let all = Observables::default_functions(dimension).into_iter();
        let functions: Vec<TestFunction> = all.filter(|function| *function != TestFunction::Loss).collect();
        if functions.len().saturating_mul(times.len()) > MOST_MOMENTS {
            return Err(sde.shape().wrong(format!(
                "x: {} test functions at {} times; expected at most {MOST_MOMENTS} moments, as fewer times (x[:, ::10], t[::10]) \
                 or coordinates have",
                functions.len(),
                times.len()
            )));
        }
        let mut reader = sde.paths()?;
        let mut series = Series::default();
        for _ in 0..counts.pilot / BLOCK as u64 {
            let states = reader.read(BLOCK as u64)?;
            states.chunks_exact(times.len() * dimension).for_each(|path| series.push(path));
        }
        let mean = |time: usize| (0..dimension).map(|j| series.mean(time * dimension + j)).collect();
        Ok(Observables {
            functions,
            flow: (0..times.len()).map(mean).collect(),
            record_times: times,
            eta: *learning_rate,
            objective: Arc::new(Unknown { dimension }),
            projections: None,
        })
    }

    /// Reads both sides to their ends.
    fn moments(
        &mut self,
        counts: &Counts,
        model: Option<&Model>,
        seed: u64,
        observables: &Observables,
        progress: &dyn Progress,
    ) -> Result<Moments, InputError> {
        let (steps, every) =
            model.map_or((observables.times() - 1, 1), |model| (model.run.steps, model.run.every()));
        let [optimizer, sde] = self.files();
        let mut optimizer = optimizer.map(Recording::paths).transpose()?;
        let mut sde = sde.map(Recording::paths).transpose()?;
        if let Some(sde) = &mut sde {
            skip(sde, counts.pilot)?;
        }
        progress.announce(counts.blocks * (BLOCK * steps) as u64);
        let in_block = [&optimizer, &sde].into_iter().flatten().map(|reader| numbers(reader.shape())).max();
        let at_a_time = (NUMBERS_AT_A_TIME / in_block.unwrap_or(1)).clamp(1, counts.blocks);
        let mut moments = Moments::default();
        let mut first = 0;
        while first < counts.blocks {
            let last = counts.blocks.min(first + at_a_time);
            let paths = first * BLOCK as u64..last * BLOCK as u64;
            let read = |reader: &mut PathReader| -> Result<Box<dyn Process>, InputError> {
                let states = reader.read(paths.end - paths.start)?;
                Ok(Box::new(process(reader.shape(), paths.start, every, states)))
            };
            let simulated = || model.expect("one side is simulated");
            let optimizer = match &mut optimizer {
                Some(reader) => read(reader)?,
                None => Box::new(simulated().optimizer_process(seed, Role::Optimizer)),
            };
            let sde = match &mut sde {
                Some(reader) => read(reader)?,
                None => Box::new(simulated().sde_process(seed, Role::Sde, COARSE_EVERY)),
            };
            let pair = Pair { optimizer: &*optimizer, sde: &*sde, observables, steps, controls: None };
            moments.extend(&pair, first..last, &|| progress.tick((BLOCK * steps) as u64));
            first = last;
        }
        starts_agree(optimizer.as_ref(), sde.as_ref(), model)?;
        for reader in [&mut optimizer, &mut sde].into_iter().flatten() {
            skip(reader, reader.left())?;
        }
        Ok(moments)
    }

    fn assumes(&self) -> Vec<String> {
        let of_solver = if matches!(self, Self::Optimizer(..)) {
            "integrator_bias_extrapolated"
        } else {
            "recorded_sde_solver_unbiased"
        };
        let all = ["block_means_gaussian", of_solver, "recorded_paths_independent", "recorded_tails_light"];
        all.map(str::to_owned).to_vec()
    }

    fn uses(&self, counts: &Counts) -> Vec<RecordedPaths> {
        let [optimizer, sde] = self.shapes();
        let compared = counts.blocks * BLOCK as u64;
        let of_side = |(side, shape, pilot): (Side, Option<&Shape>, u64)| {
            let Shape { file, sha256, paths, .. } = shape?;
            Some(RecordedPaths {
                side,
                file: file.display().to_string(),
                sha256: sha256.clone(),
                paths: *paths,
                pilot,
                compared,
                left_over: paths - pilot - compared,
            })
        };
        [(Side::Optimizer, optimizer, 0), (Side::Sde, sde, counts.pilot)]
            .into_iter()
            .filter_map(of_side)
            .collect()
    }
}

/// Whether a file has these times and this dimension, those of `other`.
fn fits(shape: &Shape, times: &[f64], dimension: usize, other: &str) -> Result<(), InputError> {
    if shape.dimension != dimension {
        let message = format!("x: {} coordinates; expected {dimension}, as {other} has", shape.dimension);
        return Err(shape.wrong(message));
    }
    if shape.times.len() != times.len() {
        let message = format!(
            "t: {} times up to {}; expected {} up to {}, as {other} has",
            shape.times.len(),
            shape.times[shape.times.len() - 1],
            times.len(),
            times[times.len() - 1]
        );
        return Err(shape.wrong(message));
    }
    let last = times[times.len() - 1];
    let differs = |(a, b): (&f64, &f64)| !agree(*a, *b, last);
    if let Some(index) = shape.times.iter().zip(times).position(differs) {
        let message =
            format!("t[{index}] is {}; expected {}, as {other} has", shape.times[index], times[index]);
        return Err(shape.wrong(message));
    }
    Ok(())
}

/// Whether both sides start at one state.
fn starts_agree(
    optimizer: Option<&PathReader>,
    sde: Option<&PathReader>,
    model: Option<&Model>,
) -> Result<(), InputError> {
    let (reader, expected, other) = match (optimizer, sde, model) {
        (Some(optimizer), Some(sde), _) => {
            (sde, optimizer.start(), optimizer.shape().file.display().to_string())
        }
        (Some(reader), None, Some(model)) | (None, Some(reader), Some(model)) => {
            (reader, &*model.run.start, "the scenario".to_owned())
        }
        _ => unreachable!("there are two sides"),
    };
    let differs = |(x, start): (&f64, &f64)| !agree(*x, *start, start.abs());
    match reader.start().iter().zip(expected).position(differs) {
        None => Ok(()),
        Some(j) => Err(reader.shape().wrong(format!(
            "x[0, 0, {j}] is {}; expected {}, where the paths of {other} start",
            reader.start()[j],
            expected[j]
        ))),
    }
}

/// Reads so many paths, of which nothing is needed but that they are right.
fn skip(reader: &mut PathReader, paths: u64) -> Result<(), InputError> {
    for first in (0..paths).step_by(BLOCK) {
        reader.read((paths - first).min(BLOCK as u64))?;
    }
    Ok(())
}

/// Numbers in a block of paths.
fn numbers(shape: &Shape) -> u64 {
    (BLOCK * shape.times.len() * shape.dimension) as u64
}

fn process(shape: &Shape, first: u64, every: usize, states: Vec<f64>) -> RecordedProcess {
    RecordedProcess { first, states, times: shape.times.len(), dimension: shape.dimension, every }
}

/// Standard deviations of one path, observable by observable, from the first `paths` of a file.
fn deviations(
    recording: &mut Recording,
    paths: u64,
    every: usize,
    observables: &Observables,
) -> Result<Vec<f64>, InputError> {
    let mut reader = recording.paths()?;
    let steps = (observables.times() - 1) * every;
    let mut series = Series::default();
    for first in (0..paths).step_by(BLOCK) {
        let states = reader.read(BLOCK as u64)?;
        let recorded = process(reader.shape(), first, every, states);
        for means in observe_each(&recorded, observables, steps, first..first + BLOCK as u64) {
            series.push(&means.functions);
        }
    }
    Ok((0..series.len()).map(|index| series.standard_deviation(index)).collect())
}
