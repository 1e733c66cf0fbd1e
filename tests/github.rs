//! Under GitHub Actions: annotations on the lines of claims, and the summary of the step.

mod common;

use assert_cmd::Command;
use common::GOOD;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// The claim on line 15 is wrong, as compression noise is left out; `coefficients` is added and expects that.
static FAILS: LazyLock<String> = LazyLock::new(|| {
    let wrong = "[sde]\nmutant = \"no_compression_noise\"\n[[claims]]";
    GOOD.replace("\"t\"", "\"Rand-1 of 2\"").replace("[[claims]]", wrong)
});

const UNDECIDED: &str = r#"title = "Rand-1 of 2"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [0.5, 2.0] }
agents = [{ count = 2, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 } }]
run = { learning_rate = 0.01, steps = 20, records = 4, start = 0.3 }
claims = [
    { coefficients = {} },
    { trajectory = { margin = { effect = 0.001 } } },
]
monte_carlo = { shadow = "off" }
"#;

/// A workspace with a folder `checks` of scenarios.
struct Workspace(TempDir);

impl Workspace {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("checks")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join("checks").join(name), text).unwrap();
        }
        Self(folder)
    }

    fn summary(&self) -> PathBuf {
        self.0.path().join("summary.md")
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::cargo_bin("itocheck").unwrap();
        command
            .current_dir(folder)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_WORKSPACE", self.0.path())
            .env("GITHUB_STEP_SUMMARY", self.summary())
            .args(["run", "--max-seeds", "4096"]);
        command
    }

    /// Exit code and commands of a run on the scenarios, from within the workspace.
    fn run(&self) -> (i32, Vec<String>) {
        let (code, out) = finish(self.command(self.0.path()).arg("checks"));
        (code, commands(&out))
    }
}

fn finish(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// What the runner of GitHub takes for a command.
fn commands(out: &str) -> Vec<String> {
    out.lines().filter(|line| line.trim_start().starts_with("::")).map(str::to_owned).collect()
}

/// A command taken apart as the runner does it: kind, properties, message.
fn parsed(command: &str) -> (String, Vec<(String, String)>, String) {
    let decoded = |text: &str, codes: &[(&str, &str)]| {
        codes.iter().fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
    };
    let (head, message) = command.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (kind, properties) = head.split_once(' ').unwrap();
    let properties = properties.split(',').map(|property| {
        let (name, value) = property.split_once('=').unwrap();
        let codes = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
        (name.to_owned(), decoded(value, &codes))
    });
    let message = decoded(message, &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]);
    (kind.to_owned(), properties.collect(), message)
}

