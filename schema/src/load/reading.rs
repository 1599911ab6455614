//! Files to documents without faults, many files beside each other.

use std::{ops::Range, thread};

use super::{
    Limits, MAX_FILES, Marks, SourceFile,
    across::Facts,
    catalog, cluster, config, header, rollout, secret,
    source::Source,
    tree::{self, Node},
    walk::Walk,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    document::{Kind, checked_schema},
};

/// A document that was checked and has no fault of its own.
pub(super) struct ReadDocument {
    pub(super) kind: Kind,
    pub(super) json: serde_json::Value,
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) marks: Marks,
    /// All of it, in bytes of the file.
    span: Range<usize>,
}

/// What was read of several files.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) documents: Vec<ReadDocument>,
    pub(super) diagnostics: Vec<Diagnostic>,
    facts: Facts,
}

impl Reading {
    fn join(&mut self, other: Self) {
        self.documents.extend(other.documents);
        self.diagnostics.extend(other.diagnostics);
        self.facts.join(other.facts);
    }
}

/// Reads all files and keeps what has no error, also none that only shows across documents. The result does not
/// depend on how many processors there are.
pub(super) fn read_files(files: &[SourceFile], limits: &Limits, kinds: &[Kind]) -> Reading {
    let (taken, rest) = files.split_at(files.len().min(MAX_FILES));
    let mut reading = Reading::default();
    for part in beside_each_other(taken, |file| read_file(file, limits, kinds)) {
        reading.join(part);
    }
    if let Some(first) = rest.first() {
        let message = format!("there are more than {MAX_FILES} files; this one and what follows is not read");
        let help = "point the path at the folder of the manifests";
        reading.diagnostics.push(Diagnostic::of_file(&first.path, Code::TooManyFiles, message, help));
    }
    let collisions = std::mem::take(&mut reading.facts).judge();
    // The later of two that collide is left out, like any other document with an error.
    reading.documents.retain(|document| {
        !collisions
            .iter()
            .any(|(place, _)| *place.path == *document.path && document.span.contains(&place.span.start))
    });
    reading.diagnostics.extend(collisions.into_iter().map(|(_, diagnostic)| diagnostic));
    reading
}

/// Fewer bytes than this are read faster than a thread starts.
const WORTH_A_THREAD: usize = 64 << 10;

/// What `read` says of each run of files, in their order, with a run for each processor.
fn beside_each_other(files: &[SourceFile], read: impl Fn(&SourceFile) -> Reading + Sync) -> Vec<Reading> {
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let runs = processors.min(bytes / WORTH_A_THREAD).max(1);
    let in_turn = |run: &[SourceFile]| {
        let mut reading = Reading::default();
        for file in run {
            reading.join(read(file));
        }
        reading
    };
    if runs == 1 {
        return vec![in_turn(files)];
    }
    thread::scope(|scope| {
        let threads: Vec<_> =
            files.chunks(files.len().div_ceil(runs)).map(|run| scope.spawn(|| in_turn(run))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn read_file(file: &SourceFile, limits: &Limits, kinds: &[Kind]) -> Reading {
    let mut reading = Reading::default();
    match text_of(file, limits) {
        Ok(text) => {
            let mut source = Source::new(&file.path, text);
            for node in tree::read_documents(&mut source, limits) {
                reading.documents.extend(read_document(&mut source, node, kinds, &mut reading.facts));
            }
            reading.diagnostics = source.into_diagnostics();
        }
        Err(diagnostic) => reading.diagnostics.push(*diagnostic),
    }
    reading
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
fn read_document(
    source: &mut Source<'_>,
    node: Node,
    kinds: &[Kind],
    facts: &mut Facts,
) -> Option<ReadDocument> {
    let before = source.error_count();
    let secrets = secret::find_secrets(source, &node);
    let kind = header::read_kind(source, &node, kinds)?;
    let root = checked_schema(kind);
    Walk { source, root, secrets: &secrets }.walk(root, &node, kind.name());
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
    Some(ReadDocument {
        kind,
        json: node.to_json(),
        path: place.path.to_string(),
        line: place.line,
        marks,
        span: node.span,
    })
}
