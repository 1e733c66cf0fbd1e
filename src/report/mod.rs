//! Reports: what a run came to, in each form that somebody reads.

pub mod baseline;
pub mod github;
pub mod html;
pub mod junit;
pub mod plot;
pub mod terminal;
mod write;

use crate::claim::{
    Contradiction, Errors, Finding, Judgement, MomentTables, NonFinite, RecordedPaths, SweepTable, Verdict,
};
use crate::scenario::{Experiment, Loaded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use write::{whole_name, write_whole};

/// The schema of `report.json`.
pub const SCHEMA: &str = "itocheck/report/1";

/// Of itocheck.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `report.json`: one scenario with its verdicts, the numbers behind them, and where they come from.
///
/// No number is NaN or infinite: what has no value is null. Tables are by function, then by time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What was run.
    pub scenario: ScenarioEntry,
    /// What was read of recorded paths, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<RecordedPaths>,
    /// What it came to.
    pub outcome: Outcome,
    /// Whether the run was stopped before it was done.
    pub interrupted: bool,
    /// Where the numbers come from.
    pub provenance: Provenance,
    /// One a claim.
    pub claims: Vec<Finding>,
    /// Moments at the last look, where a trajectory was claimed.
    pub moments: Option<MomentTables>,
    /// What the sweep came to, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepTable>,
    /// Modelling, integration and sampling, where moments were compared.
    pub errors: Option<Errors>,
    /// Samples that contradict exact expectations: then itocheck is wrong, and so may its verdicts be.
    pub contradictions: Vec<Contradiction>,
    /// Paths that were not finite.
    pub non_finite: NonFinite,
    /// What changed since the run of `--baseline`, where that has a report of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<baseline::Comparison>,
}

/// The scenario of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioEntry {
    /// Its title.
    pub title: String,
    /// The theorem, where it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The file it was read from.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// SHA-256 of the file with data that it names, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_sha256: Option<String>,
}

impl ScenarioEntry {
    fn of(loaded: &Loaded) -> Self {
        Self {
            title: loaded.experiment.title.clone(),
            source: loaded.experiment.source.clone(),
            file: loaded.file.display().to_string(),
            sha256: loaded.sha256.clone(),
            data_sha256: loaded.data_sha256.clone(),
        }
    }
}

/// The outcome of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every claim came out as expected.
    Passed,
    /// Some claim came out as it should not, or samples contradict exact expectations.
    Failed,
    /// None did, but some could not be decided within the budget.
    Inconclusive,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        })
    }
}

impl Outcome {
    fn of(findings: &[Finding], contradictions: &[Contradiction]) -> Self {
        let unexpected = |finding: &Finding| !finding.as_expected && finding.verdict != Verdict::Inconclusive;
        if findings.iter().any(unexpected) || !contradictions.is_empty() {
            Self::Failed
        } else if findings.iter().all(|finding| finding.as_expected) {
            Self::Passed
        } else {
            Self::Inconclusive
        }
    }
}

/// So many of what a noun names.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// How many scenarios passed, failed, and stayed undecided, and in how many moments moved since the baseline, if in any.
fn summary<'a>(reports: impl Iterator<Item = &'a Report>) -> String {
    let reports: Vec<&Report> = reports.collect();
    let count = |outcome: Outcome| reports.iter().filter(|report| report.outcome == outcome).count();
    let moved = match reports.iter().filter(|report| report.has_moved()).count() {
        0 => String::new(),
        count => format!(", {count} moved since the baseline"),
    };
    format!(
        "{}: {} passed, {} failed, {} inconclusive{moved}",
        counted(reports.len(), "scenario"),
        count(Outcome::Passed),
        count(Outcome::Failed),
        count(Outcome::Inconclusive)
    )
}

/// Where the numbers of a report come from. All but the time and the machine decide their bits.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Of itocheck.
    pub version: String,
    /// Every draw follows from it; 0 where all paths were recorded.
    pub seed: u64,
    /// Paths of each process at the first look; null where that was left to the pilot.
    pub seeds: Option<u64>,
    /// Paths of each process at most; null where nobody asked for paths.
    pub max_seeds: Option<u64>,
    /// Threads that simulated; they change no bit of the moments.
    pub threads: usize,
    /// The processor.
    pub cpu: String,
    /// From the first draw to the last verdict.
    pub wall_seconds: f64,
    /// Optimizer steps that were simulated for the moments, over all paths; the SDE covers as many η.
    pub path_steps: u64,
}

