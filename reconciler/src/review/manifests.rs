//! What the manifests themselves are accused of: errors, behind which nothing can be planned, and new warnings.

use std::collections::BTreeSet;

use dataminer_schema::{
    diagnostic::{Diagnostic, Paint, Severity},
    load::SourceFile,
};
use serde::Serialize;

use super::{escape, work::plural};

/// Diagnostics, with the lines of the files that they point at.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifests {
    /// Whether they cannot be planned.
    broken: bool,
    diagnostics: Vec<Diagnostic>,
    /// Each diagnostic with its lines.
    #[serde(skip)]
    texts: Vec<String>,
    /// Why the side that is compared with could not be planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
}

impl Manifests {
    /// Manifests with errors.
    pub fn broken(files: &[SourceFile], diagnostics: Vec<Diagnostic>) -> Self {
        Self { broken: true, texts: texts(files, &diagnostics), diagnostics, base: None }
    }

    /// Manifests of which each is right, and that contradict each other.
    pub fn contradictory(why: String) -> Self {
        Self { broken: true, diagnostics: Vec::new(), texts: vec![why], base: None }
    }

    /// Manifests with warnings. What was there before is none of the reviewer's.
    pub fn doubtful(files: &[SourceFile], diagnostics: Vec<Diagnostic>, before: &[Diagnostic]) -> Self {
        let known: BTreeSet<_> = before.iter().map(same).collect();
        let fresh: Vec<_> = diagnostics.into_iter().filter(|found| !known.contains(&same(found))).collect();
        Self { broken: false, texts: texts(files, &fresh), diagnostics: fresh, base: None }
    }

    /// The same over a base that could not be planned.
    #[must_use]
    pub fn upon(self, base: Option<String>) -> Self {
        Self { base, ..self }
    }

    /// Whether nothing could be planned.
    pub fn are_broken(&self) -> bool {
        self.broken
    }

    /// Why there is nothing to compare with.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// The diagnostics for a terminal.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// What they come to: `2 errors`.
    pub fn verdict(&self) -> String {
        let errors = self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        plural(errors.max(1), "error")
    }

    /// As many diagnostics as fit, each whole.
    pub(super) fn markdown(&self, room: usize) -> String {
        let mut out = String::new();
        let mut shown = 0;
        for text in &self.texts {
            let block = format!("{}\n", escape::fenced(text.trim_end()));
            if out.len() + block.len() > room {
                break;
            }
            out.push_str(&block);
            shown += 1;
        }
        let more = self.texts.len() - shown;
        if more > 0 {
            put!(out, "{more} more are not shown here; `dataminer-reconciler validate` prints them all.\n");
        }
        out
    }
}

fn same(found: &Diagnostic) -> (&str, &str, &str) {
    (found.code.as_str(), &found.path, &found.message)
}

fn texts(files: &[SourceFile], diagnostics: &[Diagnostic]) -> Vec<String> {
    let text_of = |path: &str| {
        let file = files.iter().find(|file| file.path == path)?;
        std::str::from_utf8(&file.bytes).ok()
    };
    diagnostics.iter().map(|found| found.render(text_of, Paint::Plain)).collect()
}
