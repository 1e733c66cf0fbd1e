//! `[run] sampling = "exact_in_law"`: steps drawn from their law against faithful ones, and against the declared moments.

use itocheck::agent::Scratch;
use itocheck::model::Model;
use itocheck::optimizer::{Increment, Optimizer};
use itocheck::random::{Role, Streams};
use itocheck::scenario::{Overrides, check};
use std::path::Path;

const X: [f64; 3] = [0.7, -0.4, 0.05];
const DRAWS: usize = 1 << 20;
const SIDE_BY_SIDE: usize = 64;

/// Two-sample Kolmogorov–Smirnov at 1e-7: `2 exp(−2c²)`, for the 42 comparisons of a test 4e-6. Ties make it smaller.
const KOLMOGOROV_AT_1E_7: f64 = 2.9;

const CASES: [(&str, &str); 7] = [
    ("dsignsgd", "count = 4\nnoise.student_t = { scale = [0.5, 1.0, 2.0], dof = 3 }"),
    ("dsignsgd", "count = 5\nbatch_size = 2\nnoise.gaussian = { scale = 0.6 }"),
    ("dsignsgd", "count = 3\nbatch_size = 3\nnoise.batch_mean_t = { scale = 0.5, dof = 1.5 }"),
    ("dsgd", "count = 4\nnoise.gaussian = { scale = [0.5, 1.0, 2.0] }"),
    ("dcsgd", "count = 4\nnoise.gaussian = { scale = 0.8 }\ncompressor.rand_k = { k = 1 }"),
    ("dcsgd", "count = 2\nnoise.gaussian = { scale = [0.5, 1.0, 2.0] }\ncompressor.rand_k = { k = 2 }"),
    ("dcsgd", "count = 3\nnoise.gaussian = { scale = 0.8 }\ncompressor.bernoulli = { probability = 0.4 }"),
];

fn text(optimizer: &str, agents: &str, sampling: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [0.5, 1.0, 2.0] }}\n\
         [[agents]]\n{agents}\n\
         [run]\nlearning_rate = 0.1\nsteps = 4\nrecords = 2\nstart = 0.5\nsampling = \"{sampling}\"\n"
    )
}

fn model(optimizer: &str, agents: &str, sampling: &str) -> Model {
    let loaded = check(Path::new("t.toml"), text(optimizer, agents, sampling), Overrides::default());
    loaded.unwrap_or_else(|error| panic!("{error}")).experiment.model
}

/// Steps from X, coordinate by coordinate.
fn steps(optimizer: &dyn Optimizer, seed: u64) -> Vec<Vec<f64>> {
    let mut streams = Streams::new(seed, Role::Optimizer, 0..SIDE_BY_SIDE as u64);
    let mut scratch = Scratch::default();
    let mut steps = vec![Vec::with_capacity(DRAWS); X.len()];
    for _ in 0..DRAWS / SIDE_BY_SIDE {
        let mut x: Vec<f64> = X.iter().flat_map(|x| [*x; SIDE_BY_SIDE]).collect();
        optimizer.step(&mut x, &mut streams, &mut scratch);
        for ((steps, row), start) in steps.iter_mut().zip(x.chunks_exact(SIDE_BY_SIDE)).zip(X) {
            steps.extend(row.iter().map(|x| x - start));
        }
    }
    steps
}

/// `√(n/2) D` of two samples of n.
fn kolmogorov(mut one: Vec<f64>, mut other: Vec<f64>) -> f64 {
    one.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let below = |sample: &[f64], x: f64| sample.partition_point(|y| *y <= x) as f64 / sample.len() as f64;
    // A step of signs has few values, which rounding may move by a unit in the last place.
    let distance = |x: f64| (below(&one, x + 1e-12) - below(&other, x + 1e-12)).abs();
    let places = one.iter().step_by(97).chain(other.iter().step_by(97));
    places.map(|x| distance(*x)).fold(0.0, f64::max) * (one.len() as f64 / 2.0).sqrt()
}

/// The largest distance of marginals and of sums and differences of coordinates, whose law the correlations enter.
fn distance(one: &[Vec<f64>], other: &[Vec<f64>]) -> f64 {
    let combined = |steps: &[Vec<f64>], i: usize, j: usize, sign: f64| -> Vec<f64> {
        steps[i].iter().zip(&steps[j]).map(|(x, y)| x + sign * y).collect()
    };
    let marginals = (0..3).map(|j| kolmogorov(one[j].clone(), other[j].clone()));
    let pairs = [(0, 1, 1.0), (0, 2, -1.0), (1, 2, 1.0)].into_iter();
    let of_pairs =
        pairs.map(|(i, j, sign)| kolmogorov(combined(one, i, j, sign), combined(other, i, j, sign)));
    marginals.chain(of_pairs).fold(0.0, f64::max)
}

