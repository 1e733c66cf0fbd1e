//! Error covariances of compressors that are not linear, averaged over the law of the noise, against
//! quadrature by another route and against draws.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use itocheck::compressor::{Compressor, CompressorParameters};
use itocheck::covariance::Covariance;
use itocheck::noise::{Noise, NoiseParameters, StochasticGradient};
use itocheck::random::{Role, Streams};
use itocheck::special::student_t_tail;
use statrs::distribution::{Continuous, Normal, StudentsT};
use std::f64::consts::PI;

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

/// `E (‖g‖/s)² r_0(1 − r_0)` for Gaussian coordinates by the midpoint rule in polar coordinates about axis 0: over the
/// length, the angle to the axis level by level, and in three dimensions the angle around it.
fn dithering_on_the_sphere(levels: u32, v: &[f64], scale: &[f64]) -> f64 {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let far =
        v.iter().map(|v| v * v).sum::<f64>().sqrt() + 8.0 * scale.iter().fold(0.0, |a: f64, b| a.max(*b));
    let s = f64::from(levels);
    // ∫ r² · r^{d−1} p(r e) dr along the unit vector e.
    let along = |e: &[f64]| {
        midpoints(0.0, far, 250, |r| {
            let density: f64 =
                (0..v.len()).map(|k| normal.pdf((r * e[k] - v[k]) / scale[k]) / scale[k]).product();
            density * r.powi(v.len() as i32 + 1)
        })
    };
    let around = |theta: f64| {
        let (sin, cos) = theta.sin_cos();
        match v.len() {
            2 => along(&[cos, sin]) + along(&[cos, -sin]),
            _ => midpoints(0.0, 2.0 * PI, 60, |phi| sin * along(&[cos, sin * phi.cos(), sin * phi.sin()])),
        }
    };
    let between = |level: u32| {
        let (from, to) = ((f64::from(level + 1) / s).acos(), (f64::from(level) / s).acos());
        midpoints(from, to, 500, |theta| {
            let up = s * theta.cos() - f64::from(level);
            up * (1.0 - up) / (s * s) * (around(theta) + around(PI - theta))
        })
    };
    (0..levels).map(between).sum()
}

#[test]
fn dithering_by_the_norm_of_gaussian_coordinates() {
    for (levels, v, scale) in [
        (1, vec![0.0, 0.0], vec![1.0, 1.0]),
        (1, vec![1.0, -0.4], vec![0.7, 0.2]),
        (4, vec![2.0, 0.5], vec![0.5, 1.5]),
        (7, vec![0.3, -0.2], vec![1.0, 0.1]),
        (1, vec![0.0, 0.0, 0.0], vec![1.0, 1.0, 1.0]),
        (2, vec![1.0, -0.4, 0.3], vec![0.7, 0.3, 0.4]),
        (3, vec![2.0, 0.5, -1.0], vec![0.5, 1.5, 0.4]),
    ] {
        let d = v.len();
        let dithering = compressor(&format!("dithering = {{ levels = {levels}, norm = \"2\" }}"), d);
        let got =
            error_covariance(&*dithering, &*noise(&format!("gaussian = {{ scale = {scale:?} }}"), d), &v);
        let size: f64 = v.iter().chain(&scale).map(|entry| entry * entry).sum();
        for j in 0..d {
            let first = |mut entries: Vec<f64>| {
                entries.swap(0, j);
                entries
            };
            let expected = dithering_on_the_sphere(levels, &first(v.clone()), &first(scale.clone()));
            // The midpoint rule in 500 parts between levels: (1/500)²/24 of the second derivative.
            let tolerance = 1e-6 * size / f64::from(levels * levels);
            let got = got.entry(j, j);
            assert!((got - expected).abs() < tolerance, "s = {levels}, v = {v:?}, [{j}]: {got} {expected}");
        }
        assert_eq!(got.entry(0, 1), 0.0);
    }
}

#[test]
fn dithering_by_the_norm_is_isotropic_in_any_dimension() {
    // Without a mean the angle is independent of the norm, with density sin^{d−2} θ.
    for (levels, d) in [(1, 2), (3, 5), (2, 20), (1, 300)] {
        let dithering = compressor(&format!("dithering = {{ levels = {levels}, norm = \"2\" }}"), d);
        let got = error_covariance(&*dithering, &*noise("gaussian = { scale = 0.5 }", d), &vec![0.0; d]);
        let s = f64::from(levels);
        let density = |theta: f64| theta.sin().powi(d as i32 - 2);
        let error = |theta: f64| {
            let up = (s * theta.cos()).fract();
            up * (1.0 - up)
        };
        let n = 1_000_000;
        let mean = midpoints(0.0, PI / 2.0, n, |theta| error(theta) * density(theta))
            / midpoints(0.0, PI / 2.0, n, density);
        let size = 0.25 * d as f64 / (s * s);
        assert!(
            (got.entry(0, 0) - mean * size).abs() < 1e-7 * size,
            "s = {s}, d = {d}: {} {}",
            got.entry(0, 0),
            mean * size
        );
        assert!((got.entry(d - 1, d - 1) - got.entry(0, 0)).abs() < 1e-12 * size);
    }
}

/// The mean of the conditional error covariance over a million draws of the noise, within 5.5 standard errors: 190
/// comparisons, a false alarm below 1e-5.
fn assert_average(compressor_line: &str, noise_line: &str, v: &[f64], factor: f64, path: u64) {
    let d = v.len();
    let (compressor, noise) = (compressor(compressor_line, d), noise(noise_line, d));
    let claimed = error_covariance(&*compressor, &*noise, v);
    let sure = toml::from_str::<NoiseParameters>("none = {}").unwrap();
    let sure = sure.build(&common::objective("quadratic = { eigenvalues = [1.0] }"), 1).unwrap();
    let mut stream = Streams::of_path(31, Role::Optimizer, path);
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
        let error = ((squares[j] / n - mean * mean).max(0.0) / n).sqrt();
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
    for (index, noise) in [noises[0], noises[3]].into_iter().enumerate() {
        for (levels, v) in [(1, [1.0, -0.5, 0.2, 3.0, 0.0]), (4, [0.1, 0.2, -0.1, 0.05, 0.3])] {
            let line = format!("dithering = {{ levels = {levels}, norm = \"2\" }}");
            assert_average(&line, noise, &v, 1.0, 200 + 10 * index as u64 + levels);
        }
    }
    // Narrow noise, of which an integration that is not told would see nothing.
    let line = "dithering = { levels = 2, norm = \"2\" }";
    assert_average(line, "gaussian = { scale = [1e-3, 1e-4, 2.0] }", &[5.0, 1.0, 0.3], 1.0, 110);
    assert_average(line, "gaussian = { scale = 1e-5 }", &[5.0, 1.0, 0.3], 1.0, 111);
    assert_average(line, "gaussian = { scale = 1e-12 }", &[5.0, 1.0, 0.3], 1.0, 112);
    let line = "dithering = { levels = 2, norm = \"inf\" }";
    assert_average(line, "gaussian = { scale = [1e-3, 1e-4, 2.0] }", &[5.0, 1.0, 0.3], 1.0, 100);
    assert_average(line, "gaussian = { scale = 1e-5 }", &[5.0, 1.0, 0.3], 1.0, 101);
}

#[test]
#[should_panic(expected = "standard error")]
fn an_average_over_the_norm_that_is_one_percent_off_is_noticed() {
    let line = "dithering = { levels = 2, norm = \"2\" }";
    assert_average(line, "gaussian = { scale = 1.0 }", &[1.0, -0.5, 0.2], 1.01, 104);
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
