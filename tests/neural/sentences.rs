//! What verdicts say where nothing is decided, and where something is not finite.

use crate::common::experiment;
use itocheck::claim::{Finding, Progress, Verdict, judge};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// Twenty layers of one unit, from where their products overflow.
fn found(claim: &str) -> Finding {
    let layers = ["1"; 20].join(", ");
    let text = format!(
        "title = \"t\"\noptimizer = \"dsgd\"\nprojections = 2\n\
         objective.mlp = {{ samples = 4, widths = [{layers}], activation = \"gelu\" }}\n\
         agents = [{{ count = 1, noise.gaussian = {{ scale = 0.1 }} }}]\n\
         run = {{ learning_rate = 0.01, steps = 2, records = 1, start = 1e20, domain = {{ radius = 1e30 }} }}\n\
         monte_carlo = {{ seeds = 512, max_seeds = 512, error_rate = 1e-2 }}\n[[claims]]\n{claim}\n"
    );
    judge(&experiment(&text), &Silent).findings.pop().expect("the claim")
}

#[test]
fn paths_that_are_not_finite_refute() {
    let found = found("trajectory = { margin = { absolute = 1.0 } }");
    assert_eq!(found.verdict, Verdict::Refuted);
    assert!(found.sentence.starts_with("diverged: 512 of the optimizer's"), "{}", found.sentence);
}

#[test]
fn no_larger_margin_is_advised_where_a_step_is_not_finite() {
    let found = found("coefficients = { margin = 0.05 }");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    let sentence = &found.sentence;
    assert!(
        sentence.contains("steps from there are not finite") && !sentence.contains("larger margin"),
        "{sentence}"
    );
}

/// 512 paths have two blocks that measure the bias of the integrator: what these leave open is most of the interval.
#[test]
fn more_paths_are_advised_where_few_measure_the_bias() {
    let text = "title = \"t\"\noptimizer = \"dsignsgd\"\nobjective.mlp = { samples = 4, widths = [3] }\nprojections = 2\n\
                agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]\n\
                run = { learning_rate = 0.01, steps = 4, records = 1 }\nsde = { substeps = 1 }\n\
                monte_carlo = { seeds = 512, max_seeds = 512 }\n[[claims]]\ntrajectory = { margin = { effect = 0.5 } }\n";
    let found = judge(&experiment(text), &Silent).findings.pop().expect("the claim");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    let advice = "more paths (max_seeds) (half or more of the interval is what so few leave open of the bias";
    assert!(found.sentence.contains(advice), "{}", found.sentence);
}
