//! Drift and diffusion against formulas written out by hand for one state, and the mutants against both.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{GOOD, experiment, refusal, run};
use itocheck::sde::Coefficients;
use std::f64::consts::PI;
use std::fs;
use tempfile::TempDir;

fn coefficients(text: &str, x: &[f64]) -> Coefficients {
    let experiment = experiment(text);
    let mut out = Coefficients::new(x.len());
    experiment.model.sde.coefficients(x, &mut out);
    out
}

fn scenario(optimizer: &str, agents: &str, sde: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [0.5, 1.0, 2.0] }}\n{agents}\n\
         [run]\nlearning_rate = 0.1\nsteps = 10\nrecords = 5\nstart = 1.0\n[sde]\n{sde}\n"
    )
}

const X: [f64; 3] = [1.0, -2.0, 0.5];
/// ∇f(x) = Hx.
const G: [f64; 3] = [0.5, -2.0, 1.0];

fn assert_coefficients(got: &Coefficients, drift: [f64; 3], diffusion: impl Fn(usize, usize) -> f64) {
    for (i, drift) in drift.into_iter().enumerate() {
        assert!((got.drift[i] - drift).abs() < 1e-14, "drift[{i}]: {} {drift}", got.drift[i]);
        for j in 0..3 {
            let (got, expected) = (got.diffusion.entry(i, j), diffusion(i, j));
            assert!((got - expected).abs() < 1e-14, "diffusion[{i}][{j}]: {got} {expected}");
        }
    }
}

fn delta(i: usize, j: usize) -> f64 {
    f64::from(u8::from(i == j))
}

const ETA: f64 = 0.1;

#[test]
fn dsgd() {
    let text = scenario(
        "dsgd",
        "[[agents]]\ncount = 1\nbatch_size = 4\nnoise.gaussian = { scale = 2.0 }\n[[agents]]\ncount = 3\nnoise.student_t = { scale = 1.0, dof = 10 }",
        "",
    );
    // Σ̄ = (1·4/4 + 3·10/8)/4.
    let sigma = (1.0 + 3.0 * 1.25) / 4.0;
    assert_coefficients(&coefficients(&text, &X), [-0.5, 2.0, -1.0], |i, j| ETA / 4.0 * sigma * delta(i, j));
}

#[test]
fn dcsgd_with_rand_k() {
    let text = scenario(
        "dcsgd",
        "[[agents]]\ncount = 4\nnoise.gaussian = { scale = [1.0, 2.0, 3.0] }\ncompressor.rand_k = { k = 2 }",
        "",
    );
    // ω = 1/2; Σ̃ = D − c v vᵀ, D_j = (1 + ω)Σ_jj + (ωd/(d − 1)) v_j², c = ω/(d − 1).
    let variances = [1.0, 4.0, 9.0];
    let expected = |i: usize, j: usize| {
        let diagonal = 1.5 * variances[i] + 0.75 * G[i] * G[i];
        ETA / 4.0 * (diagonal * delta(i, j) - 0.25 * G[i] * G[j])
    };
    assert_coefficients(&coefficients(&text, &X), [-0.5, 2.0, -1.0], expected);
}

#[test]
fn dcsgd_with_differing_agents() {
    let text = scenario(
        "dcsgd",
        "[[agents]]\ncount = 1\nnoise.none = {}\ncompressor.bernoulli = { probability = 0.25 }\ngradient_offset = [1.0, 0.0, -1.0]\n\
         [[agents]]\ncount = 1\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }\ngradient_offset = [-1.0, 0.0, 1.0]",
        "",
    );
    // First agent: 3 diag(v²), v = (1.5, −2, 0). Second: ω = 2, v = (−0.5, −2, 2), G = v vᵀ + I.
    let first = [1.5f64, -2.0, 0.0];
    let second = [-0.5f64, -2.0, 2.0];
    let expected = |i: usize, j: usize| {
        let of_first = 3.0 * first[i] * first[i] * delta(i, j);
        let g = second[i] * second[j] + delta(i, j);
        let of_second = (3.0 * g * delta(i, j) - g) + delta(i, j);
        ETA / 2.0 * 0.5 * (of_first + of_second)
    };
    assert_coefficients(&coefficients(&text, &X), [-0.5, 2.0, -1.0], expected);
}

