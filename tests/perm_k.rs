//! Perm-k compresses for all agents together: its SDE against all permutations and real steps, and Theorem 1
//! with its 1/N refuted on it.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{experiment, refusal};
use itocheck::claim::{Progress, Verdict, judge};
use itocheck::sde::Coefficients;

/// Small enough that the guard against the tails that compression makes lets second moments be sampled.
const ETA: f64 = 0.05;

fn scenario(agents: &str, sde: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"dcsgd\"\nobjective.quadratic = {{ eigenvalues = [0.5, 1.0, 2.0, 4.0] }}\n{agents}\n\
         [run]\nlearning_rate = {ETA}\nsteps = 10\nrecords = 5\nstart = [1.0, -2.0, 0.5, 0.3]\n[sde]\n{sde}\n"
    )
}

const X: [f64; 4] = [1.0, -2.0, 0.5, 0.3];
const GRADIENT: [f64; 4] = [0.5, -2.0, 1.0, 1.2];
const OFFSET: [f64; 4] = [1.0, 0.0, -2.0, 0.5];

const TWO_AGENTS: &str = "[[agents]]\ncount = 1\ncompressor.perm_k = { k = 2 }\ngradient_offset = [1.0, 0.0, -2.0, 0.5]\n\
    noise.gaussian = { covariance = [[1.0, 0.4, 0.0, 0.1], [0.4, 0.8, 0.2, 0.0], [0.0, 0.2, 0.5, 0.0], [0.1, 0.0, 0.0, 0.3]] }\n\
    [[agents]]\ncount = 1\ncompressor.perm_k = { k = 2 }\ngradient_offset = [-1.0, 0.0, 2.0, -0.5]\nnoise.gaussian = { scale = 0.5 }";

/// Of the first agent.
const SIGMA: [[f64; 4]; 4] =
    [[1.0, 0.4, 0.0, 0.1], [0.4, 0.8, 0.2, 0.0], [0.0, 0.2, 0.5, 0.0], [0.1, 0.0, 0.0, 0.3]];

fn coefficients(text: &str) -> Coefficients {
    let mut out = Coefficients::new(4);
    experiment(text).model.sde.coefficients(&X, &mut out);
    out
}

/// `Cov[ĝ]`, `ĝ_j = g_{a(j),j}`: the mean over the six ways to give two of four coordinates to the first agent.
fn covariance(i: usize, j: usize) -> f64 {
    let ways: Vec<[usize; 4]> = (0..16usize)
        .filter(|bits| bits.count_ones() == 2)
        .map(|bits| std::array::from_fn(|j| bits >> j & 1))
        .collect();
    let mean = |agent: usize, j: usize| GRADIENT[j] + if agent == 0 { OFFSET[j] } else { -OFFSET[j] };
    let noise = |agents: [usize; 4]| match (agents[i] == agents[j], agents[i]) {
        (false, _) => 0.0,
        (true, 0) => SIGMA[i][j],
        (true, _) => 0.25 * f64::from(u8::from(i == j)),
    };
    let second = |agents: [usize; 4]| mean(agents[i], i) * mean(agents[j], j) + noise(agents);
    ways.iter().map(|agents| second(*agents)).sum::<f64>() / ways.len() as f64 - GRADIENT[i] * GRADIENT[j]
}

#[test]
fn its_sde_is_that_of_all_permutations() {
    let got = coefficients(&scenario(TWO_AGENTS, ""));
    for (i, gradient) in GRADIENT.into_iter().enumerate() {
        assert!((got.drift[i] + gradient).abs() < 1e-15);
        for j in 0..4 {
            let (got, expected) = (got.diffusion.entry(i, j), ETA * covariance(i, j));
            assert!((got - expected).abs() < 1e-14, "[{i}][{j}]: {got} {expected}");
        }
    }
}

#[test]
fn theorem_1_is_printed_with_independent_errors() {
    // Theorem 1 takes each agent for Rand-2 of 4 on its own: ω = 1, E[Φ Φᵀ] = (4 diag(G) − G)/3.
    let agents = "[[agents]]\ncount = 2\nnoise.gaussian = { scale = 0.5 }\ncompressor.perm_k = { k = 2 }";
    let closed = coefficients(&scenario(agents, "form = \"closed\""));
    let general = coefficients(&scenario(agents, ""));
    for (i, gradient) in GRADIENT.into_iter().enumerate() {
        let g = gradient * gradient + 0.25;
        assert!((closed.diffusion.entry(i, i) - ETA / 2.0 * (g + 0.25)).abs() < 1e-14);
        assert!((general.diffusion.entry(i, i) - ETA * 0.25).abs() < 1e-15, "the errors cancel");
    }
}

