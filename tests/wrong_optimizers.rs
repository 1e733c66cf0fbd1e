//! Wrong optimizers against moments of their steps, written out by hand for the mistake that each says it is.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{assert_moments, experiment};
use itocheck::agent::Scratch;
use itocheck::model::Model;
use itocheck::mutant::{Misfit, OptimizerMutant};
use itocheck::optimizer::Increment;
use itocheck::random::{Role, Streams};

const ETA: f64 = 0.1;
const X: [f64; 3] = [1.0, -2.0, 0.5];
/// ∇f(x) = Hx.
const V: [f64; 3] = [0.5, -2.0, 1.0];

/// At 6 standard errors 12 moments of 20 cases are missed by chance less than once in 10⁶ times.
const Z: f64 = 6.0;

fn model(optimizer: &str, agents: &str) -> Model {
    let text = format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [0.5, 1.0, 2.0] }}\n\
         [[agents]]\n{agents}\n[run]\nlearning_rate = {ETA}\nsteps = 10\nrecords = 5\nstart = [1.0, -2.0, 0.5]\n"
    );
    experiment(&text).model
}

fn mutant(name: &str) -> OptimizerMutant {
    *OptimizerMutant::ALL.iter().find(|mutant| mutant.name() == name).expect("a mutant")
}

fn delta(i: usize, j: usize) -> f64 {
    f64::from(u8::from(i == j))
}

/// Steps of the wrong optimizer have this mean, in −η, and this covariance, in η².
fn assert_step(
    (optimizer, agents): (&str, &str),
    name: &str,
    mean: impl Fn(usize) -> f64,
    covariance: impl Fn(usize, usize) -> f64,
) {
    let right = model(optimizer, agents);
    let wrong = mutant(name).spoil(&right).unwrap_or_else(|misfit| panic!("{name}: {misfit}"));
    let mut stream = Streams::of_path(7, Role::Optimizer, 0);
    let mut scratch = Scratch::default();
    let steps: Vec<Vec<f64>> = (0..200_000)
        .map(|_| {
            let mut x = X.to_vec();
            wrong.optimizer.step(&mut x, &mut stream, &mut scratch);
            x.iter().zip(X).map(|(after, before)| (before - after) / ETA).collect()
        })
        .collect();
    let mean: Vec<f64> = (0..3).map(mean).collect();
    println!("{name}");
    assert_moments(&steps, &mean, covariance, Z);
}

const COMPRESSED: (&str, &str) =
    ("dcsgd", "count = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 1 }");

/// `E[ΦΦᵀ]` of Rand-1 of 3, where the noise has this variance: 3 diag(G) − G.
fn error(i: usize, j: usize, variance: f64) -> f64 {
    let g = V[i] * V[j] + variance * delta(i, j);
    3.0 * g * delta(i, j) - g
}

/// What one agent sends has this covariance.
fn sent(i: usize, j: usize) -> f64 {
    delta(i, j) + error(i, j, 1.0)
}

#[test]
fn mistakes_in_the_step_as_a_whole() {
    let mean = |i: usize| V[i];
    assert_step(COMPRESSED, "sum_for_mean", |i| 2.0 * V[i], |i, j| 2.0 * sent(i, j));
    assert_step(COMPRESSED, "learning_rate_of_neighbour", |i| 2.0 * V[i], |i, j| 2.0 * sent(i, j));
    assert_step(
        ("dsgd", "count = 4\nnoise.gaussian = { scale = 1.0 }"),
        "sum_for_mean",
        |i| 4.0 * V[i],
        |i, j| 4.0 * delta(i, j),
    );
    assert_step(COMPRESSED, "noise_lost", mean, |i, j| error(i, j, 0.0) / 2.0);
    // Batches of 4 of deviation 2 have variance 1, and single samples 4.
    let batches = ("dsgd", "count = 2\nbatch_size = 4\nnoise.gaussian = { scale = 2.0 }");
    assert_step(batches, "batch_size_lost", mean, |i, j| 2.0 * delta(i, j));
    let heavy = ("dsgd", "count = 2\nnoise.student_t = { scale = 2.0, dof = 12 }");
    assert_step(heavy, "scale_as_standard_deviation", mean, |i, j| 2.0 * delta(i, j));
}

