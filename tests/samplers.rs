//! The samplers against their laws: Kolmogorov–Smirnov, moments, tails, and rand_distr.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::random::{Role, Stream};
use rand::SeedableRng;
use rand_distr::Distribution;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

const N: usize = 1_000_000;

/// Critical value of `√n D` at level 1e-6: `2 exp(−2 c²) = 1e-6` (Kolmogorov's limit law).
const KOLMOGOROV_AT_1E_6: f64 = 2.694;

fn stream(path: u64) -> Stream {
    Stream::new(7, Role::Optimizer, path)
}

/// `√n D` between a sample and a distribution function.
fn kolmogorov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample
        .iter()
        .enumerate()
        .map(|(index, &x)| {
            let p = cdf(x);
            (p - index as f64 / n).abs().max((p - (index as f64 + 1.0) / n).abs())
        })
        .fold(0.0, f64::max);
    distance * n.sqrt()
}

#[test]
fn normals_have_their_law() {
    let mut stream = stream(0);
    let sample: Vec<f64> = (0..N).map(|_| stream.normal()).collect();
    let law = Normal::new(0.0, 1.0).unwrap();
    assert!(kolmogorov(sample.clone(), |x| law.cdf(x)) < KOLMOGOROV_AT_1E_6);
    let moment = |power: i32| sample.iter().map(|x| x.powi(power)).sum::<f64>() / N as f64;
    // Variances of x, x², x³, x⁴ under the normal: 1, 2, 15, 96; limits at 5 standard errors.
    for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let error = (f64::from(variance as i32) / N as f64).sqrt();
        assert!((moment(power) - expected).abs() < 5.0 * error, "moment {power}");
    }
}

#[test]
fn normals_have_their_tails() {
    let mut stream = stream(1);
    let n = 40_000_000u64;
    let mut beyond = [0u64; 3];
    let limits = [3.7, 4.5, 5.2];
    for _ in 0..n {
        let x = stream.normal().abs();
        for (count, limit) in beyond.iter_mut().zip(limits) {
            *count += u64::from(x > limit);
        }
    }
    let law = Normal::new(0.0, 1.0).unwrap();
    for (count, limit) in beyond.into_iter().zip(limits) {
        // Poisson counts: five standard deviations, of 7.97 expected beyond 5.2.
        let expected = n as f64 * 2.0 * law.sf(limit);
        assert!(
            (count as f64 - expected).abs() < 5.0 * expected.sqrt(),
            "{count} beyond {limit}, expected {expected}"
        );
    }
}

#[test]
fn student_t_has_its_law() {
    for (path, dof) in [0.5, 1.0, 2.0, 3.0, 4.7, 10.0, 200.0].into_iter().enumerate() {
        let mut stream = stream(10 + path as u64);
        let sample: Vec<f64> = (0..N).map(|_| stream.student_t(dof)).collect();
        let law = StudentsT::new(0.0, 1.0, dof).unwrap();
        let distance = kolmogorov(sample, |x| law.cdf(x));
        assert!(distance < KOLMOGOROV_AT_1E_6, "ν = {dof}: {distance}");
    }
}

#[test]
fn samplers_agree_with_rand_distr() {
    // Two-sample test; the limit law of √(n/2) D is the same.
    let mut reference = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(3);
    let mut stream = stream(30);
    let law = rand_distr::StudentT::new(3.0).unwrap();
    let mut theirs: Vec<f64> = (0..N).map(|_| law.sample(&mut reference)).collect();
    theirs.sort_by(f64::total_cmp);
    let ours: Vec<f64> = (0..N).map(|_| stream.student_t(3.0)).collect();
    let empirical = |x: f64| theirs.partition_point(|&y| y <= x) as f64 / N as f64;
    assert!(kolmogorov(ours, empirical) / 2f64.sqrt() < KOLMOGOROV_AT_1E_6);
}

#[test]
fn a_wrong_law_is_noticed() {
    let mut stream = stream(40);
    let sample: Vec<f64> = (0..N).map(|_| stream.student_t(40.0)).collect();
    let law = Normal::new(0.0, 1.0).unwrap();
    assert!(kolmogorov(sample, |x| law.cdf(x)) > KOLMOGOROV_AT_1E_6);
}

#[test]
fn indices_are_uniform() {
    for n in [1usize, 2, 3, 7, 100] {
        let mut stream = stream(50 + n as u64);
        let mut counts = vec![0u64; n];
        (0..N).for_each(|_| counts[stream.index(n)] += 1);
        let expected = N as f64 / n as f64;
        for count in counts {
            assert!((count as f64 - expected).abs() <= 5.5 * expected.sqrt());
        }
    }
}

#[test]
fn streams_differ_by_seed_role_and_path() {
    let first = |seed, role, path| Stream::new(seed, role, path).uniform();
    let base = first(1, Role::Optimizer, 1);
    assert_eq!(base, first(1, Role::Optimizer, 1));
    for other in [
        first(2, Role::Optimizer, 1),
        first(1, Role::Sde, 1),
        first(1, Role::Pilot, 1),
        first(1, Role::States, 1),
        first(1, Role::Increments(0), 1),
        first(1, Role::Increments(1), 1),
        first(1, Role::Optimizer, 2),
    ] {
        assert_ne!(base, other);
    }
}
