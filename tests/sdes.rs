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

const GAUSSIAN: &str = "[[agents]]\ncount = 4\nnoise.gaussian = { scale = 1.0 }\n";
const MODIFIED: &str = "form = \"modified_order_2\"";

#[test]
fn the_modified_drift_is_b_minus_half_eta_times_its_derivative_along_itself() {
    // On a quadratic −(H + ηH²/2)x, the diffusion as it was.
    for (optimizer, compressor) in [("dsgd", ""), ("dcsgd", "compressor.rand_k = { k = 1 }")] {
        let agents = format!("{GAUSSIAN}{compressor}");
        let plain = coefficients(&scenario(optimizer, &agents, ""), &X);
        let got = coefficients(&scenario(optimizer, &agents, MODIFIED), &X);
        let drift = [0, 1, 2].map(|j| -(1.0 + 0.5 * ETA * [0.5, 1.0, 2.0][j]) * G[j]);
        assert_coefficients(&got, drift, |i, j| plain.diffusion.entry(i, j));
    }
    // Cauchy signs: b = −2 atan(u)/π, so that b′b = (2/π)² λ atan(u)/(1 + u²) with u = ∇f.
    let cauchy = "[[agents]]\ncount = 4\nnoise.student_t = { scale = 1.0, dof = 1 }";
    let got = coefficients(&scenario("dsignsgd", cauchy, MODIFIED), &X);
    for j in 0..3 {
        let along = (2.0 / PI).powi(2) * [0.5, 1.0, 2.0][j] * G[j].atan() / (1.0 + G[j] * G[j]);
        let drift = -2.0 * G[j].atan() / PI - 0.5 * ETA * along;
        assert!((got.drift[j] - drift).abs() < 1e-11, "{} {drift}", got.drift[j]);
    }
}

#[test]
fn the_modified_drift_by_the_hessian_is_that_of_the_gradient_of_the_modified_loss() {
    // −∇(f + (η/4)‖∇f‖²) of Rosenbrock's function by central differences of the scalar.
    let run = scenario("dsgd", GAUSSIAN, MODIFIED)
        .replace("quadratic = { eigenvalues = [0.5, 1.0, 2.0] }", "rosenbrock = { steepness = 2.0 }")
        .replace("start = 1.0", "start = 1.0\ndomain = { radius = 9.0 }");
    let objective = common::objective("rosenbrock = { steepness = 2.0 }");
    let modified_loss = |x: &[f64]| {
        let mut gradient = [0.0; 2];
        objective.gradient(x, &mut gradient);
        objective.value(x) + ETA / 4.0 * gradient.iter().map(|g| g * g).sum::<f64>()
    };
    let x = [0.3, -0.4];
    let got = coefficients(&run, &x);
    for j in 0..2 {
        let moved = |h: f64| {
            let mut at = x;
            at[j] += h;
            modified_loss(&at)
        };
        let drift = (moved(-1e-5) - moved(1e-5)) / 2e-5;
        assert!((got.drift[j] - drift).abs() < 1e-7, "{} {drift}", got.drift[j]);
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
    close(ratio("dcsgd", compressed, "no_diffusion"), (1.0, 0.0));
    close(ratio("dcsgd", compressed, "half_drift"), (0.5, 1.0));
    close(ratio("dsignsgd", signs, "no_diffusion"), (1.0, 0.0));
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
        assert!(message.contains("sde.mutant: the noise of some agents is not S t_ν"), "{message}");
    }
    // One group of agents is enough.
    let student = "student_t = { scale = 0.5, dof = 3 }";
    let both = format!("{student}\n[[agents]]\ncount = 1\nnoise.{contaminated}");
    assert!(refusal(&mutant(&both)).contains("not S t_ν"));
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
    assert!(called.code == 2 && called.err.contains("not S t_ν"), "{}", called.err);
}