#[test]
fn dsignsgd_in_both_forms() {
    let agents = "[[agents]]\ncount = 2\nbatch_size = 4\nnoise.student_t = { scale = 1.0, dof = 1 }\n[[agents]]\ncount = 2\nnoise.student_t = { scale = [1.0, 2.0, 3.0], dof = 2 }";
    // 2Ξ₁(u) = 2 atan(u)/π at scale 1/2, and 2Ξ₂(u) = u/√(2 + u²).
    let scales = [1.0, 2.0, 3.0];
    let cauchy = |j: usize| 2.0 * (2.0 * G[j]).atan() / PI;
    let t2 = |j: usize| {
        let u = G[j] / scales[j];
        u / (2.0 + u * u).sqrt()
    };
    let drift = [0, 1, 2].map(|j| -0.5 * (cauchy(j) + t2(j)));
    let variance = |j: usize| 1.0 - 0.5 * (cauchy(j).powi(2) + t2(j).powi(2));
    for form in ["general", "closed"] {
        let got = coefficients(&scenario("dsignsgd", agents, &format!("form = \"{form}\"")), &X);
        assert_coefficients(&got, drift, |i, j| ETA / 4.0 * variance(i) * delta(i, j));
    }
}

#[test]
fn every_mutant_is_wrong_where_it_says() {
    let compressed = "[[agents]]\ncount = 4\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }";
    let signs = "[[agents]]\ncount = 4\nnoise.student_t = { scale = 1.0, dof = 1 }";
    let ratio = |optimizer: &str, agents: &str, mutant: &str| {
        let right = coefficients(&scenario(optimizer, agents, ""), &X);
        let wrong = coefficients(&scenario(optimizer, agents, &format!("mutant = \"{mutant}\"")), &X);
        (wrong.drift[1] / right.drift[1], wrong.diffusion.entry(1, 1) / right.diffusion.entry(1, 1))
    };
    let close = |(drift, diffusion): (f64, f64), expected: (f64, f64)| {
        assert!(
            (drift - expected.0).abs() < 1e-13 && (diffusion - expected.1).abs() < 1e-13,
            "{drift} {diffusion}"
        );
    };
    // Σ̃_11 = (1 + 2)·1 + 3·4 − 4 = 11 of which 1 is Σ.
    close(ratio("dcsgd", compressed, "no_compression_noise"), (1.0, 1.0 / 11.0));
    close(ratio("dcsgd", compressed, "eta_for_sqrt_eta"), (1.0, ETA));
    close(ratio("dcsgd", compressed, "agents_lost"), (1.0, 4.0));
    let cauchy = 2.0 * 2f64.atan() / PI;
    // erf(√2) = 0.954499736103642 to fifteen digits.
    let gaussian = 0.954_499_736_103_642;
    close(ratio("dsignsgd", signs, "xi_without_two"), (0.5, 1.0));
    close(ratio("dsignsgd", signs, "identity_diffusion"), (1.0, 1.0 / (1.0 - cauchy * cauchy)));
    close(
        ratio("dsignsgd", signs, "gaussian_xi"),
        (gaussian / cauchy, (1.0 - gaussian * gaussian) / (1.0 - cauchy * cauchy)),
    );
    close(ratio("dsignsgd", signs, "eta_for_sqrt_eta"), (1.0, ETA));
    close(ratio("dsignsgd", signs, "agents_lost"), (1.0, 4.0));
}

#[test]
fn the_gaussian_mistake_needs_a_scale_to_keep() {
    let mutant = |noise: &str| {
        let agents = format!("[[agents]]\ncount = 4\nnoise.{noise}");
        scenario("dsignsgd", &agents, "mutant = \"gaussian_xi\"")
    };
    let contaminated = "contaminated = { scale = 0.5, fraction = 0.1, factor = 5 }";
    let proportional = "proportional = { scale = 0.5 }";
    for noise in [contaminated, proportional, "none = {}"] {
        let message = refusal(&mutant(noise));
        assert!(
            message.contains("sde.mutant: \"gaussian_xi\", but the noise of some agents is no scaled"),
            "{message}"
        );
    }
    // One group of agents is enough.
    let student = "student_t = { scale = 0.5, dof = 3 }";
    let both = format!("{student}\n[[agents]]\ncount = 1\nnoise.{contaminated}");
    assert!(refusal(&mutant(&both)).contains("no scaled"));
    for noise in
        [student, "batch_mean_t = { scale = 0.5, dof = 3 }", "multivariate_t = { scale = 0.5, dof = 3 }"]
    {
        experiment(&mutant(noise));
    }
    let minibatch = GOOD
        .replace(
            "quadratic = { eigenvalues = [0.5, 2.0] }",
            "logistic = { data = \"iris\", regularisation = 0.1 }",
        )
        .replace("\"dcsgd\"", "\"dsignsgd\"")
        .replace("noise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }", "noise.minibatch = {}")
        .replace("[[claims]]", "[sde]\nmutant = \"gaussian_xi\"\n[[claims]]");
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("minibatch.toml"), minibatch).unwrap();
    let called = run(folder.path(), &["minibatch.toml"]);
    assert!(called.code == 2 && called.err.contains("no scaled Student-t"), "{}", called.err);
}
