//! A document against the schema of its kind: unknown and missing fields, types, values, and the checks of texts.
//!
//! Every fault is noted; nothing stops at the first. Only the keywords that this crate's schemas use are read, and
//! a test makes sure of that.

mod alternatives;
mod keywords;
pub(super) mod words;

use std::ops::Range;

use serde_json::Value as Json;

use self::{
    keywords::{Resolved, own_values, resolve, strings, values_of},
    words::{VERSIONS, kind_name, listed, nearest, number_help},
};
use super::{
    check::{check, quoted},
    source::Source,
    tree::{Entry, Node, Value},
};
use crate::{diagnostic::Code, document::CHECK};

/// Walks one document.
pub(super) struct Walk<'w, 'a> {
    pub(super) source: &'w mut Source<'a>,
    /// The whole schema, for `$ref`.
    pub(super) root: &'static Json,
    /// Values that were reported as secrets: nothing else is said of them, and they are never repeated.
    pub(super) secrets: &'w [Range<usize>],
}

impl Walk<'_, '_> {
    /// Checks `node`, the value of `name`, against `schema`.
    pub(super) fn walk(&mut self, schema: &'static Json, node: &Node, name: &str) {
        if self.secrets.contains(&node.span) {
            return;
        }
        let Some(resolved) = resolve(self.root, schema) else { return };
        if let Value::Null = node.value {
            let help = match resolved.schema.get(CHECK).and_then(Json::as_str) {
                Some("version" | "webWanted") => format!("write a release, for example {VERSIONS}"),
                _ => "write a value, or take the field out: what is absent is unknown or takes its default"
                    .to_owned(),
            };
            self.source.error(&node.span, Code::NullValue, format!("`{name}` has no value"), help);
            return;
        }
        let keyword = |keyword: &str| resolved.schema.get(keyword);
        if let Some(check_name) = keyword(CHECK).and_then(Json::as_str) {
            self.text(check_name, node, name);
        } else if let Some(Json::Array(branches)) = keyword("oneOf").or_else(|| keyword("anyOf")) {
            match values_of(self.root, branches) {
                Some(allowed) => self.value(&allowed, node, name),
                None => self.branches(branches, node, name),
            }
        } else {
            match keyword("type").and_then(Json::as_str) {
                Some("object") => self.object(&resolved, node, name),
                Some("array") => self.array(&resolved, node, name),
                Some("string") => self.plain_text(&resolved, node, name),
                Some("boolean") => self.boolean(node, name),
                Some("integer") => self.integer(&resolved, node, name),
                _ => {}
            }
        }
    }

    fn object(&mut self, resolved: &Resolved, node: &Node, name: &str) {
        let Value::Mapping(entries) = &node.value else {
            return self.wrong_type(node, name, "a mapping");
        };
        let properties = resolved.schema.get("properties").and_then(Json::as_object);
        for entry in entries {
            match properties.and_then(|properties| properties.get(&entry.key)) {
                Some(schema) => self.walk(schema, &entry.value, &entry.key),
                None => match resolved.schema.get("additionalProperties") {
                    Some(schema @ Json::Object(_)) => self.walk(schema, &entry.value, &entry.key),
                    _ => self.unknown_field(resolved, entry, name),
                },
            }
        }
        for required in strings(resolved.schema.get("required")) {
            if node.get(required).is_none() {
                let schema = properties.and_then(|properties| properties.get(required));
                let about = schema.and_then(|schema| schema.get("description")).and_then(Json::as_str);
                let help = match about {
                    Some(about) => format!("add `{required}`: {about}"),
                    None => format!("add `{required}`"),
                };
                let place = node.span.start..node.span.start + 1;
                self.source.error(
                    &place,
                    Code::MissingField,
                    format!("`{required}` is missing in `{name}`"),
                    help,
                );
            }
        }
    }

    fn unknown_field(&mut self, resolved: &Resolved, entry: &Entry, parent: &str) {
        if self.secrets.contains(&entry.value.span) {
            return;
        }
        let Entry { key, key_span, value: _ } = entry;
        let known: Vec<&str> = resolved
            .schema
            .get("properties")
            .and_then(Json::as_object)
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let help = match nearest(key, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields here are {}", listed(&known)),
        };
        self.source.error(
            key_span,
            Code::UnknownField,
            format!("there is no field {} in `{parent}`", quoted(key)),
            help,
        );
    }

    fn array(&mut self, resolved: &Resolved, node: &Node, name: &str) {
        let Value::Sequence(items) = &node.value else {
            return self.wrong_type(node, name, "a list");
        };
        let limit = |keyword: &str| resolved.schema.get(keyword).and_then(Json::as_u64);
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if limit("maxItems").is_some_and(|limit| count > limit) {
            let message =
                format!("`{name}` has {count} items, at most {} are allowed", limit("maxItems").unwrap_or(0));
            self.source.error(&node.span, Code::WrongCount, message, None);
        }
        if limit("minItems").is_some_and(|limit| count < limit) {
            let message =
                format!("`{name}` has {count} items, at least {} is needed", limit("minItems").unwrap_or(0));
            self.source.error(&node.span, Code::WrongCount, message, "add one".to_owned());
        }
        if let Some(schema) = resolved.schema.get("items") {
            for item in items {
                self.walk(schema, item, name);
            }
        }
    }

