//! From a key path such as `agents[0].compressor.rand_k.k` to its place in the text.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The place of the deepest part of `path` that the text has; none for the root.
pub(super) fn of(text: &str, path: &str) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let mut span = None;
    let mut table = Some(document.get_ref());
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
