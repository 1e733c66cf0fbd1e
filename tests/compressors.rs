//! Compressors against brute force over all masks, and against a million draws.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::assert_moments;
use itocheck::compressor::{Compressor, CompressorParameters};
use itocheck::covariance::Covariance;
use itocheck::random::{Role, Stream};

fn compressor(line: &str, dimension: usize) -> Box<dyn Compressor> {
    toml::from_str::<CompressorParameters>(line).unwrap().build(dimension).unwrap()
}

/// Every mask of `d` coordinates with its probability under the compressor and the factor of kept ones.
fn masks(line: &str, d: usize) -> (Vec<(Vec<bool>, f64)>, f64) {
    let all = (0..1usize << d).map(|bits| (0..d).map(|j| bits >> j & 1 == 1).collect::<Vec<bool>>());
    let kept = |mask: &[bool]| mask.iter().filter(|kept| **kept).count();
    if let Some(k) = line
        .strip_prefix("rand_k = { k = ")
        .and_then(|rest| rest.trim_end_matches(" }").parse::<usize>().ok())
    {
        let masks: Vec<Vec<bool>> = all.filter(|mask| kept(mask) == k).collect();
        let probability = 1.0 / masks.len() as f64;
        (masks.into_iter().map(|mask| (mask, probability)).collect(), d as f64 / k as f64)
    } else if line.starts_with("bernoulli") {
        let p = 0.3f64;
        let probability = |mask: &[bool]| p.powi(kept(mask) as i32) * (1.0 - p).powi((d - kept(mask)) as i32);
        (
            all.map(|mask| {
                let p = probability(&mask);
                (mask, p)
            })
            .collect(),
            1.0 / p,
        )
    } else {
        (vec![(vec![true; d], 1.0)], 1.0)
    }
}

const CASES: [(&str, usize); 9] = [
    ("rand_k = { k = 1 }", 1),
    ("rand_k = { k = 1 }", 2),
    ("rand_k = { k = 1 }", 4),
    ("rand_k = { k = 2 }", 3),
    ("rand_k = { k = 3 }", 4),
    ("rand_k = { k = 4 }", 4),
    ("bernoulli = { probability = 0.3 }", 1),
    ("bernoulli = { probability = 0.3 }", 4),
    ("identity = {}", 3),
];

const V: [f64; 4] = [1.0, -0.5, 2.0, 0.3];

/// A full Σ of dimension `d`: `I/2 + w wᵀ`.
fn sigma(d: usize) -> Covariance {
    let w = [0.6, -0.4, 0.3, 0.9];
    let mut sigma = Covariance::zero(d);
    sigma.add_diagonal(std::iter::repeat_n(0.5, d));
    sigma.add_dense(|i, j| w[i] * w[j]);
    sigma
}

#[test]
fn error_covariances_match_all_masks() {
    for (line, d) in CASES {
        let compressor = compressor(line, d);
        let (masks, factor) = masks(line, d);
        let g = sigma(d);
        let second = |i: usize, j: usize| V[i] * V[j] + g.entry(i, j);
        let mut claimed = Covariance::zero(d);
        compressor.add_error_covariance(1.0, &V[..d], &g, &mut claimed);
        let phi = |mask: &[bool], j: usize| if mask[j] { factor - 1.0 } else { -1.0 };
        for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))) {
            let unbiased: f64 = masks.iter().map(|(mask, p)| p * phi(mask, i)).sum();
            assert!(unbiased.abs() < 1e-14);
            let expected: f64 =
                masks.iter().map(|(mask, p)| p * phi(mask, i) * phi(mask, j)).sum::<f64>() * second(i, j);
            assert!(
                (claimed.entry(i, j) - expected).abs() < 1e-13,
                "{line} in {d}: {} {expected}",
                claimed.entry(i, j)
            );
        }
        // ω is attained by every v for these compressors: E‖C(v) − v‖² = ω‖v‖².
        let error: f64 = (0..d)
            .map(|j| masks.iter().map(|(mask, p)| p * phi(mask, j).powi(2)).sum::<f64>() * V[j] * V[j])
            .sum();
        let norm: f64 = V[..d].iter().map(|v| v * v).sum();
        assert!((error - compressor.omega() * norm).abs() < 1e-13 * norm, "{line} in {d}");
    }
}

#[test]
fn draws_match_mean_and_error_covariance() {
    for (index, (line, d)) in CASES.into_iter().enumerate() {
        let compressor = compressor(line, d);
        let mut stream = Stream::new(11, Role::Optimizer, index as u64);
        let samples: Vec<Vec<f64>> = (0..1_000_000)
            .map(|_| {
                let mut g = V[..d].to_vec();
                compressor.apply(&mut g, &mut stream);
                g
            })
            .collect();
        let mut claimed = Covariance::zero(d);
        compressor.add_error_covariance(1.0, &V[..d], &Covariance::zero(d), &mut claimed);
        // About 100 comparisons at 5.5 standard errors: a false alarm below 4e-6.
        assert_moments(&samples, &V[..d], |i, j| claimed.entry(i, j), 5.5);
    }
}

#[test]
#[should_panic(expected = "covariance[")]
fn an_unscaled_error_covariance_is_noticed() {
    let rand_k = compressor("rand_k = { k = 2 }", 4);
    let mut stream = Stream::new(12, Role::Optimizer, 0);
    let samples: Vec<Vec<f64>> = (0..100_000)
        .map(|_| {
            let mut g = V.to_vec();
            rand_k.apply(&mut g, &mut stream);
            g
        })
        .collect();
    // The worst-case bound ω‖v‖² spread evenly is not the covariance.
    let spread = rand_k.omega() * V.iter().map(|v| v * v).sum::<f64>() / 4.0;
    assert_moments(&samples, &V, |i, j| if i == j { spread } else { 0.0 }, 5.5);
}
