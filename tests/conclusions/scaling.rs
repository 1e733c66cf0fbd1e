use crate::common::refusal;
use crate::{finding, scenario};
use itocheck::claim::Verdict;
use itocheck::theory::Change;

/// ω = 1: Rand-2 of 4, isotropic.
fn isotropic(rate: f64, claim: &str) -> String {
    let agents = "count = 2\nbatch_size = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 2 }";
    let h = "eigenvalues = [1.5, 1.5, 1.5, 1.5]";
    scenario("dcsgd", h, agents, &format!("learning_rate = {rate}\nstart = 0.1"), claim)
}

#[test]
fn floors_after_any_change_have_the_closed_ratio_of_isotropic_quadratics() {
    let (eta, curvature, agents, omega) = (0.05, 1.5, 2.0, 1.0);
    for (learning_rate, batch_size, compression, more_agents) in [
        (1.0, 1.0, 3.0, 4.0),
        (2.0, 0.5, 1.0, 1.5),
        (0.25, 3.0, 3.0, 0.5),
        (1.0, 1.0, 0.0, 1.0),
        (3.0, 2.0, 1.0, 5.0),
    ] {
        // ω = 0 is another compressor: what is compressed by nothing.
        let compression = if compression == 0.0 { 1.0 } else { compression };
        let change = Change { learning_rate, batch_size, compression, agents: more_agents };
        let sde = change.dcsgd_sde_floor_ratio(omega, eta, curvature, agents);
        let algorithm = change.dcsgd_algorithm_floor_ratio(omega, eta, curvature, agents);
        for (process, expected) in [("sde", sde), ("optimizer", algorithm)] {
            let claim = format!(
                "scaling = {{ learning_rate = {learning_rate}, batch_size = {batch_size}, compression = {compression}, agents = \
                 {more_agents}, process = \"{process}\", invariant = \"corrected\", margin = 1e-5 }}"
            );
            let found = finding(&isotropic(eta, &claim));
            assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
            let ratio = found.scaling.unwrap().ratio.unwrap();
            assert!((ratio / expected - 1.0).abs() < 1e-6, "{process}, {change:?}: {ratio} {expected}");
        }
    }
}

#[test]
fn a_ratio_is_upheld_within_its_margin_and_refuted_beyond_it() {
    // κ = 2 alone: the floor is about twice the uncompressed one, times 1 + ω.
    let claim =
        |margin: f64| isotropic(0.01, &format!("scaling = {{ learning_rate = 0.5, margin = {margin} }}"));
    let ratio = finding(&claim(1.0)).scaling.unwrap().ratio.unwrap();
    let off = (ratio - 1.0).abs();
    assert!(off > 1e-4, "{ratio}");
    assert_eq!(finding(&claim(1.01 * off)).verdict, Verdict::Upheld);
    assert_eq!(finding(&claim(0.99 * off)).verdict, Verdict::Refuted);
}

#[test]
fn sampled_floors_agree_with_exact_ones() {
    let claim = "scaling = { rule = \"agents_for_compression\", given = 3.0, margin = 0.1 }";
    let wrong = "scaling = { rule = \"printed_learning_rate_for_compression\", given = 3.0, margin = 0.1 }";
    let sampled = |claim: &str| format!("{}[monte_carlo]\nseeds = 512\n", isotropic(0.05, claim));
    let [exact, drawn] = [isotropic(0.05, claim), sampled(claim)].map(|text| finding(&text));
    assert_eq!([exact.verdict, drawn.verdict], [Verdict::Upheld; 2], "{}", drawn.sentence);
    let [low, high] = drawn.scaling.unwrap().interval.unwrap();
    let ratio = exact.scaling.unwrap().ratio.unwrap();
    assert!(low < ratio && ratio < high, "{low} {ratio} {high}");
    assert_eq!(finding(&sampled(wrong)).verdict, Verdict::Refuted);
}

#[test]
fn a_change_that_takes_the_optimizer_over_its_edge_is_refuted() {
    let found = finding(&isotropic(0.3, "scaling = { learning_rate = 4.0, margin = 0.1 }"));
    assert_eq!(found.verdict, Verdict::Refuted);
    assert!(found.sentence.contains("comes to no rest"), "{}", found.sentence);
}

#[test]
fn numbers_that_are_not_whole_are_refused_and_not_rounded() {
    let refused = |claim: &str| refusal(&isotropic(0.01, claim));
    let cases = [
        ("scaling = { agents = 1.25, margin = 0.1 }", "claims[0].scaling.agents", "count = 2"),
        ("scaling = { batch_size = 0.25, margin = 0.1 }", "claims[0].scaling.batch_size", "batch_size = 2"),
        ("scaling = { compression = 2.0, margin = 0.1 }", "claims[0].scaling.compression", "k = 1.3333"),
        (
            "scaling = { rule = \"agents_for_compression\", given = 2.0, margin = 0.1 }",
            "claims[0].scaling.given",
            "k = 1.3333",
        ),
        ("scaling = { rule = \"agents_for_compression\", margin = 0.1 }", "claims[0].scaling", "no `given`"),
        ("scaling = { given = 2.0, margin = 0.1 }", "claims[0].scaling.given", "without a rule"),
        (
            "scaling = { rule = \"agents_for_compression\", given = 3.0, agents = 2.0, margin = 0.1 }",
            "claims[0].scaling.rule",
            "factors of its own",
        ),
        (
            "scaling = { rule = \"sign_agents_for_batch_size\", given = 0.25, margin = 0.1 }",
            "claims[0].scaling.rule",
            "other optimizers",
        ),
        ("scaling = { learning_rate = 0, margin = 0.1 }", "claims[0].scaling.learning_rate", "above 0"),
        ("scaling = { margin = 0 }", "claims[0].scaling.margin", "above 0"),
    ];
    for (claim, path, part) in cases {
        let message = refused(claim);
        assert!(
            message.contains(path) && message.contains(part) && message.contains("expected"),
            "{claim}: {message}"
        );
    }
}

