//! One branch or tag of one repository: fetched into a bare clone, or opened where it lies.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dataminer_schema::id::{CommitId, Sha256};
use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, ObjectType, Oid, RemoteRedirect,
    Repository, RepositoryOpenFlags,
};
use jiff::Timestamp;

use super::{
    CommitInfo, Limits, Location, Snapshot, SourceError,
    accepted::Accepted,
    credentials::{self, Auth, Proof, Seen},
    intake::printable,
    tree,
};

/// What to fetch, from where, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Unique in the configuration; a label of metrics and a part of a folder's name.
    pub name: String,
    pub location: Location,
    /// A branch, else a tag, else a full name that begins with `refs/`.
    pub reference: String,
    /// The folder of the manifests in the repository; empty for its root.
    pub path: String,
    /// Between two polls; each is put off by up to a tenth more.
    pub interval: Duration,
    /// For one fetch as a whole.
    pub timeout: Duration,
    /// Pinned SSH host keys, `SHA256:…`.
    pub host_keys: Vec<String>,
    pub auth: Option<Auth>,
    /// The commit up to which a rewritten history was looked at and accepted.
    pub acknowledged_rewrite: Option<CommitId>,
    pub limits: Limits,
}

impl Settings {
    /// Settings with the defaults for everything but these.
    pub fn new(name: impl Into<String>, location: Location, reference: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            location,
            reference: reference.into(),
            path: String::new(),
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(120),
            host_keys: Vec::new(),
            auth: None,
            acknowledged_rewrite: None,
            limits: Limits::default(),
        }
    }
}

/// A source of snapshots. Its calls block; [`super::watch`] runs them off the async threads.
#[derive(Clone, Debug)]
pub struct GitSource {
    settings: Settings,
    /// Holds the bare clone and the accepted commit.
    folder: PathBuf,
    accepted: Accepted,
}

