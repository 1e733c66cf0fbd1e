//! Commands in the README and in `docs/` do what they say; what is compiled into the program is in its package.

mod common;

use common::{GOOD, itocheck};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Commands that are not run, and why. What cargo runs cannot run inside of a test of cargo's; files that they name must exist.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo run --release -- run scenarios", "a minute; every scenario is run by tests/scenarios.rs"),
    ("cargo test --release", "this is one of its tests"),
    ("taskset -c 0 cargo bench --bench peers", "measures for minutes, on an idle core"),
    ("itocheck run scenarios --filter dcsgd --quiet", "half a minute; tests/scenarios.rs runs them"),
    ("itocheck plan scenarios --filter saddle", "a rehearsal of sampled scenarios"),
    (
        "itocheck golden bless --because \"the first golden outputs\"",
        "all scenarios; tests/golden.rs blesses two",
    ),
    ("itocheck golden check", "all scenarios; .ci/run checks them"),
    ("itocheck mutants scenarios", "ten minutes; tests/mutants.rs has a small folder"),
    ("itocheck mutants scenarios --out matrix", "ten minutes"),
    ("itocheck compare --optimizer sgd.npz --sde sde.npz --margin 0.3", COMPARE),
    ("itocheck compare --optimizer sgd.npz --sde sde.npz --margin 0.3 --out results", COMPARE),
    ("itocheck compare --optimizer sgd.npz --sde sde.npz --out results", COMPARE),
    ("itocheck compare --optimizer sgd.npz --scenario my.toml --out results", COMPARE),
    ("itocheck compare --sde sde.npz --scenario my.toml --out results", COMPARE),
];
const COMPARE: &str = "recorded paths of the reader; tests/compare has some";

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and the pages, by their names.
fn pages() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(house().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files.insert(0, house().join("README.md"));
    let text = |file: PathBuf| (file.display().to_string(), fs::read_to_string(file).unwrap());
    files.into_iter().map(text).collect()
}

/// Lines of the fenced blocks of shell, without comments.
fn commands(page: &str) -> Vec<String> {
    let mut is_inside = false;
    let mut commands = Vec::new();
    for line in page.lines().map(str::trim) {
        if line.starts_with("```") {
            is_inside = matches!(line, "```sh" | "```bash" | "```shell" | "```console");
        } else if is_inside && !line.is_empty() && !line.starts_with('#') {
            commands.push(line.split(" #").next().unwrap().trim_end().to_owned());
        }
    }
    commands
}

/// The words of a command, without quotes, and the file to which its output goes.
fn words(command: &str) -> (Vec<String>, Option<String>) {
    let (command, file) = match command.split_once(" > ") {
        Some((command, file)) => (command, Some(file.to_owned())),
        None => (command, None),
    };
    let parts = command.split('"').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    (words.collect(), file)
}

/// What `itocheck` gets, where the command is one of its.
fn arguments(command: &str) -> Option<Vec<String>> {
    let words = words(command).0;
    let prefixes: [&[&str]; 2] = [&["itocheck"], &["cargo", "run", "--release", "--"]];
    let is_of = |prefix: &&&[&str]| words.iter().zip(prefix.iter()).all(|(word, known)| word == known);
    let prefix = prefixes.iter().filter(|prefix| words.len() > prefix.len()).find(is_of)?;
    Some(words[prefix.len()..].to_vec())
}

fn is_not_run(command: &str) -> bool {
    NOT_RUN.iter().any(|(known, _)| *known == command)
}

/// A reader's folder: scenarios of the house, its golden outputs, and a scenario and a report of their own.
fn reader() -> TempDir {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    for kind in ["scenarios", "golden"] {
        fs::create_dir(root.join(kind)).unwrap();
        for entry in fs::read_dir(house().join(kind)).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                fs::copy(&file, root.join(kind).join(file.file_name().unwrap())).unwrap();
            }
        }
    }
    fs::write(root.join("my.toml"), GOOD).unwrap();
    let run = |arguments: &[&str]| assert_eq!(itocheck(root, arguments).code, 0, "{arguments:?}");
    run(&["run", "my.toml", "--out", "results"]);
    // The page on golden outputs draws from a report of this name.
    fs::create_dir_all(root.join("itocheck-out/dcsgd-saddle")).unwrap();
    fs::copy(root.join("results/my/report.json"), root.join("itocheck-out/dcsgd-saddle/report.json"))
        .unwrap();
    folder
}

