//! Commits of the repository that a folder lies in, by the names that people give them: for the verbs that compare two.
//!
//! Objects are read, never a work tree: what somebody wants to merge is data here, and nothing of it is checked out.

use std::path::Path;

use dataminer_schema::id::CommitId;
use git2::{ErrorCode, Oid, Repository};

use super::{
    Limits, Snapshot, SourceError,
    intake::printable,
    repository::{commit_id, read_commit},
};

/// A repository around a folder of manifests.
pub struct Revisions {
    repository: Repository,
    /// Of the folder, in the repository; empty for its root.
    path: String,
    url: String,
}

impl Revisions {
    /// The repository that `folder` is in, or that it is.
    ///
    /// # Errors
    /// A folder that is in no repository, or in one that belongs to somebody else.
    pub fn around(folder: &Path) -> Result<Self, SourceError> {
        let refused = |cause: git2::Error| {
            if cause.code() == ErrorCode::Owner {
                SourceError::ForeignOwner { path: folder.to_owned() }
            } else {
                SourceError::NotARepository { path: folder.to_owned(), cause: printable(cause.message()) }
            }
        };
        let repository = Repository::discover(folder).map_err(refused)?;
        let path = match (repository.workdir().map(Path::canonicalize), folder.canonicalize()) {
            (Some(Ok(root)), Ok(folder)) => {
                folder.strip_prefix(&root).ok().and_then(Path::to_str).unwrap_or_default().replace('\\', "/")
            }
            _ => String::new(),
        };
        let url = folder.display().to_string();
        Ok(Self { repository, path, url })
    }

    /// The commit that `name` means: a branch, a tag, `HEAD~2`, an id.
    ///
    /// # Errors
    /// A name of nothing that is here; a shallow clone lacks most commits.
    pub fn commit(&self, name: &str) -> Result<CommitId, SourceError> {
        let found = self.repository.revparse_single(name).and_then(|object| object.peel_to_commit());
        match found {
            Ok(commit) => Ok(commit_id(commit.id())),
            Err(_) => Err(SourceError::RevisionMissing { path: self.url.clone(), name: printable(name) }),
        }
    }

    /// The newest commit that both follow: what a pull request started from, whatever came onto its base since. None
    /// where no such commit is here.
    ///
    /// # Errors
    /// Damaged objects.
    pub fn common(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, SourceError> {
        let oid = |id: &CommitId| Oid::from_str(id.as_str());
        let found = oid(one).and_then(|one| self.repository.merge_base(one, oid(other)?));
        match found {
            Ok(common) => Ok(Some(commit_id(common))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            // A shallow clone ends where a commit names a parent that is not there.
            Err(_) if self.repository.is_shallow() => Ok(None),
            Err(error) => Err(SourceError::Object {
                url: self.url.clone(),
                what: format!("the history of {one} and {other}"),
                cause: printable(error.message()),
            }),
        }
    }

    /// The manifests of a commit; none where it does not have the folder.
    ///
    /// # Errors
    /// Damaged objects.
    pub fn snapshot(&self, id: &CommitId) -> Result<Option<Snapshot>, SourceError> {
        match read_commit(&self.repository, id, &self.path, Limits::default(), &self.url) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(SourceError::PathMissing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folder in the repository, as people name it.
    pub fn folder(&self) -> &str {
        if self.path.is_empty() { "." } else { &self.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::{CLUSTER, Entry, Fixture};

    #[test]
    fn commits_are_found_by_name_and_read_without_a_checkout() {
        let fixture = Fixture::new();
        let first = fixture.commit_file("clusters/brussels.yaml", CLUSTER);
        let second =
            fixture.commit(&[("clusters/lisbon.yaml", Entry::File(b"a")), ("b.yaml", Entry::File(b"b"))]);
        std::fs::create_dir(fixture.path().join("clusters")).expect("a folder can be made");
        let revisions = Revisions::around(&fixture.path().join("clusters")).expect("it is in a repository");
        assert_eq!(revisions.folder(), "clusters");
        let commit = |name: &str| revisions.commit(name).expect("it is there");
        assert_eq!(commit("main").as_str(), second.to_string());
        assert_eq!(commit("main~1").as_str(), first.to_string());
        assert_eq!(commit(&first.to_string()[..12]).as_str(), first.to_string());
        let names = |name: &str| {
            let snapshot =
                revisions.snapshot(&commit(name)).expect("it can be read").expect("it has the folder");
            snapshot.files.into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        assert_eq!(names("main"), ["clusters/lisbon.yaml"]);
        assert_eq!(names("main~1"), ["clusters/brussels.yaml"]);
        assert_eq!(
            revisions.common(&commit("main"), &commit("main~1")).expect("the history is whole"),
            Some(commit("main~1"))
        );
        fixture.commit_file("elsewhere.yaml", "a");
        assert!(revisions.snapshot(&commit("main")).expect("it can be read").is_none());
    }

    #[test]
    fn what_is_not_there_is_said_with_its_cure() {
        let fixture = Fixture::new();
        fixture.commit_file("a.yaml", "a");
        let revisions = Revisions::around(&fixture.path()).expect("it is a repository");
        let error = revisions.commit("origin/main").expect_err("there is no such branch");
        assert!(error.to_string().contains("`origin/main`"), "{error}");
        assert!(error.help().contains("fetch"), "{}", error.help());
        let error = Revisions::around(Path::new("/nowhere/at/all")).err().expect("it is nowhere");
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
        let root = fixture.commit_on("refs/heads/other", &[("a.yaml", Entry::File(b"b"))], true);
        let (main, other) = (revisions.commit("main"), revisions.commit(&root.to_string()));
        let common = revisions.common(&main.expect("it is there"), &other.expect("it is there"));
        assert_eq!(common.expect("both are whole"), None);
    }
}
