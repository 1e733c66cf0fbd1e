//! Claims on exact expectations: decided without a seed where nobody asks for sampling, and a check of every
//! sample where somebody does.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{GOOD, experiment, run};
use itocheck::claim::{Judgement, Progress, Verdict, judge};
use itocheck::cli::exit;
use itocheck::optimizer::Rule;
use itocheck::report::Report;
use itocheck::scenario::{Overrides, check};
use itocheck::sde::{Coefficients, Sde};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// A margin in units of its own, so that no pilot is needed.
fn absolute(margin: f64) -> String {
    GOOD.replace("effect = 0.3", &format!("absolute = {margin}"))
}

fn signs(text: &str) -> String {
    text.replace("\"dcsgd\"", "\"dsignsgd\"").replace("compressor.rand_k = { k = 1 }\n", "")
}

fn sampled(text: &str) -> String {
    text.replace("[[claims]]", "[monte_carlo]\nseeds = 8192\nmax_seeds = 8192\n[[claims]]")
}

/// The trajectory's finding.
fn trajectory(judgement: &Judgement) -> &itocheck::claim::Finding {
    judgement.findings.iter().find(|finding| finding.kind == "trajectory").unwrap()
}

#[test]
fn exact_expectations_on_both_sides_decide_without_a_seed() {
    for text in [absolute(0.01), signs(&absolute(0.01))] {
        let judgement = judge(&experiment(&text), &Silent);
        let finding = trajectory(&judgement);
        assert_eq!(
            (finding.verdict, finding.seeds, finding.looks),
            (Verdict::Upheld, 0, 0),
            "{}",
            finding.sentence
        );
        assert_eq!((finding.error_rate, judgement.path_steps), (0.0, 0));
        assert!(
            finding.sentence.contains("exact expectations, without a seed; itocheck"),
            "{}",
            finding.sentence
        );
        assert!(finding.assumes.contains(&"exact_expectations".to_owned()));
        // Numerical errors only: the interval is a point but for some digits.
        let worst = finding.worst.as_ref().unwrap();
        let [low, high] = worst.interval.unwrap();
        assert!(low <= worst.estimate.unwrap() && worst.estimate.unwrap() <= high && high - low < 1e-6);
        assert_eq!((worst.sampling, worst.integration), (Some(0.0), Some((high - low) / 2.0)));
        assert_eq!(finding.sampled_because, None);
        // The gap of the worst place decides on which side of a margin the claim is.
        let gap = worst.estimate.unwrap().abs();
        for (factor, verdict) in [(0.999, Verdict::Refuted), (1.001, Verdict::Upheld)] {
            let text = text.replace("absolute = 0.01", &format!("absolute = {:e}", factor * gap));
            assert_eq!(trajectory(&judge(&experiment(&text), &Silent)).verdict, verdict);
        }
    }
}

#[test]
fn a_wrong_sde_is_refuted_without_a_seed() {
    let wrong = absolute(0.01).replace("[[claims]]", "[sde]\nmutant = \"no_compression_noise\"\n[[claims]]");
    let judgement = judge(&experiment(&wrong), &Silent);
    let finding = trajectory(&judgement);
    assert_eq!((finding.verdict, finding.seeds), (Verdict::Refuted, 0), "{}", finding.sentence);
    assert!(finding.worst.as_ref().unwrap().function.contains("/η"));
}

#[test]
fn moments_that_cannot_be_sampled_are_compared_exactly() {
    // Second moments under t₃ noise exist, but no sample of them has an honest interval.
    let text = absolute(0.05).replace("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 3 }");
    let finding_of = |text: &str| trajectory(&judge(&experiment(text), &Silent)).clone();
    let exactly = finding_of(&text);
    assert_eq!((exactly.verdict, exactly.seeds), (Verdict::Upheld, 0), "{}", exactly.sentence);
    assert!(exactly.left_out.is_empty() && exactly.sentence.contains("all 9 test functions"));
    assert!(
        common::refusal(&sampled(&text)).contains("no test function has moments that sampling can compare")
    );
}

