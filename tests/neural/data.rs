//! Data of one's own.

use crate::files::{archive, array};
use crate::{network, state};
use itocheck::objective::{Objective, ObjectiveParameters};
use itocheck::scenario::{Overrides, check, load};
use std::path::Path;
use zip::CompressionMethod;

/// Eight images of the built-in digits as a file of one's own.
fn write_digits(file: &Path, shape: &str) {
    let text = include_str!("../../src/objective/neural/data/digits.txt");
    let (mut x, mut y) = (Vec::new(), Vec::new());
    // The largest digit is among the first ten, and says that there are ten classes.
    for line in text.lines().take(10) {
        let (digit, pixels) = line.split_once(' ').unwrap();
        y.push(digit.parse::<f64>().unwrap());
        x.extend(pixels.chars().map(|pixel| f64::from(pixel.to_digit(17).unwrap()) / 8.0 - 1.0));
    }
    let arrays = [("x", array("<f8", shape, &x)), ("y", array("<f4", "(10,)", &y))];
    archive(file, &arrays, CompressionMethod::Deflated);
}

#[test]
fn a_file_of_the_built_in_images_is_the_built_in_images() {
    let folder = tempfile::tempdir().unwrap();
    for (shape, models) in [
        ("(10, 64)", &["mlp"][..]),
        ("(10, 8, 8)", &["mlp", "resnet", "vit"]),
        ("(10, 8, 8, 1)", &["mlp", "resnet", "vit"]),
    ] {
        let file = folder.path().join("digits.npz");
        write_digits(&file, shape);
        for model in models {
            let own = network(&format!("{model} = {{ samples = 10, data.npz = {file:?} }}"));
            let built_in = network(&format!("{model} = {{ samples = 10 }}"));
            let x = state(&built_in, 1);
            assert_eq!(own.value(&x), built_in.value(&x), "{model} {shape}");
        }
    }
}

#[test]
fn a_file_of_the_built_in_text_is_the_built_in_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cicero.txt");
    let built_in = network("gpt2 = {}");
    let x = state(&built_in, 1);
    // A byte order mark, as some editors write, is no character of the text.
    for mark in ["", "\u{feff}"] {
        let text = mark.to_owned() + include_str!("../../src/objective/neural/data/liber_primus.txt");
        std::fs::write(&file, text).unwrap();
        let own = network(&format!("gpt2 = {{ data.text = {file:?} }}"));
        assert_eq!((own.dimension(), own.value(&x)), (built_in.dimension(), built_in.value(&x)));
    }
}

fn scenario(objective: &str) -> String {
    format!(
        "title = \"t\"\noptimizer = \"dsignsgd\"\nobjective.{objective}\nagents = [{{ count = 2, noise.gaussian = {{ scale = 1.0 }} }}]\n\
         run = {{ learning_rate = 0.01, steps = 2, records = 1, start = 0.1 }}\n"
    )
}

/// Paths are relative to the folder of the scenario.
#[test]
fn paths_are_relative_to_the_scenario() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("texts")).unwrap();
    std::fs::write(folder.path().join("texts/abc.txt"), "abcabcabcabcabcabcabc").unwrap();
    let line =
        "gpt2 = { samples = 2, context = 4, width = 2, heads = 1, depth = 1, data.text = \"texts/abc.txt\" }";
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, scenario(line)).unwrap();
    let loaded = load(&file, Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    // Three characters, four positions, two numbers each; 12 · 2² + 13 · 2 + last scale and shift.
    assert_eq!(loaded.experiment.model.agents.objective().dimension(), 6 + 8 + 74 + 4);
    let parameters: ObjectiveParameters = toml::from_str(line).unwrap();
    assert!(parameters.build().is_err());
}

/// Minibatches draw terms of the loss.
#[test]
fn minibatches_draw_terms() {
    let text = scenario("mlp = { samples = 5, widths = [2] }")
        .replace("noise.gaussian = { scale = 1.0 }", "noise.minibatch = {}");
    let loaded =
        check(Path::new("t.toml"), text, Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    let agents = &loaded.experiment.model.agents;
    let objective = agents.objective();
    let x = objective.initial().unwrap();
    let d = x.len();
    let mut v = vec![0.0; d];
    objective.gradient(&x, &mut v);
    let mut streams = itocheck::random::Streams::of_path(1, itocheck::random::Role::Optimizer, 0);
    let mut of_terms = vec![vec![0.0; d]; 5];
    for (s, term) in of_terms.iter_mut().enumerate() {
        objective.finite_sum().unwrap().add_term_gradient(s, 1.0, &x, term);
    }
    let mut drawn = vec![false; 5];
    let mut out = vec![0.0; d];
    for _ in 0..100 {
        agents.groups()[0].noise.sample(&x, &v, &mut streams, &mut out);
        drawn[of_terms.iter().position(|term| *term == out).expect("a term")] = true;
    }
    // One of five is never drawn with probability 5 · 0.8¹⁰⁰ = 1e-9.
    assert_eq!(drawn, [true; 5]);
}
