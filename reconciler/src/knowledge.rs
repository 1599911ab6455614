//! Release knowledge of the user's own: a folder of documents that goes before what the program carries.

use std::path::{Path, PathBuf};

use dataminer_core::knowledge::Knowledge;
use dataminer_schema::{
    diagnostic::{Diagnostic, Severity},
    load::SourceFile,
};

use crate::source::{self, Limits, Refusal};

/// Why release knowledge is not used. Nothing of it is taken then: half of it might say the opposite of all of it.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error("reading the release knowledge below {}: {cause:#}", .folder.display())]
    Unreadable { folder: PathBuf, cause: anyhow::Error },
    #[error("the release knowledge below {} has {}", .folder.display(), errors(.diagnostics))]
    Invalid { folder: PathBuf, files: Vec<SourceFile>, diagnostics: Vec<Diagnostic> },
    #[error("there is no release knowledge below {}", .0.display())]
    Empty(PathBuf),
}

fn errors(diagnostics: &[Diagnostic]) -> String {
    match diagnostics.iter().filter(|found| found.severity == Severity::Error).count() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    }
}

impl KnowledgeError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { .. } => "name a folder or a file that this process can read".to_owned(),
            Self::Invalid { .. } => "correct the places above; `validate` prints them again".to_owned(),
            Self::Empty(_) => {
                "name a folder with documents of `kind: ReleaseKnowledge` in *.yaml; `examples/knowledge` is a start"
                    .to_owned()
            }
        }
    }
}

/// What the program knows, with the documents of `folder` (or of a single file) before it.
///
/// # Errors
/// A folder that cannot be read, documents with errors, none at all.
pub fn read(folder: &Path) -> Result<Knowledge, KnowledgeError> {
    let unreadable = |cause| KnowledgeError::Unreadable { folder: folder.to_owned(), cause };
    let (files, refused) = source::read_tree(folder, Limits::default()).map_err(unreadable)?;
    if files.is_empty() && refused.is_empty() {
        return Err(KnowledgeError::Empty(folder.to_owned()));
    }
    let refused: Vec<Diagnostic> = refused.iter().map(Refusal::diagnostic).collect();
    let (knowledge, mut diagnostics) = match Knowledge::built_in().extended(&files) {
        Ok(knowledge) => (Some(knowledge), Vec::new()),
        Err(diagnostics) => (None, diagnostics),
    };
    diagnostics.extend(refused);
    match knowledge {
        Some(knowledge) if diagnostics.is_empty() => Ok(knowledge),
        _ => Err(KnowledgeError::Invalid { folder: folder.to_owned(), files, diagnostics }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/knowledge")
    }

    #[test]
    fn the_example_adds_a_build_and_an_issue_to_what_is_known() {
        let knowledge = read(&example()).expect("the example is right");
        let built_in = Knowledge::built_in();
        assert_eq!(knowledge.builds().count(), built_in.builds().count() + 1);
        assert_eq!(knowledge.issues().count(), built_in.issues().count() + 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_nothing_is_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(read(folder.path()), Err(KnowledgeError::Empty(_))));
        let text = "apiVersion: dataminer.gitops/v1\nkind: ReleaseKnowledge\nmetadata: { name: own }\nspec:\n  builds:\n    - { build: 17100, release: 10.5.0 CU77, source: mail }\n";
        std::fs::write(folder.path().join("own.yaml"), text).expect("the folder can be written");
        let Err(KnowledgeError::Invalid { diagnostics, .. }) = read(folder.path()) else {
            panic!("10.5.0 CU77 does not exist");
        };
        let said: Vec<(usize, &str)> =
            diagnostics.iter().map(|found| (found.line, found.code.as_str())).collect();
        assert_eq!(said, [(6, "E0804")]);
    }
}