#[test]
fn a_scenario_that_asks_for_samples_gets_them_beside_the_exact_values() {
    for text in [absolute(0.05), signs(&absolute(0.05))] {
        let judgement = judge(&experiment(&sampled(&text)), &Silent);
        assert_eq!(trajectory(&judgement).seeds, 8192);
        // False alarm: 1e-9 over all.
        assert!(judgement.contradictions.is_empty(), "{:?}", judgement.contradictions);
        let moments = judgement.moments.as_ref().unwrap();
        let exact = moments.exact.as_ref().unwrap();
        for (known, sampled) in [(&exact.optimizer, &moments.optimizer), (&exact.sde, &moments.sde.table)] {
            let known = known.as_ref().unwrap();
            for (row, values) in known.iter().enumerate() {
                for (column, value) in values.iter().enumerate().skip(1) {
                    let error = sampled.standard_error[row][column].unwrap();
                    let difference = (value.unwrap() - sampled.mean[row][column].unwrap()).abs();
                    // Six standard errors: missed by one of these 144 with probability 3e-7; the SDE has a bias.
                    assert!(difference < 6.0 * error + 0.01, "{row} {column}: {difference} {error}");
                }
            }
        }
    }
}

#[test]
fn a_sampled_trajectory_says_why_it_is_not_exact() {
    let reason = |text: &str| {
        let finding = trajectory(&judge(&experiment(text), &Silent)).clone();
        assert!(finding.seeds > 0 && !finding.is_exact(), "{}", finding.sentence);
        finding.sampled_because.unwrap()
    };
    let loose = absolute(30.0);
    let bounded =
        loose.replace("\nobjective", "\nfunctions = [{ tanh = { coordinate = 0, scale = 1.0 } }]\nobjective");
    let domain = loose.replace("start = 0.3", "start = 0.3\ndomain = { radius = 9.0 }");
    let wide = loose.replace("[0.5, 2.0]", "{ from = 0.5, to = 2.0, count = 33 }");
    let logistic = loose.replace(
        "quadratic = { eigenvalues = [0.5, 2.0] }",
        "logistic = { data = \"iris\", regularisation = 0.1 }",
    );
    for (text, expected) in [
        (&bounded, "E tanh(x[0]/1) does not follow from two moments"),
        (&domain, "paths stop at the edge of a domain"),
        (&wide, "dimension 33; the moment equations are solved up to 32"),
        (&logistic, "the objective is not quadratic"),
    ] {
        assert!(reason(text).starts_with(expected), "{}", reason(text));
        // Who asks for paths needed them all the same.
        assert_eq!(reason(text), reason(&sampled(text)));
    }
    assert_eq!(reason(&sampled(&loose)), "[monte_carlo], --seeds or --max-seeds asks for it");
}

#[test]
fn an_optimizer_that_is_unstable_itself_is_told() {
    // Stable up to ηL = 2, L = 2.
    let sentence = |text: &str, eta: &str| {
        let text = text.replace("learning_rate = 0.01", &format!("learning_rate = {eta}"));
        let finding = trajectory(&judge(&experiment(&text), &Silent)).clone();
        assert_eq!(finding.verdict, Verdict::Refuted);
        finding.sentence
    };
    let tight = absolute(1e-6);
    let hint = "unstable: the learning rate times the largest curvature is 2.020, above 2";
    assert!(sentence(&tight, "1.01").ends_with(hint), "{}", sentence(&tight, "1.01"));
    assert!(!sentence(&tight, "0.99").contains("unstable"));
    // Bounded steps cannot grow.
    assert!(!sentence(&signs(&tight), "1.01").contains("unstable"));
}

#[test]
fn samples_of_another_optimizer_or_sde_contradict_the_exact_values() {
    // Exact values are those of the scenario; the paths are those of another learning rate.
    let mut other_optimizer = experiment(&sampled(&absolute(0.05)));
    let agents = Arc::clone(&other_optimizer.model.agents);
    other_optimizer.model.optimizer = Rule::Dcsgd.build(agents, 0.011).into();
    let contradictions = judge(&other_optimizer, &Silent).contradictions;
    assert!(!contradictions.is_empty());
    assert!(contradictions.iter().all(|contradiction| contradiction.process == "optimizer"));
    // A pilot would evaluate the SDE before the exact values do.
    let unshadowed =
        sampled(&absolute(0.05)).replace("seeds = 8192\nmax", "shadow = \"off\"\nseeds = 8192\nmax");
    let mut other_sde = experiment(&unshadowed);
    let sde = std::mem::replace(&mut other_sde.model.sde, Arc::new(Forgetful::default()));
    other_sde.model.sde = Arc::new(Forgetful { sde: Some(sde), calls: AtomicU64::new(0) });
    let contradictions = judge(&other_sde, &Silent).contradictions;
    assert!(!contradictions.is_empty());
    assert!(contradictions.iter().all(|contradiction| contradiction.process == "sde"));
}

