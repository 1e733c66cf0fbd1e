//! Does this SDE of mine track this optimizer of mine? From a test, in some thirty lines, as the [front page](crate) shows.
//!
//! Two claims are checked: *coefficients*, that a single step has the drift and the diffusion of the SDE at states along
//! the run, and *trajectory*, that moments along the run agree within the margin. Each is upheld though false, or refuted though
//! true, with at most the probability [`Verification::error_rate`], up to what [`Finding::assumes`] lists. Of that, moments that
//! an optimizer declares weigh most: a small error in them that the SDE shares can pass. Without [`Optimizer::moments`]
//! verdicts rest on the steps alone.

mod check;
mod own;

use crate::agent::Agents;
use crate::claim::{self, Progress, Trajectory, Verdict};
use crate::objective::{Objective, Unknown};
use crate::optimizer::Sampling;
use crate::parameter::{Invalid, PerCoordinate};
use crate::scenario::{CodedRun, DomainParameters, MonteCarlo, RunParameters, SdeParameters, of_code};
use std::fmt;
use std::sync::Arc;

pub use crate::claim::{Finding, Margin};
pub use crate::ensemble::{Argument, BoundedFunction};
pub use own::{Moments, Optimizer, Sde};
use own::{OwnOptimizer, OwnSde};

/// Begins to verify that `sde` tracks `optimizer`.
pub fn verify<O: Optimizer, S: Sde>(optimizer: &O, sde: &S) -> Verification<O, S> {
    Verification {
        optimizer: optimizer.clone(),
        sde: sde.clone(),
        start: Vec::new(),
        run: RunParameters {
            learning_rate: f64::NAN,
            steps: 0,
            records: 10,
            start: None,
            domain: None,
            sampling: Sampling::Faithful,
        },
        integration: SdeParameters::default(),
        monte_carlo: MonteCarlo::default(),
        margin: Margin::Effect(0.1),
        margin_of_coefficients: None,
        functions: Vec::new(),
    }
}

/// An optimizer, an SDE, and how they are compared. `learning_rate`, `steps` and `start` have to be given.
#[derive(Clone)]
#[must_use = "nothing is compared before `verdicts`, `assert_upheld` or `assert_refuted`"]
pub struct Verification<O, S> {
    optimizer: O,
    sde: S,
    start: Vec<f64>,
    run: RunParameters,
    integration: SdeParameters,
    monte_carlo: MonteCarlo,
    margin: Margin,
    margin_of_coefficients: Option<f64>,
    functions: Vec<BoundedFunction>,
}

impl<O: Optimizer, S: Sde> Verification<O, S> {
    /// η: the time of the SDE that one step of the optimizer takes.
    pub fn learning_rate(mut self, eta: f64) -> Self {
        self.run.learning_rate = eta;
        self
    }

    /// K: the run ends at t = Kη.
    pub fn steps(mut self, steps: usize) -> Self {
        self.run.steps = steps;
        self
    }

    /// Record times besides t = 0, evenly spaced, a divisor of the steps; 10 unless given.
    pub fn records(mut self, records: usize) -> Self {
        self.run.records = records;
        self
    }

    /// The state at which both start.
    pub fn start(mut self, state: &[f64]) -> Self {
        self.start = state.to_vec();
        self
    }

    /// Both stop where the norm of the state exceeds `radius`; nowhere unless given.
    pub fn stopped_beyond(mut self, radius: f64) -> Self {
        self.run.domain = Some(DomainParameters { radius });
        self
    }

    /// How large a gap of a moment is allowed; 0.1 standard deviations unless given.
    pub fn margin(mut self, margin: Margin) -> Self {
        self.margin = margin;
        self
    }

    /// How far drift and diffusion may be from those of a step, as a share of their size; 0.05 unless given.
    pub fn margin_of_coefficients(mut self, share: f64) -> Self {
        self.margin_of_coefficients = Some(share);
        self
    }

    /// A bounded test function besides coordinates, their products and scaled fluctuations.
    pub fn function(mut self, function: BoundedFunction) -> Self {
        self.functions.push(function);
        self
    }

