//! `itocheck mutants`: what kills which mutant, what survives, exit codes, what is written.

mod common;

use common::{Called, GOOD, experiment, itocheck};
use itocheck::claim::{Claim, Coefficients, Difference, Progress, sampled_difference};
use itocheck::kill_matrix::{Effort, Fate, Killer, fate};
use itocheck::mutant::{Mutant, OptimizerMutant, SdeMutant};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const EVERY_CLAIM: Effort = Effort { every_claim: true, max_seeds: 65536 };

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("scenarios")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join("scenarios").join(name), text).unwrap();
    }
    folder
}

fn mutants(folder: &Path, arguments: &[&str]) -> Called {
    itocheck(folder, &[&["mutants"], arguments].concat())
}

/// Fates by side and name.
fn fates(matrix: &Value, scenario: usize) -> Vec<(String, Value)> {
    let names = matrix["catalogue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["side"].as_str().unwrap(), entry["name"].as_str().unwrap()));
    names.zip(matrix["scenarios"][scenario]["fates"].as_array().unwrap().clone()).collect()
}

fn written(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("out/mutants.json")).unwrap()).unwrap()
}

/// Signs that no exact answer follows, as H couples the coordinates.
const SIGNS: &str = r#"title = "t"
optimizer = "dsignsgd"
objective.quadratic = { matrix = [[1.0, 0.3], [0.3, 1.0]] }
[[agents]]
count = 4
batch_size = 4
noise.student_t = { scale = 2.0, dof = 3 }
[run]
learning_rate = 0.01
steps = 20
records = 4
start = 0.3
[[claims]]
[claims.trajectory]
margin = { effect = 0.2 }
"#;

#[test]
fn a_small_folder_has_this_matrix() {
    let folder = folder(&[("compressed.toml", GOOD), ("signs.toml", SIGNS)]);
    let called = mutants(folder.path(), &["--out", "out"]);
    assert_eq!(called.code, 0, "{}{}", called.out, called.err);
    insta::assert_snapshot!(called.out);
    let matrix = written(folder.path());
    let schema = itocheck(folder.path(), &["schema", "mutants"]).out;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(
        validator.is_valid(&matrix),
        "{:?}",
        validator.iter_errors(&matrix).next().map(|e| e.to_string())
    );
    let wrong: Value =
        serde_json::from_str(&matrix.to_string().replace("\"killed\"", "\"forgotten\"")).unwrap();
    assert!(!validator.is_valid(&wrong));
    // The page has a row for each mutant and one for each scenario.
    let page = fs::read_to_string(folder.path().join("out/mutants.md")).unwrap();
    for mutant in Mutant::all() {
        assert!(page.contains(&format!("| {} | `{}` | ", mutant.side(), mutant.name())), "{mutant:?}");
    }
    let cells = |name: &str| page.lines().find(|line| line.starts_with(name)).unwrap().matches(" | ").count();
    assert_eq!(cells("| compressed | "), Mutant::all().len());
    assert_eq!(cells("| signs | "), Mutant::all().len());
}

#[test]
fn threads_change_nothing() {
    let folder = folder(&[("signs.toml", SIGNS)]);
    let run = |threads: &str, out: &str| {
        mutants(folder.path(), &["--threads", threads, "--out", out]);
        ["mutants.json", "mutants.md"].map(|file| fs::read(folder.path().join(out).join(file)).unwrap())
    };
    assert_eq!(run("1", "one"), run("3", "three"));
}

/// No claim but the gates of the linear shadow see that declared moments are not those of the step.
#[test]
fn gates_of_the_shadow_catch_optimizers_that_declare_the_moments_of_another() {
    let experiment = experiment(SIGNS);
    for mutant in [
        OptimizerMutant::SumForMean,
        OptimizerMutant::LearningRateOfNeighbour,
        OptimizerMutant::NoiseLost,
        OptimizerMutant::BatchSizeLost,
        OptimizerMutant::ScaleAsStandardDeviation,
        OptimizerMutant::NoiseShared,
        OptimizerMutant::SignOfMean,
    ] {
        match fate(&experiment, Mutant::Optimizer(mutant), EVERY_CLAIM, &Silent) {
            Fate::Killed { by, .. } => {
                assert!(by.contains(&Killer::Contradiction), "{}: {by:?}", mutant.name());
                assert_eq!(by[0], Killer::Coefficients, "{}", mutant.name());
            }
            other => panic!("{}: {other:?}", mutant.name()),
        }
    }
    // Nothing but moments of the SDE are wrong: the optimizer declares what it does.
    for mutant in [SdeMutant::AgentsLost, SdeMutant::XiWithoutTwo, SdeMutant::BatchSizeLost] {
        match fate(&experiment, Mutant::Sde(mutant), EVERY_CLAIM, &Silent) {
            Fate::Killed { by, .. } => assert!(!by.contains(&Killer::Contradiction), "{by:?}"),
            other => panic!("{}: {other:?}", mutant.name()),
        }
    }
}