/// An SDE that loses a fifth of its drift once it has been evaluated as often as exact values ask for.
#[derive(Default)]
struct Forgetful {
    sde: Option<Arc<dyn Sde>>,
    calls: AtomicU64,
}

impl Sde for Forgetful {
    fn coefficients(&self, x: &[f64], out: &mut Coefficients) {
        const CALLS_OF_EXACT_VALUES: u64 = 20_000;
        self.sde.as_ref().unwrap().coefficients(x, out);
        if self.calls.fetch_add(1, Ordering::Relaxed) > CALLS_OF_EXACT_VALUES {
            out.drift.iter_mut().for_each(|drift| *drift *= 0.8);
        }
    }
}

#[test]
fn a_contradiction_is_an_exit_code_of_its_own() {
    let loaded = check(Path::new("test.toml"), sampled(&absolute(0.05)), Overrides::default()).unwrap();
    let right = Report::new(&loaded, judge(&loaded.experiment, &Silent), 1.0, 1);
    assert_eq!(exit::of(&[&right]), exit::AS_EXPECTED);
    let mut other = experiment(&sampled(&absolute(0.05)));
    other.model.optimizer = Rule::Dcsgd.build(Arc::clone(&other.model.agents), 0.011).into();
    let wrong = Report::new(&loaded, judge(&other, &Silent), 1.0, 1);
    assert_eq!(exit::of(&[&right, &wrong]), exit::INCONSISTENT);
    assert_eq!(wrong.outcome.to_string(), "failed");
    let text = String::from_utf8(wrong.json().unwrap()).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let first = &report["contradictions"][0];
    assert_eq!(first["process"], "optimizer");
    for key in ["function", "time", "sampled", "exact", "explained"] {
        assert!(!first[key].is_null(), "{key}");
    }
}

#[test]
fn reports_and_figures_show_exact_values() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("exact.toml"), absolute(0.05)).unwrap();
    fs::write(folder.path().join("sampled.toml"), sampled(&absolute(0.05))).unwrap();
    // f is not quadratic: no exact values.
    let rosenbrock = GOOD
        .replace("quadratic = { eigenvalues = [0.5, 2.0] }", "rosenbrock = { steepness = 1.0 }")
        .replace("start = 0.3", "start = 0.3\ndomain = { radius = 9.0 }");
    fs::write(folder.path().join("unknown.toml"), sampled(&rosenbrock)).unwrap();
    let called = run(folder.path(), &["."]);
    assert!(called.code == 0 || called.code == 3, "{}{}", called.out, called.err);
    let read = |name: &str, file: &str| {
        fs::read_to_string(folder.path().join("itocheck-out").join(name).join(file)).unwrap()
    };
    let moments = |name: &str| -> Value {
        serde_json::from_str::<Value>(&read(name, "report.json")).unwrap()["moments"].clone()
    };
    for name in ["exact", "sampled"] {
        let exact = &moments(name)["exact"];
        for side in ["optimizer", "sde", "optimizer_error", "sde_error"] {
            assert_eq!(exact[side].as_array().unwrap().len(), 9, "{name} {side}");
        }
    }
    // Exact curves have neither bands nor a reference beside them.
    let heading = |name: &str| {
        let svg = read(name, "means.svg");
        ["exact", "means without sampling error", "means with 95 % confidence bands"]
            .map(|text| svg.split('<').any(|part| part.contains(text)))
    };
    assert_eq!((heading("exact"), heading("sampled")), ([false, true, false], [true, false, true]));
    assert_eq!(moments("exact")["exact"]["sde"], moments("exact")["sde"]["mean"]);
    assert!(moments("unknown")["exact"].is_null());
    assert!(!read("unknown", "means.svg").contains("exact"));
}

