//! Counts false alarms of `itocheck run --baseline`: pairs of runs of one scenario, of which no moment moved.
//!
//! `cargo run --release --example baseline_alarms` prints the table of docs/baselines.md.

use itocheck::claim::{Progress, judge};
use itocheck::report::Report;
use itocheck::report::baseline::{Comparison, Earlier};
use itocheck::scenario::{Overrides, check};
use rayon::prelude::*;
use serde_json::{Value, json};

/// Error rates at which each pair is compared.
pub const ERROR_RATES: [f64; 3] = [0.1, 1e-2, 1e-3];

/// A gradient that hardly changes: optimizer, SDE and integrator have one Gaussian law, so that nothing is lost on bias.
const GAUSSIAN: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1e-4], minimiser = 1e4 }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.6, steps = 1, records = 1, start = -0.6 }
sde = { substeps = 1 }
"#;

/// Squares of this noise have the heaviest tails that are sampled.
const T8: &str = r#"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1e-4], minimiser = 1e4 }
agents = [{ count = 1, noise.student_t = { scale = 1.0, dof = 8 } }]
run = { learning_rate = 0.6, steps = 1, records = 1, start = -0.6 }
sde = { substeps = 1 }
"#;

/// About 3 % of the paths leave the domain.
const EXITS: &str = r#"
optimizer = "dsignsgd"
objective.quadratic = { eigenvalues = [1.0] }
agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]
run = { learning_rate = 0.2, steps = 5, records = 1, start = 0.0, domain = { radius = 0.95 } }
sde = { substeps = 1 }
"#;

/// What the second run has to do with the first.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    /// Another seed.
    Seed,
    /// The same seed.
    Paths,
    /// The same seed, all draws the other way: every mean lies as far on the other side of its exact value.
    Mirror,
    /// That, said to be of another seed.
    MirrorOfAnotherSeed,
}

/// Pairs of runs.
pub struct Case {
    pub name: &'static str,
    process: &'static str,
    /// Seeds at the first look and at most, of either run.
    seeds: [[u64; 2]; 2],
    other: Other,
}

/// Pairs that are held to the error rate.
pub fn cases() -> Vec<Case> {
    let case = |name, process, seeds, other| Case { name, process, seeds, other };
    vec![
        case("another seed", GAUSSIAN, [[1024, 1024], [1024, 1024]], Other::Seed),
        case("another seed, stopped by the data", GAUSSIAN, [[512, 4096], [512, 4096]], Other::Seed),
        case("another seed, t_8, eight times the paths", T8, [[512, 512], [4096, 4096]], Other::Seed),
        case("another seed, exits", EXITS, [[512, 512], [1024, 1024]], Other::Seed),
        case("the same seed, twice the paths", GAUSSIAN, [[1024, 1024], [2048, 2048]], Other::Paths),
        case("the same seed, t_8, twice the paths", T8, [[512, 512], [1024, 1024]], Other::Paths),
        case("the same seed, mirror images", GAUSSIAN, [[1024, 1024], [1024, 1024]], Other::Mirror),
    ]
}

/// Mirror images held to the limit for independent runs: more alarms than the error rate allows.
pub fn control() -> Case {
    let other = Other::MirrorOfAnotherSeed;
    Case { name: "mirror images, taken for independent", process: GAUSSIAN, seeds: [[4096, 4096]; 2], other }
}

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn run(process: &str, seed: u64, [first, most]: [u64; 2]) -> Report {
    let text = format!(
        "title = \"t\"\n{process}\nmonte_carlo = {{ seed = {seed}, seeds = {first}, max_seeds = {most}, error_rate = 0.01, \
         shadow = \"off\" }}\nclaims = [{{ trajectory = {{ margin = {{ effect = 0.25 }} }} }}]"
    );
    let loaded = check("alarms.toml".as_ref(), text, Overrides::default());
    let mut loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    // Every scenario claims its coefficients, which have no part in this.
    loaded.experiment.claims.retain(|claim| claim.kind() == "trajectory");
    Report::new(&loaded, judge(&loaded.experiment, &Silent), 1.0, 1)
}

/// Every sampled mean as far on the other side of its exact value.
fn mirror(report: &mut Value) {
    let moments = &mut report["moments"];
    for process in ["optimizer", "sde"] {
        let exact = moments["exact"][process].clone();
        for (row, exact) in
            moments[process]["mean"].as_array_mut().unwrap().iter_mut().zip(exact.as_array().unwrap())
        {
            for (mean, exact) in row.as_array_mut().unwrap().iter_mut().zip(exact.as_array().unwrap()) {
                *mean = json!(2.0 * exact.as_f64().unwrap() - mean.as_f64().unwrap());
            }
        }
    }
}

impl Case {
    /// Of so many pairs, how many have a moment that is named as moved, at each error rate.
    pub fn alarms(&self, pairs: u64) -> [u64; 3] {
        let pair = |pair: u64| {
            let [first, second] = [2 * pair, 2 * pair + 1];
            let before = run(self.process, first, self.seeds[0]);
            let mut before: Value = serde_json::from_slice(&before.json().unwrap()).unwrap();
            if matches!(self.other, Other::Mirror | Other::MirrorOfAnotherSeed) {
                mirror(&mut before);
            }
            if self.other == Other::MirrorOfAnotherSeed {
                before["provenance"]["seed"] = json!(second);
            }
            let earlier: Earlier = serde_json::from_value(before).unwrap();
            let seed = if self.other == Other::Seed { second } else { first };
            let report = run(self.process, seed, self.seeds[1]);
            ERROR_RATES.map(|rate| u64::from(Comparison::new(&earlier, &report, rate).has_moved()))
        };
        let sum = |a: [u64; 3], b: [u64; 3]| [0, 1, 2].map(|index| a[index] + b[index]);
        (0..pairs).into_par_iter().map(pair).reduce(|| [0; 3], sum)
    }
}

#[allow(dead_code)]
fn main() {
    const PAIRS: u64 = 10_000;
    println!("| runs | pairs | at 0.1 | at 0.01 | at 0.001 |\n| --- | --- | --- | --- | --- |");
    for case in cases().iter().chain([&control()]) {
        let rates = case.alarms(PAIRS).map(|count| format!("{:.4}", count as f64 / PAIRS as f64));
        println!("| {} | {PAIRS} | {} |", case.name, rates.join(" | "));
    }
}
