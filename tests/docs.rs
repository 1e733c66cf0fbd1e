//! The documentation is true: commands in it do what they say and print what it shows, links lead somewhere; what is compiled into
//! the program is in its package.

mod common;
#[path = "compare/files.rs"]
#[allow(dead_code)]
mod recorded;

use common::{Called, GOOD, itocheck};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use zip::CompressionMethod;

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
    ("cargo install --locked --path .", "compiles for minutes"),
    ("cargo run --release --example momentum", "cargo test runs what it asserts"),
    ("cargo run --release --features neural -- run my.toml", "compiles another build, for minutes"),
    (
        "cargo run --release --features neural -- run scenarios/neural/long --filter track --out results",
        "compiles another build, and takes minutes",
    ),
    (
        "cargo run --release --features neural -- run scenarios/neural/long --filter scaling --out results",
        "compiles another build, and takes minutes",
    ),
    (
        "cargo run --release --features neural --example networks",
        "compiles another build, and takes half an hour; .ci/run checks the short set",
    ),
    (
        "cargo run --release --features neural -- run scenarios/neural --out results",
        "compiles another build; .ci/run runs them",
    ),
    (
        "cargo run --release --features neural -- run scenarios/neural/long --out results --resume",
        "compiles another build, and takes half an hour",
    ),
    ("cargo run --release --example rmsprop", "cargo test runs what it asserts"),
    (
        "cargo run --release -- golden bless --because \"compressor NAME\" --filter NAME",
        "NAME is the reader's to fill in",
    ),
];

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README, CONTRIBUTING and CHANGELOG, and the pages of the book, by their paths from the house.
fn pages() -> Vec<(PathBuf, String)> {
    let mut files = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from).to_vec();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(house().join(&folder)).unwrap() {
            let file = folder.join(entry.unwrap().file_name());
            if house().join(&file).is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "md") {
                files.push(file);
            }
        }
    }
    files.sort();
    let text = |file: PathBuf| (file.clone(), fs::read_to_string(house().join(file)).unwrap());
    files.into_iter().map(text).collect()
}

/// A fenced block: the word behind the fence, and what stands in it.
struct Block<'a> {
    language: &'a str,
    lines: Vec<&'a str>,
}

/// The blocks of a page, and its other lines.
fn read(page: &str) -> (Vec<Block<'_>>, Vec<&str>) {
    let (mut blocks, mut prose, mut is_inside) = (Vec::<Block>::new(), Vec::new(), false);
    for line in page.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if is_inside => is_inside = false,
            Some(language) => {
                is_inside = true;
                blocks.push(Block { language: language.trim(), lines: Vec::new() });
            }
            None if is_inside => blocks.last_mut().unwrap().lines.push(line),
            None => prose.push(line),
        }
    }
    (blocks, prose)
}

impl Block<'_> {
    /// Commands of a block of shell, without comments.
    fn commands(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|line| line.trim());
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect()
    }

    /// What is wrong with a block that is neither shell nor its output.
    fn complaint(&self) -> Option<String> {
        let text = self.lines.join("\n");
        match self.language {
            "toml" => text.parse::<toml::Table>().err().map(|error| error.to_string()),
            "text" | "python" | "yaml" | "rust" => {
                let command = self.lines.iter().find(|line| {
                    line.trim_start().starts_with("itocheck ") || line.trim_start().starts_with("cargo ")
                });
                command.map(|line| format!("a command that is not in a block of sh: {line}"))
            }
            language => Some(format!(
                "a fence of {language:?}; expected sh, output, toml, text, python, yaml or rust"
            )),
        }
    }
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

/// A reader's folder: scenarios of the house, its golden outputs, a scenario and a report of their own, and recorded paths.
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
    for (file, is_sde) in [("sgd.npz", false), ("sde.npz", true)] {
        let paths = recorded::simulated(1.0, is_sde, 1, 1 << 15);
        recorded::paths(&root.join(file), "<f8", &paths, CompressionMethod::Stored);
    }
    let run = |arguments: &[&str]| assert_eq!(itocheck(root, arguments).code, 0, "{arguments:?}");
    run(&["run", "my.toml", "--out", "results"]);
    // The page on golden outputs draws from a report of this name.
    fs::create_dir_all(root.join("itocheck-out/dcsgd-saddle")).unwrap();
    fs::copy(root.join("results/my/report.json"), root.join("itocheck-out/dcsgd-saddle/report.json"))
        .unwrap();
    folder
}

