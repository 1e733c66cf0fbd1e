//! What the TOML reader says of a wrong file, in the words of someone who writes scenarios: the key
//! path, what was read, and what would be right.

use super::parse::Scenario;
use super::span::{Found, find};
use crate::objective::NEURAL;
use serde::Deserialize;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// Longest piece of the file that is quoted, in characters.
const LONGEST_QUOTE: usize = 60;

/// Nested deeper than this, nothing is read.
const DEEPEST: usize = 80;

/// How the reader begins its message where it met a list.
const LIST: &str = "invalid type: sequence";

/// How it begins its message where it met a key that does not exist.
const UNKNOWN_KEY: &str = "unknown field ";

/// What to say of `error`, which reading `text` as a scenario gave, and where.
pub(super) fn reword(text: &str, error: &toml::de::Error) -> (Option<Range<usize>>, String) {
    let message = error.message();
    if message.contains("recursion limit") || message.contains("recursion depth") {
        return too_deep(text, error.span());
    }
    match DeTable::parse(text) {
        Ok(document) => {
            let found = error.span().and_then(|span| find(document.get_ref(), &span));
            let message = of_shape(text, error, found.as_ref().and_then(|found| found.value));
            match found.as_ref().map_or("", |found| path(found, error)) {
                "" => (error.span(), message),
                path => (error.span(), format!("{path}: {message}")),
            }
        }
        Err(_) => (error.span(), of_syntax(text, error)),
    }
}

/// The key path of what is wrong. A list of tables begins where its first table does, and a table that a
/// dotted key begins where that key does.
fn path<'a>(found: &'a Found, error: &toml::de::Error) -> &'a str {
    let path = found.path.as_str();
    let parent = if error.message().starts_with(LIST) && matches!(found.value, Some(DeValue::Table(_))) {
        path.strip_suffix("[0]")
    } else if error.message().starts_with(UNKNOWN_KEY) && found.value.is_some() {
        path.rsplit_once('.').map(|(parent, _)| parent)
    } else {
        None
    };
    parent.unwrap_or(path)
}

/// TOML that is no scenario.
fn of_shape(text: &str, error: &toml::de::Error, value: Option<&DeValue>) -> String {
    let message = error.message();
    let read = || match value {
        Some(DeValue::Table(_)) if message.starts_with(LIST) => "a list".to_owned(),
        Some(DeValue::Table(_)) => "a table".to_owned(),
        _ => quoted(text, error.span()),
    };
    let alternatives = || {
        let names = error.span().and_then(|span| alternatives(text, &span));
        names.unwrap_or_else(|| "another value".to_owned())
    };
    if let Some(key) = message.strip_prefix("missing field ") {
        format!("no {key}; expected the key here")
    } else if message.starts_with("wanted exactly 1 element, more") {
        format!(
            "{} together; expected exactly one of them (what belongs to one stands below it)",
            keys(value).join(" and ")
        )
    } else if message.starts_with("wanted exactly 1 element") {
        format!("nothing is named; expected one of {}", alternatives())
    } else if message.starts_with("wanted string or table") {
        format!("{}; expected one of {}", read(), alternatives())
    } else if message.contains("unit variant, expected newtype variant") {
        let name = read();
        format!("{name} alone; expected its parameters too: {{ {} = .. }}", name.trim_matches('"'))
    } else if message.contains("overflowed") {
        format!("{}; expected a number that 64 bits can hold", read())
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        let wanted = message.rsplit_once("expected ").map_or("another value", |(_, wanted)| wanted);
        let is_table = matches!(value, Some(DeValue::Table(_)));
        match wanted {
            _ if wanted.starts_with("struct ") => {
                format!("{}; expected a table of the keys {}", read(), alternatives())
            }
            "a sequence" if is_table => "a table; expected a list, each entry under [[..]]".to_owned(),
            _ => format!("{}; expected {}", read(), in_words(wanted)),
        }
    } else if let Some(rest) = message.strip_prefix(UNKNOWN_KEY) {
        format!("unknown key {}", rest.replacen(", expected", "; expected", 1))
    } else if let Some(name) = left_out(message) {
        format!(
            "`{name}`, which this build leaves out; expected one with networks, by cargo's `--features neural`"
        )
    } else if let Some(rest) = message.strip_prefix("unknown variant ") {
        format!("unknown name {}", rest.replacen(", expected", "; expected", 1))
    } else {
        message.replace('\n', "; ")
    }
}

