//! The samplers against their laws: Kolmogorov–Smirnov, moments, tails, and rand_distr.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

use itocheck::random::{Role, Stream, Streams};
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

/// A sample of 64 paths that draw side by side, `rows` rows at a time.
fn side_by_side(path: u64, rows: usize, mut draw: impl FnMut(&mut Streams, &mut [f64])) -> Vec<f64> {
    let first = 64 * path;
    let mut streams = Streams::new(7, Role::Optimizer, first..first + 64);
    let mut sample = vec![0.0; N / (64 * rows) * 64 * rows];
    sample.chunks_exact_mut(64 * rows).for_each(|out| draw(&mut streams, out));
    sample
}

#[test]
fn the_generator_is_that_of_its_authors() {
    // The state as bytes is the seed of theirs; the role of optimizers has the tag 0.
    let mut stream = stream(77);
    let mut digest = sha2::Sha256::default();
    sha2::Digest::update(&mut digest, [7u64, 0, 77].map(u64::to_le_bytes).concat());
    let mut theirs = rand_xoshiro::Xoshiro256PlusPlus::from_seed(sha2::Digest::finalize(digest).into());
    for _ in 0..1000 {
        let word = rand::Rng::next_u64(&mut theirs);
        let uniform = ((word >> 12) as f64 + 0.5) / 2f64.powi(52);
        assert_eq!(stream.uniform(), uniform);
    }
}

#[test]
fn uniforms_have_their_law() {
    for rows in [1, 3, 4, 17] {
        let sample = side_by_side(rows as u64, rows, |streams, out| streams.uniforms(out));
        assert!(sample.iter().all(|u| 0.0 < *u && *u < 1.0));
        assert!(kolmogorov(sample, |u| u) < KOLMOGOROV_AT_1E_6, "{rows} rows");
    }
}

#[test]
fn normals_have_their_law() {
    let law = Normal::new(0.0, 1.0).unwrap();
    // Whole groups of rows, pairs and single rows are left over by turns.
    for rows in [1, 2, 5, 16, 19] {
        let sample = side_by_side(10 + rows as u64, rows, |streams, out| streams.normals(out));
        assert!(kolmogorov(sample.clone(), |x| law.cdf(x)) < KOLMOGOROV_AT_1E_6, "{rows} rows");
        let n = sample.len() as f64;
        let moment = |power: i32| sample.iter().map(|x| x.powi(power)).sum::<f64>() / n;
        // Variances of x, x², x³, x⁴ under the normal: 1, 2, 15, 96; limits at 5.5 standard errors, 1e-6 for all.
        for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0f64)] {
            let error = (variance / n).sqrt();
            assert!((moment(power) - expected).abs() < 5.5 * error, "moment {power}, {rows} rows");
        }
    }
}

#[test]
fn normals_of_one_path_are_independent() {
    // Of all pairs of rows, the products and the products of squares: 2 · 19 · 18/2 means at 6 standard errors, 1e-6 for all.
    let rows = 19;
    let sample = side_by_side(40, rows, |streams, out| streams.normals(out));
    let row = |draw: &[f64], row: usize, path: usize| draw[row * 64 + path];
    for first in 0..rows {
        for second in first + 1..rows {
            let (mut product, mut squares, mut count) = (0.0, 0.0, 0.0f64);
            for draw in sample.chunks_exact(64 * rows) {
                for path in 0..64 {
                    let (x, y) = (row(draw, first, path), row(draw, second, path));
                    product += x * y;
                    squares += x * x * y * y - 1.0;
                    count += 1.0;
                }
            }
            assert!((product / count).abs() < 6.0 / count.sqrt(), "rows {first} and {second}");
            // Var x²y² = 9 − 1.
            assert!(
                (squares / count).abs() < 6.0 * (8.0 / count).sqrt(),
                "squares of rows {first} and {second}"
            );
        }
    }
}

#[test]
fn gaussians_have_their_variance() {
    let law = Normal::new(0.0, 0.1).unwrap();
    let sample = side_by_side(41, 16, |streams, out| streams.gaussians(0.01, out));
    assert!(kolmogorov(sample, |x| law.cdf(x)) < KOLMOGOROV_AT_1E_6);
}

#[test]
fn normals_have_their_tails() {
    let mut streams = Streams::new(7, Role::Optimizer, 5000..5064);
    let mut out = vec![0.0; 64 * 16];
    let draws = 400_000u64;
    let mut beyond = [0u64; 4];
    let limits = [3.7, 4.5, 5.2, 5.7];
    for _ in 0..draws {
        streams.normals(&mut out);
        for x in &out {
            for (count, limit) in beyond.iter_mut().zip(limits) {
                *count += u64::from(x.abs() > limit);
            }
        }
    }
    let n = (draws * out.len() as u64) as f64;
    let law = Normal::new(0.0, 1.0).unwrap();
    for (count, limit) in beyond.into_iter().zip(limits) {
        // Poisson counts of at least 4.9 expected: 7 standard deviations, whose probability is below 1e-6 even there.
        let expected = n * 2.0 * law.sf(limit);
        assert!(
            (count as f64 - expected).abs() < 7.0 * expected.sqrt(),
            "{count} beyond {limit}, expected {expected}"
        );
    }
}

