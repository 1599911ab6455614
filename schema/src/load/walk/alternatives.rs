//! `oneOf` and `anyOf`: which alternative was meant, so that its faults can be named.

use super::{
    Walk,
    rules::{Mapping, Rule, RuleId, Rules, Shape},
    words::{listed, nearest},
};
use crate::{
    diagnostic::Code,
    load::{
        check::quoted,
        tree::{Entry, Node, Value},
    },
};

/// The field whose value tells alternatives apart, and its value in each.
struct Tags {
    field: &'static str,
    values: Vec<&'static str>,
}

impl Rule {
    fn mapping(&self) -> Option<&Mapping> {
        match &self.shape {
            Shape::Mapping(mapping) => Some(mapping),
            Shape::Anything
            | Shape::Checked(_)
            | Shape::Text(_)
            | Shape::Boolean
            | Shape::Integer { .. }
            | Shape::List { .. }
            | Shape::Alternatives(_) => None,
        }
    }

    fn has_field(&self, name: &str) -> bool {
        self.mapping().is_some_and(|mapping| mapping.fields.contains_key(name))
    }

    fn type_fits(&self, node: &Node) -> bool {
        let kind = match &node.value {
            Value::Null => return false,
            Value::Bool(_) => "boolean",
            Value::Integer(_) => "integer",
            Value::Number(_) => "number",
            Value::Text(_) => "string",
            Value::Sequence(_) => "array",
            Value::Mapping(_) => "object",
        };
        self.kind == Some(kind)
    }

    fn expected_type(&self) -> &'static str {
        match self.kind {
            Some("object") => "a mapping",
            Some("array") => "a list",
            Some("boolean") => "true or false",
            Some("integer") => "a whole number",
            _ => "a text",
        }
    }
}

fn tags(rules: &Rules, branches: &[RuleId]) -> Option<Tags> {
    let first = rules.get(*branches.first()?).mapping()?;
    first.fields.keys().find_map(|field| {
        let tag = |branch: &RuleId| {
            let field = rules.get(*branch).mapping()?.fields.get(field)?;
            match rules.get(field.rule).values.as_slice() {
                [only] => Some(*only),
                _ => None,
            }
        };
        let values: Vec<&str> = branches.iter().filter_map(tag).collect();
        (values.len() == branches.len()).then_some(Tags { field, values })
    })
}

/// The required field that no other alternative has.
fn own_field(rules: &Rules, branch: RuleId, branches: &[RuleId]) -> Option<&'static str> {
    let has = |field: &str| branches.iter().filter(|other| rules.get(**other).has_field(field)).count();
    rules.get(branch).mapping()?.required.iter().copied().find(|field| has(field) == 1)
}

impl Walk<'_, '_> {
    /// Alternatives: by type, then by the field that tells them apart (`kind`), then by the field that only one has.
    pub(super) fn branches(&mut self, branches: &'static [RuleId], node: &Node, name: &str) {
        let rules = self.rules;
        let fitting: Vec<RuleId> =
            branches.iter().copied().filter(|branch| rules.get(*branch).type_fits(node)).collect();
        match fitting.as_slice() {
            [] => {
                let mut expected: Vec<&str> =
                    branches.iter().map(|branch| rules.get(*branch).expected_type()).collect();
                expected.dedup();
                self.wrong_type(node, name, &expected.join(" or "));
            }
            [only] => self.walk(*only, node, name),
            several => self.objects(several, node, name),
        }
    }

    fn objects(&mut self, branches: &[RuleId], node: &Node, name: &str) {
        let rules = self.rules;
        if let Some(tags) = tags(rules, branches) {
            let Some(entry) = node.entry(tags.field) else {
                let help = format!("add `{}`: {}", tags.field, listed(&tags.values));
                let place = node.span.start..node.span.start + 1;
                let message = format!("`{}` is missing in `{name}`", tags.field);
                return self.source.error(&place, Code::MissingField, message, help);
            };
            let chosen = tags.values.iter().position(|tag| entry.value.text() == Some(tag));
            return match chosen.and_then(|at| branches.get(at)) {
                Some(branch) => self.walk(*branch, node, name),
                None => {
                    let near = entry.value.text().and_then(|text| nearest(text, &tags.values));
                    let help = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("write {}", listed(&tags.values)),
                    };
                    let written = quoted(self.written(&entry.value));
                    let message = format!("`{}` cannot be {written}", tags.field);
                    self.source.error(&entry.value.span, Code::UnknownValue, message, help);
                }
            };
        }
        let own: Vec<&str> =
            branches.iter().filter_map(|branch| own_field(rules, *branch, branches)).collect();
        let present: Vec<usize> = (0..own.len()).filter(|at| node.get(own[*at]).is_some()).collect();
        match present.as_slice() {
            [] => {
                let message = format!("`{name}` needs one of {}", listed(&own));
                let place = node.span.start..node.span.start + 1;
                self.source.error(
                    &place,
                    Code::MissingField,
                    message,
                    format!("add one of {}", listed(&own)),
                );
                // Unknown fields are worth a word all the same.
                if let Some(mapping) = branches.first().and_then(|first| rules.get(*first).mapping()) {
                    let unknown = |entry: &&Entry| {
                        branches.iter().all(|branch| !rules.get(*branch).has_field(&entry.key))
                    };
                    for entry in node.entries().iter().filter(unknown) {
                        self.unknown_field(mapping, entry, name);
                    }
                }
            }
            [at] => {
                if let Some(branch) = branches.get(*at) {
                    self.walk(*branch, node, name);
                }
            }
            [first, others @ ..] => {
                for other in others {
                    if let Some(entry) = node.entry(own[*other]) {
                        let message = format!("`{}` and `{}` exclude each other", own[*first], own[*other]);
                        self.source.error(
                            &entry.key_span,
                            Code::Exclusive,
                            message,
                            "keep one of them".to_owned(),
                        );
                    }
                }
            }
        }
    }
}
