//! Error rates of verdicts: a short calibration, and the page that the long one wrote.

#[path = "../examples/calibration/main.rs"]
#[allow(dead_code)]
mod calibration;

use calibration::cases::{Case, cases, controls};
use calibration::table::Row;
use itocheck::claim::Verdict;
use itocheck::stats::clopper_pearson;

/// Rows of a short run of the case at `position`.
fn short(case: &Case, position: usize) -> Vec<Row> {
    let tally = case.run(case.verdicts[1], position);
    case.wrong.iter().map(|&wrong| Row::new(case, wrong, &tally)).collect()
}

/// Whether so many wrong verdicts are more than a rate of α explains, with a false-alarm rate of 1e-6.
fn exceeds(row: &Row) -> bool {
    clopper_pearson(row.count, row.claims, 1e-6).0 > row.error_rate
}

#[test]
fn error_rates_hold() {
    // 33 rows: draws that are new raise a false alarm with a probability of at most 3.3e-5.
    for (position, case) in cases().iter().enumerate() {
        for row in short(case, position) {
            assert!(!exceeds(&row), "{row:?}");
        }
    }
}

#[test]
fn wrong_quantiles_are_noticed() {
    let all = controls();
    let control = all.iter().find(|control| control.name == "normal quantiles").unwrap();
    let tally = control.run(50_000, 0);
    assert!(exceeds(&Row::new(control, Verdict::Upheld, &tally)), "{tally:?}");
}

/// Rows of the page, and the cases they should be of.
fn page() -> (Vec<Row>, Vec<Case>, Vec<Case>) {
    let text = std::fs::read_to_string("docs/calibration.md").unwrap();
    (Row::read(&text), cases(), controls())
}

#[test]
fn the_page_has_a_row_of_every_case_with_all_its_verdicts() {
    let (rows, cases, controls) = page();
    let key = |case: &Case, wrong: &Verdict| (case.name.to_owned(), wrong.to_string(), case.error_rate);
    let of_case = |case: &Case| case.wrong.iter().map(|wrong| key(case, wrong)).collect::<Vec<_>>();
    let expected: Vec<_> = cases.iter().chain(&controls).flat_map(of_case).collect();
    let found: Vec<_> =
        rows.iter().map(|row| (row.case.clone(), row.wrong.clone(), row.error_rate)).collect();
    assert_eq!(found, expected, "docs/calibration.md is not of these cases: run the calibration again");
    for case in cases.iter().chain(&controls) {
        let claims: Vec<u64> =
            rows.iter().filter(|row| row.case == case.name).map(|row| row.claims).collect();
        // All, or a part in each of two rows where the pilot says which claims are true.
        let all = case.verdicts[0];
        let is_complete = claims.iter().all(|&claims| claims == all) || claims.iter().sum::<u64>() == all;
        assert!(is_complete, "{}: {claims:?} of {all}", case.name);
    }
}

#[test]
fn the_rates_of_the_page_hold_and_those_of_its_controls_do_not() {
    let (rows, cases, controls) = page();
    let is_control = |row: &Row| controls.iter().any(|control| control.name == row.case);
    for row in &rows {
        assert_eq!(row.rate() <= row.bound(), !is_control(row), "{row:?}");
    }
    // Bounds that no rate comes near would hold whatever is measured: a quarter of α is reached by simulation, where half
    // is kept for the integrator, and half of it by sums.
    for (is_simulated, part) in [(true, 0.25), (false, 0.5)] {
        let reaches = |case: &Case| {
            let mut rows = rows.iter().filter(|row| row.case == case.name);
            case.is_simulated() == is_simulated && rows.any(|row| row.rate() >= part * row.error_rate)
        };
        assert!(cases.iter().any(reaches), "simulated: {is_simulated}");
    }
}
