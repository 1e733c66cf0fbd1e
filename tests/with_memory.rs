//! Optimizers that remember more than the position, momentum and RMSprop: their steps, declared moments and SDEs against
//! formulas and draws that share no code with them.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{experiment, refusal};
use itocheck::agent::Scratch;
use itocheck::optimizer::Increment;
use itocheck::random::{Role, Streams};
use itocheck::sde::Coefficients;
use rand_distr::{Distribution, StudentT};

/// With `objective.quadratic = { eigenvalues = [0.5, 2.0] }` and η = 0.1.
fn scenario(optimizer: &str, agents: &str, more: &str) -> String {
    format!(
        "title = \"t\"\noptimizer.{optimizer}\nobjective.quadratic = {{ eigenvalues = [0.5, 2.0] }}\n{agents}\n[run]\n\
         learning_rate = 0.1\nsteps = 10\nrecords = 5\nstart = [1.0, -1.0]\n{more}\n"
    )
}

const MOMENTUM: &str = "momentum = { friction = 2.0 }";
const RMSPROP: &str = "rmsprop = { rate = 3.0, epsilon = 0.1, second_moment = [0.5, 2.0] }";
const GAUSSIAN: &str = "[[agents]]\ncount = 4\nnoise.gaussian = { scale = 1.5 }";
const T10: &str = "[[agents]]\ncount = 3\nnoise.student_t = { scale = 0.7, dof = 10 }";
const NOISE_FREE: &str = "[[agents]]\ncount = 1\nnoise.none = {}";

/// States after each of so many steps of one path.
fn path(text: &str, steps: usize) -> Vec<Vec<f64>> {
    let model = experiment(text).model;
    let (mut x, mut streams) = (model.run.start.clone(), Streams::of_path(1, Role::Optimizer, 0));
    let step = |_| {
        model.optimizer.step(&mut x, &mut streams, &mut Scratch::default());
        x.clone()
    };
    (0..steps).map(step).collect()
}

/// `x_{k+1} = x_k − α∇f(x_k) + β(x_k − x_{k−1})` with α = η² and β = 1 − γη, as Polyak wrote it.
#[test]
fn momentum_without_noise_is_the_heavy_ball() {
    let (alpha, beta, h) = (0.01, 0.8, [0.5, 2.0]);
    let (mut before, mut x) = ([1.0, -1.0], [1.0, -1.0]);
    for state in path(&scenario(MOMENTUM, NOISE_FREE, ""), 10) {
        let next = [0, 1].map(|j: usize| x[j] - alpha * h[j] * x[j] + beta * (x[j] - before[j]));
        (before, x) = (x, next);
        for j in 0..2 {
            assert!((state[j] - x[j]).abs() < 1e-14, "{state:?} {x:?}");
        }
    }
}

/// `v = β₂v + (1 − β₂)g²`, `x −= ηg/(√v + ε)`, as Tieleman and Hinton have it, with β₂ = 1 − ηρ = 0.7.
#[test]
fn rmsprop_without_noise_is_that_of_the_textbook() {
    let (mut x, mut v, h) = ([1.0, -1.0], [0.5, 2.0], [0.5, 2.0]);
    let noise_free = "[[agents]]\ncount = 1\nnoise.gaussian = { scale = 1e-20 }";
    for state in path(&scenario(RMSPROP, noise_free, ""), 10) {
        for j in 0..2 {
            let g: f64 = h[j] * x[j];
            v[j] = 0.7 * v[j] + 0.3 * g * g;
            x[j] -= 0.1 * g / (v[j].sqrt() + 0.1);
            assert!((state[j] - x[j]).abs() < 1e-14, "{state:?} {x:?}");
            assert!((state[2 + j] - v[j]).abs() < 1e-14, "{state:?} {v:?}");
        }
    }
}

/// A value with its standard error.
type Estimate = (f64, f64);

