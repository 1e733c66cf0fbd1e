//! Long work: interrupted, on a full disk, into a closed pipe; and its progress.

mod common;

use common::{Called, GOOD, itocheck, run};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn place(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn all_files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(all_files(&path));
        } else {
            names.push(path.display().to_string());
        }
    }
    names
}

/// A shell that runs `itocheck` with `before` done first, and its standard output going `to`.
fn shell(folder: &Path, before: &str, to: &str) -> Called {
    let script = format!("{before}; \"$0\" run good.toml {to}");
    let output = Command::new("bash")
        .current_dir(folder)
        .args(["-c", &script])
        .arg(assert_cmd::cargo::cargo_bin!("itocheck"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Called { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn an_interrupted_run_ends_at_once_with_what_was_decided() {
    // The second takes hours: its coefficients are decided in a moment, its trajectory needs 4e9 paths.
    let endless =
        GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 4294967296\nmax_seeds = 4294967296\n[[claims]]");
    let endless = endless.replace("count = 2", "count = 1").replace("steps = 20", "steps = 4");
    let folder = place(&[("a.toml", GOOD), ("b.toml", &endless), ("c.toml", GOOD)]);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("itocheck"))
        .current_dir(folder.path())
        .args(["run", "."])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    while lines.lines().count() < 2 {
        assert!(out.read_line(&mut lines).unwrap() > 0, "{lines}");
    }
    // The first is done; the coefficients of the second take some milliseconds.
    std::thread::sleep(Duration::from_secs(3));
    let begin = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    out.read_to_string(&mut lines).unwrap();
    let status = child.wait().unwrap();
    // A second is promised. A machine on which others work may take longer to get round to it; the path
    // that is under way would take hours.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(status.code(), Some(130), "{lines}");
    assert!(lines.contains("interrupted; 1 more scenario was not begun"), "{lines}");
    assert!(
        lines.contains("??   b: trajectory inconclusive, expected upheld: interrupted before it was decided")
    );
    let report = |name: &str| -> Value {
        let file = folder.path().join("itocheck-out").join(name).join("report.json");
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    assert_eq!((&report("a")["interrupted"], &report("a")["outcome"]), (&false.into(), &"passed".into()));
    let b = report("b");
    assert_eq!((&b["interrupted"], &b["outcome"]), (&true.into(), &"inconclusive".into()));
    assert_eq!(
        (&b["claims"][0]["kind"], &b["claims"][0]["verdict"]),
        (&"coefficients".into(), &"upheld".into())
    );
    assert_eq!((&b["claims"][1]["verdict"], &b["claims"][1]["seeds"]), (&"inconclusive".into(), &0.into()));
    assert!(!folder.path().join("itocheck-out/c").exists());
    for file in ["index.html", "junit.xml"] {
        assert!(
            fs::read_to_string(folder.path().join("itocheck-out").join(file))
                .unwrap()
                .contains("interrupted")
        );
    }
    assert!(!all_files(folder.path()).iter().any(|name| name.ends_with(".part")));
}

#[test]
fn a_full_disk_gives_one_line_and_leaves_no_piece_of_a_file() {
    let folder = place(&[("good.toml", GOOD)]);
    assert_eq!(run(folder.path(), &["good.toml"]).code, 0);
    // Files may not grow beyond a kilobyte: writing fails as it does on a full disk.
    let Called { code, err, .. } = shell(folder.path(), "trap '' XFSZ; ulimit -f 1", "");
    assert_eq!(code, 4, "{err}");
    assert!(err.starts_with("error: itocheck-out/good/means.svg: ") && err.lines().count() == 1, "{err}");
    let files = all_files(folder.path());
    assert!(!files.iter().any(|name| name.ends_with(".part")), "{files:?}");
    // What an earlier run left of them is gone, so that nothing old stands beside what is new.
    assert!(!files.iter().any(|name| name.contains("itocheck-out/good/")), "{files:?}");
}

#[test]
fn an_interrupted_blessing_leaves_whole_files() {
    let slow =
        GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 4294967296\nmax_seeds = 4294967296\n[[claims]]");
    let slow = slow.replace("count = 2", "count = 1").replace("steps = 20", "steps = 4");
    let folder = place(&[("a.toml", GOOD), ("b.toml", &slow)]);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("itocheck"))
        .current_dir(folder.path())
        .args(["golden", "bless", ".", "--because", "a test"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert!(out.read_line(&mut String::new()).unwrap() > 0);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "interrupted; not all scenarios were blessed\n");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut files: Vec<String> = all_files(&folder.path().join("golden"));
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files[0].ends_with("golden/a.json") && files[1].ends_with("golden/a.svg"), "{files:?}");
}

#[test]
fn a_folder_that_cannot_be_written_to_gives_one_line() {
    let folder = place(&[("good.toml", GOOD), ("file", "")]);
    // Not even root may write below /proc.
    for out in ["/proc/itocheck", "file/below"] {
        let Called { code, err, .. } = run(folder.path(), &["good.toml", "--out", out]);
        assert_eq!(code, 4, "{err}");
        assert!(err.starts_with(&format!("error: {out}: ")) && err.lines().count() == 1, "{err}");
    }
    let bless = ["golden", "bless", "good.toml", "--because", "a test", "--golden", "/proc/itocheck"];
    let Called { code, err, .. } = itocheck(folder.path(), &bless);
    assert!(code == 4 && err.starts_with("error: /proc/itocheck: "), "{err}");
}

#[test]
fn standard_output_that_takes_nothing_gives_one_line() {
    let folder = place(&[("good.toml", GOOD)]);
    let full = shell(folder.path(), "true", "> /dev/full");
    assert_eq!((full.code, full.err.lines().count()), (4, 1), "{}", full.err);
    assert!(full.err.starts_with("error: standard output: "), "{}", full.err);
    let closed = shell(folder.path(), "set -o pipefail", "| true");
    assert_eq!((closed.code, closed.err.lines().count()), (4, 1), "{}", closed.err);
    assert!(closed.err.starts_with("error: standard output: "), "{}", closed.err);
}

#[test]
fn where_there_is_no_terminal_a_line_now_and_then_says_how_much_time_is_left() {
    let endless =
        GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 1073741824\nmax_seeds = 1073741824\n[[claims]]");
    let folder = place(&[("slow.toml", &endless)]);
    let start = |arguments: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("itocheck"));
        command.current_dir(folder.path()).args(["run", "slow.toml"]).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut quiet = start(&["--quiet", "--out", "quiet"]);
    let mut talking = start(&[]);
    let begin = Instant::now();
    let mut line = String::new();
    let mut told = BufReader::new(talking.stderr.take().unwrap());
    assert!(told.read_line(&mut line).unwrap() > 0);
    let waited = begin.elapsed().as_secs_f64();
    // Before anything may fail: they would run for hours.
    for child in [&quiet, &talking] {
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    }
    // The first comes after ten seconds; other work on the machine may hold it up.
    assert!((9.0..30.0).contains(&waited), "{waited}");
    assert!(line.starts_with("[1/1] slow 00:00:1") && line.ends_with(" left for this look\n"), "{line:?}");
    // Hours: 1e9 paths of 20 steps, not a guess of nothing.
    assert!(!line.contains(", 00:00:0"), "{line:?}");
    assert_eq!(talking.wait().unwrap().code(), Some(130));
    let mut said = String::new();
    quiet.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((quiet.wait().unwrap().code(), said.as_str()), (Some(130), ""));
}

#[test]
fn a_terminal_shows_how_much_time_is_left() {
    let slow = GOOD.replace("[[claims]]", "[monte_carlo]\nseeds = 131072\n[[claims]]");
    let folder = place(&[("slow.toml", &slow)]);
    let program = assert_cmd::cargo::cargo_bin!("itocheck");
    let call = format!("{} run slow.toml", program.display());
    let shown = Command::new("script").current_dir(folder.path()).args(["-qec", &call, "/dev/null"]).output();
    let Ok(shown) = shown else {
        eprintln!("skipped: no `script` on this machine to make a terminal with");
        return;
    };
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("[1/1] slow") && text.contains(" left"), "{text}");
}
