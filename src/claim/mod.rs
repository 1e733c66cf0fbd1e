//! Claims: from estimates to a verdict, one file each.

mod bound;
mod coefficients;
mod consequence;
mod contradiction;
mod decision;
mod errors;
mod finding;
mod forecast;
mod gates;
mod intervals;
mod long_run;
mod order;
mod phases;
mod pilot;
mod relaxation;
mod sampling;
mod scaling;
mod side;
mod stationary;
mod sweep;
mod tables;
mod trajectory;

use crate::model::Model;
use crate::parameter::{Invalid, registry};

pub use bound::{BoundEstimate, Form as BoundForm};
pub use coefficients::Coefficients;
pub use consequence::Consequence;
pub use contradiction::Contradiction;
pub use decision::{Gap, Levels, decide, decide_one_sided};
pub use errors::Errors;
pub use finding::{Expectation, Finding, Verdict, Worst};
pub use forecast::{Forecast, forecast};
pub use long_run::Schedule;
pub use order::{LargestGap, Order, OrderEstimate, OrderOfDifference};
pub use phases::{PhasedCoordinate, PhasedRun};
pub use scaling::ScaledFloor;
pub use side::Side;
pub use stationary::LawAtRest;
pub use sweep::{
    Measured, OfSweep, Quantity, Rest, SlopeEstimate, Sweep, SweepTable, Swept, SweptAxis, SweptPoint,
};
pub use tables::{ExactTables, MomentTables, Table};
pub use trajectory::{Margin, Recorded, RecordedPaths, Trajectory, judge_recorded, sampled_difference};

use crate::scenario::{Experiment, Scenario};
use sampling::Simulated;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A claim that was checked.
#[derive(Clone, Debug)]
pub enum Claim {
    /// Drift and diffusion are those of the optimizer's real step.
    Coefficients(Coefficients),
    /// Moments agree along the run.
    Trajectory(Trajectory),
    /// They agree the better the smaller η is.
    Order(Order),
    /// What is concluded from the SDE holds.
    Consequence(Arc<dyn Consequence>),
    /// What a sweep comes to is as claimed.
    OfSweep(Arc<dyn OfSweep>),
}

/// What claims are checked against.
pub struct Setting<'a> {
    /// What is compared.
    pub model: &'a Model,
    /// Whether paths are asked for, even where expectations are exact.
    pub is_sampled: bool,
    /// The model of the scenario after a change to it.
    pub rebuild: &'a Rebuild<'a>,
    /// The scenario at other values.
    pub sweep: Option<&'a Sweep>,
}

/// From a change to a scenario to its model.
pub type Rebuild<'a> = dyn Fn(&dyn Fn(&mut Scenario) -> Result<(), Invalid>) -> Result<Model, Invalid> + 'a;

registry! {
    /// The claims by their names in scenarios.
    ClaimParameters builds Claim, from (setting: &Setting) by build (setting):
    "coefficients" => Coefficients(coefficients::Parameters),
    "trajectory" => Trajectory(trajectory::Parameters),
    "order" => Order(order::Parameters),
    "bound" => Bound(bound::Parameters),
    "stationary" => Stationary(stationary::Parameters),
    "scaling" => Scaling(scaling::Parameters),
    "phases" => Phases(phases::Parameters),
    "slope" => Slope(sweep::SlopeParameters),
    "agreement" => Agreement(sweep::AgreementParameters),
}

impl Claim {
    /// Its name in scenarios.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Coefficients(_) => "coefficients",
            Self::Trajectory(_) => "trajectory",
            Self::Order(_) => "order",
            Self::Consequence(claim) => claim.kind(),
            Self::OfSweep(claim) => claim.kind(),
        }
    }

    /// What the scenario expects.
    pub fn expect(&self) -> Expectation {
        match self {
            Self::Coefficients(claim) => claim.expect,
            Self::Trajectory(claim) => claim.expect,
            Self::Order(claim) => claim.expect,
            Self::Consequence(claim) => claim.expect(),
            Self::OfSweep(claim) => claim.expect(),
        }
    }

    /// The claim on other models; only that of an order has its own.
    pub fn map<E>(&self, change: impl Fn(&Model) -> Result<Model, E>) -> Result<Self, E> {
        Ok(match self {
            Self::Order(order) => Self::Order(order.map(change)?),
            Self::Coefficients(_) | Self::Trajectory(_) | Self::Consequence(_) | Self::OfSweep(_) => {
                self.clone()
            }
        })
    }

    /// Whether it is about what is concluded from an SDE, and compares no processes along a run.
    pub fn is_of_conclusions(&self) -> bool {
        matches!(self, Self::Consequence(_) | Self::OfSweep(_))
    }
}

/// How far a mistake takes a process from the right one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
    pub fn coefficients(margin: Option<f64>, expect: Expectation) -> Self {
        Self::Coefficients(coefficients::Parameters::new(margin, expect))
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
    /// What the sweep came to, where there is one.
    pub sweep: Option<SweepTable>,
    /// Samples that contradict exact expectations.
    pub contradictions: Vec<Contradiction>,
    /// Paths that were not finite.
    pub non_finite: NonFinite,
    /// Optimizer steps that were simulated for the moments.
    pub path_steps: u64,
}

/// Paths with a state or a test function that is not finite.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
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
        let (finding, of_claim) = match claim {
            Claim::Trajectory(trajectory) => {
                trajectories.push((index, trajectory));
                continue;
            }
            Claim::Coefficients(claim) => (claim.judge(experiment, progress), Simulated::default()),
            Claim::Order(claim) => claim.judge(experiment, progress),
            Claim::Consequence(claim) => claim.judge(experiment, progress),
            Claim::OfSweep(_) => continue,
        };
        simulated.add(of_claim);
        progress.decided(index, &finding);
        findings.insert(index, finding);
    }
    let compared = trajectory::judge(&trajectories, experiment, progress);
    simulated.add(compared.simulated);
    findings.extend(compared.findings);
    let sweep = sweep::judge(experiment, progress).map(|swept| {
        findings.extend(swept.findings);
        simulated.add(swept.simulated);
        swept.table
    });
    let mut findings: Vec<Finding> = findings.into_values().collect();
    explain(&mut findings, &experiment.model);
    let Simulated { contradictions, non_finite, path_steps } = simulated;
    Judgement { findings, moments: compared.moments, sweep, contradictions, non_finite, path_steps }
}

/// What an interrupted run makes of an experiment: the claims that were `decided`, by their indices, and
/// the others as inconclusive.
pub fn interrupted(experiment: &Experiment, decided: &BTreeMap<usize, Finding>) -> Judgement {
    let error_rate = experiment.monte_carlo.error_rate;
    let finding = |(index, claim): (usize, &Claim)| {
        let unknown = || Finding::interrupted(claim.kind(), claim.expect(), error_rate);
        decided.get(&index).cloned().unwrap_or_else(unknown)
    };
    let mut findings: Vec<Finding> = experiment.claims.iter().enumerate().map(finding).collect();
    explain(&mut findings, &experiment.model);
    Judgement {
        findings,
        moments: None,
        sweep: None,
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
