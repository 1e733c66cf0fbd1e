//! Scaling rules and sweeps at the end of a run, on networks that take no time: what is right is upheld, what is wrong refuted.

use crate::common::{experiment, refusal};
use itocheck::claim::{Finding, Judgement, Progress, Verdict, judge};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// 512 paths of 16 steps, at an error rate at which 8 blocks have an interval.
fn judged(optimizer: &str, objective: &str, agents: &str, rest: &str) -> Judgement {
    judge(
        &experiment(&format!(
            "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.{objective}\n[[agents]]\n{agents}\n[monte_carlo]\n\
             seeds = 512\nmax_seeds = 512\nerror_rate = 1e-2\n{rest}"
        )),
        &Silent,
    )
}

fn finding(judgement: Judgement) -> Finding {
    let [finding] = judgement.findings.try_into().expect("one claim");
    finding
}

const DECODER: &str = "gpt2 = { samples = 2, context = 4, width = 4, heads = 1, depth = 1, expansion = 1 }";
const PERCEPTRON: &str = "mlp = { samples = 4, widths = [3] }";

fn scaled(claim: &str) -> Finding {
    let agents = "count = 1\nbatch_size = 2\nnoise.gaussian = { scale = 1.4 }\ncompressor.bernoulli = { probability = 0.25 }";
    let run = "[run]\nlearning_rate = 0.1\nsteps = 16\nrecords = 1\ndomain = { radius = 100.0 }\nsampling = \"exact_in_law\"\n";
    finding(judged(
        "dcsgd",
        DECODER,
        agents,
        &format!("{run}[[claims]]\nscaling = {{ {claim}at = \"end\", margin = 0.1 }}\n"),
    ))
}

#[test]
fn rules_that_keep_the_noise_keep_the_final_loss_of_a_decoder() {
    for rule in ["agents_for_compression", "batch_size_for_compression", "learning_rate_for_compression"] {
        let found = scaled(&format!("rule = \"{rule}\", given = 1.0, "));
        assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
    }
}

#[test]
fn rules_as_printed_and_no_rule_at_all_do_not() {
    for change in [
        "",
        "rule = \"printed_agents_for_batch_size\", given = 0.5, ",
        "rule = \"printed_learning_rate_for_compression\", given = 7.0, ",
    ] {
        let found = scaled(change);
        assert_eq!(found.verdict, Verdict::Refuted, "{}", found.sentence);
    }
}

fn swept(mutant: &str) -> Finding {
    let rest = format!(
        "[run]\nlearning_rate = 0.02\nsteps = 16\nrecords = 1\n[sde]\nsubsteps = 1\n{mutant}\n[sweep]\nquantity = \"final_loss\"\n\
         [[sweep.axes]]\nparameter = \"agents[0].noise.student_t.scale\"\nvalues = [0.1, 0.2]\n\
         [[claims]]\nagreement = {{ margin = 0.1 }}\n"
    );
    finding(judged("dsignsgd", PERCEPTRON, "count = 1\nnoise.student_t = { scale = 0.1, dof = 1 }", &rest))
}

#[test]
fn a_sweep_of_the_final_loss_agrees_on_a_perceptron_unless_the_drift_is_halved() {
    let right = swept("");
    assert_eq!(right.verdict, Verdict::Upheld, "{}", right.sentence);
    let wrong = swept("mutant = \"xi_without_two\"");
    assert_eq!(wrong.verdict, Verdict::Refuted, "{}", wrong.sentence);
}

#[test]
fn a_sweep_says_where_compressed_sgd_has_no_sde() {
    let agents = "count = 1\nnoise.student_t = { scale = 0.1, dof = 10 }\ncompressor.bernoulli = { probability = 0.5 }";
    let rest = "[run]\nlearning_rate = 0.1\nsteps = 4\nrecords = 1\ndomain = { radius = 100.0 }\n[sde]\nsubsteps = 1\n\
                [sweep]\nquantity = \"final_loss\"\n[[sweep.axes]]\nparameter = \"agents[0].noise.student_t.dof\"\n\
                values = [2, 3, 10]\n[[claims]]\nagreement = { margin = 10.0 }\n";
    let judgement = judged("dcsgd", PERCEPTRON, agents, rest);
    let table = judgement.sweep.expect("a sweep");
    let reasons = &table.sde.undefined;
    assert!(reasons[0].as_ref().is_some_and(|reason| reason.contains("has no SDE")), "{reasons:?}");
    assert!(reasons[1].as_ref().is_some_and(|reason| reason.contains("honest interval")), "{reasons:?}");
    assert!(reasons[2].is_none() && table.sde.value[2].is_some(), "{reasons:?}");
}

/// Refused at once, not after a flow that goes on for ever.
#[test]
fn no_rest_of_a_network_is_looked_for() {
    let text = |rest: &str| {
        format!(
            "title = \"t\"\noptimizer = \"dsignsgd\"\nobjective.{PERCEPTRON}\n[[agents]]\ncount = 1\n\
             noise.gaussian = {{ scale = 1.0 }}\n[run]\nlearning_rate = 0.1\nsteps = 4\nrecords = 1\n{rest}"
        )
    };
    let axes = "[[sweep.axes]]\nparameter = \"agents[0].noise.gaussian.scale\"\nvalues = [1.0, 2.0]\n";
    let agreement = "[[claims]]\nagreement = { margin = 0.1 }\n";
    for rest in [
        format!("{axes}{agreement}"),
        "[[claims]]\nscaling = { batch_size = 2.0, margin = 0.1 }\n".to_owned(),
    ] {
        let message = refusal(&text(&rest));
        assert!(message.contains("where a network comes to rest is not known"), "{message}");
        assert!(message.contains("final_loss") && message.contains("at = \"end\""), "{message}");
    }
    experiment(&text(&format!("[sweep]\nquantity = \"final_loss\"\n{axes}{agreement}")));
}
