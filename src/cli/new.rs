//! `itocheck new`.

use super::key::Key;
use super::wrap::wrap;
use super::{complain, exit, print};
use askama::Template;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Arguments of `itocheck new`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The optimizer.
    #[arg(value_parser = optimizers())]
    optimizer: Choice,
    /// Where to write the scenario; standard output unless given.
    file: Option<PathBuf>,
}

/// An optimizer by its name.
#[derive(Clone, Debug)]
struct Choice {
    name: String,
    /// How a scenario says so: with 1 for every parameter that has no default.
    assignment: String,
}

impl Choice {
    fn of(optimizer: &Key) -> Self {
        let name = optimizer.name.clone();
        let needed = optimizer.keys.iter().filter(|key| !key.optional);
        let values: Vec<String> = needed.map(|key| format!("{} = 1.0", key.name)).collect();
        let assignment = if values.is_empty() {
            format!("optimizer = \"{name}\"")
        } else {
            format!("optimizer.{name} = {{ {} }}", values.join(", "))
        };
        Self { name, assignment }
    }

    /// An optimizer with a memory, as those with parameters are, has a momentum that its first steps hardly spread: its deviations are no
    /// scale for the error of order η there.
    fn margin(&self) -> &'static str {
        if self.assignment.contains('{') { "{ constant = 5.0 }" } else { "{ effect = 0.1 }" }
    }

    fn compresses(&self) -> bool {
        self.name == "dcsgd"
    }
}

/// Reads one of the optimizers that scenarios can name.
fn optimizers() -> impl TypedValueParser<Value = Choice> {
    let scenario = Key::scenario();
    let known: Vec<Key> =
        scenario.keys.into_iter().find(|key| key.name == "optimizer").map_or(Vec::new(), |key| key.names);
    let value = |key: &Key| PossibleValue::new(key.name.clone()).help(key.about.clone());
    let values: Vec<PossibleValue> = known.iter().map(value).collect();
    let choices: Vec<Choice> = known.iter().map(Choice::of).collect();
    PossibleValuesParser::new(values).map(move |name| {
        let chosen = choices.iter().find(|choice| choice.name == name);
        chosen.expect("a possible value is one of the choices").clone()
    })
}

#[derive(Template)]
#[template(path = "new.toml", escape = "none")]
struct Scenario<'a> {
    choice: &'a Choice,
    keys: Key,
}

impl Scenario<'_> {
    /// What the key at `path` means, its default, and the names that its value can have, as comments.
    fn about(&self, path: &str) -> askama::Result<String> {
        let key = self.keys.at(path).ok_or_else(|| askama::Error::custom(format!("no key {path}")))?;
        let mut comments = wrap(&key.about, "# ", "# ");
        if let Some(default) = &key.default {
            comments += &wrap(&format!("Default: {default}"), "# ", "# ");
        }
        for name in &key.names {
            comments += &wrap(&format!("{}: {}", name.form(), name.about), "#   ", "#       ");
        }
        Ok(comments)
    }
}

/// Writes a scenario and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let Arguments { optimizer, file } = arguments;
    let scenario = match (Scenario { choice: optimizer, keys: Key::scenario() }).render() {
        // askama drops the newline at the end of a template.
        Ok(scenario) => scenario + "\n",
        Err(error) => {
            complain(error);
            return exit::MACHINE;
        }
    };
    let Some(file) = file else { return print(&scenario) };
    match write_new(file, scenario.as_bytes()) {
        Ok(()) => exit::AS_EXPECTED,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            complain(format_args!("{}: exists already; expected the name of a new file", file.display()));
            exit::WRONG_INPUT
        }
        Err(error) => {
            complain(format_args!("{}: {error}", file.display()));
            exit::MACHINE
        }
    }
}

/// Writes a file that must not exist yet, whole or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes).and_then(|()| file.sync_data()).inspect_err(|_| {
        // That what was begun cannot be removed either adds nothing to the error.
        let _ = fs::remove_file(path);
    })
}
