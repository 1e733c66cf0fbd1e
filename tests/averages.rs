//! Error covariances of compressors that are not linear, averaged over the law of the noise, against
//! quadrature by another route and against draws.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use itocheck::compressor::{Compressor, CompressorParameters};
use itocheck::covariance::Covariance;
use itocheck::noise::{Noise, NoiseParameters, StochasticGradient};
use itocheck::random::{Role, Stream};
use itocheck::special::student_t_tail;
use statrs::distribution::{Continuous, Normal, StudentsT};

fn compressor(line: &str, dimension: usize) -> Box<dyn Compressor> {
    toml::from_str::<CompressorParameters>(line).unwrap().build(dimension).unwrap()
}

fn noise(line: &str, dimension: usize) -> Box<dyn Noise> {
    let text = format!("quadratic = {{ eigenvalues = {{ from = 1.0, to = 1.0, count = {dimension} }} }}");
    toml::from_str::<NoiseParameters>(line).unwrap().build(&common::objective(&text), 1).unwrap()
}

fn error_covariance(compressor: &dyn Compressor, noise: &dyn Noise, v: &[f64]) -> Covariance {
    let mut covariance = Covariance::zero(v.len());
    noise.add_covariance(1.0, v, v, &mut covariance);
    let g = StochasticGradient { x: v, mean: v, covariance: &covariance, noise };
    let mut out = Covariance::zero(v.len());
    compressor.add_error_covariance(1.0, &g, &mut out);
    out
}

/// `∫ f` over [from, to] by the midpoint rule, in `n` parts.
fn midpoints(from: f64, to: f64, n: usize, f: impl Fn(f64) -> f64) -> f64 {
    let h = (to - from) / n as f64;
    (0..n).map(|k| f(from + (k as f64 + 0.5) * h)).sum::<f64>() * h
}

#[test]
fn tails_are_those_of_the_density() {
    let normal = Normal::new(0.0, 1.0).unwrap();
    for dof in [2.5, 3.0, 8.0, f64::INFINITY] {
        let density = |t: f64| {
            if dof == f64::INFINITY { normal.pdf(t) } else { StudentsT::new(0.0, 1.0, dof).unwrap().pdf(t) }
        };
        for k in [-30.0, -2.0, -0.3, 0.0, 1.1, 4.0] {
            let tail = student_t_tail(k, dof);
            // t = k + y/(1 − y)⁴: the square of the excess has a tail t^{1 − ν}, which this makes smooth enough.
            let moment = |power: i32| {
                midpoints(0.0, 1.0, 400_000, |y| {
                    let left = 1.0 - y;
                    let distance = y / left.powi(4);
                    density(k + distance) * distance.powi(power) * (1.0 + 3.0 * y) / left.powi(5)
                })
            };
            for (got, power) in [(tail.probability, 0), (tail.excess, 1), (tail.square, 2)] {
                let expected = moment(power);
                assert!(
                    (got - expected).abs() < 1e-6 * expected,
                    "ν = {dof}, k = {k}: {power} {got} {expected}"
                );
            }
            assert!((tail.density - density(k)).abs() < 1e-12);
        }
    }
}

/// `E (|g| − 2^a)(2^{a+1} − |g|)` octave by octave, from a density.
fn natural_by_octaves(density: impl Fn(f64) -> f64) -> f64 {
    (-30..40)
        .map(|a| {
            let low = 2f64.powi(a);
            midpoints(low, 2.0 * low, 4_000, |g| (g - low) * (2.0 * low - g) * (density(g) + density(-g)))
        })
        .sum()
}

