//! `itocheck mutants`: what kills which mutant, what survives, exit codes, what is written.

mod common;

use common::{Called, GOOD, experiment, itocheck};
use itocheck::claim::Progress;
use itocheck::kill_matrix::{Effort, Fate, Killer, fate};
use itocheck::mutant::{Mutant, OptimizerMutant, SdeMutant};
use serde_json::Value;
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
    assert_eq!(lost["fate"], "survived");
    assert_eq!(lost["beyond_margin"], true);
    // (4 − 1)/0.85 margins of the right one, exactly.
    let margins = lost["coefficients"]["margins"].as_f64().unwrap();
    assert!((margins - 3.0 / 0.85).abs() < 1e-9, "{margins}");
    // Var x²-like: three variances over 0.8·√2 of them.
    let sampled = lost["trajectory"]["margins"].as_f64().unwrap();
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
    assert_eq!(stratonovich["fate"], "survived");
    assert_eq!(stratonovich["beyond_margin"], false);
    let margins = stratonovich["coefficients"]["margins"].as_f64().unwrap();
    assert!(margins > 0.0 && margins < 0.5, "{margins}");
}

#[test]
fn undecided_is_3_and_nothing_to_do_is_2() {
    // 512 paths cannot tell a step too many within such a margin.
    let undecided = GOOD.replace("effect = 0.3", "effect = 0.001");
    let folder = folder(&[("undecided.toml", &undecided)]);
    let called = mutants(folder.path(), &["--seeds", "512", "--max-seeds", "512"]);
    assert_eq!(called.code, 3, "{}{}", called.out, called.err);
    assert!(called.out.contains("? optimizer step_too_many: undecided"), "{}", called.out);
    let control = GOOD.replace("effect = 0.3 }", "effect = 0.3 }\nexpect = \"refuted\"");
    let folder = self::folder(&[("control.toml", &control)]);
    let called = mutants(folder.path(), &["--out", "out"]);
    assert_eq!(called.code, 2, "{}{}", called.out, called.err);
    assert!(called.err.contains("no scenario whose claims should all be upheld"), "{}", called.err);
    assert!(!folder.path().join("out").exists());
}
