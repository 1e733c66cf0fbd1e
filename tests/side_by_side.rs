//! Paths that advance side by side are those that advance alone, to the last bit, in every scenario; and no instruction set
//! changes a bit.

use itocheck::ensemble::{BLOCK, Observables, Process, TestFunction, average, observe_each};
use itocheck::model::Model;
use itocheck::random::Role;
use itocheck::scenario::{Overrides, check, load};
use std::path::{Path, PathBuf};

const PATHS: usize = 11;
const STEPS: usize = 3;

fn scenarios() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["scenarios", "scenarios/poster", "scenarios/shadow"] {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|end| end == "toml")));
    }
    assert!(files.len() > 100, "the scenarios are found");
    files
}

fn model(file: &Path) -> Model {
    load(file, Overrides::default()).unwrap_or_else(|error| panic!("{error}")).experiment.model
}

fn bits(state: &[f64]) -> Vec<u64> {
    state.iter().map(|x| x.to_bits()).collect()
}

/// The states of `PATHS` paths after some steps, each as it is beside the others and alone.
fn assert_same(file: &Path, side: &str, process: &dyn Process) {
    let mut together = process.start(0, PATHS);
    let mut alone: Vec<_> = (0..PATHS as u64).map(|path| process.start(path, 1)).collect();
    let mut states = std::collections::BTreeSet::new();
    for step in 0..=STEPS {
        for (path, alone) in alone.iter_mut().enumerate() {
            let (beside, by_itself) = (together.paths().state(path), alone.paths().state(0));
            assert_eq!(
                bits(&beside),
                bits(&by_itself),
                "{}: {side}, path {path}, step {step}",
                file.display()
            );
            if let (Some((beside, _)), Some((by_itself, _))) = (together.coarse(), alone.coarse()) {
                let (beside, by_itself) = (beside.state(path), by_itself.state(0));
                assert_eq!(bits(&beside), bits(&by_itself), "{}: coarse paths of {side}", file.display());
            }
            states.insert(bits(&beside));
            alone.advance();
        }
        together.advance();
    }
    assert!(states.len() > 1, "{}: {side} moves", file.display());
}

#[test]
fn paths_side_by_side_are_those_alone() {
    for file in scenarios() {
        let model = model(&file);
        assert_same(&file, "optimizer", &model.optimizer_process(3, Role::Optimizer));
        assert_same(&file, "SDE", &model.sde_process(3, Role::Sde, 1));
    }
}

#[test]
fn shadows_side_by_side_are_those_alone() {
    let mut compared = 0;
    for file in scenarios() {
        let mut model = model(&file);
        // Few steps of the run's length are enough.
        model.run.steps = STEPS;
        model.run.records = 1;
        let Some(expansions) = model.expansions() else { continue };
        let (of_optimizer, of_sde) = expansions.of_both();
        let mut optimizer = model.optimizer_process(5, Role::Optimizer);
        optimizer.expansion = of_optimizer;
        let mut sde = model.sde_process(5, Role::Sde, 1);
        sde.expansions = of_sde;
        let observables: Observables = model.observables(vec![TestFunction::Loss]);
        for process in [&optimizer as &dyn Process, &sde] {
            let together = observe_each(process, &observables, STEPS, 0..PATHS as u64);
            for (path, together) in together.iter().enumerate() {
                let path = path as u64;
                let alone = observe_each(process, &observables, STEPS, path..path + 1).remove(0);
                assert_eq!(bits(&together.shadow), bits(&alone.shadow), "{}", file.display());
                assert_eq!(bits(&together.functions), bits(&alone.functions), "{}", file.display());
            }
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} processes have shadows");
}

/// Blocks of 64 paths in more than one part, where the dimension is large: the means are those of the paths one by one.
#[test]
fn blocks_in_parts_are_whole() {
    for d in [16, 40, 200] {
        let text = format!(
            "title = \"t\"\noptimizer = \"dcsgd\"\nobjective.quadratic = {{ eigenvalues = {{ from = 0.5, to = 2.0, count = {d} }} }}\n\
             [[agents]]\ncount = 2\nnoise.gaussian = {{ scale = 1.0 }}\ncompressor.rand_k = {{ k = 4 }}\n\
             [run]\nlearning_rate = 0.01\nsteps = 4\nrecords = 2\nstart = 1.0\n"
        );
        let model = check(Path::new("t.toml"), text, Overrides::default()).unwrap().experiment.model;
        let functions =
            vec![TestFunction::Coordinate(d - 1), TestFunction::Product(0, 1), TestFunction::Loss];
        let observables = model.observables(functions);
        for process in [
            &model.optimizer_process(9, Role::Optimizer) as &dyn Process,
            &model.sde_process(9, Role::Sde, 1),
        ] {
            let whole = average(process, &observables, 4, 1..2);
            let each = observe_each(process, &observables, 4, BLOCK as u64..2 * BLOCK as u64);
            for index in 0..whole.len() {
                let mean = each.iter().map(|means| means.functions[index]).sum::<f64>() / BLOCK as f64;
                // Rounding of sums of 64 numbers.
                assert!((whole.mean(index) - mean).abs() <= 1e-13 * mean.abs().max(1.0), "d = {d}: {index}");
            }
        }
    }
}

#[test]
fn unknown_instructions_are_refused() {
    let called = assert_cmd::Command::new(env!("CARGO_BIN_EXE_itocheck"))
        .args(["list", "noises"])
        .env("ITOCHECK_INSTRUCTIONS", "Portable")
        .output()
        .unwrap();
    assert_eq!(called.status.code(), Some(2));
    let told = String::from_utf8(called.stderr).unwrap();
    assert!(told.contains("ITOCHECK_INSTRUCTIONS is \"Portable\"; expected portable or avx2"), "{told}");
}

/// The report of a run with instructions of a choice.
fn report(instructions: Option<&str>, scenario: &str) -> serde_json::Value {
    let out = tempfile::tempdir().unwrap();
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_itocheck"));
    command.args(["run", "--quiet", "--seeds", "2048", "--max-seeds", "2048", "--out"]);
    command.arg(out.path()).arg(scenario).env_remove("ITOCHECK_INSTRUCTIONS");
    if let Some(instructions) = instructions {
        command.env("ITOCHECK_INSTRUCTIONS", instructions);
    }
    command.output().unwrap();
    let stem = Path::new(scenario).file_stem().unwrap();
    let text = std::fs::read_to_string(out.path().join(stem).join("report.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["moments"].clone()
}

#[test]
fn instructions_do_not_change_a_bit() {
    for scenario in [
        "scenarios/dsignsgd-quadratic-t3-n4.toml",
        "scenarios/dcsgd-quadratic-rand-k-n4.toml",
        "scenarios/dcsgd-logistic.toml",
    ] {
        let widest = report(None, scenario);
        assert!(widest.is_object(), "{scenario} has moments");
        for instructions in ["portable", "avx2"] {
            assert_eq!(report(Some(instructions), scenario), widest, "{scenario} with {instructions}");
        }
    }
}
