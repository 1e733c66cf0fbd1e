//! Noises: their declared mean, covariance and sign law against draws of their own, and enumeration.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::{assert_moments, objective};
use itocheck::covariance::Covariance;
use itocheck::noise::{Noise, NoiseParameters, SignLaw};
use itocheck::objective::Objective;
use itocheck::random::{Role, Streams};
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
    let mut stream = Streams::of_path(21, Role::Optimizer, path);
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
            noise.add_covariance(1.0, &X, &v, &mut covariance);
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

const MULTIVARIATE: &str = "multivariate_t = { scale_matrix = [[1.0, 0.4, 0.2, 0.0, 0.1], [0.4, 0.8, -0.3, 0.0, 0.0], \
    [0.2, -0.3, 0.6, 0.1, 0.0], [0.0, 0.0, 0.1, 0.5, 0.2], [0.1, 0.0, 0.0, 0.2, 0.9]], dof = 12 }";
/// Draws for the noises below, whose signs are subtler.
const MILLION: usize = 1_000_000;

#[test]
fn a_million_draws_have_the_declared_mean_and_covariance() {
    let lines = [
        (MULTIVARIATE, 2),
        ("multivariate_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 12 }", 1),
        ("batch_mean_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 12 }", 3),
        ("contaminated = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], fraction = 0.1, factor = 5 }", 1),
        ("contaminated = { scale = 0.3, fraction = 0.1, factor = 5 }", 4),
        ("proportional = { scale = 0.8 }", 2),
    ];
    for (index, (line, batch_size)) in lines.into_iter().enumerate() {
        let (f, noise) = noise(line, batch_size);
        let v = gradient(&*f);
        let mut covariance = Covariance::zero(5);
        noise.add_covariance(1.0, &X, &v, &mut covariance);
        let samples = draws(&*noise, &v, MILLION, 300 + index as u64);
        assert_moments(&samples, &v, |i, j| covariance.entry(i, j), Z);
    }
}

fn sign_law(noise: &dyn Noise, v: &[f64]) -> SignLaw {
    let mut law = SignLaw::zero(v.len());
    noise.sign_law(&X[..v.len()], v, &mut law);
    law
}

/// A million signs of draws of `line` against the sign law that `claimed` declares.
fn assert_sign_law(line: &str, claimed: &str, batch_size: usize, path: u64) {
    let (f, drawn) = noise(line, batch_size);
    let v: Vec<f64> = gradient(&*f).iter().map(|v| 2.0 * v).collect();
    let law = sign_law(&*noise(claimed, batch_size).1, &v);
    let mut samples = draws(&*drawn, &v, MILLION, path);
    samples.iter_mut().flatten().for_each(|g| *g = sign(*g));
    assert_moments(&samples, &law.mean, |i, j| law.covariance.entry(i, j), Z);
}

#[test]
fn a_million_draws_have_the_declared_sign_law() {
    let lines = [
        (CORRELATED, 3),
        (MULTIVARIATE, 2),
        ("multivariate_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 1 }", 1),
        ("multivariate_t = { scale = 0.3, dof = 2.5 }", 1),
        ("batch_mean_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 3 }", 4),
        ("batch_mean_t = { scale = 0.3, dof = 1.2 }", 2),
        ("contaminated = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], fraction = 0.1, factor = 5 }", 1),
        ("contaminated = { scale = 0.3, fraction = 0.1, factor = 5 }", 4),
        ("proportional = { scale = 0.8 }", 2),
    ];
    for (index, (line, batch_size)) in lines.into_iter().enumerate() {
        assert_sign_law(line, line, batch_size, 400 + index as u64);
    }
}

#[test]
#[should_panic(expected = "covariance[")]
fn coordinates_taken_for_independent_are_noticed() {
    let marginals = "student_t = { scale = 0.3, dof = 2.5 }";
    assert_sign_law("multivariate_t = { scale = 0.3, dof = 2.5 }", marginals, 1, 500);
}

