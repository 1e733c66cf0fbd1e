//! `itocheck new`, `list`, `schema` and `completions`; colours; and what happens to standard output.

mod common;

use itocheck::scenario::{Overrides, check};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A scenario that is decided in a moment, with a bounded test function.
fn good() -> String {
    common::GOOD
        .replace("\nobjective", "\nfunctions = [{ tanh = { coordinate = 0, scale = 1.0 } }]\nobjective")
}

fn itocheck() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("itocheck"))
}

/// Exit code, standard output and standard error.
fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What a call that succeeds prints.
fn printed(arguments: &[&str]) -> String {
    let (code, out, err) = outcome(itocheck().args(arguments));
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    out
}

fn schema(file: &str) -> Value {
    serde_json::from_str(&printed(&["schema", file])).unwrap()
}

fn validator(file: &str) -> Validator {
    jsonschema::draft202012::new(&schema(file)).unwrap()
}

fn is_read(scenario: &str) -> bool {
    check(Path::new("test.toml"), scenario.to_owned(), Overrides::default()).is_ok()
}

fn to_json(scenario: &str) -> Value {
    serde_json::to_value(scenario.parse::<toml::Table>().unwrap()).unwrap()
}

/// Every `.toml` file below the folder of scenarios.
fn scenario_files() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn schemas_are_schemas() {
    for file in ["scenario", "report", "mutants"] {
        let schema = schema(file);
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], format!("urn:itocheck:{file}:1"));
    }
    assert_eq!(printed(&["schema"]), printed(&["schema", "scenario"]));
    assert!(!printed(&["schema"]).contains("null"), "TOML has no null");
}

#[test]
fn every_scenario_satisfies_the_schema() {
    let validator = validator("scenario");
    let files = scenario_files();
    assert!(!files.is_empty());
    for file in files {
        let scenario = to_json(&fs::read_to_string(&file).unwrap());
        if let Err(error) = validator.validate(&scenario) {
            panic!("{}: {}: {error}", file.display(), error.instance_path());
        }
    }
}

/// What is replaced in the good scenario, and by what: other right ones, with every kind of value.
const RIGHT: [(&str, &str); 9] = [
    ("title", "source = \"Theorem 1\"\ntitle"),
    ("[0.5, 2.0]", "{ from = 1, to = 2, count = 2 }"),
    ("eigenvalues = [0.5, 2.0]", "matrix = [[1, 0], [0, 1]], minimiser = [0, 0.5]"),
    ("scale = 1.0 }\ncomp", "scale = [1, 2.5] }\ngradient_offset = 0\ncomp"),
    ("gaussian = { scale = 1.0 }", "student_t = { scale = 1, dof = 9 }"),
    ("start = 0.3", "start = [0, 0.3]\ndomain = { radius = 9 }"),
    ("effect = 0.3 }", "constant = 2 }\nexpect = \"refuted\""),
    (
        "[[claims]]",
        "[sde]\nform = \"general\"\nscheme = \"euler_maruyama\"\nmutant = \"agents_lost\"\n[[claims]]",
    ),
    ("[[claims]]", "[monte_carlo]\nseed = 1\nseeds = 512\nmax_seeds = 1024\nerror_rate = 1e-3\n[[claims]]"),
];

