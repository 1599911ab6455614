//! Bytes to documents, with all diagnostics: nothing stops at the first error.
//!
//! One document goes this way: YAML events to a tree in which every value knows its place (`tree`); `kind` is read;
//! secrets are looked for (`secret`); the tree is checked against the schema of its kind (`walk`, `check`); what a
//! schema cannot say is judged on the same tree (`cluster`, `catalog`, `config`), also where other parts of it are
//! wrong; and only a document without any fault is filled into its type by serde. Last comes what only shows across
//! documents (`across`).
//!
//! The YAML parser is used in `tree` alone.

mod across;
mod catalog;
mod check;
mod cluster;
mod config;
mod header;
mod secret;
mod source;
mod tree;
mod walk;

use serde::de::DeserializeOwned;

use self::{across::Facts, source::Source, tree::Node, walk::Walk};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    document::{
        Kind, catalog::CatalogDocument, checked_schema, cluster::ClusterDocument, config::ConfigDocument,
        observation::ObservationDocument,
    },
    v1::{catalog::PackageCatalog, cluster::Cluster, config::ReconcilerConfig, observation::Observation},
};

/// A file as it was read, not yet trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As diagnostics name it, relative to what the user gave.
    pub path: String,
    /// The whole content; [`MAX_MANIFEST_BYTES`] and [`MAX_OBSERVATION_BYTES`] say how much is taken.
    pub bytes: Vec<u8>,
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// The file.
    pub path: String,
    /// The line on which the document starts, from 1.
    pub line: usize,
}

/// One document of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A cluster.
    Cluster(Cluster),
    /// A catalogue of packages.
    PackageCatalog(PackageCatalog),
    /// What was seen of a cluster.
    Observation(Observation),
    /// The process's own configuration.
    ReconcilerConfig(ReconcilerConfig),
}

/// The manifests of one repository. A document with an error is left out; the diagnostics name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// In the order of files and documents.
    pub clusters: Vec<Located<Cluster>>,
    /// In the order of files and documents.
    pub catalogs: Vec<Located<PackageCatalog>>,
}

/// The largest manifest or configuration, in bytes: several hundred clusters.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// The largest file of observations, in bytes.
pub const MAX_OBSERVATION_BYTES: usize = 16 << 20;

/// The most files of one repository.
pub const MAX_FILES: usize = 20_000;

/// What a file may cost.
struct Limits {
    bytes: usize,
    documents: usize,
    values: usize,
    depth: usize,
}

/// For what people write.
const MANIFEST: Limits = Limits { bytes: MAX_MANIFEST_BYTES, documents: 1_000, values: 200_000, depth: 32 };

/// For what `observe` writes.
const OBSERVATION: Limits =
    Limits { bytes: MAX_OBSERVATION_BYTES, documents: 5_000, values: 2_000_000, depth: 32 };

/// Reads Clusters and PackageCatalogs; also judges what only shows across files.
///
/// The diagnostics come in the order of files and positions.
pub fn load_fleet(files: &[SourceFile]) -> (Fleet, Vec<Diagnostic>) {
    let (loaded, diagnostics) = load_files(files, &MANIFEST, &[Kind::Cluster, Kind::PackageCatalog]);
    let mut fleet = Fleet::default();
    for Located { value, path, line } in loaded {
        match value {
            Document::Cluster(value) => fleet.clusters.push(Located { value, path, line }),
            Document::PackageCatalog(value) => fleet.catalogs.push(Located { value, path, line }),
            Document::Observation(_) | Document::ReconcilerConfig(_) => {}
        }
    }
    (fleet, diagnostics)
}

/// Reads Observations.
pub fn load_observations(files: &[SourceFile]) -> (Vec<Observation>, Vec<Diagnostic>) {
    let (loaded, diagnostics) = load_files(files, &OBSERVATION, &[Kind::Observation]);
    let observations = loaded.into_iter().filter_map(|located| match located.value {
        Document::Observation(observation) => Some(observation),
        Document::Cluster(_) | Document::PackageCatalog(_) | Document::ReconcilerConfig(_) => None,
    });
    (observations.collect(), diagnostics)
}

/// Reads the process's configuration: exactly one document. Without it there is at least one diagnostic.
pub fn load_config(file: &SourceFile) -> (Option<ReconcilerConfig>, Vec<Diagnostic>) {
    let (loaded, mut diagnostics) =
        load_files(std::slice::from_ref(file), &MANIFEST, &[Kind::ReconcilerConfig]);
    let mut configs: Vec<_> = loaded
        .into_iter()
        .filter_map(|located| match located.value {
            Document::ReconcilerConfig(config) => Some(config),
            Document::Cluster(_) | Document::PackageCatalog(_) | Document::Observation(_) => None,
        })
        .collect();
    let fault = match configs.len() {
        1 => None,
        0 if diagnostics.is_empty() => Some("the file holds no ReconcilerConfig"),
        0 => None,
        _ => Some("the file holds several ReconcilerConfigs"),
    };
    if let Some(message) = fault {
        let help = "write one document with `apiVersion: dataminer.gitops/v1` and `kind: ReconcilerConfig`";
        diagnostics.push(Diagnostic::of_file(&file.path, Code::NotADocument, message, help));
    }
    (configs.pop().filter(|_| diagnostics.is_empty()), diagnostics)
}