/// The name of an objective that this build leaves out, where the reader met it.
fn left_out(message: &str) -> Option<&str> {
    let (name, others) = message.strip_prefix("unknown variant `")?.split_once('`')?;
    (others.contains("rosenbrock") && NEURAL.contains(&name)).then_some(name)
}

/// Text that is no TOML.
fn of_syntax(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', "; ");
    let start = error.span().map_or(0, |span| span.start);
    let read = match text.get(start..).and_then(|rest| rest.chars().next()) {
        None => "the end of the file".to_owned(),
        Some('\n' | '\r') => "the end of the line".to_owned(),
        Some(character) => format!("{character:?}"),
    };
    if message.starts_with("duplicate key") {
        format!("the key `{}` a second time; expected it once", quoted(text, error.span()))
    } else if message.contains("overflowed") {
        format!("{}; expected a number that 64 bits can hold", quoted(text, error.span()))
    } else if message.starts_with("string values must be quoted") || message.starts_with("invalid boolean") {
        format!(
            "no value but {read}; expected text in \"quotes\", a number, true or false, a [list] or a {{ table }}"
        )
    } else if let Some((what, wanted)) = message.split_once(", expected ") {
        format!("{what}: {read}; expected {wanted}")
    } else {
        format!("{message}: {read}; expected TOML")
    }
}

/// The reader gives up, and does not always say where.
fn too_deep(text: &str, span: Option<Range<usize>>) -> (Option<Range<usize>>, String) {
    let deep = |line: &&str| line.matches(['.', '[', '{']).count() > DEEPEST;
    let line = || text.lines().find(deep).map(|line| line.as_ptr() as usize - text.as_ptr() as usize);
    let span = span.or_else(|| line().map(|start| start..start));
    let message =
        format!("more than {DEEPEST} levels of tables and lists; expected a scenario, which has at most six");
    (span, message)
}

/// The piece of the file, cut where it is long.
fn quoted(text: &str, span: Option<Range<usize>>) -> String {
    match span.and_then(|span| text.get(span)) {
        None => "nothing".to_owned(),
        Some(piece) if piece.chars().count() <= LONGEST_QUOTE && !piece.contains(char::is_control) => {
            piece.to_owned()
        }
        Some(piece) => {
            let start: String = piece.chars().take(LONGEST_QUOTE).collect();
            format!("{}…", start.replace(char::is_control, " "))
        }
    }
}

fn keys(value: Option<&DeValue>) -> Vec<String> {
    match value {
        Some(DeValue::Table(table)) => table.keys().map(|key| format!("`{}`", key.get_ref())).collect(),
        _ => vec!["several names".to_owned()],
    }
}

/// The types of Rust, as scenarios know them.
fn in_words(wanted: &str) -> &str {
    match wanted {
        "usize" | "u64" | "u32" => "a whole number from 0 to 9223372036854775807",
        "f64" => "a number",
        "a string" | "path string" => "text in \"quotes\"",
        "a sequence" => "a list",
        _ => wanted,
    }
}

/// The names or keys that may stand where the value with this span does: the reader itself tells them when
/// it meets one that does not exist.
fn alternatives(text: &str, span: &Range<usize>) -> Option<String> {
    const NO_NAME: &str = "?";
    let mut document = DeTable::parse(text).ok()?;
    let mut unnamed = DeTable::new();
    unnamed.insert(
        Spanned::new(span.clone(), Cow::Borrowed(NO_NAME)),
        Spanned::new(span.clone(), DeValue::Boolean(true)),
    );
    *document.get_mut().iter_mut().find_map(|(_, value)| value_at(value, span))? = DeValue::Table(unnamed);
    let error = Scenario::deserialize(Deserializer::from(document)).err()?;
    let names = error.message().split_once("`?`, expected ")?.1;
    Some(names.trim_start_matches("one of ").to_owned())
}

fn value_at<'a, 'i>(value: &'a mut Spanned<DeValue<'i>>, span: &Range<usize>) -> Option<&'a mut DeValue<'i>> {
    let is_here = value.span() == *span;
    let below = |value: &Spanned<DeValue>| match value.get_ref() {
        DeValue::Array(array) => array.first().is_some_and(|first| first.span() == *span),
        _ => false,
    };
    if is_here && !below(value) {
        return Some(value.get_mut());
    }
    match value.get_mut() {
        DeValue::Table(table) => table.iter_mut().find_map(|(_, value)| value_at(value, span)),
        DeValue::Array(array) => array.iter_mut().find_map(|value| value_at(value, span)),
        _ => None,
    }
}
