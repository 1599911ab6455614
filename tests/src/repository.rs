//! A Git repository in a temporary folder, with pinned authors and times.

use std::path::Path;

use git2::{IndexAddOption, Oid, Repository as Git, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

/// One branch, `main`, with a work tree.
pub struct Repository {
    folder: TempDir,
    git: Git,
}

impl Repository {
    /// An empty repository.
    ///
    /// # Panics
    /// When the temporary folder cannot be written.
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        let git = Git::init_opts(folder.path(), &options).expect("a repository can be made there");
        Self { folder, git }
    }

    /// The work tree.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `file://…` for `source.url`.
    pub fn url(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }

    /// Writes a file into the work tree, with its folders.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.folder.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a file lies in a folder"))
            .expect("folders can be made");
        std::fs::write(file, text).expect("the work tree can be written");
        self
    }

    /// Commits the whole work tree, deletions included; returns the commit's id in hex.
    ///
    /// # Panics
    /// When Git refuses.
    pub fn commit(&self, message: &str) -> String {
        let mut index = self.git.index().expect("the repository has an index");
        index.add_all(["*"], IndexAddOption::DEFAULT, None).expect("files can be added");
        index.update_all(["*"], None).expect("deletions can be added");
        index.write().expect("the index can be written");
        let tree =
            self.git.find_tree(index.write_tree().expect("the tree can be written")).expect("it is there");
        let parent = self.head();
        let parents: Vec<_> =
            parent.iter().map(|id| self.git.find_commit(*id).expect("HEAD exists")).collect();
        let count = parents.first().map_or(0, |commit| commit.time().seconds() - START + 60);
        let who =
            Signature::new("Ada", "ada@example.com", &Time::new(START + count, 0)).expect("a valid name");
        let parents: Vec<_> = parents.iter().collect();
        let id = self
            .git
            .commit(Some("HEAD"), &who, &who, message, &tree, &parents)
            .expect("a commit can be made");
        id.to_string()
    }

    fn head(&self) -> Option<Oid> {
        self.git.head().ok().and_then(|head| head.target())
    }
}

/// 2026-01-01 00:00:00 UTC; each commit is a minute later than the one before.
const START: i64 = 1_767_225_600;