#[test]
fn natural_compression_of_noisy_coordinates() {
    let natural = compressor("natural = {}", 2);
    let normal = Normal::new(0.0, 1.0).unwrap();
    let gaussian = |g: f64, v: f64, scale: f64| normal.pdf((g - v) / scale) / scale;
    for v in [0.0, 0.3, 1.0, -1.37, 20.0] {
        let got = |line: &str| error_covariance(&*natural, &*noise(line, 2), &[v, 0.5]).entry(0, 0);
        let check = |line: &str, expected: f64| {
            let got = got(line);
            // The midpoint rule in 4000 parts of an octave.
            assert!((got - expected).abs() < 1e-6 * expected, "{line} at {v}: {got} {expected}");
        };
        check("gaussian = { scale = 0.7 }", natural_by_octaves(|g| gaussian(g, v, 0.7)));
        let correlated = "gaussian = { covariance = [[0.49, 0.3], [0.3, 1.0]] }";
        check(correlated, natural_by_octaves(|g| gaussian(g, v, 0.7)));
        let unit = StudentsT::new(0.0, 1.0, 5.0).unwrap();
        let t = |g: f64| unit.pdf((g - v) / 0.7) / 0.7;
        check("student_t = { scale = 0.7, dof = 5 }", natural_by_octaves(t));
        check("multivariate_t = { scale = 0.7, dof = 5 }", natural_by_octaves(t));
        check(
            "contaminated = { scale = 0.7, fraction = 0.1, factor = 5 }",
            natural_by_octaves(|g| 0.9 * gaussian(g, v, 0.7) + 0.1 * gaussian(g, v, 3.5)),
        );
        let deviation = 0.5 * (v * v + 0.25).sqrt();
        check("proportional = { scale = 0.5 }", natural_by_octaves(|g| gaussian(g, v, deviation)));
    }
}

#[test]
fn natural_compression_of_what_a_sparsifier_kept() {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let line = "composition = { first = { rand_k = { k = 1 } }, second = { natural = {} } }";
    let got = error_covariance(&*compressor(line, 4), &*noise("gaussian = { scale = 0.7 }", 4), &[1.37; 4]);
    // Kept with probability 1/4 as 4g: (3 G) from Rand-k on the diagonal, and natural compression of 4g.
    let natural = 0.25 * natural_by_octaves(|g| normal.pdf((g / 4.0 - 1.37) / 0.7) / 2.8);
    let expected = 3.0 * (1.37 * 1.37 + 0.49) + natural;
    assert!((got.entry(0, 0) - expected).abs() < 1e-6 * expected, "{} {expected}", got.entry(0, 0));
    assert!((got.entry(0, 1) + 1.37 * 1.37).abs() < 1e-12);
}

/// `E (m/s)² r_j(1 − r_j)` for two Gaussian coordinates, m the larger, by the midpoint rule on the plane.
fn dithering_in_the_plane(levels: f64, v: [f64; 2], scale: [f64; 2], j: usize) -> f64 {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let n = 4_000;
    midpoints(-8.0, 8.0, n, |y| {
        let first = v[0] + scale[0] * y;
        normal.pdf(y)
            * midpoints(-8.0, 8.0, n, |z| {
                let g = [first, v[1] + scale[1] * z];
                let spacing = g[0].abs().max(g[1].abs()) / levels;
                let up = (g[j].abs() / spacing).fract();
                normal.pdf(z) * spacing * spacing * up * (1.0 - up)
            })
    })
}

#[test]
fn dithering_by_the_maximum_of_two_gaussian_coordinates() {
    for (levels, v, scale) in [
        (1.0, [0.0, 0.0], [1.0, 1.0]),
        (1.0, [1.0, -0.4], [0.7, 0.2]),
        (3.0, [2.0, 0.5], [0.5, 1.5]),
        (8.0, [0.3, -0.2], [1.0, 0.1]),
    ] {
        let dithering = compressor(&format!("dithering = {{ levels = {levels}, norm = \"inf\" }}"), 2);
        let line = format!("gaussian = {{ scale = [{}, {}] }}", scale[0], scale[1]);
        let got = error_covariance(&*dithering, &*noise(&line, 2), &v);
        for j in 0..2 {
            let (got, expected) = (got.entry(j, j), dithering_in_the_plane(levels, v, scale, j));
            // The midpoint rule has kinks along lines: 1e-5 of the variance at this spacing.
            assert!((got - expected).abs() < 2e-5, "s = {levels}, v = {v:?}: {got} {expected}");
        }
        assert_eq!(got.entry(0, 1), 0.0);
    }
}

