//! Compressors against brute force over all masks and roundings, against a million draws, and ω as a supremum.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::assert_moments;
use common::outcomes::outcomes;
use itocheck::compressor::{Compressor, CompressorParameters};
use itocheck::covariance::Covariance;
use itocheck::noise::GradientLaw;
use itocheck::random::{Role, Stream, Streams};
use itocheck::special::Tail;

fn compressor(line: &str, dimension: usize) -> Box<dyn Compressor> {
    toml::from_str::<CompressorParameters>(line).unwrap().build(dimension).unwrap()
}

/// A gradient that has a few values.
struct Atoms {
    atoms: Vec<(f64, Vec<f64>)>,
    mean: Vec<f64>,
    covariance: Covariance,
}

impl Atoms {
    fn new(atoms: Vec<(f64, Vec<f64>)>) -> Self {
        let d = atoms[0].1.len();
        let mean: Vec<f64> = (0..d).map(|j| atoms.iter().map(|(p, g)| p * g[j]).sum()).collect();
        let mut covariance = Covariance::zero(d);
        covariance.add_dense(|i, j| {
            atoms.iter().map(|(p, g)| p * (g[i] - mean[i]) * (g[j] - mean[j])).sum::<f64>()
        });
        Self { atoms, mean, covariance }
    }

    /// A gradient without noise.
    fn sure(g: &[f64]) -> Self {
        Self { atoms: vec![(1.0, g.to_vec())], mean: g.to_vec(), covariance: Covariance::zero(g.len()) }
    }
}

impl GradientLaw for Atoms {
    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn covariance(&self) -> &Covariance {
        &self.covariance
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn for_each_atom(&self, visit: &mut dyn FnMut(f64, &[f64])) {
        self.atoms.iter().for_each(|(p, g)| visit(*p, g));
    }

    fn tail(&self, j: usize, threshold: f64) -> Tail {
        let excess = self.atoms.iter().map(|(p, g)| p * (g[j].abs() - threshold).max(0.0)).sum();
        Tail { excess, ..Tail::default() }
    }
}

const CASES: [(&str, usize); 22] = [
    ("rand_k = { k = 1 }", 1),
    ("rand_k = { k = 1 }", 2),
    ("rand_k = { k = 1 }", 4),
    ("rand_k = { k = 2 }", 3),
    ("rand_k = { k = 3 }", 4),
    ("rand_k = { k = 4 }", 4),
    ("perm_k = { k = 2 }", 4),
    ("bernoulli = { probability = 0.3 }", 1),
    ("bernoulli = { probability = 0.3 }", 4),
    ("identity = {}", 3),
    ("natural = {}", 1),
    ("natural = {}", 4),
    ("dithering = { levels = 1, norm = \"2\" }", 4),
    ("dithering = { levels = 3, norm = \"2\" }", 4),
    ("dithering = { levels = 1, norm = \"inf\" }", 4),
    ("dithering = { levels = 3, norm = \"inf\" }", 3),
    ("dithering = { levels = 2, norm = \"inf\" }", 1),
    ("composition = { first = { rand_k = { k = 2 } }, second = { natural = {} } }", 3),
    (
        "composition = { first = { dithering = { levels = 2, norm = \"2\" } }, second = { rand_k = { k = 1 } } }",
        4,
    ),
    ("composition = { first = { natural = {} }, second = { bernoulli = { probability = 0.3 } } }", 4),
    ("composition = { first = { bernoulli = { probability = 0.3 } }, second = { rand_k = { k = 1 } } }", 3),
    (
        "composition = { first = { identity = {} }, second = { dithering = { levels = 1, norm = \"inf\" } } }",
        3,
    ),
];

const V: [f64; 4] = [1.0, -0.55, 2.1, 0.3];

/// Values around V, one with a coordinate at 0 and at a power of two.
fn random_gradient(d: usize) -> Atoms {
    let atoms = [(0.5, [1.3, -0.7, 2.9, 0.1]), (0.2, [-0.4, 0.0, 0.5, 1.7]), (0.3, [0.05, 1.1, -3.3, -0.6])];
    Atoms::new(atoms.into_iter().map(|(p, g)| (p, g[..d].to_vec())).collect())
}

#[test]
fn error_covariances_match_all_outcomes() {
    for (line, d) in CASES {
        let compressor = compressor(line, d);
        let law = random_gradient(d);
        let mut claimed = Covariance::zero(d);
        compressor.add_error_covariance(2.0, &law, &mut claimed);
        let mut expected = vec![0.0; d * d];
        for (p, g) in &law.atoms {
            let mut mean = vec![0.0; d];
            for (q, sent) in outcomes(line, g) {
                for i in 0..d {
                    mean[i] += q * sent[i];
                    for j in 0..d {
                        expected[i * d + j] += 2.0 * p * q * (sent[i] - g[i]) * (sent[j] - g[j]);
                    }
                }
            }
            assert!(mean.iter().zip(g).all(|(mean, g)| (mean - g).abs() < 1e-14), "{line} is unbiased");
        }
        for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))) {
            let (claimed, expected) = (claimed.entry(i, j), expected[i * d + j]);
            // Sums of at most 300 products of size 30, each rounded.
            assert!((claimed - expected).abs() < 1e-12, "{line} in {d}: [{i}][{j}] {claimed} {expected}");
        }
    }
}

