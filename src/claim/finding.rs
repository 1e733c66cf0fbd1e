//! What a claim came to.

use super::bound::BoundEstimate;
use super::decision::Gap;
use super::order::OrderEstimate;
use super::phases::PhasedRun;
use super::scaling::ScaledFloor;
use super::stationary::LawAtRest;
use super::sweep::SlopeEstimate;
use super::tables::{finite, finite_pair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The three values of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every interval lies inside its margin.
    Upheld,
    /// Some interval lies outside, simultaneously over all of them.
    Refuted,
    /// Neither within the budget.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Upheld => "upheld",
            Self::Refuted => "refuted",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// What a scenario expects of a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Expectation {
    /// The claim holds.
    #[default]
    Upheld,
    /// A negative control: the claim must not hold.
    Refuted,
}

impl Expectation {
    /// Whether `verdict` is what was expected.
    pub fn is_met_by(self, verdict: Verdict) -> bool {
        match self {
            Self::Upheld => verdict == Verdict::Upheld,
            Self::Refuted => verdict == Verdict::Refuted,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Upheld => "upheld",
            Self::Refuted => "refuted",
        })
    }
}

/// What a verdict without draws assumes: that numerical errors are within their bounds.
pub(super) const EXACT_EXPECTATIONS: &str = "exact_expectations";

const INTERRUPTED: &str = "interrupted before it was decided";

/// One claim with its verdict, as reports give it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The kind of claim.
    pub kind: String,
    /// What the scenario expects.
    pub expected: Expectation,
    /// What it came to.
    pub verdict: Verdict,
    /// Whether that was expected.
    pub as_expected: bool,
    /// α: a false claim is upheld, and a true one refuted, with at most this probability each.
    pub error_rate: f64,
    /// Paths of each process (trajectory), or draws at each state (coefficients).
    pub seeds: u64,
    /// Looks at the data.
    pub looks: u32,
    /// What the claim allows, in words; null where nothing has a margin.
    pub allowed: Option<String>,
    /// The smallest gap, at the place of `worst`, that the whole budget refutes with probability 0.95.
    pub detectable_gap: Option<f64>,
    /// What the verdict rests on besides the draws.
    pub assumes: Vec<String>,
    /// Why a trajectory is sampled and not decided on exact expectations; null where it is, and for other kinds.
    pub sampled_because: Option<String>,
    /// Where the claim is closest to breaking, or breaks.
    pub worst: Option<Worst>,
    /// What order was seen, where one is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderEstimate>,
    /// What a loss bound is compared with, where one is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<BoundEstimate>,
    /// The law at rest, where one is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stationary: Option<LawAtRest>,
    /// The losses at rest, where a scaling rule is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScaledFloor>,
    /// Both phases of DSignSGD, where they are claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<PhasedRun>,
    /// What slope was seen, where one is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slope: Option<SlopeEstimate>,
    /// Test functions left out, whose moments cannot be sampled under this noise.
    pub left_out: Vec<String>,
    /// What a paper can print.
    pub sentence: String,
}

impl Finding {
    /// Of a claim that nobody waited for.
    pub(super) fn interrupted(kind: &'static str, expected: Expectation, error_rate: f64) -> Self {
        let exact = Self::exact(kind, expected, Verdict::Inconclusive, INTERRUPTED.to_owned());
        Self { error_rate, assumes: Vec::new(), ..exact }
    }

    /// Of a claim that is decided on exact expectations.
    pub(super) fn exact(
        kind: &'static str,
        expected: Expectation,
        verdict: Verdict,
        sentence: String,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            expected,
            verdict,
            as_expected: expected.is_met_by(verdict),
            error_rate: 0.0,
            seeds: 0,
            looks: 0,
            allowed: None,
            detectable_gap: None,
            assumes: vec![EXACT_EXPECTATIONS.to_owned()],
            sampled_because: None,
            worst: None,
            order: None,
            bound: None,
            stationary: None,
            scaling: None,
            phases: None,
            slope: None,
            left_out: Vec::new(),
            sentence,
        }
    }

    /// Whether it is of a claim that nobody waited for.
    pub fn was_interrupted(&self) -> bool {
        self.sentence == INTERRUPTED
    }

    /// Whether it rests on exact expectations, without a draw.
    pub fn is_exact(&self) -> bool {
        self.assumes.iter().any(|assumption| assumption == EXACT_EXPECTATIONS)
    }

    /// "passed", "failed" or, where nothing was decided, "inconclusive".
    pub fn standing(&self) -> &'static str {
        match self.verdict {
            _ if self.as_expected => "passed",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Upheld | Verdict::Refuted => "failed",
        }
    }
}

/// The place where a claim is closest to breaking.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Worst {
    /// The test function, or the entry of drift or diffusion.
    pub function: String,
    /// t.
    pub time: f64,
    /// The state at which coefficients were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Vec<f64>>,
    /// Optimizer minus SDE, or what is bounded.
    pub estimate: Option<f64>,
    /// Its confidence interval at the level of the verdict.
    pub interval: Option<[f64; 2]>,
    /// What was allowed.
    pub margin: f64,
    /// What of half the interval's width is the limit of the SDE solver's own bias, or of exact expectations the bound
    /// of their numerical errors; null where no solver is involved.
    pub integration: Option<f64>,
    /// The rest of half the interval's width: what sampling leaves open, 0 for exact expectations.
    pub sampling: Option<f64>,
}

impl Worst {
    /// Of the gap of a test function at a time, whose interval at the level of `verdict` is widened by `bias`, that of
    /// the integrator or of numerical errors.
    pub(super) fn of_gap(function: String, time: f64, gap: Gap, verdict: Verdict, bias: f64) -> Self {
        let interval = gap.interval(verdict);
        // Where all paths agree, rounding may put half the width below the bias it is made of.
        let sampling = ((interval[1] - interval[0]) / 2.0 - bias).max(0.0);
        Self {
            function,
            time,
            state: None,
            estimate: finite(gap.estimate),
            interval: finite_pair(interval),
            margin: gap.margin,
            integration: finite(bias),
            sampling: finite(sampling),
        }
    }

    /// The same where nobody tells the bias of the integrator from what sampling leaves open; all of it is numerical
    /// where nothing is sampled.
    pub(super) fn of_whole_gap(
        function: String,
        time: f64,
        gap: Gap,
        verdict: Verdict,
        is_sampled: bool,
    ) -> Self {
        let [low, high] = gap.interval(verdict);
        let whole = Self::of_gap(function, time, gap, verdict, (high - low) / 2.0);
        if is_sampled { Self { integration: None, sampling: whole.integration, ..whole } } else { whole }
    }
}

/// What stands in brackets behind every sentence: error rate, sample, power and version.
pub(super) fn terms(error_rate: f64, sample: &str, worst: Option<Gap>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let in_margins = worst.map(|gap| gap.detectable / gap.margin).filter(|ratio| ratio.is_finite());
    let power = in_margins.map(|ratio| format!("gaps from {ratio:.2} margins on detectable, "));
    format!("error rate {error_rate:e}, {sample}, {}itocheck {version}", power.unwrap_or_default())
}

/// All of so many, in words.
pub(super) fn all(count: usize, noun: &str) -> String {
    if count == 1 { format!("the one {noun}") } else { format!("all {count} {noun}s") }
}
