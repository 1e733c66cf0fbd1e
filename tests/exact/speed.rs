//! Exact answers take seconds at most.

use super::scenario;
use crate::common::experiment;
use itocheck::exact::expectations;
use std::time::Instant;

#[test]
fn seconds() {
    let quadratic = scenario(
        "dcsgd",
        "quadratic = { eigenvalues = { from = 0.5, to = 2.0, count = 10 } }",
        "{ count = 4, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 3 } }",
        "learning_rate = 0.01, steps = 200, records = 20, start = 1.0",
        "",
    );
    let signs = scenario(
        "dsignsgd",
        "quadratic = { eigenvalues = [1.0] }",
        "{ count = 4, noise.student_t = { scale = 1.0, dof = 3 } }",
        "learning_rate = 0.01, steps = 200, records = 20, start = 0.5",
        "",
    );
    for text in [quadratic, signs] {
        let experiment = experiment(&text);
        let observables = experiment.model.observables(experiment.model.functions().tested);
        let clock = Instant::now();
        let exact = expectations(&experiment.model, &observables);
        println!("{} s", clock.elapsed().as_secs_f64());
        assert!(exact.optimizer.is_ok() && exact.sde.is_ok());
    }
}
