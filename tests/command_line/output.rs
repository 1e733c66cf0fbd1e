//! Completions, colours, and what happens to standard output.

use super::{good, itocheck, outcome, printed};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

#[test]
fn completions_are_scripts() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        for word in ["itocheck", "completions", "max-seeds"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        // The others know no values of arguments.
        if ["bash", "zsh"].contains(&shell) {
            assert!(script.contains("dsignsgd") && script.contains("mutants"), "{shell}");
        }
    }
    let Ok(mut bash) = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn() else {
        eprintln!("skipped: there is no bash to read its completions");
        return;
    };
    bash.stdin.take().unwrap().write_all(printed(&["completions", "bash"]).as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
    assert_eq!(outcome(itocheck().args(["completions", "csh"])).0, 2);
}

/// What a run of a claim of each outcome writes to a terminal, with the environment `variables` besides
/// those that set colours; none without util-linux.
fn on_a_terminal(place: &Path, variables: &[(&str, &str)]) -> Option<String> {
    let program = itocheck().get_program().to_owned();
    let run = format!("'{}' run . --max-seeds 4096", program.to_str().unwrap());
    let mut script = Command::new("script");
    script.current_dir(place).args(["-qec", &run, "/dev/null"]).stdin(Stdio::null());
    for unset in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        script.env_remove(unset);
    }
    script.env("TERM", "xterm").envs(variables.iter().copied());
    let Ok(output) = script.output() else {
        eprintln!("skipped: there is no `script` of util-linux to make a terminal");
        return None;
    };
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Whether a text has an escape that sets colours or weights: `ESC [ .. m`.
fn has_colour(text: &str) -> bool {
    text.split("\x1b[")
        .skip(1)
        .any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let place = TempDir::new().unwrap();
    let wrong = good().replace("[[claims]]", "[sde]\nmutant = \"no_compression_noise\"\n[[claims]]");
    let undecided = good().replace("effect = 0.3", "effect = 0.001") + "[monte_carlo]\nshadow = \"off\"\n";
    for (name, text) in [("good", &good()), ("wrong", &wrong), ("undecided", &undecided)] {
        fs::write(place.path().join(name).with_extension("toml"), text).unwrap();
    }
    let Some(text) = on_a_terminal(place.path(), &[]) else { return };
    for mark in [
        "\x1b[34mok  \x1b[0m good: trajectory upheld",
        "\x1b[1m\x1b[31mFAIL\x1b[0m wrong: trajectory refuted",
        "\x1b[33m??  \x1b[0m undecided: trajectory inconclusive",
        "[1/3] good \x1b[34m",
    ] {
        assert!(text.contains(mark), "{mark:?} is not in {text:?}");
    }
    // The convention: only a value that is not empty counts.
    assert!(on_a_terminal(place.path(), &[("NO_COLOR", "")]).unwrap().contains("\x1b[34mok"));
    for variables in
        [&[("NO_COLOR", "1")][..], &[("NO_COLOR", "no"), ("CLICOLOR_FORCE", "1")], &[("TERM", "dumb")]]
    {
        let text = on_a_terminal(place.path(), variables).unwrap();
        assert!(text.contains("ok   good: trajectory") && text.contains("FAIL wrong"), "{text:?}");
        // A dumb terminal gets no bar.
        assert!(text.contains("[1/3] good") || variables == [("TERM", "dumb")], "{text:?}");
        assert!(!has_colour(&text), "{variables:?}: {text:?}");
    }
    let (_, out, _) = outcome(itocheck().current_dir(place.path()).args(["run", "good.toml"]));
    assert!(out.contains("ok   good") && !out.contains('\x1b'), "{out:?}");
}

/// Every way to print on standard output.
const PRINTING: [&[&str]; 9] = [
    &["new", "dsgd"],
    &["list"],
    &["schema"],
    &["schema", "report"],
    &["completions", "fish"],
    &["--help"],
    &["help", "run"],
    &["--version"],
    &["run", "good.toml"],
];

/// Calls everything that prints with the standard output that `open` opens; the complaints.
fn complaints(open: impl Fn() -> Stdio) -> BTreeSet<String> {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("good.toml"), good()).unwrap();
    let complaint = |arguments: &&[&str]| {
        let call = itocheck()
            .current_dir(place.path())
            .args(*arguments)
            .stdout(open())
            .stderr(Stdio::piped())
            .spawn();
        let output = call.unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    PRINTING.iter().map(complaint).collect()
}

#[test]
fn a_closed_standard_output_is_said_once() {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer.into()
    };
    let expected = "error: standard output: Broken pipe (os error 32)\n";
    assert_eq!(complaints(closed), BTreeSet::from([expected.to_owned()]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_said_once() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let expected = "error: standard output: No space left on device (os error 28)\n";
    assert_eq!(complaints(|| full().into()), BTreeSet::from([expected.to_owned()]));
    // Where not even that can be said, the exit code is left.
    let status = itocheck().arg("list").stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(4));
}