#[test]
fn mistakes_between_agents() {
    let mean = |i: usize| V[i];
    // One g, two masks: Cov g + E[ΦΦᵀ]/2.
    assert_step(COMPRESSED, "noise_shared", mean, |i, j| delta(i, j) + error(i, j, 1.0) / 2.0);
    // One mask of the mean of two g, whose noise has variance 1/2.
    assert_step(COMPRESSED, "masks_shared", mean, |i, j| delta(i, j) / 2.0 + error(i, j, 0.5));
    assert_step(("dsgd", "count = 4\nnoise.gaussian = { scale = 1.0 }"), "noise_shared", mean, delta);
    // Agents of different scale draw alike too: (1 + 3)²/4.
    let differing = "count = 1\nnoise.gaussian = { scale = 1.0 }\n[[agents]]\ncount = 1\nnoise.gaussian = { scale = 3.0 }";
    assert_step(("dsgd", differing), "noise_shared", mean, |i, j| 4.0 * delta(i, j));
    let permuted = ("dcsgd", "count = 3\nnoise.gaussian = { scale = 1.0 }\ncompressor.perm_k = { k = 1 }");
    assert_step(permuted, "own_permutations", mean, |i, j| sent(i, j) / 3.0);
    // One noise, one permutation: every coordinate is sent once, 3·g_j/3.
    assert_step(permuted, "noise_shared", mean, delta);
}

#[test]
fn mistakes_in_compressors() {
    let mean = |i: usize| V[i];
    assert_step(COMPRESSED, "compression_lost", mean, |i, j| delta(i, j) / 2.0);
    assert_step(COMPRESSED, "unscaled", |i| V[i] / 3.0, |i, j| sent(i, j) / 9.0 / 2.0);
    assert_step(COMPRESSED, "each_for_itself", mean, |i, j| sent(i, j) * delta(i, j) / 2.0);
    // Two draws of three with replacement: C = (3/2) m g with E m² = 8/9 and E m_i m_j = 2/9.
    let two = ("dcsgd", "count = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.rand_k = { k = 2 }");
    assert_step(two, "with_replacement", mean, |i, j| {
        let g = V[i] * V[j] + delta(i, j);
        ((if i == j { 2.0 } else { 0.5 }) * g - V[i] * V[j]) / 2.0
    });
    let bernoulli = ("dcsgd", "count = 1\nnoise.none = {}\ncompressor.bernoulli = { probability = 0.25 }");
    // g or 0, with probability 1/4.
    assert_step(bernoulli, "unscaled", |i| V[i] / 4.0, |i, j| 3.0 / 16.0 * V[i] * V[i] * delta(i, j));
}

#[test]
fn mistakes_in_signs() {
    let signs = ("dsignsgd", "count = 2\nnoise.gaussian = { scale = 1.0 }");
    // erf(v) for v = 1/2, 2, 1: the mean of two has variance 1/2; and erf(v/√2).
    let of_mean = [0.520_499_877_813_047, -0.995_322_265_018_953, 0.842_700_792_949_715];
    let of_one = [0.382_924_922_548_026, -0.954_499_736_103_642, 0.682_689_492_137_086];
    let variance = |mean: [f64; 3], i: usize, j: usize| (1.0 - mean[i] * mean[i]) * delta(i, j);
    assert_step(signs, "sign_of_mean", |i| of_mean[i], |i, j| variance(of_mean, i, j));
    assert_step(signs, "noise_shared", |i| of_one[i], |i, j| variance(of_one, i, j));
    // t₄ of deviation 1 has scale 1/√2: 2Ξ₄(u) = (3/2)s − s³/2 with s = u/√(4 + u²), u = √2 v.
    let heavy = ("dsignsgd", "count = 1\nnoise.student_t = { scale = 1.0, dof = 4 }");
    let t4 = V.map(|v| {
        let u = 2f64.sqrt() * v;
        let s = u / (4.0 + u * u).sqrt();
        1.5 * s - 0.5 * s * s * s
    });
    assert_step(heavy, "scale_as_standard_deviation", |i| t4[i], |i, j| variance(t4, i, j));
}

