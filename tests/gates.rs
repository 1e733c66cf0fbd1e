//! Gates of the linear shadow: wrong declared moments are contradicted, and nothing is decided on them; right ones
//! raise no alarm; a shadow that overflows ends in a sentence.

mod common;

use common::experiment;
use itocheck::agent::Scratch;
use itocheck::claim::{Finding, Judgement, Progress, Verdict, judge};
use itocheck::optimizer::{DeclaredIncrement, Increment, Optimizer, Rule};
use itocheck::random::Streams;
use itocheck::scenario::Experiment;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

const ETA: f64 = 0.01;

/// How often the pilot asks for the declaration of a step: on 1024 paths, and at 7 states for an expansion, each of 40 steps.
const CALLS_OF_PILOT: u64 = (1024 + 7) * 40;

/// Four agents from (0.5, −0.4) over t = 0.4, judged on at most `max_seeds` paths.
fn scenario(optimizer: &str, margin: f64, max_seeds: u64) -> Experiment {
    experiment(&format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [1.0, 2.0] }}\n[[agents]]\ncount = 4\n\
         noise.gaussian = {{ scale = 1.0 }}\n[run]\nlearning_rate = {ETA}\nsteps = 40\nrecords = 4\nstart = [0.5, -0.4]\n[sde]\n\
         substeps = 1\n[monte_carlo]\nmax_seeds = {max_seeds}\n[[claims]]\n[claims.coefficients]\nmargin = 0.5\n[[claims]]\n\
         [claims.trajectory]\nmargin = {{ absolute = {margin} }}\n"
    ))
}

/// An optimizer whose declaration is not that of its steps.
struct Wrong {
    steps: Box<dyn Optimizer>,
    declares: Box<dyn Optimizer>,
    spoil: fn(&mut Increment, call: u64),
    calls: AtomicU64,
}

impl Optimizer for Wrong {
    fn step(&self, x: &mut [f64], streams: &mut Streams, scratch: &mut Scratch) {
        self.steps.step(x, streams, scratch);
    }

    fn declared(&self) -> Option<&dyn DeclaredIncrement> {
        Some(self)
    }
}

impl DeclaredIncrement for Wrong {
    fn increment(&self, x: &[f64], out: &mut Increment) {
        self.declares.declared().expect("built-in").increment(x, out);
        (self.spoil)(out, self.calls.fetch_add(1, Ordering::Relaxed));
    }
}

fn name(optimizer: &str) -> Rule {
    match optimizer {
        "dsgd" => Rule::Dsgd,
        "dcsgd" => Rule::Dcsgd,
        _ => Rule::Dsignsgd,
    }
}

/// The scenario with the steps of `stepping` agents and what `spoil` makes of the declaration of its own.
fn spoiled(experiment: Experiment, optimizer: &str, spoil: fn(&mut Increment, u64)) -> Experiment {
    let agents = Arc::clone(&experiment.model.agents);
    let build = || name(optimizer).build(Arc::clone(&agents), ETA);
    with(experiment, Wrong { steps: build(), declares: build(), spoil, calls: AtomicU64::new(0) })
}

fn with(mut experiment: Experiment, optimizer: Wrong) -> Experiment {
    experiment.model.optimizer = std::sync::Arc::new(optimizer);
    experiment
}

fn trajectory(judgement: &Judgement) -> &Finding {
    judgement.findings.iter().find(|finding| finding.kind == "trajectory").unwrap()
}

fn uses_shadows(judgement: &Judgement) -> bool {
    trajectory(judgement).assumes.iter().any(|assumption| assumption == "declared_moments")
}

/// A margin that is easily met.
const WIDE: f64 = 10.0;
/// One that no SDE of order 1 meets.
const NARROW: f64 = 1e-9;

