use crate::common::refusal;
use crate::{finding, scenario};
use itocheck::claim::Verdict;

const SAMPLED: &str = "[monte_carlo]\nseeds = 512\n";

/// A full H, a scale a coordinate, and Rand-1 of 3.
fn dcsgd(claim: &str) -> String {
    let h = "matrix = [[1.0, 0.5, 0.0], [0.5, 1.5, 0.2], [0.0, 0.2, 0.7]]";
    let agents = "count = 2\nnoise.gaussian = { scale = [1.0, 0.5, 2.0] }\ncompressor.rand_k = { k = 1 }";
    scenario("dcsgd", h, agents, "learning_rate = 0.05\nstart = 0.5", claim)
}

/// One coordinate of DSGD: an Ornstein–Uhlenbeck process, and an autoregressive one.
fn one_coordinate(claim: &str, more: &str) -> String {
    let agents = "count = 2\nnoise.gaussian = { scale = 0.7 }";
    let text = scenario("dsgd", "eigenvalues = [1.3]", agents, "learning_rate = 0.1\nstart = 0.2", claim);
    format!("{text}{more}")
}

#[test]
fn the_covariance_at_rest_is_the_one_that_balances_drift_and_noise_for_any_hessian() {
    for process in ["sde", "optimizer"] {
        let claim = |form: &str, margin: f64| {
            dcsgd(&format!(
                "stationary = {{ process = \"{process}\", form = \"{form}\", margin = {margin} }}"
            ))
        };
        assert_eq!(finding(&claim("full", 1e-6)).verdict, Verdict::Upheld);
        // The diagonal of H is not its eigenvalues.
        assert_eq!(finding(&claim("diagonal", 0.1)).verdict, Verdict::Refuted);
        assert_eq!(finding(&claim("leading", 0.01)).verdict, Verdict::Refuted);
        assert_eq!(finding(&claim("leading", 0.5)).verdict, Verdict::Upheld);
    }
}

#[test]
fn predictions_in_one_coordinate_are_the_closed_forms() {
    let (eta, n, lambda, variance) = (0.1, 2.0, 1.3, 0.49);
    let sde = eta * variance / (2.0 * n * lambda);
    let optimizer = eta * variance / (n * lambda * (2.0 - eta * lambda));
    for (process, expected) in [("sde", sde), ("optimizer", optimizer)] {
        let claim = format!("stationary = {{ process = \"{process}\", margin = 1e-6 }}");
        let law = finding(&one_coordinate(&claim, "")).stationary.unwrap();
        assert_eq!(law.functions, ["x[0]", "(x[0]-c[0])*(x[0]-c[0])/η"]);
        for value in [law.predicted[1], law.estimate[1]] {
            let value = value.unwrap() * eta;
            assert!((value / expected - 1.0).abs() < 1e-6, "{process}: {value} {expected}");
        }
        let gap = if process == "sde" { lambda } else { -f64::ln(1.0 - eta * lambda) / eta };
        assert!((law.schedule.spectral_gap.unwrap() - gap).abs() < 1e-6);
        assert!(law.schedule.burn_in >= 1000f64.ln() / gap);
    }
}

#[test]
fn the_gap_of_sign_sgd_is_that_of_its_linear_phase() {
    let agents = "count = 4\nnoise.student_t = { scale = 0.5, dof = 1 }";
    let claim = "stationary = { process = \"sde\", margin = 0.05 }";
    let run = "learning_rate = 0.02\nstart = 0.1";
    let found = finding(&scenario("dsignsgd", "eigenvalues = [1.0, 2.0]", agents, run, claim));
    assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
    // ℓ_1 = 2/π.
    let gap = found.stationary.unwrap().schedule.spectral_gap.unwrap();
    assert!((gap - 2.0 / std::f64::consts::PI / 0.5).abs() < 1e-6, "{gap}");
}

#[test]
fn time_averages_agree_with_exact_laws_and_tell_as_much_as_they_say() {
    let claim = "stationary = { process = \"sde\", margin = 0.1 }";
    let found = finding(&one_coordinate(claim, SAMPLED));
    assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
    assert!(found.assumes.contains(&"stationary_after_burn_in".to_owned()));
    let law = found.stationary.unwrap();
    // The mean of n records of an Ornstein–Uhlenbeck process a time δ apart.
    let (records, eta, rate) = (80.0, 0.1, 1.3);
    let every = f64::ceil(1.0 / (4.0 * rate * eta));
    assert!((law.schedule.window - (records - 1.0) * every * eta).abs() < 1e-9);
    let correlation = (-rate * every * eta).exp();
    let lags = (1..80).map(|lag| (1.0 - f64::from(lag) / records) * correlation.powi(lag));
    let of_path = records / (1.0 + 2.0 * lags.sum::<f64>());
    let expected = of_path * found.seeds as f64;
    let told = law.effective_sample_size[0].unwrap();
    // Two standard deviations from so few blocks: either has a relative error of 1/√(2·blocks), and both are squared.
    let blocks = found.seeds as f64 / 64.0;
    let tolerance = 4.0 * 2.0 * (1.0 / blocks).sqrt();
    assert!((told / expected).ln().abs() < tolerance, "{told} {expected}");
}

