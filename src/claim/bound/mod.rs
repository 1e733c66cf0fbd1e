//! Claim `bound`: the expected loss above its minimum stays under Theorem 3 or 4 at every record time.

mod estimate;
mod landscape;
mod sampled;
mod theorem;

pub use estimate::BoundEstimate;
pub use theorem::Form;

use super::decision::{Gap, decide_one_sided};
use super::finding::{Expectation, Finding, Verdict, Worst, all};
use super::sampling::{ASKED_FOR, Simulated};
use super::tables::finite;
use super::{Claim, Consequence, Progress, Setting, Side};
use crate::ensemble::{Observables, TestFunction};
use crate::exact::{Unknown, Value, expectations};
use crate::model::Model;
use crate::parameter::{Invalid, checked, shown};
use crate::scenario::Experiment;
use crate::theory::LossBound;
use landscape::{Given, Known};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use theorem::Theorem;

/// Rounding of f − f*, relative to the size of both.
const ROUNDING: f64 = 1e-13;

/// The claim, checked.
#[derive(Clone, Debug)]
struct Bound {
    number: u32,
    form: Form,
    theorem: Theorem,
    process: Side,
    known: Known,
    loss_bound: LossBound,
    /// By how much of the bound the loss may exceed it.
    margin: f64,
    unmet: Vec<&'static str>,
    expect: Expectation,
}

/// `E f − f*` stays under a loss bound at every record time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// 3, of dsgd and dcsgd, or 4, of dsignsgd.
    theorem: u32,
    /// In which form; as printed unless given.
    #[serde(default)]
    form: Form,
    /// The process whose loss is bounded. The theorems are about the SDE.
    process: Side,
    /// What is known of f; derived where f is quadratic.
    landscape: Option<Given>,
    /// By how much of the bound the loss may exceed it, at least 0; 0 unless given. An equality cannot be decided without.
    #[serde(default)]
    margin: f64,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

impl Parameters {
    pub(super) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        let Self { theorem: number, form, process, ref landscape, margin, expect } = *self;
        let model = setting.model;
        let margin = checked("margin", margin, |margin| margin >= 0.0, "a number of at least 0")?;
        let theorem = Theorem::new(number, form)?;
        if model.run.domain.is_some() {
            let message =
                "a domain, at whose edge paths stop: the theorems are about paths that do not; expected none";
            return Err(Invalid::new("", message));
        }
        let known = Known::of(landscape.as_ref(), model)?;
        let loss_bound = theorem.bound(model, &known)?;
        let unmet = theorem.unmet(model);
        let bound = Bound { number, form, theorem, process, known, loss_bound, margin, unmet, expect };
        let needs_sampling = setting.is_sampled || bound.exact_loss(model, &observables(model)).is_err();
        if needs_sampling && !model.can_sample(model.agents.objective().growth()) {
            return Err(Invalid::new(
                "",
                format!(
                    "E f has no exact value that may be used, and its mean over paths no honest interval (moments of \
                     order below {:.3} exist); expected lighter tails, or, where it is exact, no [monte_carlo]",
                    model.tail_index()
                ),
            ));
        }
        Ok(Claim::Consequence(Arc::new(bound)))
    }
}

fn observables(model: &Model) -> Observables {
    model.observables(vec![TestFunction::Loss])
}

/// Whether the process stays under the bound, and how sure that is.
struct Comparison {
    /// At the record times but 0.
    gaps: Vec<Gap>,
    /// What of half of each interval's width is numerical.
    integration: Vec<f64>,
    verdict: Verdict,
    /// The time that is closest to breaking the bound, or breaks it.
    worst: Option<usize>,
}

impl Bound {
    /// What is allowed at a time.
    fn allowed(&self, t: f64) -> f64 {
        (1.0 + self.margin) * self.loss_bound.at(t)
    }

    /// E f at the record times but 0, where it is exact.
    fn exact_loss(&self, model: &Model, observables: &Observables) -> Result<Vec<Value>, Unknown> {
        let exact = expectations(model, observables);
        let table = match self.process {
            Side::Optimizer => exact.optimizer,
            Side::Sde => exact.sde,
        };
        match table?.pop().flatten() {
            Some(row) if row.iter().all(|loss| loss.value.is_finite()) => Ok(row[1..].to_vec()),
            _ => Err(Unknown::because("E f does not follow from two moments, or is not finite")),
        }
    }

