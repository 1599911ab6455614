//! YAML as a tree in which every value knows its place.
//!
//! The tree is built from the parser's events, so that all faults of a document are found and not only the first.
//! The YAML parser is used in this module alone.

mod build;
mod fields;
mod fill;
mod scalar;

use std::ops::Range;

use serde_saphyr::granit_parser::{ErrorKind, Event, Parser, ScanError, Span, options};

use self::build::{Builder, Step};
use super::{Limits, source::Source};
use crate::diagnostic::Code;

/// A value and its bytes in the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is not an [`i64`]: with the text that it was written as.
    Number(f64),
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    /// The value of a field.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A field.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The fields of a mapping; nothing for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Sequence(_) => &[],
        }
    }

    /// The items of a sequence; nothing for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Mapping(_) => &[],
        }
    }

    /// The text of a text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::Sequence(_)
            | Value::Mapping(_) => None,
        }
    }

    /// How many values this is, itself included, and how deep they are nested.
    fn measure(&self) -> Size {
        let children: Vec<Size> = match &self.value {
            Value::Sequence(items) => items.iter().map(Self::measure).collect(),
            Value::Mapping(entries) => entries.iter().map(|entry| entry.value.measure()).collect(),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Number(_) | Value::Text(_) => {
                Vec::new()
            }
        };
        Size {
            values: 1 + children.iter().map(|size| size.values).sum::<usize>(),
            depth: 1 + children.iter().map(|size| size.depth).max().unwrap_or(0),
        }
    }

    /// As JSON, for what is merged before serde reads it. A number that JSON does not have becomes null, which no
    /// document takes.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Number(value) => (*value).into(),
            Value::Text(text) => text.clone().into(),
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
            }
        }
    }
}

struct Size {
    values: usize,
    depth: usize,
}

/// The documents of a file that are YAML; what is not is noted in `source`. Empty documents are left out.
pub(super) fn read_documents(source: &mut Source<'_>, limits: &Limits) -> Vec<Node> {
    let text = source.text;
    let options = options! {
        emit_comments: false,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut documents = Vec::new();
    let mut started = 0;
    let mut builder = Builder::new(limits);
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(pair) => pair,
            Err(error) => {
                syntax_error(source, &error);
                builder.abandon();
                // What follows the next `---` may still be read.
                match parser.proceed_next_document() {
                    Ok(true) => continue,
                    Ok(false) | Err(_) => break,
                }
            }
        };
        if let Event::DocumentStart(..) = event {
            started += 1;
            if started > limits.documents {
                source.error(
                    &bytes(text, &span),
                    Code::TooManyDocuments,
                    format!("a file holds at most {} documents", limits.documents),
                    "split the file".to_owned(),
                );
                break;
            }
        }
        match builder.take(source, event, &span) {
            Step::Going => {}
            Step::Document(node) => {
                if !matches!(node.value, Value::Null) {
                    documents.push(node);
                }
            }
            Step::Stop => break,
        }
    }
    documents
}

fn syntax_error(source: &mut Source<'_>, error: &ScanError) {
    let at = byte_at(source.text, error.marker().byte_offset(), error.marker().index());
    let (code, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => {
            (Code::TooDeep, "no document of the language is nested this deep")
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => {
            (Code::Syntax, "indent with blanks: YAML does not allow tabs there")
        }
        ErrorKind::UnknownAnchor => {
            (Code::Syntax, "define it before with `&name`, or put the text in quotes")
        }
        _ => (Code::Syntax, "check the indentation, and that every quote and bracket is closed"),
    };
    let info = error.info();
    let end = source.text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    source.error(&(at..end), code, format!("this is not YAML: {info}"), help.to_owned());
}

/// The parser counts characters and, mostly, bytes.
fn byte_at(text: &str, byte: Option<usize>, character: usize) -> usize {
    let at = byte.unwrap_or_else(|| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at));
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn bytes(text: &str, span: &Span) -> Range<usize> {
    let start = byte_at(text, span.start.byte_offset(), span.start.index());
    let end = byte_at(text, span.end.byte_offset(), span.end.index());
    start..end.max(start)
}