/// What decides the draws of a scenario, besides its file: the seed, and paths at the first look and at most.
fn draws(loaded: &Loaded) -> (u64, Option<u64>, Option<u64>) {
    let Experiment { monte_carlo, is_sampled, .. } = &loaded.experiment;
    (monte_carlo.seed, monte_carlo.seeds, is_sampled.then_some(monte_carlo.max_seeds))
}

impl Report {
    /// The report of a scenario whose claims were judged by `threads` in `wall_seconds`.
    pub fn new(loaded: &Loaded, judgement: Judgement, wall_seconds: f64, threads: usize) -> Self {
        Self::with(ScenarioEntry::of(loaded), Some(loaded), judgement, wall_seconds, threads)
    }

    /// The report of a scenario that an earlier run wrote in these bytes, if that run was not stopped in the middle of it,
    /// and all that decides the bits of a report is as it was then.
    pub fn read(bytes: &[u8], loaded: &Loaded) -> Option<Self> {
        let report: Self = serde_json::from_slice(bytes).ok()?;
        let Provenance { version, seed, seeds, max_seeds, .. } = &report.provenance;
        let is_as_it_was = report.schema == SCHEMA
            && report.scenario == ScenarioEntry::of(loaded)
            && version == VERSION
            && (*seed, *seeds, *max_seeds) == draws(loaded);
        let is_finished = !report.interrupted && report.baseline.is_none();
        // What is not read back to the last digit is not what the run had.
        (is_as_it_was && is_finished && report.json().ok()? == bytes).then_some(report)
    }

    /// The report of recorded paths, which were compared with each other or with a scenario.
    pub fn of_recorded(
        title: String,
        scenario: Option<&Loaded>,
        recorded: Vec<RecordedPaths>,
        judgement: Judgement,
        wall_seconds: f64,
        threads: usize,
    ) -> Self {
        let of_files = |part: fn(&RecordedPaths) -> &str| {
            let parts: Vec<&str> = recorded.iter().map(part).collect();
            parts.join(", ")
        };
        let entry = match scenario {
            Some(loaded) => ScenarioEntry { title, ..ScenarioEntry::of(loaded) },
            None => ScenarioEntry {
                title,
                source: None,
                file: of_files(|paths| &paths.file),
                sha256: of_files(|paths| &paths.sha256),
                data_sha256: None,
            },
        };
        Self { recorded, ..Self::with(entry, scenario, judgement, wall_seconds, threads) }
    }

    fn with(
        scenario: ScenarioEntry,
        loaded: Option<&Loaded>,
        judgement: Judgement,
        wall_seconds: f64,
        threads: usize,
    ) -> Self {
        let Judgement { findings, moments, sweep, contradictions, non_finite, path_steps } = judgement;
        let (seed, seeds, max_seeds) = loaded.map_or((0, None, None), draws);
        Self {
            schema: SCHEMA.to_owned(),
            scenario,
            recorded: Vec::new(),
            outcome: Outcome::of(&findings, &contradictions),
            interrupted: false,
            provenance: Provenance {
                version: VERSION.to_owned(),
                seed,
                seeds,
                max_seeds,
                threads,
                cpu: processor(),
                wall_seconds,
                path_steps,
            },
            claims: findings,
            errors: moments.as_ref().map(Errors::of),
            moments,
            sweep,
            contradictions,
            non_finite,
            baseline: None,
        }
    }

    /// The report beside the earlier one of its scenario, at the error rate of that.
    pub fn compare_with(&mut self, earlier: &baseline::Earlier, error_rate: f64) {
        self.baseline = Some(baseline::Comparison::new(earlier, self, error_rate));
    }

    /// Whether some moment moved beyond the joint error since the baseline.
    pub fn has_moved(&self) -> bool {
        self.baseline.as_ref().is_some_and(baseline::Comparison::has_moved)
    }

    /// The report as JSON, with a newline at the end.
    pub fn json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The name of the processor where the system tells it, else its architecture.
fn processor() -> String {
    let table = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = table.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
