//! docs/poster.md: every statement with its verdicts, the numbers behind them, and a figure.

use crate::made::{self, Made};
use crate::statements::{Evidence, Role, Section, Statement};
use itocheck::claim::{Finding, Judgement, Progress, Verdict, judge};
use itocheck::scenario::{Loaded, Overrides, load};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// A scenario that was judged.
struct Judged {
    loaded: Loaded,
    judgement: Judgement,
}

/// Scenarios by their paths, each judged once.
type Scenarios = BTreeMap<String, Judged>;

/// The page; its figures are added to `files`.
pub fn make(sections: &[Section], files: &mut Vec<Made>) -> Result<String, String> {
    let mut scenarios = Scenarios::new();
    let statements = || sections.iter().flat_map(|section| &section.statements);
    for evidence in statements().flat_map(|statement| &statement.evidence) {
        if !scenarios.contains_key(&evidence.scenario) {
            eprintln!("judging {}", evidence.scenario);
            scenarios.insert(evidence.scenario.clone(), judged(&evidence.scenario)?);
        }
    }
    let mut page = String::from(
        "# The poster's statements, one by one\n\n\
         Compagnoni, Islamov, Proske, Lucchi, *Unbiased and Sign Compression in Distributed Learning: Comparing Noise Resilience \
         via SDEs*, AISTATS 2025. Each statement is judged by claims of scenarios, whose verdicts alone say \
         whether it holds. `cargo run --release --example poster` writes this page, and `.ci/run` fails where it is not \
         what the scenarios give.\n\n\
         ![Loss of optimizer and SDE over time for two optimizers and four objectives](sdes-track.png)\n\n\
         ## In short\n\n| statement | holds | allowed | scenarios |\n| --- | --- | --- | --- |\n",
    );
    for statement in statements() {
        summarise(&mut page, statement, &scenarios)?;
    }
    for section in sections {
        let _ = write!(page, "\n## {}\n", section.heading);
        for statement in &section.statements {
            detail(&mut page, statement, &scenarios, files)?;
        }
    }
    Ok(page)
}

fn judged(path: &str) -> Result<Judged, String> {
    let file = Path::new("scenarios").join(format!("{path}.toml"));
    let loaded = load(&file, Overrides::default()).map_err(|error| error.to_string())?;
    let judgement = judge(&loaded.experiment, &Silent);
    if !judgement.contradictions.is_empty() {
        return Err(format!("{path}: samples contradict exact values"));
    }
    Ok(Judged { loaded, judgement })
}

/// The findings that count, each of which has to be as the scenario expects.
fn findings<'a>(evidence: &Evidence, scenarios: &'a Scenarios) -> Result<Vec<&'a Finding>, String> {
    let all = &scenarios[&evidence.scenario].judgement.findings;
    let counts = |finding: &&Finding| match &evidence.claim {
        Some(kind) => finding.kind == *kind,
        None => finding.kind != "coefficients" || all.len() == 1,
    };
    let chosen: Vec<&Finding> = all.iter().filter(counts).collect();
    let chosen: Vec<&Finding> = match evidence.only {
        None => chosen,
        Some(index) => chosen.get(index).copied().into_iter().collect(),
    };
    if chosen.is_empty() {
        return Err(format!("{}: no claim {:?}", evidence.scenario, evidence.claim));
    }
    match chosen.iter().find(|finding| !finding.as_expected) {
        None => Ok(chosen),
        Some(finding) => Err(format!(
            "{}: {} is {}: {}",
            evidence.scenario, finding.kind, finding.verdict, finding.sentence
        )),
    }
}

fn link(scenario: &str) -> String {
    format!("[{scenario}](../scenarios/{scenario}.toml)")
}

fn summarise(page: &mut String, statement: &Statement, scenarios: &Scenarios) -> Result<(), String> {
    let mut margins = Vec::new();
    let mut links = Vec::new();
    for evidence in &statement.evidence {
        for finding in findings(evidence, scenarios)? {
            if let Some(allowed) = &finding.allowed
                && !margins.contains(allowed)
            {
                margins.push(allowed.clone());
            }
        }
        links.push(link(&evidence.scenario));
    }
    let holds = holds(statement, scenarios)?;
    let _ =
        writeln!(page, "| {} | {holds} | {} | {} |", statement.says, margins.join("; "), links.join(", "));
    Ok(())
}

/// Whether a statement holds, from the verdicts alone.
fn holds(statement: &Statement, scenarios: &Scenarios) -> Result<String, String> {
    let upheld = |role: Role| -> Result<Vec<bool>, String> {
        let own = statement.evidence.iter().filter(|evidence| evidence.role == role);
        own.map(|evidence| {
            // Controls may stand beside what is claimed, but something has to be upheld.
            let findings = findings(evidence, scenarios)?;
            Ok(findings.iter().any(|finding| finding.verdict == Verdict::Upheld))
        })
        .collect()
    };
    let (stated, corrected, limits) =
        (upheld(Role::Statement)?, upheld(Role::Corrected)?, upheld(Role::Limit)?);
    let controls = upheld(Role::Control)?;
    if controls.contains(&true) || limits.contains(&true) || corrected.contains(&false) || stated.is_empty() {
        return Err(format!("{}: evidence against its role", statement.says));
    }
    Ok(match (stated.contains(&false), corrected.is_empty(), limits.is_empty()) {
        (false, _, true) => "**yes**",
        (false, _, false) => "**yes**, under its conditions; beyond them no",
        (true, true, _) => "**no**",
        (true, false, _) => "**no**; corrected, yes",
    }
    .to_owned())
}

fn detail(
    page: &mut String,
    statement: &Statement,
    scenarios: &Scenarios,
    files: &mut Vec<Made>,
) -> Result<(), String> {
    let _ = write!(page, "\n### {}\n", statement.says);
    if let Some(remark) = &statement.remark {
        let _ = write!(page, "\n{remark}\n");
    }
    page.push('\n');
    for evidence in &statement.evidence {
        for finding in findings(evidence, scenarios)? {
            let of = evidence.of.as_ref().map_or(String::new(), |of| format!(" ({of})"));
            let (scenario, kind, verdict) = (link(&evidence.scenario), &finding.kind, finding.verdict);
            let sentence = capital(&finding.sentence);
            let _ = writeln!(page, "- {scenario}{of}, `{kind}`: **{verdict}**. {sentence}.");
        }
    }
    if let (Some(figure), Some(first)) = (&statement.figure, statement.evidence.first()) {
        let image = image(&scenarios[&first.scenario], figure)?;
        let name = format!("poster/{}-{figure}.png", first.scenario.replace('/', "-"));
        let _ = write!(page, "\n![{}]({name})\n", statement.says.replace(['[', ']'], ""));
        files.push((format!("docs/{name}"), image));
    }
    Ok(())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A figure of a scenario, as PNG.
fn image(Judged { loaded, judgement }: &Judged, figure: &str) -> Result<Vec<u8>, String> {
    let title = &loaded.experiment.title;
    let (moments, sweep) = (judgement.moments.as_ref(), judgement.sweep.as_ref());
    made::image(title, &judgement.findings, moments, sweep, figure)
        .map_err(|error| format!("{}: {error}", loaded.file.display()))
}
