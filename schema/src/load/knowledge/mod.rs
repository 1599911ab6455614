//! ReleaseKnowledge: reading it, and what a schema cannot say of it.
//!
//! All documents that are read together are one layer: within it nothing may be said twice. What the layer beneath
//! it knows, [`Known`] tells, so that a build may be mapped to a release that only that one lists.

mod judge;
mod releases;
mod said;

use std::collections::BTreeSet;

use serde::Deserialize;

use self::said::Said;
use super::{
    Located, MANIFEST, Marks, SourceFile, header, in_order, reading::text_of, secret, source::Source, tree,
    walk::walk,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    document::{Kind, knowledge::KnowledgeDocument},
    v1::knowledge::ReleaseKnowledge,
    version::Line,
};

/// What may be referred to besides what the documents themselves hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Releases of the core, by line and CU.
    pub releases: BTreeSet<(Line, u16)>,
    /// The ids of known issues.
    pub issues: BTreeSet<String>,
    /// The ids of prerequisites.
    pub prerequisites: BTreeSet<String>,
    /// Says that this is only a part of what is known: no reference is judged.
    pub open: bool,
}

/// Reads ReleaseKnowledge that stands on its own.
///
/// A document with an error is left out; the diagnostics name it, in the order of files and positions.
pub fn load_knowledge(files: &[SourceFile]) -> (Vec<Located<ReleaseKnowledge>>, Vec<Diagnostic>) {
    load_knowledge_beside(files, &Known::default())
}

/// Reads ReleaseKnowledge that may refer to what is `known` already.
pub fn load_knowledge_beside(
    files: &[SourceFile],
    known: &Known,
) -> (Vec<Located<ReleaseKnowledge>>, Vec<Diagnostic>) {
    let mut documents = Vec::new();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut said = Said::default();
    for file in files {
        let text = match text_of(file, &MANIFEST) {
            Ok(text) => text,
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                continue;
            }
        };
        let mut source = Source::new(&file.path, text);
        for node in tree::read_documents(&mut source, &MANIFEST) {
            let line = source.place(&node.span).line;
            let (marks, span) = (Marks::of(&source, &node, Kind::ReleaseKnowledge), node.span.clone());
            if let Some(value) = read(&mut source, node, &mut said) {
                let located = Located { value, path: file.path.clone(), line, marks };
                documents.push((span, located));
            }
        }
        diagnostics.extend(source.into_diagnostics());
    }
    let across = said.judge(known);
    // Where two say the same, the later is left out.
    documents.retain(|(span, located)| {
        !across.iter().any(|(place, _)| *place.path == *located.path && span.contains(&place.span.start))
    });
    diagnostics.extend(across.into_iter().map(|(_, diagnostic)| diagnostic));
    (documents.into_iter().map(|(_, located)| located).collect(), in_order(files, diagnostics))
}

fn read(source: &mut Source<'_>, node: tree::Node, said: &mut Said) -> Option<ReleaseKnowledge> {
    let before = source.error_count();
    let secrets = secret::find_secrets(source, &node);
    let kind = header::read_kind(source, &node, &[Kind::ReleaseKnowledge])?;
    walk(source, kind, &secrets, &node);
    judge::judge(source, &node, said);
    if source.error_count() > before {
        return None;
    }
    let start = node.span.start;
    match KnowledgeDocument::deserialize(node) {
        Ok(document) => Some(document.into()),
        Err(error) => {
            let message = format!("this {} could not be read: {error}", kind.name());
            let help = "this is a fault of the program; please report it with the document".to_owned();
            source.error(&(start..start), Code::Unreadable, message, help);
            None
        }
    }
}
