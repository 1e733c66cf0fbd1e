//! The declared moments of a step, on which linear shadows rest, against all outcomes of the step where it has few,
//! and against half a million draws of the step for every optimizer × noise × compressor.
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod common;

use common::experiment;
use common::outcomes::outcomes;
use itocheck::agent::Scratch;
use itocheck::model::Model;
use itocheck::optimizer::{DeclaredIncrement, Increment, Optimizer};
use itocheck::random::{Role, Streams};
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

/// A scenario of so many coordinates with these agents.
fn model(optimizer: &str, objective: &str, agents: &str, start: &[f64]) -> Model {
    let domain = if objective.contains("rosenbrock") || objective.contains("saddle") {
        "domain = { radius = 50.0 }\n"
    } else {
        ""
    };
    let text = format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.{objective}\n{agents}\n[run]\nlearning_rate = 0.01\n\
         steps = 10\nrecords = 5\nstart = {start:?}\n{domain}"
    );
    experiment(&text).model
}

fn group(count: usize, batch_size: usize, noise: &str, more: &str) -> String {
    format!("[[agents]]\ncount = {count}\nbatch_size = {batch_size}\nnoise.{noise}\n{more}\n")
}

fn compressed(count: usize, noise: &str, compressor: &str) -> String {
    group(count, 1, noise, &format!("compressor.{compressor}"))
}

/// d × d, not diagonal.
fn quadratic(d: usize) -> String {
    let entry = |i: usize, j: usize| if i == j { 1.0 + i as f64 } else { 0.3 / (1 + i + j) as f64 };
    let matrix: Vec<Vec<f64>> = (0..d).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect();
    format!("quadratic = {{ matrix = {matrix:?} }}")
}

fn declared(optimizer: &dyn Optimizer, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut out = Increment::new(x.len());
    optimizer.declared().expect("it declares").increment(x, &mut out);
    let d = x.len();
    (out.mean, (0..d * d).map(|index| out.covariance.entry(index / d, index % d)).collect())
}

/// Mean and covariance over all outcomes with their probabilities.
fn over_all(outcomes: &[(f64, Vec<f64>)]) -> (Vec<f64>, Vec<f64>) {
    let d = outcomes[0].1.len();
    let expectation = |f: &dyn Fn(&[f64]) -> f64| outcomes.iter().map(|(p, y)| p * f(y)).sum::<f64>();
    let mean: Vec<f64> = (0..d).map(|j| expectation(&|y| y[j])).collect();
    let covariance = (0..d * d)
        .map(|index| expectation(&|y| (y[index / d] - mean[index / d]) * (y[index % d] - mean[index % d])));
    let covariance = covariance.collect();
    (mean, covariance)
}

/// The sum of independent draws of each list.
fn sums(lists: &[Vec<(f64, Vec<f64>)>]) -> Vec<(f64, Vec<f64>)> {
    lists.iter().skip(1).fold(lists[0].clone(), |sums, list| {
        let with = |(p, y): &(f64, Vec<f64>)| {
            let add = |(q, z): &(f64, Vec<f64>)| (p * q, y.iter().zip(z).map(|(y, z)| y + z).collect());
            list.iter().map(add).collect::<Vec<_>>()
        };
        sums.iter().flat_map(with).collect()
    })
}

fn scaled(list: Vec<(f64, Vec<f64>)>, factor: f64) -> Vec<(f64, Vec<f64>)> {
    list.into_iter().map(|(p, y)| (p, y.into_iter().map(|y| factor * y).collect())).collect()
}

/// Within rounding of sums of at most 40,000 outcomes of steps of that size.
fn assert_same(got: &(Vec<f64>, Vec<f64>), expected: &(Vec<f64>, Vec<f64>), size: f64, what: &str) {
    let pairs = |got: &[f64], expected: &[f64], size: f64| {
        for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!((got - expected).abs() <= 1e-12 * size, "{what} [{index}]: {got} against {expected}");
        }
    };
    pairs(&got.0, &expected.0, size);
    pairs(&got.1, &expected.1, size * size);
}

