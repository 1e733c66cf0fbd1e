//! What the command line does besides `run`: `new`, `list`, `schema` and `completions`; colours; standard output.

#[path = "../common/mod.rs"]
mod common;

mod lists;
mod new;
mod output;
mod pages;
mod schemas;

use itocheck::scenario::{Overrides, check};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

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

fn is_read(scenario: &str) -> bool {
    check(Path::new("test.toml"), scenario.to_owned(), Overrides::default()).is_ok()
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
