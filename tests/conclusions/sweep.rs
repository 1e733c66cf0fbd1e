use crate::common::refusal;
use crate::{finding, judged, scenario};
use itocheck::claim::{Finding, Verdict};

fn swept(optimizer: &str, agents: &str, axes: &str, claim: &str) -> String {
    let text =
        scenario(optimizer, "eigenvalues = [1.0, 1.0]", agents, "learning_rate = 0.1\nstart = 0.0", claim);
    format!("{text}{axes}")
}

fn axis(parameter: &str, values: &str) -> String {
    format!("[[sweep.axes]]\nparameter = \"{parameter}\"\nvalues = {values}\n")
}

const BERNOULLI: &str =
    "count = 1\nnoise.gaussian = { scale = 1.0 }\ncompressor.bernoulli = { probability = 0.5 }";

#[test]
fn floors_over_two_axes_are_the_closed_forms_the_last_axis_fastest() {
    let axes = axis("run.learning_rate", "[0.1, 0.2]")
        + &axis("agents[0].compressor.bernoulli.probability", "[0.25, 0.5, 1.0]");
    let table = judged(&swept("dcsgd", BERNOULLI, &axes, "agreement = { margin = 0.5 }")).sweep.unwrap();
    let mut index = 0;
    for eta in [0.1, 0.2] {
        for p in [0.25, 0.5, 1.0] {
            let omega = 1.0 / p - 1.0;
            // d = 2, λ = N = 1: floors ηd(1 + ω)/4 / (1 − ηω/2), and with η/2 more in the algorithm.
            let leading = eta * 2.0 * (1.0 + omega) / 4.0;
            let sde = leading / (1.0 - eta * omega / 2.0);
            let algorithm = leading / (1.0 - eta / 2.0 - eta * omega / 2.0);
            for (side, expected) in [(&table.sde, sde), (&table.optimizer, algorithm)] {
                for value in [side.value[index], side.predicted[index]] {
                    let value = value.unwrap();
                    assert!((value / expected - 1.0).abs() < 1e-6, "{eta} {p}: {value} {expected}");
                }
            }
            index += 1;
        }
    }
    assert_eq!(table.sde.value.len(), index);
}

#[test]
fn points_without_an_sde_or_without_a_rest_say_why() {
    let agents =
        "count = 1\nnoise.student_t = { scale = 1.0, dof = 3 }\ncompressor.bernoulli = { probability = 0.5 }";
    let axes = axis("agents[0].noise.student_t.dof", "[1, 2, 2.5, inf]");
    let table = judged(&swept("dcsgd", agents, &axes, "agreement = { margin = 0.5 }")).sweep.unwrap();
    for side in [&table.optimizer, &table.sde] {
        let is_defined: Vec<bool> = side.value.iter().map(Option::is_some).collect();
        assert_eq!(is_defined, [false, false, true, true]);
        let reason = side.undefined[1].as_ref().unwrap();
        assert!(reason.contains("expected more than 2"), "{reason}");
        assert!(side.undefined[2].is_none());
    }
    // Stable algorithm: ηλ(1 + ω) < 2; stable SDE: ηω < 2.
    let axes = axis("run.learning_rate", "[0.9, 1.5, 2.5]");
    let text = swept("dcsgd", BERNOULLI, &axes, "agreement = { margin = 0.9, expect = \"refuted\" }");
    let judgement = judged(&text);
    let table = judgement.sweep.unwrap();
    let has = |values: &[Option<f64>]| values.iter().map(Option::is_some).collect::<Vec<bool>>();
    assert_eq!(has(&table.optimizer.value), [true, false, false]);
    assert_eq!(has(&table.sde.value), [true, true, false]);
    assert!(table.optimizer.undefined[1].as_ref().unwrap().contains("comes to no rest"));
    assert_eq!(judgement.findings[0].verdict, Verdict::Refuted);
    assert!(
        judgement.findings[0].sentence.contains("only one of them"),
        "{}",
        judgement.findings[0].sentence
    );
}