fn draws(apply: impl Fn(&mut [f64], &mut Streams), g: &[f64], n: usize, path: u64) -> Vec<Vec<f64>> {
    let mut stream = Streams::of_path(11, Role::Optimizer, path);
    (0..n)
        .map(|_| {
            let mut g = g.to_vec();
            apply(&mut g, &mut stream);
            g
        })
        .collect()
}

/// About 250 comparisons at 5.5 standard errors: a false alarm below 1e-5.
const Z: f64 = 5.5;

#[test]
fn draws_match_mean_and_error_covariance() {
    for (index, (line, d)) in CASES.into_iter().enumerate() {
        let compressor = compressor(line, d);
        let samples = draws(|g, stream| compressor.apply(g, stream), &V[..d], 1_000_000, index as u64);
        let mut claimed = Covariance::zero(d);
        compressor.add_error_covariance(1.0, &Atoms::sure(&V[..d]), &mut claimed);
        assert_moments(&samples, &V[..d], |i, j| claimed.entry(i, j), Z);
    }
}

/// Draws of `apply` against what the compressor of a line claims.
fn assert_draws(line: &str, apply: impl Fn(&mut [f64], &mut Streams)) {
    let mut claimed = Covariance::zero(4);
    compressor(line, 4).add_error_covariance(1.0, &Atoms::sure(&V), &mut claimed);
    assert_moments(&draws(apply, &V, 100_000, 1000), &V, |i, j| claimed.entry(i, j), Z);
}

#[test]
#[should_panic(expected = "mean[")]
fn a_rand_k_that_is_not_scaled_is_noticed() {
    let rand_k = compressor("rand_k = { k = 2 }", 4);
    assert_draws("rand_k = { k = 2 }", |g, stream| {
        rand_k.apply(g, stream);
        g.iter_mut().for_each(|g| *g *= 0.5);
    });
}

#[test]
#[should_panic(expected = "covariance[")]
fn a_dithering_that_returns_its_input_is_noticed() {
    assert_draws("dithering = { levels = 2, norm = \"2\" }", |_, _| {});
}

#[test]
#[should_panic(expected = "mean[")]
fn rounding_to_the_nearest_power_is_noticed() {
    assert_draws("natural = {}", |g, _| {
        g.iter_mut().for_each(|g| *g = g.abs().log2().round().exp2().copysign(*g));
    });
}

#[test]
#[should_panic(expected = "covariance[")]
fn a_worst_case_bound_is_not_the_covariance() {
    let rand_k = compressor("rand_k = { k = 2 }", 4);
    // ω‖v‖² spread evenly.
    let spread = rand_k.omega() * V.iter().map(|v| v * v).sum::<f64>() / 4.0;
    let samples = draws(|g, stream| rand_k.apply(g, stream), &V, 100_000, 1001);
    assert_moments(&samples, &V, |i, j| if i == j { spread } else { 0.0 }, Z);
}

/// `E‖C(g) − g‖²/‖g‖²` from all outcomes.
fn ratio(line: &str, g: &[f64]) -> f64 {
    let error: f64 = outcomes(line, g)
        .iter()
        .map(|(p, sent)| p * sent.iter().zip(g).map(|(sent, g)| (sent - g).powi(2)).sum::<f64>())
        .sum();
    error / g.iter().map(|g| g * g).sum::<f64>()
}