/// The same for wrong ones.
const WRONG: [(&str, &str); 38] = [
    // Unknown keys.
    ("title", "subtitle = \"\"\ntitle"),
    ("[0.5, 2.0]", "{ from = 1, to = 2, count = 2, step = 1 }"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = [0.5, 2.0], condition = 4"),
    ("coordinate = 0", "coordinate = 0, shift = 1"),
    ("count = 2", "count = 2\nbatch = 1"),
    ("{ scale = 1.0 }\ncomp", "{ scale = 1.0, dof = 3 }\ncomp"),
    ("{ k = 1 }", "{ k = 1, probability = 0.5 }"),
    ("gaussian = { scale = 1.0 }", "none = { scale = 1.0 }"),
    ("steps = 20", "steps = 20\nstop = 20"),
    ("start = 0.3", "start = 0.3\ndomain = { radius = 9, centre = 0 }"),
    ("[[claims]]", "[sde]\nsteps = 4\n[[claims]]"),
    ("[[claims]]", "[monte_carlo]\npaths = 4\n[[claims]]"),
    ("effect = 0.3 }", "effect = 0.3 }\nlevel = 0.1"),
    // Wrong types.
    ("title = \"t\"", "title = 1"),
    ("count = 2", "count = \"two\""),
    ("count = 2", "count = 2.5"),
    ("count = 2", "count = -2"),
    ("eigenvalues = [0.5, 2.0]", "eigenvalues = 0.5"),
    ("eigenvalues = [0.5, 2.0]", "matrix = [1, 1]"),
    ("start = 0.3", "start = \"0\""),
    ("start = 0.3", "start = [0, \"0\"]"),
    ("start = 0.3", "start = { x = 0 }"),
    ("{ effect = 0.3 }", "0.3"),
    // Two kinds, or none.
    ("[claims.trajectory]", "coefficients = {}\n[claims.trajectory]"),
    ("[claims.trajectory]\nmargin = { effect = 0.3 }", ""),
    ("effect = 0.3", "effect = 0.3, absolute = 0.1"),
    ("effect = 0.3", ""),
    ("noise.gaussian", "noise.none = {}\nnoise.gaussian"),
    ("objective.quadratic", "objective.rosenbrock = {}\nobjective.quadratic"),
    // Unknown names.
    ("\"dcsgd\"", "\"adam\""),
    ("rand_k = { k = 1 }", "rank_k = { k = 1 }"),
    ("effect = 0.3 }", "effect = 0.3 }\nexpect = \"undecided\""),
    ("[[claims]]", "[sde]\nmutant = \"none\"\n[[claims]]"),
    // Missing keys.
    ("title = \"t\"\n", ""),
    ("steps = 20\n", ""),
    ("{ k = 1 }", "{}"),
    ("margin = { effect = 0.3 }", ""),
    ("noise.gaussian = { scale = 1.0 }\n", ""),
];

#[test]
fn the_schema_and_the_parser_refuse_the_same() {
    let validator = validator("scenario");
    let satisfies = |text: &str| validator.is_valid(&to_json(text));
    assert!(is_read(&good()) && satisfies(&good()));
    for (from, to) in RIGHT {
        let text = good().replacen(from, to, 1);
        assert!(text != good() && is_read(&text) && satisfies(&text), "{text}");
    }
    for (from, to) in WRONG {
        let text = good().replacen(from, to, 1);
        assert!(text != good() && !is_read(&text), "the parser accepts\n{text}");
        assert!(!satisfies(&text), "the schema accepts\n{text}");
    }
}

#[test]
fn reports_satisfy_their_schema() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("good.toml"), good()).unwrap();
    let run = ["run", "good.toml", "--seeds", "512", "--max-seeds", "512"];
    outcome(itocheck().current_dir(place.path()).args(run));
    let text = fs::read_to_string(place.path().join("itocheck-out/good/report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(report["moments"].is_object() && report["claims"][0]["worst"].is_object());
    let validator = validator("report");
    validator.validate(&report).unwrap();
    for (pointer, wrong) in [
        ("/schema", json!("itocheck/report/2")),
        ("/outcome", json!("perhaps")),
        ("/claims/0/verdict", json!(true)),
        ("/claims/0/worst/interval", json!([1.0])),
        ("/moments/gap/interval/0/1", json!([1.0, 2.0, 3.0])),
        ("/provenance", json!({})),
    ] {
        let mut spoilt = report.clone();
        *spoilt.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&spoilt), "{pointer}");
    }
}

/// The schemas that stand directly in a schema, with the keys of properties.
fn parts(schema: &Value) -> Vec<(Option<&str>, &Value)> {
    let mut parts: Vec<(Option<&str>, &Value)> = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        parts.push((Some(name), property));
    }
    for keyword in ["oneOf", "anyOf"] {
        parts.extend(schema[keyword].as_array().into_iter().flatten().map(|part| (None, part)));
    }
    parts.extend(schema.get("items").map(|items| (None, items)));
    parts
}

/// Every key and every name below a schema.
fn words(schema: &Value, found: &mut BTreeSet<String>) {
    found.extend(schema["const"].as_str().map(str::to_owned));
    for (name, part) in parts(schema) {
        found.extend(name.map(str::to_owned));
        words(part, found);
    }
}

/// Keys and names that no doc comment explains.
fn unexplained(schema: &Value, found: &mut Vec<String>) {
    let is_said = |schema: &Value| schema["description"].as_str().is_some_and(|text| !text.is_empty());
    if !is_said(schema) {
        found.extend(schema["const"].as_str().map(str::to_owned));
    }
    let only_key = schema["properties"].as_object().is_some_and(|keys| keys.len() == 1);
    for (name, part) in parts(schema) {
        // What stands above a table of one key, a name of a family, explains that name.
        let is_said_above = only_key && is_said(schema);
        if !is_said(part) && !is_said_above {
            found.extend(name.map(str::to_owned));
        }
        unexplained(part, found);
    }
}

#[test]
fn every_key_and_name_is_explained() {
    for file in ["scenario", "report", "mutants"] {
        let mut schema = schema(file);
        let mut found = Vec::new();
        unexplained(&schema, &mut found);
        assert_eq!(found, [""; 0], "{file}");
        let (name, _) = schema["properties"].as_object().unwrap().iter().next().unwrap();
        let (name, pointer) = (name.clone(), format!("/properties/{name}/description"));
        *schema.pointer_mut(&pointer).unwrap() = "".into();
        unexplained(&schema, &mut found);
        assert_eq!(found, [name], "{file}");
    }
}

