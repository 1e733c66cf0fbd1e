//! Gradients and Hessian-vector products against finite differences in f64.

use crate::{NETWORKS, gaussians, network, state};
use itocheck::objective::Objective;
use itocheck::objective::neural::Network;

fn along(x: &[f64], v: &[f64], t: f64) -> Vec<f64> {
    x.iter().zip(v).map(|(x, v)| x + t * v).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn gradient(network: &Network, x: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    network.gradient(x, &mut out);
    out
}

fn product(network: &Network, x: &[f64], v: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    network.hessian_vector_product(x, v, &mut out);
    out
}

/// `g′(0)`, and what it may be off by: Richardson's step from h to h/2 takes all but h⁴ away, and what it takes away bounds
/// the rest where f bends over lengths of more than h (a class token of 0 and positions of 0.02 are the sharpest bend); rounding of
/// f is some hundred units in the last place.
fn derivative(g: impl Fn(f64) -> f64) -> (f64, f64) {
    let h = 1e-4;
    let central = |h: f64| (g(h) - g(-h)) / (2.0 * h);
    let (wide, narrow) = (central(h), central(h / 2.0));
    let best = (4.0 * narrow - wide) / 3.0;
    (best, 0.1 * (best - narrow).abs() + 100.0 * f64::EPSILON * (1.0 + g(0.0).abs()) / h)
}

/// A direction, or a coordinate, along which `slope` is not the derivative of f.
fn wrong_slope(network: &Network, x: &[f64], slope: &[f64]) -> Option<String> {
    let d = x.len();
    let directions = (0..4).map(|seed| {
        let v = gaussians(100 + seed, d);
        let norm = dot(&v, &v).sqrt();
        (format!("direction {seed}"), v.iter().map(|v| v / norm).collect::<Vec<f64>>())
    });
    let of_blocks = network.blocks().iter().flat_map(|block| {
        let (first, last) = (block.range.start, block.range.end - 1);
        [first, first + (last - first) / 3, last].map(|j| {
            let mut v = vec![0.0; d];
            v[j] = 1.0;
            (format!("coordinate {j}, {}", block.name), v)
        })
    });
    directions.chain(of_blocks).find_map(|(what, v)| {
        let (expected, error) = derivative(|t| network.value(&along(x, &v, t)));
        let got = dot(slope, &v);
        let is_wrong = (got - expected).abs() > error;
        is_wrong.then(|| format!("{what}: {got} and {expected} ± {error:e}"))
    })
}

#[test]
fn gradients_match_differences() {
    for line in NETWORKS {
        let network = network(line);
        for x in [network.initial().unwrap(), state(&network, 1), state(&network, 2)] {
            assert_eq!(wrong_slope(&network, &x, &gradient(&network, &x)), None, "{line}");
        }
    }
}

/// Negative controls: every block without its part of the gradient, and every block a thousandth too steep, is noticed.
#[test]
fn a_gradient_without_one_block_is_noticed() {
    for line in NETWORKS {
        let network = network(line);
        let x = state(&network, 1);
        let right = gradient(&network, &x);
        for block in network.blocks() {
            for factor in [0.0, 1.001] {
                let mut wrong = right.clone();
                wrong[block.range.clone()].iter_mut().for_each(|g| *g *= factor);
                assert_ne!(wrong_slope(&network, &x, &wrong), None, "{line}: {} times {factor}", block.name);
            }
        }
    }
}

/// Against second differences of f, which share nothing with them but f, and by symmetry. A product 1 % too large is noticed.
#[test]
fn hessian_vector_products_match_second_differences() {
    for line in NETWORKS {
        let network = network(line);
        let x = state(&network, 3);
        let (u, v) = (gaussians(7, x.len()), gaussians(8, x.len()));
        let of_v = product(&network, &x, &v);
        let curvature = dot(&v, &of_v);
        let h = 1e-3 / dot(&v, &v).sqrt();
        let second = |h: f64| {
            let value = |t: f64| network.value(&along(&x, &v, t));
            (value(h) - 2.0 * value(0.0) + value(-h)) / (h * h)
        };
        let best = (4.0 * second(h) - second(2.0 * h)) / 3.0;
        let value = network.value(&x);
        let error = (best - second(h)).abs() + 100.0 * f64::EPSILON * (1.0 + value) / (h * h);
        assert!((curvature - best).abs() <= error, "{line}: {curvature} and {best} ± {error:e}");
        assert!((1.01 * curvature - best).abs() > error, "{line}: {curvature} and {best} ± {error:e}");
        // The stated error is 1e-10 of derivatives of this size.
        let (one, other) = (dot(&u, &of_v), dot(&v, &product(&network, &x, &u)));
        let size = dot(&u, &u).sqrt() * dot(&of_v, &of_v).sqrt();
        assert!((one - other).abs() <= 1e-7 * size, "{line}: {one} and {other}");
        assert!(product(&network, &x, &vec![0.0; x.len()]).iter().all(|h| *h == 0.0), "{line}");
    }
}

/// f is the mean of its terms, whose gradients are what minibatches draw.
#[test]
fn the_gradient_is_the_mean_of_those_of_the_terms() {
    for line in NETWORKS {
        let network = network(line);
        let x = state(&network, 4);
        let terms = network.finite_sum().unwrap();
        let n = terms.terms();
        let whole = gradient(&network, &x);
        let mean_over = |count: usize| {
            let mut sum = vec![0.0; x.len()];
            (0..count).for_each(|s| terms.add_term_gradient(s, 1.0 / n as f64, &x, &mut sum));
            sum
        };
        let off = |sum: &[f64]| whole.iter().zip(sum).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Sums of some hundred terms of size 1 in another order; a term less is noticed.
        assert!(off(&mean_over(n)) <= 1e-12, "{line}: {}", off(&mean_over(n)));
        assert!(off(&mean_over(n - 1)) > 1e-4, "{line}");
    }
}

#[test]
fn paths_of_a_block_are_columns() {
    for line in NETWORKS {
        let network = network(line);
        let paths = [state(&network, 5), state(&network, 6), state(&network, 7)];
        let d = network.dimension();
        let block: Vec<f64> = (0..d).flat_map(|j| paths.iter().map(move |x| x[j])).collect();
        let (mut gradients, mut values) = (vec![0.0; 3 * d], vec![0.0; 3]);
        network.gradient(&block, &mut gradients);
        network.values(&block, &mut values);
        for (path, x) in paths.iter().enumerate() {
            let column: Vec<f64> = gradients.iter().skip(path).step_by(3).copied().collect();
            assert_eq!(column, gradient(&network, x), "{line}");
            assert_eq!(values[path], network.value(x), "{line}");
        }
    }
}
