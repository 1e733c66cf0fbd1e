//! What linear shadows gain: `cargo run --release --example shadow_gain -- SCENARIO...` prints for each scenario file
//! the variance of the gap without controls over that with them (least and median over functions and times), how
//! many times longer a path takes, and their quotient: by how many times less computing gives the same interval.

use itocheck::claim::{Progress, judge};
use itocheck::ensemble::{Controls, Linearization, Moments, Observables, Pair, Taylor};
use itocheck::model::Model;
use itocheck::random::Role;
use itocheck::scenario::{Overrides, load};
use std::path::Path;
use std::time::Instant;

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// Blocks of a measurement of time, and measurements, of which the shortest counts.
const BLOCKS: u64 = 32;
const REPETITIONS: usize = 5;

fn main() {
    println!("| scenario | variance ratio, least | median | time of a path | time ratio, least | median |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for file in std::env::args().skip(1) {
        let name =
            Path::new(&file).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        match gain(&file) {
            Ok([least, median, cost]) => println!(
                "| {name} | {least:.3e} | {median:.3e} | × {cost:.2} | {:.3e} | {:.3e} |",
                least / cost,
                median / cost
            ),
            Err(why) => println!("| {name} | {why} | | | | |"),
        }
    }
}

/// Least and median variance ratio, and the cost of a path.
fn gain(file: &str) -> Result<[f64; 3], String> {
    let overrides = Overrides { seeds: None, max_seeds: Some(4096) };
    let experiment = load(Path::new(file), overrides).map_err(|error| error.to_string())?.experiment;
    let moments = judge(&experiment, &Silent).moments.ok_or("no trajectory is claimed")?;
    let shadow = moments.shadow.ok_or("the pilot does without a shadow")?;
    let (Some(least), Some(median)) = (shadow.least, shadow.median) else {
        return Err("nothing varies".to_owned());
    };
    let model = &experiment.model;
    let observables = model.observables(model.functions().tested);
    let linearization = model.linearization().ok_or("no linearization")?;
    let (mut with, mut without) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..REPETITIONS {
        without = without.min(seconds(model, &observables, None));
        with = with.min(seconds(model, &observables, Some(&linearization)));
    }
    Ok([least, median, with / without])
}

/// Of the blocks, as a claim runs them: all of them, or one in four, carry coarse paths.
fn seconds(model: &Model, observables: &Observables, linearization: Option<&Linearization>) -> f64 {
    let mut optimizer = model.optimizer_process(1, Role::Optimizer);
    let mut sde = model.sde_process(1, Role::Sde, if linearization.is_some() { 1 } else { 4 });
    (optimizer.linearization, sde.linearization) = (linearization, linearization);
    let controls = linearization.map(|linearization| {
        let taylor = Taylor::of_all(observables, &observables.flow, linearization.pairs());
        let coefficients = vec![[1.0, 1.0]; taylor.len()];
        let controls = Controls::new(taylor, coefficients, observables.times());
        [controls.clone(), controls]
    });
    let steps = model.run.steps;
    let pair = Pair { optimizer: &optimizer, sde: &sde, observables, steps, controls: controls.as_ref() };
    let begin = Instant::now();
    Moments::default().extend(&pair, 0..BLOCKS, &|| ());
    begin.elapsed().as_secs_f64()
}
