//! junit.xml: a test suite for each scenario, a test case for each claim.

use super::Report;
use crate::claim::Verdict;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

/// The whole run as JUnit XML.
pub fn render(reports: &[&Report]) -> Result<Vec<u8>, quick_junit::SerializeError> {
    let mut document = quick_junit::Report::new("itocheck");
    for report in reports {
        let mut suite = TestSuite::new(report.scenario.file.as_str());
        let seconds = report.provenance.wall_seconds / report.claims.len().max(1) as f64;
        for claim in &report.claims {
            let status = if claim.as_expected {
                TestCaseStatus::success()
            } else {
                let kind = match claim.verdict {
                    Verdict::Inconclusive => NonSuccessKind::Error,
                    Verdict::Upheld | Verdict::Refuted => NonSuccessKind::Failure,
                };
                let mut status = TestCaseStatus::non_success(kind);
                status.set_message(claim.sentence.as_str());
                status
            };
            let mut case = TestCase::new(format!("{}: {}", claim.kind, report.scenario.title), status);
            case.set_classname(report.scenario.file.as_str());
            case.set_time(std::time::Duration::from_secs_f64(seconds));
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    let mut bytes = Vec::new();
    document.serialize(&mut bytes)?;
    Ok(bytes)
}
