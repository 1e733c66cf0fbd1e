//! The same bits on every machine, with every number of threads.

use crate::{NETWORKS, network, state};
use itocheck::objective::Objective;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::process::Command;

/// SHA-256 of starts, losses and gradients of all networks, as any machine computes them.
const DIGEST: &str = "f7bccc976ce3507a6020fe85e66481720f882412c26328db2cc5446b394d95ec";

fn digest() -> String {
    let mut digest = Sha256::new();
    for line in NETWORKS {
        let network = network(line);
        for x in [network.initial().unwrap(), state(&network, 1)] {
            let mut gradient = vec![0.0; x.len()];
            network.gradient(&x, &mut gradient);
            for number in x.iter().chain(&gradient).chain([&network.value(&x)]) {
                digest.update(number.to_bits().to_le_bytes());
            }
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn bits_are_those_of_every_machine() {
    assert_eq!(digest(), DIGEST);
}

/// This test in processes of their own, as the choice of instructions and of threads is made once.
#[test]
fn bits_depend_neither_on_instructions_nor_on_threads() {
    let settings = [
        ("ITOCHECK_INSTRUCTIONS", "portable"),
        ("ITOCHECK_INSTRUCTIONS", "avx2"),
        ("RAYON_NUM_THREADS", "1"),
        ("RAYON_NUM_THREADS", "2"),
        ("RAYON_NUM_THREADS", "7"),
    ];
    for (name, value) in settings {
        let output = Command::new(std::env::current_exe().unwrap())
            .env_remove("ITOCHECK_INSTRUCTIONS")
            .env(name, value)
            .args(["bits::bits_are_those_of_every_machine", "--exact"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{name} = {value}: {text}");
    }
}

/// Paths side by side on several threads have the gradients of one thread.
#[test]
fn gradients_do_not_depend_on_the_number_of_threads() {
    for line in NETWORKS {
        let network = network(line);
        let gradients = |threads: usize| -> Vec<Vec<f64>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let gradient = |seed: u64| {
                let x = state(&network, seed);
                let mut out = vec![0.0; x.len()];
                network.gradient(&x, &mut out);
                out
            };
            pool.install(|| (0..8u64).into_par_iter().map(gradient).collect())
        };
        let one = gradients(1);
        assert_eq!(one, gradients(2), "{line}");
        assert_eq!(one, gradients(5), "{line}");
    }
}