#[test]
fn further_mutants_are_wrong_where_they_say() {
    let with = |optimizer: &str, agents: &str, mutant: &str| {
        coefficients(&scenario(optimizer, agents, &format!("mutant = \"{mutant}\"")), &X)
    };
    let drift = [-0.5, 2.0, -1.0];
    let compressed = "[[agents]]\ncount = 4\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }";
    // E[ΦΦᵀ] = 3 diag(G) − G with ω/(d − 1) = 1; the SDE has Σ + E[ΦΦᵀ] at G = v vᵀ + I.
    let diagonal = |i: usize| 1.0 + 2.0 * (G[i] * G[i] + 1.0);
    assert_coefficients(&with("dcsgd", compressed, "no_diffusion"), drift, |_, _| 0.0);
    assert_coefficients(&with("dcsgd", compressed, "diagonal_diffusion"), drift, |i, j| {
        ETA / 4.0 * diagonal(i) * delta(i, j)
    });
    // ‖v‖² + tr Σ = 5.25 + 3, ω = 2.
    assert_coefficients(&with("dcsgd", compressed, "omega_for_error_covariance"), drift, |i, j| {
        ETA / 4.0 * (1.0 + 2.0 / 3.0 * 8.25) * delta(i, j)
    });
    assert_coefficients(&with("dcsgd", compressed, "noise_not_compressed"), drift, |i, j| {
        ETA / 4.0 * ((1.0 + 3.0 * G[i] * G[i]) * delta(i, j) - G[i] * G[j])
    });
    assert_coefficients(&with("dcsgd", compressed, "gradient_not_compressed"), drift, |i, j| {
        ETA / 4.0 * 3.0 * delta(i, j)
    });
    let permuted = "[[agents]]\ncount = 3\nnoise.gaussian = { scale = 1.0 }\ncompressor.perm_k = { k = 1 }";
    assert_coefficients(&with("dcsgd", permuted, "independent_permutations"), drift, |i, j| {
        ETA / 3.0 * (diagonal(i) * delta(i, j) - (1.0 - delta(i, j)) * G[i] * G[j])
    });
    let batches = "[[agents]]\ncount = 1\nbatch_size = 4\nnoise.gaussian = { scale = 2.0 }\n[[agents]]\ncount = 1\nnoise.gaussian = { scale = 1.0 }";
    assert_coefficients(&with("dsgd", batches, "batch_size_lost"), drift, |i, j| {
        ETA / 2.0 * (4.0 + 1.0) / 2.0 * delta(i, j)
    });
    let heavy = "[[agents]]\ncount = 4\nnoise.student_t = { scale = 2.0, dof = 10 }";
    assert_coefficients(&with("dsgd", heavy, "scale_as_standard_deviation"), drift, |i, j| {
        ETA / 4.0 * 4.0 * delta(i, j)
    });
    let differing = "[[agents]]\ncount = 1\nnoise.none = {}\ncompressor.bernoulli = { probability = 0.25 }\ngradient_offset = [1.0, 0.0, -1.0]\n\
         [[agents]]\ncount = 1\nnoise.none = {}\ncompressor.bernoulli = { probability = 0.25 }\ngradient_offset = [-1.0, 0.0, 1.0]";
    assert_coefficients(&with("dcsgd", differing, "shared_mean_gradient"), drift, |i, j| {
        ETA / 2.0 * 3.0 * G[i] * G[i] * delta(i, j)
    });
}

#[test]
fn further_mutants_of_theorem_2_are_wrong_where_they_say() {
    let with = |agents: &str, sde: &str| coefficients(&scenario("dsignsgd", agents, sde), &X);
    // 2Ξ₃(u) = (2/π)(atan θ + θ/(1 + θ²)), θ = u/√3.
    let t3 = |u: f64| {
        let theta = u / 3f64.sqrt();
        2.0 / PI * (theta.atan() + theta / (1.0 + theta * theta))
    };
    let signs = "[[agents]]\ncount = 4\nnoise.student_t = { scale = 1.0, dof = 3 }";
    let right = G.map(t3);
    assert_coefficients(&with(signs, "mutant = \"two_xi_squared\""), right.map(|m| -m), |i, j| {
        ETA / 4.0 * (1.0 - 0.5 * right[i] * right[i]) * delta(i, j)
    });
    // A standard deviation of 1 is a scale of 1/√3.
    let wrong = G.map(|g| t3(3f64.sqrt() * g));
    for form in ["general", "closed"] {
        let sde = format!("form = \"{form}\"\nmutant = \"scale_as_standard_deviation\"");
        assert_coefficients(&with(signs, &sde), wrong.map(|m| -m), |i, j| {
            ETA / 4.0 * (1.0 - wrong[i] * wrong[i]) * delta(i, j)
        });
    }
    let differing = "[[agents]]\ncount = 1\nnoise.student_t = { scale = 1.0, dof = 3 }\ngradient_offset = 1.0\n\
         [[agents]]\ncount = 1\nnoise.student_t = { scale = 1.0, dof = 3 }\ngradient_offset = -1.0";
    assert_coefficients(&with(differing, "mutant = \"shared_mean_gradient\""), right.map(|m| -m), |i, j| {
        ETA / 2.0 * (1.0 - right[i] * right[i]) * delta(i, j)
    });
}

