//! Where the fields of a document were written, for whoever judges or changes them later.

use std::ops::Range;

use super::{
    Located,
    source::{Place, Source},
    tree::{Node, Value},
};
use crate::{
    diagnostic::{Code, Diagnostic, Related, Severity},
    document::Kind,
};

/// How many names below each other are remembered: `spec.software.core` has three.
const DEPTH: usize = 3;

/// The same of a configuration, with the items of its lists: it is one document, and small.
const DEEP: usize = 6;

/// The places of the fields of one document, by their paths: `spec.software.core`, and `spec.dependsOn[0]` for the
/// items of a list of texts. Of a configuration also `spec.sources[0].webhook`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// In alphabetical order of the paths.
    fields: Vec<(String, Mark)>,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The bytes of the value as it was written, quotes included.
    pub span: Range<usize>,
    /// Whether its line may be shown: not if it holds a secret.
    shown: bool,
}

impl Marks {
    pub(super) fn of(source: &Source<'_>, document: &Node, kind: Kind) -> Self {
        let mut fields = Vec::new();
        let items = kind == Kind::ReconcilerConfig;
        visit(Visited { source, items }, document, "", if items { DEEP } else { DEPTH }, &mut fields);
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { fields }
    }

    /// Where the value of this field was written; `None` if the document does not have it.
    pub fn at(&self, field: &str) -> Option<&Mark> {
        let found = self.fields.binary_search_by(|(path, _)| path.as_str().cmp(field)).ok()?;
        self.fields.get(found).map(|(_, mark)| mark)
    }

    /// The same of the field, or of the nearest one around it.
    pub fn around(&self, field: &str) -> Option<&Mark> {
        let mut path = field;
        loop {
            if let Some(mark) = self.at(path) {
                return Some(mark);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// The fields of the document that lie below `prefix`, in alphabetical order.
    pub fn below(&self, prefix: &str) -> impl Iterator<Item = (&str, &Mark)> {
        self.fields
            .iter()
            .filter(move |(path, _)| path.starts_with(prefix))
            .map(|(path, mark)| (path.as_str(), mark))
    }
}

impl<T> Located<T> {
    /// A diagnostic at a field of the document, or at the nearest one around it.
    pub fn diagnostic(
        &self,
        severity: Severity,
        field: &str,
        code: Code,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let mark = self.marks.around(field);
        Diagnostic {
            code,
            severity,
            path: self.path.clone(),
            line: mark.map_or(self.line, |mark| mark.line),
            column: mark.map_or(1, |mark| mark.column),
            span: mark.filter(|mark| mark.shown).map(|mark| mark.span.clone()),
            message: message.into(),
            help: Some(help.into()),
            related: Vec::new(),
        }
    }

    /// The same place, for a diagnostic about another.
    pub fn related(&self, field: &str, message: impl Into<String>) -> Related {
        let mark = self.marks.around(field);
        Related {
            path: self.path.clone(),
            line: mark.map_or(self.line, |mark| mark.line),
            column: mark.map_or(1, |mark| mark.column),
            span: mark.filter(|mark| mark.shown).map(|mark| mark.span.clone()),
            message: message.into(),
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy)]
struct Visited<'v, 'a> {
    source: &'v Source<'a>,
    /// Whether mappings in lists are gone into.
    items: bool,
}

/// `left`: how many names below this one are still remembered.
fn visit(visited: Visited<'_, '_>, node: &Node, path: &str, left: usize, fields: &mut Vec<(String, Mark)>) {
    let Some(left) = left.checked_sub(1) else { return };
    let Visited { source, items } = visited;
    for entry in node.entries() {
        // A name with a dot in it is no field of the language, but a label or a build.
        if entry.key.contains(['.', '[']) {
            continue;
        }
        let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        visit(visited, &entry.value, &path, left, fields);
        for (index, item) in entry.value.items().iter().enumerate() {
            match item.value {
                Value::Text(_) => fields.push((format!("{path}[{index}]"), mark(source, item))),
                Value::Mapping(_) if items => {
                    let path = format!("{path}[{index}]");
                    visit(visited, item, &path, left, fields);
                    fields.push((path, mark(source, item)));
                }
                Value::Mapping(_)
                | Value::Null
                | Value::Bool(_)
                | Value::Integer(_)
                | Value::Number(_)
                | Value::Sequence(_) => {}
            }
        }
        fields.push((path, mark(source, &entry.value)));
    }
}

fn mark(source: &Source<'_>, node: &Node) -> Mark {
    // A mapping or a list is pointed at, not underlined.
    let span = match node.value {
        Value::Sequence(_) | Value::Mapping(_) => node.span.start..node.span.start + 1,
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Number(_) | Value::Text(_) => {
            node.span.clone()
        }
    };
    let Place { path: _, line, column, span, shown } = source.place(&span);
    Mark { line, column, span, shown }
}