fn pairs(properties: &[(&str, &str)]) -> Vec<(String, String)> {
    properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_claim_is_annotated_on_its_line() {
    let place = Workspace::new(&[("fails.toml", &*FAILS), ("undecided.toml", UNDECIDED)]);
    let (code, commands) = place.run();
    assert_eq!((code, commands.len()), (1, 2), "{commands:?}");
    let (kind, properties, message) = parsed(&commands[0]);
    assert_eq!(kind, "error");
    let title = "fails: trajectory refuted, expected upheld";
    assert_eq!(properties, pairs(&[("file", "checks/fails.toml"), ("line", "15"), ("title", title)]));
    assert!(message.starts_with("Rand-1 of 2\nthe SDE does not track the optimizer within 0.3"), "{message}");
    let (kind, properties, message) = parsed(&commands[1]);
    assert_eq!(kind, "warning");
    let title = "undecided: trajectory inconclusive, expected upheld";
    assert_eq!(properties, pairs(&[("file", "checks/undecided.toml"), ("line", "8"), ("title", title)]));
    assert!(message.starts_with("Rand-1 of 2\nundecided within 0.001"), "{message}");
}

#[test]
fn an_added_claim_is_annotated_on_the_first_line() {
    let text = FAILS.replace("[[claims]]", "[[claims]]\n[claims.coefficients]\n[[claims]]");
    let place = Workspace::new(&[("fails.toml", &text)]);
    let lines = |commands: &[String]| -> Vec<String> {
        commands.iter().map(|command| parsed(command).1[1].1.clone()).collect()
    };
    assert_eq!(lines(&place.run().1), ["15", "17"]);
    // So far in the sign flow that neither claim can be decided.
    let rare = FAILS
        .replace("dcsgd", "dsignsgd")
        .replace("compressor.rand_k = { k = 1 }\n", "")
        .replace("[sde]\nmutant = \"no_compression_noise\"\n", "")
        .replace("scale = 1.0", "scale = 0.2")
        .replace("eigenvalues = [0.5, 2.0]", "eigenvalues = [1.0]")
        .replace("start = 0.3", "start = 1.0");
    let place = Workspace::new(&[("rare.toml", &rare)]);
    let (_, commands) = place.run();
    assert_eq!(lines(&commands), ["1", "12"], "{commands:?}");
    assert_eq!(parsed(&commands[0]).1[2].1, "rare: coefficients inconclusive, expected upheld");
}

#[test]
fn nothing_is_said_elsewhere_or_where_all_is_well() {
    let place = Workspace::new(&[("fails.toml", &*FAILS)]);
    for (name, value) in [("GITHUB_ACTIONS", Some("false")), ("GITHUB_ACTIONS", None)] {
        let mut command = place.command(place.0.path());
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
        let (code, out) = finish(command.env_remove("GITHUB_STEP_SUMMARY").arg("checks"));
        assert_eq!((code, commands(&out).len()), (1, 0), "{out}");
    }
    assert!(!place.summary().exists());
    let expected = format!("{}expect = \"refuted\"\n", *FAILS);
    let place = Workspace::new(&[("control.toml", &expected)]);
    assert_eq!(place.run(), (0, vec![]));
    assert!(fs::read_to_string(place.summary()).unwrap().contains("1 passed, 0 failed"));
}

#[test]
fn files_are_named_from_the_workspace() {
    let place = Workspace::new(&[("fails.toml", &*FAILS)]);
    let below = place.0.path().join("checks");
    let (_, out) = finish(place.command(&below).arg("../checks/./fails.toml"));
    assert_eq!(parsed(&commands(&out)[0]).1[0].1, "checks/fails.toml");
    // A file outside is named as it was given.
    let elsewhere = TempDir::new().unwrap();
    let mut command = place.command(place.0.path());
    let (_, out) = finish(
        command
            .env("GITHUB_WORKSPACE", elsewhere.path())
            .arg("checks")
            .arg("--out")
            .arg(elsewhere.path().join("out")),
    );
    assert_eq!(parsed(&commands(&out)[0]).1[0].1, "checks/fails.toml");
}

#[test]
fn the_tenth_annotation_counts_the_rest() {
    let files: Vec<String> = (0..12).map(|index| format!("fails{index:02}.toml")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), &**FAILS)).collect();
    let (code, commands) = Workspace::new(&files[..10]).run();
    assert_eq!((code, commands.len()), (1, 10));
    assert!(commands[9].contains("fails09"), "{}", commands[9]);
    let (code, commands) = Workspace::new(&files).run();
    assert_eq!((code, commands.len()), (1, 10));
    assert!(commands[8].contains("fails08"), "{}", commands[8]);
    assert_eq!(commands[9], "::error title=itocheck::3 more are not shown here; see the log of this step");
}

#[test]
fn wrong_input_is_annotated_on_its_line() {
    let place = Workspace::new(&[("bad.toml", &FAILS.replace("k = 1", "k = 3"))]);
    let (code, commands) = place.run();
    assert_eq!((code, commands.len()), (2, 1), "{commands:?}");
    let (kind, properties, message) = parsed(&commands[0]);
    assert_eq!(kind, "error");
    let title = "itocheck cannot run this scenario";
    let expected = pairs(&[("file", "checks/bad.toml"), ("line", "7"), ("col", "27"), ("title", title)]);
    assert_eq!(properties, expected);
    assert!(message.starts_with("agents[0].compressor.rand_k.k: 3; expected"), "{message}");
    assert!(!place.summary().exists());
}