#[test]
#[should_panic(expected = "mean[")]
fn the_posters_batch_taken_for_the_true_one_is_noticed() {
    let of_the_poster = "student_t = { scale = 0.3, dof = 3 }";
    assert_sign_law("batch_mean_t = { scale = 0.3, dof = 3 }", of_the_poster, 16, 501);
}

#[test]
#[should_panic(expected = "mean[")]
fn contamination_taken_for_a_wider_gaussian_is_noticed() {
    // The same variance: 0.3² (0.9 + 0.1 · 25).
    let wider = "gaussian = { scale = 0.553172667437573 }";
    assert_sign_law("contaminated = { scale = 0.3, fraction = 0.1, factor = 5 }", wider, 1, 502);
}

fn in_the_plane(line: &str, batch_size: usize) -> Box<dyn Noise> {
    let plane = objective("quadratic = { eigenvalues = [1.0, 1.0] }");
    toml::from_str::<NoiseParameters>(line).unwrap().build(&plane, batch_size).unwrap()
}

#[test]
fn one_shared_chi_squared_correlates_signs() {
    // THEORY section 6, item 6: Cov 1/12 at ν = 1, S⁻¹∇f = (1, 1), for a diagonal S.
    let noise = in_the_plane("multivariate_t = { scale = [2.0, 0.5], dof = 1 }", 1);
    let law = sign_law(&*noise, &[2.0, 0.5]);
    assert!((law.covariance.entry(0, 1) - 1.0 / 12.0).abs() < 1e-11, "{}", law.covariance.entry(0, 1));
    assert!((law.mean[0] - 0.5).abs() < 1e-15 && (law.covariance.entry(0, 0) - 0.75).abs() < 1e-15);
    // At the optimum it does not.
    assert!(sign_law(&*noise, &[0.0, 0.0]).covariance.entry(0, 1).abs() < 1e-11);
}

#[test]
fn coordinates_without_noise_have_sure_signs() {
    let noise = in_the_plane("gaussian = { covariance = [[1.0, 0.0], [0.0, 0.0]] }", 1);
    let law = sign_law(&*noise, &[0.0, -0.5]);
    assert_eq!((law.mean[0], law.mean[1]), (0.0, -1.0));
    assert!(noise.scaled_student_t().is_none(), "S⁻¹ does not exist");
    assert_eq!([(0, 0), (0, 1), (1, 1)].map(|(i, j)| law.covariance.entry(i, j)), [1.0, 0.0, 0.0]);
    // Nor is there noise in proportion to a gradient of zero.
    let noise = in_the_plane("proportional = { scale = 1.0 }", 1);
    let law = sign_law(&*noise, &[0.0, 0.0]);
    assert_eq!((law.mean[0], law.covariance.trace()), (0.0, 0.0));
}