/// Writes an Observation document; [`load_observations`] reads it back as it was.
pub fn observation_to_yaml(observation: &Observation) -> String {
    let document = ObservationDocument::from(observation);
    // Maps with text keys, texts, numbers and lists: nothing here that YAML or JSON lacks.
    let yaml = serde_yaml::to_string(&document).unwrap_or_default();
    // The writer still takes these for line breaks, as YAML 1.1 did. JSON, which is YAML too, has no such doubt.
    if yaml.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return printable_json(&serde_json::to_string_pretty(&document).unwrap_or_default());
    }
    yaml
}

/// JSON with what YAML does not take as it is written as `\uXXXX`; such characters stand inside texts only.
fn printable_json(json: &str) -> String {
    let plain = |c: char| {
        !matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    json.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }).collect()
}

/// Reads all files, keeps what has no error, and puts the diagnostics into their order.
fn load_files(
    files: &[SourceFile],
    limits: &Limits,
    kinds: &[Kind],
) -> (Vec<Located<Document>>, Vec<Diagnostic>) {
    let mut documents = Vec::new();
    let mut diagnostics = Vec::new();
    let mut facts = Facts::default();
    for (index, file) in files.iter().enumerate() {
        if index == MAX_FILES {
            let message =
                format!("there are more than {MAX_FILES} files; this one and what follows is not read");
            let help = "point the path at the folder of the manifests";
            diagnostics.push(Diagnostic::of_file(&file.path, Code::TooManyFiles, message, help));
            break;
        }
        match text_of(file, limits) {
            Ok(text) => {
                let mut source = Source::new(&file.path, text);
                for node in tree::read_documents(&mut source, limits) {
                    let line = source.place(&node.span).line;
                    if let Some(value) = read_document(&mut source, &node, kinds, &mut facts) {
                        documents.push((Located { value, path: file.path.clone(), line }, node.span));
                    }
                }
                diagnostics.extend(source.into_diagnostics());
            }
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let collisions = facts.judge();
    // The later of two that collide is left out, like any other document with an error.
    documents.retain(|(located, span)| {
        !collisions.iter().any(|(place, _)| place.path == located.path && span.contains(&place.span.start))
    });
    let documents = documents.into_iter().map(|(located, _)| located).collect();
    diagnostics.extend(collisions.into_iter().map(|(_, diagnostic)| diagnostic));
    let order: std::collections::HashMap<&str, usize> =
        files.iter().enumerate().rev().map(|(index, file)| (file.path.as_str(), index)).collect();
    diagnostics.sort_by_key(|found| {
        let file = order.get(found.path.as_str()).copied().unwrap_or(usize::MAX);
        // What is about the file as a whole comes last, after what led to it.
        (file, if found.line == 0 { usize::MAX } else { found.line }, found.column)
    });
    (documents, diagnostics)
}

fn text_of<'a>(file: &'a SourceFile, limits: &Limits) -> Result<&'a str, Diagnostic> {
    let SourceFile { path, bytes } = file;
    if bytes.len() > limits.bytes {
        let message = format!("the file is larger than {} KiB", limits.bytes >> 10);
        return Err(Diagnostic::of_file(path, Code::FileTooLarge, message, "split the file"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("the file is not UTF-8: line {line} holds a byte that does not belong there");
        Diagnostic::of_file(path, Code::NotUtf8, message, "save the file as UTF-8")
    })
}

/// Judges one document and, if nothing is wrong with it, fills it into its type.
fn read_document(
    source: &mut Source<'_>,
    node: &Node,
    kinds: &[Kind],
    facts: &mut Facts,
) -> Option<Document> {
    let before = source.error_count();
    let secrets = secret::find_secrets(source, node);
    let kind = header::read_kind(source, node, kinds)?;
    let root = checked_schema(kind);
    Walk { source, root, secrets: &secrets }.walk(root, node, kind.name());
    match kind {
        Kind::Cluster => cluster::judge(source, node, facts),
        Kind::PackageCatalog => catalog::judge(source, node, facts),
        Kind::Observation => facts.observation(source, node),
        Kind::ReconcilerConfig => config::judge(source, node),
    }
    if source.error_count() > before {
        return None;
    }
    let json = node.to_json();
    let document = match kind {
        Kind::Cluster => fill::<ClusterDocument>(json).map(|read| Document::Cluster(read.into())),
        Kind::PackageCatalog => {
            fill::<CatalogDocument>(json).map(|read| Document::PackageCatalog(read.into()))
        }
        Kind::Observation => fill::<ObservationDocument>(json).map(|read| Document::Observation(read.into())),
        Kind::ReconcilerConfig => {
            fill::<ConfigDocument>(json).map(|read| Document::ReconcilerConfig(read.into()))
        }
    };
    match document {
        Ok(document) => Some(document),
        Err(error) => {
            let message = format!("this {} could not be read: {error}", kind.name());
            let help = "this is a fault of the program; please report it with the document".to_owned();
            source.error(&node.span, Code::Unreadable, message, help);
            None
        }
    }
}

fn fill<T: DeserializeOwned>(json: serde_json::Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(json)
}

/// Whether any of these keeps a document from being used.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|found| found.severity == Severity::Error)
}

#[cfg(test)]
mod tests;