#[test]
fn rules_of_sign_sgd_are_about_the_root_of_the_batch() {
    let agents = "count = 2\nnoise.student_t = { scale = 1.0, dof = 3 }";
    let ratio = |rule: &str, given: f64| {
        let claim = format!("scaling = {{ rule = \"{rule}\", given = {given}, margin = 0.05 }}");
        let text =
            scenario("dsignsgd", "eigenvalues = [1.0]", agents, "learning_rate = 0.01\nstart = 0.0", &claim);
        let found = finding(&text);
        (found.verdict, found.scaling.unwrap().ratio.unwrap())
    };
    let (right, of_right) = ratio("sign_learning_rate_for_batch_size", 4.0);
    assert_eq!(right, Verdict::Upheld, "{of_right}");
    let (wrong, of_wrong) = ratio("sign_learning_rate_like_batch_size", 4.0);
    assert_eq!(wrong, Verdict::Refuted);
    // κ/(α√δ) = 2, up to terms of higher order.
    assert!((of_wrong - 2.0).abs() < 0.1, "{of_wrong}");
}

/// The run before the change has no mistake, and no compression that could be made wrong.
#[test]
fn a_wrong_sde_does_not_keep_the_floor() {
    let claim =
        "scaling = { rule = \"agents_for_compression\", given = 3.0, process = \"sde\", margin = 0.1 }";
    assert_eq!(finding(&isotropic(0.01, claim)).verdict, Verdict::Upheld);
    for mutant in ["no_compression_noise", "agents_lost", "gradient_not_compressed", "noise_not_compressed"] {
        let text = isotropic(0.01, claim)
            .replace("[[claims]]", &format!("[sde]\nmutant = \"{mutant}\"\n[[claims]]"));
        let found = finding(&text);
        // At rest the gradient is next to nothing, compressed or not.
        let expected = if mutant == "gradient_not_compressed" { Verdict::Upheld } else { Verdict::Refuted };
        assert_eq!(found.verdict, expected, "{mutant}: {}", found.sentence);
    }
}

/// Long before rest: the drift has come as far, and the noise with it.
#[test]
fn rules_keep_the_loss_at_the_end_of_a_run_too() {
    let claim = |change: &str| format!("scaling = {{ {change}, at = \"end\", margin = 0.02 }}");
    // Gradients of at most 1 beside noise of 10.
    let agents = "count = 1\nbatch_size = 4\nnoise.student_t = { scale = 20.0, dof = 3 }";
    let signs = |change: &str| {
        let run = "learning_rate = 0.01\nstart = 0.1";
        finding(&scenario("dsignsgd", "eigenvalues = [1.0]", agents, run, &claim(change)))
    };
    for rule in ["sign_learning_rate_for_batch_size", "sign_agents_for_batch_size"] {
        let right = signs(&format!("rule = \"{rule}\", given = 0.25"));
        assert_eq!(right.verdict, Verdict::Upheld, "{}", right.sentence);
    }
    for wrong in ["rule = \"sign_learning_rate_like_batch_size\", given = 0.25", "batch_size = 0.25"] {
        let wrong = signs(wrong);
        assert_eq!(wrong.verdict, Verdict::Refuted, "{}", wrong.sentence);
    }
    let compressed = |change: &str| finding(&isotropic(0.005, &claim(change)));
    let right = compressed("rule = \"agents_for_compression\", given = 3.0");
    assert_eq!(right.verdict, Verdict::Upheld, "{}", right.sentence);
    let wrong = compressed("rule = \"printed_learning_rate_for_compression\", given = 3.0");
    assert_eq!(wrong.verdict, Verdict::Refuted, "{}", wrong.sentence);
}

#[test]
fn steps_to_the_end_have_to_come_out_whole() {
    let agents = "count = 1\nbatch_size = 4\nnoise.student_t = { scale = 1.0, dof = 3 }";
    let claim = "scaling = { batch_size = 2.0, at = \"end\", margin = 0.1 }";
    let run = "learning_rate = 0.01\nstart = 0.1";
    let message = refusal(&scenario("dsignsgd", "eigenvalues = [1.0]", agents, run, claim));
    assert!(message.contains("1/(κ√δ)") && message.contains("steps = 100 to 70.7"), "{message}");
}
