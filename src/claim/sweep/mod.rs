//! The scenario at other values: what both processes come to at every point, beside what theory predicts, and claims
//! on that.

mod agreement;
mod slope;
mod table;

pub(super) use agreement::Parameters as AgreementParameters;
pub(super) use slope::Parameters as SlopeParameters;
pub use slope::SlopeEstimate;
pub use table::{Measured, SweepTable, SweptAxis};

use super::decision::{Gap, Levels, decide};
use super::finding::{Expectation, Finding, Verdict, Worst, terms};
use super::long_run::{LongRun, refusal, refusal_at_end};
use super::relaxation::Relaxation;
use super::sampling::{Simulated, looks};
use super::stationary::{Form, predicted_loss};
use super::tables::finite;
use super::{Claim, Progress, Side};
use crate::ensemble::TestFunction;
use crate::model::Model;
use crate::scenario::Experiment;
use crate::stats::Look;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What is looked at in a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The expected loss at stationarity, above the minimum.
    #[default]
    Floor,
    /// The expected loss at the end of the run, above the minimum where that is known, else above 0.
    FinalLoss,
}

/// The models of a sweep.
pub struct Sweep {
    /// One or two.
    pub axes: Vec<SweptAxis>,
    /// What is looked at.
    pub quantity: Quantity,
    /// The last axis runs fastest.
    pub points: Vec<SweptPoint>,
}

/// One point of a sweep.
pub enum SweptPoint {
    /// With a model, and how it comes to rest.
    Defined {
        /// The model.
        model: Box<Model>,
        /// Where and how fast.
        rest: Rest,
    },
    /// Without, and why.
    Undefined(String),
}

/// How a model of a sweep comes to rest; none where the end of its run is looked at.
pub struct Rest(Option<Relaxation>);

impl SweptPoint {
    /// The point of a model; undefined where it cannot be said what is asked for.
    pub fn of(model: Model, quantity: Quantity, is_sampled: bool) -> Self {
        let (relaxation, refused) = match quantity {
            Quantity::FinalLoss => (None, refusal_at_end(&model, is_sampled)),
            Quantity::Floor => match Relaxation::of(&model) {
                Err(unknown) => (None, Some(unknown.to_string())),
                Ok(relaxation) => {
                    let refused = [Side::Optimizer, Side::Sde].into_iter().find_map(|side| {
                        refusal(&model, side, &[TestFunction::Loss], &relaxation, is_sampled)
                    });
                    (Some(relaxation), refused)
                }
            },
        };
        if let Some(refusal) = refused {
            return Self::Undefined(refusal);
        }
        Self::Defined { model: Box::new(model), rest: Rest(relaxation) }
    }
}

/// A claim on what a sweep comes to.
pub trait OfSweep: fmt::Debug + Send + Sync {
    /// Its name in scenarios.
    fn kind(&self) -> &'static str;

    /// What the scenario expects.
    fn expect(&self) -> Expectation;

    /// The gaps that decide it, at the levels of a look.
    fn gaps(&self, swept: &Swept, levels: Levels) -> Vec<Gap>;

    /// How many of them there are.
    fn count(&self, swept: &Swept) -> usize;

    /// What a gap is of, by its index among the gaps.
    fn place(&self, swept: &Swept, index: usize) -> String;

    /// What is allowed, in words.
    fn allowed(&self) -> String;

    /// What the verdict says, with the gap that is closest to breaking it, by its index among the gaps.
    fn sentence(&self, swept: &Swept, verdict: Verdict, worst: Option<(usize, Gap)>) -> String;

    /// The slope of its gap, where it is about one.
    fn slope(&self, _verdict: Verdict, _gap: Gap) -> Option<SlopeEstimate> {
        None
    }
}

/// What both processes come to at the points of a sweep.
pub struct Swept<'a> {
    sweep: &'a Sweep,
    /// Optimizer and SDE, where the point is defined.
    runs: Vec<Option<[LongRun<'a>; 2]>>,
}

