use crate::common::refusal;
use crate::{finding, scenario};
use itocheck::claim::Verdict;

fn sign_sgd(far: f64, near: f64, margin: f64) -> String {
    let agents = "count = 4\nnoise.student_t = { scale = 0.2, dof = 3 }";
    let claim = format!("phases = {{ process = \"sde\", far = {far}, near = {near}, margin = {margin} }}");
    let run = "learning_rate = 0.01\nstart = 2.0";
    let text = scenario("dsignsgd", "eigenvalues = [1.0]", agents, run, &claim);
    text.replace("steps = 100\nrecords = 10", "steps = 400\nrecords = 100")
}

#[test]
fn sign_sgd_descends_at_rate_1_and_then_like_a_linear_sde() {
    let found = finding(&sign_sgd(5.0, 0.5, 0.1));
    assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
    let run = found.phases.unwrap();
    let curves = &run.coordinates[0];
    // |u| ≥ 5 means |x| ≥ 1: up to t = 1 the mean is 2 − t.
    let last = curves.sign_flow.iter().rposition(Option::is_some).unwrap();
    assert!((run.times[last] - 1.0).abs() < 0.05, "{}", run.times[last]);
    for (time, predicted) in run.times.iter().zip(&curves.sign_flow[..=last]) {
        assert!((predicted.unwrap() - (2.0 - time)).abs() < 1e-12);
    }
    // Later at the rate ℓ_3 λ/σ = 0.7351/0.2.
    let first = curves.linear.iter().position(Option::is_some).unwrap();
    let rate = (curves.linear[first].unwrap() / curves.linear[first + 10].unwrap()).ln()
        / (run.times[first + 10] - run.times[first]);
    assert!((rate - 0.7351 / 0.2).abs() < 1e-3, "{rate}");
}

#[test]
fn neither_phase_holds_beyond_its_regime() {
    assert_eq!(finding(&sign_sgd(5.0, 9.0, 0.1)).verdict, Verdict::Refuted);
    assert_eq!(finding(&sign_sgd(0.05, 0.04, 0.01)).verdict, Verdict::Refuted);
}

#[test]
fn what_has_no_phases_is_refused() {
    let claim = "phases = { process = \"sde\", far = 5.0, near = 0.5, margin = 0.1 }";
    let text = scenario(
        "dsgd",
        "eigenvalues = [1.0]",
        "count = 1\nnoise.gaussian = { scale = 1.0 }",
        "learning_rate = 0.1\nstart = 1.0",
        claim,
    );
    let message = refusal(&text);
    assert!(message.contains("no sign is taken") && message.contains("expected dsignsgd"), "{message}");
    for (far, near, key) in [(1e9, 0.5, "far"), (5.0, 1e-12, "near")] {
        let message = refusal(&sign_sgd(far, near, 0.1));
        assert!(
            message.contains(&format!("claims[0].phases.{key}: ")) && message.contains("along the flow"),
            "{message}"
        );
    }
}
