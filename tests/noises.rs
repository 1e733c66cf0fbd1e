//! Noises: their declared mean, covariance and sign law against draws of their own, and enumeration.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{assert_moments, objective};
use itocheck::covariance::Covariance;
use itocheck::noise::{Noise, NoiseParameters, SignLaw};
use itocheck::objective::Objective;
use itocheck::random::{Role, Stream};
use itocheck::special::sign;
use std::sync::Arc;

const IRIS: &str = "logistic = { data = \"iris\", regularisation = 0.05 }";
const X: [f64; 5] = [0.3, -0.2, 0.5, 0.1, -0.4];
/// Comparisons at 5.5 standard errors: over the 400 or so here a false alarm below 2e-5.
const Z: f64 = 5.5;

fn noise(line: &str, batch_size: usize) -> (Arc<dyn Objective>, Box<dyn Noise>) {
    let objective = objective(IRIS);
    let noise = toml::from_str::<NoiseParameters>(line).unwrap().build(&objective, batch_size).unwrap();
    (objective, noise)
}

fn gradient(f: &dyn Objective) -> Vec<f64> {
    let mut v = vec![0.0; 5];
    f.gradient(&X, &mut v);
    v
}

fn draws(noise: &dyn Noise, v: &[f64], n: usize, path: u64) -> Vec<Vec<f64>> {
    let mut stream = Stream::new(21, Role::Optimizer, path);
    (0..n)
        .map(|_| {
            let mut g = vec![0.0; 5];
            noise.sample(&X, v, &mut stream, &mut g);
            g
        })
        .collect()
}

const CORRELATED: &str = "gaussian = { covariance = [[1.0, 0.4, 0.2, 0.0, 0.1], [0.4, 0.8, -0.3, 0.0, 0.0], \
    [0.2, -0.3, 0.6, 0.1, 0.0], [0.0, 0.0, 0.1, 0.5, 0.2], [0.1, 0.0, 0.0, 0.2, 0.9]] }";

#[test]
fn draws_have_the_declared_mean_and_covariance() {
    let lines = [
        "gaussian = { scale = 0.7 }",
        "gaussian = { scale = [0.1, 0.2, 0.5, 1.0, 2.0] }",
        CORRELATED,
        "student_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 12 }",
        "none = {}",
        "minibatch = {}",
    ];
    for (index, line) in lines.into_iter().enumerate() {
        for batch_size in [1, 4] {
            let (f, noise) = noise(line, batch_size);
            let v = gradient(&*f);
            let samples = draws(&*noise, &v, 200_000, 10 * index as u64 + batch_size as u64);
            let mut covariance = Covariance::zero(5);
            noise.add_covariance(1.0, &X, &mut covariance);
            assert_moments(&samples, &v, |i, j| covariance.entry(i, j), Z);
        }
    }
}

#[test]
#[should_panic(expected = "covariance[")]
fn a_scale_taken_for_a_standard_deviation_is_noticed() {
    let (f, noise) = noise("student_t = { scale = 1.0, dof = 12 }", 1);
    let v = gradient(&*f);
    assert_moments(&draws(&*noise, &v, 200_000, 99), &v, |i, j| if i == j { 1.0 } else { 0.0 }, Z);
}

#[test]
fn draws_have_the_declared_sign_law() {
    let lines = [
        ("gaussian = { scale = [0.1, 0.2, 0.5, 1.0, 2.0] }", 4),
        ("student_t = { scale = 0.2, dof = 1 }", 1),
        ("student_t = { scale = 0.2, dof = 0.03 }", 1),
        ("student_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 2.5 }", 4),
        ("none = {}", 1),
        ("minibatch = {}", 1),
    ];
    for (index, (line, batch_size)) in lines.into_iter().enumerate() {
        let (f, noise) = noise(line, batch_size);
        let v = gradient(&*f);
        let mut law = SignLaw::zero(5);
        noise.sign_law(&X, &v, &mut law);
        let mut samples = draws(&*noise, &v, 200_000, 200 + index as u64);
        samples.iter_mut().flatten().for_each(|g| *g = sign(*g));
        assert_moments(&samples, &law.mean, |i, j| law.covariance.entry(i, j), Z);
    }
}

#[test]
fn the_sign_law_of_minibatches_is_that_of_all_samples() {
    // An independent enumeration: per-sample gradients by differences of log(1 + exp(−y xᵀa)).
    let (f, noise) = noise("minibatch = {}", 1);
    let sum = f.finite_sum().unwrap();
    let rows: Vec<Vec<f64>> = (0..100)
        .map(|s| {
            let mut row = vec![0.0; 5];
            sum.add_term_gradient(s, -2.0, &[0.0; 5], &mut row);
            row
        })
        .collect();
    let term = |row: &[f64], x: &[f64]| {
        let margin: f64 = row.iter().zip(x).map(|(a, x)| a * x).sum();
        (-margin).exp().ln_1p() + 0.025 * x.iter().map(|x| x * x).sum::<f64>()
    };
    let signs: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let slope = |j: usize| {
                let shifted = |h: f64| {
                    let mut x = X;
                    x[j] += h;
                    term(row, &x)
                };
                shifted(1e-6) - shifted(-1e-6)
            };
            (0..5).map(|j| slope(j).signum()).collect()
        })
        .collect();
    let (mean, covariance) = common::moments(&signs);
    let mut law = SignLaw::zero(5);
    noise.sign_law(&X, &gradient(&*f), &mut law);
    for i in 0..5 {
        assert!((law.mean[i] - mean[i]).abs() < 1e-12);
        for j in 0..5 {
            assert!((law.covariance.entry(i, j) - covariance[5 * i + j]).abs() < 1e-12);
        }
    }
    assert!(
        (0..5).any(|i| (0..i).any(|j| covariance[5 * i + j].abs() > 0.1)),
        "the joint law is not a product"
    );
}

#[test]
fn intractable_sign_laws_are_refused_with_the_reason() {
    assert!(noise("minibatch = {}", 2).1.sign_law_refusal().unwrap().contains("batch_size = 1"));
    assert!(noise(CORRELATED, 1).1.sign_law_refusal().unwrap().contains("orthant"));
    assert!(noise("minibatch = {}", 1).1.sign_law_refusal().is_none());
}
