//! What is not known.

use super::{Answers, scenario};
use itocheck::exact::Exact;

#[test]
fn where_there_is_no_exact_answer_the_reason_is_given() {
    let reasons = |optimizer: &str, objective: &str, noise: &str, run: &str| {
        let run = format!("learning_rate = 0.01, steps = 10, records = 1, {run}");
        let text = scenario(optimizer, objective, &format!("{{ count = 2, noise.{noise} }}"), &run, "");
        let Exact { optimizer, sde } = Answers::of(&text).exact;
        (optimizer.unwrap_err().to_string(), sde.unwrap_err().to_string())
    };
    let quadratic = "quadratic = { eigenvalues = [1.0, 2.0] }";
    let gaussian = "gaussian = { scale = 1.0 }";
    let both = |(optimizer, sde): (String, String), expected: &str| {
        assert!(optimizer.contains(expected) && sde.contains(expected), "{optimizer}; {sde}");
    };
    both(reasons("dsgd", quadratic, gaussian, "start = 1.0, domain = { radius = 3.0 }"), "domain");
    both(
        reasons("dsgd", "logistic = { data = \"iris\", regularisation = 0.1 }", gaussian, "start = 0.1"),
        "not quadratic",
    );
    both(
        reasons("dsignsgd", "quadratic = { matrix = [[1.0, 0.1], [0.1, 1.0]] }", gaussian, "start = 1.0"),
        "sum of functions",
    );
    let text = scenario(
        "dsignsgd",
        quadratic,
        "{ count = 2, noise.none = {} }, { count = 1, noise.gaussian = { scale = 1.0 } }",
        "learning_rate = 0.01, steps = 10, records = 1, start = 1.0",
        "",
    );
    assert!(Answers::of(&text).exact.optimizer.unwrap_err().to_string().contains("atoms"));
    // Too many agents for the lattice; the equation of the SDE does not mind.
    let text = scenario(
        "dsignsgd",
        "quadratic = { eigenvalues = [1.0] }",
        "{ count = 1000, noise.gaussian = { scale = 1.0 } }",
        "learning_rate = 0.01, steps = 100, records = 1, start = 0.5",
        "",
    );
    let Exact { optimizer, sde } = Answers::of(&text).exact;
    assert!(optimizer.unwrap_err().to_string().contains("lattice") && sde.is_ok());
}

#[test]
fn bounded_functions_are_left_open_where_two_moments_do_not_determine_them() {
    let answers = Answers::of(&scenario(
        "dsgd",
        "quadratic = { eigenvalues = [1.0] }",
        "{ count = 2, noise.student_t = { scale = 1.0, dof = 12 } }",
        "learning_rate = 0.01, steps = 10, records = 1, start = 1.0",
        "functions = [{ tanh = { coordinate = 0, scale = 0.3 } }]",
    ));
    let table = answers.exact.optimizer.as_ref().unwrap();
    for (function, values) in answers.observables.functions.iter().zip(table) {
        assert_eq!(values.is_none(), function.to_string().starts_with("tanh"), "{function}");
    }
}