/// The largest coordinate of any of these steps.
fn size(outcomes: &[(f64, Vec<f64>)]) -> f64 {
    outcomes.iter().flat_map(|(_, y)| y).fold(0.0, |size, y| size.max(y.abs()))
}

/// Of agents without noise, whose gradients are ∇f plus these offsets, all masks and roundings of all of them.
fn assert_brute_force(objective: &str, compressor: &str, x: &[f64], offsets: &[Vec<f64>]) {
    let groups: Vec<String> = offsets
        .iter()
        .map(|offset| {
            group(1, 1, "none = {}", &format!("compressor.{compressor}\ngradient_offset = {offset:?}"))
        })
        .collect();
    let model = model("dcsgd", objective, &groups.join(""), x);
    let mut gradient = vec![0.0; x.len()];
    model.agents.objective().gradient(x, &mut gradient);
    let of_agent = |offset: &Vec<f64>| {
        let v: Vec<f64> = gradient.iter().zip(offset).map(|(gradient, offset)| gradient + offset).collect();
        outcomes(compressor, &v)
    };
    let lists: Vec<_> = offsets.iter().map(of_agent).collect();
    let step = -model.run.learning_rate / offsets.len() as f64;
    let all = scaled(sums(&lists), step);
    assert_same(&declared(&*model.optimizer, x), &over_all(&all), size(&all), compressor);
}

#[test]
fn dcsgd_declares_what_all_masks_and_roundings_give() {
    let x = [1.3, -0.7, 0.4, 2.1];
    for d in 1..=4 {
        let (half, all) = ((d / 2).max(1), d);
        let offset: Vec<f64> = (0..d).map(|j| 0.5 - 0.4 * j as f64).collect();
        let opposite: Vec<f64> = offset.iter().map(|offset| -offset).collect();
        for offsets in [vec![vec![0.0; d]], vec![offset.clone(), opposite.clone()]] {
            for compressor in [
                "identity = {}".to_owned(),
                "rand_k = { k = 1 }".to_owned(),
                format!("rand_k = {{ k = {half} }}"),
                format!("rand_k = {{ k = {all} }}"),
                "bernoulli = { probability = 0.3 }".to_owned(),
                "dithering = { levels = 1, norm = \"2\" }".to_owned(),
                "dithering = { levels = 3, norm = \"2\" }".to_owned(),
                "dithering = { levels = 1, norm = \"inf\" }".to_owned(),
                "dithering = { levels = 4, norm = \"inf\" }".to_owned(),
                "natural = {}".to_owned(),
                format!(
                    "composition = {{ first = {{ natural = {{}} }}, second = {{ rand_k = {{ k = {half} }} }} }}"
                ),
                "composition = { first = { bernoulli = { probability = 0.5 } }, second = { natural = {} } }"
                    .to_owned(),
            ] {
                assert_brute_force(&quadratic(d), &compressor, &x[..d], &offsets);
            }
        }
    }
}

/// All orders of `0..d`.
fn permutations(d: usize) -> Vec<Vec<usize>> {
    if d == 0 {
        return vec![Vec::new()];
    }
    let insert = |shorter: Vec<usize>| {
        (0..d).map(move |place| {
            let mut longer = shorter.clone();
            longer.insert(place, d - 1);
            longer
        })
    };
    permutations(d - 1).into_iter().flat_map(insert).collect()
}

