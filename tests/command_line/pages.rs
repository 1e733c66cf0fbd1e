//! Every key is explained, in the schemas and in the pages of docs/.

use super::{printed, schema};
use serde_json::Value;
use std::collections::BTreeSet;

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
    // What it leaves to another page stands there.
    let conclusions = include_str!("../../docs/conclusions.md").replace("\n## ", "\n### ");
    let page = &include_str!("../../docs/scenarios.md").replace("(conclusions.md)", &conclusions);
    let schema = schema("scenario");
    assert_eq!(differences(page, &schema), (vec![], vec![]));
    // A page that forgets a key, and one that makes one up, are found out.
    let forgetful = page.replace("`gradient_offset`", "the offset");
    assert_eq!(differences(&forgetful, &schema), (vec!["agents: gradient_offset".to_owned()], vec![]));
    let inventive = page.replace("| `records` |", "| `records`, `impetus` |");
    assert_eq!(differences(&inventive, &schema), (vec![], vec!["impetus".to_owned()]));
}

#[test]
fn the_page_on_the_command_line_has_every_subcommand() {
    let page = include_str!("../../docs/command-line.md");
    let help = printed(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"run") && names.contains(&"list"), "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(page.contains(&format!("\n## `itocheck {name}")), "{name}");
    }
    for example in page.lines().filter_map(|line| line.strip_prefix("itocheck ")) {
        let words: Vec<&str> = example.split(" #").next().unwrap().split_whitespace().collect();
        if !words
            .iter()
            .any(|word| ["run", "golden", "plot", "compare", ">"].contains(word) || word.ends_with(".toml"))
        {
            printed(&words);
        }
    }
}
