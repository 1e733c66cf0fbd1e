//! A run beside an earlier one: verdicts that changed, moments that moved, margins that are more used, speed.

mod earlier;
mod joint_error;
mod moments;

use super::{Provenance, Report};
use crate::claim::{Finding, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use earlier::{Baseline, Earlier};
pub use moments::{ComparedMoments, Moved, Process, Source};

/// What of a margin more than before is worth a line, in margins, where sampling does not explain it.
const HEADROOM_WORTH_A_LINE: f64 = 0.1;

/// A scenario beside its earlier report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The version of itocheck that wrote the earlier report.
    pub version: String,
    /// Whether the scenario's file is the same, byte for byte.
    pub same_file: bool,
    /// Whether both drew from the same seed; their samples may then depend on each other.
    pub same_seed: bool,
    /// Claims whose verdict changed.
    pub verdicts: Vec<ChangedVerdict>,
    /// Claims that the earlier report does not have, by their kinds.
    pub new_claims: Vec<String>,
    /// Claims that only the earlier report has, by their kinds.
    pub gone_claims: Vec<String>,
    /// Moments of both; null where one has none.
    pub moments: Option<ComparedMoments>,
    /// How much of its margin each trajectory and each comparison of coefficients uses.
    pub margins: Vec<UsedMargin>,
    /// Path-steps per second before; null where none were counted. It informs, and fails nothing.
    pub speed_before: Option<f64>,
    /// Path-steps per second now.
    pub speed: Option<f64>,
}

/// A claim whose verdict changed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChangedVerdict {
    /// The kind of claim.
    pub kind: String,
    /// What it came to before.
    pub before: Verdict,
    /// What it comes to now.
    pub after: Verdict,
}

/// How much of its margin a claim uses: the farther end of the interval at its worst place over the margin there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UsedMargin {
    /// The kind of claim.
    pub kind: String,
    /// In margins; above 1 it reaches outside.
    pub before: f64,
    /// In margins.
    pub after: f64,
    /// What sampling leaves open of both together, in margins: a difference below it says nothing.
    pub sampling: f64,
    /// Seeds before: a claim stops drawing once it is decided, so that fewer seeds use more of the margin.
    pub seeds_before: u64,
    /// Seeds now.
    pub seeds: u64,
}

impl Comparison {
    /// `report` beside what `earlier` says of the same scenario. Any moment is named as moved although none did with probability
    /// `error_rate` at most.
    pub fn new(earlier: &Earlier, report: &Report, error_rate: f64) -> Self {
        let same_seed = earlier.provenance.seed == report.provenance.seed;
        let mut comparison = Self {
            version: earlier.provenance.version.clone(),
            same_file: earlier.scenario.sha256 == report.scenario.sha256,
            same_seed,
            verdicts: Vec::new(),
            new_claims: Vec::new(),
            gone_claims: Vec::new(),
            moments: moments::compare(earlier, report, same_seed, error_rate),
            margins: Vec::new(),
            speed_before: speed(earlier.provenance.work()),
            speed: speed(report.provenance.work()),
        };
        // Claims have no names: the n-th of a kind is the n-th of that kind before.
        let mut left: Vec<&earlier::Claim> = earlier.claims.iter().collect();
        for claim in &report.claims {
            match left.iter().position(|before| before.kind == claim.kind) {
                Some(index) => comparison.add(left.remove(index), claim),
                None => comparison.new_claims.push(claim.kind.to_owned()),
            }
        }
        comparison.gone_claims = left.into_iter().map(|claim| claim.kind.clone()).collect();
        comparison
    }

    fn add(&mut self, before: &earlier::Claim, after: &Finding) {
        if before.verdict != after.verdict {
            let kind = after.kind.to_owned();
            self.verdicts.push(ChangedVerdict { kind, before: before.verdict, after: after.verdict });
        }
        let is_two_sided = matches!(&*after.kind, "trajectory" | "coefficients");
        let now = after.worst.as_ref().and_then(|at| share(at.interval, at.sampling, at.margin));
        let then = before.worst.as_ref().and_then(|at| share(at.interval, at.sampling, at.margin));
        if let (true, Some(then), Some(now)) = (is_two_sided, then, now) {
            self.margins.push(UsedMargin {
                kind: after.kind.to_owned(),
                before: then.used,
                after: now.used,
                sampling: then.sampling + now.sampling,
                seeds_before: before.seeds,
                seeds: after.seeds,
            });
        }
    }

    /// Whether some moment moved beyond the joint error.
    pub fn has_moved(&self) -> bool {
        self.moments.as_ref().is_some_and(|moments| !moments.moved.is_empty())
    }