#[test]
fn steps_from_their_law_are_those_of_the_agents() {
    for (optimizer, agents) in CASES {
        let faithful = model(optimizer, agents, "faithful");
        let in_law = model(optimizer, agents, "exact_in_law");
        let distance = distance(&steps(&*in_law.optimizer, 1), &steps(&*faithful.optimizer, 2));
        assert!(distance < KOLMOGOROV_AT_1E_7, "{optimizer}, {agents}: {distance}");
    }
}

#[test]
fn steps_from_their_law_have_the_declared_moments() {
    for (optimizer, agents) in CASES {
        let in_law = model(optimizer, agents, "exact_in_law");
        let mut declared = Increment::new(3);
        model(optimizer, agents, "faithful").optimizer.declared().unwrap().increment(&X, &mut declared);
        let steps = steps(&*in_law.optimizer, 3);
        let n = DRAWS as f64;
        for i in 0..3 {
            for j in i..3 {
                let products: Vec<f64> = (0..DRAWS)
                    .map(|draw| (steps[i][draw] - declared.mean[i]) * (steps[j][draw] - declared.mean[j]))
                    .collect();
                let mean = products.iter().sum::<f64>() / n;
                let square = products.iter().map(|product| product * product).sum::<f64>() / n;
                // 63 comparisons at 6 standard errors: a false alarm below 1e-6.
                let error = 6.0 * ((square - mean * mean) / n).sqrt();
                let gap = mean - declared.covariance.entry(i, j);
                assert!(gap.abs() < error, "{optimizer}, {agents}: covariance[{i}][{j}] off by {gap}");
            }
            let mean = steps[i].iter().sum::<f64>() / n;
            let error = 6.0 * (declared.covariance.entry(i, i) / n).sqrt();
            assert!((mean - declared.mean[i]).abs() < error, "{optimizer}, {agents}: mean[{i}]");
        }
    }
}

#[test]
fn another_law_is_noticed() {
    // One agent fewer, masks whose coordinates are independent, and noise that is 2.5 % too small: all of the same mean.
    for (optimizer, agents, others) in [
        ("dsignsgd", CASES[0].1, "count = 3\nnoise.student_t = { scale = [0.5, 1.0, 2.0], dof = 3 }"),
        (
            "dcsgd",
            CASES[4].1,
            "count = 4\nnoise.gaussian = { scale = 0.8 }\ncompressor.bernoulli = { probability = 0.3333 }",
        ),
        (
            "dcsgd",
            CASES[6].1,
            "count = 3\nnoise.gaussian = { scale = 0.78 }\ncompressor.bernoulli = { probability = 0.4 }",
        ),
    ] {
        let (faithful, in_law) =
            (model(optimizer, agents, "faithful"), model(optimizer, others, "exact_in_law"));
        let distance = distance(&steps(&*in_law.optimizer, 1), &steps(&*faithful.optimizer, 2));
        assert!(distance > KOLMOGOROV_AT_1E_7, "{optimizer}: {distance}");
    }
}

#[test]
fn what_has_no_law_to_draw_from_is_refused() {
    for (optimizer, agents, expected) in [
        (
            "dsignsgd",
            "count = 1\nnoise.multivariate_t = { scale = 1.0, dof = 3 }",
            "coordinates are independent",
        ),
        (
            "dcsgd",
            "count = 1\nnoise.student_t = { scale = 1.0, dof = 5 }\ncompressor.rand_k = { k = 1 }",
            "noise.gaussian",
        ),
        (
            "dcsgd",
            "count = 1\nnoise.gaussian = { scale = 1.0 }\ncompressor.natural = {}",
            "rand_k, bernoulli or none",
        ),
        (
            "dcsgd",
            "count = 3\nnoise.gaussian = { scale = 1.0 }\ncompressor.perm_k = { k = 1 }",
            "rand_k, bernoulli or none",
        ),
        ("dsgd", "count = 1\nnoise.proportional = { scale = 1.0 }", "noise.gaussian"),
    ] {
        let text = text(optimizer, agents, "exact_in_law");
        let error =
            check(Path::new("t.toml"), text.clone(), Overrides::default()).err().expect(agents).to_string();
        let line = 1 + text.lines().position(|line| line.starts_with("sampling")).unwrap();
        assert!(error.contains(expected) && error.starts_with(&format!("t.toml:{line}:12")), "{error}");
    }
}

#[test]
fn a_verdict_says_that_it_rests_on_the_law() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("s.toml");
    let claims = "[monte_carlo]\nseeds = 2048\nmax_seeds = 2048\n[[claims]]\n[claims.trajectory]\nmargin = { effect = 0.3 }\n";
    std::fs::write(&file, text(CASES[0].0, CASES[0].1, "exact_in_law") + claims).unwrap();
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_itocheck"));
    command.args(["run", "--quiet", "--out"]).arg(out.path()).arg(&file).output().unwrap();
    let report = std::fs::read_to_string(out.path().join("s").join("report.json")).unwrap();
    assert!(report.contains("steps_drawn_from_their_law"), "{report}");
}
