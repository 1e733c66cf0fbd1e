//! Golden outputs: what is kept in `golden/`, what counts as a difference, and that rendering needs no
//! simulation.

mod common;

use common::{Called, GOOD, itocheck, run};
use itocheck::golden::{Files, Golden};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with the scenarios `one` and `two`, and their golden outputs.
fn blessed() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("scenarios")).unwrap();
    let text = GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 512\n[[claims]]");
    for (name, title) in [("one", "\"one\""), ("two", "\"],[ \\\"two\\\"\"")] {
        let text = text.replacen("\"t\"", title, 1);
        fs::write(folder.path().join(format!("scenarios/{name}.toml")), text).unwrap();
    }
    let Called { code, out, err } = itocheck(folder.path(), &["golden", "bless", "--because", "a test"]);
    assert_eq!(code, 0, "{out}{err}");
    folder
}

fn check(folder: &TempDir) -> Called {
    itocheck(folder.path(), &["golden", "check"])
}

/// Replaces the number in `golden/one.json` that `find` ends with, by what `with` makes of it.
fn tamper(folder: &TempDir, table: &str, row: usize, column: usize, with: impl Fn(f64) -> f64) {
    let file = folder.path().join("golden/one.json");
    let mut golden: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let number = &mut golden[table]["mean"][row][column];
    *number = with(number.as_f64().unwrap()).into();
    fs::write(file, golden.to_string()).unwrap();
}

