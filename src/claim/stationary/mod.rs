//! Claim `stationary`: at rest, mean and covariance of a process are those that theory predicts.

mod prediction;

pub(super) use prediction::{hessian, predicted_loss};

use super::decision::{Gap, Levels, decide};
use super::finding::{Expectation, Finding, Verdict, Worst, all};
use super::long_run::{LongRun, Schedule, refusal};
use super::relaxation::Relaxation;
use super::sampling::{Simulated, looks};
use super::tables::{finite, finite_pair};
use super::{Claim, Consequence, Progress, Setting, Side};
use crate::ensemble::{TestFunction, observed_pairs};
use crate::parameter::{Invalid, checked};
use crate::scenario::Experiment;
use crate::stats::Look;
use prediction::predicted_covariance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Of DSGD and DCSGD exact in η, each process for itself; of DSignSGD with the next order in η.
    #[default]
    Full,
    /// To leading order in η, where optimizer and SDE agree.
    Leading,
    /// Of DSGD and DCSGD the closed form for diagonal H, with its diagonal in place of eigenvalues where it is not.
    Diagonal,
}

/// The claim, checked.
#[derive(Clone, Debug)]
struct Stationary {
    process: Side,
    form: Form,
    margin: f64,
    expect: Expectation,
    relaxation: Relaxation,
    /// `V_ij/η` for i ≤ j, row by row.
    scaled_covariance: Vec<f64>,
}

/// At stationarity the mean of the process is the minimiser and its covariance the one that theory predicts on a
/// quadratic. `steps` of `[run]` are not used: the burn-in follows from the spectral gap.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The process.
    process: Side,
    /// Which prediction.
    #[serde(default)]
    form: Form,
    /// What is allowed, above 0: of the mean in stationary deviations, of the covariance relative to `√(V_ii V_jj)`.
    margin: f64,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

impl Parameters {
    pub(super) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        let &Self { process, form, margin, expect } = self;
        let model = setting.model;
        let margin = checked("margin", margin, |margin| margin > 0.0, "a number above 0")?;
        model.has_theory("the stationary law")?;
        let covariance = predicted_covariance(model, process, form).map_err(|reason| {
            Invalid::new(
                "form",
                format!("no prediction: {reason}; expected a case that docs/theory.md lists"),
            )
        })?;
        if model.run.domain.is_some() {
            let message = "a domain, at whose edge paths stop; expected none, or another claim";
            return Err(Invalid::new("", message));
        }
        let relaxation = Relaxation::of(model)
            .map_err(|unknown| Invalid::new("", format!("{unknown}; expected a stationary law")))?;
        let functions = functions(model.dimension());
        if let Some(refusal) = refusal(model, process, &functions, &relaxation, setting.is_sampled) {
            return Err(Invalid::new("", refusal));
        }
        let eta = model.run.learning_rate;
        let pairs = observed_pairs(model.dimension()).into_iter();
        Ok(Claim::Consequence(Arc::new(Stationary {
            process,
            form,
            margin,
            expect,
            relaxation,
            scaled_covariance: pairs.map(|pair| covariance[pair] / eta).collect(),
        })))
    }
}

/// The test functions: coordinates, and scaled fluctuations about the minimiser.
fn functions(dimension: usize) -> Vec<TestFunction> {
    let coordinates = (0..dimension).map(TestFunction::Coordinate);
    let products = observed_pairs(dimension).into_iter().map(|(i, j)| TestFunction::Fluctuation(i, j));
    coordinates.chain(products).collect()
}

impl Stationary {
    /// Of each test function the prediction, and what is allowed.
    fn predictions(&self, eta: f64) -> Vec<(f64, f64)> {
        let point = &self.relaxation.point;
        let pairs = observed_pairs(point.len());
        let variance = |i: usize| {
            let at = pairs.iter().position(|&pair| pair == (i, i));
            at.map_or(f64::NAN, |at| self.scaled_covariance[at])
        };
        let of_mean = |(i, &x): (usize, &f64)| (x, self.margin * (variance(i) * eta).sqrt());
        let of_covariance = |(&(i, j), &entry): (&(usize, usize), &f64)| {
            (entry, self.margin * (variance(i) * variance(j)).sqrt())
        };
        let means = point.iter().enumerate().map(of_mean);
        means.chain(pairs.iter().zip(&self.scaled_covariance).map(of_covariance)).collect()
    }

    fn gaps(&self, at_rest: &LongRun, eta: f64, levels: Levels) -> Vec<Gap> {
        let gap = |(index, (predicted, margin)): (usize, (f64, f64))| {
            let beyond = |tail: f64| at_rest.interval(index, tail).map(|end| end - predicted);
            let estimate = at_rest.estimate(index) - predicted;
            let refuted = beyond(levels.refuted);
            let detectable = margin + (refuted[1] - refuted[0]);
            Gap { estimate, upheld: beyond(levels.upheld), refuted, margin, detectable }
        };
        self.predictions(eta).into_iter().enumerate().map(gap).collect()
    }