fn assert_withdrawn(experiment: &Experiment, what: &str) {
    let judgement = judge(experiment, &Silent);
    let finding = trajectory(&judgement);
    assert!(uses_shadows(&judgement), "{what}: the pilot does not see that they are wrong");
    assert!(!judgement.contradictions.is_empty(), "{what}");
    assert_eq!(finding.verdict, Verdict::Inconclusive, "{what}: {}", finding.sentence);
    assert!(
        finding.sentence.contains("the paths contradict the linear shadow"),
        "{what}: {}",
        finding.sentence
    );
    assert_eq!(finding.looks, 1, "{what}: no other look is waited for");
}

#[test]
fn wrong_declarations_are_contradicted_and_decide_nothing() {
    type Spoil = fn(&mut Increment, u64);
    let spoils: [(&str, Spoil); 4] = [
        ("covariance × 1.5", |out, _| out.covariance.scale(1.5)),
        ("covariance / 4", |out, _| out.covariance.scale(0.25)),
        ("mean × 2", |out, _| out.mean.iter_mut().for_each(|mean| *mean *= 2.0)),
        ("mean + η", |out, _| out.mean[1] += ETA),
    ];
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        for (what, spoil) in spoils {
            for margin in [WIDE, NARROW] {
                assert_withdrawn(&spoiled(scenario(optimizer, margin, 1 << 14), optimizer, spoil), what);
            }
        }
    }
}

#[test]
fn noise_that_all_agents_share_is_contradicted() {
    // Steps of one agent, declared as those of four independent ones.
    let (one, four) = (scenario("dsgd", WIDE, 1 << 14), scenario("dsgd", WIDE, 1 << 14));
    let alone = experiment(
        "title = \"t\"\noptimizer = \"dsgd\"\nobjective.quadratic = { eigenvalues = [1.0, 2.0] }\n[[agents]]\ncount = 1\n\
         noise.gaussian = { scale = 1.0 }\n[run]\nlearning_rate = 0.01\nsteps = 40\nrecords = 4\nstart = 0.5\n",
    );
    let build = |experiment: &Experiment| Rule::Dsgd.build(Arc::clone(&experiment.model.agents), ETA);
    let wrong =
        Wrong { steps: build(&alone), declares: build(&four), spoil: |_, _| {}, calls: AtomicU64::new(0) };
    assert_withdrawn(&with(one, wrong), "shared noise");
}

#[test]
fn what_was_decided_at_an_earlier_look_is_withdrawn() {
    // Two claims: one is upheld at the first look, the other waits, for its margin is what the first look makes of the
    // worst gap. The declaration goes wrong after the pilot and the first look, of 40 steps a path each.
    let text = |margin: f64| {
        format!(
            "title = \"t\"\noptimizer = \"dsgd\"\nobjective.quadratic = {{ eigenvalues = [1.0, 2.0] }}\n[[agents]]\ncount = 4\n\
             noise.gaussian = {{ scale = 1.0 }}\n[run]\nlearning_rate = 0.01\nsteps = 40\nrecords = 4\nstart = [0.5, -0.4]\n[sde]\n\
             substeps = 1\n[monte_carlo]\nseeds = 4096\nmax_seeds = 65536\n[[claims]]\n[claims.trajectory]\nmargin = {{ absolute = 10.0 }}\n\
             [[claims]]\n[claims.trajectory]\nmargin = {{ absolute = {margin} }}\n"
        )
    };
    let first = judge(&experiment(&text(0.02)), &Silent);
    let edge = first.findings[2].worst.as_ref().and_then(|worst| worst.estimate).unwrap().abs();
    let text = text(edge);
    let before = judge(&experiment(&text), &Silent);
    let looks: Vec<u32> = before.findings[1..].iter().map(|finding| finding.looks).collect();
    assert_eq!(before.findings[1].verdict, Verdict::Upheld);
    assert!(looks[1] > looks[0], "{}", before.findings[2].sentence);
    let late = |out: &mut Increment, call: u64| {
        if call > CALLS_OF_PILOT + 4096 * 40 {
            out.covariance.scale(4.0);
        }
    };
    let after = judge(&spoiled(experiment(&text), "dsgd", late), &Silent);
    assert!(after.contradictions.iter().any(|contradiction| contradiction.process == "optimizer"));
    for finding in &after.findings[1..] {
        assert_eq!(finding.verdict, Verdict::Inconclusive, "{}", finding.sentence);
        assert!(finding.looks > 1);
    }
}

