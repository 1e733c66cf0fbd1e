//! How often intervals after the controls of the linear shadow miss: `cargo run --release --example shadow_coverage --
//! REPLICATIONS` judges scenarios with exact expectations anew with so many seeds, pilots and all, and counts at
//! several levels how many t intervals of the optimizer's moments miss the exact value.

use itocheck::claim::{Judgement, Progress, judge};
use itocheck::ensemble::BLOCK;
use itocheck::scenario::{Overrides, check};
use itocheck::stats::student_quantile;
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

const LEVELS: [f64; 4] = [0.05, 1e-2, 1e-3, 1e-4];

/// A rounding floor, as that of the intervals of a verdict.
const ROUNDING: f64 = 1e-13;

const SCENARIOS: [(&str, &str, &str); 4] = [
    ("DSignSGD, t₁, N = 1", "dsignsgd", "count = 1, noise.student_t = { scale = 1.0, dof = 1 }"),
    ("DSignSGD, t₃, N = 4", "dsignsgd", "count = 4, noise.student_t = { scale = 1.0, dof = 3 }"),
    (
        "DCSGD, Rand-1 of 2, N = 1",
        "dcsgd",
        "count = 1, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 }",
    ),
    (
        "DCSGD, Bernoulli 0.2, N = 1",
        "dcsgd",
        "count = 1, noise.gaussian = { scale = 1.0 }, compressor.bernoulli = { probability = 0.2 }",
    ),
];

fn main() {
    let replications = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200);
    println!("| scenario | shadow | blocks | intervals | 0.05 | 1e-2 | 1e-3 | 1e-4 |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, optimizer, agents) in SCENARIOS {
        for shadow in ["auto", "off"] {
            for blocks in [16, 32, 64] {
                let [intervals, missed @ ..] = count(optimizer, agents, shadow, blocks, replications);
                let rates: Vec<String> = missed
                    .iter()
                    .map(|missed| format!("{:.1e}", *missed as f64 / intervals as f64))
                    .collect();
                println!("| {name} | {shadow} | {blocks} | {intervals} | {} |", rates.join(" | "));
            }
        }
    }
}

/// Intervals, and those that miss at each level.
fn count(optimizer: &str, agents: &str, shadow: &str, blocks: u64, replications: u64) -> [u64; 5] {
    let seeds = blocks * BLOCK as u64;
    let mut counts = [0; 5];
    for seed in 0..replications {
        let text = format!(
            "title = \"t\"\noptimizer = \"{optimizer}\"\nobjective.quadratic = {{ eigenvalues = [1.0, 2.0] }}\nagents = [{{ {agents} }}]\n\
             [run]\nlearning_rate = 0.02\nsteps = 20\nrecords = 2\nstart = [0.6, -0.4]\n[sde]\nsubsteps = 1\n[monte_carlo]\n\
             seed = {seed}\nseeds = {seeds}\nmax_seeds = {seeds}\nshadow = \"{shadow}\"\n[[claims]]\n[claims.trajectory]\n\
             margin = {{ absolute = 1e3 }}\n"
        );
        let experiment =
            check(Path::new("t.toml"), text, Overrides::default()).expect("a right scenario").experiment;
        // Without the default claim `coefficients`, which takes its own draws.
        let mut experiment = experiment;
        experiment.claims.retain(|claim| matches!(claim, itocheck::claim::Claim::Trajectory(_)));
        add(&mut counts, &judge(&experiment, &Silent), blocks);
    }
    counts
}

fn add(counts: &mut [u64; 5], judgement: &Judgement, blocks: u64) {
    let moments = judgement.moments.as_ref().expect("a trajectory is claimed");
    let exact = moments.exact.as_ref().and_then(|exact| exact.optimizer.as_ref()).expect("all is exact");
    let quantiles = LEVELS.map(|level| student_quantile(blocks as f64 - 1.0, level / 2.0));
    let sampled = moments.optimizer.mean.iter().zip(&moments.optimizer.standard_error);
    for ((means, errors), exact) in sampled.zip(exact) {
        for ((mean, error), exact) in means.iter().zip(errors).zip(exact).skip(1) {
            let (Some(mean), Some(error), Some(exact)) = (mean, error, exact) else { continue };
            let beyond = (mean - exact).abs() - ROUNDING * (mean.abs() + exact.abs());
            counts[0] += 1;
            for (count, quantile) in counts[1..].iter_mut().zip(quantiles) {
                *count += u64::from(beyond > quantile * error);
            }
        }
    }
}
