//! Claim `bound`: the expected loss above its minimum stays under Theorem 3 or 4 at every record time.

mod estimate;
mod exactly;
mod landscape;
mod sampled;
mod theorem;

pub use estimate::BoundEstimate;
pub use theorem::Form;

use super::decision::Gap;
use super::finding::{Expectation, Finding, Verdict, Worst, all};
use super::sampling::{ASKED_FOR, Simulated};
use super::tables::finite;
use super::{Claim, Consequence, Progress, Setting, Side};
use crate::ensemble::{Observables, TestFunction};
use crate::model::Model;
use crate::parameter::{Invalid, checked, shown};
use crate::scenario::Experiment;
use crate::theory::LossBound;
use landscape::{Given, Known};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use theorem::Theorem;

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
    unmet: Vec<String>,
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
        model.has_theory("a bound")?;
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
        let cannot_be_sampled = !model.can_sample(model.agents.objective().growth());
        let is_exact = || exactly::expected_loss(&bound, model, &observables(model)).is_ok();
        if cannot_be_sampled && (setting.is_sampled || !is_exact()) {
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
        let said = trouble.unwrap_or_else(|| self.said(comparison, times));
        let of_worst = |worst: usize| {
            let (function, time) = observables.place(worst + 1);
            Worst::of_gap(format!("{function} − f*"), time, gaps[worst], verdict, integration[worst])
        };
        let allowed = match self.margin {
            0.0 => "the bound".to_owned(),
            margin => format!("the bound and {} of it", shown(margin)),
        };
        let mut finding = Finding {
            allowed: Some(allowed),
            detectable_gap: worst.and_then(|worst| finite(gaps[worst].detectable)),
            worst: worst.map(of_worst),
            bound: Some(BoundEstimate::new(self, times, gaps, verdict)),
            ..Finding::exact("bound", self.expect, verdict, format!("{said} ({terms})"))
        };
        finding.assumes.extend(self.known.is_given.then(|| "landscape_checked_at_points".to_owned()));
        finding
    }

    fn said(&self, comparison: &Comparison, times: &[f64]) -> String {
        let Self { process, margin, .. } = self;
        let Comparison { gaps, verdict, worst, .. } = comparison;
        let delta = self.loss_bound.rate / (2.0 * self.known.mu);
        let bound = format!("{} (Δ = {delta:.4})", self.theorem.describe());
        let at = |index: usize| (gaps[index].estimate, self.loss_bound.at(times[index + 1]));
        let place = worst.map_or(String::new(), |worst| {
            let (loss, bound) = at(worst);
            let time = times[worst + 1];
            format!("at t = {time:.4} it is {loss:.4e}, {} times the bound {bound:.4e}", ratio(loss, bound))
        });
        match verdict {
            Verdict::Upheld => {
                let allowed = || format!(", or exceeds it by no more than {} of it,", shown(*margin));
                let within = if *margin > 0.0 { allowed() } else { String::new() };
                let (times, (loss, bound_at_end)) = (all(gaps.len(), "time"), at(gaps.len() - 1));
                let tightness = ratio(loss, bound_at_end);
                format!(
                    "E f − f* of {process} stays under {bound}{within} at {times}: {place}, the closest, and \
                     {tightness} times at the end"
                )
            }
            Verdict::Refuted => {
                let asked = match &*self.unmet {
                    [] => String::new(),
                    unmet => format!("; it needs {}", unmet.join(" and ")),
                };
                format!("E f − f* of {process} exceeds {bound}: {place}{asked}")
            }
            Verdict::Inconclusive => format!(
                "undecided whether E f − f* of {process} stays under {bound}: {place}; more paths (--max-seeds), more \
                 `substeps` in [sde] or a larger margin may decide it"
            ),
        }
    }
}

/// The loss in bounds.
fn ratio(loss: f64, bound: f64) -> String {
    match finite(loss / bound) {
        None => "countless".to_owned(),
        Some(ratio) if ratio.abs() < 1e4 => format!("{ratio:.4}"),
        Some(ratio) => format!("{ratio:.3e}"),
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
        match exactly::expected_loss(self, model, &observables) {
            Ok(losses) if !experiment.is_sampled => {
                (exactly::judge(self, &losses, &observables), Simulated::default())
            }
            exact => {
                let reason = exact.err().map_or(ASKED_FOR.to_owned(), |unknown| unknown.to_string());
                sampled::judge(self, experiment, &observables, reason, progress)
            }
        }
    }
}
