//! What networks cost: gradients a second, and the share of a step of an optimizer that is not its gradient.
//!
//! `taskset -c 0 cargo bench --features neural --bench neural`, on an idle machine: one core, the least of many runs.

use itocheck::agent::Scratch;
use itocheck::random::{Role, Streams};
use itocheck::scenario::{Overrides, check};
use std::path::Path;
use std::time::Instant;

const NETWORKS: [&str; 8] = [
    "mlp = {}",
    "mlp = { samples = 500, widths = [64, 32] }",
    "resnet = {}",
    "resnet = { channels = [16, 32] }",
    "vit = {}",
    "vit = { width = 24, patch = 4 }",
    "gpt2 = {}",
    "gpt2 = { width = 20, context = 32 }",
];

/// Paths side by side: samplers draw for all of them at once.
const PATHS: usize = 8;

const OPTIMIZERS: [(&str, &str); 3] = [
    ("dsgd", "noise.gaussian = { scale = 0.1 }"),
    ("dcsgd", "noise.gaussian = { scale = 0.1 }, compressor.rand_k = { k = 100 }"),
    ("dsignsgd", "noise.student_t = { scale = 0.1, dof = 3 }"),
];

/// Numbers N of agents: all of them draw noises, for one gradient.
const AGENTS: [usize; 2] = [1, 4];

fn main() {
    println!(
        "| network | d | gradient, ms | gradients a second | share of a step outside it: dsgd, dcsgd, dsignsgd (N = 1) | (N = 4) |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for network in NETWORKS {
        let mut row = String::new();
        let mut shares = Vec::new();
        for (count, (optimizer, agents)) in AGENTS.iter().flat_map(|n| OPTIMIZERS.map(|of| (n, of))) {
            let text = format!(
                "title = \"bench\"\noptimizer = \"{optimizer}\"\nobjective.{network}\nagents = [{{ count = {count}, {agents} }}]\n\
                 run = {{ learning_rate = 1e-9, steps = 1, records = 1, start = 0.1, domain = {{ radius = 1e6 }} }}\n"
            );
            let loaded = check(Path::new("bench.toml"), text, Overrides::default());
            let model = loaded.unwrap_or_else(|error| panic!("{error}")).experiment.model;
            let objective = model.agents.objective();
            let start = objective.initial().expect("a network");
            // Apart from each other: neighbours at the same place have one gradient.
            let apart = |x: &f64| (0..PATHS).map(|path| x + 1e-6 * path as f64).collect::<Vec<f64>>();
            let mut x: Vec<f64> = start.iter().flat_map(apart).collect();
            let mut gradient = vec![0.0; x.len()];
            let mut scratch = Scratch::default();
            let mut streams = Streams::new(1, Role::Optimizer, 0..PATHS as u64);
            // In turns, so that both meet the same machine.
            let (mut of_gradient, mut of_step) = (f64::INFINITY, f64::INFINITY);
            let begun = Instant::now();
            while begun.elapsed().as_secs_f64() < 2.0 {
                let now = Instant::now();
                objective.gradient(&x, &mut gradient);
                of_gradient = of_gradient.min(now.elapsed().as_secs_f64());
                let now = Instant::now();
                model.optimizer.step(&mut x, &mut streams, &mut scratch);
                of_step = of_step.min(now.elapsed().as_secs_f64());
            }
            shares.push(format!("{:.1} %", 100.0 * (1.0 - of_gradient / of_step).max(0.0)));
            let each = of_gradient / PATHS as f64;
            row = format!("| `{network}` | {} | {:.3} | {:.0} |", start.len(), 1e3 * each, 1.0 / each);
        }
        let (one, four) = shares.split_at(OPTIMIZERS.len());
        println!("{row} {} | {} |", one.join(", "), four.join(", "));
    }
}
