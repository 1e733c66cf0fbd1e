//! `itocheck schema`: JSON Schemas, generated from the types that are read and written.

use crate::report::Report;
use crate::scenario::Scenario;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
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
}

/// Prints a schema and returns the exit code.
pub fn run(arguments: &Arguments) -> u8 {
    let schema = match arguments.file {
        File::Scenario => scenario(),
        File::Report => report(),
    };
    super::print(&format!("{schema:#}\n"))
}

/// The schema of scenario files.
pub fn scenario() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    of::<Scenario>(settings.with_transform(RecursiveTransform(without_null)), "scenario")
}

fn report() -> Value {
    of::<Report>(SchemaSettings::draft2020_12().for_serialize(), "report")
}

fn of<T: JsonSchema>(settings: SchemaSettings, name: &str) -> Value {
    // Inlined, each key says what it means where it stands.
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("urn:itocheck:{name}:1").into());
    schema.insert("title".to_owned(), format!("itocheck {name}").into());
    schema.to_value()
}

/// TOML has no null: what is optional is left out.
fn without_null(schema: &mut Schema) {
    let Some(keywords) = schema.as_object_mut() else { return };
    if keywords.get("default").is_some_and(Value::is_null) {
        keywords.remove("default");
    }
    if let Some(types) = keywords.get_mut("type")
        && let Some([only, Value::String(null)]) = types.as_array().map(Vec::as_slice)
        && null == "null"
    {
        *types = only.clone();
    }
    if let Some([Value::Object(only), null]) =
        keywords.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
        && null["type"] == "null"
    {
        let only = only.clone();
        keywords.remove("anyOf");
        for (keyword, value) in only {
            keywords.entry(keyword).or_insert(value);
        }
    }
}

/// A doc comment is one text, whatever its lines; formats such as `uint` are no part of the standard.
fn tidy(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}
