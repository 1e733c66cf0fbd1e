//! Neural networks as objectives, of builds that have them.
#![cfg(feature = "neural")]
#![allow(clippy::disallowed_methods)] // an independent reference uses what the crate may not

mod bits;
#[path = "../common/mod.rs"]
mod common;
mod data;
mod derivatives;
#[allow(dead_code)]
#[path = "../compare/files.rs"]
mod files;
mod minibatch;
mod plain;
mod refused;
mod scaling;
mod sentences;
mod start;
mod values;

use itocheck::objective::neural::Network;
use itocheck::parameter::Invalid;
use itocheck::random::{Role, Stream};

/// Small networks, one or two of each kind.
const NETWORKS: [&str; 6] = [
    "mlp = { samples = 7, widths = [5, 4] }",
    "mlp = { samples = 5, widths = [6], activation = \"gelu\" }",
    "resnet = { samples = 4, channels = [3, 5], blocks = 2 }",
    "vit = { samples = 4, patch = 4, width = 6, heads = 3, depth = 2, expansion = 2 }",
    "vit = { samples = 3, patch = 2, width = 4, heads = 1, depth = 1, expansion = 3 }",
    "gpt2 = { samples = 6, context = 5, width = 6, heads = 2, depth = 2, expansion = 3 }",
];

/// What a line of TOML such as `mlp = {}` builds.
fn built(line: &str) -> Result<Network, Invalid> {
    use itocheck::objective::ObjectiveParameters::*;
    match toml::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")) {
        Mlp(parameters) => parameters.network(),
        ResNet(parameters) => parameters.network(),
        Vit(parameters) => parameters.network(),
        Gpt2(parameters) => parameters.network(),
        other => panic!("{} is no network", other.name()),
    }
}

fn network(line: &str) -> Network {
    built(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn gaussians(seed: u64, count: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, Role::States, 0);
    (0..count).map(|_| stream.normal()).collect()
}

/// A state away from the start, where no block is special: the start and Gaussians of deviation 0.3.
fn state(network: &Network, seed: u64) -> Vec<f64> {
    let start = itocheck::objective::Objective::initial(network).unwrap();
    let moved = gaussians(seed, start.len());
    start.iter().zip(moved).map(|(x, z)| x + 0.3 * z).collect()
}
