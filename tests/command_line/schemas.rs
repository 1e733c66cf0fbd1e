//! The schemas of scenarios and reports, against the parser and what is written.

use super::{good, is_read, itocheck, outcome, printed, schema};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn validator(file: &str) -> Validator {
    jsonschema::draft202012::new(&schema(file)).unwrap()
}

fn to_json(scenario: &str) -> Value {
    // JSON has no infinity.
    let finite = scenario.replace(", inf]", ", 1e308]");
    serde_json::to_value(finite.parse::<toml::Table>().unwrap()).unwrap()
}

/// Every `.toml` file below the folder of scenarios.
fn scenario_files() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn schemas_are_schemas() {
    for file in ["scenario", "report", "mutants"] {
        let schema = schema(file);
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], format!("urn:itocheck:{file}:1"));
    }
    assert_eq!(printed(&["schema"]), printed(&["schema", "scenario"]));
    assert!(!printed(&["schema"]).contains("null"), "TOML has no null");
}

#[test]
fn every_scenario_satisfies_the_schema() {
    let validator = validator("scenario");
    let files = scenario_files();
    assert!(!files.is_empty());
    // Only a build with networks has their names; `.ci/run` runs this test with one too.
    let is_known = |file: &&PathBuf| {
        cfg!(feature = "neural") || !file.components().any(|part| part.as_os_str() == "neural")
    };
    for file in files.iter().filter(is_known) {
        let scenario = to_json(&fs::read_to_string(file).unwrap());
        if let Err(error) = validator.validate(&scenario) {
            panic!("{}: {}: {error}", file.display(), error.instance_path());
        }
    }
}

/// What is replaced in the good scenario, and by what: other right ones, with every kind of value.
const RIGHT: [(&str, &str); 9] = [
    ("title", "source = \"Theorem 1\"\ntitle"),
    ("[0.5, 2.0]", "{ from = 1, to = 2, count = 2 }"),
    ("eigenvalues = [0.5, 2.0]", "matrix = [[1, 0], [0, 1]], minimiser = [0, 0.5]"),
    ("scale = 1.0 }\ncomp", "scale = [1, 2.5] }\ngradient_offset = 0\ncomp"),
    ("gaussian = { scale = 1.0 }", "student_t = { scale = 1, dof = 9 }"),
    ("start = 0.3", "start = [0, 0.3]\ndomain = { radius = 9 }"),
    ("effect = 0.3 }", "constant = 2 }\nexpect = \"refuted\""),
    (
        "[[claims]]",
        "[sde]\nform = \"general\"\nscheme = \"euler_maruyama\"\nmutant = \"agents_lost\"\n[[claims]]",
    ),
    ("[[claims]]", "[monte_carlo]\nseed = 1\nseeds = 512\nmax_seeds = 1024\nerror_rate = 1e-3\n[[claims]]"),
];

/// The same for wrong ones.
const WRONG: [(&str, &str); 38] = [
    // Unknown keys.
    ("title", "subtitle = \"\"\ntitle"),
    ("[0.5, 2.0]", "{ from = 1, to = 2, count = 2, step = 1 }"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = [0.5, 2.0], condition = 4"),
    ("coordinate = 0", "coordinate = 0, shift = 1"),
    ("count = 2", "count = 2\nbatch = 1"),
    ("{ scale = 1.0 }\ncomp", "{ scale = 1.0, dof = 3 }\ncomp"),
    ("{ k = 1 }", "{ k = 1, probability = 0.5 }"),
    ("gaussian = { scale = 1.0 }", "none = { scale = 1.0 }"),
    ("steps = 20", "steps = 20\nstop = 20"),
    ("start = 0.3", "start = 0.3\ndomain = { radius = 9, centre = 0 }"),
    ("[[claims]]", "[sde]\nsteps = 4\n[[claims]]"),
    ("[[claims]]", "[monte_carlo]\npaths = 4\n[[claims]]"),
    ("effect = 0.3 }", "effect = 0.3 }\nlevel = 0.1"),
    // Wrong types.
    ("title = \"t\"", "title = 1"),
    ("count = 2", "count = \"two\""),
    ("count = 2", "count = 2.5"),
    ("count = 2", "count = -2"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = 0.5"),
    ("eigenvalues = [0.5, 2.0]", "matrix = [1, 1]"),
    ("start = 0.3", "start = \"0\""),
    ("start = 0.3", "start = [0, \"0\"]"),
    ("start = 0.3", "start = { x = 0 }"),
    ("{ effect = 0.3 }", "0.3"),
    // Two kinds, or none.
    ("[claims.trajectory]", "coefficients = {}\n[claims.trajectory]"),
    ("[claims.trajectory]\nmargin = { effect = 0.3 }", ""),
    ("effect = 0.3", "effect = 0.3, absolute = 0.1"),
    ("effect = 0.3", ""),
    ("noise.gaussian", "noise.none = {}\nnoise.gaussian"),
    ("objective.quadratic", "objective.rosenbrock = {}\nobjective.quadratic"),
    // Unknown names.
    ("\"dcsgd\"", "\"adam\""),
    ("rand_k = { k = 1 }", "rank_k = { k = 1 }"),
    ("effect = 0.3 }", "effect = 0.3 }\nexpect = \"undecided\""),
    ("[[claims]]", "[sde]\nmutant = \"none\"\n[[claims]]"),
    // Missing keys.
    ("title = \"t\"\n", ""),
    ("steps = 20\n", ""),
    ("{ k = 1 }", "{}"),
    ("margin = { effect = 0.3 }", ""),
    ("noise.gaussian = { scale = 1.0 }\n", ""),
];

#[test]
fn the_schema_and_the_parser_refuse_the_same() {
    let validator = validator("scenario");
    let satisfies = |text: &str| validator.is_valid(&to_json(text));
    assert!(is_read(&good()) && satisfies(&good()));
    for (from, to) in RIGHT {
        let text = good().replacen(from, to, 1);
        assert!(text != good() && is_read(&text) && satisfies(&text), "{text}");
    }
    for (from, to) in WRONG {
        let text = good().replacen(from, to, 1);
        assert!(text != good() && !is_read(&text), "the parser accepts\n{text}");
        assert!(!satisfies(&text), "the schema accepts\n{text}");
    }
}

#[test]
fn reports_satisfy_their_schema() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("good.toml"), good()).unwrap();
    let run = ["run", "good.toml", "--seeds", "512", "--max-seeds", "512"];
    outcome(itocheck().current_dir(place.path()).args(run));
    let text = fs::read_to_string(place.path().join("itocheck-out/good/report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(report["moments"].is_object() && report["claims"][0]["worst"].is_object());
    let validator = validator("report");
    validator.validate(&report).unwrap();
    for (pointer, wrong) in [
        ("/schema", json!("itocheck/report/2")),
        ("/outcome", json!("perhaps")),
        ("/claims/0/verdict", json!(true)),
        ("/claims/0/worst/interval", json!([1.0])),
        ("/moments/gap/interval/0/1", json!([1.0, 2.0, 3.0])),
        ("/provenance", json!({})),
    ] {
        let mut spoilt = report.clone();
        *spoilt.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&spoilt), "{pointer}");
    }
}