#[test]
fn stratonovich_adds_half_of_sigma_times_its_derivative() {
    // Noise-free Bernoulli: σ = √(ηω) diag|λx|, so that ½ σ ∂σ = ½ ηω λ²x with ω = 3.
    let agents = "[[agents]]\ncount = 1\nnoise.none = {}\ncompressor.bernoulli = { probability = 0.25 }";
    let got = coefficients(&scenario("dcsgd", agents, "mutant = \"stratonovich\""), &X);
    let lambda = [0.5, 1.0, 2.0];
    for i in 0..3 {
        let expected = -G[i] + 0.5 * ETA * 3.0 * lambda[i] * lambda[i] * X[i];
        // Rounding of a difference over 1e-6.
        assert!((got.drift[i] - expected).abs() < 1e-9, "{} {expected}", got.drift[i]);
        assert!((got.diffusion.entry(i, i) - ETA * 3.0 * G[i] * G[i]).abs() < 1e-14);
    }
    // Rand-1 of 3 with noise: σ = D^{1/2}(I − c′uuᵀ) couples the coordinates. Its derivatives by hand over another length.
    let agents = "[[agents]]\ncount = 1\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }";
    let root = |x: [f64; 3]| -> [[f64; 3]; 3] {
        let v = [0.5 * x[0], x[1], 2.0 * x[2]];
        let d = v.map(|v| 3.0 + 3.0 * v * v);
        let u = [0, 1, 2].map(|j| v[j] / f64::sqrt(d[j]));
        let norm: f64 = u.iter().map(|u| u * u).sum();
        let c = 1.0 / (1.0 + (1.0 - norm).sqrt());
        let entry = |i: usize, j: usize| (ETA * d[i]).sqrt() * (delta(i, j) - c * u[i] * u[j]);
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| entry(i, j)))
    };
    let sigma = root(X);
    let h = 1e-4;
    let mut correction = [0.0; 3];
    for k in 0..3 {
        let at = |side: f64| {
            let mut x = X;
            x[k] += side * h;
            root(x)
        };
        let (above, below) = (at(1.0), at(-1.0));
        for i in 0..3 {
            for j in 0..3 {
                correction[i] += 0.5 * sigma[k][j] * (above[i][j] - below[i][j]) / (2.0 * h);
            }
        }
    }
    let got = coefficients(&scenario("dcsgd", agents, "mutant = \"stratonovich\""), &X);
    assert!(correction.iter().all(|entry| entry.abs() > 1e-3));
    for i in 0..3 {
        // The difference over 1e-6 is one-sided: off by half of that and a second derivative of some units.
        assert!(
            (got.drift[i] + G[i] - correction[i]).abs() < 2e-6,
            "{} {}",
            got.drift[i] + G[i],
            correction[i]
        );
    }
}

#[test]
fn stratonovich_takes_one_root_where_the_order_of_pivots_changes() {
    // Correlated signs with equal variances: one step to a side, and another coordinate has the largest.
    let x = [0.4, 0.2, 0.1];
    let agents = "[[agents]]\ncount = 1\nnoise.gaussian = { covariance = [[1.0, 0.4, 0.3], [0.4, 1.0, 0.2], [0.3, 0.2, 1.0]] }";
    let right = |x: [f64; 3]| coefficients(&scenario("dsignsgd", agents, ""), &x);
    // The factor by pivots from the last to the first, which the tie comes to.
    let root = |x: [f64; 3]| -> [[f64; 3]; 3] {
        let a = right(x).diffusion;
        let l22 = a.entry(2, 2).sqrt();
        let (l12, l02) = (a.entry(1, 2) / l22, a.entry(0, 2) / l22);
        let l11 = (a.entry(1, 1) - l12 * l12).sqrt();
        let l01 = (a.entry(0, 1) - l02 * l12) / l11;
        let l00 = (a.entry(0, 0) - l02 * l02 - l01 * l01).sqrt();
        [[l00, l01, l02], [0.0, l11, l12], [0.0, 0.0, l22]]
    };
    let sigma = root(x);
    let got = coefficients(&scenario("dsignsgd", agents, "mutant = \"stratonovich\""), &x);
    for i in 0..3 {
        let mut correction = 0.0;
        for k in 0..3 {
            let at = |side: f64| {
                let mut x = x;
                x[k] += side * 1e-4;
                root(x)
            };
            let (above, below) = (at(1.0), at(-1.0));
            correction += (0..3).map(|j| 0.5 * sigma[k][j] * (above[i][j] - below[i][j]) / 2e-4).sum::<f64>();
        }
        let found = got.drift[i] - right(x).drift[i];
        assert!((found - correction).abs() < 2e-6 && correction != 0.0, "{found} {correction}");
    }
}
