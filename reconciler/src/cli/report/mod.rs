//! Diagnostics in the forms that people, editors, forges and build servers read.
//!
//! Nothing of a file is repeated but what its diagnostics say, and in the text the one line that each points at:
//! values that look like secrets are in neither.

mod github;
mod junit;
mod place;
mod sarif;

use std::collections::{BTreeMap, BTreeSet};

use dataminer_schema::{
    diagnostic::{Diagnostic, Paint, Severity},
    load::SourceFile,
};
use serde::Serialize;

use super::Terminal;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people: each diagnostic with the lines that it is about
    #[default]
    Text,
    /// The diagnostics as data
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands that GitHub Actions shows beside the lines
    Github,
    /// JUnit XML with one test case for each file
    Junit,
}

impl Format {
    /// Whether a line on stderr sums up; programs that read the others count for themselves.
    pub(super) fn has_verdict(self) -> bool {
        match self {
            Self::Text | Self::Sarif | Self::Github | Self::Junit => true,
            Self::Json => false,
        }
    }
}

/// What was read, and what is wrong with it.
pub(super) struct Findings<'a> {
    paths: Vec<&'a str>,
    /// The texts of the files that diagnostics speak of; a file that is not UTF-8 has none.
    texts: BTreeMap<&'a str, &'a str>,
    diagnostics: &'a [Diagnostic],
}

impl<'a> Findings<'a> {
    pub(super) fn new(
        files: impl Iterator<Item = &'a SourceFile> + Clone,
        diagnostics: &'a [Diagnostic],
    ) -> Self {
        let paths = files.clone().map(|file| file.path.as_str()).collect();
        let mut spoken_of: BTreeSet<&str> = diagnostics.iter().map(|found| found.path.as_str()).collect();
        spoken_of
            .extend(diagnostics.iter().flat_map(|found| &found.related).map(|place| place.path.as_str()));
        let texts = files
            .filter(|file| spoken_of.contains(file.path.as_str()))
            .filter_map(|file| Some((file.path.as_str(), std::str::from_utf8(&file.bytes).ok()?)))
            .collect();
        Self { paths, texts, diagnostics }
    }

    /// The paths of the files that were read.
    pub(super) fn files(&self) -> impl Iterator<Item = &'a str> {
        self.paths.iter().copied()
    }

    pub(super) fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    fn text_of(&self, path: &str) -> Option<&'a str> {
        self.texts.get(path).copied()
    }

    fn render(&self, diagnostic: &Diagnostic, paint: Paint) -> String {
        let text = diagnostic.render(|path| self.text_of(path), paint);
        format!("{}\n", text.trim_end())
    }
}

/// Each diagnostic with snippets of its files.
pub(super) fn texts(files: &[SourceFile], diagnostics: &[Diagnostic], paint: Paint) -> Vec<String> {
    let findings = Findings::new(files.iter(), diagnostics);
    diagnostics.iter().map(|diagnostic| findings.render(diagnostic, paint)).collect()
}

/// Writes a report to stdout.
///
/// # Errors
/// Those of the stream.
pub(super) fn write(findings: &Findings<'_>, format: Format, terminal: &mut Terminal) -> anyhow::Result<()> {
    match format {
        Format::Text => {
            let paint = terminal.paint();
            for diagnostic in findings.diagnostics {
                terminal.line(findings.render(diagnostic, paint))?;
            }
        }
        Format::Json => terminal.json(&Report::of(findings))?,
        Format::Sarif => terminal.json(&sarif::log(findings))?,
        Format::Github => {
            for diagnostic in findings.diagnostics {
                terminal.line(github::command(findings, diagnostic))?;
            }
        }
        Format::Junit => terminal.line(junit::document(findings)?)?,
    }
    Ok(())
}

/// The report as data. Additive changes raise the minor of its version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: &'static str,
    files: usize,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

impl<'a> Report<'a> {
    fn of(findings: &Findings<'a>) -> Self {
        Self {
            format_version: "1.1",
            files: findings.paths.len(),
            errors: findings.count(Severity::Error),
            warnings: findings.count(Severity::Warning),
            diagnostics: findings.diagnostics,
        }
    }
}

#[cfg(test)]
mod testing;