/// One coordinate, sampled with 4096 paths.
fn one_dimensional(optimizer: &str, objective: &str, agents: &str, run: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\n[objective.quadratic]\n{objective}\n[[agents]]\n{agents}\n[run]\n{run}\n\
         [monte_carlo]\nseeds = 4096\nmax_seeds = 4096\n[[claims]]\ntrajectory.margin = {{ absolute = 30.0 }}\n"
    )
}

#[test]
fn what_sampling_cannot_see_is_no_contradiction() {
    let cases = [
        // Sure signs: what is left of fluctuations is rounding.
        one_dimensional(
            "dsignsgd",
            "eigenvalues = [1.0, 2.0]",
            "count = 4\nnoise.gaussian = { scale = 0.1 }",
            "learning_rate = 0.01\nsteps = 100\nrecords = 10\nstart = 3.0",
        ),
        // Every step multiplies x by 0 or 1: E x = 2^-k rests on paths that none of 4096 is.
        one_dimensional(
            "dcsgd",
            "eigenvalues = [1.0]",
            "count = 1\nnoise.none = {}\ncompressor.bernoulli = { probability = 0.5 }",
            "learning_rate = 0.5\nsteps = 20\nrecords = 4\nstart = 1.0",
        ),
        // Steps of the integrator too long for their bias, which a minimiser away from 0 hides.
        one_dimensional(
            "dsgd",
            "eigenvalues = [1.0]\nminimiser = 1.0",
            "count = 4\nnoise.gaussian = { scale = 0.001 }",
            "learning_rate = 1.5\nsteps = 6\nrecords = 1\nstart = 9.0",
        ),
    ];
    for text in cases {
        let judgement = judge(&experiment(&text), &Silent);
        assert!(judgement.moments.unwrap().exact.is_some());
        assert!(judgement.contradictions.is_empty(), "{text}{:?}", judgement.contradictions);
    }
}

#[test]
fn the_exact_gap_is_optimizer_minus_sde() {
    // THEORY section 7, from an independent implementation: f = x²/2, σ = 1, ν = 3, N = 4, x₀ = 1, T = 4; the
    // gap of the first moment over η is −0.0568 at η = 0.1, three digits.
    let text = one_dimensional(
        "dsignsgd",
        "eigenvalues = [1.0]",
        "count = 4\nnoise.student_t = { scale = 1.0, dof = 3 }",
        "learning_rate = 0.1\nsteps = 40\nrecords = 4\nstart = 1.0",
    );
    let text = text.replace("[monte_carlo]\nseeds = 4096\nmax_seeds = 4096\n", "");
    let moments = judge(&experiment(&text), &Silent).moments.unwrap();
    let gap = moments.gap.estimate[0][4].unwrap();
    assert!((gap / 0.1 + 0.0568).abs() < 5e-5, "{gap}");
}

#[test]
fn laws_whose_moments_do_not_close_have_no_exact_values() {
    // The covariance of the noise depends on x; the agents are not independent.
    let proportional = GOOD.replace("gaussian = { scale = 1.0 }", "proportional = { scale = 0.3 }");
    let perm_k = GOOD.replace("rand_k", "perm_k");
    for text in [proportional, perm_k] {
        let judgement = judge(&experiment(&sampled(&text)), &Silent);
        let exact = judgement.moments.unwrap().exact;
        assert!(exact.is_none_or(|exact| exact.optimizer.is_none()), "{text}");
        assert!(judgement.contradictions.is_empty());
    }
}

#[test]
fn exact_intervals_hold_the_stated_numerical_errors() {
    for text in [absolute(0.05), signs(&absolute(0.05))] {
        let moments = judge(&experiment(&text), &Silent).moments.unwrap();
        let exact = moments.exact.unwrap();
        let (optimizer, sde) = (exact.optimizer_error.unwrap(), exact.sde_error.unwrap());
        for (row, column) in (0..9).flat_map(|row| (0..5).map(move |column| (row, column))) {
            let error = optimizer[row][column].unwrap() + sde[row][column].unwrap();
            let estimate = moments.gap.estimate[row][column].unwrap();
            let expected = [estimate - error, estimate + error];
            // At t = 0 sums of zeros are.
            assert!(
                (error > 0.0 || column == 0) && moments.gap.interval[row][column] == Some(expected),
                "{row} {column}"
            );
        }
    }
}