/// Perm-k over all permutations, and over the independent noises of the agents, by their covariances.
fn perm_k_by_all_permutations(
    gradients: &[Vec<f64>],
    sigmas: &[Vec<f64>],
    k: usize,
    eta: f64,
) -> (Vec<f64>, Vec<f64>) {
    let (n, d) = (gradients.len(), gradients[0].len());
    let all = permutations(d);
    let probability = 1.0 / all.len() as f64;
    let owners: Vec<Vec<usize>> = all
        .iter()
        .map(|permutation| {
            let mut owner = vec![0; d];
            permutation.iter().enumerate().for_each(|(place, &j)| owner[j] = place / k);
            owner
        })
        .collect();
    let step = -eta / n as f64 * (d as f64 / k as f64);
    let moves = |owner: &Vec<usize>| (0..d).map(|j| step * gradients[owner[j]][j]).collect::<Vec<f64>>();
    let (mean, mut covariance) =
        over_all(&owners.iter().map(|owner| (probability, moves(owner))).collect::<Vec<_>>());
    for owner in &owners {
        for (index, covariance) in covariance.iter_mut().enumerate() {
            let (i, j) = (index / d, index % d);
            if owner[i] == owner[j] {
                *covariance += probability * step * step * sigmas[owner[i]][index];
            }
        }
    }
    (mean, covariance)
}

#[test]
fn perm_k_declares_what_all_permutations_give() {
    let x = [1.3, -0.7, 0.4, 2.1, -1.0, 0.2];
    for (d, n) in [(1, 1), (2, 1), (2, 2), (3, 3), (4, 2), (4, 4), (6, 2), (6, 3)] {
        let k = d / n;
        let centre = |i: usize| i as f64 - (n as f64 - 1.0) / 2.0;
        let offset = |i: usize| (0..d).map(|j| centre(i) * (1.0 + 0.5 * j as f64)).collect::<Vec<f64>>();
        let sigma = |i: usize| {
            let entry = |a: usize, b: usize| if a == b { 1.0 + i as f64 } else { 0.2 };
            (0..d).map(|a| (0..d).map(|b| entry(a, b)).collect::<Vec<f64>>()).collect::<Vec<_>>()
        };
        let groups: Vec<String> = (0..n)
            .map(|i| {
                let noise = format!("gaussian = {{ covariance = {:?} }}", sigma(i));
                let more = format!("compressor.perm_k = {{ k = {k} }}\ngradient_offset = {:?}", offset(i));
                group(1, 2, &noise, &more)
            })
            .collect();
        let model = model("dcsgd", &quadratic(d), &groups.join(""), &x[..d]);
        let mut gradient = vec![0.0; d];
        model.agents.objective().gradient(&x[..d], &mut gradient);
        let v = |i: usize| gradient.iter().zip(offset(i)).map(|(g, offset)| g + offset).collect::<Vec<f64>>();
        let gradients: Vec<Vec<f64>> = (0..n).map(v).collect();
        let sigmas: Vec<Vec<f64>> =
            (0..n).map(|i| sigma(i).concat().into_iter().map(|entry| entry / 2.0).collect()).collect();
        let expected = perm_k_by_all_permutations(&gradients, &sigmas, k, 0.01);
        let what = format!("d = {d}, N = {n}");
        assert_same(&declared(&*model.optimizer, &x[..d]), &expected, 0.1, &what);
    }
}

/// The signs of two different batches of one sample each, over all pairs of samples.
#[test]
fn minibatch_steps_are_declared_as_all_samples_give() {
    let x = [0.3, -0.4, 0.8, 0.1, -0.2];
    let logistic = "logistic = { data = \"iris\", regularisation = 0.1 }";
    let agents = group(2, 1, "minibatch = {}", "");
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        let model = model(optimizer, logistic, &agents, &x);
        let sum = model.agents.objective().finite_sum().unwrap();
        let samples: Vec<(f64, Vec<f64>)> = (0..sum.terms())
            .map(|s| {
                let mut gradient = vec![0.0; 5];
                sum.add_term_gradient(s, 1.0, &x, &mut gradient);
                let sent = |g: &f64| if optimizer == "dsignsgd" { g.signum() } else { *g };
                (1.0 / sum.terms() as f64, gradient.iter().map(sent).collect())
            })
            .collect();
        let all = scaled(sums(&[samples.clone(), samples]), -0.01 / 2.0);
        assert_same(&declared(&*model.optimizer, &x), &over_all(&all), size(&all), optimizer);
    }
}

