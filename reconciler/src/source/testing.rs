//! Real repositories for the tests, made by libgit2.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository, Signature, Time};

use super::{GitSource, Location, Settings};

/// A repository with a working folder, its branch `main`, and a folder for a source's state.
pub(super) struct Fixture {
    folder: tempfile::TempDir,
    repository: Repository,
}

/// One entry of a commit.
pub(super) enum Entry<'a> {
    File(&'a [u8]),
    Link(&'a str),
    Submodule,
}

pub(super) const CLUSTER: &str = "apiVersion: dataminer.gitops/v1
kind: Cluster
metadata: { name: brussels }
spec:
  software: { core: 10.5.0 CU12 }
  agents:
    - { name: bru-dma-01, address: 10.0.0.11, hostKey: \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\" }
  connection: { ssh: { user: svc, identity: { file: /run/secrets/key } } }
";

impl Fixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let repository = Repository::init(folder.path().join("fleet")).expect("a repository can be made");
        repository.set_head("refs/heads/main").expect("HEAD can be set");
        Self { folder, repository }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("fleet")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(super) fn settings(&self) -> Settings {
        Settings::new("fleet", Location::Local(self.path()), "main")
    }

    pub(super) fn source(&self) -> GitSource {
        GitSource::new(self.settings(), &self.state())
    }

    /// Commits exactly these entries on `main`, on top of it unless `root`.
    pub(super) fn commit_on(&self, reference: &str, entries: &[(&str, Entry<'_>)], root: bool) -> Oid {
        let mut index = git2::Index::new().expect("an index can be made");
        for (path, entry) in entries {
            let (mode, id) = match entry {
                Entry::File(bytes) => {
                    (0o100_644, self.repository.blob(bytes).expect("a blob can be written"))
                }
                Entry::Link(to) => {
                    (0o120_000, self.repository.blob(to.as_bytes()).expect("a blob can be written"))
                }
                Entry::Submodule => (0o160_000, Oid::from_str(&"1".repeat(40)).expect("it is an id")),
            };
            index
                .add(&git2::IndexEntry {
                    ctime: git2::IndexTime::new(0, 0),
                    mtime: git2::IndexTime::new(0, 0),
                    dev: 0,
                    ino: 0,
                    mode,
                    uid: 0,
                    gid: 0,
                    file_size: 0,
                    id,
                    flags: 0,
                    flags_extended: 0,
                    path: path.as_bytes().to_vec(),
                })
                .expect("an entry can be added");
        }
        let tree = index.write_tree_to(&self.repository).expect("a tree can be written");
        self.commit_tree(reference, tree, root)
    }

    pub(super) fn commit_tree(&self, reference: &str, tree: Oid, root: bool) -> Oid {
        let tree = self.repository.find_tree(tree).expect("the tree is there");
        let who = Signature::new("Ada", "ada@example.org", &Time::new(1_700_000_000, 60))
            .expect("it is a signature");
        let parent = self.repository.refname_to_id(reference).ok();
        let parents: Vec<_> = parent
            .filter(|_| !root)
            .map(|id| self.repository.find_commit(id).expect("the parent is there"))
            .into_iter()
            .collect();
        let id = self
            .repository
            .commit(
                None,
                &who,
                &who,
                "Raise Brussels\n\nBecause.",
                &tree,
                &parents.iter().collect::<Vec<_>>(),
            )
            .expect("a commit can be written");
        self.repository.reference(reference, id, true, "test").expect("a branch can be moved");
        id
    }

    pub(super) fn commit(&self, entries: &[(&str, Entry<'_>)]) -> Oid {
        self.commit_on("refs/heads/main", entries, false)
    }

    pub(super) fn commit_file(&self, path: &str, text: &str) -> Oid {
        self.commit(&[(path, Entry::File(text.as_bytes()))])
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    pub(super) fn other_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Removes a folder that a test wants gone.
pub(super) fn remove(path: &Path) {
    std::fs::remove_dir_all(path).expect("the folder can be removed");
}
