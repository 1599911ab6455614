//! Files to documents without faults, many files beside each other.

use std::{collections::BTreeSet, ops::Range};

use serde::de::value::Error;

use super::{
    Limits, Located, MAX_FILES, Marks, SourceFile,
    across::Facts,
    catalog, cluster, config, header, rollout, secret,
    source::Source,
    tree::{self, Node},
    walk::walk,
};
use crate::{
    beside::beside_each_other,
    diagnostic::{Code, Diagnostic},
    document::Kind,
};

/// A document that was checked and has no fault of its own.
struct ReadDocument<T> {
    located: Located<T>,
    /// All of it, in bytes of the file.
    span: Range<usize>,
}

/// What was read of several files.
pub(super) struct Reading<T> {
    pub(super) documents: Vec<Located<T>>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What was read of one file.
struct Part<T> {
    documents: Vec<ReadDocument<T>>,
    diagnostics: Vec<Diagnostic>,
    facts: Facts,
}

/// Fewer files than this are read faster than a thread starts.
const WORTH_A_THREAD: usize = 16;

/// Reads all files and keeps what has no error, also none that only shows across documents. `fill` makes of each
/// document what it is, right where it was read, so that no more than one tree for each thread is held at a time.
/// The result does not depend on how many processors there are.
pub(super) fn read_files<T: Send>(
    files: &[SourceFile],
    limits: &Limits,
    kinds: &[Kind],
    fill: impl Fn(Kind, Node) -> Result<T, Error> + Sync,
) -> Reading<T> {
    let (taken, rest) = files.split_at(files.len().min(MAX_FILES));
    let parts = beside_each_other(taken.iter().collect(), WORTH_A_THREAD, |file| {
        read_file(file, limits, kinds, &fill)
    });
    let (mut documents, mut diagnostics, mut facts) = (Vec::new(), Vec::new(), Facts::default());
    for part in parts {
        documents.extend(part.documents);
        diagnostics.extend(part.diagnostics);
        facts.join(part.facts);
    }
    if let Some(first) = rest.first() {
        let message = format!("there are more than {MAX_FILES} files; this one and what follows is not read");
        let help = "point the path at the folder of the manifests";
        diagnostics.push(Diagnostic::of_file(&first.path, Code::TooManyFiles, message, help));
    }
    let collisions = facts.judge();
    // The later of two that collide is left out, like any other document with an error.
    let collided: BTreeSet<(&str, usize)> =
        collisions.iter().map(|(place, _)| (place.path.as_ref(), place.span.start)).collect();
    documents.retain(|ReadDocument { located, span }| {
        let path = located.path.as_str();
        collided.range((path, span.start)..(path, span.end)).next().is_none()
    });
    diagnostics.extend(collisions.into_iter().map(|(_, diagnostic)| diagnostic));
    Reading { documents: documents.into_iter().map(|document| document.located).collect(), diagnostics }
}

fn read_file<T>(
    file: &SourceFile,
    limits: &Limits,
    kinds: &[Kind],
    fill: &impl Fn(Kind, Node) -> Result<T, Error>,
) -> Part<T> {
    let mut part = Part { documents: Vec::new(), diagnostics: Vec::new(), facts: Facts::default() };
    match text_of(file, limits) {
        Ok(text) => {
            let mut source = Source::new(&file.path, text);
            for node in tree::read_documents(&mut source, limits) {
                part.documents.extend(read_document(&mut source, node, kinds, &mut part.facts, fill));
            }
            part.diagnostics = source.into_diagnostics();
        }
        Err(diagnostic) => part.diagnostics.push(*diagnostic),
    }
    part
}

pub(super) fn text_of<'a>(file: &'a SourceFile, limits: &Limits) -> Result<&'a str, Box<Diagnostic>> {
    let SourceFile { path, bytes } = file;
    if bytes.len() > limits.bytes {
        let message = format!("the file is larger than {} KiB", limits.bytes >> 10);
        return Err(Diagnostic::of_file(path, Code::FileTooLarge, message, "split the file").into());
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("the file is not UTF-8: line {line} holds a byte that does not belong there");
        Diagnostic::of_file(path, Code::NotUtf8, message, "save the file as UTF-8").into()
    })
}

/// Judges one document; `None` if anything is wrong with it.
fn read_document<T>(
    source: &mut Source<'_>,
    node: Node,
    kinds: &[Kind],
    facts: &mut Facts,
    fill: &impl Fn(Kind, Node) -> Result<T, Error>,
) -> Option<ReadDocument<T>> {
    let before = source.error_count();
    let secrets = secret::find_secrets(source, &node);
    let kind = header::read_kind(source, &node, kinds)?;
    walk(source, kind, &secrets, &node);
    match kind {
        Kind::Cluster => cluster::judge(source, &node, facts),
        Kind::Profile => cluster::judge_profile(source, &node, facts),
        Kind::PackageCatalog => catalog::judge(source, &node, facts),
        Kind::Rollout => rollout::judge(source, &node, facts),
        Kind::Advisory => facts.named(kind, source, &node),
        Kind::Observation => facts.observation(source, &node),
        Kind::ReconcilerConfig => config::judge(source, &node),
        // Judged by `load_knowledge`, which knows what is beside it.
        Kind::ReleaseKnowledge => {}
    }
    if source.error_count() > before {
        return None;
    }
    let place = source.place(&node.span);
    let marks = Marks::of(source, &node, kind);
    let (path, line, span) = (place.path.to_string(), place.line, node.span.clone());
    match fill(kind, node) {
        Ok(value) => Some(ReadDocument { located: Located { value, path, line, marks }, span }),
        Err(error) => {
            let message = format!("this {} could not be read: {error}", kind.name());
            let help = "this is a fault of the program; please report it with the document".to_owned();
            source.error(&(span.start..span.start), Code::Unreadable, message, help);
            None
        }
    }
}
