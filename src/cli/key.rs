//! The keys of scenario files as their schema describes them: one source for `list` and `new`.

use super::schema;
use serde_json::Value;

/// A key of scenario files, or a name that its value can have.
pub struct Key {
    /// As scenarios write it.
    pub name: String,
    /// Formula, meaning and range.
    pub about: String,
    /// What kind of value it takes, such as `number`.
    pub takes: String,
    /// Its value where none is given, as TOML.
    pub default: Option<String>,
    /// Whether it can be left out.
    pub optional: bool,
    /// The keys of its value.
    pub keys: Vec<Key>,
    /// The names that its value can have, such as those of noises.
    pub names: Vec<Key>,
}

impl Key {
    /// The scenario as a whole.
    pub fn scenario() -> Self {
        Self::new("", &schema::scenario(), false)
    }

    /// The key at a path such as `agents.noise.gaussian`; that some are lists does not show.
    pub fn at(&self, path: &str) -> Option<&Self> {
        let mut names = path.split('.');
        names.try_fold(self, |key, name| key.keys.iter().chain(&key.names).find(|below| below.name == name))
    }

    /// How a scenario gives it: `name = number`, or the `"name"` alone.
    pub fn form(&self) -> String {
        if self.takes.starts_with('"') {
            self.takes.clone()
        } else {
            format!("{} = {}", self.name, self.takes)
        }
    }

    fn new(name: &str, schema: &Value, optional: bool) -> Self {
        let entry = schema.get("items").unwrap_or(schema);
        Self {
            name: name.to_owned(),
            about: about(schema),
            takes: takes(schema),
            default: schema.get("default").map(Value::to_string),
            optional,
            keys: alternatives(entry, "anyOf").iter().chain([entry]).flat_map(keys).collect(),
            names: alternatives(entry, "oneOf").iter().flat_map(names).collect(),
        }
    }
}

/// The keys of a table.
fn keys(table: &Value) -> impl Iterator<Item = Key> {
    let is_required = |name: &str| alternatives(table, "required").iter().any(|required| required == name);
    properties(table).map(move |(name, schema)| Key::new(name, schema, !is_required(name)))
}

/// The name that an alternative stands for: a text, or the one key of a table.
fn names(alternative: &Value) -> Vec<Key> {
    if let Some(name) = alternative["const"].as_str() {
        return vec![Key::new(name, alternative, false)];
    }
    let mut names: Vec<Key> = keys(alternative).collect();
    if let ([name], Some(_)) = (&mut names[..], alternative.get("description")) {
        name.about = about(alternative);
    }
    names
}

fn about(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('`', "")
}

/// What kind of value satisfies a schema, in words.
fn takes(schema: &Value) -> String {
    let choice = [alternatives(schema, "oneOf"), alternatives(schema, "anyOf")].concat();
    if let [first @ .., last] = &choice[..] {
        let first: Vec<String> = first.iter().map(takes).collect();
        let or = if first.is_empty() { "" } else { " or " };
        return first.join(", ") + or + &takes(last);
    }
    if let Some(text) = schema.get("const") {
        return text.to_string();
    }
    match schema["type"].as_str() {
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("string") => "text".to_owned(),
        Some("array") => format!("list of {}", several(&schema["items"])),
        _ => match properties(schema).map(|(name, _)| name.as_str()).collect::<Vec<_>>() {
            names if names.is_empty() && is_open(schema) => "{ NAME = { .. } }".to_owned(),
            names if names.is_empty() => "{}".to_owned(),
            names => format!("{{ {} }}", names.join(", ")),
        },
    }
}

/// Whether a table may have keys that its schema does not know.
fn is_open(schema: &Value) -> bool {
    schema.get("additionalProperties").is_some_and(|other| *other != Value::Bool(false))
}

/// What kind of values all satisfy a schema, in words.
fn several(schema: &Value) -> String {
    match schema["type"].as_str() {
        Some("number") => "numbers".to_owned(),
        Some("array") => format!("lists of {}", several(&schema["items"])),
        _ => takes(schema),
    }
}

fn alternatives<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema[keyword].as_array().map_or(&[], Vec::as_slice)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}