/// Exact expectations are those of the right optimizer: decided on them, every wrong one would survive.
#[test]
fn wrong_optimizers_are_sampled_where_right_ones_are_exact() {
    let exact = GOOD.replace("margin = { effect = 0.3 }", "margin = { constant = 2.0 }");
    let mut experiment = experiment(&exact);
    assert!(!experiment.is_sampled);
    // The margin is decided with a thousand paths; what contradicts exact values by half takes more.
    experiment.monte_carlo.seeds = Some(16384);
    for mutant in [OptimizerMutant::NoiseShared, OptimizerMutant::MasksShared, OptimizerMutant::Unscaled] {
        match fate(&experiment, Mutant::Optimizer(mutant), EVERY_CLAIM, &Silent) {
            Fate::Killed { by, .. } => {
                assert_eq!(by[0], Killer::Coefficients);
                assert!(by.contains(&Killer::Contradiction), "{}: {by:?}", mutant.name());
            }
            other => panic!("{}: {other:?}", mutant.name()),
        }
    }
    // Single steps are right; the path is not.
    match fate(&experiment, Mutant::Optimizer(OptimizerMutant::StepTooMany), EVERY_CLAIM, &Silent) {
        Fate::Killed { by, .. } => assert!(!by.contains(&Killer::Coefficients), "{by:?}"),
        other => panic!("{other:?}"),
    }
}

/// Margins are in units of the SDE under test. Four times too much diffusion is 0.75 of itself too much, and within
/// these margins; but thrice the right one.
const PLANTED: &str = r#"title = "t"
optimizer = "dsgd"
objective.quadratic = { eigenvalues = [1.0] }
[[agents]]
count = 4
noise.gaussian = { scale = 1.0 }
[run]
learning_rate = 0.01
steps = 20
records = 4
start = 0.3
[[claims]]
[claims.coefficients]
margin = 0.85
[[claims]]
[claims.trajectory]
margin = { effect = 0.8 }
"#;

#[test]
fn a_planted_survivor_is_found() {
    let folder = folder(&[("planted.toml", PLANTED)]);
    let called = mutants(folder.path(), &["--quiet", "--out", "out"]);
    assert_eq!(called.code, 1, "{}{}", called.out, called.err);
    assert!(
        called.out.contains("S sde agents_lost: beyond the margin: one step differs by 3.53 margins"),
        "{}",
        called.out
    );
    let fates = fates(&written(folder.path()), 0);
    let (_, lost) = fates.iter().find(|(name, _)| name == "sde agents_lost").unwrap();
    assert_eq!(lost["fate"], "beyond");
    // (4 − 1)/0.85 margins of the right one, exactly.
    let margins = lost["distance"]["coefficients"]["margins"].as_f64().unwrap();
    assert!((margins - 3.0 / 0.85).abs() < 1e-9, "{margins}");
    // Var x²-like: three variances over 0.8·√2 of them.
    let sampled = lost["distance"]["trajectory"]["margins"].as_f64().unwrap();
    assert!((sampled / (3.0 / (0.8 * 2f64.sqrt())) - 1.0).abs() < 0.2, "{sampled}");
    // With margins that fit there is none.
    let folder = self::folder(&[("tight.toml", &PLANTED.replace("0.85", "0.05").replace("0.8 ", "0.2 "))]);
    let called = mutants(folder.path(), &["--quiet"]);
    assert_eq!(called.code, 0, "{}{}", called.out, called.err);
}

#[test]
fn a_mistake_of_higher_order_survives_within_the_margin() {
    let folder = folder(&[("signs.toml", SIGNS)]);
    let called = mutants(folder.path(), &["--out", "out"]);
    assert_eq!(called.code, 0, "{}{}", called.out, called.err);
    let fates = fates(&written(folder.path()), 0);
    let (_, stratonovich) = fates.iter().find(|(name, _)| name == "sde stratonovich").unwrap();
    assert_eq!(stratonovich["fate"], "within");
    let margins = stratonovich["distance"]["coefficients"]["margins"].as_f64().unwrap();
    assert!(margins > 0.0 && margins < 0.5, "{margins}");
    let interval = &stratonovich["distance"]["trajectory"]["interval"];
    assert!(interval[1].as_f64().unwrap() <= 1.0, "{interval}");
}

