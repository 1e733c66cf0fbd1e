//! `itocheck compare`: paths that were recorded elsewhere.

#[path = "../common/mod.rs"]
mod common;
mod files;
mod python;
mod refused;

use common::itocheck;
use files::{paths, scenario, simulated};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use zip::CompressionMethod::{Deflated, Stored};

/// The exit code of a comparison and its report.
fn compared(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let called = itocheck(folder, &[&["compare", "--margin", "0.3"], arguments].concat());
    let report = fs::read(folder.join("itocheck-out/comparison/report.json"))
        .unwrap_or_else(|_| panic!("{}{}", called.out, called.err));
    (called.code, serde_json::from_slice(&report).unwrap())
}

/// The optimizer in both widths, its SDE, and one with half the noise, whose variances are off by 7 margins.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let optimizer = simulated(1.0, false, 1, 4100);
    let write = |name: &str, descr: &str, what: &(Vec<f64>, Vec<f64>), method| {
        paths(&folder.path().join(name), descr, what, method);
    };
    write("optimizer.npz", "<f8", &optimizer, Stored);
    write("narrow.npz", "<f4", &optimizer, Deflated);
    write("big-endian.npz", ">f8", &optimizer, Stored);
    write("sde.npz", "<f8", &simulated(1.0, true, 2, 5120), Deflated);
    write("wrong.npz", "<f8", &simulated(0.5, true, 2, 5120), Stored);
    write("few.npz", "<f8", &simulated(1.0, true, 2, 1024), Stored);
    fs::write(folder.path().join("right.toml"), scenario(1.0)).unwrap();
    fs::write(folder.path().join("wrong.toml"), scenario(0.5)).unwrap();
    folder
}

#[test]
fn the_right_side_is_upheld_and_the_wrong_one_refuted() {
    let folder = folder();
    for (arguments, code, verdict) in [
        (["--optimizer", "optimizer.npz", "--sde", "sde.npz"], 0, "upheld"),
        (["--optimizer", "optimizer.npz", "--sde", "wrong.npz"], 1, "refuted"),
        (["--optimizer", "optimizer.npz", "--scenario", "right.toml"], 0, "upheld"),
        (["--optimizer", "optimizer.npz", "--scenario", "wrong.toml"], 1, "refuted"),
        (["--sde", "sde.npz", "--scenario", "right.toml"], 0, "upheld"),
        (["--sde", "wrong.npz", "--scenario", "right.toml"], 1, "refuted"),
        (["--optimizer", "optimizer.npz", "--sde", "few.npz"], 3, "inconclusive"),
    ] {
        let (got, report) = compared(folder.path(), &arguments);
        let claim = &report["claims"][0];
        assert_eq!(
            (got, claim["verdict"].as_str().unwrap()),
            (code, verdict),
            "{arguments:?}: {}",
            claim["sentence"]
        );
        assert!(claim["detectable_gap"].as_f64().unwrap() > 0.0);
        let knows_solver = !arguments.contains(&"--sde");
        assert_eq!(claim["worst"]["integration"].is_null(), !knows_solver, "{arguments:?}");
        let page = fs::read_to_string(folder.path().join("itocheck-out/index.html")).unwrap();
        assert!(page.contains("Recorded paths"));
        assert!(folder.path().join("itocheck-out/junit.xml").exists());
        assert!(folder.path().join("itocheck-out/comparison/fluctuations.svg").exists());
    }
}

#[test]
fn every_path_is_accounted_for() {
    let folder = folder();
    let (_, report) = compared(folder.path(), &["--optimizer", "optimizer.npz", "--sde", "sde.npz"]);
    let counts = |of: usize| {
        ["paths", "pilot", "compared", "left_over"].map(|key| report["recorded"][of][key].as_u64().unwrap())
    };
    assert_eq!([counts(0), counts(1)], [[4100, 0, 4096, 4], [5120, 1024, 4096, 0]]);
}

