//! index.html: the run on one page, without network; its one script and its style are the page's own.

use super::{Outcome, Report};
use crate::claim::{Expectation, Finding, Worst};
use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("index.css");
const SCRIPT: &str = include_str!("index.js");

/// A report with its scenario's text and its figures.
pub struct Entry<'a> {
    /// The report.
    pub report: &'a Report,
    /// The folder of its files, relative to the page.
    pub folder: &'a str,
    /// The text of the scenario.
    pub text: &'a str,
    /// Name and SVG text of each figure.
    pub figures: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    version: &'static str,
    summary: String,
    answer: String,
    counts: [(Outcome, usize); 3],
    interrupted: bool,
    /// What changed since the baseline, in a line.
    compared: Option<&'a str>,
    /// What did not come out as expected first.
    rows: Vec<(&'a Entry<'a>, &'a Finding)>,
    entries: &'a [Entry<'a>],
}

/// The page; every string of a scenario is escaped. `compared` sums up what changed since a baseline.
pub fn render<'a>(entries: &'a [Entry<'a>], compared: Option<&'a str>) -> Result<Vec<u8>, askama::Error> {
    let order = ["failed", "inconclusive", "passed"];
    let mut rows: Vec<(&Entry, &Finding)> = entries
        .iter()
        .flat_map(|entry| entry.report.claims.iter().map(move |claim| (entry, claim)))
        .collect();
    rows.sort_by_key(|(_, claim)| order.iter().position(|standing| *standing == claim.standing()));
    let count = |outcome| (outcome, entries.iter().filter(|entry| entry.report.outcome == outcome).count());
    let page = Page {
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        version: env!("CARGO_PKG_VERSION"),
        summary: super::summary(entries.iter().map(|entry| entry.report)),
        answer: answer(entries),
        counts: [Outcome::Failed, Outcome::Inconclusive, Outcome::Passed].map(count),
        interrupted: entries.iter().any(|entry| entry.report.interrupted),
        compared,
        rows,
        entries,
    };
    Ok(page.render()?.into_bytes())
}

/// The content security policy: nothing but the style and the script, known by their hashes.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// The run in one sentence.
fn answer(entries: &[Entry]) -> String {
    let claims = || entries.iter().flat_map(|entry| &entry.report.claims);
    let all = claims().count();
    match claims().filter(|claim| !claim.as_expected).count() {
        0 if all == 1 => "The one claim came out as expected.".to_owned(),
        0 => format!("All {all} claims came out as expected."),
        missed => format!("{missed} of {all} claims did not come out as expected."),
    }
}

impl Entry<'_> {
    /// Names the section of the scenario in addresses, and clashes with no other name on the page.
    fn id(&self) -> String {
        format!("scenario-{}", self.folder)
    }

    /// Whether some claim has a place where it is closest to breaking.
    fn has_errors(&self) -> bool {
        self.report.claims.iter().any(|claim| claim.worst.is_some())
    }
}

/// The smallest detectable gap in margins, where sampling limits what can be seen.
fn detectable(claim: &Finding) -> Option<String> {
    let worst = claim.worst.as_ref().filter(|_| !claim.is_exact())?;
    in_margins(claim.detectable_gap, worst.margin)
}

/// Paths or draws; what is exact needs none.
fn seeds(claim: &Finding) -> String {
    match claim.seeds {
        _ if claim.is_exact() => "exact".to_owned(),
        0 => "–".to_owned(),
        seeds => seeds.to_string(),
    }
}

/// Where a claim is closest to breaking.
fn place(worst: &Worst) -> String {
    let state = worst.state.as_ref().map(|x| {
        const SHOWN: usize = 4;
        let shown: Vec<String> = x.iter().take(SHOWN).map(|&x| number(x)).collect();
        format!(", x = [{}{}]", shown.join(", "), if x.len() > SHOWN { ", …" } else { "" })
    });
    format!("t = {}{}", number(worst.time), state.unwrap_or_default())
}

/// Modelling, integration and sampling.
fn errors(worst: &Worst) -> [Option<f64>; 3] {
    [worst.estimate, worst.integration, worst.sampling]
}

