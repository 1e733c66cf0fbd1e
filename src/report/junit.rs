//! junit.xml: a test suite for each scenario, a test case for each claim, and one for the baseline where there is one.
//!
//! Readers differ in what they ask for: some need `skipped` and `time` on every suite and `time` on every
//! case. Claims of a scenario share their paths, so that only the suite has a time of its own.

use super::Report;
use crate::claim::{Finding, Verdict};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The whole run as JUnit XML.
pub fn render(reports: &[&Report]) -> Result<Vec<u8>, quick_junit::SerializeError> {
    let mut document = quick_junit::Report::new("itocheck");
    let seconds: f64 = reports.iter().map(|report| report.provenance.wall_seconds).sum();
    document.set_time(Duration::from_secs_f64(seconds));
    for report in reports {
        document.add_test_suite(suite(report));
    }
    let mut bytes = Vec::new();
    document.serialize(&mut bytes)?;
    Ok(bytes)
}

fn suite(report: &Report) -> TestSuite {
    let file = legal(&report.scenario.file);
    let mut suite = TestSuite::new(&file);
    suite.set_time(Duration::from_secs_f64(report.provenance.wall_seconds));
    for claim in &report.claims {
        let name = legal(&format!("{}: {}", claim.kind, report.scenario.title));
        let mut case = TestCase::new(name, status(report, claim));
        case.set_classname(&file);
        case.set_time(Duration::ZERO);
        suite.add_test_case(case);
    }
    if let Some(baseline) = &report.baseline {
        let status = baseline.moved().map_or_else(TestCaseStatus::success, |moved| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("moved");
            status.set_message(legal(&moved));
            status
        });
        let mut case = TestCase::new(legal(&format!("baseline: {}", report.scenario.title)), status);
        case.set_classname(&file);
        case.set_time(Duration::ZERO);
        suite.add_test_case(case);
    }
    // The writer counts skipped cases as "disabled", which few readers know.
    let skipped = std::mem::take(&mut suite.disabled);
    suite.extra.insert("skipped".into(), skipped.to_string().into());
    suite
}

/// The text without the two characters that XML forbids and the writer lets through; a file may be named
/// by them.
fn legal(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn status(report: &Report, claim: &Finding) -> TestCaseStatus {
    let Finding { expected, verdict, .. } = claim;
    if claim.as_expected {
        return TestCaseStatus::success();
    }
    let mut status = if claim.was_interrupted() {
        TestCaseStatus::skipped()
    } else if *verdict == Verdict::Inconclusive {
        TestCaseStatus::non_success(NonSuccessKind::Error)
    } else {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    };
    let reason = if claim.was_interrupted() { "interrupted".to_owned() } else { verdict.to_string() };
    let (file, sentence) = (legal(&report.scenario.file), legal(&claim.sentence));
    status.set_type(reason);
    status.set_description(format!("{file}: {verdict}, expected {expected}: {sentence}"));
    status.set_message(sentence);
    status
}