/// The largest ratio that a random search with shrinking steps finds.
fn supremum(line: &str, d: usize) -> f64 {
    let mut stream = Stream::new(12, Role::Optimizer, d as u64);
    let mut best = 0.0f64;
    for _ in 0..30 {
        let mut g: Vec<f64> = (0..d).map(|_| stream.uniform()).collect();
        let mut own = ratio(line, &g);
        let mut step = 0.5;
        for _ in 0..400 {
            let other: Vec<f64> = g.iter().map(|g| (g + step * stream.normal()).abs()).collect();
            let value = ratio(line, &other);
            if value > own {
                (g, own) = (other, value);
            } else {
                step *= 0.97;
            }
        }
        best = best.max(own);
    }
    best
}

#[test]
fn omega_is_the_supremum_that_it_says() {
    // The share of ω that a search must reach: all of it but for the search where it is sharp.
    for (line, d, reached) in [
        ("rand_k = { k = 1 }", 4, 0.999_999),
        ("bernoulli = { probability = 0.3 }", 3, 0.999_999),
        ("natural = {}", 1, 0.999),
        ("natural = {}", 3, 0.99),
        ("dithering = { levels = 1, norm = \"inf\" }", 2, 0.999),
        ("dithering = { levels = 1, norm = \"inf\" }", 4, 0.99),
        ("dithering = { levels = 3, norm = \"inf\" }", 4, 0.99),
        // √d ≥ 2s: √d/s − 1 is attained. d = 4s²: so is d/(4s²).
        ("dithering = { levels = 1, norm = \"2\" }", 4, 0.99),
        ("dithering = { levels = 1, norm = \"2\" }", 6, 0.99),
        // Otherwise an upper bound: for d = 3, s = 2 the half integers nearest to Σ u² = 4 give 0.186 of 0.1875.
        ("dithering = { levels = 2, norm = \"2\" }", 3, 0.9),
        ("dithering = { levels = 3, norm = \"2\" }", 4, 0.9),
        (
            "composition = { first = { rand_k = { k = 1 } }, second = { bernoulli = { probability = 0.5 } } }",
            3,
            0.999_999,
        ),
        ("composition = { first = { rand_k = { k = 1 } }, second = { natural = {} } }", 2, 0.99),
    ] {
        let (omega, found) = (compressor(line, d).omega(), supremum(line, d));
        assert!(found <= omega * (1.0 + 1e-12), "{line} in {d}: {found} above ω = {omega}");
        assert!(found >= reached * omega, "{line} in {d}: {found} of ω = {omega}");
    }
    // The search would notice an ω that is 2 % too small.
    assert!(supremum("natural = {}", 1) > 0.98 * 0.125);
}

fn refusal(line: &str, dimension: usize) -> String {
    let refused = toml::from_str::<CompressorParameters>(line).unwrap().build(dimension);
    refused.err().map(|invalid| invalid.to_string()).unwrap_or_default()
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let dithering_last =
        "composition = { first = { natural = {} }, second = { dithering = { levels = 1, norm = \"2\" } } }";
    for (line, expected) in [
        ("top_k = { k = 2 }", "top_k: keeps the 2 largest of 4 coordinates and is biased, E C(g) ≠ g"),
        ("dithering = { levels = 0, norm = \"2\" }", "dithering.levels: 0; expected a whole number from 1"),
        ("perm_k = { k = 3 }", "perm_k.k: 3; expected a divisor of the dimension, 4"),
        (dithering_last, "composition.second: its error covariance needs the law of what `first` sends"),
        (
            "composition = { first = { perm_k = { k = 2 } }, second = { natural = {} } }",
            "composition.first: perm_k, which belongs to all agents together",
        ),
        (
            "composition = { first = { rand_k = { k = 9 } }, second = { natural = {} } }",
            "composition.first.rand_k.k: 9; expected",
        ),
    ] {
        assert!(refusal(line, 4).contains(expected), "{line}: {}", refusal(line, 4));
    }
    let unknown =
        toml::from_str::<CompressorParameters>("dithering = { levels = 1, norm = \"1\" }").unwrap_err();
    assert!(unknown.to_string().contains("expected `2` or `inf`"), "{unknown}");
}

#[test]
fn sparsifiers_keep_coordinates_as_often_as_they_say() {
    let kept = |line: &str, d: usize, j: usize| -> f64 {
        outcomes(line, &V[..d]).iter().filter(|(_, sent)| sent[j] != 0.0).map(|(p, _)| p).sum()
    };
    let mut sparsifiers = 0;
    for (line, d) in CASES {
        let Some(p) = compressor(line, d).keeps() else { continue };
        sparsifiers += 1;
        for j in 0..d {
            assert!((kept(line, d, j) - p).abs() < 1e-14, "{line}: {p} {}", kept(line, d, j));
            let scaled = |sent: &[f64]| sent[j] == 0.0 || (sent[j] * p / V[j] - 1.0).abs() < 1e-14;
            assert!(outcomes(line, &V[..d]).iter().all(|(_, sent)| scaled(sent)), "{line}");
        }
    }
    assert_eq!(sparsifiers, 10, "rand_k, bernoulli, identity, and one after the other");
}

