//! Exit codes. Where several apply: 4, 5, 1, 3, 0 in that order.

use crate::report::{Outcome, Report};

/// Every claim came out as expected.
pub const AS_EXPECTED: u8 = 0;
/// Some claim did not, or a moment moved beyond the joint error since the baseline.
pub const NOT_AS_EXPECTED: u8 = 1;
/// The call or the input is wrong; nothing was run.
pub const WRONG_INPUT: u8 = 2;
/// Some claim could not be decided within the budget.
pub const INCONCLUSIVE: u8 = 3;
/// The machine failed us: files or memory.
pub const MACHINE: u8 = 4;
/// An internal inconsistency: samples contradict exact expectations, or the declared moments of an optimizer.
pub const INCONSISTENT: u8 = 5;
/// Interrupted, as by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a run that went to its end.
pub fn of(reports: &[&Report]) -> u8 {
    let some = |outcome: Outcome| reports.iter().any(|report| report.outcome == outcome);
    if reports.iter().any(|report| !report.contradictions.is_empty()) {
        INCONSISTENT
    } else if some(Outcome::Failed) || reports.iter().any(|report| report.has_moved()) {
        NOT_AS_EXPECTED
    } else if some(Outcome::Inconclusive) {
        INCONCLUSIVE
    } else {
        AS_EXPECTED
    }
}
