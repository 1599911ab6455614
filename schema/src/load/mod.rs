//! Bytes to documents, with all diagnostics: nothing stops at the first error.
//!
//! One document goes this way: YAML events to a tree in which every value knows its place (`tree`); `kind` is read;
//! secrets are looked for (`secret`); the tree is checked against the schema of its kind (`walk`, `check`); what a
//! schema cannot say is judged on the same tree (`cluster`, `catalog`, `config`), also where other parts of it are
//! wrong; and only a document without any fault goes on: serde fills its type from the tree (`tree::fill`), and the
//! tree is let go. Files are read this far beside each other (`reading`).
//! Then comes what only shows across documents (`across`), and Profiles are merged into their Clusters (`assembly`,
//! `merge`), which waited for that as JSON.
//!
//! The YAML parser is used in `tree` alone.

mod across;
mod assembly;
mod catalog;
mod characters;
mod check;
mod cluster;
mod config;
mod dependencies;
mod header;
mod hidden;
mod knowledge;
mod marks;
mod merge;
mod reading;
mod rollout;
mod secret;
mod source;
mod tree;
mod walk;

use std::collections::HashMap;

use serde::Deserialize;

use self::reading::{Reading, read_files};
pub use self::{
    catalog::catalog_to_yaml,
    knowledge::{Known, load_knowledge, load_knowledge_beside},
    marks::{Mark, Marks},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    document::{Kind, config::ConfigDocument, observation::ObservationDocument},
    v1::{
        advisory::Advisory, catalog::PackageCatalog, cluster::Cluster, config::ReconcilerConfig,
        observation::Observation, profile::Profile, rollout::Rollout,
    },
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
    /// Where its fields were written.
    pub marks: Marks,
}

impl<T> Located<T> {
    /// What was not read from a file: at line 1 of `path`, without marks.
    pub fn unmarked(value: T, path: impl Into<String>) -> Self {
        Self { value, path: path.into(), line: 1, marks: Marks::default() }
    }
}

/// The manifests of one repository. A document with an error is left out; the diagnostics name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// In the order of files and documents, with their Profiles merged in.
    pub clusters: Vec<Located<Cluster>>,
    /// In the order of files and documents.
    pub profiles: Vec<Located<Profile>>,
    /// In the order of files and documents.
    pub catalogs: Vec<Located<PackageCatalog>>,
    /// In the order of files and documents.
    pub rollouts: Vec<Located<Rollout>>,
    /// In the order of files and documents.
    pub advisories: Vec<Located<Advisory>>,
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

/// Reads the kinds of a fleet repository; also judges what only shows across files.
///
/// The diagnostics come in the order of files and positions.
pub fn load_fleet(files: &[SourceFile]) -> (Fleet, Vec<Diagnostic>) {
    let read = read_files(files, &MANIFEST, &Kind::FLEET, assembly::fill);
    let (fleet, more) = assembly::assemble(read.documents);
    (fleet, in_order(files, read.diagnostics.into_iter().chain(more).collect()))
}

/// Reads Observations.
pub fn load_observations(files: &[SourceFile]) -> (Vec<Observation>, Vec<Diagnostic>) {
    let fill = |_, node| ObservationDocument::deserialize(node).map(Observation::from);
    let read = read_files(files, &OBSERVATION, &[Kind::Observation], fill);
    let observations = read.documents.into_iter().map(|located| located.value).collect();
    (observations, in_order(files, read.diagnostics))
}

/// Reads the process's configuration: exactly one document. Without it there is at least one diagnostic.
pub fn load_config(file: &SourceFile) -> (Option<ReconcilerConfig>, Vec<Diagnostic>) {
    let fill = |_, node| ConfigDocument::deserialize(node).map(ReconcilerConfig::from);
    let Reading { documents: mut configs, mut diagnostics } =
        read_files(std::slice::from_ref(file), &MANIFEST, &[Kind::ReconcilerConfig], fill);
    diagnostics.extend(configs.iter().flat_map(config::not_carried_out));
    let fault = match configs.len() {
        1 => None,
        0 if has_errors(&diagnostics) => None,
        0 => Some("the file holds no ReconcilerConfig"),
        _ => Some("the file holds several ReconcilerConfigs"),
    };
    if let Some(message) = fault {
        let help = "write one document with `apiVersion: dataminer.gitops/v1` and `kind: ReconcilerConfig`";
        diagnostics.push(Diagnostic::of_file(&file.path, Code::NotADocument, message, help));
    }
    let usable = !has_errors(&diagnostics);
    let config = configs.pop().filter(|_| usable).map(|located| located.value);
    (config, in_order(std::slice::from_ref(file), diagnostics))
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

/// In the order of the files and of the places in them.
fn in_order(files: &[SourceFile], mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let order: HashMap<&str, usize> =
        files.iter().enumerate().rev().map(|(index, file)| (file.path.as_str(), index)).collect();
    diagnostics.sort_by_key(|found| {
        let file = order.get(found.path.as_str()).copied().unwrap_or(usize::MAX);
        // What is about the file as a whole comes last, after what led to it.
        (file, if found.line == 0 { usize::MAX } else { found.line }, found.column)
    });
    diagnostics
}

/// Whether any of these keeps a document from being used.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|found| found.severity == Severity::Error)
}

#[cfg(test)]
mod tests;
