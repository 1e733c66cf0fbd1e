//! Claim `slope`: what a sweep over one axis looks at grows like a power of it.

use super::{OfSweep, Swept};
use crate::claim::decision::{Gap, Levels};
use crate::claim::finding::{Expectation, Verdict};
use crate::claim::{Claim, Setting, Side};
use crate::parameter::{Invalid, checked};
use crate::stats::{Line, Point, Range};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// The quantity of the sweep grows like `θ^p`, θ the parameter on its one axis: the slope of the line through the
/// logarithms is p within the margin.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The process.
    process: Side,
    /// p.
    expected: f64,
    /// How far from it the slope may be, above 0.
    margin: f64,
    /// What should come out: a negative control says that it is refuted.
    #[serde(default)]
    expect: Expectation,
}

/// The claim, checked.
#[derive(Clone, Copy, Debug)]
struct Slope {
    process: Side,
    expected: f64,
    margin: f64,
    expect: Expectation,
}

impl Parameters {
    pub(in crate::claim) fn build(&self, setting: &Setting) -> Result<Claim, Invalid> {
        let Some(sweep) = setting.sweep else {
            return Err(Invalid::new("", "no [sweep]; expected one, on which it is claimed"));
        };
        if sweep.axes.len() != 1 {
            return Err(Invalid::new("", "a sweep over two axes; expected one axis"));
        }
        if sweep.axes[0].values[0] <= 0.0 {
            return Err(Invalid::new("", "a sweep that begins at or below 0; expected values above 0"));
        }
        let &Self { process, expected, margin, expect } = self;
        let margin = checked("margin", margin, |margin| margin > 0.0, "a number above 0")?;
        let expected = checked("expected", expected, |_| true, "a finite number")?;
        Ok(Claim::OfSweep(Arc::new(Slope { process, expected, margin, expect })))
    }
}

impl Slope {
    /// Of the line through the logarithms, where all of the intervals hold at once.
    fn slope(&self, swept: &Swept, tail: f64) -> Range {
        let nothing = Range { estimate: f64::NAN, interval: [f64::NEG_INFINITY, f64::INFINITY] };
        let values = &swept.axis().values;
        let of_each = tail / values.len() as f64;
        let point = |(index, &x): (usize, &f64)| {
            let estimate = swept.estimate(self.process, index)?;
            let interval = swept.interval(self.process, index, of_each)?;
            let interval = interval.map(|end| libm::log(end.max(0.0)));
            x.is_finite().then_some(Point { x: libm::log(x), estimate: libm::log(estimate), interval })
        };
        let points: Vec<Point> = values.iter().enumerate().filter_map(point).collect();
        Line::through(points).map_or(nothing, |line| line.slope())
    }
}

impl OfSweep for Slope {
    fn kind(&self) -> &'static str {
        "slope"
    }

    fn expect(&self) -> Expectation {
        self.expect
    }

    fn count(&self, _swept: &Swept) -> usize {
        1
    }

    fn gaps(&self, swept: &Swept, levels: Levels) -> Vec<Gap> {
        let beyond = |tail: f64| self.slope(swept, tail).interval.map(|end| end - self.expected);
        let estimate = self.slope(swept, levels.upheld).estimate - self.expected;
        let (upheld, refuted) = (beyond(levels.upheld), beyond(levels.refuted));
        let detectable = self.margin + refuted[1] - refuted[0];
        vec![Gap { estimate, upheld, refuted, margin: self.margin, detectable }]
    }

    fn allowed(&self) -> String {
        format!("{} of a slope", self.margin)
    }

    fn sentence(&self, swept: &Swept, verdict: Verdict, worst: Option<(usize, Gap)>) -> String {
        let &Self { process, expected, margin, .. } = self;
        let parameter = &swept.axis().parameter;
        if worst.is_none_or(|(_, gap)| gap.estimate.is_nan()) {
            return format!("undecided: the loss of {process} has fewer than two values, and no slope");
        }
        let seen = worst.map_or(String::new(), |(_, gap)| {
            let [low, high] = gap.interval(verdict).map(|end| end + expected);
            format!(": the slope is {:.4}, between {low:.4} and {high:.4}", gap.estimate + expected)
        });
        let said = match verdict {
            Verdict::Upheld => "grows like",
            Verdict::Refuted => "does not grow like",
            Verdict::Inconclusive => "is undecided to grow like",
        };
        format!("the loss of {process} {said} {parameter} to the power {expected} within {margin}{seen}")
    }
}