#[test]
fn slopes_are_upheld_within_their_margin_and_refuted_beyond_it() {
    let axes = axis("agents[0].noise.gaussian.scale", "[0.5, 1.0, 2.0]");
    let verdict = |expected: f64, more: &str| {
        let claim = format!("slope = {{ process = \"sde\", expected = {expected}, margin = 0.1 }}");
        finding(&(swept("dcsgd", BERNOULLI, &axes, &claim) + more))
    };
    // The loss of a linear SDE is quadratic in σ, exactly.
    assert_eq!(verdict(2.09, "").verdict, Verdict::Upheld);
    assert_eq!(verdict(2.11, "").verdict, Verdict::Refuted);
    let sampled = "[monte_carlo]\nseeds = 512\n";
    let found = verdict(2.0, sampled);
    assert_eq!((found.verdict, found.seeds > 0), (Verdict::Upheld, true), "{}", found.sentence);
    let seen = |found: &Finding| {
        let slope = found.slope.as_ref().unwrap();
        (slope.expected, slope.estimate.unwrap(), slope.interval.unwrap())
    };
    let (expected, estimate, [low, high]) = seen(&verdict(2.09, ""));
    assert!(
        expected == 2.09 && (estimate - 2.0).abs() < 1e-9 && high - low < 1e-6,
        "{estimate} {low} {high}"
    );
    // What decides the claim is what the report has.
    let (_, estimate, [low, high]) = seen(&found);
    assert!(low < estimate && estimate < high && 1.9 < low && high < 2.1, "{estimate} {low} {high}");
    let refuted = verdict(1.5, sampled);
    assert_eq!(refuted.verdict, Verdict::Refuted);
    assert!(seen(&refuted).2[0] > 1.6, "{}", refuted.sentence);
    // And where it is closest to breaking, with the gap that would be seen there.
    let worst = found.worst.as_ref().unwrap();
    assert_eq!(
        (worst.function.as_str(), worst.margin, worst.integration),
        ("slope of the SDE − 2", 0.1, None)
    );
    assert!((worst.estimate.unwrap() - (estimate - 2.0)).abs() < 1e-12);
    assert!((worst.sampling.unwrap() - (high - low) / 2.0).abs() < 1e-12);
    assert!(found.detectable_gap.unwrap() > 0.1);
    assert_eq!(verdict(2.09, "").worst.unwrap().sampling, Some(0.0));

    let agreement = finding(&swept("dcsgd", BERNOULLI, &axes, "agreement = { margin = 0.5 }"));
    assert!(agreement.slope.is_none());
    let worst = agreement.worst.unwrap();
    assert!(
        worst.function.starts_with("loss of SDE over optimizer − 1, agents[0].noise"),
        "{}",
        worst.function
    );
    // The floors of the first test, η = 0.1, λ = ω = N = 1: L/(1 − η/2) of the SDE, L/(1 − η) of the optimizer.
    assert!((worst.estimate.unwrap() - (0.9 / 0.95 - 1.0)).abs() < 1e-6, "{:?}", worst.estimate);
}

#[test]
fn the_loss_at_the_end_of_a_run_is_that_of_the_run() {
    let axes = axis("agents[0].noise.gaussian.scale", "[0.5, 1.0]");
    let claim = "agreement = { margin = 0.5 }";
    let text = swept("dsgd", "count = 1\nnoise.gaussian = { scale = 1.0 }", &axes, claim);
    let text = text
        .replace("start = 0.0", "start = 1.0")
        .replace("[[sweep.axes]]", "[sweep]\nquantity = \"final_loss\"\n[[sweep.axes]]");
    let table = judged(&text).sweep.unwrap();
    for (value, scale) in table.sde.value.iter().zip([0.5, 1.0]) {
        // d = 2, λ = 1: m(T)² + variance, T = 10.
        let variance = 0.05 * scale * scale * (1.0 - (-20.0f64).exp());
        let expected = (-20.0f64).exp() + variance;
        assert!((value.unwrap() / expected - 1.0).abs() < 1e-8, "{value:?} {expected}");
    }
}