/// Runs a command in a reader's folder, if it is one to be run; with its standard output.
fn follow(command: &str, folder: &Path) -> Result<Option<String>, String> {
    let arguments = arguments(command);
    if NOT_RUN.iter().any(|(known, _)| *known == command) {
        return arguments.map_or(Ok(None), |arguments| parses(&arguments).map(|()| None));
    }
    let arguments = arguments.ok_or("neither run nor listed")?;
    // `new` overwrites nothing.
    if let [subcommand, _, file] = &arguments[..]
        && subcommand == "new"
    {
        fs::remove_file(folder.join(file)).map_err(|error| error.to_string())?;
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Called { code, out, err } = itocheck(folder, &arguments);
    if code != 0 {
        return Err(format!("exit code {code}\n{out}{err}"));
    }
    if words(command).1.is_some() && out.is_empty() {
        return Err("nothing is printed".to_owned());
    }
    for (option, file) in arguments.iter().zip(arguments.iter().skip(1)) {
        if *option == "--out" && !folder.join(file).exists() {
            return Err(format!("{file} is not written"));
        }
    }
    Ok(Some(out))
}

/// Follows a page from the first block to the last: runs its commands, and finds what it shows of their output. With the
/// commands that are run, and those that are not.
fn follow_page(page: &str) -> Result<[Vec<String>; 2], String> {
    let blocks = read(page).0;
    let (mut run, mut not_run, mut printed) = (Vec::new(), Vec::new(), String::new());
    let folder = blocks.iter().any(|block| block.language == "sh").then(reader);
    for block in &blocks {
        match block.language {
            "sh" => {
                for command in block.commands() {
                    let root = folder.as_ref().unwrap().path();
                    match follow(&command, root).map_err(|reason| format!("{command}: {reason}"))? {
                        Some(out) => {
                            printed = out;
                            run.push(command);
                        }
                        None => not_run.push(command),
                    }
                }
            }
            "output" => {
                let missing = block.lines.iter().find(|line| !printed.lines().any(|known| known == **line));
                if let Some(line) = missing {
                    return Err(format!("not printed: {line}\n{printed}"));
                }
            }
            _ => {
                if let Some(complaint) = block.complaint() {
                    return Err(complaint);
                }
            }
        }
    }
    Ok([run, not_run])
}

#[test]
fn commands_of_the_documentation_do_what_they_say() {
    let (mut run, mut not_run) = (Vec::new(), Vec::new());
    for (file, page) in pages() {
        let [ran, others] =
            follow_page(&page).unwrap_or_else(|reason| panic!("{}: {reason}", file.display()));
        run.extend(ran);
        not_run.extend(others);
    }
    assert!(run.len() >= 20, "{run:?}");
    let listed = NOT_RUN.iter().map(|(command, _)| *command);
    let stale: Vec<&str> = listed.filter(|command| !not_run.iter().any(|known| known == command)).collect();
    assert!(stale.is_empty(), "listed, but in no page: {stale:?}");
}

#[test]
fn a_page_that_is_not_true_is_found_out() {
    let good = "```sh\nitocheck list noises   # why\n```\n```output\n  student_t\n```\n```toml\na = 1\n```\n";
    assert_eq!(follow_page(good).unwrap(), [vec!["itocheck list noises".to_owned()], vec![]]);
    for (from, to, reason) in [
        ("list noises ", "list noise ", "exit code 2"),
        ("list noises ", "lists ", "exit code 2"),
        ("list noises ", "run nowhere.toml ", "exit code 2"),
        ("list noises ", "run scenarios/wrong-dsgd-agents-lost.toml --no-such-option ", "exit code 2"),
        ("itocheck list noises ", "rm -r scenarios ", "neither run nor listed"),
        ("  student_t", "  student_s", "not printed:   student_s"),
        ("```toml\na = 1", "```toml\na = 1 = 2", "TOML parse error"),
        ("```toml\na = 1", "```text\nitocheck list noises", "a command that is not in a block of sh"),
        ("```toml", "```", "a fence of \"\""),
        ("```toml", "```shell", "a fence of \"shell\""),
    ] {
        let page = good.replace(from, to);
        assert_ne!(page, good, "{from}");
        let found = follow_page(&page).expect_err(&page);
        assert!(found.contains(reason), "{reason}: {found}");
    }
    let wrong = ["run", "no-such-folder", "--filter", "dcsgd"].map(str::to_owned);
    assert!(parses(&["run", "scenarios", "--filters", "x"].map(str::to_owned)).is_err());
    assert!(parses(&wrong).is_ok() && parses(&["run", "scenarios/none"].map(str::to_owned)).is_err());
}

#[test]
fn commands_are_split_as_a_shell_does() {
    let (words, file) = words("itocheck plot r --function \"x[0] x\" > f.csv");
    assert_eq!((words.last().unwrap().as_str(), file.as_deref()), ("x[0] x", Some("f.csv")));
    assert_eq!(arguments("cargo run --release -- run scenarios").unwrap(), ["run", "scenarios"]);
    assert_eq!(arguments("rm -r x"), None);
}

/// A command line is read before anything is run, so that an option that is no option is refused by its name; `--help` behind it
/// then prints help in place of a run.
fn parses(arguments: &[String]) -> Result<(), String> {
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for word in words.iter().filter(|word| word.starts_with("scenarios")) {
        if !house().join(word).exists() {
            return Err(format!("there is no {word}"));
        }
    }
    let subcommands = if words[0] == "golden" { 2 } else { 1 };
    let options: Vec<&str> = words.iter().filter(|word| word.starts_with("--")).copied().collect();
    words.truncate(subcommands);
    words.push("--help");
    let help = itocheck(house(), &words);
    if help.code != 0 {
        return Err(help.err);
    }
    let is_known =
        |option: &&&str| [" ", "\n"].iter().any(|end| help.out.contains(&format!("{option}{end}")));
    match options.iter().find(|option| !is_known(option)) {
        Some(option) => Err(format!("no option {option}")),
        None => Ok(()),
    }
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Links of a page that lead nowhere: to a file that is not there, or to a heading that its page has not.
fn broken_links(file: &Path, page: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let prose = read(page).1.join("\n");
    for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if link.contains("://") {
            continue;
        }
        let (target, heading) =
            link.split_once('#').map_or((link, None), |(target, heading)| (target, Some(heading)));
        let text = match target {
            "" => Ok(page.to_owned()),
            target => {
                let target = house().join(file.parent().unwrap()).join(target);
                if heading.is_some() {
                    fs::read_to_string(target)
                } else {
                    fs::metadata(target).map(|_| String::new())
                }
            }
        };
        let has = |heading: &str, text: &str| {
            let headings = read(text).1.into_iter().filter(|line| line.starts_with('#'));
            headings.map(|line| anchor(line.trim_start_matches('#').trim())).any(|known| known == heading)
        };
        if !text.is_ok_and(|text| heading.is_none_or(|heading| has(heading, &text))) {
            broken.push(link.to_owned());
        }
    }
    broken
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let mut count = 0;
    for (file, page) in pages() {
        assert_eq!(broken_links(&file, &page), [] as [&str; 0], "{}", file.display());
        count += page.matches("](").count();
    }
    assert!(count > 100, "{count}");
    let page = "# A *new* title, `x`\n[a](verdicts.md) [b](#a-new-title-x) [c](theory.md#the-recipe) [d](../README.md)\n\
                ![e](nothing.png) [f](theory.md#no-such-heading) [g](#nor-this) [h](https://example.org/x)\n\
                ```text\n[i](nowhere.md)\n```\n";
    let broken = broken_links(Path::new("docs/a.md"), page);
    assert_eq!(broken, ["nothing.png", "theory.md#no-such-heading", "#nor-this"]);
}

#[test]
fn the_table_of_contents_has_every_page() {
    let contents = fs::read_to_string(house().join("docs/README.md")).unwrap();
    for (file, _) in pages().iter().filter(|(file, _)| file.starts_with("docs")) {
        let name = file.strip_prefix("docs").unwrap().display().to_string();
        assert!(name == "README.md" || contents.contains(&format!("]({name})")), "{name}");
    }
}

/// Keys of the tables of a section: the words in quotes in the first cell of each row.
fn keys(page: &str, section: &str) -> BTreeSet<String> {
    let lines =
        page.lines().skip_while(|line| *line != section).skip(1).take_while(|line| !line.starts_with('#'));
    let cells = lines.filter(|line| line.starts_with("| `")).map(|line| line.split(" | ").next().unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_page_on_reports_has_the_keys_of_the_schema() {
    let schema: Value = serde_json::from_str(&itocheck(house(), &["schema", "report"]).out).unwrap();
    let known = |object: &Value| -> BTreeSet<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let page = fs::read_to_string(house().join("docs/reports.md")).unwrap();
    let root = &schema["properties"];
    assert_eq!(keys(&page, "### The whole"), known(&schema));
    assert_eq!(keys(&page, "### `claims[]`"), known(&root["claims"]["items"]));
    assert_eq!(keys(&page, "### `moments`"), known(&root["moments"]));
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
