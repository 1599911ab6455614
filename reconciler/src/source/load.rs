//! A snapshot judged: good as a whole, or not at all.

use dataminer_schema::{
    diagnostic::Diagnostic,
    load::{Fleet, SourceFile, has_errors, load_fleet},
};

use super::{CommitInfo, Refusal, Snapshot};

/// The manifests of a good commit.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub commit: CommitInfo,
    pub fleet: Fleet,
    /// What a reader should know and that stops nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Reads every document of a snapshot.
///
/// # Errors
/// All diagnostics, if one of them is an error: half a commit is never in force.
pub fn load(snapshot: &Snapshot) -> Result<Loaded, Vec<Diagnostic>> {
    let (fleet, warnings) = assemble(&snapshot.files, &snapshot.refused)?;
    Ok(Loaded { commit: snapshot.commit.clone(), fleet, warnings })
}

/// The fleet of these files and its warnings.
///
/// # Errors
/// All diagnostics in the order of path and place, if one of them is an error.
pub fn assemble(
    files: &[SourceFile],
    refused: &[Refusal],
) -> Result<(Fleet, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (fleet, mut diagnostics) = load_fleet(files);
    diagnostics.extend(refused.iter().map(Refusal::diagnostic));
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    if has_errors(&diagnostics) { Err(diagnostics) } else { Ok((fleet, diagnostics)) }
}
