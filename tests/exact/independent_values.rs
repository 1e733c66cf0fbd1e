//! Values of an independent implementation.

use super::{Answers, assert_near, scenario};
use serde_json::Value as Json;

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn dcsgd_matches_the_independent_values() {
    let table: Json = serde_json::from_str(include_str!("../reference/dcsgd_quadratic.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let parameter = &case["compressor"]["parameter"];
        let compressor = match case["compressor"]["kind"].as_str().unwrap() {
            "rand-k" => format!("rand_k = {{ k = {parameter} }}"),
            "bernoulli" => format!("bernoulli = {{ probability = {parameter} }}"),
            _ => "identity = {}".to_owned(),
        };
        let rows: Vec<Vec<f64>> = case["noise_covariance"].as_array().unwrap().iter().map(numbers).collect();
        let answers = Answers::of(&scenario(
            "dcsgd",
            &format!("quadratic = {{ eigenvalues = {} }}", case["eigenvalues"]),
            &format!(
                "{{ count = {}, noise.gaussian = {{ covariance = {rows:?} }}, compressor.{compressor} }}",
                case["agents"]
            ),
            &format!(
                "learning_rate = {}, steps = {}, records = 2, start = {}",
                case["learning_rate"], case["steps"], case["start"]
            ),
            "",
        ));
        let check = |side: &str, function: &str, expected: &Json| {
            let got = if side == "sde" { answers.sde(function) } else { answers.optimizer(function) };
            let expected = expected.as_f64().unwrap();
            // The values are of order 1e-3 to 1; those of the SDE were integrated numerically.
            let tolerance = if side == "sde" { 1e-11 } else { 1e-14 };
            assert_near(got.value, expected, tolerance, &format!("{side}, {function}"));
            assert!(got.error <= 1e-11, "{:e}", got.error);
        };
        for side in ["optimizer", "sde"] {
            for i in 0..rows.len() {
                check(side, &format!("x[{i}]"), &case[side]["mean"][i]);
                for j in i..rows.len() {
                    check(side, &format!("x[{i}]*x[{j}]"), &case[side]["second_moment"][i][j]);
                }
            }
            check(side, "loss", &case[side]["loss"]);
        }
    }
}

#[test]
fn dsignsgd_matches_the_independent_values() {
    let table: Json = serde_json::from_str(include_str!("../reference/dsignsgd_1d.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    let mut gaps = Vec::new();
    for case in cases {
        let agents: Vec<String> = case["agents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|agent| {
                let scale = &agent["scale"];
                match agent["dof"].as_f64() {
                    Some(dof) => {
                        format!("{{ count = 1, noise.student_t = {{ scale = {scale}, dof = {dof} }} }}")
                    }
                    None => format!("{{ count = 1, noise.gaussian = {{ scale = {scale} }} }}"),
                }
            })
            .collect();
        let answers = Answers::of(&scenario(
            "dsignsgd",
            &format!("quadratic = {{ eigenvalues = [{}] }}", case["curvature"]),
            &agents.join(", "),
            &format!(
                "learning_rate = {}, steps = {}, records = 1, start = {}",
                case["learning_rate"], case["steps"], case["start"]
            ),
            "",
        ));
        let grid = case["sde_grid_error"].as_f64().unwrap();
        for (function, moment) in [("x[0]", "first"), ("x[0]*x[0]", "second")] {
            let expected = |side: &str| case[side][moment].as_f64().unwrap();
            assert_near(answers.optimizer(function).value, expected("optimizer"), 1e-13, function);
            let sde = answers.sde(function);
            assert_near(sde.value, expected("sde"), grid + sde.error, function);
            assert!(sde.error < 1e-9, "{:e}", sde.error);
        }
        gaps.push(
            (answers.optimizer("x[0]").value - answers.sde("x[0]").value)
                / case["learning_rate"].as_f64().unwrap(),
        );
    }
    // THEORY section 7, for η = 0.2, 0.1, 0.05, 0.025: to the digits printed there.
    for (gap, printed) in gaps.iter().zip([-0.0565, -0.0568, -0.0570, -0.0571]) {
        assert_near(*gap, printed, 0.5e-4, "gap over η");
    }
}
