//! Every code at length: why it is a fault, and an example of it beside the corrected one.
//!
//! The examples are data. A test sends each through the reader: the wrong one has that fault and no other, the
//! corrected one has none.

mod across;
mod field;
mod file;
mod judged;
mod knowledge;
mod text;

use super::Code;

/// A code at length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Why it is a fault, and what stands behind it.
    pub why: &'static str,
    /// How it looks, and how it is put right.
    pub example: Example,
}

/// How a fault looks, and how it is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// Parts of documents, the rest of which does not matter.
    Parts {
        /// What the parts are parts of.
        of: Frame,
        /// With the fault.
        wrong: &'static str,
        /// Without it.
        right: &'static str,
    },
    /// What an example would be too long or too odd for.
    Told(&'static str),
}

/// What an example is a part of. Several documents are parted by `---`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Clusters.
    Cluster,
    /// Catalogues of packages.
    PackageCatalog,
    /// Observations.
    Observation,
    /// The process's own configuration.
    ReconcilerConfig,
    /// Whole manifests, with nothing left out.
    Whole,
}

/// A code and what is said of it.
type Entry = (Code, Explanation);

/// All that is said, in the order of the codes.
const ENTRIES: [&[Entry]; 6] = [file::ALL, field::ALL, text::ALL, judged::ALL, across::ALL, knowledge::ALL];

const fn parts(of: Frame, why: &'static str, wrong: &'static str, right: &'static str) -> Explanation {
    Explanation { why, example: Example::Parts { of, wrong, right } }
}

const fn told(why: &'static str, example: &'static str) -> Explanation {
    Explanation { why, example: Example::Told(example) }
}

impl Code {
    /// Why it is a fault, with an example.
    pub fn explanation(self) -> Explanation {
        let found = ENTRIES.into_iter().flatten().find(|(code, _)| *code == self);
        // A test holds that there is an entry for every code.
        found.map_or_else(|| told(self.meaning(), ""), |(_, explanation)| *explanation)
    }
}

impl Frame {
    /// The documents that `part` is a part of: what it does not say is filled in.
    pub fn documents(self, part: &str) -> String {
        let whole: Vec<String> = part.split("---\n").map(|part| self.document(part)).collect();
        whole.join("---\n")
    }

    fn document(self, part: &str) -> String {
        let (kind, spec): (&str, &[(&str, &str)]) = match self {
            Self::Whole => return part.to_owned(),
            _ if part.contains("apiVersion:") => return part.to_owned(),
            Self::Cluster => (
                "Cluster",
                &[
                    ("software:", "software: { core: 10.5.0 CU9 }"),
                    ("agents:", "agents: [ { name: bru-dma-01, address: 10.0.0.11 } ]"),
                ],
            ),
            Self::PackageCatalog => ("PackageCatalog", &[]),
            Self::Observation => {
                ("Observation", &[("takenAt:", "takenAt: 2026-11-21T02:00:00Z"), ("agents:", "agents: []")])
            }
            Self::ReconcilerConfig => (
                "ReconcilerConfig",
                &[
                    ("installation:", "installation: prod"),
                    ("sources:", "sources: [ { name: fleet, url: \"ssh://git@git.example/fleet.git\" } ]"),
                ],
            ),
        };
        let mut text = format!("apiVersion: dataminer.gitops/v1\nkind: {kind}\n");
        if !part.contains("metadata:") {
            text += "metadata: { name: brussels }\n";
        }
        text += part;
        if !part.contains("spec:") {
            text += "spec:\n";
        }
        for (field, default) in spec {
            if !part.contains(field) {
                text.extend([format!("  {default}\n")]);
            }
        }
        if text.ends_with("spec:\n") {
            text.truncate(text.len() - 1);
            text += " {}\n";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        diagnostic::{Diagnostic, Severity},
        load::{SourceFile, load_config, load_fleet, load_observations},
    };

    fn codes(of: Frame, part: &str, point: Code) -> (BTreeSet<Code>, String) {
        let text = of.documents(part);
        let files = [SourceFile { path: "a.yaml".to_owned(), bytes: text.clone().into_bytes() }];
        let found = match of {
            Frame::Cluster | Frame::PackageCatalog | Frame::Whole => load_fleet(&files).1,
            Frame::Observation => load_observations(&files).1,
            Frame::ReconcilerConfig => load_config(&files[0]).1,
        };
        let said: String = found.iter().map(|found| format!("{found}\n")).collect();
        // What an example needs beside its point may be something that this release only warns of.
        let counts = |found: &&Diagnostic| {
            found.severity == Severity::Error || found.code == point || found.code != Code::NotSupportedYet
        };
        (found.iter().filter(counts).map(|found| found.code).collect(), format!("{text}\n{said}"))
    }

    #[test]
    fn every_code_is_explained_once() {
        let explained: Vec<Code> = ENTRIES.into_iter().flatten().map(|(code, _)| *code).collect();
        let mut sorted = explained.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, Code::ALL, "add what is missing to the files beside this one");
        for (code, Explanation { why, example }) in ENTRIES.into_iter().flatten() {
            assert!(why.ends_with('.') && why.len() > 40, "{code}: {why}");
            if let Example::Told(text) = example {
                assert!(text.ends_with('.'), "{code}: {text}");
            }
        }
    }

    #[test]
    fn wrong_examples_have_their_fault_alone_and_right_ones_none() {
        let mut faults = Vec::new();
        for code in Code::ALL {
            let Example::Parts { of, wrong, right } = code.explanation().example else { continue };
            let (found, said) = codes(of, wrong, *code);
            if found != BTreeSet::from([*code]) {
                faults.push(format!("{code}, wrong: {said}"));
            }
            let (found, said) = codes(of, right, *code);
            if !found.is_empty() {
                faults.push(format!("{code}, right: {said}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
