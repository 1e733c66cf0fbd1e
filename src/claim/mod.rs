//! Claims: from estimates to a verdict, one file each.

mod coefficients;
mod contradiction;
mod decision;
mod errors;
mod finding;
mod forecast;
mod gates;
mod intervals;
mod order;
mod pilot;
mod sampling;
mod tables;
mod trajectory;

use crate::model::Model;
use crate::parameter::{Invalid, registry};

pub use coefficients::Coefficients;
pub use contradiction::Contradiction;
pub use decision::{Gap, Levels, decide};
pub use errors::Errors;
pub use finding::{Expectation, Finding, Verdict, Worst};
pub use forecast::{Forecast, forecast};
pub use order::{LargestGap, Order, OrderEstimate, OrderOfDifference};
pub use tables::{ExactTables, MomentTables, Table};
pub use trajectory::Trajectory;
pub use trajectory::sampled_difference;

use crate::scenario::Experiment;
use sampling::Simulated;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A claim that was checked.
#[derive(Clone, Debug)]
pub enum Claim {
    /// Drift and diffusion are those of the optimizer's real step.
    Coefficients(Coefficients),
    /// Moments agree along the run.
    Trajectory(Trajectory),
    /// They agree the better the smaller η is.
    Order(Order),
}

/// What claims are checked against.
pub struct Setting<'a> {
    /// What is compared.
    pub model: &'a Model,
    /// Whether paths are asked for, even where expectations are exact.
    pub is_sampled: bool,
    /// The same model at another learning rate, over so many steps.
    pub rebuild: &'a dyn Fn(f64, usize) -> Result<Model, Invalid>,
}

registry! {
    /// The claims by their names in scenarios.
    ClaimParameters builds Claim, from (setting: &Setting) by build (setting):
    "coefficients" => Coefficients(coefficients::Parameters),
    "trajectory" => Trajectory(trajectory::Parameters),
    "order" => Order(order::Parameters),
}

impl Claim {
    /// What the scenario expects.
    pub fn expect(&self) -> Expectation {
        match self {
            Self::Coefficients(claim) => claim.expect,
            Self::Trajectory(claim) => claim.expect,
            Self::Order(claim) => claim.expect,
        }
    }

    /// The claim on other models; only that of an order has its own.
    pub fn map<E>(&self, change: impl Fn(&Model) -> Result<Model, E>) -> Result<Self, E> {
        Ok(match self {
            Self::Order(order) => Self::Order(order.map(change)?),
            Self::Coefficients(_) | Self::Trajectory(_) => self.clone(),
        })
    }
}

/// How far a mistake takes a process from the right one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Difference {
    /// The entry of drift or diffusion, or the test function, that differs most.
    pub function: String,
    /// t.
    pub time: f64,
    /// By how many margins it differs there.
    pub margins: f64,
    /// Limits of that; wider than a point where the difference is sampled.
    pub interval: [f64; 2],
}

impl Difference {
    /// Whether it is inside the margin.
    pub fn is_within(&self) -> bool {
        self.interval[1] <= 1.0
    }

    /// Whether it is outside.
    pub fn is_beyond(&self) -> bool {
        self.interval[0] > 1.0
    }

    /// The one that decides where nothing may lie beyond the margin: the largest that does, else the one that
    /// reaches farthest.
    pub(crate) fn decisive(differences: impl Iterator<Item = Self>) -> Option<Self> {
        let decides = |difference: &Self| {
            let [low, high] = difference.interval;
            (difference.is_beyond(), if difference.is_beyond() { low } else { high })
        };
        differences.max_by(|a, b| {
            let ((a_beyond, a), (b_beyond, b)) = (decides(a), decides(b));
            a_beyond.cmp(&b_beyond).then(a.total_cmp(&b))
        })
    }
}

impl ClaimParameters {
    /// The claim `coefficients` that every scenario makes unless it says otherwise.
    pub fn default_coefficients(expect: Expectation) -> Self {
        Self::Coefficients(coefficients::Parameters::new(expect))
    }
}

/// Hears how far the work has come.
pub trait Progress: Sync {
    /// So many more units of work will follow.
    fn announce(&self, units: u64);

    /// So many of them are done.
    fn tick(&self, units: u64);

    /// The claim of this index among those of the experiment is decided.
    fn decided(&self, _claim: usize, _finding: &Finding) {}
}

