//! The three errors of a report are those of its moments, and each grows with what it is the error of.

mod common;

use common::{GOOD, run};
use serde_json::Value;
use std::fs;

fn report(scenario: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), scenario).unwrap();
    let called = run(folder.path(), &["s.toml"]);
    assert!([0, 3].contains(&called.code), "{}{}", called.out, called.err);
    assert!(folder.path().join("itocheck-out/s/errors.svg").exists());
    serde_json::from_slice(&fs::read(folder.path().join("itocheck-out/s/report.json")).unwrap()).unwrap()
}

/// The largest of `part(function, time)` over functions in margins, at each time after 0.
fn largest(report: &Value, part: impl Fn(&Value, usize, usize) -> f64) -> Vec<f64> {
    let moments = &report["moments"];
    let (functions, times) =
        (moments["functions"].as_array().unwrap().len(), moments["times"].as_array().unwrap().len());
    let in_margins = |function: usize, time: usize| {
        part(moments, function, time) / moments["gap"]["margin"][function][time].as_f64().unwrap()
    };
    (1..times)
        .map(|time| (0..functions).map(|function| in_margins(function, time)).fold(0.0, f64::max))
        .collect()
}

fn errors(report: &Value, name: &str) -> Vec<f64> {
    let row = report["errors"][name].as_array().unwrap();
    assert!(row[0].is_null(), "both start alike: {}", row[0]);
    row[1..].iter().map(|error| error.as_f64().unwrap()).collect()
}

fn assert_same(left: &[f64], right: &[f64]) {
    assert_eq!(left.len(), right.len());
    // Both are rounded quotients of the same numbers.
    assert!(
        left.iter().zip(right).all(|(a, b)| (a - b).abs() <= 1e-12 * a.abs() + 1e-14),
        "{left:?}\n{right:?}"
    );
}

#[test]
fn they_are_those_of_the_moments() {
    let report = report(&format!("{GOOD}[monte_carlo]\nshadow = \"off\"\n"));
    let number = |value: &Value| value.as_f64().unwrap();
    let gap = largest(&report, |moments, f, t| number(&moments["gap"]["estimate"][f][t]).abs());
    let bias = largest(&report, |moments, f, t| number(&moments["sde"]["integrator_bias"][f][t]));
    let sampling = largest(&report, |moments, f, t| {
        let interval = &moments["gap"]["interval"][f][t];
        (number(&interval[1]) - number(&interval[0])) / 2.0 - number(&moments["sde"]["integrator_bias"][f][t])
    });
    assert_same(&errors(&report, "modelling"), &gap);
    assert_same(&errors(&report, "integration"), &bias);
    assert_same(&errors(&report, "sampling"), &sampling);
    assert!(bias.iter().chain(&sampling).all(|error| *error > 0.0));
}

#[test]
fn each_is_that_of_its_own_cause() {
    let coarse = report(&format!("{GOOD}[sde]\nsubsteps = 1\n[monte_carlo]\nseeds = 1024\n"));
    let fine = report(&format!("{GOOD}[sde]\nsubsteps = 8\n[monte_carlo]\nseeds = 1024\n"));
    let unshadowed = report(&format!(
        "{GOOD}[sde]\nsubsteps = 8\n[monte_carlo]\nseeds = 1024\nmax_seeds = 1024\nshadow = \"off\"\n"
    ));
    let wrong = report(&format!(
        "{GOOD}expect = \"refuted\"\n[sde]\nmutant = \"agents_lost\"\n[monte_carlo]\nseeds = 1024\n"
    ));
    let last = |report: &Value, name: &str| *errors(report, name).last().unwrap();
    // An eighth of the step has an eighth of the bias of a scheme of order 1, up to its higher orders.
    let ratio = last(&coarse, "integration") / last(&fine, "integration");
    assert!((6.0..10.0).contains(&ratio), "{ratio}");
    assert!(last(&unshadowed, "sampling") > 10.0 * last(&fine, "sampling"));
    // A scheme of order 2 with steps of a length at which Euler–Maruyama's bias is a multiple of it.
    let platen =
        report(&format!("{GOOD}[sde]\nsubsteps = 1\nscheme = \"platen\"\n[monte_carlo]\nseeds = 1024\n"));
    assert!(last(&coarse, "integration") > 5.0 * last(&platen, "integration"));
    // With twice the variance, the gap of a square is half of its mean, and the margin 0.3 · √2 times that mean.
    let modelling = last(&wrong, "modelling");
    assert!((1.0..1.4).contains(&modelling) && last(&fine, "modelling") < 0.3, "{modelling}");
}
