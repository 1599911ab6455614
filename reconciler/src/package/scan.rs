//! Package files of folders: each inspected and hashed at once, two files at a time.
//!
//! A file is read by two threads through two handles: one hashes it from front to back, the other inspects it. What
//! the second reads is mostly what the first has just brought into the page cache, or will find there.

use std::{
    collections::{BTreeMap, btree_map},
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use dataminer_schema::{
    id::Sha256,
    v1::catalog::{self, Insides},
};
use sha2::Digest;

use super::{
    caps::Caps,
    finding::{Finding, FindingCode, Severity},
    inspect::{Inspection, inspect},
    member::READ_BYTES,
};

/// A package file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFound {
    pub path: PathBuf,
    /// Below the folder that was searched, with slashes.
    pub relative: String,
    /// Bytes, as the folder lists them.
    pub size: u64,
}

impl PackageFound {
    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.relative.rsplit('/').next().unwrap_or(&self.relative)
    }
}

/// A package file that was read.
#[derive(Clone, Debug)]
pub struct Scanned {
    pub found: PackageFound,
    /// Absent where the file could not be read to its end.
    pub sha256: Option<Sha256>,
    pub inspection: Inspection,
}

impl Scanned {
    /// The entry of a catalogue; none if the package is refused.
    pub fn package(&self) -> Option<catalog::Package> {
        let Inspection { file, named, size, update, .. } = &self.inspection;
        if self.inspection.refused() {
            return None;
        }
        let named = named.as_ref()?;
        let insides = update.as_ref().map_or_else(Insides::default, |update| Insides {
            prerequisites: Some(update.prerequisites.clone()),
            executor: Some(update.executor),
            restart: update.restart,
            fingerprints: update
                .fingerprints
                .iter()
                .map(|one| catalog::Fingerprint {
                    file: one.file.clone(),
                    sha256: one.sha256.clone(),
                    size: one.size,
                })
                .collect(),
            base: None,
        });
        Some(catalog::Package {
            file: file.clone(),
            sha256: self.sha256.clone()?,
            size: Some(*size),
            // One that lies in the folder itself is found by its name.
            source: self
                .found
                .relative
                .contains('/')
                .then(|| catalog::PackageSource::Relative(self.found.relative.clone())),
            kind: named.kind,
            version: named.version.clone(),
            insides,
        })
    }

    fn refuse(&mut self, code: FindingCode, message: String) {
        let finding = Finding { code, severity: code.severity(), member: None, message };
        self.inspection.findings.push(finding);
        self.inspection.findings.sort_by_key(|finding| (finding.severity, finding.code));
    }
}

/// Package files below these folders, in the order of their paths; a path may also be a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub found: Vec<PackageFound>,
    /// Files that are no packages by their names.
    pub others: usize,
}

/// Folders in folders that are searched; package stores are flat.
const MAX_DEPTH: usize = 16;
/// Files that are looked at.
const MAX_FILES: usize = 100_000;

/// Why a folder cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("looking at {path}: {cause}")]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{path} holds more than {MAX_FILES} files, or folders more than {MAX_DEPTH} deep")]
    TooMany { path: PathBuf },
    #[error("{path} is not UTF-8, so that no catalogue can name it")]
    NotText { path: PathBuf },
}

impl SearchError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "name a folder that exists and that this account may read",
            Self::TooMany { .. } => "name the folder of the packages itself",
            Self::NotText { .. } => "rename it",
        }
    }
}

/// Looks for package files. Links to folders are not followed; a link to a package is listed and then refused.
///
/// # Errors
/// A folder that cannot be read, or is too large to be a package store.
pub fn search(paths: &[PathBuf]) -> Result<Search, SearchError> {
    let mut search = Search::default();
    for path in paths {
        let unreadable = |cause| SearchError::Unreadable { path: path.clone(), cause };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            folder(path, "", 0, &mut search)?;
        } else {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| SearchError::NotText { path: path.clone() })?;
            search.found.push(PackageFound {
                path: path.clone(),
                relative: name.to_owned(),
                size: metadata.len(),
            });
        }
    }
    search.found.sort_by(|a, b| (&a.relative, &a.path).cmp(&(&b.relative, &b.path)));
    search.found.dedup();
    Ok(search)
}

fn folder(path: &Path, below: &str, depth: usize, search: &mut Search) -> Result<(), SearchError> {
    let unreadable = |cause| SearchError::Unreadable { path: path.to_owned(), cause };
    if depth > MAX_DEPTH || search.found.len() + search.others > MAX_FILES {
        return Err(SearchError::TooMany { path: path.to_owned() });
    }
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let kind = entry.file_type().map_err(unreadable)?;
        let Some(name) = name.to_str() else {
            // A file that nobody can name is no package; a folder could hide some.
            if kind.is_dir() {
                return Err(SearchError::NotText { path: entry.path() });
            }
            search.others += 1;
            continue;
        };
        let relative = format!("{below}{name}");
        if kind.is_dir() {
            folder(&entry.path(), &format!("{relative}/"), depth + 1, search)?;
            continue;
        }
        let lower = name.to_lowercase();
        if lower.ends_with(".dmupgrade") || lower.ends_with(".dmupdate") {
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            search.found.push(PackageFound { path: entry.path(), relative, size });
        } else {
            search.others += 1;
        }
        if search.found.len() + search.others > MAX_FILES {
            return Err(SearchError::TooMany { path: path.to_owned() });
        }
    }
    Ok(())
}

/// Files that are read at the same time: each keeps a processor busy with its hash.
const AT_ONCE: usize = 2;

