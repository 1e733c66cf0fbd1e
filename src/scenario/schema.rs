//! The JSON Schema of scenario files, generated from the types that are read; and values of a kind that it
//! does not admit.

use super::parse::Scenario;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;
use std::ops::Range;
use std::sync::LazyLock;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The schema.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    // Inlined, each key says what it means where it stands.
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(without_null));
    settings.into_generator().into_root_schema_for::<Scenario>()
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema().to_value());

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

/// A list or a table that stands where there can be none. The reader would take the entries of a list for
/// the keys of a table, in order.
pub(super) struct Misplaced {
    pub path: String,
    pub span: Range<usize>,
    pub message: String,
}

/// The first one in a document.
pub(super) fn misplaced(text: &str) -> Option<Misplaced> {
    let document = DeTable::parse(text).ok()?;
    in_table(document.get_ref(), "", &[&SCHEMA])
}

fn in_table(table: &DeTable, path: &str, schemas: &[&Value]) -> Option<Misplaced> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref().as_ref();
        let below: Vec<&Value> = schemas
            .iter()
            .filter_map(|schema| schema["properties"].get(name))
            .flat_map(alternatives)
            .collect();
        let dot = if path.is_empty() { "" } else { "." };
        if !below.is_empty() {
            return at(value, &format!("{path}{dot}{name}"), &below);
        }
        // What is unknown the reader refuses, but not a name with an empty table for its parameters.
        let is_name = schemas.iter().any(|schema| schema["const"] == name);
        let message = || format!("a table; expected \"{name}\", which has no parameters");
        is_name.then(|| Misplaced { path: path.to_owned(), span: value.span(), message: message() })
    })
}

fn at(value: &Spanned<DeValue>, path: &str, schemas: &[&Value]) -> Option<Misplaced> {
    let admits = |kind: &str| schemas.iter().any(|schema| schema["type"] == kind);
    let any =
        schemas.iter().any(|schema| !schema.as_object().is_some_and(|object| object.contains_key("type")));
    let read = match value.get_ref() {
        DeValue::Table(_) if !any && !admits("object") => "a table",
        DeValue::Array(_) if !any && !admits("array") => "a list",
        DeValue::Datetime(_) if !any => "a date",
        DeValue::Table(table) => return in_table(table, path, schemas),
        DeValue::Array(list) => {
            let entries: Vec<&Value> =
                schemas.iter().filter_map(|schema| schema.get("items")).flat_map(alternatives).collect();
            let entry = |(index, value)| at(value, &format!("{path}[{index}]"), &entries);
            return if entries.is_empty() { None } else { list.iter().enumerate().find_map(entry) };
        }
        _ => return None,
    };
    let is_header = read == "a table" && admits("array");
    let hint = if is_header { ", each entry under [[..]]" } else { "" };
    let message = format!("{read}; expected {}{hint}", wanted(schemas));
    Some(Misplaced { path: path.to_owned(), span: value.span(), message })
}

/// The schemas of which a value must satisfy one.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let listed = ["anyOf", "oneOf"].into_iter().filter_map(|keyword| schema[keyword].as_array()).flatten();
    let listed: Vec<&Value> = listed.flat_map(alternatives).collect();
    // A text of given names is a `const` without a type.
    if listed.is_empty() { vec![schema] } else { listed }
}

/// What the schemas admit, in words.
fn wanted(schemas: &[&Value]) -> String {
    let names: Vec<&str> = schemas
        .iter()
        .filter_map(|schema| schema["properties"].as_object())
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect();
    let list = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let texts: Vec<&str> = schemas.iter().filter_map(|schema| schema["const"].as_str()).collect();
    let mut kinds = Vec::new();
    if !texts.is_empty() {
        kinds.push(format!("one of \"{}\"", texts.join("\", \"")));
    }
    for schema in schemas {
        let kind = match schema["type"].as_str() {
            Some("object") if names.is_empty() => "an empty table".to_owned(),
            Some("object") => format!("a table of {}", list()),
            Some("array") => "a list".to_owned(),
            Some("number") => "a number".to_owned(),
            Some("integer") => "a whole number".to_owned(),
            Some("boolean") => "true or false".to_owned(),
            Some("string") if texts.is_empty() => "text in \"quotes\"".to_owned(),
            _ => continue,
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() { "another value".to_owned() } else { kinds.join(", or ") }
}