/// Draws of a step from each state.
const DRAWS: u64 = 500_000;

/// The probability that a right declaration fails at all in one of these tests, by sampling; standard errors come from
/// the draws, whose fourth moments exist.
const FALSE_ALARM: f64 = 1e-6;

/// Comparisons in one test, at most: each state of each case has d + d(d + 1)/2.
const COMPARISONS: f64 = 5000.0;

/// The largest deviation of `step` from `declared`, in the standard errors that draws have.
fn excess(optimizer: &dyn Optimizer, declaration: &dyn DeclaredIncrement, x: &[f64], path: u64) -> f64 {
    let d = x.len();
    let mut out = Increment::new(d);
    declaration.increment(x, &mut out);
    let pairs: Vec<(usize, usize)> = (0..d).flat_map(|i| (i..d).map(move |j| (i, j))).collect();
    let variance = |i: usize| out.covariance.entry(i, i).abs();
    // Rounding of the step, and of the sum of products.
    let floors: Vec<f64> = (0..d).map(|i| 1e-15 * (1.0 + x[i].abs())).collect();
    let mut sums = vec![[0.0; 2]; d + pairs.len()];
    let mut stream = Streams::of_path(7, Role::Optimizer, path);
    let mut scratch = Scratch::default();
    let (mut moved, mut e) = (vec![0.0; d], vec![0.0; d]);
    for _ in 0..DRAWS {
        moved.copy_from_slice(x);
        optimizer.step(&mut moved, &mut stream, &mut scratch);
        for i in 0..d {
            e[i] = moved[i] - x[i] - out.mean[i];
        }
        let products = pairs.iter().map(|&(i, j)| e[i] * e[j] - out.covariance.entry(i, j));
        for (sums, value) in sums.iter_mut().zip(e.iter().copied().chain(products)) {
            sums[0] += value;
            sums[1] += value * value;
        }
    }
    let n = DRAWS as f64;
    let mut largest = 0.0f64;
    for (quantity, [sum, squares]) in sums.into_iter().enumerate() {
        let mean = sum / n;
        let error = ((squares / n - mean * mean).max(0.0) / n).sqrt();
        let floor = match quantity.checked_sub(d) {
            None => floors[quantity],
            Some(pair) => {
                let (i, j) = pairs[pair];
                let of_deviations = floors[i] * variance(j).sqrt() + floors[j] * variance(i).sqrt();
                of_deviations + floors[i] * floors[j] + 1e-12 * (variance(i) * variance(j)).sqrt()
            }
        };
        let beyond = (mean.abs() - floor).max(0.0);
        largest = largest.max(if beyond == 0.0 { 0.0 } else { beyond / error });
    }
    largest
}

/// How many standard errors are allowed.
fn allowed() -> f64 {
    Normal::new(0.0, 1.0).unwrap().inverse_cdf(1.0 - FALSE_ALARM / (2.0 * COMPARISONS))
}