#[test]
fn hostile_text_stays_text() {
    const TITLE: &str = "100% <img src=x> | [link](https://example.org) `code` $x$ *b* ::error::x %0A, &amp;";
    let place = Workspace::new(&[("a,b%3A;::c.toml", &FAILS.replace("Rand-1 of 2", TITLE))]);
    let (code, commands) = place.run();
    assert_eq!((code, commands.len()), (1, 1), "{commands:?}");
    let (_, properties, message) = parsed(&commands[0]);
    assert_eq!(properties[0].1, "checks/a,b%3A;::c.toml");
    assert_eq!(properties[2].1, "a,b%3A;::c: trajectory refuted, expected upheld");
    assert_eq!(message.lines().next(), Some(TITLE));
    // In the summary no character of the title is Markdown or HTML, and every row has its seven bars.
    let summary = fs::read_to_string(place.summary()).unwrap();
    for row in summary.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.matches('|').count(), 7, "{row}");
        assert!(!row.contains(['<', '>', '`', '$', '*', '[', '\\']), "{row}");
        assert!(row.split('&').skip(1).all(|rest| rest.starts_with('#')), "{row}");
    }
    let shown = |row: &str| -> String {
        (33..127_u8).fold(row.to_owned(), |row, code| {
            row.replace(&format!("&#{code};"), &char::from(code).to_string())
        })
    };
    assert!(summary.lines().any(|row| shown(row).contains(TITLE)), "{summary}");
}

#[test]
fn the_summary_has_failures_first_and_is_added() {
    let passes = FAILS.replace("[sde]\nmutant = \"no_compression_noise\"\n", "");
    let place = Workspace::new(&[
        ("a_passes.toml", &passes),
        ("b_undecided.toml", UNDECIDED),
        ("c_fails.toml", &*FAILS),
    ]);
    fs::write(place.summary(), "what was there\n").unwrap();
    assert_eq!(place.run().0, 1);
    let summary = fs::read_to_string(place.summary()).unwrap();
    assert!(summary.starts_with("what was there\n## "), "{summary}");
    assert!(summary.contains("\n3 scenarios: 1 passed, 1 failed, 1 inconclusive\n"), "{summary}");
    let outcomes: Vec<&str> =
        summary.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()).collect();
    let rows = ["outcome", "---", "failed", "inconclusive", "passed", "passed", "passed", "passed"];
    assert_eq!(outcomes, rows);
}

#[test]
fn a_summary_that_would_be_too_large_is_cut_at_a_row() {
    const LARGEST: usize = 1 << 20;
    let place = Workspace::new(&[("a.toml", &*FAILS), ("b.toml", &*FAILS)]);
    let rows_beside = |taken: usize| {
        fs::write(place.summary(), "x".repeat(taken - 1) + "\n").unwrap();
        assert_eq!(place.run().0, 1);
        let summary = fs::read_to_string(place.summary()).unwrap();
        assert!(summary.len() <= LARGEST);
        let added = &summary[taken..];
        let rows: Vec<&str> = added.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
        assert!(rows.iter().all(|row| row.ends_with(" |")));
        let said = added.lines().find(|line| line.contains("left out")).map(str::to_owned);
        (rows.len(), said, added.len())
    };
    let (all, said, length) = rows_beside(1);
    assert_eq!((all, said), (4, None));
    let (some, said, _) = rows_beside(LARGEST - length);
    assert!((1..4).contains(&some), "{some}");
    assert!(said.unwrap().starts_with(&format!("{} more claims are left out", 4 - some)));
    assert_eq!(rows_beside(LARGEST - 100), (0, None, 0));
}

#[test]
fn a_summary_that_cannot_be_written_is_told() {
    let place = Workspace::new(&[("fails.toml", &*FAILS)]);
    let output = place
        .command(place.0.path())
        .env("GITHUB_STEP_SUMMARY", place.0.path())
        .arg("checks")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: /"));
}