/// The names of every kind, from the schema.
fn names(pointer: &str) -> Vec<String> {
    let schema = schema("scenario");
    let alternatives = schema.pointer(pointer).unwrap().as_array().unwrap();
    let name = |alternative: &Value| match alternative["const"].as_str() {
        Some(name) => name.to_owned(),
        None => alternative["required"][0].as_str().unwrap().to_owned(),
    };
    alternatives.iter().map(name).collect()
}

fn optimizers() -> Vec<String> {
    let names = names("/properties/optimizer/oneOf");
    assert!(names.contains(&"dsgd".to_owned()));
    names
}

/// The words in backticks of a piece of Markdown, math and numbers left out.
fn quoted_words(markdown: &str) -> BTreeSet<String> {
    let code = markdown.split('`').skip(1).step_by(2);
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    let words = code.flat_map(|code| code.split(word));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned).collect()
}

/// Keys and names of the schema that the page lacks, and keys and names of the page that the schema lacks.
fn differences(page: &str, schema: &Value) -> (Vec<String>, Vec<String>) {
    let sections: Vec<(BTreeSet<String>, &str)> = page
        .split("\n## ")
        .skip(1)
        .map(|section| (quoted_words(section.lines().next().unwrap()), section))
        .collect();
    let (mut missing, mut surplus) = (Vec::new(), Vec::new());
    for (key, part) in schema["properties"].as_object().unwrap() {
        // A key without a section of its own stands in the first one.
        let own = sections.iter().find(|(title, _)| title.contains(key));
        let section = own.unwrap_or(&sections[0]).1;
        let said = quoted_words(&section.replace("```", ""));
        let mut known = BTreeSet::from([key.clone()]);
        words(part, &mut known);
        // "2" is a number to `quoted_words`.
        known.retain(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
        missing.extend(known.difference(&said).map(|word| format!("{key}: {word}")));
    }
    let mut known = BTreeSet::new();
    words(schema, &mut known);
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let said = quoted_words(cells[0]).into_iter().chain(quoted_words(cells[1]));
        surplus.extend(said.filter(|word| !known.contains(word)));
    }
    (missing, surplus)
}

#[test]
fn the_page_on_scenarios_has_the_keys_of_the_schema() {
    let page = include_str!("../docs/scenarios.md");
    let schema = schema("scenario");
    assert_eq!(differences(page, &schema), (vec![], vec![]));
    // A page that forgets a key, and one that makes one up, are found out.
    let forgetful = page.replace("`batch_size`", "the batch");
    assert_eq!(differences(&forgetful, &schema), (vec!["agents: batch_size".to_owned()], vec![]));
    let inventive = page.replace("| `records` |", "| `records`, `momentum` |");
    assert_eq!(differences(&inventive, &schema), (vec![], vec!["momentum".to_owned()]));
}

/// The topics of `itocheck list`, and where their names stand in the schema.
const TOPICS: [(&str, &str); 7] = [
    ("objectives", "/properties/objective/oneOf"),
    ("noises", "/properties/agents/items/properties/noise/oneOf"),
    ("compressors", "/properties/agents/items/properties/compressor/oneOf"),
    ("optimizers", "/properties/optimizer/oneOf"),
    ("claims", "/properties/claims/items/oneOf"),
    ("mutants", "/properties/sde/properties/mutant/oneOf"),
    ("functions", "/properties/functions/items/oneOf"),
];

#[test]
fn lists_have_every_name_with_what_it_means() {
    let mut all = Vec::new();
    for (topic, pointer) in TOPICS {
        let text = printed(&["list", topic]);
        let lines: Vec<&str> = text.lines().collect();
        let is_name = |line: &str| line.starts_with("  ") && !line.starts_with("   ");
        let listed: Vec<&str> = lines.iter().filter(|line| is_name(line)).map(|line| line.trim()).collect();
        assert_eq!(listed, names(pointer), "{topic}");
        for pair in lines.windows(2).filter(|pair| is_name(pair[0])) {
            assert!(pair[1].starts_with("    ") && !pair[1].trim().is_empty(), "{pair:?}");
        }
        for line in lines {
            assert!(line.chars().count() <= 100 && !line.ends_with(' '), "{line}");
            assert!(!line.contains(['`', '\x1b']), "{line}");
        }
        all.push(text);
    }
    assert_eq!(printed(&["list"]), all.join("\n"));
    let noises = printed(&["list", "noises"]);
    for line in [
        "  student_t",
        "    g = ∇f_i(x) + (S/√B) t_ν with diagonal S",
        "      dof: number",
        "          ν, the",
    ] {
        assert!(noises.contains(&format!("\n{line}")), "{line} is not in\n{noises}");
    }
    let claims = printed(&["list", "claims"]);
    assert!(claims.contains("      margin: number, default 0.05\n"), "{claims}");
    assert!(claims.contains("      margin: { effect }, { absolute } or { constant }\n"), "{claims}");
    let (code, _, err) = outcome(itocheck().args(["list", "learners"]));
    assert!(code == 2 && err.contains("objectives, noises"), "{err}");
}