impl GitSource {
    /// A source that keeps its clone and its memory below `state`. Nothing is opened yet.
    pub fn new(settings: Settings, state: &Path) -> Self {
        // The URL is part of the name: another repository under the same name is another history.
        let key = Sha256::of(format!("{} {}", settings.location, settings.reference).as_bytes());
        let folder = state.join(format!("{}-{}", settings.name, &key.as_str()[..12]));
        let accepted = Accepted::new(&folder);
        Self { settings, folder, accepted }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The folder whose changes announce a new commit; only a local repository has one.
    ///
    /// # Errors
    /// A local repository that cannot be opened.
    pub fn watched_folder(&self) -> Result<Option<PathBuf>, SourceError> {
        match &self.settings.location {
            Location::Local(path) => Ok(Some(self.open_local(path)?.commondir().to_owned())),
            Location::Ssh(_) | Location::Https(_) => Ok(None),
        }
    }

    /// The newest commit of the reference, fetched first where the repository is elsewhere.
    ///
    /// # Errors
    /// Everything that can go wrong on the way; [`SourceError::Rewritten`] when the newest commit does not
    /// follow the accepted one and nobody has acknowledged that.
    pub fn newest(&self) -> Result<CommitId, SourceError> {
        let repository = self.open()?;
        let newest = match &self.settings.location {
            Location::Local(_) => self.find_local(&repository)?,
            Location::Ssh(_) | Location::Https(_) => self.fetch(&repository)?,
        };
        let newest = repository
            .find_object(newest, None)
            .and_then(|object| object.peel_to_commit())
            .map_err(|cause| self.damaged(format!("`{}`", self.settings.reference), &cause))?
            .id();
        let newest_id = commit_id(newest);
        let Some(accepted) = self.accepted.read()? else { return Ok(newest_id) };
        if accepted == newest_id || self.settings.acknowledged_rewrite.as_ref() == Some(&newest_id) {
            return Ok(newest_id);
        }
        // A commit that is gone altogether was rewritten too.
        let follows = Oid::from_str(accepted.as_str())
            .and_then(|accepted| repository.graph_descendant_of(newest, accepted))
            .unwrap_or(false);
        let acknowledged = self.settings.acknowledged_rewrite.as_ref().is_some_and(|known| {
            Oid::from_str(known.as_str())
                .and_then(|known| repository.graph_descendant_of(newest, known))
                .unwrap_or(false)
        });
        if follows || acknowledged {
            return Ok(newest_id);
        }
        Err(SourceError::Rewritten {
            reference: format!("`{}`", self.settings.reference),
            from: accepted,
            to: newest_id,
        })
    }

    /// The manifests of a commit that is already here.
    ///
    /// # Errors
    /// A commit, folder or object that is not there.
    pub fn snapshot(&self, id: &CommitId) -> Result<Snapshot, SourceError> {
        let Settings { path, limits, .. } = &self.settings;
        read_commit(&self.open()?, id, path, *limits, &self.url())
    }

    /// The commit that was last in force, also over a restart.
    ///
    /// # Errors
    /// A state folder that cannot be read.
    pub fn accepted(&self) -> Result<Option<CommitId>, SourceError> {
        self.accepted.read()
    }

    /// Records that `commit` is in force.
    ///
    /// # Errors
    /// A state folder that cannot be written.
    pub fn accept(&self, commit: &CommitId) -> Result<(), SourceError> {
        self.accepted.write(commit)
    }

    fn open(&self) -> Result<Repository, SourceError> {
        match &self.settings.location {
            Location::Local(path) => self.open_local(path),
            Location::Ssh(_) | Location::Https(_) => {
                let path = self.folder.join("clone.git");
                let made = if path.join("HEAD").exists() {
                    Repository::open_bare(&path)
                } else {
                    std::fs::create_dir_all(&self.folder)
                        .map_err(|cause| SourceError::State { path: self.folder.clone(), cause })?;
                    Repository::init_bare(&path)
                };
                made.map_err(|cause| SourceError::NotARepository { path, cause: cause.message().to_owned() })
            }
        }
    }

    fn open_local(&self, path: &Path) -> Result<Repository, SourceError> {
        // Without searching upwards: a typing error must not end in another repository.
        let flags = RepositoryOpenFlags::NO_SEARCH;
        Repository::open_ext(path, flags, std::iter::empty::<&Path>()).map_err(|cause| {
            if cause.code() == ErrorCode::Owner {
                SourceError::ForeignOwner { path: path.to_owned() }
            } else {
                SourceError::NotARepository { path: path.to_owned(), cause: cause.message().to_owned() }
            }
        })
    }

    fn find_local(&self, repository: &Repository) -> Result<Oid, SourceError> {
        for name in self.candidates() {
            match repository.refname_to_id(&name) {
                Ok(oid) => return Ok(oid),
                Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {}
                Err(error) => return Err(self.damaged(name, &error)),
            }
        }
        let mut present = Vec::new();
        if let Ok(references) = repository.references() {
            present.extend(references.flatten().filter_map(|r| r.name().ok().and_then(short_name)));
        }
        Err(self.missing(present))
    }

    /// Fetches the reference and nothing else.
    fn fetch(&self, repository: &Repository) -> Result<Oid, SourceError> {
        let deadline = Instant::now() + self.settings.timeout;
        let proof = Proof::read(self.settings.auth.as_ref(), &self.settings.location)?;
        let url = self.url();
        let (listing, seen) =
            credentials::callbacks(&self.settings.location, &self.settings.host_keys, &proof, deadline);
        let mut remote =
            repository.remote_anonymous(&url).map_err(|e| self.transport(&e, &Seen::default()))?;
        let mut connection = remote
            .connect_auth(Direction::Fetch, Some(listing), None)
            .map_err(|error| self.transport(&error, &seen.borrow()))?;
        let heads = connection.list().map_err(|error| self.transport(&error, &seen.borrow()))?;
        let found = self.candidates().into_iter().find_map(|name| {
            heads.iter().find(|head| head.name() == name).map(|head| (name.clone(), head.oid()))
        });
        let Some((name, oid)) = found else {
            return Err(self.missing(heads.iter().filter_map(|head| short_name(head.name())).collect()));
        };
        let kept = format!("refs/reconciler/{}", name.trim_start_matches("refs/"));
        if repository.refname_to_id(&kept).is_ok_and(|known| known == oid) {
            return Ok(oid);
        }
        let (transfer, seen) =
            credentials::callbacks(&self.settings.location, &self.settings.host_keys, &proof, deadline);
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(transfer)
            .download_tags(AutotagOption::None)
            .update_fetchhead(false)
            // Credentials go to the host that was named, not to the one it points at.
            .follow_redirects(RemoteRedirect::None);
        connection
            .remote()
            .fetch(&[format!("+{name}:{kept}")], Some(&mut options), None)
            .map_err(|error| self.transport(&error, &seen.borrow()))?;
        // What was fetched counts, not what was listed: the branch may have moved between the two.
        repository.refname_to_id(&kept).map_err(|error| self.damaged(name, &error))
    }

    fn candidates(&self) -> Vec<String> {
        let reference = &self.settings.reference;
        if reference.starts_with("refs/") {
            vec![reference.clone()]
        } else {
            vec![format!("refs/heads/{reference}"), format!("refs/tags/{reference}")]
        }
    }

    fn transport(&self, error: &git2::Error, seen: &Seen) -> SourceError {
        let url = self.url();
        let cause = printable(error.message());
        if let Some(fingerprint) = &seen.unknown_host_key {
            return SourceError::HostKey {
                url,
                fingerprint: fingerprint.clone(),
                pinned: self.settings.host_keys.len(),
            };
        }
        if seen.late {
            return SourceError::TimedOut { url, after: self.settings.timeout };
        }
        if seen.refused || error.code() == ErrorCode::Auth {
            return SourceError::Unauthorized { url, cause };
        }
        if matches!(
            error.class(),
            ErrorClass::Odb | ErrorClass::Object | ErrorClass::Zlib | ErrorClass::Indexer
        ) {
            return SourceError::Object { url, what: "the fetched objects".to_owned(), cause };
        }
        SourceError::Unreachable { url, cause }
    }

    fn missing(&self, mut present: Vec<String>) -> SourceError {
        present.sort();
        present.dedup();
        SourceError::ReferenceMissing {
            url: self.url(),
            reference: format!("branch or tag `{}`", self.settings.reference),
            present,
        }
    }

    fn damaged(&self, what: String, cause: &git2::Error) -> SourceError {
        SourceError::Object { url: self.url(), what, cause: printable(cause.message()) }
    }

    fn url(&self) -> String {
        self.settings.location.to_string()
    }
}

/// The manifests of a commit below `path`; `url` is what errors call the repository.
pub(super) fn read_commit(
    repository: &Repository,
    id: &CommitId,
    path: &str,
    limits: Limits,
    url: &str,
) -> Result<Snapshot, SourceError> {
    let read = |cause: git2::Error| SourceError::Object {
        url: url.to_owned(),
        what: format!("commit {id}"),
        cause: printable(cause.message()),
    };
    let commit = Oid::from_str(id.as_str()).and_then(|oid| repository.find_commit(oid)).map_err(read)?;
    let root = commit.tree().map_err(read)?;
    let tree = if path.is_empty() {
        root
    } else {
        root.get_path(Path::new(path))
            .ok()
            .filter(|entry| entry.kind() == Some(ObjectType::Tree))
            .and_then(|entry| repository.find_tree(entry.id()).ok())
            .ok_or_else(|| SourceError::PathMissing {
                url: url.to_owned(),
                commit: id.clone(),
                path: path.to_owned(),
                present: root
                    .iter()
                    .filter(|entry| entry.kind() == Some(ObjectType::Tree))
                    .map(|entry| printable(&String::from_utf8_lossy(entry.name_bytes())))
                    .collect(),
            })?
    };
    let (files, refused) = tree::read(repository, &tree, path, limits).map_err(read)?;
    let summary: String = printable(&String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()))
        .chars()
        .take(200)
        .collect();
    let commit = CommitInfo {
        id: id.clone(),
        author: printable(&String::from_utf8_lossy(commit.author().name_bytes())),
        time: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::UNIX_EPOCH),
        summary,
    };
    Ok(Snapshot { commit, files, refused })
}

pub(super) fn commit_id(oid: Oid) -> CommitId {
    CommitId::new(oid.to_string()).expect("git prints an object id as 40 lowercase hexadecimal digits")
}

fn short_name(name: &str) -> Option<String> {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).map(printable)
}

#[cfg(test)]
#[path = "repository_tests.rs"]
mod tests;