#[test]
fn effects_leave_out_what_a_pilot_cannot_sample() {
    // Second moments under t₆ noise: known exactly, but a deviation of theirs has no honest interval (ν < 8).
    let text = |margin: &str| {
        GOOD.replace("effect = 0.3", margin)
            .replace("gaussian = { scale = 1.0 }", "student_t = { scale = 1.0, dof = 6 }")
    };
    let effect = judge(&experiment(&text("effect = 0.3")), &Silent);
    let finding = trajectory(&effect);
    assert_eq!(finding.seeds, 0);
    assert_eq!(effect.moments.as_ref().unwrap().functions, ["x[0]", "x[1]"]);
    assert_eq!(finding.left_out.len(), 7);
    assert!(
        finding.left_out.contains(&"loss".to_owned()) && finding.sentence.contains("all 2 test functions")
    );
    let absolute = judge(&experiment(&text("absolute = 0.3")), &Silent);
    assert_eq!(absolute.moments.as_ref().unwrap().functions.len(), 9);
    assert!(trajectory(&absolute).left_out.is_empty());
}

#[test]
fn a_constant_margin_is_that_many_learning_rates() {
    let judged = |constant: f64| {
        let judgement =
            judge(&experiment(&GOOD.replace("effect = 0.3", &format!("constant = {constant:e}"))), &Silent);
        let finding = trajectory(&judgement).clone();
        (finding.verdict, finding.worst.unwrap())
    };
    let (_, worst) = judged(3.0);
    assert!((worst.margin - 3.0 * 0.01).abs() < 1e-16, "{}", worst.margin);
    // The largest gap over η decides on which side of C the claim is.
    let gap_over_eta = worst.estimate.unwrap().abs() / 0.01;
    assert_eq!(judged(1.001 * gap_over_eta).0, Verdict::Upheld);
    assert_eq!(judged(0.999 * gap_over_eta).0, Verdict::Refuted);
}

#[test]
fn samples_without_their_rare_events_contradict_nothing() {
    // Paths of another learning rate; those of rare sendings show some 200 before the first record.
    let text = sampled(&absolute(0.05)).replace("8192", "2048").replace("records = 4", "records = 20");
    for (probability, events, is_silent) in [(0.05, 204.8, true), (0.3, 1228.8, false)] {
        let bernoulli = format!("bernoulli = {{ probability = {probability} }}");
        let mut other = experiment(&text.replace("rand_k = { k = 1 }", &bernoulli));
        let model = &other.model;
        let expected = model.rarest_event(&model.run.start) * model.run.every() as f64 * 2048.0;
        assert!((expected / events - 1.0).abs() < 1e-12, "{expected}");
        other.model.optimizer = Rule::Dcsgd.build(Arc::clone(&other.model.agents), 0.05).into();
        assert_eq!(judge(&other, &Silent).contradictions.is_empty(), is_silent, "{probability}");
    }
}

#[test]
fn intervals_hold_the_integrators_bias_with_its_higher_orders() {
    // Without noise E x of the SDE is e^{−4}, and the two integrations are the powers 0.75^16 and 0.875^32: what is
    // left of the bias is 1.117 times what they differ by.
    let text = one_dimensional(
        "dsgd",
        "eigenvalues = [1.0]",
        "count = 1\nnoise.none = {}",
        "learning_rate = 0.25\nsteps = 16\nrecords = 1\nstart = 1.0\n[sde]\nsubsteps = 1",
    );
    let gap = judge(&experiment(&text), &Silent).moments.unwrap().gap;
    let (coarse, fine) = (0.75f64.powi(16), 0.875f64.powi(32));
    assert!((gap.estimate[0][1].unwrap() - (coarse - fine)).abs() < 1e-14);
    let [low, high] = gap.interval[0][1].unwrap();
    let exact = coarse - (-4f64).exp();
    assert!((exact - coarse + fine).abs() > 1.11 * (fine - coarse), "first order does not suffice");
    assert!(low <= exact && exact <= high, "{low} {exact} {high}");
}