#[test]
fn commands_of_the_documentation_do_what_they_say() {
    let mut not_run = BTreeSet::new();
    let mut count = 0;
    for (page, text) in pages() {
        let folder = reader();
        for command in commands(&text) {
            let (_, file) = words(&command);
            let arguments = arguments(&command);
            if is_not_run(&command) {
                if let Some(arguments) = arguments {
                    parses(&arguments);
                }
                not_run.insert(command);
                continue;
            }
            let Some(arguments) = arguments else { panic!("{page}: neither run nor listed: {command}") };
            // `new` overwrites nothing.
            if arguments[0] == "new" {
                fs::remove_file(folder.path().join(&arguments[2])).unwrap();
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let called = itocheck(folder.path(), &arguments);
            assert_eq!(called.code, 0, "{page}: {command}\n{}{}", called.out, called.err);
            if let Some(file) = file {
                assert!(!file.is_empty() && !called.out.is_empty(), "{page}: {command}");
            }
            for (option, file) in arguments.iter().zip(arguments.iter().skip(1)) {
                assert!(*option != "--out" || folder.path().join(file).exists(), "{page}: {command}");
            }
            count += 1;
        }
    }
    assert!(count >= 15, "{count}");
    let listed = NOT_RUN.iter().map(|(command, _)| *command);
    let stale: Vec<&str> = listed.filter(|command| !not_run.contains(*command)).collect();
    assert!(stale.is_empty(), "listed, but in no page: {stale:?}");
}

/// A command line is read before anything is run, so that an option that is no option is refused by its name; `--help` behind it
/// then prints help in place of a run.
fn parses(arguments: &[String]) {
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for word in words.iter().filter(|word| word.starts_with("scenarios")) {
        assert!(house().join(word).exists(), "{arguments:?}");
    }
    let subcommands = if words[0] == "golden" { 2 } else { 1 };
    let options: Vec<&str> = words.iter().filter(|word| word.starts_with("--")).copied().collect();
    words.truncate(subcommands);
    words.push("--help");
    let help = itocheck(house(), &words);
    assert_eq!(help.code, 0, "{arguments:?}");
    for option in options {
        assert!(
            help.out.contains(&format!("{option} ")) || help.out.contains(&format!("{option}\n")),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_command_that_is_neither_run_nor_listed_is_found() {
    let page = "```sh\nitocheck run my.toml   # why\nrm -r x\n```\n```text\nno command\n```\n";
    assert_eq!(commands(page), ["itocheck run my.toml", "rm -r x"]);
    assert_eq!(arguments("rm -r x"), None);
    assert!(!is_not_run("rm -r x"));
    let (words, file) = words("itocheck plot r --function \"x[0] x\" > f.csv");
    assert_eq!((words.last().unwrap().as_str(), file.as_deref()), ("x[0] x", Some("f.csv")));
    assert_eq!(arguments("cargo run --release -- run scenarios").unwrap(), ["run", "scenarios"]);
}

/// Files that sources include, relative to the house.
fn included(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            included(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for name in text.split("include_str!(\"").skip(1).chain(text.split("include_bytes!(\"").skip(1)) {
                let file = folder.join(name.split('"').next().unwrap());
                found.insert(file.canonicalize().unwrap().strip_prefix(house()).unwrap().to_owned());
            }
            for name in text.split("#[template(path = \"").skip(1) {
                let file = folder.join(name.split('"').next().unwrap());
                found.insert(file.canonicalize().unwrap().strip_prefix(house()).unwrap().to_owned());
            }
        }
    }
}

#[test]
fn the_package_has_every_file_that_is_compiled_in_and_no_outputs() {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(house())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).unwrap();
    let packaged: BTreeSet<&Path> = list.lines().map(Path::new).collect();
    let mut files =
        BTreeSet::from(["askama.toml", "LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"].map(PathBuf::from));
    included(&house().join("src"), &mut files);
    for name in ["src/report/index.html", "src/report/index.css", "src/objective/iris.csv"] {
        assert!(files.contains(Path::new(name)), "{name} is not found among {files:?}");
    }
    let missing: Vec<&PathBuf> = files.iter().filter(|file| !packaged.contains(file.as_path())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(
        !packaged
            .iter()
            .any(|file| file.starts_with("golden") || file.extension().is_some_and(|e| e == "png"))
    );
}