#[test]
fn contaminated_batches_are_those_of_all_patterns() {
    let noise = in_the_plane("contaminated = { scale = 0.7, fraction = 0.2, factor = 4 }", 3);
    let v = [0.4, -1.3];
    let law = sign_law(&*noise, &v);
    for (j, v) in v.into_iter().enumerate() {
        let positive: f64 = (0..8u32)
            .map(|pattern| {
                let contaminated = pattern.count_ones() as i32;
                let variance = 0.49 * f64::from((3 - contaminated) + 16 * contaminated) / 9.0;
                let probability = 0.2f64.powi(contaminated) * 0.8f64.powi(3 - contaminated);
                probability * 0.5 * libm::erfc(-v / (2.0 * variance).sqrt())
            })
            .sum();
        assert!((law.mean[j] - (2.0 * positive - 1.0)).abs() < 1e-13);
    }
    // Large batches are almost Gaussian, with the variance of one sample over B.
    let noise = in_the_plane("contaminated = { scale = 1.0, fraction = 0.2, factor = 4 }", 1_000_000);
    let mean = sign_law(&*noise, &[2e-3, 0.0]).mean[0];
    assert!((mean - libm::erf(1.0 / 2f64.sqrt())).abs() < 1e-5, "{mean}");
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let plane = objective("quadratic = { eigenvalues = [1.0, 1.0] }");
    let refusal = |line: &str, batch_size: usize| {
        let refused = toml::from_str::<NoiseParameters>(line).unwrap().build(&plane, batch_size);
        refused.err().map(|invalid| invalid.to_string()).unwrap_or_default()
    };
    for (line, batch_size, expected) in [
        (
            "multivariate_t = { dof = 3 }",
            1,
            "multivariate_t: expected exactly one of `scale` and `scale_matrix`",
        ),
        (
            "multivariate_t = { scale = 1, dof = 0 }",
            1,
            "multivariate_t.dof: 0; expected a finite number above 0",
        ),
        ("multivariate_t = { scale_matrix = [[1.0]], dof = 3 }", 1, "expected a 2 × 2 matrix"),
        (
            "batch_mean_t = { scale = 1, dof = 0.9 }",
            1,
            "batch_mean_t.dof: 0.9; expected a finite number of at least 1",
        ),
        ("batch_mean_t = { scale = 1, dof = 3 }", 20_000, "batches of 20000"),
        (
            "contaminated = { scale = 1, fraction = 1.1, factor = 2 }",
            1,
            "contaminated.fraction: 1.1; expected a number",
        ),
        (
            "contaminated = { scale = 1, fraction = 0.1, factor = 0 }",
            1,
            "contaminated.factor: 0; expected a finite",
        ),
        ("proportional = { scale = 0 }", 1, "proportional.scale: 0; expected a finite number above 0"),
    ] {
        assert!(refusal(line, batch_size).contains(expected), "{line}: {}", refusal(line, batch_size));
    }
}

#[test]
fn intractable_sign_laws_are_refused_with_the_reason() {
    assert!(noise("minibatch = {}", 2).1.sign_law_refusal().unwrap().contains("batch_size = 1"));
    assert!(noise("minibatch = {}", 1).1.sign_law_refusal().is_none());
}

const SCALES: [f64; 5] = [0.1, 0.2, 0.5, 1.0, 2.0];
/// What `CORRELATED` and `MULTIVARIATE` say.
const MATRIX: [[f64; 5]; 5] = [
    [1.0, 0.4, 0.2, 0.0, 0.1],
    [0.4, 0.8, -0.3, 0.0, 0.0],
    [0.2, -0.3, 0.6, 0.1, 0.0],
    [0.0, 0.0, 0.1, 0.5, 0.2],
    [0.1, 0.0, 0.0, 0.2, 0.9],
];

#[test]
fn a_batch_divides_the_covariance_of_one_sample() {
    let v = gradient(&*objective(IRIS));
    let squared_norm: f64 = v.iter().map(|v| v * v).sum();
    let diagonal = |i: usize, j: usize, entry: f64| if i == j { entry } else { 0.0 };
    let squares = |i: usize, j: usize, factor: f64| diagonal(i, j, factor * SCALES[i] * SCALES[i]);
    // The covariance of one sample, written out: t₁₂ has variance 12/10, contamination 0.9 + 0.1 · 25.
    type Entry<'a> = &'a dyn Fn(usize, usize) -> f64;
    let cases: [(&str, Entry); 7] = [
        ("gaussian = { scale = [0.1, 0.2, 0.5, 1.0, 2.0] }", &|i, j| squares(i, j, 1.0)),
        (CORRELATED, &|i, j| MATRIX[i][j]),
        ("student_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 12 }", &|i, j| squares(i, j, 1.2)),
        (MULTIVARIATE, &|i, j| 1.2 * MATRIX[i][j]),
        ("batch_mean_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 12 }", &|i, j| squares(i, j, 1.2)),
        ("contaminated = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], fraction = 0.1, factor = 5 }", &|i, j| {
            squares(i, j, 3.4)
        }),
        ("proportional = { scale = 0.8 }", &|i, j| diagonal(i, j, 0.64 * squared_norm)),
    ];
    for (line, of_one) in cases {
        for batch_size in [1, 4] {
            let mut covariance = Covariance::zero(5);
            noise(line, batch_size).1.add_covariance(1.0, &X, &v, &mut covariance);
            for (i, j) in (0..5).flat_map(|i| (0..5).map(move |j| (i, j))) {
                let (got, expected) = (covariance.entry(i, j), of_one(i, j) / batch_size as f64);
                assert!(
                    (got - expected).abs() < 1e-14,
                    "{line}, B = {batch_size}: [{i}][{j}] {got} {expected}"
                );
            }
        }
    }
}

