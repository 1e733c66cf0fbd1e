//! `itocheck schema`: JSON Schemas, generated from the types that are read and written.

use crate::kill_matrix::KillMatrix;
use crate::report::Report;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// Arguments of `itocheck schema`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Of which file.
    #[arg(value_enum, default_value = "scenario")]
    file: File,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum File {
    /// Scenario files, as `itocheck run` reads them.
    Scenario,
    /// `report.json`, as `itocheck run` writes it.
    Report,
    /// `mutants.json`, as `itocheck mutants --out` writes it.
    Mutants,
}

/// Prints a schema and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let schema = match arguments.file {
        File::Scenario => scenario(),
        File::Report => report::<Report>("report"),
        File::Mutants => report::<KillMatrix>("mutants"),
    };
    super::print(&format!("{schema:#}\n"))
}

/// The schema of scenario files.
pub fn scenario() -> Value {
    named(crate::scenario::schema(), "scenario")
}

fn report<T: JsonSchema>(name: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    named(settings.into_generator().into_root_schema_for::<T>(), name)
}

fn named(mut schema: Schema, name: &str) -> Value {
    RecursiveTransform(tidy).transform(&mut schema);
    schema.insert("$id".to_owned(), format!("urn:itocheck:{name}:1").into());
    schema.insert("title".to_owned(), format!("itocheck {name}").into());
    schema.to_value()
}

/// A doc comment is one text, whatever its lines; formats such as `uint` are no part of the standard.
fn tidy(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}