#[test]
fn sweeps_that_make_no_sense_are_refused_with_their_place() {
    let claim = "agreement = { margin = 0.5 }";
    let refused = |axes: &str| refusal(&swept("dcsgd", BERNOULLI, axes, claim));
    let cases = [
        (axis("run.learning_rates", "[0.1, 0.2]"), "sweep.axes[0].parameter", "key path"),
        (axis("title", "[0.1, 0.2]"), "sweep.axes[0].parameter", "below `objective`"),
        (axis("claims[0].agreement.margin", "[0.1, 0.2]"), "sweep.axes[0].parameter", "below `objective`"),
        (axis("run.learning_rate", "[0.1]"), "sweep.axes[0].values", "at least 2"),
        (axis("run.learning_rate", "[0.2, 0.1]"), "sweep.axes[0].values[1]", "least first"),
        (axis("run.learning_rate", "[0.1, nan]"), "sweep.axes[0].values[1]", "least first"),
        (axis("agents[0].count", "[1, 1.5]"), "sweep.axes[0].values[1]", "whole number"),
        (axis("run.learning_rate", "[-2, -1]"), "sweep.axes", "defined nowhere"),
        (axis("run.learning_rate", "[0.1, 0.2]").repeat(2), "sweep.axes[1].parameter", "again"),
        ("[sweep]\naxes = []\n".to_owned(), "sweep.axes", "expected 1 or 2"),
    ];
    for (axes, path, part) in cases {
        let message = refused(&axes);
        assert!(message.contains(path) && message.contains(part), "{axes}: {message}");
    }
    let without = refusal(&swept("dcsgd", BERNOULLI, "", claim));
    assert!(without.contains("claims[0].agreement") && without.contains("no [sweep]"), "{without}");
}

#[test]
fn nothing_is_upheld_where_nothing_was_compared() {
    let axes = axis("run.learning_rate", "[50, 100]");
    for claim in
        ["agreement = { margin = 0.5 }", "slope = { process = \"sde\", expected = 1.0, margin = 0.5 }"]
    {
        let found = finding(&swept("dcsgd", BERNOULLI, &axes, claim));
        assert_eq!(found.verdict, Verdict::Inconclusive, "{}", found.sentence);
        assert!(found.sentence.contains("2 of 2 points have no value"), "{}", found.sentence);
    }
}

#[test]
fn a_loss_without_the_moments_that_sampling_needs_is_not_sampled() {
    let agents = "count = 1\nnoise.student_t = { scale = 1.0, dof = 3 }";
    let axes = axis("agents[0].noise.student_t.dof", "[3, 30]");
    for quantity in ["floor", "final_loss"] {
        let text = swept(
            "dsgd",
            agents,
            &format!("[sweep]\nquantity = \"{quantity}\"\n{axes}"),
            "agreement = { margin = 0.5 }",
        );
        let has = |text: &str| {
            let table = judged(text).sweep.unwrap();
            (
                table.sde.value.iter().map(Option::is_some).collect::<Vec<bool>>(),
                table.sde.undefined[0].clone(),
            )
        };
        assert_eq!(has(&text), (vec![true, true], None));
        let (is_defined, reason) = has(&format!("{text}[monte_carlo]\nseeds = 512\n"));
        assert_eq!(is_defined, [false, true], "{quantity}");
        assert!(reason.unwrap().contains("honest interval"));
    }
}

#[test]
fn what_is_not_settled_is_not_taken_for_a_difference() {
    let axes = axis("run.learning_rate", "[0.5, 0.999999999]");
    let text = swept("dcsgd", BERNOULLI, &axes, "agreement = { margin = 0.9 }");
    let judgement = judged(&text);
    let found = &judgement.findings[0];
    assert_eq!(found.verdict, Verdict::Inconclusive, "{}", found.sentence);
    assert!(found.sentence.contains("are not settled after"), "{}", found.sentence);
    let reason = judgement.sweep.unwrap().optimizer.undefined[1].clone().unwrap();
    assert!(reason.contains("are not settled after"), "{reason}");
}
