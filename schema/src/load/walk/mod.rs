//! A document against the schema of its kind: unknown and missing fields, types, values, and the checks of texts.
//!
//! Every fault is noted; nothing stops at the first. Only the keywords that this crate's schemas use are read, and
//! a test makes sure of that.

mod alternatives;
mod keywords;
mod rules;
pub(super) mod words;

use self::{
    rules::{Mapping, RuleId, Rules, Shape},
    words::{VERSIONS, kind_name, listed, nearest, number_help},
};
use super::{
    check::{check, quoted},
    hidden::Hidden,
    source::Source,
    tree::{Entry, Node, Value},
};
use crate::{diagnostic::Code, document::Kind};

/// Holds a document against the schema of its kind. Values that were reported as secrets are left out: nothing else is
/// said of them, and they are never repeated.
pub(super) fn walk(source: &mut Source<'_>, kind: Kind, secrets: &Hidden, document: &Node) {
    let (rules, start) = Rules::of(kind);
    Walk { source, rules, secrets }.walk(start, document, kind.name());
}

/// Walks one document.
struct Walk<'w, 'a> {
    source: &'w mut Source<'a>,
    rules: &'static Rules,
    secrets: &'w Hidden,
}

impl Walk<'_, '_> {
    /// Checks `node`, the value of `name`, against a rule.
    fn walk(&mut self, rule: RuleId, node: &Node, name: &str) {
        if self.secrets.contains(&node.span) {
            return;
        }
        let shape = &self.rules.get(rule).shape;
        if let Value::Null = node.value {
            let help = match shape {
                Shape::Checked("version" | "webWanted") => format!("write a release, for example {VERSIONS}"),
                _ => "write a value, or take the field out: what is absent is unknown or takes its default"
                    .to_owned(),
            };
            self.source.error(&node.span, Code::NullValue, format!("`{name}` has no value"), help);
            return;
        }
        match shape {
            Shape::Anything => {}
            Shape::Checked(check_name) => self.text(check_name, node, name),
            Shape::Text(allowed) => self.value(allowed, node, name),
            Shape::Boolean => self.boolean(node, name),
            Shape::Integer { least, most } => self.integer((*least, *most), node, name),
            Shape::List { items, least, most } => self.array(*items, (*least, *most), node, name),
            Shape::Mapping(mapping) => self.object(mapping, node, name),
            Shape::Alternatives(branches) => self.branches(branches, node, name),
        }
    }

    fn object(&mut self, mapping: &'static Mapping, node: &Node, name: &str) {
        let Value::Mapping(entries) = &node.value else {
            return self.wrong_type(node, name, "a mapping");
        };
        for entry in entries {
            match mapping.fields.get(entry.key.as_str()).map(|field| field.rule).or(mapping.others) {
                Some(rule) => self.walk(rule, &entry.value, &entry.key),
                None => self.unknown_field(mapping, entry, name),
            }
        }
        for required in &mapping.required {
            if node.get(required).is_none() {
                let help = match mapping.fields.get(required).and_then(|field| field.about) {
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

    fn unknown_field(&mut self, mapping: &Mapping, entry: &Entry, parent: &str) {
        if self.secrets.contains(&entry.value.span) {
            return;
        }
        let Entry { key, key_span, value: _ } = entry;
        let known: Vec<&str> = mapping.fields.keys().copied().collect();
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

    fn array(
        &mut self,
        items: Option<RuleId>,
        (least, most): (Option<u64>, Option<u64>),
        node: &Node,
        name: &str,
    ) {
        let Value::Sequence(values) = &node.value else {
            return self.wrong_type(node, name, "a list");
        };
        let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
        if let Some(most) = most.filter(|most| count > *most) {
            let message = format!("`{name}` has {count} items, at most {most} are allowed");
            self.source.error(&node.span, Code::WrongCount, message, None);
        }
        if let Some(least) = least.filter(|least| count < *least) {
            let message = format!("`{name}` has {count} items, at least {least} is needed");
            self.source.error(&node.span, Code::WrongCount, message, "add one".to_owned());
        }
        if let Some(rule) = items {
            for value in values {
                self.walk(rule, value, name);
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

    fn integer(&mut self, (least, most): (Option<i64>, Option<i64>), node: &Node, name: &str) {
        let Value::Integer(value) = node.value else {
            return self.wrong_type(node, name, "a whole number");
        };
        let (least, most) = (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX));
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