impl<'a> Swept<'a> {
    fn new(sweep: &'a Sweep, seed: u64, is_sampled: bool, progress: &dyn Progress) -> Self {
        progress.announce(sweep.points.len() as u64);
        let at = |point: &'a SweptPoint| match point {
            SweptPoint::Undefined(_) => None,
            SweptPoint::Defined { model, rest: Rest(relaxation) } => {
                let runs = Some([Side::Optimizer, Side::Sde].map(|side| match relaxation {
                    Some(relaxation) => {
                        let loss = vec![TestFunction::Loss];
                        LongRun::at_rest(model, side, loss, relaxation, seed, is_sampled)
                    }
                    None => LongRun::at_end(model, side, seed, is_sampled),
                }));
                progress.tick(1);
                runs
            }
        };
        Self { sweep, runs: sweep.points.par_iter().map(at).collect() }
    }

    fn extend(&mut self, look: Look, progress: &dyn Progress) {
        self.runs.iter_mut().flatten().flatten().for_each(|run| run.extend(look, progress));
    }

    fn is_sampled(&self) -> bool {
        self.runs.iter().flatten().flatten().any(LongRun::is_sampled)
    }

    fn simulated(&self) -> Simulated {
        let mut all = Simulated::default();
        self.runs.iter().flatten().flatten().for_each(|run| all.add(run.simulated()));
        all
    }

    /// How many points lack a value, in words.
    fn missing(&self) -> String {
        let lacks =
            |side: Side| (0..self.runs.len()).filter(|&point| self.estimate(side, point).is_none()).count();
        let all = self.runs.len();
        match [lacks(Side::Optimizer), lacks(Side::Sde)] {
            [0, 0] => String::new(),
            [optimizer, sde] if optimizer == sde => format!("; {sde} of {all} points have no value"),
            [optimizer, sde] => {
                format!("; {optimizer} of {all} points have no value of the optimizer, {sde} none of the SDE")
            }
        }
    }

    /// A point, in words.
    pub(super) fn describe(&self, point: usize) -> String {
        let mut left = point;
        let mut places = Vec::new();
        for SweptAxis { parameter, values } in self.sweep.axes.iter().rev() {
            places.push(format!("{parameter} = {}", values[left % values.len()]));
            left /= values.len();
        }
        places.reverse();
        places.join(", ")
    }

    /// The values on the first axis.
    pub(super) fn axis(&self) -> &SweptAxis {
        &self.sweep.axes[0]
    }

    /// The loss of a process above its minimum at a point; none where the process has no rest there, or the point is not
    /// defined.
    pub(super) fn estimate(&self, side: Side, point: usize) -> Option<f64> {
        let estimate = self.run(side, point)?.estimate(0) - self.least(point);
        estimate.is_finite().then_some(estimate)
    }

    /// The same as an interval, either limit of which is missed with probability at most `tail`.
    pub(super) fn interval(&self, side: Side, point: usize, tail: f64) -> Option<[f64; 2]> {
        let least = self.least(point);
        let interval = self.run(side, point)?.interval(0, tail).map(|end| end - least);
        (interval[0].is_finite() && interval[1].is_finite()).then_some(interval)
    }

    fn run(&self, side: Side, point: usize) -> Option<&LongRun<'a>> {
        let run = side.of(self.runs[point].as_ref()?);
        (!run.has_diverged() && run.unsettled().is_none()).then_some(run)
    }

    /// Why nothing can be said of a process at a point, where that is so.
    pub(super) fn unsettled(&self, side: Side, point: usize) -> Option<String> {
        side.of(self.runs[point].as_ref()?).unsettled()
    }

    fn least(&self, point: usize) -> f64 {
        match &self.sweep.points[point] {
            SweptPoint::Undefined(_) => f64::NAN,
            SweptPoint::Defined { model, rest: Rest(Some(relaxation)) } => {
                model.agents.objective().value(&relaxation.point)
            }
            SweptPoint::Defined { model, rest: Rest(None) } => {
                model.agents.objective().minimum().unwrap_or(0.0)
            }
        }
    }

    /// What theory predicts for a process at rest at a point.
    fn predicted(&self, side: Side, point: usize) -> Option<f64> {
        match &self.sweep.points[point] {
            SweptPoint::Defined { model, .. } if self.sweep.quantity == Quantity::Floor => {
                predicted_loss(model, side, Form::Full).ok()
            }
            _ => None,
        }
    }

    /// Why a process has no value at a point.
    fn undefined(&self, side: Side, point: usize) -> Option<String> {
        match &self.sweep.points[point] {
            SweptPoint::Undefined(reason) => Some(reason.clone()),
            SweptPoint::Defined { .. } if self.estimate(side, point).is_none() => {
                Some(self.unsettled(side, point).unwrap_or_else(|| {
                    let what = match self.sweep.quantity {
                        Quantity::Floor => "comes to no rest",
                        Quantity::FinalLoss => "diverges",
                    };
                    format!("{side} {what}: its moments grow without end, or some path is not finite")
                }))
            }
            SweptPoint::Defined { .. } => None,
        }
    }
}