#[test]
fn rarest_outcomes_are_the_rarest_of_all() {
    // Of a coordinate's two values, over all coordinates; 1 where each has but one.
    let rarest = |line: &str, d: usize| -> f64 {
        let mut all = outcomes(line, &V[..d]);
        all.retain(|(p, _)| *p > 0.0);
        let of_value = |j: usize, value: f64| -> f64 {
            all.iter().filter(|(_, sent)| sent[j] == value).map(|(p, _)| p).sum()
        };
        (0..d)
            .flat_map(|j| all.iter().map(move |(_, sent)| (j, sent[j])))
            .map(|(j, value)| of_value(j, value))
            .fold(1.0, f64::min)
    };
    for (line, d) in CASES.into_iter().filter(|(line, _)| !line.starts_with("composition")) {
        let got = compressor(line, d).rarest_outcome(&V[..d]);
        assert!((got - rarest(line, d)).abs() < 1e-14, "{line} in {d}: {got} {}", rarest(line, d));
    }
    // Of a composition, the rarest of both: for the second, of what the first sends.
    let rand_1 = "{ rand_k = { k = 1 } }";
    let bernoulli = "{ bernoulli = { probability = 0.3 } }";
    let both = |first: &str, second: &str| format!("composition = {{ first = {first}, second = {second} }}");
    for (line, expected) in [
        (both(rand_1, bernoulli), 0.3 / 3.0),
        // 3 · (1, −0.55, 2.1) = (3, −1.65, 6.3): natural compression moves by 0.5, 0.35 and 0.425.
        (both(rand_1, "{ natural = {} }"), 0.35 / 3.0),
        // 10 · (1, −0.55, 2.1) = (10, −5.5, 21): by 0.25, 0.375, 0.3125.
        (both(&format!("{{ {} }}", both(rand_1, bernoulli)), "{ natural = {} }"), 0.25 * 0.3 / 3.0),
    ] {
        let got = compressor(&line, 3).rarest_outcome(&V[..3]);
        assert!((got - expected).abs() < 1e-14, "{line}: {got} {expected}");
    }
}

#[test]
fn rand_k_keeps_k_of_many_coordinates_equally_often() {
    // Too many sets to list, so that coordinates are selected one after the other; more than one word is drawn for them.
    for (d, k) in [(40, 6), (100, 3), (70, 69), (300, 150)] {
        let rand_k = compressor(&format!("rand_k = {{ k = {k} }}"), d);
        let n = 64;
        let draws = 4000;
        let mut streams = Streams::new(13, Role::Optimizer, 0..n as u64);
        let mut kept = vec![0.0; d];
        let mut both = vec![0.0; d];
        for _ in 0..draws {
            let mut g = vec![1.0; d * n];
            rand_k.apply(&mut g, &mut streams);
            for path in 0..n {
                let is_kept = |j: usize| g[j * n + path] != 0.0;
                assert_eq!((0..d).filter(|&j| is_kept(j)).count(), k, "k of {d}");
                for j in 0..d {
                    kept[j] += f64::from(u8::from(is_kept(j)));
                    both[j] += f64::from(u8::from(is_kept(j) && is_kept((j + 1) % d)));
                }
            }
            let scale = d as f64 / k as f64;
            assert!(g.iter().all(|g| *g == 0.0 || *g == scale));
        }
        // 2d frequencies at 6 standard errors: a false alarm below 2e-6 for all cases.
        let n = (draws * n) as f64;
        let assert_frequency = |count: f64, p: f64, what: &str| {
            assert!(
                (count / n - p).abs() < 6.0 * (p * (1.0 - p) / n).sqrt() + 1e-12,
                "{what} of {d}: {}",
                count / n
            );
        };
        let (one, pair) = (k as f64 / d as f64, (k * (k - 1)) as f64 / (d * (d - 1)) as f64);
        for j in 0..d {
            assert_frequency(kept[j], one, "one");
            assert_frequency(both[j], pair, "neighbours");
        }
    }
}
