//! What is not known.

use super::{Answers, scenario};
use crate::common::experiment;
use itocheck::exact::{Exact, expectations};
use itocheck::sde::{Coefficients, Sde};

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

#[test]
fn compressors_that_are_not_linear_are_seen_in_the_coefficients() {
    for (compressor, noise) in [
        ("natural = {}", "gaussian = { scale = 1.0 }"),
        ("natural = {}", "none = {}"),
        ("dithering = { levels = 2, norm = \"2\" }", "none = {}"),
        ("dithering = { levels = 2, norm = \"inf\" }", "gaussian = { scale = 1.0 }"),
    ] {
        let Exact { optimizer, sde } = Answers::of(&scenario(
            "dcsgd",
            "quadratic = { eigenvalues = [0.5, 2.0] }",
            &format!("{{ count = 2, noise.{noise}, compressor.{compressor} }}"),
            "learning_rate = 0.05, steps = 20, records = 1, start = 1.0",
            "",
        ))
        .exact;
        assert!(optimizer.unwrap_err().to_string().contains("not linear"), "{compressor}");
        let reason = sde.unwrap_err().to_string();
        assert!(
            reason.contains("not affine or the diffusion covariance not quadratic"),
            "{compressor}: {reason}"
        );
    }
}

#[test]
fn noise_in_proportion_to_the_gradient_couples_coordinates() {
    let text = scenario(
        "dsignsgd",
        "quadratic = { eigenvalues = [0.5, 2.0] }",
        "{ count = 2, noise.proportional = { scale = 0.5 } }",
        "learning_rate = 0.05, steps = 20, records = 1, start = 1.0",
        "",
    );
    let Exact { optimizer, sde } = Answers::of(&text).exact;
    for reason in [optimizer.unwrap_err(), sde.unwrap_err()] {
        assert!(reason.to_string().contains("coordinates that depend on each other"), "{reason}");
    }
}

/// An SDE with a further term in its drift or diffusion.
struct Coupled {
    sde: std::sync::Arc<dyn Sde>,
    term: fn(&[f64], &mut Coefficients),
}

impl Sde for Coupled {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        self.sde.coefficients(x, out);
        (self.term)(x, out);
    }
}

#[test]
fn an_sde_that_couples_coordinates_is_seen_in_its_coefficients() {
    type Spoil = fn(&[f64], &mut Coefficients);
    let cases: [(Spoil, bool); 5] = [
        (|_, _| {}, true),
        (|x, out| out.drift[0] += 1e-3 * x[0], true),
        (|x, out| out.drift[1] += 1e-3 * x[0], false),
        (|x, out| out.diffusion.add_diagonal([0.0, 1e-3 * x[0] * x[0]]), false),
        (|_, out| out.diffusion.add_dense(|i, j| if i == j { 0.0 } else { 1e-6 }), false),
    ];
    for (case, (term, is_known)) in cases.into_iter().enumerate() {
        let mut experiment = experiment(&scenario(
            "dsignsgd",
            "quadratic = { eigenvalues = [0.5, 2.0] }",
            "{ count = 2, noise.gaussian = { scale = 1.0 } }",
            "learning_rate = 0.05, steps = 20, records = 1, start = 0.3",
            "",
        ));
        let observables = experiment.model.observables(experiment.model.functions().tested);
        let sde = experiment.model.sde;
        experiment.model.sde = std::sync::Arc::new(Coupled { sde, term });
        let sde = expectations(&experiment.model, &observables).sde;
        assert_eq!(sde.is_ok(), is_known, "{case}");
        assert!(sde.err().is_none_or(|reason| reason.to_string().contains("couples coordinates")), "{case}");
    }
}