/// The interval in margins.
fn interval(worst: &Worst) -> String {
    let limits = worst.interval.map(|limits| limits.map(|limit| in_margins(Some(limit), worst.margin)));
    match limits {
        Some([Some(low), Some(high)]) => format!("[{low}, {high}]"),
        _ => "without end".to_owned(),
    }
}

/// A quantity in units of the test function.
fn value(quantity: Option<f64>) -> String {
    quantity.map_or_else(|| "–".to_owned(), number)
}

/// A quantity in margins, where that can be said.
fn in_margins(quantity: Option<f64>, margin: f64) -> Option<String> {
    let ratio = quantity? / margin;
    ratio.is_finite().then(|| number(ratio))
}

/// Three significant digits, with an exponent where the number is very large or small.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.2e}");
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    match exponent {
        Some(exponent @ -3..=4) => format!("{value:.*}", (2 - exponent).max(0) as usize),
        _ => scientific,
    }
}

/// What a claim rests on, in words.
fn assumptions(claim: &Finding) -> String {
    let words = |name: &String| match name.as_str() {
        "block_means_gaussian" => "means of blocks are close to Gaussian".to_owned(),
        "exact_expectations" => "numerical errors of exact expectations are within their bounds".to_owned(),
        "integrator_bias_extrapolated" => "the bias of the integrator shrinks at its order".to_owned(),
        "landscape_checked_at_points" => {
            "μ, L and f* hold beyond the points at which they were checked".to_owned()
        }
        "pilot_deviations" => "the pilot's standard deviations set the margins".to_owned(),
        "steps_drawn_from_their_law" => "a sum over agents may be drawn from its law".to_owned(),
        "recorded_paths_independent" => {
            "recorded paths are independent, and of one law on each side".to_owned()
        }
        "recorded_sde_solver_unbiased" => {
            "the solver behind the recorded SDE has no bias to speak of, as nothing in a file tells it"
                .to_owned()
        }
        "recorded_tails_light" => {
            "recorded test functions have moments of order 4, and no rare event that few paths show"
                .to_owned()
        }
        "stationary_after_burn_in" => "the law is stationary after the burn-in".to_owned(),
        "rare_events_negligible" => "what rare events would add is negligible".to_owned(),
        other => other.replace('_', " "),
    };
    claim.assumes.iter().map(words).collect::<Vec<String>>().join("; that ")
}

/// What a figure is called, and what there is to see.
fn caption(name: &str) -> (String, &'static str) {
    let (title, description) = match name {
        "order" => (
            "Order",
            "the largest gap between optimizer and SDE against the learning rate, on logarithmic scales, with its interval, \
             the line whose slope is the order and its band",
        ),
        "bound" => (
            "Loss bound",
            "mean loss above its minimum over time, with its interval, beside the bounds that are claimed of it",
        ),
        "sweep" => (
            "Sweep",
            "what optimizer and SDE come to at each point of the sweep, beside what theory predicts",
        ),
        "phases" => (
            "Phases",
            "mean distance from the minimiser over time, with what the flow of the sign and the linear SDE predict",
        ),
        "means" => ("Means", "mean of each coordinate under optimizer and SDE over time"),
        "second_moments" => {
            ("Second moments", "mean square of each coordinate under optimizer and SDE over time")
        }
        "projections" => {
            ("Projections", "mean of x along random directions under optimizer and SDE over time")
        }
        "norms" => ("Norms", "mean squared norms of x and of ∇f(x) under optimizer and SDE over time"),
        "fluctuations" => (
            "Scaled fluctuations",
            "mean square distance from the flow of the drift, over η, under optimizer and SDE over time",
        ),
        "loss" => ("Loss", "mean loss under optimizer and SDE over time"),
        "bounded" => (
            "Bounded functions",
            "means of bounded functions and the probability of leaving the domain under optimizer and SDE over time",
        ),
        "gap" => (
            "Gap against its margin",
            "optimizer minus SDE of every test function over time, in margins: ±1 is what is allowed",
        ),
        "errors" => (
            "Three errors",
            "modelling, integration and sampling errors over time, the largest over all test functions, in margins",
        ),
        "paths" => ("Sample paths", "some paths of optimizer and SDE over the contours of f"),
        _ => {
            let words = name.replace('_', " ");
            let mut letters = words.chars();
            let title = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
            return (title.unwrap_or_default(), "optimizer and SDE");
        }
    };
    (title.to_owned(), description)
}
