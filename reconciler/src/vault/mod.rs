//! The vault: an archive of content backups (dashboards and low-code apps) that outlives the five that the
//! product keeps.
//!
//! Layout: `<root>/<cluster>/<agent>/<first 12 digits of the SHA-256>-<file>`, and beside each object its index
//! entry `<object>.json`. The index is written last, so an object without one does not exist.
//!
//! # Guarantees
//!
//! * An object that [`Vault::put`] returned is on the disk, whole, under its hash; the same object again costs
//!   one reading and changes nothing.
//! * No name leads out of the folder of its cluster and Agent.
//! * Nothing is ever overwritten or removed here.

mod object;
mod part;
#[cfg(test)]
mod tests;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use dataminer_schema::{
    id::{AgentName, ClusterName, Sha256},
    v1::observation::Backup,
};
use sha2::Digest;
use tokio::{
    fs,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
};

pub use self::object::{NewObject, StoredObject, Verdict};

/// The largest index entry that is read: they are below a kilobyte.
const INDEX_LIMIT: u64 = 64 * 1024;

/// Why the vault could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("vault URL `{url}` cannot be used; write `file:///absolute/path`")]
    Url { url: String },
    #[error(
        "vault folder {root} is not there; mount or create it (the process does not: an empty folder where a share should be would look like a lost vault)"
    )]
    Missing { root: Utf8PathBuf },
    #[error(
        "the disk of vault {root} is full while storing {file}; nothing was changed: free space or enlarge it"
    )]
    Full { root: Utf8PathBuf, file: String },
    #[error("`{name}` cannot name an object of the vault: {problem}")]
    Name { name: String, problem: &'static str },
    #[error(
        "{file} of Agent {agent} arrived with hash {actual}, {expected} was announced; nothing was stored"
    )]
    Changed { agent: AgentName, file: String, expected: Sha256, actual: Sha256 },
    #[error("{doing} {path} in the vault")]
    Io {
        doing: &'static str,
        path: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("index entry {path} of the vault cannot be read")]
    Index {
        path: Utf8PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the vault holds no object {sha256} of cluster {cluster}")]
    NotFound { cluster: ClusterName, sha256: Sha256 },
}

/// What the vault holds of a cluster.
#[derive(Debug, Default)]
pub struct Census {
    /// Oldest first.
    pub objects: Vec<StoredObject>,
    /// Why index entries cannot be read; each names its path.
    pub unreadable: Vec<VaultError>,
}

/// A vault in a folder. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    root: Utf8PathBuf,
}

impl Vault {
    /// The vault of `url` (`file:///path`), as [`Vault::open`].
    pub fn open_url(url: &str) -> Result<Self, VaultError> {
        let path = url.strip_prefix("file://").filter(|path| !path.is_empty() && !path.contains('\0'));
        Self::open(Utf8Path::new(path.ok_or_else(|| VaultError::Url { url: url.to_owned() })?))
    }