#[test]
fn undecided_is_3_and_nothing_to_do_is_2() {
    // 512 paths cannot tell a step too many within such a margin.
    let undecided = GOOD.replace("effect = 0.3", "effect = 0.001");
    let folder = folder(&[("undecided.toml", &undecided)]);
    let called = mutants(folder.path(), &["--seeds", "512", "--max-seeds", "512"]);
    assert_eq!(called.code, 3, "{}{}", called.out, called.err);
    assert!(called.out.contains("? optimizer step_too_many: expectations by "), "{}", called.out);
    let control = GOOD.replace("effect = 0.3 }", "effect = 0.3 }\nexpect = \"refuted\"");
    let folder = self::folder(&[("control.toml", &control)]);
    let called = mutants(folder.path(), &["--out", "out"]);
    assert_eq!(called.code, 2, "{}{}", called.out, called.err);
    assert!(called.err.contains("no scenario whose claims should all be upheld"), "{}", called.err);
    assert!(!folder.path().join("out").exists());
}

/// Compression without other noise: A = 9η x² here, so that Stratonovich's drift is 4.5η = 0.09 of the right one less.
const COMPRESSED: &str = r#"title = "t"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [1.0] }
[[agents]]
count = 1
noise.none = {}
compressor.bernoulli = { probability = 0.1 }
[run]
learning_rate = 0.02
steps = 50
records = 5
start = 1.0
[[claims]]
[claims.coefficients]
margin = 1.0
[[claims]]
[claims.trajectory]
margin = { effect = 0.1 }
"#;

/// A drift that is off by 9 % of a margin of 100 % moves paths by two margins all the same.
#[test]
fn what_is_small_at_a_step_is_held_against_paths() {
    let experiment = experiment(COMPRESSED);
    let stratonovich = Mutant::Sde(SdeMutant::Stratonovich);
    match fate(&experiment, stratonovich, Effort::default(), &Silent) {
        Fate::Killed { by, .. } => assert_eq!(by, [Killer::Trajectory]),
        other => panic!("{other:?}"),
    }
    // Where the margin of the trajectory allows it too, no claim has to be judged.
    let wide = self::experiment(&COMPRESSED.replace("effect = 0.1", "effect = 1.0"));
    match fate(&wide, stratonovich, Effort::default(), &Silent) {
        Fate::Within { distance } => {
            let of_step = distance.coefficients.unwrap().margins;
            assert!((of_step - 0.09).abs() < 1e-4, "{of_step}");
        }
        other => panic!("{other:?}"),
    }
}

/// One step more, in closed form: the largest difference over times of E x, E x², the loss and E (x − c)²/η.
fn difference_of_one_step_more(eta: f64, variance: f64, start: f64, every: i32) -> f64 {
    let moments = |k: i32| {
        let kept: f64 = 1.0 - eta;
        let noise: f64 = (0..k).map(|j| eta * eta * variance * libm::pow(kept, f64::from(2 * j))).sum();
        (start * libm::pow(kept, f64::from(k)), noise)
    };
    let at = |k: i32| {
        let c = start * libm::exp(-f64::from(k) * eta);
        let functions = |(mean, noise): (f64, f64)| {
            let square = mean * mean + noise;
            [mean, square, square / 2.0, (noise + (mean - c) * (mean - c)) / eta]
        };
        let (right, wrong) = (functions(moments(k)), functions(moments(k + 1)));
        right.iter().zip(wrong).map(|(right, wrong)| (right - wrong).abs()).fold(0.0, f64::max)
    };
    (1..=4).map(|record| at(record * every)).fold(0.0, f64::max)
}

/// A mutant exactly on its margin cannot be told to be on either side of it.
#[test]
fn how_far_paths_differ_is_measured_with_an_interval() {
    let largest = difference_of_one_step_more(0.01, 0.25, 0.3, 5);
    let at = |factor: f64| {
        let margin = format!("absolute = {}", factor * largest);
        let experiment = experiment(&PLANTED.replace("effect = 0.8", &margin));
        let wrong = OptimizerMutant::StepTooMany.spoil(&experiment.model).unwrap();
        let trajectory = experiment.claims.iter().find_map(|claim| match claim {
            Claim::Trajectory(claim) => Some(*claim),
            _ => None,
        });
        sampled_difference(&trajectory.unwrap(), &experiment, &wrong, 65536, &Silent).unwrap()
    };
    let on_it = at(1.0);
    let [low, high] = on_it.interval;
    assert!(low < 1.0 && high > 1.0 && (on_it.margins - 1.0).abs() < 0.1, "{on_it:?}");
    assert!(!on_it.is_within() && !on_it.is_beyond());
    let within = at(2.0);
    assert!(within.interval[0] <= 0.5 && within.interval[1] >= 0.5 && within.is_within(), "{within:?}");
    let beyond = at(0.5);
    assert!(beyond.interval[0] <= 2.0 && beyond.interval[1] >= 2.0 && beyond.is_beyond(), "{beyond:?}");
}

