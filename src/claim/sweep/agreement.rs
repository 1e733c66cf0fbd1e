//! Claim `agreement`: optimizer and SDE come to the same at every point of a sweep.

use super::{OfSweep, Swept};
use crate::claim::decision::{Gap, Levels};
use crate::claim::finding::{Expectation, Verdict};
use crate::claim::scaling::quotient;
use crate::claim::{Claim, Setting, Side};
use crate::parameter::{Invalid, checked};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// At every point of the sweep where both have it, the quantity of the SDE over that of the optimizer is 1 within the
/// margin; where only one has it, they do not agree.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How far from 1 the ratio may be, above 0.
    margin: f64,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

/// The claim, checked.
#[derive(Clone, Copy, Debug)]
struct Agreement {
    margin: f64,
    expect: Expectation,
}

impl Parameters {
    pub(in crate::claim) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        if setting.sweep.is_none() {
            return Err(Invalid::new("", "no [sweep]; expected one, on which it is claimed"));
        }
        let margin = checked("margin", self.margin, |margin| margin > 0.0, "a number above 0")?;
        Ok(Claim::OfSweep(Arc::new(Agreement { margin, expect: self.expect })))
    }
}

/// Why the quantity of some process is not known at a point, where that is so.
fn unsettled(swept: &Swept, point: usize) -> Option<String> {
    [Side::Optimizer, Side::Sde].into_iter().find_map(|side| swept.unsettled(side, point))
}

/// Points at which at least one process has the quantity.
fn points(swept: &Swept) -> Vec<usize> {
    let has = |side: Side, point: usize| swept.estimate(side, point).is_some();
    (0..swept.runs.len()).filter(|&point| has(Side::Optimizer, point) || has(Side::Sde, point)).collect()
}

impl OfSweep for Agreement {
    fn kind(&self) -> &'static str {
        "agreement"
    }

    fn expect(&self) -> Expectation {
        self.expect
    }

    fn count(&self, swept: &Swept) -> usize {
        points(swept).len()
    }

    fn gaps(&self, swept: &Swept, levels: Levels) -> Vec<Gap> {
        let gap = |point: usize| {
            // Where only one has a rest they do not agree; where one is not known, nothing is.
            let (otherwise, estimate) = match unsettled(swept, point) {
                None => ([f64::INFINITY; 2], f64::INFINITY),
                Some(_) => ([f64::NEG_INFINITY, f64::INFINITY], f64::NAN),
            };
            // Either interval may miss by half of what the ratio may.
            let ratio = |tail: f64| match [Side::Sde, Side::Optimizer]
                .map(|side| swept.interval(side, point, tail / 2.0))
            {
                [Some(sde), Some(optimizer)] => quotient(sde, optimizer).map(|end| end - 1.0),
                _ => otherwise,
            };
            let estimate = match [Side::Sde, Side::Optimizer].map(|side| swept.estimate(side, point)) {
                [Some(sde), Some(optimizer)] => sde / optimizer - 1.0,
                _ => estimate,
            };
            let (upheld, refuted) = (ratio(levels.upheld), ratio(levels.refuted));
            let detectable = self.margin + refuted[1] - refuted[0];
            Gap { estimate, upheld, refuted, margin: self.margin, detectable }
        };
        points(swept).into_iter().map(gap).collect()
    }

    fn place(&self, swept: &Swept, index: usize) -> String {
        format!("loss of SDE over optimizer − 1, {}", swept.describe(points(swept)[index]))
    }

    fn allowed(&self) -> String {
        format!("{} of the loss", self.margin)
    }

    fn sentence(&self, swept: &Swept, verdict: Verdict, worst: Option<(usize, Gap)>) -> String {
        let margin = self.margin;
        let place = worst.map_or(String::new(), |(index, gap)| {
            let point = points(swept)[index];
            let at = swept.describe(point);
            match unsettled(swept, point) {
                Some(reason) => format!("at {at} {reason}"),
                None if gap.estimate.is_finite() => {
                    format!("at {at} the SDE's is {:.4} times the optimizer's", gap.estimate + 1.0)
                }
                None => format!("at {at} only one of them has a loss"),
            }
        });
        match verdict {
            Verdict::Upheld => format!(
                "optimizer and SDE come to the same loss within {margin} at every point that has one; closest to the margin, \
                 with its interval, {place}"
            ),
            Verdict::Refuted => {
                format!("optimizer and SDE do not come to the same loss within {margin}: {place}")
            }
            Verdict::Inconclusive if worst.is_none() => {
                "undecided: no point has a loss to compare".to_owned()
            }
            Verdict::Inconclusive => format!("undecided within {margin}: {place}"),
        }
    }
}
