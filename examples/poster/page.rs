//! docs/poster.md: every statement with its verdicts, the numbers behind them, and a figure.

use crate::Made;
use crate::statements::{Evidence, Section, Statement};
use itocheck::claim::{Finding, Judgement, Progress, judge};
use itocheck::report::plot::{self, Image, Picture};
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
         via SDEs*, AISTATS 2025. Each statement is judged by claims of scenarios; a claim that *should* be refuted is a negative \
         control, or a mistake found. `cargo run --release --example poster` writes this page, and `.ci/run` fails where it is not \
         what the scenarios give.\n\n\
         ![Loss of optimizer and SDE over time for two optimizers and four objectives](sdes-track.png)\n\n\
         ## In short\n\n| statement | verdicts | margin | scenarios |\n| --- | --- | --- | --- |\n",
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
        Some(kind) => finding.kind == kind,
        None => finding.kind != "coefficients" || all.len() == 1,
    };
    let chosen: Vec<&Finding> = all.iter().filter(counts).collect();
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
    let mut verdicts = Vec::new();
    let mut margins = Vec::new();
    let mut links = Vec::new();
    for evidence in &statement.evidence {
        for finding in findings(evidence, scenarios)? {
            let said = match &evidence.of {
                Some(of) => format!("{}: {}", of, finding.verdict),
                None => finding.verdict.to_string(),
            };
            if !verdicts.contains(&said) {
                verdicts.push(said);
            }
            if let Some(margin) = finding.worst.as_ref().map(|worst| format!("{:.3}", worst.margin))
                && !margins.contains(&margin)
            {
                margins.push(margin);
            }
        }
        links.push(link(&evidence.scenario));
    }
    let _ = writeln!(
        page,
        "| {} | {} | {} | {} |",
        statement.says,
        verdicts.join("; "),
        if margins.is_empty() { "—".to_owned() } else { margins.join(", ") },
        links.join(", ")
    );
    Ok(())
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
            let control = if finding.verdict.to_string() == "refuted" {
                "**refuted**, as expected"
            } else {
                "**upheld**"
            };
            let _ = writeln!(
                page,
                "- {}, `{}`: {control}. {}",
                link(&evidence.scenario),
                finding.kind,
                capital(&finding.sentence)
            );
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
fn image(judged: &Judged, figure: &str) -> Result<Vec<u8>, String> {
    let Judged { loaded, judgement } = judged;
    let title = &loaded.experiment.title;
    let mut images: Vec<Image> = Vec::new();
    if let Some(order) = judgement.findings.iter().find_map(|finding| finding.order.as_ref()) {
        images.extend(plot::draw_order(title, order)?);
    }
    if let Some(run) = judgement.findings.iter().find_map(|finding| finding.phases.as_ref()) {
        images.extend(plot::draw_phases(title, run)?);
    }
    if let Some(sweep) = &judgement.sweep {
        images.extend(plot::draw_sweep(title, sweep)?);
    }
    if let Some(moments) = &judgement.moments {
        images.extend(plot::draw(&Picture { title, moments, golden: None, paths: None })?);
    }
    let name = format!("{figure}.png");
    let found = images.into_iter().find(|image| image.name == name);
    found.map(|image| image.bytes).ok_or_else(|| format!("{}: no figure {figure}", loaded.file.display()))
}