#[test]
fn new_scenarios_explain_every_key_and_pass() {
    let place = TempDir::new().unwrap();
    let schema = schema("scenario");
    for optimizer in optimizers() {
        let text = printed(&["new", &optimizer]);
        let scenario: toml::Table = text.parse().unwrap();
        assert_eq!(scenario["optimizer"].as_str(), Some(&*optimizer));
        for key in schema["properties"].as_object().unwrap().keys() {
            assert!(scenario.contains_key(key), "{key} is not in\n{text}");
        }
        let compresses = is_read(&good().replace("\"dcsgd\"", &format!("\"{optimizer}\"")));
        for table in ["agents/items", "run", "sde", "monte_carlo"] {
            let keys =
                schema.pointer(&format!("/properties/{table}/properties")).unwrap().as_object().unwrap();
            for key in keys.keys().filter(|key| compresses || *key != "compressor") {
                let gives =
                    |line: &str| line.trim_start_matches("# ").starts_with(&**key) && line.contains('=');
                assert!(text.lines().any(gives), "{table}: {key} is not in\n{text}");
            }
        }
        assert_eq!(text.contains("\ncompressor."), compresses);
        assert!(text.lines().all(|line| line.chars().count() <= 100));
        // Behind every empty line stands a comment, and behind comments a key.
        let blocks = text.split("\n\n").skip(1);
        assert!(blocks.clone().count() > 20);
        for block in blocks {
            assert!(block.starts_with("# ") || block.starts_with("[[claims]]"), "{block}");
        }

        let file = format!("{optimizer}.toml");
        let new = ["new", &*optimizer, &*file];
        assert_eq!(
            outcome(itocheck().current_dir(place.path()).args(new)),
            (0, String::new(), String::new())
        );
        assert_eq!(fs::read_to_string(place.path().join(&file)).unwrap(), text);
        let (code, out, err) = outcome(itocheck().current_dir(place.path()).args(["run", &file]));
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains(&format!("ok   {optimizer}: trajectory upheld")), "{out}");
    }
}

#[test]
fn new_overwrites_nothing() {
    let place = TempDir::new().unwrap();
    let new = |arguments: &[&str]| outcome(itocheck().current_dir(place.path()).arg("new").args(arguments));
    fs::write(place.path().join("mine.toml"), "mine").unwrap();
    let error = "error: mine.toml: exists already; expected the name of a new file\n";
    assert_eq!(new(&["dsgd", "mine.toml"]), (2, String::new(), error.to_owned()));
    assert_eq!(fs::read_to_string(place.path().join("mine.toml")).unwrap(), "mine");
    let (code, out, err) = new(&["adam", "other.toml"]);
    assert!(code == 2 && out.is_empty() && err.contains("dsgd, dcsgd, dsignsgd"), "{err}");
    assert!(!place.path().join("other.toml").exists());
    // A file is no folder.
    let (code, out, err) = new(&["dsgd", "mine.toml/below"]);
    assert!(code == 4 && out.is_empty() && err.starts_with("error: mine.toml/below: "), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[cfg(unix)]
#[test]
fn new_leaves_nothing_where_nothing_fits() {
    let place = TempDir::new().unwrap();
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" new dsgd full.toml";
    let program = itocheck().get_program().to_owned();
    let (code, _, err) =
        outcome(Command::new("sh").current_dir(place.path()).args(["-c", script]).arg(program));
    assert!(code == 4 && err.starts_with("error: full.toml: ") && err.lines().count() == 1, "{code}: {err}");
    assert!(!place.path().join("full.toml").exists());
}

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
    let undecided = good().replace("effect = 0.3", "effect = 0.001");
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

#[test]
fn the_page_on_the_command_line_has_every_subcommand() {
    let page = include_str!("../docs/command-line.md");
    let help = printed(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"run") && names.contains(&"list"), "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(page.contains(&format!("\n## `itocheck {name}")), "{name}");
    }
    for example in page.lines().filter_map(|line| line.strip_prefix("itocheck ")) {
        let words: Vec<&str> = example.split(" #").next().unwrap().split_whitespace().collect();
        if !words.iter().any(|word| ["run", "golden", "plot", ">"].contains(word) || word.ends_with(".toml"))
        {
            printed(&words);
        }
    }
}
