//! Landscapes that do not hold, and models of which a theorem says nothing.

use crate::common::{experiment, objective, refusal};
use crate::{close, findings, scenario};
use itocheck::claim::Verdict;
use itocheck::objective::Objective;

/// f* of the logistic regression, by Newton's method with the Hessian column by column.
fn newton(objective: &dyn Objective) -> f64 {
    let d = objective.dimension();
    let mut x = nalgebra::DVector::zeros(d);
    for _ in 0..20 {
        let mut gradient = vec![0.0; d];
        objective.gradient(x.as_slice(), &mut gradient);
        let mut hessian = nalgebra::DMatrix::zeros(d, d);
        for j in 0..d {
            let mut unit = vec![0.0; d];
            unit[j] = 1.0;
            let mut column = vec![0.0; d];
            objective.hessian_vector_product(x.as_slice(), &unit, &mut column);
            hessian.column_mut(j).copy_from_slice(&column);
        }
        x -= hessian.lu().solve(&nalgebra::DVector::from_vec(gradient)).unwrap();
    }
    objective.value(x.as_slice())
}

#[test]
fn a_given_landscape_is_checked_where_the_processes_go() {
    let text = scenario("bound-dcsgd-logistic");
    let minimum = newton(&*objective("logistic = { data = \"iris\", regularisation = 0.1 }"));
    close(minimum, 0.34973338553183025, 1e-15);
    let found = findings(&text);
    assert!(
        found.iter().all(|finding| finding.verdict == Verdict::Upheld && finding.seeds == 1024),
        "{found:?}"
    );
    assert!(found[0].assumes.iter().any(|it| it == "landscape_checked_at_points"));
    let sampled_because = found[0].sampled_because.as_deref();
    assert_eq!(sampled_because, Some("the objective is not quadratic: its moments do not close"));

    let given = |landscape: &str| text.replace("{ mu = 0.1, minimum = 0.34973338553183025 }", landscape);
    // What would be right is accepted, and was not before.
    for (key, wrong, landscape) in [
        ("mu", "0.6", "{ mu = VALUE, minimum = 0.34973338553183025 }"),
        ("smoothness", "0.3", "{ mu = 0.1, smoothness = VALUE, minimum = 0.34973338553183025 }"),
    ] {
        let message = refusal(&given(&landscape.replace("VALUE", wrong)));
        assert!(
            message.contains(&format!("claims[0].bound.landscape.{key}: {wrong}; expected at ")),
            "{message}"
        );
        let right = message.split(" least ").nth(1).or(message.split(" most ").nth(1)).unwrap();
        let right = right.split(':').next().unwrap();
        experiment(&given(&landscape.replace("VALUE", right)));
    }
    let message = refusal(&given("{ mu = 0.1, minimum = 0.36 }"));
    assert!(message.contains("claims[0].bound.landscape.minimum: 0.36; expected at most 0.35"), "{message}");
    // Far too low, the inequality of Polyak and Łojasiewicz fails at the optimum.
    let message = refusal(&given("{ mu = 0.1, minimum = 0.3 }"));
    assert!(
        message.contains("landscape.mu: 0.1; expected at most") && message.contains("unless the minimum"),
        "{message}"
    );
    let message = refusal(&text.replace("landscape = { mu = 0.1, minimum = 0.34973338553183025 }", ""));
    assert!(
        message.contains("claims[0].bound.landscape: μ, L and f* of this objective are not known"),
        "{message}"
    );
    // Of a quadratic too.
    let quadratic = |landscape: &str| {
        let text = scenario("bound-dcsgd-rand-k");
        text.replacen("process = \"sde\"", &format!("process = \"sde\", landscape = {landscape}"), 1)
    };
    experiment(&quadratic("{ mu = 0.49, smoothness = 2.01, minimum = 0.0 }"));
    assert!(
        refusal(&quadratic("{ mu = 0.51, minimum = 0.0 }"))
            .contains("landscape.mu: 0.51; expected at most 0.4")
    );
    assert!(
        refusal(&quadratic("{ mu = 0.5, smoothness = 1.99, minimum = 0.0 }"))
            .contains("landscape.smoothness: 1.99; expected at least 2.0")
    );
    assert!(
        refusal(&quadratic("{ mu = 3.0, minimum = 0.0 }"))
            .contains("landscape.mu: 3; expected a number above 0, at most the smoothness L = 2")
    );
}

