//! The facts that are compiled in.

use std::sync::OnceLock;

use dataminer_schema::{
    beside::beside_each_other,
    load::{Known, Located, SourceFile, load_knowledge_beside},
    v1::knowledge::{Facts, ReleaseKnowledge},
};

/// What the planner needs for every plan: small, because every start of the program reads it.
const PLANNING: [(&str, &str); 2] = [
    ("releases.yaml", include_str!("../../knowledge/releases.yaml")),
    ("rules.yaml", include_str!("../../knowledge/rules.yaml")),
];

/// What is only read where somebody asks for it, as every plan does that changes something.
const LIBRARY: [(&str, &str); 5] = [
    ("breaking-changes.yaml", include_str!("../../knowledge/breaking-changes.yaml")),
    ("known-issues.yaml", include_str!("../../knowledge/known-issues.yaml")),
    ("requirements.yaml", include_str!("../../knowledge/requirements.yaml")),
    ("side-effects.yaml", include_str!("../../knowledge/side-effects.yaml")),
    ("web-and-cube.yaml", include_str!("../../knowledge/web-and-cube.yaml")),
];

/// Releases of the core, builds, support and rules.
pub(super) fn planning() -> &'static [Facts] {
    static FACTS: OnceLock<Vec<Facts>> = OnceLock::new();
    FACTS.get_or_init(|| facts(&PLANNING))
}

/// Everything else.
pub(super) fn library() -> &'static [Facts] {
    static FACTS: OnceLock<Vec<Facts>> = OnceLock::new();
    FACTS.get_or_init(|| facts(&LIBRARY))
}

/// Each half refers to the other, so references are judged in the test alone, which reads both at once. What does not
/// refer to each other is read beside each other.
fn facts(files: &[(&str, &str)]) -> Vec<Facts> {
    let known = Known { open: true, ..Known::default() };
    let read = |file: SourceFile| load_knowledge_beside(&[file], &known).0;
    let documents = beside_each_other(sources(files), 1, read).into_iter().flatten();
    documents.map(|Located { value: ReleaseKnowledge { facts, .. }, .. }| facts).collect()
}

fn sources(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let source = |(path, text): &(&str, &str)| SourceFile {
        path: format!("knowledge/{path}"),
        bytes: text.as_bytes().to_vec(),
    };
    files.iter().map(source).collect()
}

/// All of it, read as a user's own files are.
#[cfg(test)]
pub(super) fn judged() -> (Vec<Located<ReleaseKnowledge>>, Vec<dataminer_schema::diagnostic::Diagnostic>) {
    let files: Vec<(&str, &str)> = PLANNING.into_iter().chain(LIBRARY).collect();
    load_knowledge_beside(&sources(&files), &Known::default())
}
