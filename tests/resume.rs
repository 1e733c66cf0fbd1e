//! `itocheck run --resume`: a run that was killed goes on, to the bytes of one that was not.

mod common;

use common::{GOOD, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

fn place(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// All files under a folder by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, bytes)| (name.join(inner), bytes)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// Without the lines that tell how long something took.
fn timeless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let tells_time = |line: &&str| {
        let told = ["\"wall_seconds\"", ">Seconds<", " time=\"", "timestamp="];
        !told.iter().any(|told| line.contains(told))
    };
    text.lines().filter(tells_time).collect::<Vec<_>>().join("\n")
}

fn seconds(folder: &Path, name: &str) -> String {
    let report = fs::read_to_string(folder.join(name).join("report.json")).unwrap();
    report.lines().find(|line| line.contains("\"wall_seconds\"")).unwrap().to_owned()
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    // The second takes hours, so that the kill meets it. What is then in its place is decided in a moment.
    let endless =
        GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 4294967296\nmax_seeds = 4294967296\n[[claims]]");
    let endless = endless.replace("count = 2", "count = 1").replace("steps = 20", "steps = 4");
    let other = GOOD.replace("[[claims]]", "[monte_carlo]\nseed = 7\nseeds = 1024\n[[claims]]");
    let folder = place(&[("a.toml", GOOD), ("b.toml", &endless), ("c.toml", &other)]);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("itocheck"))
        .current_dir(folder.path())
        .args(["run", ".", "--quiet", "--out", "out"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = folder.path().join("out");
    while !out.join("a/report.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run should take hours");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.join("b/report.json").exists() && !out.join("index.html").exists());
    // As a kill in the middle of writing leaves it.
    fs::create_dir_all(out.join("b")).unwrap();
    for part in ["index.html.17.part", "a/means.svg.17.part", "b/report.json.17.part"] {
        fs::write(out.join(part), "half").unwrap();
    }
    // What looks like it and is not ours stays.
    let others =
        ["mine.part", "notes.17.part", "index.html.part", "a/means.svg.x.part", "b/data.npz.17.part"];
    for other in others {
        fs::write(out.join(other), "mine").unwrap();
    }
    fs::create_dir(out.join("junit.xml.17.part")).unwrap();
    fs::write(folder.path().join("b.toml"), GOOD.replace("start = 0.3", "start = 0.2")).unwrap();
    let kept = files(&out.join("a"));

    let resumed = run(folder.path(), &[".", "--resume", "--out", "out"]);
    assert_eq!(resumed.code, 0, "{}", resumed.out);
    let whole = run(folder.path(), &[".", "--out", "whole"]);
    assert_eq!(resumed.out, whole.out);
    for other in others {
        assert_eq!(fs::read_to_string(out.join(other)).unwrap(), "mine");
        fs::remove_file(out.join(other)).unwrap();
    }
    fs::remove_dir(out.join("junit.xml.17.part")).unwrap();
    let (left, right) = (files(&out), files(&folder.path().join("whole")));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (name, bytes) in &left {
        assert!(timeless(bytes) == timeless(&right[name]), "{}", name.display());
    }
    // What was finished was not touched: it still tells the seconds of the run that was killed.
    for (name, bytes) in files(&out.join("a")) {
        assert!(kept.get(&name) == Some(&bytes), "{}", name.display());
    }

    // Now everything is kept, to the last byte.
    assert_eq!(run(folder.path(), &[".", "--resume", "--out", "out"]).out, whole.out);
    assert!(files(&out) == left);
}

#[test]
fn only_what_is_as_it_was_is_kept() {
    let folder = place(&[("a.toml", GOOD)]);
    let out = folder.path().join("itocheck-out");
    let call = |arguments: &[&str]| {
        let called = run(folder.path(), &[&["a.toml"], arguments].concat());
        assert!(matches!(called.code, 0 | 3), "{}", called.err);
        seconds(&out, "a")
    };
    let keeps = |before: &str, arguments: &[&str]| call(arguments) == before;
    let first = call(&[]);
    // A run of some milliseconds takes another time, in 17 digits, whenever it is done anew.
    assert!(keeps(&first, &["--resume"]));
    assert!(keeps(&first, &["--resume", "--threads", "1"]));
    assert!(!keeps(&first, &["--resume", "--max-seeds", "8192"]));
    assert!(!keeps(&first, &["--resume", "--seeds", "1024"]));
    let again = call(&[]);
    assert!(again != first);
    assert!(keeps(&again, &["--resume"]));
    let report = out.join("a/report.json");
    let text = fs::read_to_string(&report).unwrap();
    for (from, to) in [
        ("\"itocheck/report/1\"", "\"itocheck/report/0\""),
        (concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"0.0.9\""),
        ("\"interrupted\": false", "\"interrupted\": true"),
        ("\"outcome\": \"passed\"", "\"outcome\":  \"passed\""),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&report, text.replacen(from, to, 1)).unwrap();
        assert!(!keeps(&again, &["--resume"]), "{to}");
    }
    fs::write(&report, &text[..text.len() / 2]).unwrap();
    assert!(!keeps(&again, &["--resume"]));
    // The text of the scenario has to be the same, to the byte.
    let last = call(&[]);
    fs::write(folder.path().join("a.toml"), GOOD.replace("title = \"t\"", "title = \"t\" ")).unwrap();
    assert!(!keeps(&last, &["--resume"]));
}

#[test]
fn a_baseline_is_not_resumed() {
    let folder = place(&[("a.toml", GOOD)]);
    assert_eq!(run(folder.path(), &["a.toml"]).code, 0);
    let both = run(folder.path(), &["a.toml", "--resume", "--baseline", "itocheck-out"]);
    assert_eq!(both.code, 2, "{}", both.out);
    // Nor is a report that was compared with one.
    assert_eq!(run(folder.path(), &["a.toml", "--baseline", "itocheck-out"]).code, 0);
    let before = seconds(&folder.path().join("itocheck-out"), "a");
    assert_eq!(run(folder.path(), &["a.toml", "--resume"]).code, 0);
    assert!(seconds(&folder.path().join("itocheck-out"), "a") != before);
}

/// What diverged is a result too, and its report, without numbers where there are none, is read back.
#[test]
fn a_run_that_diverged_is_kept() {
    let far = "title = \"t\"\noptimizer = \"dsgd\"\nobjective.quadratic = { eigenvalues = [1.0, 2.0] }\n\
               agents = [{ count = 1, noise.gaussian = { scale = 1.0 } }]\n\
               run = { learning_rate = 100.0, steps = 400, records = 2, start = 1.0 }\n\
               monte_carlo = { seeds = 512, max_seeds = 512 }\n[[claims]]\n\
               trajectory = { margin = { absolute = 1.0 } }\n";
    let folder = place(&[("a.toml", far)]);
    let out = folder.path().join("itocheck-out");
    let first = run(folder.path(), &["a.toml"]);
    assert!(first.code == 1 && first.out.contains("diverged: "), "{}{}", first.out, first.err);
    let before = seconds(&out, "a");
    assert_eq!(run(folder.path(), &["a.toml", "--resume"]).out, first.out);
    assert_eq!(seconds(&out, "a"), before);
}
