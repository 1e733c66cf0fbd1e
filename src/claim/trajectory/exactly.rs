//! Trajectories without sampling noise: where both sides have exact expectations, the gap is a number.

use super::margins::Margins;
use super::{Compared, Margin, Trajectory};
use crate::claim::Progress;
use crate::claim::decision::{Gap, decide};
use crate::claim::finding::{EXACT_EXPECTATIONS, Finding, Verdict, Worst, all};
use crate::claim::sampling::Simulated;
use crate::claim::tables::{MomentTables, finite};
use crate::ensemble::{Observables, TestFunction};
use crate::exact::{Table, Unknown, expectations};
use crate::model::Model;
use crate::scenario::Experiment;
use std::collections::BTreeMap;

/// Judges the claims, where the expectation of every test function is known exactly on both sides; else why it
/// is not.
pub(super) fn judge(
    claims: &[(usize, &Trajectory)],
    experiment: &Experiment,
    progress: &dyn Progress,
) -> Result<Compared, Unknown> {
    let model = &experiment.model;
    let functions = model.functions();
    // Effects are in deviations, which a pilot can measure only where it can sample.
    let has_effects = claims.iter().any(|(_, claim)| claim.margin.is_relative());
    let (tested, left_out) = if has_effects {
        (functions.tested, functions.left_out)
    } else {
        (model.all_functions().collect(), Vec::<TestFunction>::new())
    };
    let observables = model.observables(tested);
    let (optimizer, sde) = expectations(model, &observables).complete(&observables.functions)?;
    let comparison = Comparison {
        observables: &observables,
        margins: Margins::new(claims, experiment, &observables, progress),
        optimizer: &optimizer,
        sde: &sde,
        left_out: left_out.iter().map(ToString::to_string).collect(),
    };
    let mut findings = BTreeMap::new();
    for &(index, claim) in claims {
        let finding = comparison.finding(claim);
        progress.decided(index, &finding);
        findings.insert(index, finding);
    }
    let gap = |index| comparison.gap(claims[0].1.margin, index);
    let moments = MomentTables::exact(&observables, &optimizer, &sde, gap);
    Ok(Compared { findings, moments: Some(moments), simulated: Simulated::default() })
}

/// Whether all test functions have exact expectations on both sides. It computes them.
pub(super) fn is_known(model: &Model) -> bool {
    let observables = model.observables(model.all_functions().collect());
    expectations(model, &observables).complete(&observables.functions).is_ok()
}

struct Comparison<'a> {
    observables: &'a Observables,
    margins: Margins<'a>,
    optimizer: &'a Table,
    sde: &'a Table,
    left_out: Vec<String>,
}

impl Comparison<'_> {
    fn gap(&self, margin: Margin, index: usize) -> Gap {
        let times = self.observables.times();
        let at = |table: &Table| table[index / times].as_ref().map(|row| row[index % times]);
        let (estimate, error) = match (at(self.optimizer), at(self.sde)) {
            (Some(optimizer), Some(sde)) => (optimizer.value - sde.value, optimizer.error + sde.error),
            _ => (f64::NAN, f64::NAN),
        };
        let interval = [estimate - error, estimate + error];
        let margin = self.margins.of(margin, index);
        Gap { estimate, upheld: interval, refuted: interval, margin, detectable: margin + 2.0 * error }
    }

    fn finding(&self, claim: &Trajectory) -> Finding {
        let cells: Vec<usize> = self.observables.cells().collect();
        let gaps: Vec<Gap> = cells.iter().map(|&index| self.gap(claim.margin, index)).collect();
        let (verdict, worst) = decide(&gaps);
        let worst = worst.map(|worst| (cells[worst], gaps[worst]));
        let mut assumes = vec![EXACT_EXPECTATIONS.to_owned()];
        if claim.margin.is_relative() {
            assumes.push("pilot_deviations".to_owned());
        }
        Finding {
            detectable_gap: worst.and_then(|(_, gap)| finite(gap.detectable)),
            assumes,
            worst: worst.map(|(index, gap)| {
                let (function, time) = self.observables.place(index);
                let [low, high] = gap.interval(verdict);
                Worst::of_gap(function, time, gap, verdict, (high - low) / 2.0)
            }),
            left_out: self.left_out.clone(),
            ..Finding::exact("trajectory", claim.expect, verdict, self.sentence(claim, verdict, worst))
        }
    }

    fn sentence(&self, claim: &Trajectory, verdict: Verdict, worst: Option<(usize, Gap)>) -> String {
        let functions = all(self.observables.functions.len(), "test function");
        let times = all(self.observables.times() - 1, "time");
        let margin = claim.margin.describe();
        let version = env!("CARGO_PKG_VERSION");
        let pilot = if claim.margin.is_relative() { ", but for the pilot that sets the margins" } else { "" };
        let terms = format!("exact expectations, without a seed{pilot}; itocheck {version}");
        let place = worst.map(|(index, gap)| gap.describe(&self.observables.place(index)));
        let place = place.unwrap_or_default();
        match verdict {
            Verdict::Upheld => format!(
                "the SDE tracks the optimizer within {margin} for {functions} at {times}; \
                 closest is {place} ({terms})"
            ),
            Verdict::Refuted => {
                format!("the SDE does not track the optimizer within {margin}: {place} ({terms})")
            }
            Verdict::Inconclusive => {
                format!(
                    "undecided within {margin}, as the numerical error reaches over it: {place}; another margin would \
                     decide it ({terms})"
                )
            }
        }
    }
}