/// Reads all files; `tick` gets the bytes that were hashed as they go by, `done` each file when it is done.
pub fn scan(
    files: &[PackageFound],
    caps: &Caps,
    tick: &(dyn Fn(u64) + Sync),
    mut done: impl FnMut(&Scanned),
) -> Vec<Scanned> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut scanned: Vec<Option<Scanned>> = files.iter().map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, file)) = take(files, next) {
                    if sender.send((at, read(file, caps, tick))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (at, one) in receiver {
            done(&one);
            scanned[at] = Some(one);
        }
    });
    let mut scanned: Vec<Scanned> = scanned.into_iter().flatten().collect();
    compare(&mut scanned);
    scanned
}

fn take<'a>(files: &'a [PackageFound], next: &AtomicUsize) -> Option<(usize, &'a PackageFound)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, files.get(at)?))
}

/// Reads one file. Never fails: what is wrong is among the findings.
pub fn read(found: &PackageFound, caps: &Caps, tick: &(dyn Fn(u64) + Sync)) -> Scanned {
    match try_read(found, caps, tick) {
        Ok(scanned) => scanned,
        Err((code, message)) => {
            let empty = inspect(io::empty(), found.file_name(), caps);
            // Of a file that was not read only the name is judged.
            let findings = empty.findings.into_iter().filter(|finding| finding.code != FindingCode::Empty);
            let inspection = Inspection { findings: findings.collect(), size: found.size, ..empty };
            let mut scanned = Scanned { found: found.clone(), sha256: None, inspection };
            scanned.refuse(code, message);
            scanned
        }
    }
}

fn try_read(
    found: &PackageFound,
    caps: &Caps,
    tick: &(dyn Fn(u64) + Sync),
) -> Result<Scanned, (FindingCode, String)> {
    let unreadable = |error: io::Error| (FindingCode::Unreadable, error.to_string());
    let listed = fs::symlink_metadata(&found.path).map_err(unreadable)?;
    if !listed.is_file() {
        let what = if listed.is_symlink() { "a symbolic link" } else { "not a regular file" };
        return Err((FindingCode::NotAFile, format!("it is {what}")));
    }
    let (first, second) = (File::open(&found.path), File::open(&found.path));
    let (first, second) = (first.map_err(unreadable)?, second.map_err(unreadable)?);
    let before = first.metadata().map_err(unreadable)?;
    let failed = Mutex::new(None);
    let (inspection, hash) = thread::scope(|scope| {
        let hashing = scope.spawn(|| {
            hash(&first, tick).map_err(|error| {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            })
        });
        let inspection = inspect(&second, found.file_name(), caps);
        // A thread that panicked has no hash; the file is then refused.
        (inspection, hashing.join().ok().and_then(Result::ok))
    });
    let Some((sha256, count)) = hash else {
        let why = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        return Err((FindingCode::Unreadable, why.unwrap_or_else(|| "hashing it failed".to_owned())));
    };
    let mut scanned = Scanned { found: found.clone(), sha256: Some(sha256), inspection };
    let after = [first.metadata(), second.metadata(), fs::symlink_metadata(&found.path)];
    let same = after.into_iter().all(|after| after.is_ok_and(|after| is_same(&before, &after)));
    if !same || count != before.len() {
        scanned.refuse(FindingCode::Changed, "the file changed while it was read".to_owned());
    }
    Ok(scanned)
}

fn is_same(before: &Metadata, after: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (before.dev(), before.ino()) != (after.dev(), after.ino()) {
            return false;
        }
    }
    before.len() == after.len() && before.modified().ok() == after.modified().ok()
}

/// The SHA-256 of a whole file and its bytes.
fn hash(mut file: &File, tick: &(dyn Fn(u64) + Sync)) -> io::Result<(Sha256, u64)> {
    const TICK: u64 = 8 << 20;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    let (mut total, mut told) = (0_u64, 0_u64);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                total += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if total - told >= TICK {
            tick(total - told);
            told = total;
        }
    }
    tick(total - told);
    Ok((Sha256::from_digest(hasher.finalize().into()), total))
}

/// What only shows when all files are known: one name twice, one content twice.
fn compare(scanned: &mut [Scanned]) {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut contents: BTreeMap<Sha256, usize> = BTreeMap::new();
    for at in 0..scanned.len() {
        let Some(sha256) = scanned[at].sha256.clone() else { continue };
        let name = scanned[at].found.file_name().to_lowercase();
        let twin = match names.entry(name) {
            btree_map::Entry::Vacant(entry) => {
                entry.insert(at);
                None
            }
            btree_map::Entry::Occupied(entry) => Some(*entry.get()),
        };
        if let Some(first) = twin
            && scanned[first].sha256.as_ref() != Some(&sha256)
        {
            let message = format!("{} has this name too, and other bytes", scanned[first].found.relative);
            scanned[at].refuse(FindingCode::SameName, message);
            continue;
        }
        match contents.entry(sha256) {
            btree_map::Entry::Vacant(entry) => {
                entry.insert(at);
            }
            btree_map::Entry::Occupied(entry) => {
                let message = format!("{} has the same bytes", scanned[*entry.get()].found.relative);
                scanned[at].refuse(FindingCode::SameBytes, message);
            }
        }
    }
}

/// How many findings of this severity there are.
pub fn count(scanned: &[Scanned], severity: Severity) -> usize {
    let all = scanned.iter().flat_map(|one| &one.inspection.findings);
    all.filter(|finding| finding.severity == severity).count()
}