#[test]
fn student_t_has_its_law() {
    for (path, dof) in [0.5, 1.0, 2.0, 3.0, 4.7, 10.0, 200.0, 1e7].into_iter().enumerate() {
        let law = StudentsT::new(0.0, 1.0, dof).unwrap();
        let sample =
            side_by_side(100 + path as u64, 16 + path % 4, |streams, out| streams.student_ts(dof, out));
        let distance = kolmogorov(sample, |x| law.cdf(x));
        assert!(distance < KOLMOGOROV_AT_1E_6, "ν = {dof}: {distance}");
    }
}

#[test]
fn student_t_has_its_tails() {
    for (path, dof) in [1.0, 3.0, 8.0].into_iter().enumerate() {
        let law = StudentsT::new(0.0, 1.0, dof).unwrap();
        let sample = side_by_side(120 + path as u64, 16, |streams, out| streams.student_ts(dof, out));
        // Where a thousandth, and where a hundred of the million are beyond, which is beyond five deviations.
        for probability in [1e-3f64, 1e-4] {
            let limit = law.inverse_cdf(1.0 - 0.5 * probability);
            let expected = probability * sample.len() as f64;
            let count = sample.iter().filter(|x| x.abs() > limit).count() as f64;
            assert!(
                (count - expected).abs() < 6.0 * expected.sqrt(),
                "ν = {dof}: {count} beyond {limit}, {expected}"
            );
        }
        // And no side has more than its half.
        let positive = sample.iter().filter(|x| **x > 0.0).count() as f64;
        let n = sample.len() as f64;
        assert!((positive - 0.5 * n).abs() < 5.0 * (0.25 * n).sqrt());
    }
}

#[test]
fn student_t_of_small_dof_is_finite() {
    let sample = side_by_side(130, 16, |streams, out| streams.student_ts(0.01, out));
    assert!(sample.iter().all(|x| x.is_finite() && *x != 0.0));
}

#[test]
fn signs_are_fair() {
    // Means and products of neighbours at 6 standard errors; 130 rows take three words.
    let rows = 130;
    let sample = side_by_side(140, rows, |streams, out| streams.signs(out));
    assert!(sample.iter().all(|sign| sign.abs() == 1.0));
    let mut sums = vec![[0.0f64; 2]; rows - 1];
    for draw in sample.chunks_exact(64 * rows) {
        for (row, [mean, product]) in sums.iter_mut().enumerate() {
            for path in 0..64 {
                *mean += draw[row * 64 + path];
                *product += draw[row * 64 + path] * draw[(row + 1) * 64 + path];
            }
        }
    }
    let n = (sample.len() / rows) as f64;
    assert!(sums.iter().flatten().all(|sum| sum.abs() < 6.0 * n.sqrt()));
}

#[test]
fn one_path_draws_alone_what_it_draws_beside_others() {
    let draws = |streams: &mut Streams| {
        let n = streams.count();
        let mut all = Vec::new();
        for rows in [1, 2, 7, 16, 40] {
            let mut out = vec![0.0; rows * n];
            streams.normals(&mut out);
            all.extend_from_slice(&out);
            streams.student_ts(3.0, &mut out);
            all.extend_from_slice(&out);
            streams.uniforms(&mut out);
            all.extend_from_slice(&out);
            streams.signs(&mut out);
            all.extend_from_slice(&out);
        }
        all
    };
    let together = draws(&mut Streams::new(1, Role::Sde, 0..37));
    for path in 0..37 {
        let alone = draws(&mut Streams::of_path(1, Role::Sde, path));
        let beside: Vec<f64> = together.iter().skip(path as usize).step_by(37).copied().collect();
        assert_eq!(alone, beside);
    }
}

#[test]
fn laws_of_rand_distr_can_be_drawn_from_a_stream() {
    let law = StudentsT::new(0.0, 1.0, 3.0).unwrap();
    let t3 = rand_distr::StudentT::new(3.0).unwrap();
    let mut stream = stream(33);
    let sample = (0..N).map(|_| t3.sample(&mut stream)).collect();
    assert!(kolmogorov(sample, |x| law.cdf(x)) < KOLMOGOROV_AT_1E_6);
}

#[test]
fn samplers_agree_with_rand_distr() {
    // Two-sample test; the limit law of √(n/2) D is the same.
    let mut reference = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(3);
    let against = |theirs: Vec<f64>, ours: Vec<f64>| {
        let mut theirs = theirs;
        theirs.sort_by(f64::total_cmp);
        let empirical = |x: f64| theirs.partition_point(|&y| y <= x) as f64 / theirs.len() as f64;
        assert!(kolmogorov(ours, empirical) / 2f64.sqrt() < KOLMOGOROV_AT_1E_6);
    };
    let t3 = rand_distr::StudentT::new(3.0).unwrap();
    let theirs: Vec<f64> = (0..N).map(|_| t3.sample(&mut reference)).collect();
    against(theirs, side_by_side(30, 16, |streams, out| streams.student_ts(3.0, out)));
    let theirs: Vec<f64> = (0..N).map(|_| rand_distr::StandardNormal.sample(&mut reference)).collect();
    against(theirs, side_by_side(31, 16, |streams, out| streams.normals(out)));
    let chi_squared = rand_distr::ChiSquared::new(3.0).unwrap();
    let theirs: Vec<f64> = (0..N).map(|_| chi_squared.sample(&mut reference)).collect();
    let mut stream = stream(32);
    against(theirs, (0..N).map(|_| stream.chi_squared(3.0)).collect());
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
