//! Claim `slope`: what a sweep over one axis looks at grows like a power of it.

use super::{OfSweep, Swept};
use crate::claim::decision::{Gap, Levels};
use crate::claim::finding::{Expectation, Verdict};
use crate::claim::tables::{finite, finite_pair};
use crate::claim::{Claim, Setting, Side};
use crate::parameter::{Invalid, checked};
use crate::stats::{Line, Point, Range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
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

/// With what power of the parameter the loss of a process was seen to grow in a sweep.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SlopeEstimate {
    /// The process.
    pub process: Side,
    /// p, as claimed.
    pub expected: f64,
    /// The slope of the line through the logarithms; null where fewer than two points have a value.
    pub estimate: Option<f64>,
    /// Its confidence interval at the level of the verdict; null where it has no bounds.
    pub interval: Option<[f64; 2]>,
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
    fn of_line(&self, swept: &Swept, tail: f64) -> Range {
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

    /// The slope that a gap is of, and its interval.
    fn seen(&self, verdict: Verdict, gap: Gap) -> (f64, [f64; 2]) {
        (gap.estimate + self.expected, gap.interval(verdict).map(|end| end + self.expected))
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
        let beyond = |tail: f64| self.of_line(swept, tail).interval.map(|end| end - self.expected);
        let estimate = self.of_line(swept, levels.upheld).estimate - self.expected;
        let (upheld, refuted) = (beyond(levels.upheld), beyond(levels.refuted));
        let detectable = self.margin + refuted[1] - refuted[0];
        vec![Gap { estimate, upheld, refuted, margin: self.margin, detectable }]
    }

    fn place(&self, _swept: &Swept, _index: usize) -> String {
        format!("slope of {} − {}", self.process, self.expected)
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
            let (estimate, [low, high]) = self.seen(verdict, gap);
            format!(": the slope is {estimate:.4}, between {low:.4} and {high:.4}")
        });
        let said = match verdict {
            Verdict::Upheld => "grows like",
            Verdict::Refuted => "does not grow like",
            Verdict::Inconclusive => "is undecided to grow like",
        };
        format!("the loss of {process} {said} {parameter} to the power {expected} within {margin}{seen}")
    }

    fn slope(&self, verdict: Verdict, gap: Gap) -> Option<SlopeEstimate> {
        let (estimate, interval) = self.seen(verdict, gap);
        let &Self { process, expected, .. } = self;
        Some(SlopeEstimate { process, expected, estimate: finite(estimate), interval: finite_pair(interval) })
    }
}