/// The means are those of the files, by sums that share no code with the program.
#[test]
fn moments_are_those_of_the_paths_that_are_compared() {
    let folder = folder();
    let (_, report) = compared(folder.path(), &["--optimizer", "optimizer.npz", "--sde", "sde.npz"]);
    let sides =
        [("optimizer", simulated(1.0, false, 1, 4100).0, 0), ("sde", simulated(1.0, true, 2, 5120).0, 1024)];
    let pilot: Vec<f64> = (0..10).map(|at| mean(&sides[1].1, 0..1024, |x| x[at])).collect();
    for (side, x, first) in sides {
        let told =
            |function: usize, time: usize| report["moments"][side]["mean"][function][time].as_f64().unwrap();
        for time in 0..5 {
            let at = 2 * time;
            let of_paths = |g: &dyn Fn(&[f64]) -> f64| mean(&x, first..first + 4096, g);
            // x[0], x[1], x[0]*x[0], x[0]*x[1], x[1]*x[1], and the fluctuations likewise.
            let expected = [
                (1, of_paths(&|x| x[at + 1])),
                (3, of_paths(&|x| x[at] * x[at + 1])),
                (7, of_paths(&|x| (x[at + 1] - pilot[at + 1]) * (x[at + 1] - pilot[at + 1]))),
            ];
            for (function, expected) in expected {
                // Rounding of sums of 4096 numbers below 1.
                assert!((told(function, time) - expected).abs() < 1e-12, "{side} {function} {time}");
            }
        }
    }
}

fn mean(x: &[f64], paths: std::ops::Range<usize>, g: impl Fn(&[f64]) -> f64) -> f64 {
    let count = paths.len() as f64;
    paths.map(|path| g(&x[10 * path..][..10])).sum::<f64>() / count
}

#[test]
fn widths_orders_of_bytes_and_threads_do_not_matter() {
    let folder = folder();
    let moments = |file: &str, threads: &str| {
        let arguments = ["--optimizer", file, "--sde", "sde.npz", "--threads", threads];
        compared(folder.path(), &arguments).1["moments"].clone()
    };
    let wide = moments("optimizer.npz", "1");
    assert_eq!(wide, moments("optimizer.npz", "2"));
    assert_eq!(wide, moments("big-endian.npz", "1"));
    let narrow = moments("narrow.npz", "1");
    assert_ne!(wide, narrow);
    let estimates = |moments: &Value| -> Vec<f64> {
        let rows = moments["optimizer"]["mean"].as_array().unwrap();
        rows.iter().flat_map(|row| row.as_array().unwrap()).map(|mean| mean.as_f64().unwrap()).collect()
    };
    for (wide, narrow) in estimates(&wide).into_iter().zip(estimates(&narrow)) {
        // States of size 1 at most, rounded to 24 bits; their products are off by two roundings.
        assert!((wide - narrow).abs() < 2.0 * f64::from(f32::EPSILON));
    }
}

/// No verdict depends on η where there is no scenario: the gap in margins is the same.
#[test]
fn the_learning_rate_scales_fluctuations_and_their_margins() {
    let folder = folder();
    let gaps = |eta: &str| -> Vec<f64> {
        let sides = ["--optimizer", "optimizer.npz", "--sde", "sde.npz", "--learning-rate", eta];
        let gap = compared(folder.path(), &sides).1["moments"]["gap"].clone();
        let at = |key: &str, function: usize| gap[key][function][4].as_f64().unwrap();
        (0..8).map(|function| at("estimate", function) / at("margin", function)).collect()
    };
    for (one, other) in gaps("1").into_iter().zip(gaps("0.01")) {
        assert!((one - other).abs() < 1e-10 * one.abs().max(1e-3));
    }
}

/// 256 MB of states within 200 MB of memory, threads and program included.
#[test]
fn files_larger_than_memory_are_read() {
    let folder = TempDir::new().unwrap();
    let (x, times) = simulated(1.0, false, 1, 1024);
    let many: Vec<f64> = x.iter().copied().cycle().take(x.len() * 3125).collect();
    paths(&folder.path().join("large.npz"), "<f8", &(many, times), Stored);
    let called = Command::new("bash")
        .current_dir(folder.path())
        .args([
            "-c",
            "ulimit -v 200000; exec \"$0\" compare --optimizer large.npz --sde large.npz --threads 1 --quiet",
        ])
        .arg(assert_cmd::cargo::cargo_bin!("itocheck"))
        .output()
        .unwrap();
    // Copies of the same paths are no independent ones, so that only the end matters here, not the verdict.
    let code = called.status.code();
    assert!(matches!(code, Some(0 | 1 | 3)), "{code:?}: {}", String::from_utf8_lossy(&called.stderr));
    assert!(fs::metadata(folder.path().join("large.npz")).unwrap().len() > 250_000_000);
}