    /// The vault in the folder `root`, which is made where its parent is there.
    pub fn open(root: &Utf8Path) -> Result<Self, VaultError> {
        match std::fs::create_dir(root) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VaultError::Missing { root: root.to_owned() });
            }
            Err(source) => return Err(VaultError::Io { doing: "making", path: root.to_owned(), source }),
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The vault in the folder `root`, which must be there; for those who only look.
    pub fn existing(root: &Utf8Path) -> Result<Self, VaultError> {
        let vault = Self { root: root.to_owned() };
        vault.check_root().map(|()| vault)
    }

    /// The folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Stores what `reader` yields and returns the record of it.
    pub async fn put<R>(&self, object: &NewObject, reader: R) -> Result<StoredObject, VaultError>
    where
        R: AsyncRead + Unpin,
    {
        object.check()?;
        self.check_root()?;
        let folder = self.root.join(object.cluster.as_str()).join(object.agent.as_str());
        self.io("making", &folder, &object.file, fs::create_dir_all(&folder).await)?;
        let (part, file) = self.io("creating", &folder, &object.file, part::open(&folder, &object.file))?;
        let stored = self.receive(object, reader, &folder, &part, file).await;
        if stored.is_err() {
            // Nothing else can be done about a leftover than trying; it has no index entry.
            drop(fs::remove_file(&part).await);
        }
        stored
    }

    async fn receive<R>(
        &self,
        object: &NewObject,
        mut reader: R,
        folder: &Utf8Path,
        part: &Utf8Path,
        file: std::fs::File,
    ) -> Result<StoredObject, VaultError>
    where
        R: AsyncRead + Unpin,
    {
        // Holds the lock on the part file until the index is written.
        let mut file = fs::File::from_std(file);
        let mut hasher = sha2::Sha256::new();
        let mut size = 0_u64;
        let mut buffer = vec![0_u8; 64 * 1024];
        loop {
            let count = self.io("receiving", part, &object.file, reader.read(&mut buffer).await)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            size += bytes.len() as u64;
            self.io("writing", part, &object.file, file.write_all(bytes).await)?;
        }
        self.io("writing", part, &object.file, file.flush().await)?;
        self.io("writing", part, &object.file, file.sync_all().await)?;
        let sha256 = Sha256::from_digest(hasher.finalize().into());
        if let Some(expected) = object.sha256.as_ref().filter(|expected| **expected != sha256) {
            return Err(VaultError::Changed {
                agent: object.agent.clone(),
                file: object.file.clone(),
                expected: expected.clone(),
                actual: sha256,
            });
        }
        let stored = StoredObject::new(object, sha256, size);
        let path = folder.join(stored.file_name());
        let index = folder.join(format!("{}.json", stored.file_name()));
        // An index entry that cannot be read is written anew: the bytes are here.
        let known = match self.read_index(&index).await {
            Err(VaultError::Index { .. }) => None,
            known => known?,
        };
        if let Some(known) = known
            && fs::metadata(&path).await.is_ok_and(|metadata| metadata.len() == size)
        {
            self.io("removing", part, &object.file, fs::remove_file(part).await)?;
            return Ok(known);
        }
        self.io("renaming", part, &object.file, fs::rename(part, &path).await)?;
        let json = serde_json::to_vec_pretty(&stored)
            .map_err(|source| VaultError::Index { path: index.clone(), source })?;
        let (part, entry) = self.io("creating", folder, &object.file, part::open(folder, &object.file))?;
        let mut entry = fs::File::from_std(entry);
        self.io("writing", &part, &object.file, entry.write_all(&json).await)?;
        self.io("writing", &part, &object.file, entry.sync_all().await)?;
        self.io("renaming", &part, &object.file, fs::rename(&part, &index).await)?;
        drop(file);
        // Makes the two names durable, too.
        let directory = self.io("opening", folder, &object.file, fs::File::open(folder).await)?;
        self.io("writing", folder, &object.file, directory.sync_all().await)?;
        Ok(stored)
    }

    /// The backups of `cluster`, as the planner reads them, oldest first.
    pub async fn list(&self, cluster: &ClusterName) -> Result<Vec<Backup>, VaultError> {
        Ok(self.objects(cluster).await?.iter().map(StoredObject::backup).collect())
    }

    /// Everything that the vault holds of `cluster`, oldest first.
    pub async fn objects(&self, cluster: &ClusterName) -> Result<Vec<StoredObject>, VaultError> {
        let Census { objects, unreadable } = self.census(cluster).await?;
        unreadable.into_iter().next().map_or(Ok(objects), Err)
    }

    /// Everything that the vault holds of `cluster`, oldest first, and the index entries that cannot be read.
    pub async fn census(&self, cluster: &ClusterName) -> Result<Census, VaultError> {
        self.check_root()?;
        let mut census = Census::default();
        let folder = self.root.join(cluster.as_str());
        for agent in self.names(&folder).await? {
            let folder = folder.join(agent);
            let names = self.names(&folder).await?;
            for name in &names {
                // A backup may itself be called `….json`: its own index entry says so.
                let is_object = names.binary_search(&format!("{name}.json")).is_ok();
                if !name.ends_with(".json") || name.starts_with('.') || is_object {
                    continue;
                }
                match self.read_index(&folder.join(name)).await {
                    // Only an index names the object that it stands by.
                    Ok(Some(object))
                        if format!("{}.json", object.file_name()) == *name && object.cluster == *cluster =>
                    {
                        census.objects.push(object);
                    }
                    Ok(_) => {}
                    Err(error) => census.unreadable.push(error),
                }
            }
        }
        census.objects.sort_by(|a, b| (a.taken_at, &a.agent, &a.file).cmp(&(b.taken_at, &b.agent, &b.file)));
        Ok(census)
    }

    /// The clusters of which the vault holds anything, by name.
    pub async fn clusters(&self) -> Result<Vec<ClusterName>, VaultError> {
        self.check_root()?;
        let names = self.names(&self.root).await?;
        Ok(names.into_iter().filter_map(|name| ClusterName::new(name).ok()).collect())
    }

    /// Whether an object of `cluster` with this hash is there.
    pub async fn holds(&self, cluster: &ClusterName, sha256: &Sha256) -> Result<bool, VaultError> {
        Ok(self.objects(cluster).await?.iter().any(|object| object.sha256 == *sha256))
    }

    /// The objects of `cluster` with this hash: several Agents may have had the same. Whoever reads one checks the hash.
    pub async fn copies(
        &self,
        cluster: &ClusterName,
        sha256: &Sha256,
    ) -> Result<Vec<StoredObject>, VaultError> {
        let mut objects = self.objects(cluster).await?;
        objects.retain(|object| object.sha256 == *sha256);
        if objects.is_empty() {
            return Err(VaultError::NotFound { cluster: cluster.clone(), sha256: sha256.clone() });
        }
        Ok(objects)
    }

    /// Opens an object for reading.
    pub async fn open_object(&self, object: &StoredObject) -> Result<fs::File, VaultError> {
        let path = self.path(object);
        self.io("opening", &path, &object.file, fs::File::open(&path).await)
    }

    /// Hashes every object of `cluster` again.
    pub async fn verify(&self, cluster: &ClusterName) -> Result<Vec<(StoredObject, Verdict)>, VaultError> {
        let mut verdicts = Vec::new();
        for object in self.objects(cluster).await? {
            let verdict = self.check(&object, |_| {}).await?;
            verdicts.push((object, verdict));
        }
        Ok(verdicts)
    }

    /// Hashes one object again; `read` hears of the bytes as they are read.
    pub async fn check(
        &self,
        object: &StoredObject,
        mut read: impl FnMut(u64),
    ) -> Result<Verdict, VaultError> {
        let path = self.path(object);
        let mut file = match fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Verdict::Lost),
            Err(source) => return Err(VaultError::Io { doing: "opening", path, source }),
        };
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0_u8; 64 * 1024];
        loop {
            let count = self.io("reading", &path, &object.file, file.read(&mut buffer).await)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            read(bytes.len() as u64);
        }
        let actual = Sha256::from_digest(hasher.finalize().into());
        Ok(if actual == object.sha256 { Verdict::Good } else { Verdict::Damaged { actual } })
    }

    fn path(&self, object: &StoredObject) -> Utf8PathBuf {
        self.root.join(object.cluster.as_str()).join(object.agent.as_str()).join(object.file_name())
    }

    fn check_root(&self) -> Result<(), VaultError> {
        if self.root.is_dir() { Ok(()) } else { Err(VaultError::Missing { root: self.root.clone() }) }
    }

    /// The names in `folder`, sorted; none where it is not there. Symbolic links are left out: nothing here makes
    /// them.
    async fn names(&self, folder: &Utf8Path) -> Result<Vec<String>, VaultError> {
        let failed = |source| VaultError::Io { doing: "listing", path: folder.to_owned(), source };
        let mut entries = match fs::read_dir(folder).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut names = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            if entry.file_type().await.is_ok_and(|kind| !kind.is_symlink())
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    async fn read_index(&self, path: &Utf8Path) -> Result<Option<StoredObject>, VaultError> {
        let failed = |source| VaultError::Io { doing: "reading", path: path.to_owned(), source };
        let file = match fs::File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let mut bytes = Vec::new();
        file.take(INDEX_LIMIT).read_to_end(&mut bytes).await.map_err(failed)?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| VaultError::Index { path: path.to_owned(), source })
    }

    fn io<T>(
        &self,
        doing: &'static str,
        path: &Utf8Path,
        file: &str,
        result: io::Result<T>,
    ) -> Result<T, VaultError> {
        result.map_err(|source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                VaultError::Full { root: self.root.clone(), file: file.to_owned() }
            }
            io::ErrorKind::NotFound if !self.root.is_dir() => VaultError::Missing { root: self.root.clone() },
            _ => VaultError::Io { doing, path: path.to_owned(), source },
        })
    }
}