    fn finding(&self, at_rest: &LongRun, experiment: &Experiment, look: Look) -> Option<Finding> {
        let (error_rate, eta) = (experiment.monte_carlo.error_rate, experiment.model.run.learning_rate);
        let levels = Levels::new(error_rate, look, at_rest.functions().len());
        let gaps = self.gaps(at_rest, eta, levels);
        let unsettled = at_rest.unsettled();
        let (verdict, worst) = if at_rest.has_diverged() {
            (Verdict::Refuted, None)
        } else if unsettled.is_some() {
            (Verdict::Inconclusive, None)
        } else {
            decide(&gaps)
        };
        if verdict == Verdict::Inconclusive && at_rest.is_sampled() && !look.is_last {
            return None;
        }
        let schedule = at_rest.schedule();
        let report = LawAtRest::new(self, at_rest, schedule, &gaps);
        let sentence = self.sentence(at_rest, verdict, worst.map(|worst| (worst, gaps[worst])), error_rate);
        let exact = Finding::exact("stationary", self.expect, verdict, sentence);
        let place = |index: usize| {
            let name = at_rest.functions()[index].to_string();
            let tail = if verdict == Verdict::Refuted { levels.refuted } else { levels.upheld };
            let integration = at_rest.integration(index, tail);
            Worst::of_gap(name, schedule.burn_in, gaps[index], verdict, integration)
        };
        let finding = Finding {
            allowed: Some(format!("{} of a stationary deviation, or of a variance", self.margin)),
            detectable_gap: worst.and_then(|worst| finite(gaps[worst].detectable)),
            worst: worst.map(place),
            stationary: Some(report),
            ..exact
        };
        Some(match at_rest.reason() {
            None => finding,
            Some(reason) => Finding {
                error_rate,
                seeds: at_rest.seeds(),
                looks: look.number,
                assumes: at_rest.assumes(),
                sampled_because: Some(reason.to_string()),
                ..finding
            },
        })
    }

    fn sentence(
        &self,
        at_rest: &LongRun,
        verdict: Verdict,
        worst: Option<(usize, Gap)>,
        error_rate: f64,
    ) -> String {
        let Schedule { spectral_gap, burn_in, .. } = at_rest.schedule();
        let rest =
            format!("after a burn-in of {burn_in:.3} (spectral gap {:.4})", spectral_gap.unwrap_or(0.0));
        let terms = at_rest.terms(error_rate, worst.map(|(_, gap)| gap));
        let place = worst.map_or(String::new(), |(index, gap)| {
            format!(
                "E {}, about the minimiser, {:+.3e} from its prediction, margin {:.3e}",
                at_rest.functions()[index],
                gap.estimate,
                gap.margin
            )
        });
        let (process, margin) = (self.process, self.margin);
        match verdict {
            Verdict::Upheld => format!(
                "the stationary law of {process} has the predicted mean and covariance within {margin} for {}, {rest}; \
                 closest is {place} ({terms})",
                all(at_rest.functions().len(), "moment")
            ),
            Verdict::Refuted if worst.is_none() => {
                format!(
                    "{process} comes to no rest: its moments grow without end, or some path is not finite ({terms})"
                )
            }
            Verdict::Refuted => {
                format!(
                    "the stationary law of {process} is not the predicted one within {margin}: {place}, {rest} ({terms})"
                )
            }
            Verdict::Inconclusive if worst.is_none() => {
                format!("undecided: {} ({terms})", at_rest.unsettled().unwrap_or_default())
            }
            Verdict::Inconclusive => format!("undecided within {margin}: {place}, {rest} ({terms})"),
        }
    }
}

impl Consequence for Stationary {
    fn kind(&self) -> &'static str {
        "stationary"
    }

    fn expect(&self) -> Expectation {
        self.expect
    }

    fn judge(&self, experiment: &Experiment, progress: &dyn Progress) -> (Finding, Simulated) {
        let Experiment { model, monte_carlo, is_sampled, .. } = experiment;
        let seed = monte_carlo.seed;
        let mut at_rest = LongRun::at_rest(
            model,
            self.process,
            functions(model.dimension()),
            &self.relaxation,
            seed,
            *is_sampled,
        );
        for look in looks(monte_carlo.first_look(), monte_carlo) {
            at_rest.extend(look, progress);
            if let Some(finding) = self.finding(&at_rest, experiment, look) {
                return (finding, at_rest.simulated());
            }
        }
        unreachable!("the last look decides")
    }
}

/// What a process is like at stationarity, beside the prediction.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LawAtRest {
    /// The process.
    pub process: Side,
    /// Which prediction.
    pub form: Form,
    /// When it is taken to be stationary.
    pub schedule: Schedule,
    /// Coordinates, and scaled fluctuations about the minimiser, whose expectations are `V_ij/η`.
    pub functions: Vec<String>,
    /// Their predicted expectations.
    pub predicted: Vec<Option<f64>>,
    /// What they are.
    pub estimate: Vec<Option<f64>>,
    /// At the level of *upheld*.
    pub interval: Vec<Option<[f64; 2]>>,
    /// Independent draws of the stationary law that would tell as much of each; null for exact expectations.
    pub effective_sample_size: Vec<Option<f64>>,
}

impl LawAtRest {
    fn new(claim: &Stationary, at_rest: &LongRun, schedule: Schedule, gaps: &[Gap]) -> Self {
        let predicted = |(index, gap): (usize, &Gap)| at_rest.estimate(index) - gap.estimate;
        let predicted: Vec<f64> = gaps.iter().enumerate().map(predicted).collect();
        let interval = |(gap, predicted): (&Gap, &f64)| finite_pair(gap.upheld.map(|end| end + predicted));
        Self {
            process: claim.process,
            form: claim.form,
            schedule,
            functions: at_rest.functions().iter().map(ToString::to_string).collect(),
            interval: gaps.iter().zip(&predicted).map(interval).collect(),
            predicted: predicted.into_iter().map(finite).collect(),
            estimate: (0..gaps.len()).map(|index| finite(at_rest.estimate(index))).collect(),
            effective_sample_size: (0..gaps.len())
                .map(|index| at_rest.effective_sample_size(index).and_then(finite))
                .collect(),
        }
    }
}