#[test]
fn a_shadow_that_overflows_ends_at_once() {
    // After the pilot, while x stays as it is.
    let late = |out: &mut Increment, call: u64| {
        if call > CALLS_OF_PILOT {
            out.covariance.scale(1e308);
            out.covariance.scale(1e308);
        }
    };
    for margin in [WIDE, NARROW] {
        let judgement = judge(&spoiled(scenario("dsgd", margin, 1 << 20), "dsgd", late), &Silent);
        let finding = trajectory(&judgement);
        assert_eq!(finding.verdict, Verdict::Inconclusive, "{}", finding.sentence);
        assert!(
            finding.sentence.contains("the linear shadow is not finite; shadow = \"off\""),
            "{}",
            finding.sentence
        );
        assert_eq!(finding.looks, 1);
        assert!(judgement.contradictions.is_empty());
    }
}

#[test]
fn a_pilot_that_overflows_does_without() {
    let always = |out: &mut Increment, _: u64| out.mean[0] = f64::NAN;
    let judgement = judge(&spoiled(scenario("dsgd", WIDE, 1 << 14), "dsgd", always), &Silent);
    assert!(!uses_shadows(&judgement));
    assert_eq!(trajectory(&judgement).verdict, Verdict::Upheld);
}

/// Right declarations over many seeds: each run has a false alarm with probability 2e-9 at most, as far as block
/// means are Gaussian; any of these with 1e-7.
#[test]
fn right_declarations_raise_no_alarm() {
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        for seed in 0..15 {
            let mut experiment = scenario(optimizer, WIDE, 1 << 14);
            experiment.monte_carlo.seed = seed;
            let judgement = judge(&experiment, &Silent);
            assert!(uses_shadows(&judgement));
            assert!(judgement.contradictions.is_empty(), "{}", judgement.contradictions[0]);
            assert_eq!(trajectory(&judgement).verdict, Verdict::Upheld);
        }
    }
}

/// The second coordinate has no noise: its z is what the step and its mean round differently.
#[test]
fn rounding_is_no_contradiction() {
    for (count, start) in [(3, "[0.5, 0.7]"), (7, "[0.5, 0.7]"), (7, "[1e6, -7e5]")] {
        let experiment = experiment(&format!(
            "title = \"t\"\noptimizer = \"dsgd\"\nobjective.quadratic = {{ eigenvalues = [0.5, 1.3] }}\n[[agents]]\ncount = {count}\n\
             noise.gaussian = {{ covariance = [[1.0, 0.0], [0.0, 0.0]] }}\n[run]\nlearning_rate = 0.013\nsteps = 100\nrecords = 5\n\
             start = {start}\n[monte_carlo]\nmax_seeds = 4096\n[[claims]]\n[claims.trajectory]\nmargin = {{ absolute = 1e30 }}\n"
        ));
        let judgement = judge(&experiment, &Silent);
        assert!(uses_shadows(&judgement));
        assert!(judgement.contradictions.is_empty(), "{}", judgement.contradictions[0]);
    }
}

/// Where a sign against the gradient is not met, `z = −E n` is no contradiction but nothing that can be tested.
#[test]
fn events_too_rare_for_the_gates_are_sampled_without_shadows() {
    let text = |start: f64| {
        format!(
            "title = \"t\"\noptimizer = \"dsignsgd\"\nobjective.quadratic = {{ eigenvalues = [1.0] }}\n[[agents]]\ncount = 2\n\
             noise.gaussian = {{ scale = 1.0 }}\n[run]\nlearning_rate = 0.01\nsteps = 20\nrecords = 5\nstart = {start}\n[monte_carlo]\n\
             [[claims]]\n[claims.trajectory]\nmargin = {{ absolute = 0.2 }}\n"
        )
    };
    assert!(!uses_shadows(&judge(&experiment(&text(5.0)), &Silent)));
    assert!(uses_shadows(&judge(&experiment(&text(1.0)), &Silent)));
}