    /// On exact expectations.
    fn compared(&self, losses: &[Value], times: &[f64]) -> Comparison {
        let minimum = self.known.minimum;
        let error = |loss: &Value| loss.error + ROUNDING * minimum.abs();
        let gap = |(loss, &t): (&Value, &f64)| {
            let (estimate, error, margin) = (loss.value - minimum, error(loss), self.allowed(t));
            let interval = [estimate - error, estimate + error];
            Gap { estimate, upheld: interval, refuted: interval, margin, detectable: margin + 2.0 * error }
        };
        let gaps: Vec<Gap> = losses.iter().zip(&times[1..]).map(gap).collect();
        let (verdict, worst) = decide_one_sided(&gaps);
        Comparison { gaps, integration: losses.iter().map(error).collect(), verdict, worst }
    }

    /// The finding; `terms` say what it rests on, and `trouble` what kept it from being decided by the bound.
    fn finding(
        &self,
        observables: &Observables,
        comparison: &Comparison,
        trouble: Option<String>,
        terms: &str,
    ) -> Finding {
        let Comparison { gaps, integration, verdict, worst } = comparison;
        let (verdict, times) = (*verdict, &observables.record_times);
        let place = worst.map(|worst| (times[worst + 1], gaps[worst]));
        let said = trouble.unwrap_or_else(|| self.said(verdict, place, times));
        let of_worst = |worst: usize| {
            let (function, time) = observables.place(worst + 1);
            Worst::of_gap(format!("{function} − f*"), time, gaps[worst], verdict, integration[worst])
        };
        let mut finding = Finding {
            detectable_gap: place.and_then(|(_, gap)| finite(gap.detectable)),
            worst: worst.map(of_worst),
            bound: Some(BoundEstimate::new(self, times, gaps, verdict)),
            ..Finding::exact("bound", self.expect, verdict, format!("{said} ({terms})"))
        };
        finding.assumes.extend(self.known.is_given.then(|| "landscape_checked_at_points".to_owned()));
        finding
    }

    fn said(&self, verdict: Verdict, place: Option<(f64, Gap)>, times: &[f64]) -> String {
        let Self { process, margin, .. } = self;
        let delta = self.loss_bound.rate / (2.0 * self.known.mu);
        let bound = format!("{} (Δ = {delta:.4})", self.theorem.describe());
        let place = place.map_or(String::new(), |(time, gap)| {
            let bound = self.loss_bound.at(time);
            let ratio =
                finite(gap.estimate / bound).map_or("not finite".to_owned(), |ratio| format!("{ratio:.4}"));
            format!("{:.4e} over {bound:.4e}, which is {ratio}, at t = {time:.4}", gap.estimate)
        });
        let within = if *margin > 0.0 {
            format!(" or exceeds it by no more than {}", shown(*margin))
        } else {
            String::new()
        };
        let unmet = match (verdict, &*self.unmet) {
            (Verdict::Refuted, [_, ..]) => format!("; the theorem asks for {}", self.unmet.join(" and ")),
            _ => String::new(),
        };
        match verdict {
            Verdict::Upheld => {
                let times = all(times.len() - 1, "time");
                format!("E f − f* of {process} stays under {bound}{within} at {times}; closest is {place}")
            }
            Verdict::Refuted => format!("E f − f* of {process} exceeds {bound}: {place}{unmet}"),
            Verdict::Inconclusive => format!(
                "undecided whether E f − f* of {process} stays under {bound}: closest is {place}; more paths \
                 (--max-seeds), more `substeps` in [sde] or a larger margin may decide it"
            ),
        }
    }
}

impl Consequence for Bound {
    fn kind(&self) -> &'static str {
        "bound"
    }

    fn expect(&self) -> Expectation {
        self.expect
    }

    fn judge(&self, experiment: &Experiment, progress: &dyn Progress) -> (Finding, Simulated) {
        let model = &experiment.model;
        let observables = observables(model);
        let exact = self.exact_loss(model, &observables);
        match exact {
            Ok(losses) if !experiment.is_sampled => {
                let comparison = self.compared(&losses, &observables.record_times);
                let version = env!("CARGO_PKG_VERSION");
                let terms = format!("exact expectations, without a seed; itocheck {version}");
                (self.finding(&observables, &comparison, None, &terms), Simulated::default())
            }
            exact => {
                let reason = exact.err().map_or(ASKED_FOR.to_owned(), |unknown| unknown.to_string());
                sampled::judge(self, experiment, &observables, reason, progress)
            }
        }
    }
}