struct Case {
    optimizer: &'static str,
    objective: String,
    agents: String,
    start: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let start = [0.8, -0.5, 0.3, 1.1];
    let mut cases = Vec::new();
    let mut case = |optimizer, d: usize, agents: String| {
        cases.push(Case { optimizer, objective: quadratic(d), agents, start: start[..d].to_vec() });
    };
    let gaussian = "gaussian = { scale = 0.7 }";
    let correlated = "gaussian = { covariance = [[1.0, 0.6], [0.6, 0.5]] }";
    let additive = |optimizer: &str| {
        // Products of steps without bound need fourth moments.
        let dof = if optimizer == "dsignsgd" { "1" } else { "12" };
        [
            (3, gaussian.to_owned()),
            (2, correlated.to_owned()),
            (2, format!("student_t = {{ scale = [0.5, 1.5], dof = {dof} }}")),
            (2, format!("multivariate_t = {{ scale = 0.8, dof = {dof} }}")),
            (2, format!("multivariate_t = {{ scale_matrix = [[1.0, -0.4], [-0.4, 0.5]], dof = {dof} }}")),
            (1, format!("batch_mean_t = {{ scale = 0.8, dof = {dof} }}")),
            (2, "contaminated = { scale = 0.4, fraction = 0.1, factor = 4 }".to_owned()),
            (2, "proportional = { scale = 0.5 }".to_owned()),
            (4, "gaussian = { scale = [0.1, 1.0, 2.0, 0.5] }".to_owned()),
        ]
    };
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        for (d, noise) in additive(optimizer) {
            for batch_size in [1, 4] {
                case(optimizer, d, group(2, batch_size, &noise, ""));
            }
        }
        let offsets = ["gradient_offset = [0.6, -0.3]", "gradient_offset = [-0.3, 0.15]"];
        let hetero =
            group(1, 2, correlated, offsets[0]) + &group(2, 1, "gaussian = { scale = 0.3 }", offsets[1]);
        case(optimizer, 2, hetero);
    }
    let without = "none = {}";
    for (noise, compressor) in [
        (gaussian, "rand_k = { k = 1 }"),
        (correlated, "rand_k = { k = 1 }"),
        ("multivariate_t = { scale = 0.8, dof = 12 }", "rand_k = { k = 1 }"),
        ("batch_mean_t = { scale = 0.8, dof = 12 }", "rand_k = { k = 1 }"),
        (correlated, "bernoulli = { probability = 0.4 }"),
        ("student_t = { scale = 0.5, dof = 12 }", "bernoulli = { probability = 0.4 }"),
        (gaussian, "natural = {}"),
        (correlated, "natural = {}"),
        ("student_t = { scale = 0.5, dof = 12 }", "natural = {}"),
        (gaussian, "dithering = { levels = 1, norm = \"inf\" }"),
        (
            "contaminated = { scale = 0.4, fraction = 0.1, factor = 4 }",
            "dithering = { levels = 3, norm = \"inf\" }",
        ),
        (without, "dithering = { levels = 2, norm = \"2\" }"),
        (without, "rand_k = { k = 1 }"),
        (gaussian, "composition = { first = { natural = {} }, second = { rand_k = { k = 1 } } }"),
        ("proportional = { scale = 0.5 }", "rand_k = { k = 1 }"),
        (gaussian, "perm_k = { k = 1 }"),
        (correlated, "perm_k = { k = 1 }"),
    ] {
        case("dcsgd", 2, compressed(2, noise, compressor));
    }
    let mixed = compressed(1, gaussian, "rand_k = { k = 2 }\ngradient_offset = [1.0, -0.5, 0.2, 0.0]")
        + &compressed(
            1,
            "student_t = { scale = 0.5, dof = 12 }",
            "natural = {}\ngradient_offset = [-1.0, 0.5, -0.2, 0.0]",
        );
    case("dcsgd", 4, mixed);
    for agents in [
        compressed(1, gaussian, "perm_k = { k = 2 }\ngradient_offset = [1.0, -0.5, 0.2, 0.0]")
            + &compressed(
                1,
                "gaussian = { scale = 0.2 }",
                "perm_k = { k = 2 }\ngradient_offset = [-1.0, 0.5, -0.2, 0.0]",
            ),
        compressed(4, gaussian, "perm_k = { k = 1 }"),
    ] {
        case("dcsgd", 4, agents);
    }
    for optimizer in ["dsgd", "dcsgd", "dsignsgd"] {
        for (objective, start) in [
            ("rosenbrock = { steepness = 2 }", vec![0.5, 0.3]),
            ("saddle = { eigenvalues = [1.0, -0.5, 0.3] }", vec![0.5, 0.3, -0.2]),
            ("logistic = { data = \"iris\", regularisation = 0.1 }", vec![0.1; 5]),
        ] {
            let agents = group(2, 1, gaussian, "");
            cases.push(Case { optimizer, objective: objective.to_owned(), agents, start });
        }
        let batch_size = if optimizer == "dsignsgd" { 1 } else { 3 };
        let agents = group(2, batch_size, "minibatch = {}", "");
        let objective = "logistic = { data = \"iris\", regularisation = 0.1 }".to_owned();
        cases.push(Case { optimizer, objective, agents, start: vec![0.1, -0.4, 0.8, 0.0, 0.3] });
    }
    cases
}