/// What a sweep and the claims on it came to.
pub(super) struct Judged {
    pub findings: BTreeMap<usize, Finding>,
    pub table: SweepTable,
    pub simulated: Simulated,
}

/// Judges the claims on the sweep of an experiment, if it has one.
pub(super) fn judge(experiment: &Experiment, progress: &dyn Progress) -> Option<Judged> {
    let Experiment { monte_carlo, is_sampled, claims, .. } = experiment;
    let sweep = experiment.sweep.as_deref()?;
    let mut swept = Swept::new(sweep, monte_carlo.seed, *is_sampled, progress);
    let own = claims.iter().enumerate().filter_map(|(index, claim)| match claim {
        Claim::OfSweep(claim) => Some((index, &**claim)),
        _ => None,
    });
    let own: Vec<(usize, &dyn OfSweep)> = own.collect();
    let mut findings = BTreeMap::new();
    let mut share = 1.0;
    for look in looks(monte_carlo.first_look(), monte_carlo) {
        swept.extend(look, progress);
        share = look.share;
        for &(index, claim) in &own {
            if !findings.contains_key(&index)
                && let Some(finding) = finding(claim, &swept, monte_carlo.error_rate, look)
            {
                progress.decided(index, &finding);
                findings.insert(index, finding);
            }
        }
        if findings.len() == own.len() || !swept.is_sampled() {
            break;
        }
    }
    let tail = monte_carlo.error_rate * share / (4 * sweep.points.len()) as f64;
    Some(Judged { findings, table: SweepTable::new(&swept, tail), simulated: swept.simulated() })
}

fn finding(claim: &dyn OfSweep, swept: &Swept, error_rate: f64, look: Look) -> Option<Finding> {
    let levels = Levels::new(error_rate, look, claim.count(swept));
    let gaps = claim.gaps(swept, levels);
    // Where no point has a value nothing was tested.
    let (verdict, worst) = if gaps.is_empty() { (Verdict::Inconclusive, None) } else { decide(&gaps) };
    if verdict == Verdict::Inconclusive && swept.is_sampled() && !look.is_last {
        return None;
    }
    let said = claim.sentence(swept, verdict, worst.map(|worst| (worst, gaps[worst])));
    let slope = worst.and_then(|worst| claim.slope(verdict, gaps[worst]));
    let said = format!("{said}{}", swept.missing());
    let runs = || swept.runs.iter().flatten().flatten();
    let closest = worst.map(|worst| {
        let last = runs().map(|run| run.schedule().burn_in).fold(0.0, f64::max);
        let place = claim.place(swept, worst);
        Worst::of_whole_gap(place, last, gaps[worst], verdict, swept.is_sampled())
    });
    let version = env!("CARGO_PKG_VERSION");
    if !swept.is_sampled() {
        let sentence = format!("{said} (exact expectations, without a seed; itocheck {version})");
        let exact = Finding::exact(claim.kind(), claim.expect(), verdict, sentence);
        return Some(Finding { allowed: Some(claim.allowed()), worst: closest, slope, ..exact });
    }
    let seeds = runs().map(LongRun::seeds).max().unwrap_or(0);
    let terms = terms(error_rate, &format!("{seeds} seeds at each point"), worst.map(|worst| gaps[worst]));
    Some(Finding {
        error_rate,
        seeds,
        looks: look.number,
        allowed: Some(claim.allowed()),
        detectable_gap: worst.and_then(|worst| finite(gaps[worst].detectable)),
        assumes: runs().map(LongRun::assumes).max_by_key(Vec::len).unwrap_or_default(),
        sampled_because: runs().find_map(|run| run.reason().map(ToString::to_string)),
        worst: closest,
        slope,
        ..Finding::exact(claim.kind(), claim.expect(), verdict, format!("{said} ({terms})"))
    })
}