/// Mean and covariance of f64 vectors, with the standard error of each.
fn moments(draws: &[Vec<f64>]) -> (Vec<Estimate>, Vec<Estimate>) {
    let (n, d) = (draws.len() as f64, draws[0].len());
    let of = |f: &dyn Fn(&[f64]) -> f64| {
        let mean = draws.iter().map(|x| f(x)).sum::<f64>() / n;
        let variance = draws.iter().map(|x| (f(x) - mean).powi(2)).sum::<f64>() / n;
        (mean, (variance / n).sqrt())
    };
    let mean: Vec<Estimate> = (0..d).map(|j| of(&|x| x[j])).collect();
    let covariance = |index: usize| {
        let (i, j) = (index / d, index % d);
        of(&|x| (x[i] - mean[i].0) * (x[j] - mean[j].0))
    };
    let covariance = (0..d * d).map(covariance).collect();
    (mean, covariance)
}

/// Beyond this many standard errors a normal is with probability 6e-7; some 20 comparisons each.
const Z: f64 = 5.0;

fn steps_from(text: &str, x: &[f64], blocks: u64) -> Vec<Vec<f64>> {
    let model = experiment(text).model;
    let mut draws = Vec::new();
    for block in 0..blocks {
        let n = 64;
        let mut streams = Streams::new(7, Role::Optimizer, 64 * block..64 * (block + 1));
        let mut states: Vec<f64> = x.iter().flat_map(|x| std::iter::repeat_n(*x, n)).collect();
        model.optimizer.step(&mut states, &mut streams, &mut Scratch::default());
        let increment = |path: usize| (0..x.len()).map(|j| states[j * n + path] - x[j]).collect();
        draws.extend((0..n).map(increment));
    }
    draws
}

/// A wrong declaration, by 1 % of a mean or 3 % of a covariance, is beyond: those errors are asserted to be noticed.
#[test]
fn momentum_declares_the_moments_of_its_step() {
    let x = [1.0, -1.0, 0.3, 0.4];
    for agents in
        [GAUSSIAN, T10, "[[agents]]\ncount = 2\nnoise.gaussian = { covariance = [[1.0, 0.6], [0.6, 2.0]] }"]
    {
        let text = scenario(MOMENTUM, agents, "");
        let (mean, covariance) = moments(&steps_from(&text, &x, 4096));
        let mut declared = Increment::new(4);
        experiment(&text).model.optimizer.declared().expect("it declares").increment(&x, &mut declared);
        let misses = |factor_of_mean: f64, factor_of_covariance: f64| {
            let of_mean = declared
                .mean
                .iter()
                .zip(&mean)
                .map(|(declared, (mean, error))| (factor_of_mean * declared - mean).abs() > Z * error);
            let of_covariance = covariance.iter().enumerate().map(|(index, (entry, error))| {
                let declared = factor_of_covariance * declared.covariance.entry(index / 4, index % 4);
                (declared - entry).abs() > Z * error
            });
            of_mean.chain(of_covariance).filter(|miss| *miss).count()
        };
        assert_eq!(misses(1.0, 1.0), 0, "{agents}");
        assert!(misses(1.03, 1.0) > 0, "{agents}");
        assert!(misses(1.0, 1.03) > 0, "{agents}");
    }
}

fn coefficients(text: &str, x: &[f64]) -> Coefficients {
    let mut out = Coefficients::new(x.len());
    experiment(text).model.sde.coefficients(x, &mut out);
    out
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-14 * (1.0 + b.abs())
}

/// `(m, −γm − Hx)`, and η/N Σ in the block of m.
#[test]
fn the_sde_of_momentum_is_that_of_the_formula() {
    let x = [1.0, -1.0, 0.3, 0.4];
    let out = coefficients(&scenario(MOMENTUM, GAUSSIAN, ""), &x);
    for (drift, expected) in out.drift.iter().zip([0.3, 0.4, -0.6 - 0.5, -0.8 + 2.0]) {
        assert!(close(*drift, expected), "{drift} {expected}");
    }
    let correlated = "[[agents]]\ncount = 2\nnoise.gaussian = { covariance = [[1.0, 0.6], [0.6, 2.0]] }";
    let dense = coefficients(&scenario(MOMENTUM, correlated, ""), &x);
    for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
        let expected = if i == j && i >= 2 { 0.1 / 4.0 * 2.25 } else { 0.0 };
        assert!(close(out.diffusion.entry(i, j), expected), "{i} {j}");
        let sigma = [[1.0, 0.6], [0.6, 2.0]];
        let expected = if i >= 2 && j >= 2 { 0.1 / 2.0 * sigma[i - 2][j - 2] } else { 0.0 };
        assert!(close(dense.diffusion.entry(i, j), expected), "{i} {j}");
    }
}