#[test]
fn a_batch_divides_the_scale_of_gaussian_signs_by_its_root() {
    let v = gradient(&*objective(IRIS));
    let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let cases: [(&str, &dyn Fn(usize) -> f64); 3] = [
        ("gaussian = { scale = [0.1, 0.2, 0.5, 1.0, 2.0] }", &|j| SCALES[j]),
        (CORRELATED, &|j| MATRIX[j][j].sqrt()),
        ("proportional = { scale = 0.8 }", &|_| 0.8 * norm),
    ];
    for (line, deviation) in cases {
        let law = sign_law(&*noise(line, 4).1, &v);
        for (j, v) in v.iter().enumerate() {
            // E sign(v + s z) = erf(v/(s√2)), with s = deviation/√4.
            let expected = libm::erf(v / (deviation(j) / 2.0) / 2f64.sqrt());
            assert!((law.mean[j] - expected).abs() < 1e-14, "{line}: {} {expected}", law.mean[j]);
        }
    }
}

#[test]
fn the_closed_form_takes_a_batch_to_divide_the_scale_by_its_root() {
    let cases = [
        ("student_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 3 }", SCALES, 3.0),
        ("batch_mean_t = { scale = [0.1, 0.2, 0.5, 1.0, 2.0], dof = 3 }", SCALES, 3.0),
        ("gaussian = { scale = [0.1, 0.2, 0.5, 1.0, 2.0] }", SCALES, f64::INFINITY),
        (CORRELATED, std::array::from_fn(|j| MATRIX[j][j].sqrt()), f64::INFINITY),
        (MULTIVARIATE, std::array::from_fn(|j| MATRIX[j][j].sqrt()), 12.0),
    ];
    for (line, of_one, dof) in cases {
        let (_, noise) = noise(line, 4);
        let (scale, got_dof) = noise.scaled_student_t().unwrap();
        assert_eq!(got_dof, dof, "{line}");
        assert!(
            scale.iter().zip(of_one).all(|(got, of_one)| (got - of_one / 2.0).abs() < 1e-15),
            "{line}: {scale:?}"
        );
    }
}

#[test]
fn noise_in_proportion_multiplies_the_state_as_compression_does() {
    // E‖g − v‖² = (dσ²/B)‖v‖² = 2 · 0.36/2 ‖v‖².
    assert!((in_the_plane("proportional = { scale = 0.6 }", 2).relative_variance() - 0.36).abs() < 1e-15);
    assert_eq!(in_the_plane("gaussian = { scale = 0.6 }", 2).relative_variance(), 0.0);
    // The tail of THEORY section 4, 1 + 2N/(ηωL), with (1 + ω)(1 + 0.36) − 1 in place of ω: N = 2, η = 0.01, L = 2.
    let tail_index = |compressor: &str, noise: &str| {
        let text = common::GOOD.replace("rand_k = { k = 1 }", compressor);
        let text =
            text.replace("noise.gaussian = { scale = 1.0 }", &format!("batch_size = 2\nnoise.{noise}"));
        common::experiment(&text).model.tail_index()
    };
    let close = |got: f64, multiplied: f64| {
        let expected = 1.0 + 4.0 / (0.01 * multiplied * 2.0);
        assert!((got / expected - 1.0).abs() < 1e-13, "{got} {expected}");
    };
    close(tail_index("identity = {}", "proportional = { scale = 0.6 }"), 0.36);
    close(tail_index("rand_k = { k = 1 }", "proportional = { scale = 0.6 }"), 2.0 * 1.36 - 1.0);
    close(tail_index("rand_k = { k = 1 }", "gaussian = { scale = 0.6 }"), 1.0);
    assert_eq!(tail_index("identity = {}", "gaussian = { scale = 0.6 }"), f64::INFINITY);
}