#[test]
fn the_fast_ones_of_the_house_are_the_same() {
    // `.ci/run` checks all of them.
    let Called { code, out, err } = itocheck(house(), &["golden", "check", "--filter", "wrong-"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.ends_with(" scenarios, 0 golden outputs differ\n") && out.matches("same  ").count() >= 10,
        "{out}"
    );
}

#[test]
fn the_figure_of_wrong_fluctuations_is_what_its_command_draws() {
    let (page, name) = (include_str!("../docs/concepts.md"), "wrong-dcsgd-no-compression-noise");
    assert!(
        page.contains("](no-compression-noise.png)") && page.contains(&format!("run scenarios/{name}.toml`"))
    );
    let out = TempDir::new().unwrap();
    let file = format!("scenarios/{name}.toml");
    let Called { code, err, .. } = run(house(), &[&file, "--out", out.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let drawn = fs::read(out.path().join(name).join("fluctuations.png")).unwrap();
    let kept = fs::read(house().join("docs/no-compression-noise.png")).unwrap();
    assert!(drawn == kept, "docs/no-compression-noise.png is another figure; copy it from {file}'s run");
}

#[test]
fn every_scenario_of_the_house_has_golden_numbers_and_an_overlay_drawn_from_them() {
    let numbers = |folder: &str, extension: &str| -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(house().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|file| file.extension().is_some_and(|found| found == extension))
            .collect();
        files.sort();
        files
    };
    let scenarios = numbers("scenarios", "toml");
    assert_eq!(numbers("golden", "json").len(), scenarios.len());
    assert_eq!(numbers("golden", "svg").len(), scenarios.len());
    for scenario in scenarios {
        let name = scenario.file_stem().unwrap().to_str().unwrap();
        let files = Files::of(&house().join("golden"), name);
        let golden = Golden::load(&files.numbers).unwrap().expect("golden numbers");
        assert!(!golden.because.is_empty());
        let overlay = fs::read(&files.overlay).unwrap();
        assert!(golden.overlay().unwrap() == overlay, "{name}");
        assert_eq!(golden.json().unwrap(), fs::read(&files.numbers).unwrap(), "{name}");
    }
}

#[test]
fn other_numbers_are_drawn_otherwise() {
    let folder = blessed();
    tamper(&folder, "sde", 5, 4, |mean| 1.1 * mean);
    let files = Files::of(&folder.path().join("golden"), "one");
    let golden = Golden::load(&files.numbers).unwrap().unwrap();
    assert!(golden.overlay().unwrap() != fs::read(&files.overlay).unwrap());
}

#[test]
fn a_check_passes_where_nothing_has_changed() {
    let folder = blessed();
    let Called { code, out, .. } = check(&folder);
    assert_eq!((code, out.as_str()), (0, "same  one\nsame  two\n2 scenarios, 0 golden outputs differ\n"));
    let one_thread = itocheck(folder.path(), &["golden", "check", "--threads", "1", "--quiet"]);
    assert_eq!(one_thread.out, "2 scenarios, 0 golden outputs differ\n");
    let one = itocheck(folder.path(), &["golden", "check", "scenarios/one.toml", "--quiet"]);
    assert_eq!(one.out, "1 scenario, 0 golden outputs differ\n");
}

#[test]
fn a_check_names_what_moved_and_by_how_many_standard_errors() {
    let folder = blessed();
    let numbers = fs::read_to_string(folder.path().join("golden/one.json")).unwrap();
    let numbers: serde_json::Value = serde_json::from_str(&numbers).unwrap();
    let error = numbers["optimizer"]["standard_error"][1][2].as_f64().unwrap();
    tamper(&folder, "optimizer", 1, 2, |mean| mean - 3.0 * error);
    tamper(&folder, "sde", 0, 1, |mean| f64::from_bits(mean.to_bits() + 1));
    let Called { code, out, .. } = check(&folder);
    assert_eq!(code, 1);
    assert!(
        out.contains("MOVED one: optimizer: E x[1] at t = 0.1000 moved by 3.00e0 standard errors, from "),
        "{out}"
    );
    assert!(out.contains("; 2 of 90 means differ") && out.contains("same  two"), "{out}");
}

#[test]
fn a_single_bit_is_a_difference() {
    let folder = blessed();
    tamper(&folder, "sde", 0, 1, |mean| f64::from_bits(mean.to_bits() + 1));
    let Called { code, out, .. } = check(&folder);
    assert_eq!(code, 1);
    assert!(out.contains("MOVED one: SDE: E x[0] at t = 0.0500 moved by"), "{out}");
}

#[test]
fn what_is_missing_or_left_over_is_a_difference() {
    let folder = blessed();
    let path = |name: &str| folder.path().join(name);
    fs::remove_file(path("golden/one.json")).unwrap();
    fs::write(path("golden/two.svg"), "<svg/>").unwrap();
    fs::copy(path("golden/two.json"), path("golden/gone.json")).unwrap();
    let Called { code, out, .. } = check(&folder);
    assert_eq!(code, 1);
    for difference in [
        "MOVED one: it had no golden output; expected one",
        "MOVED two: the numbers are the same, but the overlay is drawn otherwise",
        "MOVED gone: it has no scenario; expected one",
        "2 scenarios, 3 golden outputs differ",
    ] {
        assert!(out.contains(difference), "{out}");
    }
    // Part of a folder says nothing of the rest.
    assert!(!itocheck(folder.path(), &["golden", "check", "--filter", "one"]).out.contains("gone"));
}

#[test]
fn a_changed_scenario_is_a_difference_that_is_blessed_with_a_reason() {
    let folder = blessed();
    let path = |name: &str| folder.path().join(name);
    let scenario = fs::read_to_string(path("scenarios/one.toml")).unwrap();
    fs::write(path("scenarios/one.toml"), scenario.replace("k = 1", "k = 2")).unwrap();
    let Called { code, out, .. } = check(&folder);
    assert_eq!(code, 1);
    assert!(out.contains("MOVED one: ") && out.contains("standard errors"), "{out}");
    let two = fs::read(path("golden/two.json")).unwrap();
    for wrong in [vec!["golden", "bless"], vec!["golden", "bless", "--because", " "]] {
        assert_eq!(itocheck(folder.path(), &wrong).code, 2);
    }
    let blessed = itocheck(folder.path(), &["golden", "bless", "--because", "both coordinates are kept"]);
    assert!(blessed.out.contains("blessed one: ") && blessed.out.contains("same    two"), "{}", blessed.out);
    let one = fs::read_to_string(path("golden/one.json")).unwrap();
    assert!(one.contains("\"because\": \"both coordinates are kept\""), "{one}");
    assert_eq!(fs::read(path("golden/two.json")).unwrap(), two);
    assert_eq!(check(&folder).code, 0);
}

#[test]
fn broken_golden_numbers_are_refused_with_their_place() {
    let folder = blessed();
    let file = folder.path().join("golden/one.json");
    let good = fs::read_to_string(&file).unwrap();
    let cases = [
        (good.replacen("\"seed\": 20250503", "\"seed\": -1", 1), "golden/one.json:4:"),
        (
            good.replacen("itocheck/golden/1", "itocheck/golden/9", 1),
            "the schema \"itocheck/golden/9\"; expected",
        ),
        (good.replacen("\"loss\"", "\"loss\", \"more\"", 1), "a table of another shape; expected 10 rows"),
        (good[..good.len() / 2].to_owned(), "EOF while parsing"),
        (good.replacen("\"title\": \"one\"", "\"title\": \"x\\n::error::y\"", 1), "expected one short line"),
        (good.replacen("[0.0,0.05", "[0.1,0.05", 1), "times that do not increase; expected record times"),
        (String::new(), "EOF while parsing a value; expected what itocheck writes"),
    ];
    for (text, expected) in cases {
        fs::write(&file, text).unwrap();
        for command in [["golden", "check"], ["run", "scenarios"]] {
            let Called { code, err, .. } = itocheck(folder.path(), &command);
            assert!(code == 2 && err.contains(expected) && err.contains("expected"), "{code} {err}");
        }
    }
    assert!(!folder.path().join("itocheck-out").exists());
}

#[test]
fn a_folder_that_is_none_is_refused() {
    let folder = blessed();
    for command in [&["golden", "check", "--golden", "typo"][..], &["run", "scenarios", "--golden", "typo"]] {
        let Called { code, err, .. } = itocheck(folder.path(), command);
        assert!(
            code == 2 && err.starts_with("error: typo: no folder that can be read; expected"),
            "{code} {err}"
        );
    }
}

#[test]
fn a_run_draws_the_golden_curves_along() {
    let folder = blessed();
    let means = |out: &str, arguments: &[&str]| {
        let Called { code, err, .. } = run(
            folder.path(),
            &[&["scenarios/one.toml", "--max-seeds", "4096", "--out", out], arguments].concat(),
        );
        assert!(code == 0 || code == 3, "{err}");
        fs::read_to_string(folder.path().join(out).join("one/means.svg")).unwrap()
    };
    let with = means("with", &[]);
    fs::create_dir(folder.path().join("nothing")).unwrap();
    let without = means("without", &["--golden", "nothing"]);
    assert!(with.contains("golden") && !without.contains("golden"));
    tamper(&folder, "sde", 0, 4, |mean| 1.2 * mean);
    assert!(means("moved", &[]) != with);
    // Those of other times are another run's.
    let scenario = folder.path().join("scenarios/one.toml");
    let text = fs::read_to_string(&scenario).unwrap().replace("learning_rate = 0.01", "learning_rate = 1e-6");
    fs::write(&scenario, text).unwrap();
    let other = means("other", &[]);
    assert!(!other.contains("golden") && other.len() < 100_000, "{}", other.len());
}