/// Drift and diffusion of RMSprop against means and covariances of ĝ and ĝ², drawn by rand_distr: `E ĝ²`, `Cov[ĝ, ĝ²]`, `Var ĝ²`
/// of the mean of three t₁₀. Without the fourth cumulant the variance would be beyond, as is asserted.
#[test]
fn the_sde_of_rmsprop_has_the_moments_of_the_gradient_and_its_square() {
    let (eta, rho, epsilon) = (0.1, 3.0, 0.1);
    let x = [1.0, -1.0, 0.5, 2.0];
    let out = coefficients(&scenario(RMSPROP, T10, ""), &x);
    let mut random = itocheck::random::Stream::new(11, Role::Pilot, 0);
    let t = StudentT::new(10.0).unwrap();
    for (j, gradient) in [0.5, -2.0].into_iter().enumerate() {
        let p = x[2 + j].sqrt() + epsilon;
        let mut draw = |_| {
            let noise: f64 = (0..3).map(|_| 0.7 * t.sample(&mut random)).sum::<f64>() / 3.0;
            let g = gradient + noise;
            vec![g, g * g]
        };
        let draws: Vec<Vec<f64>> = (0..1_000_000).map(&mut draw).collect();
        let (mean, covariance) = moments(&draws);
        let check = |got: f64, (value, error): (f64, f64), factor: f64, offset: f64| {
            let (expected, error) = (factor * value + offset, (factor * error).abs());
            assert!((got - expected).abs() < Z * error, "{got} {expected} ± {error}");
        };
        assert!(close(out.drift[j], -gradient / p));
        check(out.drift[2 + j], mean[1], rho, -rho * x[2 + j]);
        check(out.diffusion.entry(j, j), covariance[0], eta / (p * p), 0.0);
        check(out.diffusion.entry(j, 2 + j), covariance[1], -eta * rho / p, 0.0);
        check(out.diffusion.entry(2 + j, 2 + j), covariance[3], eta * rho * rho, 0.0);
        let s: f64 = 0.49 * 10.0 / 8.0 / 3.0;
        let of_a_gaussian = eta * rho * rho * (2.0 * s * s + 4.0 * s * gradient * gradient);
        let is_noticed =
            (of_a_gaussian - eta * rho * rho * covariance[3].0).abs() > Z * eta * rho * rho * covariance[3].1;
        assert!(is_noticed || j == 1, "the fourth cumulant is too small to be seen");
        assert_eq!(out.diffusion.entry(j, 1 - j), 0.0);
        assert_eq!(out.diffusion.entry(j, 3 - j), 0.0);
    }
    let without_noise_of_v = coefficients(&scenario(RMSPROP, T10, "[sde]\nform = \"closed\""), &x);
    assert_eq!(without_noise_of_v.drift, out.drift);
    for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
        let expected = if i < 2 && j < 2 { out.diffusion.entry(i, j) } else { 0.0 };
        assert_eq!(without_noise_of_v.diffusion.entry(i, j), expected);
    }
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    let refused = |optimizer: &str, agents: &str, more: &str| {
        let message = refusal(&scenario(optimizer, agents, more));
        message.lines().next().unwrap_or_default().to_owned()
    };
    let t3 = "[[agents]]\ncount = 1\nnoise.student_t = { scale = 1.0, dof = 3 }";
    let correlated = "[[agents]]\ncount = 1\nnoise.gaussian = { covariance = [[1.0, 0.6], [0.6, 2.0]] }";
    let claim = |claim: &str| format!("[[claims]]\n{claim}");
    let refusals = [
        refused("momentum = { friction = 0.0 }", GAUSSIAN, ""),
        refused("momentum = { friction = 11.0 }", GAUSSIAN, ""),
        refused("momentum = {}", GAUSSIAN, ""),
        refused(MOMENTUM, GAUSSIAN, "[sde]\nform = \"closed\""),
        refused(MOMENTUM, GAUSSIAN, "[sde]\nform = \"modified_order_2\""),
        refused(MOMENTUM, GAUSSIAN, "sampling = \"exact_in_law\""),
        refused(MOMENTUM, &format!("{GAUSSIAN}\ncompressor.rand_k = {{ k = 1 }}"), ""),
        refused(MOMENTUM, GAUSSIAN, &claim("bound = { theorem = 3, process = \"sde\" }")),
        refused(MOMENTUM, GAUSSIAN, &claim("stationary = { process = \"sde\", margin = 0.1 }")),
        refused(
            MOMENTUM,
            GAUSSIAN,
            &claim(
                "scaling = { rule = \"sign_learning_rate_for_batch_size\", process = \"sde\", margin = 0.1 }",
            ),
        ),
        refused("rmsprop = { rate = 11.0, second_moment = 1.0 }", GAUSSIAN, ""),
        refused("rmsprop = { rate = 1.0, second_moment = 0.0 }", GAUSSIAN, ""),
        refused("rmsprop = { rate = 1.0, second_moment = [1.0, 1.0, 1.0] }", GAUSSIAN, ""),
        refused("rmsprop = { rate = 1.0, epsilon = -1.0, second_moment = 1.0 }", GAUSSIAN, ""),
        refused(RMSPROP, t3, ""),
        refused(RMSPROP, correlated, ""),
        refused("adam = { rate = 1.0 }", GAUSSIAN, ""),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

/// The mean of the agents' gradients is all that RMSprop's SDE knows of them, so that ∇f for each agent's ∇f_i is no mistake; nor is
/// a diagonal diffusion where v has no noise. Half the drift is one.
#[test]
fn a_mistake_that_is_none_is_noticed_under_rmsprop() {
    let agents = "[[agents]]\ncount = 2\nnoise.gaussian = { scale = 2.0 }\ngradient_offset = [1.0, -2.0]\n[[agents]]\ncount = 1\n\
                  noise.gaussian = { scale = 2.0 }\ngradient_offset = [-2.0, 4.0]";
    for sde in ["mutant = \"shared_mean_gradient\"", "form = \"closed\"\nmutant = \"diagonal_diffusion\""] {
        let message = refusal(&scenario(RMSPROP, agents, &format!("[sde]\n{sde}")));
        assert!(message.contains("changes nothing"), "{message}");
    }
    experiment(&scenario(RMSPROP, agents, "[sde]\nmutant = \"half_drift\""));
}

/// The spectral radius of the map of `(E x², E xm, E m²)` by a step of momentum on `h x²/2` whose noise is `√r h x z`.
fn growth_of_second_moments(eta: f64, friction: f64, h: f64, r: f64) -> f64 {
    let (keep, pull, noise) = (1.0 - eta * friction, eta * h, eta * eta * h * h * r);
    // m' = keep·m − pull·x(1 + √r z) and x' = x + η m', squared and averaged.
    let of_m = [pull * pull + noise, -2.0 * keep * pull, keep * keep];
    let of_xm = [-pull, keep, 0.0];
    let xm = [of_xm[0] + eta * of_m[0], of_xm[1] + eta * of_m[1], of_xm[2] + eta * of_m[2]];
    let xx: Vec<f64> =
        (0..3).map(|j| [1.0, 0.0, 0.0][j] + 2.0 * eta * of_xm[j] + eta * eta * of_m[j]).collect();
    let map = nalgebra::Matrix3::from_row_slice(&[&xx[..], &xm[..], &of_m[..]].concat());
    map.complex_eigenvalues().iter().map(|eigenvalue| eigenvalue.norm()).fold(0.0, f64::max)
}

#[test]
fn friction_rules_which_moments_exist() {
    let (eta, h): (f64, f64) = (0.1, 2.0);
    for friction in [0.3, 1.0, 2.0] {
        let agents = "[[agents]]\ncount = 1\nnoise.proportional = { scale = 0.5 }";
        let text = scenario(&format!("momentum = {{ friction = {friction} }}"), agents, "");
        // The index less 1 is inversely proportional to r, here dσ² = 0.5.
        let r = 0.5 * (experiment(&text).model.tail_index() - 1.0);
        // With this r the index would be 2: second moments begin to grow, up to a factor 1 + O(η²).
        let [below, above] =
            [0.98, 1.02].map(|factor| growth_of_second_moments(eta, friction, h, factor * r));
        assert!(below < 1.0 && above > 1.0, "{below} {above}");
    }
}
