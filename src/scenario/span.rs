//! From a key path such as `agents[0].compressor.rand_k.k` to its place in the text, and back.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The place of the deepest part of `path` that the text has; none for the root.
pub(super) fn of(text: &str, path: &str) -> Option<Range<usize>> {
    of_all(text, &[path.to_owned()]).pop()?
}

/// The same for many.
pub(super) fn of_all(text: &str, paths: &[String]) -> Vec<Option<Range<usize>>> {
    match DeTable::parse(text) {
        Ok(document) => paths.iter().map(|path| below(document.get_ref(), path)).collect(),
        Err(_) => vec![None; paths.len()],
    }
}

fn below(document: &DeTable, path: &str) -> Option<Range<usize>> {
    let mut span = None;
    let mut table = Some(document);
    let mut value: Option<&Spanned<DeValue>> = None;
    for key in path.split(['.', '[']).filter(|key| !key.is_empty()) {
        let next = match (table, value.map(Spanned::get_ref)) {
            (Some(table), _) => table.get(key),
            (None, Some(DeValue::Array(array))) => key
                .strip_suffix(']')
                .and_then(|index| index.parse::<usize>().ok())
                .and_then(|index| array.get(index)),
            _ => None,
        };
        let Some(next) = next else { break };
        span = Some(next.span());
        value = Some(next);
        table = match next.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        };
    }
    span
}

/// What stands at a place of the text.
pub(super) struct Found<'a, 'i> {
    /// Its key path; for a key, that of the table it stands in.
    pub path: String,
    /// The value, unless a key stands there.
    pub value: Option<&'a DeValue<'i>>,
}

/// What has exactly this span below `table`.
pub(super) fn find<'a, 'i>(table: &'a DeTable<'i>, span: &Range<usize>) -> Option<Found<'a, 'i>> {
    in_table(table, "", span)
}

fn in_table<'a, 'i>(table: &'a DeTable<'i>, path: &str, span: &Range<usize>) -> Option<Found<'a, 'i>> {
    // Keys first: a table that a dotted key begins has the span of that key.
    if table.iter().any(|(key, value)| key.span() == *span && value.span() != *span) {
        return Some(Found { path: path.to_owned(), value: None });
    }
    table.iter().find_map(|(key, value)| {
        let dot = if path.is_empty() { "" } else { "." };
        at_or_below(value, &format!("{path}{dot}{}", key.get_ref()), span)
    })
}

fn at_or_below<'a, 'i>(
    value: &'a Spanned<DeValue<'i>>,
    path: &str,
    span: &Range<usize>,
) -> Option<Found<'a, 'i>> {
    let below = match value.get_ref() {
        DeValue::Table(table) => in_table(table, path, span),
        DeValue::Array(array) => array
            .iter()
            .enumerate()
            .find_map(|(index, value)| at_or_below(value, &format!("{path}[{index}]"), span)),
        _ => None,
    };
    let here = || Found { path: path.to_owned(), value: Some(value.get_ref()) };
    below.or_else(|| (value.span() == *span).then(here))
}
