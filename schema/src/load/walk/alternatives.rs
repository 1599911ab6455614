//! `oneOf` and `anyOf`: which alternative was meant, so that its faults can be named.

use serde_json::Value as Json;

use super::{
    Walk,
    keywords::{Resolved, expected_type, has_property, own_field, resolve, tags, type_fits},
    words::{listed, nearest},
};
use crate::{
    diagnostic::Code,
    load::{
        check::quoted,
        tree::{Entry, Node},
    },
};

impl Walk<'_, '_> {
    /// Alternatives: by type, then by the field that tells them apart (`kind`), then by the field that only one has.
    pub(super) fn branches(&mut self, branches: &'static [Json], node: &Node, name: &str) {
        let resolved: Vec<(&'static Json, Resolved)> =
            branches.iter().filter_map(|branch| Some((branch, resolve(self.root, branch)?))).collect();
        let fitting: Vec<&(&'static Json, Resolved)> =
            resolved.iter().filter(|(_, branch)| type_fits(branch.schema, node)).collect();
        match fitting.as_slice() {
            [] => {
                let mut expected: Vec<&str> =
                    resolved.iter().map(|(_, branch)| expected_type(branch.schema)).collect();
                expected.dedup();
                self.wrong_type(node, name, &expected.join(" or "));
            }
            [(schema, _)] => self.walk(schema, node, name),
            several => self.objects(several, node, name),
        }
    }

    fn objects(&mut self, branches: &[&(&'static Json, Resolved)], node: &Node, name: &str) {
        if let Some(tags) = tags(self.root, branches) {
            let Some(entry) = node.entry(tags.field) else {
                let help = format!("add `{}`: {}", tags.field, listed(&tags.values));
                let place = node.span.start..node.span.start + 1;
                let message = format!("`{}` is missing in `{name}`", tags.field);
                return self.source.error(&place, Code::MissingField, message, help);
            };
            let chosen = tags.values.iter().position(|tag| entry.value.text() == Some(tag));
            return match chosen.and_then(|at| branches.get(at)) {
                Some((schema, _)) => self.walk(schema, node, name),
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
        let own: Vec<&str> = branches.iter().filter_map(|(_, branch)| own_field(branch, branches)).collect();
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
                if let Some((_, branch)) = branches.first() {
                    let unknown = |entry: &&Entry| {
                        branches.iter().all(|(_, branch)| !has_property(branch.schema, &entry.key))
                    };
                    for entry in node.entries().iter().filter(unknown) {
                        self.unknown_field(branch, entry, name);
                    }
                }
            }
            [at] => {
                if let Some((schema, _)) = branches.get(*at) {
                    self.walk(schema, node, name);
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
