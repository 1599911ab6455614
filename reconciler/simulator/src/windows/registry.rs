//! The registry and `reg query`.

use std::collections::BTreeMap;

use super::{Machine, lock};
use crate::{cmd::Streams, disk::matches_pattern, spec::Language};

/// A value in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(u32),
    Many(Vec<String>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "REG_SZ",
            Self::Number(_) => "REG_DWORD",
            Self::Many(_) => "REG_MULTI_SZ",
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => format!("{number:#x}"),
            Self::Many(texts) => texts.join(r"\0"),
        }
    }
}

/// Keys below `HKEY_LOCAL_MACHINE`, found whatever their case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    /// Lower-case path, then the spelling and the values by lower-case name with their spelling.
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Debug, Default)]
struct Key {
    spelling: String,
    values: Vec<(String, Value)>,
}

impl Registry {
    /// Makes a key with its parents.
    pub(crate) fn make(&mut self, path: &str) {
        let mut end = 0;
        while end < path.len() {
            end = path[end + 1..].find('\\').map_or(path.len(), |at| at + end + 1);
            let part = &path[..end];
            let key = self.keys.entry(part.to_lowercase()).or_default();
            if key.spelling.is_empty() {
                part.clone_into(&mut key.spelling);
            }
        }
    }

    pub(crate) fn set(&mut self, path: &str, name: &str, value: Value) {
        self.make(path);
        if let Some(key) = self.keys.get_mut(&path.to_lowercase()) {
            key.values.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
            key.values.push((name.to_owned(), value));
        }
    }

    /// Removes a key with all below it.
    pub(crate) fn remove(&mut self, path: &str) {
        let path = path.to_lowercase();
        let below = format!("{path}\\");
        self.keys.retain(|key, _| *key != path && !key.starts_with(&below));
    }

    /// The last parts of the keys right below a path, as they are spelt.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let last = |key: &Key| key.spelling.rsplit('\\').next().unwrap_or_default().to_owned();
        self.children(path).into_iter().map(last).collect()
    }

    /// A value that is text.
    pub(crate) fn text(&self, path: &str, name: &str) -> Option<&str> {
        let key = self.keys.get(&path.to_lowercase())?;
        match key.values.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)) {
            Some((_, Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// The key and, if wanted, all below it; in the order of their names.
    fn below(&self, path: &str, recursive: bool) -> Vec<&Key> {
        let path = path.to_lowercase();
        let below = format!("{path}\\");
        self.keys
            .iter()
            .filter(|(key, _)| **key == path || (recursive && key.starts_with(&below)))
            .map(|(_, key)| key)
            .collect()
    }

    fn children(&self, path: &str) -> Vec<&Key> {
        let below = format!("{}\\", path.to_lowercase());
        self.keys
            .iter()
            .filter(|(key, _)| key.strip_prefix(&below).is_some_and(|rest| !rest.contains('\\')))
            .map(|(_, key)| key)
            .collect()
    }
}

/// What a `reg query` asks for.
#[derive(Default)]
struct Query {
    recursive: bool,
    value: Option<String>,
    data: Option<String>,
}

/// `reg query KEY [/v NAME] [/s] [/f TEXT /d]`.
pub(super) fn reg(machine: &Machine, arguments: &[String], streams: &Streams) -> i32 {
    let Some((path, query)) = read(arguments) else {
        machine.note_unknown(format!("reg {}", arguments.join(" ")));
        return 9009;
    };
    let registry = lock(&machine.registry);
    let keys = registry.below(&path, query.recursive);
    if keys.is_empty() {
        return missing(machine, streams);
    }
    let searching = query.value.is_some() && query.recursive || query.data.is_some();
    let mut found = 0;
    for key in &keys {
        let fitting: Vec<&(String, Value)> = key
            .values
            .iter()
            .filter(|(name, value)| {
                let named = query.value.as_ref().is_none_or(|wanted| {
                    name.eq_ignore_ascii_case(wanted)
                        || (wanted.contains('*') && matches_pattern(wanted, name))
                });
                let holds = query
                    .data
                    .as_ref()
                    .is_none_or(|wanted| value.shown().to_lowercase().contains(&wanted.to_lowercase()));
                named && holds
            })
            .collect();
        if fitting.is_empty() && (searching || query.value.is_some()) {
            continue;
        }
        found += fitting.len();
        let _unwritten = streams.line(&format!("\r\nHKEY_LOCAL_MACHINE\\{}", key.spelling));
        for (name, value) in fitting {
            let _unwritten = streams.line(&format!("    {name}    {}    {}", value.kind(), value.shown()));
        }
    }
    if searching {
        let text = match machine.language {
            Language::English => format!("\r\nEnd of search: {found} match(es) found."),
            Language::German => format!("\r\nSuchende: {found} \u{dc}bereinstimmung(en) gefunden."),
        };
        let _unwritten = streams.line(&text);
        return i32::from(found == 0);
    }
    if query.value.is_some() {
        return if found == 0 { missing(machine, streams) } else { 0 };
    }
    if !query.recursive {
        for child in registry.children(&path) {
            let _unwritten = streams.line(&format!("HKEY_LOCAL_MACHINE\\{}", child.spelling));
        }
    }
    0
}

fn missing(machine: &Machine, streams: &Streams) -> i32 {
    streams.complain(match machine.language {
        Language::English => "ERROR: The system was unable to find the specified registry key or value.",
        Language::German => {
            "FEHLER: Der angegebene Registrierungsschl\u{fc}ssel bzw. Wert wurde nicht gefunden."
        }
    });
    1
}

fn read(arguments: &[String]) -> Option<(String, Query)> {
    let (verb, rest) = arguments.split_first()?;
    let (key, switches) = rest.split_first()?;
    if !verb.eq_ignore_ascii_case("query") {
        return None;
    }
    let path = key.strip_prefix("HKLM\\").or_else(|| key.strip_prefix("HKEY_LOCAL_MACHINE\\"))?;
    let mut query = Query::default();
    let mut switches = switches.iter();
    while let Some(switch) = switches.next() {
        match switch.to_lowercase().as_str() {
            "/s" => query.recursive = true,
            "/v" => query.value = Some(switches.next()?.clone()),
            "/f" => query.data = Some(switches.next()?.clone()),
            // Where to search and how the type is shown.
            "/d" | "/reg:64" | "/z" => {}
            _ => return None,
        }
    }
    Some((path.trim_end_matches('\\').to_owned(), query))
}