#[test]
fn sampled_verdicts_are_wrong_no_more_often_than_stated() {
    // Every prediction is exact, and the margin so small that any gap beyond sampling is outside.
    let error_rate = 0.1;
    let runs = 200;
    let refuted = (0..runs).filter(|seed| {
        let more = format!(
            "[monte_carlo]\nseed = {seed}\nseeds = 512\nmax_seeds = 512\nerror_rate = {error_rate}\n"
        );
        let claim = "stationary = { process = \"optimizer\", margin = 1e-9 }";
        finding(&one_coordinate(claim, &more)).verdict == Verdict::Refuted
    });
    let refuted = refuted.count() as f64;
    // Three standard deviations above the error rate; a right test fails here with probability 0.002 at most.
    let most =
        f64::from(runs) * error_rate + 3.0 * (f64::from(runs) * error_rate * (1.0 - error_rate)).sqrt();
    assert!(refuted <= most, "{refuted} of {runs}");
    // Intervals that are much too wide would never refute.
    assert!(refuted >= 1.0);
}

#[test]
fn a_wrong_sde_has_another_law_at_rest() {
    let claim = "stationary = { process = \"sde\", margin = 0.1 }\n[sde]\nmutant = \"agents_lost\"";
    assert_eq!(finding(&dcsgd(claim)).verdict, Verdict::Refuted);
    let sampled = dcsgd(&format!("{claim}\n{SAMPLED}"));
    assert_eq!(finding(&sampled).verdict, Verdict::Refuted);
}

#[test]
fn what_has_no_stationary_law_is_refused_with_the_reason() {
    let claim = "stationary = { process = \"optimizer\", margin = 0.1 }";
    let at = |rate: f64, h: &str, agents: &str| {
        refusal(&scenario("dcsgd", h, agents, &format!("learning_rate = {rate}\nstart = 0.5"), claim))
    };
    let noisy = "count = 1\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }";
    let h = "eigenvalues = [1.0, 2.0]";
    let unstable = at(0.6, h, noisy);
    assert!(unstable.contains("not stable"), "{unstable}");
    let flat = at(0.1, "eigenvalues = [0.0, 2.0]", noisy);
    assert!(flat.contains("not stable"), "{flat}");
    let scaling = "scaling = { learning_rate = 0.5, margin = 0.1 }";
    let run = "learning_rate = 0.1\nstart = 0.5";
    let flat = refusal(&scenario("dcsgd", "eigenvalues = [0.0, 2.0]", noisy, run, scaling));
    assert!(flat.contains("some coordinate is held by nothing") && flat.contains("expected"), "{flat}");
    let silent = at(0.1, h, "count = 1\nnoise.none = {}\ncompressor.rand_k = { k = 1 }");
    assert!(silent.contains("diffusion vanishes"), "{silent}");
    let heavy = scenario(
        "dsgd",
        h,
        "count = 1\nnoise.student_t = { scale = 1.0, dof = 3 }",
        "learning_rate = 0.1\nstart = 0.5",
        claim,
    );
    assert_eq!(finding(&heavy).verdict, Verdict::Upheld);
    let message = refusal(&format!("{heavy}{SAMPLED}"));
    assert!(message.contains("honest interval") && message.contains("no [monte_carlo]"), "{message}");
}

/// At ηλ = 1.98 the optimizer forgets by 2 % a step, fifty times as slowly as its drift says.
#[test]
fn the_burn_in_is_that_of_the_optimizer_and_not_of_its_drift() {
    let agents = "count = 1\nnoise.gaussian = { scale = 1.0 }";
    let claim = "stationary = { process = \"optimizer\", margin = 0.1 }";
    let text = scenario("dsgd", "eigenvalues = [19.8]", agents, "learning_rate = 0.1\nstart = 0.0", claim);
    for text in [text.clone(), format!("{text}{SAMPLED}")] {
        let found = finding(&text);
        assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
        let gap = found.stationary.unwrap().schedule.spectral_gap.unwrap();
        assert!((gap + 0.98f64.ln() / 0.1).abs() < 1e-6, "{gap}");
    }
    // Stable for ηλ(1 + ω) < 2, as noise grows with the gradient.
    let agents = "count = 1\nnoise.gaussian = { scale = 1.0 }\ncompressor.bernoulli = { probability = 0.5 }";
    let at = |rate: f64| {
        let run = format!("learning_rate = {rate}\nstart = 0.0");
        scenario("dcsgd", "eigenvalues = [1.0]", agents, &run, claim)
    };
    assert_eq!(finding(&at(0.99)).verdict, Verdict::Upheld, "{}", finding(&at(0.99)).sentence);
    assert!(refusal(&at(1.01)).contains("not stable"));
    // So near the edge that no computation waits until it is at rest: nothing is said, and nothing false.
    let edge = finding(&at(0.999_999_999));
    assert_eq!(edge.verdict, Verdict::Inconclusive, "{}", edge.sentence);
    assert!(edge.sentence.contains("are not settled after"), "{}", edge.sentence);
}

#[test]
fn agents_that_differ_are_at_rest_where_noise_offsets_and_compression_balance() {
    let agents = "count = 1\nnoise.gaussian = { scale = [1.0, 0.5] }\ncompressor.rand_k = { k = 1 }\ngradient_offset = [1.0, -2.0]\n\
                  [[agents]]\ncount = 2\nnoise.gaussian = { covariance = [[0.5, 0.2], [0.2, 0.3]] }\n\
                  compressor.bernoulli = { probability = 0.4 }\ngradient_offset = [-0.5, 1.0]";
    let h = "matrix = [[1.0, 0.3], [0.3, 2.0]], minimiser = [1.0, -1.0]";
    for process in ["sde", "optimizer"] {
        let claim = format!("stationary = {{ process = \"{process}\", margin = 1e-6 }}");
        let found = finding(&scenario("dcsgd", h, agents, "learning_rate = 0.05\nstart = 0.5", &claim));
        assert_eq!(found.verdict, Verdict::Upheld, "{}", found.sentence);
    }
}
