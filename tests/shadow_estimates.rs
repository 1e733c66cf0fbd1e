//! Means after the controls of the linear shadow: their intervals hold what is exact as often as they say, they agree
//! with plain means where nothing is exact, and they vary as much less as is promised.

mod common;

use common::experiment;
use itocheck::claim::{Judgement, MomentTables, Progress, judge};
use itocheck::ensemble::BLOCK;
use itocheck::stats::student_quantile;
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// The moments of the one trajectory of a scenario, which has nothing to decide.
fn moments(text: &str) -> MomentTables {
    let text = format!("title = \"t\"\n{text}\n[[claims]]\n[claims.coefficients]\nmargin = 0.9\n");
    let mut experiment = experiment(&text);
    experiment.claims.retain(|claim| matches!(claim, itocheck::claim::Claim::Trajectory(_)));
    let Judgement { moments, contradictions, .. } = judge(&experiment, &Silent);
    assert!(contradictions.is_empty(), "{}", contradictions[0]);
    moments.unwrap()
}

const BLOCKS: u64 = 32;
const REPLICATIONS: u64 = 150;

/// The probability that too many misses are counted for any cell at any level where intervals hold.
const FALSE_ALARM: f64 = 1e-6;

/// A rounding floor, as that of the intervals of a verdict.
const ROUNDING: f64 = 1e-13;

/// Misses of every cell over the replications at each level, after t intervals were stretched.
fn misses(text: &dyn Fn(u64) -> String, levels: [f64; 2], stretch: f64) -> Vec<[u64; 2]> {
    let quantiles = levels.map(|level| stretch * student_quantile(BLOCKS as f64 - 1.0, level / 2.0));
    let mut counts = Vec::new();
    for seed in 0..REPLICATIONS {
        let moments = moments(&text(seed));
        assert!(moments.shadow.is_some());
        let exact = moments.exact.unwrap().optimizer.unwrap();
        let cells = |table: &[Vec<Option<f64>>]| -> Vec<f64> {
            table.iter().flat_map(|row| row[1..].iter().map(|value| value.unwrap())).collect()
        };
        let (means, errors) = (cells(&moments.optimizer.mean), cells(&moments.optimizer.standard_error));
        let exact = cells(&exact);
        counts.resize(exact.len(), [0; 2]);
        for (index, counts) in counts.iter_mut().enumerate() {
            let beyond =
                (means[index] - exact[index]).abs() - ROUNDING * (means[index].abs() + exact[index].abs());
            for (count, quantile) in counts.iter_mut().zip(quantiles) {
                *count += u64::from(beyond > quantile * errors[index]);
            }
        }
    }
    counts
}

/// Whether no cell has more misses than the binomial law makes plausible.
fn holds(counts: &[[u64; 2]], levels: [f64; 2]) -> bool {
    counts.iter().all(|counts| {
        counts.iter().zip(levels).all(|(&count, level)| {
            let law = Binomial::new(level, REPLICATIONS).unwrap();
            count == 0 || law.sf(count - 1) > FALSE_ALARM / (2 * counts.len()) as f64
        })
    })
}

fn with_exact_moments(optimizer: &'static str, agents: &'static str) -> impl Fn(u64) -> String {
    let seeds = BLOCKS * BLOCK as u64;
    move |seed| {
        format!(
            "optimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [1.0, 2.0] }}\nagents = [{{ {agents} }}]\n[run]\n\
             learning_rate = 0.02\nsteps = 20\nrecords = 2\nstart = [0.6, -0.4]\n[sde]\nsubsteps = 1\n[monte_carlo]\nseed = {seed}\n\
             seeds = {seeds}\nmax_seeds = {seeds}\n[[claims]]\n[claims.trajectory]\nmargin = {{ absolute = 1e3 }}"
        )
    }
}

const LEVELS: [f64; 2] = [0.05, 0.001];

#[test]
fn intervals_hold_exact_expectations_of_signs() {
    let text = with_exact_moments("dsignsgd", "count = 1, noise.student_t = { scale = 1.0, dof = 1 }");
    assert!(holds(&misses(&text, LEVELS, 1.0), LEVELS));
    // Intervals half as wide do not.
    assert!(!holds(&misses(&text, LEVELS, 0.5), LEVELS));
}

#[test]
fn intervals_hold_exact_expectations_of_compressed_steps() {
    let text = with_exact_moments(
        "dcsgd",
        "count = 1, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 }",
    );
    assert!(holds(&misses(&text, LEVELS, 1.0), LEVELS));
}