    /// m: the SDE is integrated with 2m steps to each η, and with m to measure the bias; 4 unless given.
    pub fn substeps(mut self, substeps: usize) -> Self {
        self.integration.substeps = substeps;
        self
    }

    /// From which every draw follows.
    pub fn seed(mut self, seed: u64) -> Self {
        self.monte_carlo.seed = seed;
        self
    }

    /// Paths of each at most; 2²⁰ unless given.
    pub fn max_seeds(mut self, paths: u64) -> Self {
        self.monte_carlo.max_seeds = paths;
        self
    }

    /// α: the probability of a wrong verdict of a claim, at most; 1e-6 unless given.
    pub fn error_rate(mut self, alpha: f64) -> Self {
        self.monte_carlo.error_rate = alpha;
        self
    }

    /// Runs both and judges. An error says which value makes no sense, and what would: of what is set here, and of drift,
    /// diffusion and moments at states along a path of the optimizer.
    ///
    /// # Panics
    ///
    /// Where `step`, `drift`, `diffusion` or `moments` do, or add to a covariance what has not its dimension.
    pub fn verdicts(self) -> Result<Verdicts, Invalid> {
        let start = self.start;
        if self.run.learning_rate.is_nan() {
            return Err(Invalid::new("learning_rate", "not given; expected the time that one step takes"));
        }
        if start.is_empty() {
            return Err(Invalid::new("start", "not given; expected the state at which both start"));
        }
        if start.iter().all(|x| x.is_finite()) {
            check::check(&self.optimizer, &self.sde, &start, self.run.steps, self.monte_carlo.seed)?;
        }
        let declares = self.optimizer.moments(&start).is_some();
        let objective: Arc<dyn Objective> = Arc::new(Unknown { dimension: start.len() });
        let experiment = of_code(CodedRun {
            optimizer: Arc::new(OwnOptimizer { optimizer: self.optimizer, declares }),
            sde: Arc::new(OwnSde(self.sde)),
            agents: Arc::new(Agents::new(objective, Vec::new())),
            run: RunParameters { start: Some(PerCoordinate::Each(start)), ..self.run },
            integration: self.integration,
            monte_carlo: self.monte_carlo,
            functions: self.functions,
            margin_of_coefficients: self.margin_of_coefficients,
            trajectory: Trajectory { margin: self.margin, expect: claim::Expectation::Upheld },
        })?;
        let judgement = claim::judge(&experiment, &Silent);
        Ok(Verdicts { findings: judgement.findings })
    }

    /// Panics with the verdicts unless every claim is upheld: the SDE tracks the optimizer.
    #[track_caller]
    pub fn assert_upheld(self) {
        let verdicts = self.expect_verdicts();
        let is_upheld = verdicts.findings.iter().all(|finding| finding.verdict == Verdict::Upheld);
        assert!(is_upheld, "the SDE should track the optimizer, but\n{verdicts}");
    }

    /// Panics with the verdicts unless the trajectory is refuted by a moment: the SDE does not track the optimizer. Paths that are not
    /// finite are none, as an SDE that is only broken has them too.
    #[track_caller]
    pub fn assert_refuted(self) {
        let verdicts = self.expect_verdicts();
        let is_refuted = |finding: &Finding| finding.verdict == Verdict::Refuted && finding.worst.is_some();
        let is_refuted = verdicts.of("trajectory").is_some_and(is_refuted);
        assert!(is_refuted, "the SDE should not track the optimizer, but\n{verdicts}");
    }

    #[track_caller]
    fn expect_verdicts(self) -> Verdicts {
        match self.verdicts() {
            Ok(verdicts) => verdicts,
            Err(invalid) => panic!("nothing could be compared: {invalid}"),
        }
    }
}

/// What the claims came to.
#[derive(Clone, Debug)]
pub struct Verdicts {
    /// `coefficients`, where the noise lets it be sampled, and `trajectory`.
    pub findings: Vec<Finding>,
}

impl Verdicts {
    /// The finding of a kind of claim.
    pub fn of(&self, kind: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind == kind)
    }
}

/// A line a claim.
impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{} {}: {}", finding.kind, finding.verdict, finding.sentence)?;
        }
        Ok(())
    }
}

/// Tests say nothing while they run.
struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}

    fn tick(&self, _units: u64) {}
}
