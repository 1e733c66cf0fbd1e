//! `itocheck plot`: figures and numbers from a report, without simulation.

mod common;

use common::{Called, GOOD, itocheck, run};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A folder with the report of a short run.
fn reported() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("good.toml"), GOOD).unwrap();
    assert_eq!(run(folder.path(), &["good.toml"]).code, 0);
    folder
}

fn plot(folder: &TempDir, arguments: &[&str]) -> Called {
    itocheck(folder.path(), &[&["plot", "itocheck-out/good/report.json"], arguments].concat())
}

#[test]
fn chosen_functions_are_drawn_in_the_size_asked_for() {
    let folder = reported();
    let arguments =
        ["--function", "x[0]*x[1]", "--function", "loss", "--size", "640x320", "--title", "A <b>"];
    for file in ["a.svg", "a.png"] {
        let Called { code, err, .. } = plot(&folder, &[&["--out", file], &arguments[..]].concat());
        assert_eq!(code, 0, "{err}");
    }
    let svg = fs::read_to_string(folder.path().join("a.svg")).unwrap();
    assert!(svg.contains(r#"width="640" height="320""#));
    assert!(svg.contains("E x[0]·x[1]") && svg.contains("E loss") && !svg.contains("E x[0]²"));
    assert!(svg.contains("A &lt;b&gt;"));
    let png = fs::read(folder.path().join("a.png")).unwrap();
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((side(16), side(20)), (640, 320));
}

#[test]
fn without_functions_the_first_are_drawn_in_a_size_that_fits() {
    let folder = TempDir::new().unwrap();
    // Three dimensions have sixteen functions.
    fs::write(folder.path().join("good.toml"), GOOD.replace("[0.5, 2.0]", "[0.5, 1.0, 2.0]")).unwrap();
    assert_eq!(run(folder.path(), &["good.toml"]).code, 0);
    let drawn = |arguments: &[&str]| {
        let Called { code, err, .. } = plot(&folder, &[&["--out", "a.svg"], arguments].concat());
        assert_eq!(code, 0, "{err}");
        fs::read_to_string(folder.path().join("a.svg")).unwrap()
    };
    let all = drawn(&[]);
    assert_eq!(all.matches("E ").count(), 12);
    assert!(all.contains("the first 12 of 16 test functions"));
    let one = drawn(&["--function", "loss"]);
    assert!(one.contains(r#"width="900" height="560""#) && !one.contains("the first"));
    let help = itocheck(folder.path(), &["plot", "--help"]).out;
    assert!(help.contains("Optional: a test function"), "{help}");
}

#[test]
fn the_numbers_are_those_of_the_report() {
    let folder = reported();
    assert_eq!(plot(&folder, &["--out", "all.csv"]).code, 0);
    let report = fs::read_to_string(folder.path().join("itocheck-out/good/report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let moments = &report["moments"];
    let csv = fs::read_to_string(folder.path().join("all.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 1 + 9 * 5);
    let columns = [
        ("optimizer_mean", &moments["optimizer"]["mean"]),
        ("optimizer_standard_error", &moments["optimizer"]["standard_error"]),
        ("sde_mean", &moments["sde"]["mean"]),
        ("sde_standard_error", &moments["sde"]["standard_error"]),
        ("integrator_bias", &moments["sde"]["integrator_bias"]),
        ("gap", &moments["gap"]["estimate"]),
        ("margin", &moments["gap"]["margin"]),
    ];
    for (name, table) in columns {
        let column = rows[0].iter().position(|header| header == &name).unwrap();
        for (index, row) in rows[1..].iter().enumerate() {
            let (function, time) = (index / 5, index % 5);
            assert_eq!(row[0], moments["functions"][function].as_str().unwrap());
            // What has no value is empty.
            assert_eq!(row[column].parse().ok(), table[function][time].as_f64(), "{name} {row:?}");
        }
    }
}

#[test]
fn wrong_calls_are_refused_and_nothing_is_written() {
    let folder = reported();
    let cases: [(&[&str], &str); 6] = [
        (&["--out", "a.svg", "--function", "y"], "no test function \"y\"; expected some of x[0], x[1]"),
        (&["--out", "a.gif"], "a.gif: the extension \"gif\"; expected .svg, .png or .csv"),
        (&["--out", "a.svg", "--size", "10x10"], "the size 10x10; expected at least"),
        (&["--out", "a.svg", "--size", "big"], "expected width and height, such as 900x560"),
        (&["--out", "a.svg", "--size", "900x90000"], "each at most 8000"),
        (&[], "--out"),
    ];
    for (arguments, expected) in cases {
        let Called { code, err, .. } = plot(&folder, arguments);
        assert!(code == 2 && err.contains(expected), "{code} {err}");
    }
    // Before anything is read.
    let Called { err, .. } = itocheck(folder.path(), &["plot", "nowhere.json", "--out", "a.gif"]);
    assert!(err.contains("a.gif: the extension"), "{err}");
    let broken: [(&str, &str); 4] = [
        ("", "broken.json:1:1: EOF while parsing"),
        ("{\"scenario\": 1}", "broken.json:1:"),
        (
            "{\"scenario\": {\"title\": \"t\"}, \"moments\": null}",
            "no moments; expected the report of a scenario that claims a trajectory",
        ),
        ("\u{0}", "broken.json:1:1:"),
    ];
    for (text, expected) in broken {
        fs::write(folder.path().join("broken.json"), text).unwrap();
        let Called { code, err, .. } = itocheck(folder.path(), &["plot", "broken.json", "--out", "a.svg"]);
        assert!(code == 2 && err.contains(expected) && err.contains("expected"), "{code} {err}");
    }
    let report = fs::read_to_string(folder.path().join("itocheck-out/good/report.json")).unwrap();
    fs::write(folder.path().join("odd.json"), report.replacen("\"loss\"", "\"lo\\u001bss\"", 1)).unwrap();
    let Called { code, err, .. } = itocheck(folder.path(), &["plot", "odd.json", "--out", "a.svg"]);
    assert!(code == 2 && err.contains("the name \"lo\\u{1b}ss\"; expected one short line"), "{err}");
    fs::write(folder.path().join("odd.json"), report.replacen("\"loss\"", "\"a,b\"", 1)).unwrap();
    assert_eq!(itocheck(folder.path(), &["plot", "odd.json", "--out", "odd.csv"]).code, 0);
    assert!(fs::read_to_string(folder.path().join("odd.csv")).unwrap().contains("\n\"a,b\",0,"));
    let torn = fs::read_to_string(folder.path().join("itocheck-out/good/report.json")).unwrap();
    fs::write(folder.path().join("torn.json"), torn.replacen("\"loss\"", "\"loss\", \"more\"", 1)).unwrap();
    assert!(
        itocheck(folder.path(), &["plot", "torn.json", "--out", "a.svg"]).err.contains("different shapes")
    );
    assert!(!folder.path().join("a.svg").exists());
    assert_eq!(plot(&folder, &["--out", "nowhere/a.svg"]).code, 4);
}