/// The mean of the conditional error covariance over a million draws of the noise, within 5.5 standard errors: 160
/// comparisons, a false alarm below 1e-5.
fn assert_average(compressor_line: &str, noise_line: &str, v: &[f64], factor: f64, path: u64) {
    let d = v.len();
    let (compressor, noise) = (compressor(compressor_line, d), noise(noise_line, d));
    let claimed = error_covariance(&*compressor, &*noise, v);
    let sure = toml::from_str::<NoiseParameters>("none = {}").unwrap();
    let sure = sure.build(&common::objective("quadratic = { eigenvalues = [1.0] }"), 1).unwrap();
    let mut stream = Stream::new(31, Role::Optimizer, path);
    let n = 1_000_000;
    let (mut sums, mut squares, mut g) = (vec![0.0; d], vec![0.0; d], vec![0.0; d]);
    for _ in 0..n {
        noise.sample(v, v, &mut stream, &mut g);
        let given = error_covariance(&*compressor, &*sure, &g);
        for j in 0..d {
            sums[j] += given.entry(j, j);
            squares[j] += given.entry(j, j) * given.entry(j, j);
        }
    }
    let n = f64::from(n);
    for j in 0..d {
        let mean = sums[j] / n;
        let error = ((squares[j] / n - mean * mean) / n).sqrt();
        let claimed = factor * claimed.entry(j, j);
        assert!(
            (mean - claimed).abs() < 5.5 * error + 1e-7,
            "{compressor_line}, {noise_line}: [{j}] {mean} against {claimed}, standard error {error}"
        );
    }
}

#[test]
fn dithering_averages_are_those_of_draws() {
    let noises = [
        "gaussian = { scale = [1.0, 0.3, 2.0, 0.01, 0.5] }",
        "student_t = { scale = 0.8, dof = 9 }",
        "contaminated = { scale = 0.5, fraction = 0.1, factor = 5 }",
        "proportional = { scale = 0.4 }",
    ];
    for (index, noise) in noises.into_iter().enumerate() {
        for (levels, v) in [(1, [1.0, -0.5, 0.2, 3.0, 0.0]), (4, [0.1, 0.2, -0.1, 0.05, 0.3])] {
            let line = format!("dithering = {{ levels = {levels}, norm = \"inf\" }}");
            assert_average(&line, noise, &v, 1.0, 10 * index as u64 + levels);
        }
    }
    // Narrow noise, of which an integration that is not told would see nothing.
    let line = "dithering = { levels = 2, norm = \"inf\" }";
    assert_average(line, "gaussian = { scale = [1e-3, 1e-4, 2.0] }", &[5.0, 1.0, 0.3], 1.0, 100);
    assert_average(line, "gaussian = { scale = 1e-5 }", &[5.0, 1.0, 0.3], 1.0, 101);
}

#[test]
#[should_panic(expected = "standard error")]
fn an_average_that_is_three_percent_off_is_noticed() {
    let line = "dithering = { levels = 1, norm = \"inf\" }";
    assert_average(line, "gaussian = { scale = 1.0 }", &[1.0, -0.5, 0.2], 1.03, 102);
}

#[test]
#[should_panic(expected = "standard error")]
fn the_error_at_the_mean_is_not_the_mean_error() {
    let (line, v) = ("natural = {}", [1.0, 1.37]);
    let natural = compressor(line, 2);
    let noise_line = "gaussian = { scale = 0.7 }";
    let averaged = error_covariance(&*natural, &*noise(noise_line, 2), &v).entry(0, 0);
    let at_the_mean = error_covariance(&*natural, &*noise("none = {}", 2), &v).entry(0, 0);
    assert_average(line, noise_line, &v, at_the_mean / averaged, 103);
}