    /// A text with a check of its own.
    fn text(&mut self, check_name: &str, node: &Node, name: &str) {
        let Some(text) = node.text() else {
            if matches!(check_name, "version" | "webWanted") {
                return self.version_not_text(node, name);
            }
            return self.wrong_type(node, name, "a text");
        };
        if let Some(Err(fault)) = check(check_name, text) {
            self.source.error(&node.span, fault.code, format!("`{name}`: {}", fault.message), fault.help);
        }
    }

    fn version_not_text(&mut self, node: &Node, name: &str) {
        let written = self.written(node).to_owned();
        let (message, help) = match &node.value {
            Value::Number(_) | Value::Integer(_) => {
                (format!("`{name}` is the number {}, not a version", quoted(&written)), number_help(&written))
            }
            Value::Bool(_) => (
                format!("`{name}` is {}, which YAML reads as a boolean, not a version", quoted(&written)),
                format!("write for example {VERSIONS}"),
            ),
            Value::Null | Value::Text(_) | Value::Sequence(_) | Value::Mapping(_) => (
                format!("`{name}` is {}, not a version", kind_name(node)),
                format!("write for example {VERSIONS}"),
            ),
        };
        self.source.error(&node.span, Code::VersionNotText, message, help);
    }

    fn plain_text(&mut self, resolved: &Resolved, node: &Node, name: &str) {
        self.value(&own_values(resolved.schema), node, name);
    }

    /// A text that is one of `allowed`; any text if that is empty.
    fn value(&mut self, allowed: &[&str], node: &Node, name: &str) {
        let Some(text) = node.text() else {
            let expected = if allowed.is_empty() { "a text".to_owned() } else { listed(allowed) };
            return self.wrong_type(node, name, &expected);
        };
        if allowed.is_empty() || allowed.contains(&text) {
            return;
        }
        let help = match nearest(text, allowed) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", listed(allowed)),
        };
        self.source.error(
            &node.span,
            Code::UnknownValue,
            format!("`{name}` cannot be {}", quoted(text)),
            help,
        );
    }

    fn boolean(&mut self, node: &Node, name: &str) {
        if !matches!(node.value, Value::Bool(_)) {
            let help = match node.text() {
                Some("yes" | "on" | "Yes" | "On" | "y") => {
                    Some("write `true`: YAML 1.2 reads this as a text")
                }
                Some("no" | "off" | "No" | "Off" | "n") => {
                    Some("write `false`: YAML 1.2 reads this as a text")
                }
                Some("true" | "false") => Some("take the quotes away"),
                _ => None,
            };
            match help {
                Some(help) => {
                    let message = format!(
                        "`{name}` must be true or false, this is the text {}",
                        quoted(self.written(node))
                    );
                    self.source.error(&node.span, Code::WrongType, message, help.to_owned());
                }
                None => self.wrong_type(node, name, "true or false"),
            }
        }
    }

    fn integer(&mut self, resolved: &Resolved, node: &Node, name: &str) {
        let Value::Integer(value) = node.value else {
            return self.wrong_type(node, name, "a whole number");
        };
        let limit = |keyword: &str| resolved.schema.get(keyword).and_then(Json::as_i64);
        let (least, most) = (limit("minimum").unwrap_or(i64::MIN), limit("maximum").unwrap_or(i64::MAX));
        if value < least || value > most {
            let help = if most == i64::MAX {
                format!("write {least} or more")
            } else {
                format!("write a number from {least} to {most}")
            };
            self.source.error(&node.span, Code::OutOfRange, format!("`{name}` cannot be {value}"), help);
        }
    }

    fn wrong_type(&mut self, node: &Node, name: &str, expected: &str) {
        let message = format!("`{name}` must be {expected}, this is {}", kind_name(node));
        let help = match &node.value {
            Value::Bool(_) | Value::Integer(_) | Value::Number(_) if expected.starts_with("a text") => {
                Some(format!("put it in quotes: \"{}\"", self.written(node)))
            }
            Value::Text(text) if expected == "a whole number" && text.parse::<i64>().is_ok() => {
                Some("take the quotes away".to_owned())
            }
            Value::Text(_) | Value::Mapping(_) if expected == "a list" => {
                Some("start each item with `- `, or write `[…]`".to_owned())
            }
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Sequence(_)
            | Value::Mapping(_) => None,
        };
        let place = match node.value {
            Value::Sequence(_) | Value::Mapping(_) => node.span.start..node.span.start + 1,
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Number(_) | Value::Text(_) => {
                node.span.clone()
            }
        };
        self.source.error(&place, Code::WrongType, message, help);
    }

    /// As it stands in the file.
    fn written(&self, node: &Node) -> &str {
        self.source.text.get(node.span.clone()).unwrap_or_default()
    }
}
