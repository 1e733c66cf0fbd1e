//! What order is seen, and what follows from it.

use crate::claim::finding::Verdict;
use crate::claim::tables::{finite, finite_pair};
use crate::stats::{Line, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Weak orders are whole numbers, and terms of higher order in η move what is seen at finite rates: order p is seen
/// where no less than p − 0.25 is, and not where at most p − 0.5 is, which rounds to a lower order.
pub(super) const TOLERANCE: f64 = 0.25;

/// The largest gap G(η) over test functions and times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LargestGap {
    /// η.
    pub learning_rate: f64,
    /// The largest estimated gap, in units of its function. Where noise rules, the largest of many estimates is too
    /// large; the interval is not misled.
    pub gap: Option<f64>,
    /// Where G(η) is, simultaneously over all learning rates; the lower limit is 0 where noise hides the gap.
    pub interval: Option<[f64; 2]>,
    /// The function with that gap.
    pub function: String,
    /// Its time.
    pub time: f64,
}

impl LargestGap {
    /// Of the cells (name and time, gap, interval of the gap) in the units of their functions.
    pub(super) fn of(
        learning_rate: f64,
        cells: impl Iterator<Item = ((String, f64), f64, [f64; 2])>,
    ) -> Self {
        let mut largest = (0.0, (String::new(), 0.0));
        let mut interval = [0.0f64; 2];
        for (place, gap, [low, high]) in cells {
            if gap.abs() > largest.0 || largest.1.0.is_empty() {
                largest = (gap.abs(), place);
            }
            interval[0] = interval[0].max(low.max(-high));
            // What is not a number may be anything.
            let end = if (high - low).is_nan() { f64::INFINITY } else { high.max(-low) };
            interval[1] = interval[1].max(end);
        }
        let (gap, (function, time)) = largest;
        Self { learning_rate, gap: finite(gap), interval: finite_pair(interval), function, time }
    }

    /// `(log η, log G)`.
    pub(crate) fn logarithmic(&self) -> Point {
        let [low, high] = self.interval.unwrap_or([0.0, f64::INFINITY]);
        Point {
            x: libm::log(self.learning_rate),
            estimate: libm::log(self.gap.unwrap_or(f64::INFINITY)),
            interval: [libm::log(low), libm::log(high)],
        }
    }
}

/// An order that is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub estimate: f64,
    pub interval: [f64; 2],
}

impl Seen {
    /// The slope of the line of log G against log η.
    ///
    /// Where noise hides a gap it has no part in the line, and need only stay below it; then nothing is known of how
    /// small it is, and so no order can be too low.
    pub fn of_line(points: &[LargestGap]) -> Self {
        let nothing = Self { estimate: f64::NAN, interval: [f64::NEG_INFINITY, f64::INFINITY] };
        let Some(line) = Line::through(points.iter().map(LargestGap::logarithmic).collect()) else {
            return nothing;
        };
        let slope = line.slope();
        let [low, high] = slope.interval;
        let is_below = line.left_out().all(|hidden| hidden.interval[1] <= line.at(hidden.x).estimate);
        let hides = line.left_out().next().is_some();
        Self {
            estimate: slope.estimate,
            interval: [
                if is_below { low } else { f64::NEG_INFINITY },
                if hides { f64::INFINITY } else { high },
            ],
        }
    }

    /// By how much it lies above `required`, at least.
    fn slack(&self, required: f64) -> f64 {
        self.interval[0] - required
    }
}

/// Orders seen in raw moments and in fluctuations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Orders {
    pub raw: Seen,
    pub fluctuations: Seen,
    /// p.
    pub claimed: u32,
}

impl Orders {
    /// What is required of raw moments and of fluctuations.
    ///
    /// A fluctuation is η times less than a raw second moment about c: order p of raw moments gives it order p − 1.
    /// That is nothing for p = 1, and the diffusion is tested by order 1; p = 2 does not say more than 1.
    fn pairs(&self) -> [(Seen, f64); 2] {
        [(self.raw, f64::from(self.claimed)), (self.fluctuations, 1.0)]
    }

    /// The verdict, if each interval may be relied on.
    pub fn verdict(&self) -> Verdict {
        let pairs = self.pairs();
        if pairs.iter().all(|(seen, required)| seen.slack(*required) >= -TOLERANCE) {
            Verdict::Upheld
        } else if pairs.iter().any(|(seen, required)| seen.interval[1] <= required - 2.0 * TOLERANCE) {
            Verdict::Refuted
        } else {
            Verdict::Inconclusive
        }
    }

    /// The order of the SDE that lacks so much is refuted.
    pub fn detectable(&self) -> Option<f64> {
        let reach = |(seen, _): &(Seen, f64)| 2.0 * TOLERANCE + seen.interval[1] - seen.estimate;
        self.pairs().iter().map(reach).max_by(f64::total_cmp).and_then(finite)
    }

    /// For the report.
    pub fn report(&self, unit: &'static str, [raw, fluctuations]: [Vec<LargestGap>; 2]) -> OrderEstimate {
        // As orders of raw moments, where the claim asks more of them.
        let lacking = f64::from(self.claimed) - 1.0;
        let of_fluctuations = Seen {
            estimate: self.fluctuations.estimate + lacking,
            interval: self.fluctuations.interval.map(|end| end + lacking),
        };
        let claimed = f64::from(self.claimed);
        let least = if self.raw.slack(claimed) <= of_fluctuations.slack(claimed) {
            self.raw
        } else {
            of_fluctuations
        };
        OrderEstimate {
            claimed: self.claimed,
            estimate: finite(least.estimate),
            interval: finite_pair(least.interval),
            raw: finite_pair(self.raw.interval),
            fluctuations: finite_pair(self.fluctuations.interval),
            unit: unit.to_owned(),
            raw_gaps: raw,
            fluctuation_gaps: fluctuations,
        }
    }
}

/// The order that is seen; null where it has no value, as where noise or rounding hides the gap.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrderEstimate {
    /// p.
    pub claimed: u32,
    /// Of raw moments, or, where that is less, of fluctuations with p − 1 added: they are η times less than moments.
    pub estimate: Option<f64>,
    /// Its interval, at the error rate of the claim; of exact expectations with numerical errors.
    pub interval: Option<[f64; 2]>,
    /// The interval of the order of raw moments.
    pub raw: Option<[f64; 2]>,
    /// That of scaled fluctuations.
    pub fluctuations: Option<[f64; 2]>,
    /// The unit of gaps.
    pub unit: String,
    /// The largest gap of raw moments at each learning rate, the largest rate first.
    pub raw_gaps: Vec<LargestGap>,
    /// That of scaled fluctuations.
    pub fluctuation_gaps: Vec<LargestGap>,
}

impl OrderEstimate {
    pub(super) fn describe(&self) -> String {
        let shown = |order: Option<[f64; 2]>| {
            order.map_or("unknown".to_owned(), |[low, high]| format!("{low:.3} to {high:.3}"))
        };
        format!("{} in raw moments and {} in scaled fluctuations", shown(self.raw), shown(self.fluctuations))
    }
}
