//! Losses against the same networks written out.

use crate::plain::{self, Stack};
use crate::{network, state};
use itocheck::objective::Objective;

/// Sums of at most some thousand terms of size 1 in other orders.
const ROUNDING: f64 = 1e-11;

/// The first digits, read once more.
fn digits(count: usize) -> Vec<(Vec<f64>, usize)> {
    let text = include_str!("../../src/objective/neural/data/digits.txt");
    let level = |byte: u8| f64::from(if byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 });
    let image = |line: &str| line.as_bytes()[2..].iter().map(|byte| (level(*byte) - 8.0) / 8.0).collect();
    text.lines().take(count).map(|line| (image(line), usize::from(line.as_bytes()[0] - b'0'))).collect()
}

/// Windows of the text, and how many different characters they have.
fn windows(count: usize, context: usize) -> (Vec<Vec<usize>>, usize) {
    let text: Vec<char> = include_str!("../../src/objective/neural/data/liber_primus.txt").chars().collect();
    let text = &text[..count * context + 1];
    let mut characters: Vec<char> = text.to_vec();
    characters.sort();
    characters.dedup();
    let token = |c: &char| characters.iter().position(|other| other == c).unwrap();
    let window = |w: usize| text[w * context..=(w + 1) * context].iter().map(token).collect();
    ((0..count).map(window).collect(), characters.len())
}

fn agree(line: &str, plain: impl Fn(&[f64]) -> f64) {
    let network = network(line);
    for seed in 0..3 {
        let x = state(&network, seed);
        let (value, expected) = (network.value(&x), plain(&x));
        assert!((value - expected).abs() <= ROUNDING * (1.0 + expected), "{line}: {value} and {expected}");
    }
}

#[test]
fn multilayer_perceptrons_have_the_loss_of_their_formula() {
    let images = digits(7);
    agree("mlp = { samples = 7, widths = [5, 4] }", |x| {
        plain::of_images(&images, |image| plain::mlp(x, image, &[5, 4], f64::tanh))
    });
    agree("mlp = { samples = 7, widths = [6], activation = \"gelu\" }", |x| {
        plain::of_images(&images, |image| plain::mlp_gelu(x, image, &[6]))
    });
    agree("mlp = { samples = 7, widths = [] }", |x| {
        plain::of_images(&images, |image| plain::mlp(x, image, &[], f64::tanh))
    });
}

#[test]
fn residual_networks_have_the_loss_of_their_formula() {
    let images = digits(4);
    agree("resnet = { samples = 4, channels = [3, 5], blocks = 2 }", |x| {
        plain::of_images(&images, |image| plain::resnet(x, image, &[3, 5], 2))
    });
}

#[test]
fn vision_transformers_have_the_loss_of_their_formula() {
    let images = digits(4);
    let stack = Stack { width: 6, heads: 3, depth: 2, expansion: 2 };
    agree("vit = { samples = 4, patch = 4, width = 6, heads = 3, depth = 2, expansion = 2 }", |x| {
        plain::of_images(&images, |image| plain::vit(x, image, 4, stack))
    });
    let stack = Stack { width: 4, heads: 1, depth: 1, expansion: 3 };
    agree("vit = { samples = 4, patch = 2, width = 4, heads = 1, depth = 1, expansion = 3 }", |x| {
        plain::of_images(&images, |image| plain::vit(x, image, 2, stack))
    });
}

/// The negative control sees the characters that are to be predicted.
#[test]
fn decoders_have_the_loss_of_their_formula_and_see_no_later_characters() {
    let line = "gpt2 = { samples = 6, context = 5, width = 6, heads = 2, depth = 2, expansion = 3 }";
    let (windows, vocabulary) = windows(6, 5);
    let stack = Stack { width: 6, heads: 2, depth: 2, expansion: 3 };
    agree(line, |x| plain::gpt2(x, &windows, vocabulary, stack, true));
    let network = network(line);
    let x = state(&network, 0);
    let gap = network.value(&x) - plain::gpt2(&x, &windows, vocabulary, stack, false);
    assert!(gap.abs() > 1e-4, "{gap}");
}

/// A hidden unit that is saturated, or a logit far below the others, is no trouble; NaN is seen in the loss.
#[test]
fn extreme_states_have_a_loss_and_nan_has_none() {
    for line in crate::NETWORKS {
        let network = network(line);
        let x: Vec<f64> = state(&network, 1).iter().map(|x| 1e6 * x).collect();
        assert!(network.value(&x).is_finite(), "{line}");
        let mut gradient = vec![0.0; x.len()];
        network.gradient(&x, &mut gradient);
        assert!(gradient.iter().all(|g| g.is_finite()), "{line}");
        let x = vec![f64::NAN; x.len()];
        assert!(network.value(&x).is_nan(), "{line}");
        network.gradient(&x, &mut gradient);
        assert!(gradient.iter().any(|g| g.is_nan()), "{line}");
    }
}