/// What judging the claims of an experiment gave.
pub struct Judgement {
    /// One a claim, in the order of the claims.
    pub findings: Vec<Finding>,
    /// Moments at the last look, where a trajectory was claimed.
    pub moments: Option<MomentTables>,
    /// Samples that contradict exact expectations.
    pub contradictions: Vec<Contradiction>,
    /// Paths that were not finite.
    pub non_finite: NonFinite,
    /// Optimizer steps that were simulated for the moments.
    pub path_steps: u64,
}

/// Paths with a state or a test function that is not finite.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct NonFinite {
    /// Of the optimizer.
    pub optimizer: u64,
    /// Of the SDE.
    pub sde: u64,
}

/// Judges all claims of an experiment. Trajectories share their paths.
pub fn judge(experiment: &Experiment, progress: &dyn Progress) -> Judgement {
    let mut findings = BTreeMap::new();
    let mut simulated = Simulated::default();
    let mut trajectories = Vec::new();
    for (index, claim) in experiment.claims.iter().enumerate() {
        match claim {
            Claim::Coefficients(coefficients) => {
                let finding = coefficients.judge(experiment, progress);
                progress.decided(index, &finding);
                findings.insert(index, finding);
            }
            Claim::Trajectory(trajectory) => trajectories.push((index, trajectory)),
            Claim::Order(order) => {
                let (finding, of_order) = order.judge(experiment, progress);
                simulated.add(of_order);
                progress.decided(index, &finding);
                findings.insert(index, finding);
            }
        }
    }
    let compared = trajectory::judge(&trajectories, experiment, progress);
    simulated.add(compared.simulated);
    findings.extend(compared.findings);
    let mut findings: Vec<Finding> = findings.into_values().collect();
    explain(&mut findings, &experiment.model);
    let Simulated { contradictions, non_finite, path_steps } = simulated;
    Judgement { findings, moments: compared.moments, contradictions, non_finite, path_steps }
}

/// What an interrupted run makes of an experiment: the claims that were `decided`, by their indices, and
/// the others as inconclusive.
pub fn interrupted(experiment: &Experiment, decided: &BTreeMap<usize, Finding>) -> Judgement {
    let finding = |(index, claim): (usize, &Claim)| {
        decided.get(&index).cloned().unwrap_or_else(|| match claim {
            Claim::Coefficients(claim) => {
                Finding::interrupted("coefficients", claim.expect, experiment.monte_carlo.error_rate)
            }
            Claim::Trajectory(claim) => {
                Finding::interrupted("trajectory", claim.expect, experiment.monte_carlo.error_rate)
            }
            Claim::Order(claim) => {
                Finding::interrupted("order", claim.expect, experiment.monte_carlo.error_rate)
            }
        })
    };
    let mut findings: Vec<Finding> = experiment.claims.iter().enumerate().map(finding).collect();
    explain(&mut findings, &experiment.model);
    Judgement {
        findings,
        moments: None,
        contradictions: Vec::new(),
        non_finite: NonFinite::default(),
        path_steps: 0,
    }
}

/// Says of a refuted trajectory what the coefficients make of it, and whether the optimizer itself is unstable.
fn explain(findings: &mut [Finding], model: &Model) {
    let blamed = findings.iter().filter(|finding| finding.kind == "coefficients");
    let of_coefficients = match blamed.map(|finding| (finding.verdict, finding.worst.as_ref())).next() {
        Some((Verdict::Refuted, Some(worst))) => format!("; one step at a time {} is to blame", worst.function),
        Some((Verdict::Upheld, _)) => "; one step at a time what was tested of the coefficients agrees within its \
                                       margin, which speaks for the error of order η that any such SDE has: see \
                                       whether it falls with the learning rate"
            .to_owned(),
        _ => String::new(),
    };
    let of_model = model.instability().map(|product| {
        format!(
            "; the optimizer itself is unstable: the learning rate times the largest curvature is {product:.3}, above 2"
        )
    });
    for finding in findings.iter_mut() {
        if finding.kind != "trajectory" || finding.verdict != Verdict::Refuted {
            continue;
        }
        let diverged = finding.worst.is_none();
        if !diverged {
            finding.sentence.push_str(&of_coefficients);
        }
        finding.sentence.push_str(of_model.as_deref().unwrap_or_default());
    }
}