#[test]
fn a_step_too_many_comes_before_the_first_and_every_other_is_right() {
    let right = model("dsgd", "count = 2\nnoise.none = {}");
    let wrong = mutant("step_too_many").spoil(&right).unwrap();
    let stream = || Streams::of_path(7, Role::Optimizer, 0);
    let mut scratch = Scratch::default();
    let mut x = X.to_vec();
    right.optimizer.begin(&mut x, &mut stream(), &mut scratch);
    assert_eq!(x, X);
    wrong.optimizer.begin(&mut x, &mut stream(), &mut scratch);
    assert_eq!(x, [0.95, -1.8, 0.4]);
    let mut x = X.to_vec();
    wrong.optimizer.step(&mut x, &mut stream(), &mut scratch);
    assert_eq!(x, [0.95, -1.8, 0.4]);
    // And the paths start there.
    let process = wrong.optimizer_process(1, Role::Optimizer);
    let paths = itocheck::ensemble::record_paths(&process, 1, 1, 2);
    assert!(paths.iter().all(|path| path[0] == [0.95, -1.8, 0.4]));
}

#[test]
fn wrong_optimizers_declare_the_moments_of_the_right_one() {
    let right = model(COMPRESSED.0, COMPRESSED.1);
    let declared = |model: &Model| {
        let mut out = Increment::new(3);
        model.optimizer.declared().expect("declared").increment(&X, &mut out);
        let covariance: Vec<f64> = (0..9).map(|index| out.covariance.entry(index / 3, index % 3)).collect();
        (out.mean, covariance)
    };
    let mut spoiled = 0;
    for mutant in OptimizerMutant::ALL {
        if let Ok(wrong) = mutant.spoil(&right) {
            assert_eq!(declared(&wrong), declared(&right), "{}", mutant.name());
            spoiled += 1;
        }
    }
    assert_eq!(spoiled, 9);
}

#[test]
fn what_is_no_mistake_is_told_from_what_cannot_be_one() {
    let misfit = |(optimizer, agents): (&str, &str), name: &str| {
        let misfit = mutant(name).spoil(&model(optimizer, agents)).err().expect("no mutant");
        (matches!(misfit, Misfit::Equivalent(_)), misfit.to_string())
    };
    let alone = ("dcsgd", "count = 1\nnoise.none = {}\ncompressor.rand_k = { k = 1 }");
    let plain = ("dcsgd", "count = 2\nnoise.student_t = { scale = 1.0, dof = 9 }");
    let cauchy = ("dsignsgd", "count = 2\nnoise.student_t = { scale = 1.0, dof = 1 }");
    let natural = ("dcsgd", "count = 2\nnoise.gaussian = { scale = 1.0 }\ncompressor.natural = {}");
    for (agents, name, reason) in [
        (alone, "sum_for_mean", "N = 1"),
        (alone, "masks_shared", "N = 1"),
        (alone, "noise_shared", "N = 1"),
        (alone, "noise_lost", "no noise"),
        (alone, "batch_size_lost", "B = 1"),
        (alone, "with_replacement", "k = 1"),
        (alone, "scale_as_standard_deviation", "no noise is Student-t"),
        (plain, "masks_shared", "nothing is compressed"),
        (plain, "compression_lost", "nothing is compressed"),
    ] {
        let (is_equivalent, text) = misfit(agents, name);
        assert!(is_equivalent && text.contains(reason), "{name}: {text}");
    }
    for (agents, name, reason) in [
        (plain, "sign_of_mean", "one in dsignsgd"),
        (cauchy, "unscaled", "one in dcsgd"),
        (cauchy, "scale_as_standard_deviation", "no standard deviation"),
        (natural, "unscaled", "keeps coordinates"),
        (natural, "with_replacement", "rand_k"),
        (natural, "own_permutations", "perm_k"),
    ] {
        let (is_equivalent, text) = misfit(agents, name);
        assert!(!is_equivalent && text.contains(reason), "{name}: {text}");
    }
}