    /// The moment that moved farthest, and how many did, in a sentence.
    pub fn moved(&self) -> Option<String> {
        let moments = self.moments.as_ref()?;
        let farthest = moments.moved.first()?;
        let file = if self.same_file { "" } else { "; the scenario's file is another" };
        Some(format!(
            "{farthest} ({} of {} compared moved, error rate {:e}{file})",
            moments.moved.len(),
            moments.compared,
            moments.error_rate
        ))
    }

    /// What else changed that is worth a line.
    pub fn remarks(&self) -> Vec<String> {
        let verdicts = self.verdicts.iter().map(ToString::to_string);
        let claims = |claims: &[String], what: &str| {
            (!claims.is_empty()).then(|| format!("{what}: {}", claims.join(", ")))
        };
        let more_used = self.margins.iter().filter(|used| used.is_worth_a_line());
        let functions = self.moments.as_ref().and_then(ComparedMoments::differing_shape);
        verdicts
            .chain(claims(&self.new_claims, "claims that are new"))
            .chain(claims(&self.gone_claims, "claims that are gone"))
            .chain(functions)
            .chain(more_used.map(ToString::to_string))
            .collect()
    }
}

impl UsedMargin {
    fn is_worth_a_line(&self) -> bool {
        self.after - self.before > self.sampling.max(HEADROOM_WORTH_A_LINE)
    }
}

/// Shares of a margin.
struct Share {
    /// The farther end of the interval about 0.
    used: f64,
    /// What sampling leaves open.
    sampling: f64,
}

fn share(interval: Option<[f64; 2]>, sampling: Option<f64>, margin: f64) -> Option<Share> {
    let [low, high] = interval?;
    let share = Share { used: low.abs().max(high.abs()) / margin, sampling: sampling? / margin };
    (share.used.is_finite() && share.sampling.is_finite()).then_some(share)
}

impl Provenance {
    fn work(&self) -> Work {
        Work { path_steps: self.path_steps, seconds: self.wall_seconds }
    }
}

/// Path-steps, and the time that they took.
#[derive(Clone, Copy, Default)]
struct Work {
    path_steps: u64,
    seconds: f64,
}

impl Work {
    fn and(self, other: Self) -> Self {
        Self { path_steps: self.path_steps + other.path_steps, seconds: self.seconds + other.seconds }
    }
}

/// Path-steps per second; none where none were counted.
fn speed(work: Work) -> Option<f64> {
    (work.path_steps > 0 && work.seconds > 0.0).then(|| work.path_steps as f64 / work.seconds)
}

impl fmt::Display for ChangedVerdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} was {}, is {}", self.kind, self.before, self.after)
    }
}

impl fmt::Display for UsedMargin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { kind, before, after, seeds_before, seeds, .. } = self;
        write!(
            f,
            "{kind} uses {after:.2} of its margin, before {before:.2} (seeds {seeds}, before {seeds_before})"
        )
    }
}

/// The whole run in one line: scenarios that were compared, and those that only one run has.
pub fn summary(baseline: &Baseline, entries: &[(&str, &Report)], gone: &[String]) -> String {
    let compared: Vec<&Report> =
        entries.iter().filter(|(_, report)| report.baseline.is_some()).map(|(_, report)| *report).collect();
    let comparisons = || compared.iter().filter_map(|report| report.baseline.as_ref());
    let fresh: Vec<String> = entries
        .iter()
        .filter(|(_, report)| report.baseline.is_none())
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut parts = vec![
        format!("{} compared", super::counted(compared.len(), "scenario")),
        super::counted(comparisons().map(|comparison| comparison.verdicts.len()).sum(), "changed verdict"),
        format!("moments moved in {}", comparisons().filter(|comparison| comparison.has_moved()).count()),
    ];
    for (names, what) in [(&fresh[..], "new"), (gone, "gone")] {
        if !names.is_empty() {
            parts.push(format!("{} {what} ({})", names.len(), abridged(names)));
        }
    }
    // Of all that was compared, so that no short scenario decides the ratio.
    let now = compared.iter().map(|report| report.provenance.work()).fold(Work::default(), Work::and);
    let earlier = entries.iter().filter_map(|(name, _)| baseline.of(name));
    let before = earlier.map(|earlier| earlier.provenance.work()).fold(Work::default(), Work::and);
    if let (Some(now), Some(before)) = (speed(now), speed(before)) {
        parts.push(format!("{now:.2e} path-steps per second, before {before:.2e}"));
    }
    format!("baseline {}: {}", baseline.folder().display(), parts.join(", "))
}

/// The first names, where there are many.
fn abridged(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names.iter().take(SHOWN).cloned().collect::<Vec<String>>().join(", "))
}
