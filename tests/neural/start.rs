//! Where networks start.

use crate::{NETWORKS, network};
use itocheck::objective::Objective;

#[test]
fn the_start_follows_from_the_seed() {
    for line in NETWORKS {
        let with_seed = |seed: u64| network(&line.replace(" }", &format!(", seed = {seed} }}"))).initial();
        assert_eq!(with_seed(5), with_seed(5), "{line}");
        assert_ne!(with_seed(5), with_seed(6), "{line}");
        assert_eq!(network(line).initial(), with_seed(1), "{line}");
    }
}

/// Blocks lie one behind the other; scales start at 1, shifts, biases and the class token at 0, everything else by its rule.
#[test]
fn blocks_start_by_the_published_rules() {
    let lines = [
        "mlp = { widths = [60, 40] }",
        "resnet = { channels = [8, 16], blocks = 2 }",
        "vit = { width = 24, heads = 2, patch = 4 }",
        "gpt2 = { width = 24, heads = 2, depth = 3 }",
    ];
    for line in lines {
        let network = network(line);
        let x = network.initial().unwrap();
        let mut end = 0;
        for block in network.blocks() {
            assert_eq!(block.range.start, end, "{line}");
            end = block.range.end;
            assert_eq!(block.shape.iter().product::<usize>(), block.range.len(), "{line}");
            let entries = &x[block.range.clone()];
            let constant = match block.name {
                "bias" | "normalisation shift" | "class token" => Some(0.0),
                "normalisation scale" => Some(1.0),
                _ => None,
            };
            if let Some(constant) = constant {
                assert!(entries.iter().all(|x| *x == constant), "{line}: {}", block.name);
                continue;
            }
            let (inputs, outputs) = (block.shape[0] as f64, block.shape[1] as f64);
            let variance = match (line.split(' ').next().unwrap(), block.name) {
                ("vit", "positions") => 0.02 * 0.02,
                ("gpt2", "attention output" | "hidden output") => 0.02 * 0.02 / 6.0,
                ("gpt2", _) => 0.02 * 0.02,
                ("resnet", _) => 2.0 / inputs,
                _ => 2.0 / (inputs + outputs),
            };
            // n times the mean square over the variance is χ² with n degrees of freedom: 6 deviations of a Gaussian, 1e-9
            // each, and for the smallest blocks, of 72 entries, still below 1e-6.
            let n = entries.len() as f64;
            let ratio = entries.iter().map(|x| x * x).sum::<f64>() / n / variance;
            assert!((ratio - 1.0).abs() <= 6.0 * (2.0 / n).sqrt(), "{line}: {} {ratio}", block.name);
            let mean = entries.iter().sum::<f64>() / n;
            assert!(mean.abs() <= 6.0 * (variance / n).sqrt(), "{line}: {} {mean}", block.name);
        }
        assert_eq!(end, network.dimension(), "{line}");
    }
}

/// Position embeddings of another deviation are the same draws times more; nothing else changes.
#[test]
fn positions_of_a_vit_start_with_the_deviation_that_is_asked_for() {
    let line = "vit = { samples = 2, patch = 4, width = 6, depth = 1 }";
    let [usual, wide] =
        [line.to_owned(), line.replace(" }", ", position_deviation = 0.3 }")].map(|line| network(&line));
    let [x, y] = [&usual, &wide].map(|network| network.initial().unwrap());
    for block in usual.blocks() {
        let factor = if block.name == "positions" { 15.0 } else { 1.0 };
        for j in block.range.clone() {
            // Two roundings of a product.
            assert!((y[j] - factor * x[j]).abs() <= 4.0 * f64::EPSILON * y[j].abs(), "{}", block.name);
        }
    }
    assert_ne!(x, y);
}

/// A fresh network knows nothing: its loss is about that of guessing, log of the number of classes.
#[test]
fn networks_start_near_the_loss_of_guessing() {
    for (line, classes) in
        [("mlp = {}", 10.0), ("resnet = {}", 10.0), ("vit = {}", 10.0), ("gpt2 = {}", 35.0f64)]
    {
        let network = network(line);
        let loss = network.value(&network.initial().unwrap());
        assert!((loss / classes.ln() - 1.0).abs() < 0.5, "{line}: {loss}");
        assert!((1_000..100_000).contains(&network.dimension()), "{line}: {}", network.dimension());
    }
}

/// Gradient descent learns: the loss falls far below that of guessing.
#[test]
fn gradient_descent_learns() {
    for (line, rate) in [
        ("mlp = { samples = 20 }", 0.5),
        ("resnet = { samples = 10 }", 0.3),
        ("vit = { samples = 10 }", 0.2),
        ("gpt2 = { samples = 8 }", 0.5),
    ] {
        let network = network(line);
        let mut x = network.initial().unwrap();
        let start = network.value(&x);
        let mut gradient = vec![0.0; x.len()];
        for _ in 0..150 {
            network.gradient(&x, &mut gradient);
            x.iter_mut().zip(&gradient).for_each(|(x, g)| *x -= rate * g);
        }
        let end = network.value(&x);
        assert!(end < 0.5 * start, "{line}: {start} to {end}");
    }
}