/// Four agents that draw the same noise have four times the covariance of a step: 3/0.05 margins more. 2η in place of
/// η has four times it too, and twice the drift, which is 20 margins more.
#[test]
fn one_step_of_a_wrong_optimizer_is_measured_too() {
    let experiment = experiment(PLANTED);
    let (model, seed) = (&experiment.model, experiment.monte_carlo.seed);
    let measured = |mutant: OptimizerMutant| {
        let wrong = mutant.spoil(model).unwrap();
        Coefficients::default().sampled_difference(model, &wrong, seed).unwrap()
    };
    for mutant in [OptimizerMutant::NoiseShared, OptimizerMutant::LearningRateOfNeighbour] {
        let Difference { function, margins, interval: [low, high], .. } = measured(mutant);
        assert_eq!(function, "diffusion[0][0]");
        assert!(low < 60.0 && 60.0 < high && (margins - 60.0).abs() < 3.0, "{margins} [{low}, {high}]");
    }
    assert_eq!(measured(OptimizerMutant::StepTooMany).interval, [0.0; 2]);
}

/// Stratonovich's drift is O(η) from Itô's: no mistake of order 1, but one of order 2.
#[test]
fn an_order_allows_what_falls_as_fast() {
    let of_file = |name: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        experiment(&fs::read_to_string(file).unwrap())
    };
    let first = of_file("order-dsignsgd.toml");
    match fate(&first, Mutant::Sde(SdeMutant::Stratonovich), Effort::default(), &Silent) {
        Fate::Within { distance } => {
            let order = distance.order.unwrap();
            assert!((order.order - 1.0).abs() < 0.1 && order.is_allowed(), "{order:?}");
        }
        other => panic!("{other:?}"),
    }
    match fate(
        &of_file("order-2-dsignsgd-exact.toml"),
        Mutant::Sde(SdeMutant::Stratonovich),
        Effort::default(),
        &Silent,
    ) {
        Fate::Killed { by, .. } => assert_eq!(by, [Killer::Order]),
        other => panic!("{other:?}"),
    }
    let Some(Claim::Order(order)) = first.claims.iter().find(|claim| matches!(claim, Claim::Order(_))) else {
        panic!("no order is claimed");
    };
    let lost = order.map(|model| SdeMutant::AgentsLost.spoil(model)).unwrap();
    let difference = order.order_of_difference(&lost, 0).unwrap();
    assert!(difference.order.abs() < 0.01 && !difference.is_allowed(), "{difference:?}");
}

/// The symbols in the matrix of the docs, by side and name of the mutant, then by scenario.
fn documented() -> Vec<(String, Vec<(String, String)>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/mutants/mutants.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let matrix = page.split_once("## The matrix").unwrap().1.split_once("## Not killed").unwrap().0;
    let rows = matrix.split_once("| scenario |").unwrap().1.lines().skip(2).filter(|line| !line.is_empty());
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    let column = |(index, mutant): (usize, &Mutant)| {
        let name = format!("{} {}", mutant.side(), mutant.name());
        let entry =
            format!("| {} | {} | `{}` | {} | ", index + 1, mutant.side(), mutant.name(), mutant.about());
        assert!(page.contains(&entry), "docs/mutants/mutants.md has not: {entry}");
        (name, rows.iter().map(|row| (row[0].clone(), row[index + 1].clone())).collect())
    };
    Mutant::all().iter().enumerate().map(column).collect()
}

#[test]
fn the_matrix_in_the_docs_kills_every_mutant_and_so_does_the_part_that_ci_makes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    let part: BTreeSet<&str> = ci
        .split("scenarios/")
        .skip(1)
        .filter_map(|rest| rest.split_once(".toml").map(|(stem, _)| stem))
        .collect();
    assert!(!part.is_empty());
    let is_kill = |symbol: &str| symbol.chars().all(|symbol| "ctox".contains(symbol));
    for (mutant, column) in documented() {
        let killed: Vec<&str> =
            column.iter().filter(|(_, symbol)| is_kill(symbol)).map(|(name, _)| name.as_str()).collect();
        assert!(!killed.is_empty(), "{mutant} is killed nowhere");
        assert!(killed.iter().any(|name| part.contains(name)), "{mutant} is not killed in what CI makes");
        for (name, symbol) in &column {
            assert!(!["S", "?"].contains(&symbol.as_str()), "{mutant} survives {name}");
        }
    }
}
