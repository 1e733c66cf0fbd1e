//! The folder `scenarios/` as a whole: it covers what it should, and every claim comes out as expected.

use assert_cmd::Command;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn scenarios() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut scenarios: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    scenarios.sort();
    scenarios
}

#[test]
fn every_combination_that_makes_sense_is_there() {
    let scenarios = scenarios();
    let some =
        |parts: &[&str]| scenarios.iter().any(|(_, text)| parts.iter().all(|part| text.contains(part)));
    for optimizer in ["\"dsgd\"", "\"dcsgd\"", "\"dsignsgd\""] {
        for objective in [
            "[objective.quadratic]",
            "matrix =",
            "[objective.rosenbrock]",
            "[objective.saddle]",
            "[objective.logistic]",
        ] {
            assert!(some(&[optimizer, objective]), "{optimizer} {objective}");
        }
        assert!(some(&[optimizer, "minibatch"]), "{optimizer} with minibatches");
    }
    for dof in ["dof = 1 ", "dof = 2 ", "dof = 3 ", "dof = 10 ", "gaussian"] {
        assert!(some(&["\"dsignsgd\"", dof]), "{dof}");
    }
    for count in ["count = 1\n", "count = 4\n", "count = 16\n"] {
        assert!(some(&["\"dsignsgd\"", count]) && some(&["\"dcsgd\"", count]), "{count}");
    }
    for compressor in ["identity", "rand_k", "bernoulli", "natural", "dithering", "composition", "perm_k"] {
        assert!(some(&["\"dcsgd\"", compressor]), "{compressor}");
    }
    for noise in ["multivariate_t", "batch_mean_t", "contaminated", "proportional"] {
        assert!(some(&[noise]), "{noise}");
    }
}

#[test]
fn every_factor_of_every_theorem_has_a_negative_control() {
    let controls: BTreeSet<(String, String)> = scenarios()
        .into_iter()
        .filter_map(|(_, text)| {
            let value =
                |key: &str| Some(text.split(&format!("{key} = \"")).nth(1)?.split('"').next()?.to_owned());
            assert!(!text.contains("mutant") || text.contains("expect = \"refuted\""));
            Some((value("optimizer")?, value("mutant")?))
        })
        .collect();
    let expected = [
        ("dcsgd", "agents_lost"),
        ("dcsgd", "eta_for_sqrt_eta"),
        ("dcsgd", "half_drift"),
        ("dcsgd", "no_compression_noise"),
        ("dsgd", "agents_lost"),
        ("dsgd", "eta_for_sqrt_eta"),
        ("dsgd", "no_diffusion"),
        ("dsignsgd", "agents_lost"),
        ("dsignsgd", "eta_for_sqrt_eta"),
        ("dsignsgd", "gaussian_xi"),
        ("dsignsgd", "identity_diffusion"),
        ("dsignsgd", "no_diffusion"),
        ("dsignsgd", "xi_without_two"),
    ];
    for (optimizer, mutant) in expected {
        assert!(controls.contains(&(optimizer.to_owned(), mutant.to_owned())), "{optimizer} {mutant}");
    }
}

#[test]
fn every_limit_of_the_closed_forms_is_a_pair() {
    // THEORY section 6, items 5 and 6, and Perm-k: refuted as printed, upheld in general.
    for limit in
        ["dsignsgd-batch-mean", "dsignsgd-multivariate-t", "dsignsgd-correlated-gaussian", "dcsgd-perm-k"]
    {
        let text =
            |name: String| scenarios().into_iter().find(|(known, _)| *known == name).expect("a scenario").1;
        let (general, closed) = (text(limit.to_owned()), text(format!("wrong-{limit}-closed")));
        assert!(!general.contains("form =") && !general.contains("expect"));
        assert!(closed.contains("form = \"closed\"") && closed.matches("expect = \"refuted\"").count() == 2);
    }
}

/// Whether a reader finds the source: a theorem of the paper, or a section of the page on theory.
fn is_found(source: &str) -> bool {
    let page = include_str!("../docs/theory.md");
    match source.strip_prefix("docs/theory.md, ") {
        Some(section) => page.lines().any(|line| line.strip_prefix("## ") == Some(section)),
        None => ["Theorem 1", "Theorem 2"].iter().any(|theorem| source.starts_with(theorem)),
    }
}

#[test]
fn every_source_is_found() {
    let mut count = 0;
    for (name, text) in scenarios() {
        let Some(source) = text.split("\nsource = \"").nth(1).and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        assert!(is_found(source), "{name}: {source}");
        count += 1;
    }
    assert!(count > 50);
    assert!(!is_found("THEORY section 2") && !is_found("docs/theory.md, No such section"));
}

#[test]
fn the_example_of_the_readme_is_the_scenario_it_names() {
    let readme = include_str!("../README.md");
    let example: toml::Table =
        readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().parse().unwrap();
    let file: toml::Table = include_str!("../scenarios/dcsgd-quadratic-rand-k-n4.toml").parse().unwrap();
    assert_eq!(example, file);
}

#[test]
fn every_claim_comes_out_as_expected() {
    let out = tempfile::TempDir::new().unwrap();
    let run = Command::cargo_bin("itocheck")
        .unwrap()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "scenarios", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(0), "{text}");
    let count = scenarios().len();
    assert!(
        text.ends_with(&format!("{count} scenarios: {count} passed, 0 failed, 0 inconclusive\n")),
        "{text}"
    );
    // Reports of every kind are read back to the last digit: going on after the run judges nothing anew.
    let reports = |text: &str| {
        let report = |(name, _): &(String, String)| {
            std::fs::read(out.path().join(name).join("report.json")).expect(text)
        };
        scenarios().iter().map(report).collect::<Vec<_>>()
    };
    let first = reports("a report of the run");
    let resumed = Command::cargo_bin("itocheck")
        .unwrap()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "scenarios", "--resume", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(resumed.stdout).unwrap(), text);
    assert!(reports("a report that was kept") == first);
    // Every negative control is refuted by both of its claims, coefficients and trajectory.
    for (name, _) in scenarios().iter().filter(|(name, _)| name.starts_with("wrong-")) {
        let second = if name.starts_with("wrong-order") { "order" } else { "trajectory" };
        for kind in ["coefficients", second] {
            assert!(text.contains(&format!("ok   {name}: {kind} refuted, as expected")), "{name} {kind}");
        }
    }
}
