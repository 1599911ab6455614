//! What messages say: names that were most likely meant, lists, kinds of values.

pub(in crate::load) use crate::diagnostic::nearest;
use crate::load::tree::{Node, Value};

/// `` `a`, `b` or `c` ``.
pub(in crate::load) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}

pub(super) fn kind_name(node: &Node) -> &'static str {
    match node.value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Integer(_) | Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
    }
}

/// What to write instead of a number where a version is meant.
pub(super) fn number_help(written: &str) -> String {
    let mut parts = written.splitn(2, '.').map(|part| part.parse::<u16>().ok());
    // The zero that a number loses makes another release of it.
    let lost = written.contains('.').then(|| written.trim_end_matches('0')).filter(|short| *short != written);
    let read = lost.map(|short| format!(" and read as {}", short.trim_end_matches('.'))).unwrap_or_default();
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => format!(
            "a bare {written} is a YAML number{read}: write \"{major}.{minor}.0 CU0\" (or another CU) for the Main \
             Release, or for example \"{major}.{minor}.1\" for a Feature Release"
        ),
        _ if written.len() >= 4 && written.bytes().all(|byte| byte.is_ascii_digit()) => format!(
            "a bare {written} is a YAML number; if it is a build, write its release as well, for example \
             \"10.5.0 CU12 (build {written})\""
        ),
        _ => format!("a bare {written} is a YAML number: write for example {VERSIONS}"),
    }
}

/// Versions as they are written, one of each track.
pub(super) const VERSIONS: &str = "\"10.5.0 CU9\" or \"10.5.12\"";