#[test]
fn steps_have_the_declared_moments() {
    let work: Vec<(usize, Case)> = cases().into_iter().enumerate().collect();
    let comparisons: usize =
        work.iter().map(|(_, case)| case.start.len()).map(|d| 2 * (d + d * (d + 1) / 2)).sum();
    assert!(comparisons as f64 <= COMPARISONS, "{comparisons}");
    work.par_iter().for_each(|(index, case)| {
        let Case { optimizer, objective, agents, start } = case;
        let model = model(optimizer, objective, agents, start);
        let small: Vec<f64> = start.iter().enumerate().map(|(j, x)| 0.1 * x + 0.05 * j as f64).collect();
        for (state, x) in [start, &small].into_iter().enumerate() {
            let declaration = model.optimizer.declared().expect("all that are built in declare");
            let excess = excess(&*model.optimizer, declaration, x, (2 * index + state) as u64);
            assert!(
                excess <= allowed(),
                "{optimizer}, {objective} at {x:?}: {excess} standard errors\n{agents}"
            );
        }
    });
}

/// A declaration with a mistake.
struct Wrong<'a> {
    right: &'a dyn DeclaredIncrement,
    covariance: f64,
    mean: f64,
}

impl DeclaredIncrement for Wrong<'_> {
    fn increment(&self, x: &[f64], out: &mut Increment) {
        self.right.increment(x, out);
        out.covariance.scale(self.covariance);
        out.mean.iter_mut().for_each(|mean| *mean *= self.mean);
    }
}

#[test]
fn mistakes_are_noticed() {
    let noise = "gaussian = { scale = 0.7 }";
    for (optimizer, agents) in [
        ("dsgd", group(2, 4, noise, "")),
        ("dcsgd", group(2, 4, noise, "compressor.rand_k = { k = 1 }")),
        ("dcsgd", group(2, 4, noise, "compressor.perm_k = { k = 1 }")),
        ("dsignsgd", group(2, 4, noise, "")),
    ] {
        let x = [0.2, -0.1];
        let model = model(optimizer, &quadratic(2), &agents, &x);
        let right = model.optimizer.declared().unwrap();
        // 1/N lost, B lost, the square of 1/N, one percent; a mean one percent off where a step has it in sight.
        for (covariance, mean) in [(2.0, 1.0), (4.0, 1.0), (0.5, 1.0), (1.02, 1.0), (1.0, 1.05)] {
            let wrong = Wrong { right, covariance, mean };
            let excess = excess(&*model.optimizer, &wrong, &x, 1000);
            assert!(excess > allowed(), "{optimizer}: covariance × {covariance}, mean × {mean}: {excess}");
        }
    }
}

#[test]
fn agents_that_share_their_permutation_are_not_independent() {
    let x = [0.8, -0.5];
    let noise = "gaussian = { scale = 0.7 }";
    let perm_k = model("dcsgd", &quadratic(2), &compressed(2, noise, "perm_k = { k = 1 }"), &x);
    let rand_k = model("dcsgd", &quadratic(2), &compressed(2, noise, "rand_k = { k = 1 }"), &x);
    let excess = excess(&*perm_k.optimizer, rand_k.optimizer.declared().unwrap(), &x, 1001);
    assert!(excess > allowed(), "{excess}");
}