#[test]
fn what_a_theorem_says_nothing_of_is_refused() {
    let dcsgd = scenario("bound-dcsgd-rand-k");
    let dsignsgd = scenario("bound-dsignsgd-near");
    let in_dcsgd = |from: &str, to: &str| {
        assert!(dcsgd.contains(from), "{from}");
        refusal(&dcsgd.replacen(from, to, 1))
    };
    let in_dsignsgd = |from: &str, to: &str| {
        assert!(dsignsgd.contains(from), "{from}");
        refusal(&dsignsgd.replacen(from, to, 1))
    };
    let cases = [
        // Printed Δ = 1 − 4η at ω = 2, N = 2: above 0 below 0.25; the tight one 1 − η below 1.
        (
            in_dcsgd("learning_rate = 0.05", "learning_rate = 0.3"),
            "test.toml:20:31: claims[0].bound.form: \"printed\" with learning_rate = 0.3, for which the theorem says nothing: Δ = 1 − \
             ηL²ω/(2μN) = -0.2000; expected one above 0, by a learning rate below 2.5000e-1, or \"tight\"",
        ),
        (in_dcsgd("theorem = 3", "theorem = 5"), "claims[0].bound.theorem: 5; expected 3 or 4"),
        (
            in_dcsgd("theorem = 3", "theorem = 4"),
            "claims[0].bound.theorem: 4, which is about dsignsgd; expected 3 for dsgd and dcsgd",
        ),
        (
            in_dcsgd("form = \"printed\"", "form = \"loose\""),
            "claims[0].bound.form: unknown name `loose`; expected one of `printed`, `tight`, `within`",
        ),
        (
            in_dcsgd("form = \"printed\"", "form = { within = 2.0 }"),
            "claims[0].bound.form: { within }, which theorem 3 does not have",
        ),
        (
            in_dcsgd("form = \"printed\"", "margin = -1"),
            "claims[0].bound.margin: -1; expected a number of at least 0",
        ),
        (
            in_dcsgd("noise.gaussian = { scale = 0.7 }", "noise.proportional = { scale = 0.1 }"),
            "claims[0].bound.theorem: 3, which needs Tr Σ ≤ dσ² everywhere, but the covariance of agents[0].noise depends on x",
        ),
        (
            in_dcsgd("start = 1.0", "start = 1.0\ndomain = { radius = 9.0 }"),
            "claims[0].bound: a domain, at whose edge paths stop",
        ),
        (
            in_dcsgd("[0.5, 1.0, 2.0]", "[0.0, 0.0, 0.0]"),
            "claims[0].bound.landscape: μ, L and f* of this objective are not known",
        ),
        (
            in_dcsgd(
                "noise.gaussian = { scale = 0.7 }",
                "noise.student_t = { scale = 0.7, dof = 5 }\n[monte_carlo]\n[[agents]]\ncount = 1\nnoise.none = {}",
            ),
            "claims[0].bound: E f has no exact value that may be used, and its mean over paths no honest interval",
        ),
        (
            in_dsignsgd("theorem = 4,", "theorem = 3,"),
            "claims[0].bound.theorem: 3, which is about dsgd and dcsgd; expected 4 for dsignsgd",
        ),
        (
            in_dsignsgd("theorem = 4,", "theorem = 4, form = \"tight\","),
            "claims[0].bound.form: \"tight\", which theorem 4 does not have",
        ),
        (
            in_dsignsgd("theorem = 4,", "theorem = 4, form = \"within\","),
            "claims[0].bound.form: \"within\" alone; expected its parameters too: { within = .. }",
        ),
        (
            in_dsignsgd("theorem = 4,", "theorem = 4, form = { within = 0.15 },"),
            "claims[0].bound.form.within: 0.15; expected at least 0.2000, which ‖S⁻¹∇f‖_∞ is on the flow",
        ),
        (
            in_dsignsgd("theorem = 4,", "theorem = 4, form = { within = 0 },"),
            "claims[0].bound.form.within: 0; expected a number above 0",
        ),
        (
            in_dsignsgd(
                "student_t = { scale = [0.5, 1.0], dof = 3 }",
                "contaminated = { scale = 1.0, fraction = 0.1, factor = 3.0 }",
            ),
            "claims[0].bound.theorem: 4, which is about noise S t_ν, but agents[0].noise is another",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}\nlacks\n{expected}");
    }
}