fn rosenbrock(optimizer: &str, shadow: &str, seed: u64, seeds: u64) -> MomentTables {
    moments(&format!(
        "optimizer = \"{optimizer}\"\nobjective.rosenbrock = {{ steepness = 5.0 }}\nagents = [{{ count = 2, noise.gaussian = {{ scale = 2.0 }} }}]\n\
         [run]\nlearning_rate = 0.005\nsteps = 20\nrecords = 2\nstart = [-0.5, 0.5]\ndomain = {{ radius = 20.0 }}\n[sde]\nsubsteps = 1\n\
         [monte_carlo]\nseed = {seed}\nseeds = {seeds}\nmax_seeds = {seeds}\nshadow = \"{shadow}\"\n[[claims]]\n[claims.trajectory]\n\
         margin = {{ absolute = 1e3 }}"
    ))
}

/// The largest difference between the means of two runs, in the standard errors of both.
fn largest_difference(a: &MomentTables, b: &MomentTables) -> f64 {
    let mut largest = 0.0f64;
    for (a, b) in [(&a.optimizer, &b.optimizer), (&a.sde.table, &b.sde.table)] {
        let values = |table: &[Vec<Option<f64>>]| -> Vec<f64> {
            table.iter().flatten().map(|value| value.unwrap()).collect()
        };
        let (means_a, means_b) = (values(&a.mean), values(&b.mean));
        let (errors_a, errors_b) = (values(&a.standard_error), values(&b.standard_error));
        for index in 0..means_a.len() {
            let error = libm::hypot(errors_a[index], errors_b[index]);
            let beyond = (means_a[index] - means_b[index]).abs() - ROUNDING * means_a[index].abs();
            largest = largest.max(if beyond > 0.0 { beyond / error } else { 0.0 });
        }
    }
    largest
}

/// A plain run of 131072 paths against those with shadows of 2048 paths and other seeds: some 50 comparisons, which are
/// near Gaussian, for the errors are those of the long run.
#[test]
fn controlled_means_of_rosenbrock_are_those_of_many_plain_paths() {
    let allowed = Normal::new(0.0, 1.0).unwrap().inverse_cdf(1.0 - FALSE_ALARM / 400.0);
    for optimizer in ["dsgd", "dsignsgd"] {
        let plain = rosenbrock(optimizer, "off", 1, 1 << 17);
        for seed in 2..4 {
            let shadowed = rosenbrock(optimizer, "auto", seed, 2048);
            assert!(shadowed.shadow.is_some());
            let largest = largest_difference(&plain, &shadowed);
            assert!(largest < allowed, "{optimizer}: {largest} standard errors");
        }
    }
}

/// Variance ratios: those that are promised for the least of all functions and times.
#[test]
fn variances_fall_as_is_promised() {
    let scenario = |optimizer: &str, objective: &str, agents: &str, run: &str| {
        let text = format!(
            "optimizer = \"{optimizer}\"\nobjective.{objective}\nagents = [{{ {agents} }}]\nrun = {{ {run} }}\n[sde]\nsubsteps = 1\n\
             [monte_carlo]\nseeds = 4096\nmax_seeds = 4096\n[[claims]]\n[claims.trajectory]\nmargin = {{ absolute = 1e3 }}"
        );
        let shadow = moments(&text).shadow.expect("it pays");
        (shadow.least.unwrap(), shadow.median.unwrap())
    };
    let quadratic = "quadratic = { eigenvalues = [0.5, 1.0, 2.0] }";
    let run = "learning_rate = 0.01, steps = 100, records = 5, start = 0.5";
    let rosenbrock = "rosenbrock = { steepness = 5.0 }";
    let inside =
        "learning_rate = 0.005, steps = 40, records = 4, start = [-0.5, 0.5], domain = { radius = 50.0 }";
    let saddle = "saddle = { eigenvalues = [1.0, -1.0] }";
    let away =
        "learning_rate = 0.005, steps = 400, records = 10, start = [1.0, 0.8], domain = { radius = 10.0 }";
    let logistic = "logistic = { data = \"iris\", regularisation = 0.1 }";
    let t = "count = 4, noise.student_t = { scale = 1.0, dof = 1 }";
    let rand = "count = 4, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 }";
    for (optimizer, objective, agents, run, promised) in [
        ("dcsgd", quadratic, rand, run, 1000.0),
        ("dsignsgd", quadratic, t, run, 1000.0),
        ("dcsgd", rosenbrock, rand, inside, 100.0),
        ("dsignsgd", rosenbrock, t, inside, 100.0),
        ("dcsgd", logistic, rand, run, 100.0),
        ("dsignsgd", logistic, t, run, 100.0),
        // Away from its separatrix. No more is promised than half of what other models and starts show there.
        ("dcsgd", saddle, rand, away, 40.0),
        ("dsignsgd", saddle, t, away, 50.0),
    ] {
        let (least, median) = scenario(optimizer, objective, agents, run);
        println!("{optimizer} {objective}: least {least:.1}, median {median:.1}");
        assert!(least >= promised, "{optimizer}, {objective}: least {least}, median {median}");
    }
}
