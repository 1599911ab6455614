//! Events to nodes: collections under construction, anchors, limits.

use std::{collections::HashMap, ops::Range};

use serde_saphyr::granit_parser::{Event, ScalarStyle, Span};

use super::{Entry, Node, Value, bytes, fields::Fields, scalar::plain};
use crate::{
    diagnostic::Code,
    load::{Limits, source::Source},
};

/// What an event led to.
pub(super) enum Step {
    Going,
    Document(Node),
    /// A limit was passed: nothing more of this file is read.
    Stop,
}

/// A collection under construction.
struct Open {
    start: usize,
    anchor: usize,
    collection: Collection,
}

enum Collection {
    Sequence(Vec<Node>),
    Mapping {
        fields: Fields,
        /// The key whose value comes next; `None` inside for a key that cannot be used.
        key: Option<Option<(String, Range<usize>)>>,
    },
}

pub(super) struct Builder<'l> {
    limits: &'l Limits,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    root: Option<Node>,
}

impl<'l> Builder<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, open: Vec::new(), anchors: HashMap::new(), values: 0, root: None }
    }

    pub(super) fn abandon(&mut self) {
        self.open.clear();
        self.anchors.clear();
        self.root = None;
    }

    pub(super) fn take(&mut self, source: &mut Source<'_>, event: Event<'_>, span: &Span) -> Step {
        let place = bytes(source.text, span);
        match event {
            Event::DocumentStart(..) => {
                self.abandon();
                Step::Going
            }
            Event::DocumentEnd => match self.root.take() {
                Some(node) => Step::Document(node),
                None => Step::Going,
            },
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    tag_error(source, span, &place);
                }
                let value =
                    if style == ScalarStyle::Plain { plain(&text) } else { Value::Text(text.into_owned()) };
                self.attach(source, Node { span: place, value }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                if tag.is_some() {
                    tag_error(source, span, &place);
                }
                self.open(source, place, anchor, Collection::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                if tag.is_some() {
                    tag_error(source, span, &place);
                }
                self.open(source, place, anchor, Collection::Mapping { fields: Fields::default(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(source, &place),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    let size = node.measure();
                    if self.open.len() + size.depth > self.limits.depth {
                        return too_deep(source, &place, self.limits);
                    }
                    self.attach(source, node, 0, size.values)
                }
                None => {
                    source.error(
                        &place,
                        Code::AliasInsideItself,
                        "this alias stands inside the value that it repeats".to_owned(),
                        "write the value out".to_owned(),
                    );
                    self.attach(source, Node { span: place, value: Value::Null }, 0, 1)
                }
            },
            // The start and end of the stream; all other events carry nothing, with the options that are set.
            _ => Step::Going,
        }
    }

    fn open(
        &mut self,
        source: &mut Source<'_>,
        place: Range<usize>,
        anchor: usize,
        collection: Collection,
    ) -> Step {
        if self.open.len() + 1 > self.limits.depth {
            return too_deep(source, &place, self.limits);
        }
        self.open.push(Open { start: place.start, anchor, collection });
        Step::Going
    }

    fn close(&mut self, source: &mut Source<'_>, place: &Range<usize>) -> Step {
        let Some(Open { start, anchor, collection }) = self.open.pop() else { return Step::Going };
        let (value, last) = match collection {
            Collection::Sequence(items) => {
                let last = items.last().map(|item| item.span.end);
                (Value::Sequence(items), last)
            }
            Collection::Mapping { fields, key: _ } => {
                let entries = fields.into_entries();
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end));
                (Value::Mapping(entries), last)
            }
        };
        // The end of a block collection is where the next token starts; the last item says better where it ends.
        let flow = source.text.as_bytes().get(start).is_some_and(|byte| matches!(byte, b'[' | b'{'));
        let end = if flow { place.end } else { last.unwrap_or(place.end) };
        self.attach(source, Node { span: start..end.max(start), value }, anchor, 1)
    }

    fn attach(&mut self, source: &mut Source<'_>, node: Node, anchor: usize, values: usize) -> Step {
        // What an anchor names is kept a second time, so nested anchors must not come for free.
        let kept = if anchor == 0 { 0 } else { node.measure().values };
        self.values += values + kept;
        if self.values > self.limits.values {
            source.error(
                &node.span,
                Code::TooManyValues,
                format!("a file holds at most {} values, aliases written out", self.limits.values),
                "split the file, or use fewer aliases".to_owned(),
            );
            return Step::Stop;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.collection) {
            None => self.root = Some(node),
            Some(Collection::Sequence(items)) => items.push(node),
            Some(Collection::Mapping { fields, key }) => match key.take() {
                None => *key = Some(field_name(source, fields, node)),
                // The value of a field that was reported already.
                Some(None) => {}
                Some(Some((key, key_span))) => fields.push(Entry { key, key_span, value: node }),
            },
        }
        Step::Going
    }
}

/// The name of a field; `None` if it cannot be one or is there already.
fn field_name(source: &mut Source<'_>, fields: &Fields, node: Node) -> Option<(String, Range<usize>)> {
    let Node { span, value } = node;
    let written = source.text.get(span.clone()).unwrap_or_default().trim();
    let name = match value {
        Value::Text(text) if text == "<<" => {
            source.error(
                &span,
                Code::MergeKey,
                "the merge key `<<` is not part of YAML 1.2".to_owned(),
                "write the fields out, or repeat a whole value by an alias (`field: *name`)".to_owned(),
            );
            return None;
        }
        Value::Text(text) => text,
        Value::Sequence(_) | Value::Mapping(_) => {
            source.error(&span, Code::FieldNameNotText, "the name of a field is a text".to_owned(), None);
            return None;
        }
        // `1: x` and `true: x` are most likely meant as names; the name is judged by whoever reads the mapping.
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Number(_) => written.to_owned(),
    };
    if let Some(first) = fields.find(&name) {
        let first = source.place(&first.key_span);
        source.collision(
            &span,
            Code::DuplicateField,
            format!("`{name}` is there twice"),
            format!("keep one; the first is on line {}", first.line),
            &first,
        );
        return None;
    }
    Some((name, span))
}

fn tag_error(source: &mut Source<'_>, span: &Span, place: &Range<usize>) {
    let place = span.tag_span().map_or_else(|| place.clone(), |tag| bytes(source.text, &tag));
    source.error(
        &place,
        Code::TagNotAllowed,
        "YAML tags are not read".to_owned(),
        "take the tag out; put a text that looks like a number in quotes".to_owned(),
    );
}

fn too_deep(source: &mut Source<'_>, place: &Range<usize>, limits: &Limits) -> Step {
    source.error(
        place,
        Code::TooDeep,
        format!("a document is nested at most {} levels deep, aliases written out", limits.depth),
        "no document of the language is nested this deep".to_owned(),
    );
    Step::Stop
}