struct Silent;
impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// The claim `coefficients`, from real steps of the optimizer, each at an error rate of 1e-6.
fn verdict(agents: &str, sde: &str) -> Verdict {
    judge(&experiment(&scenario(agents, sde)), &Silent).findings[0].verdict
}

#[test]
fn real_steps_uphold_its_sde_and_refute_theorem_1() {
    assert_eq!(verdict(TWO_AGENTS, ""), Verdict::Upheld);
    assert_eq!(verdict(TWO_AGENTS, "form = \"closed\""), Verdict::Refuted);
    assert_eq!(verdict(TWO_AGENTS, "mutant = \"no_compression_noise\""), Verdict::Refuted);
    let alike = "[[agents]]\ncount = 4\nnoise.gaussian = { scale = 1.0 }\ncompressor.perm_k = { k = 1 }";
    assert_eq!(verdict(alike, ""), Verdict::Upheld);
    assert_eq!(verdict(alike, "form = \"closed\""), Verdict::Refuted);
}

#[test]
fn blocks_must_cover_all_coordinates() {
    let three = "[[agents]]\ncount = 3\nnoise.none = {}\ncompressor.perm_k = { k = 1 }";
    for form in ["general", "closed"] {
        let message = refusal(&scenario(three, &format!("form = \"{form}\"")));
        assert!(
            message.contains("perm_k with k = 1 for 3 agents in dimension 4; expected kN = d"),
            "{message}"
        );
    }
    let mixed = "[[agents]]\ncount = 2\nnoise.none = {}\ncompressor.perm_k = { k = 1 }\n\
        [[agents]]\ncount = 2\nnoise.none = {}";
    let message = refusal(&scenario(mixed, ""));
    assert!(message.contains("some agents have perm_k, others another compressor"), "{message}");
}

#[test]
fn averages_that_cannot_be_had_are_refused_with_the_reason() {
    let agents = |noise: &str, compressor: &str| {
        scenario(&format!("[[agents]]\ncount = 2\nnoise.{noise}\ncompressor.{compressor}"), "")
    };
    let gaussian = "gaussian = { scale = 1.0 }";
    let shared = "multivariate_t = { scale = 1.0, dof = 9 }";
    let batch = "batch_mean_t = { scale = 1.0, dof = 9 }";
    let (euclidean, maximum) =
        ("dithering = { levels = 2, norm = \"2\" }", "dithering = { levels = 2, norm = \"inf\" }");
    for (noise, compressor, expected) in [
        (
            gaussian,
            euclidean,
            "agents[0].compressor: no E[Φ Φᵀ] under this noise: dithering divides the Euclidean norm",
        ),
        (shared, maximum, "dithering takes the maximum over coordinates that are not independent"),
        (
            batch,
            "natural = {}",
            "the law of a mean of Student-t samples is only known for its signs and moments",
        ),
    ] {
        let message = refusal(&agents(noise, compressor));
        assert!(message.contains(expected), "{noise}, {compressor}: {message}");
    }
    // With the same compressors, what can be had is taken.
    for (noise, compressor) in [
        ("none = {}", euclidean),
        (gaussian, maximum),
        (shared, "natural = {}"),
        (batch, "rand_k = { k = 2 }"),
    ] {
        experiment(&agents(noise, compressor));
    }
}

#[test]
fn real_steps_uphold_the_averages() {
    let agents = |noise: &str, compressor: &str| {
        format!("[[agents]]\ncount = 2\nnoise.{noise}\ncompressor.{compressor}")
    };
    for (noise, compressor) in [
        ("gaussian = { scale = 0.5 }", "natural = {}"),
        ("student_t = { scale = 0.5, dof = 10 }", "dithering = { levels = 1, norm = \"inf\" }"),
        ("none = {}", "dithering = { levels = 1, norm = \"2\" }"),
        (
            "proportional = { scale = 0.3 }",
            "composition = { first = { natural = {} }, second = { rand_k = { k = 2 } } }",
        ),
    ] {
        assert_eq!(verdict(&agents(noise, compressor), ""), Verdict::Upheld, "{noise}, {compressor}");
    }
    // ω‖v‖²-sized noise left out is seen.
    let without = agents("gaussian = { scale = 0.5 }", "natural = {}");
    assert_eq!(verdict(&without, "mutant = \"no_compression_noise\""), Verdict::Refuted);
}
