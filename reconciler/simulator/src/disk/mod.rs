//! Drive `C:` of one Agent: a directory tree with Windows' manners.
//!
//! Names are found whatever their case, files that somebody holds open refuse what the holder does not share, and
//! free space is counted. Nothing below resolves a symbolic link or leaves the tree.

mod open;
mod path;
mod whole;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

pub(crate) use self::{
    open::{OpenFile, OpenHow},
    path::{WinPath, matches_pattern},
};
use crate::clock::Clock;

/// What Windows would answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiskError {
    #[error("The system cannot find the file specified.")]
    NotFound,
    #[error("The system cannot find the path specified.")]
    PathNotFound,
    #[error("A subdirectory or file already exists.")]
    Exists,
    #[error("Access is denied.")]
    Denied,
    #[error("The process cannot access the file because it is being used by another process.")]
    Sharing,
    #[error("There is not enough space on the disk.")]
    Full,
    #[error("The filename, directory name, or volume label syntax is incorrect.")]
    InvalidName,
    #[error("The directory is not empty.")]
    NotEmpty,
    #[error("The request could not be performed because of an I/O device error.")]
    Io,
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => Self::Denied,
            io::ErrorKind::NotADirectory => Self::PathNotFound,
            io::ErrorKind::DirectoryNotEmpty => Self::NotEmpty,
            io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Io,
        }
    }
}

/// Something in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_dir: bool,
    pub(crate) len: u64,
    pub(crate) modified: SystemTime,
}

/// The drive. Shared by the SSH server, the interpreter and the product.
pub(crate) struct Disk {
    root: PathBuf,
    clock: Clock,
    state: Mutex<DiskState>,
    /// Everything here and below fails: the disk behind it is gone.
    lost: Mutex<Option<PathBuf>>,
}

struct DiskState {
    free: u64,
    next: u64,
    opens: HashMap<u64, open::Held>,
}

/// What `fsutil` calls the size of the drive.
pub(crate) const CAPACITY: u64 = 256 << 30;

impl Disk {
    /// The drive whose `C:\` is `root`, which must exist.
    pub(crate) fn new(root: PathBuf, free: u64, clock: Clock) -> Arc<Self> {
        let state = DiskState { free, next: 0, opens: HashMap::new() };
        Arc::new(Self { root, clock, state: Mutex::new(state), lost: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, DiskState> {
        // A panic elsewhere does not make the numbers wrong.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn free(&self) -> u64 {
        self.state().free
    }

    pub(crate) fn set_free(&self, bytes: u64) {
        self.state().free = bytes;
    }

    /// Loses what lies behind a path, which may be the whole drive; `None` brings it back as it was.
    pub(crate) fn lose(&self, path: Option<&WinPath>) -> Result<(), DiskError> {
        *self.lost() = None;
        let host = path.map(|path| self.find(path)).transpose()?;
        *self.lost() = host;
        Ok(())
    }

    fn lost(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_lost(&self, host: &Path) -> Result<(), DiskError> {
        match self.lost().as_ref() {
            Some(lost) if host.starts_with(lost) => Err(DiskError::Io),
            _ => Ok(()),
        }
    }

    /// Takes space that no file shows, such as an unpacked package. Give it back with [`Disk::release`].
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), DiskError> {
        let mut state = self.state();
        state.free = state.free.checked_sub(bytes).ok_or(DiskError::Full)?;
        Ok(())
    }

    pub(crate) fn release(&self, bytes: u64) {
        let mut state = self.state();
        state.free = state.free.saturating_add(bytes).min(CAPACITY);
    }

    /// Where something that exists lies on the host.
    pub(crate) fn find(&self, path: &WinPath) -> Result<PathBuf, DiskError> {
        let mut host = self.root.clone();
        let count = path.parts().len();
        self.check_lost(&host)?;
        for (index, part) in path.parts().iter().enumerate() {
            let last = index + 1 == count;
            match find_name(&host, part) {
                Some(found) => {
                    host.push(found);
                    self.check_lost(&host)?;
                }
                None if last => return Err(DiskError::NotFound),
                None => return Err(DiskError::PathNotFound),
            }
            if !last && !host.is_dir() {
                return Err(DiskError::PathNotFound);
            }
        }
        Ok(host)
    }

    /// Where something lies or would lie; its folder must exist.
    fn place(&self, path: &WinPath) -> Result<PathBuf, DiskError> {
        let (Some(name), Some(parent)) = (path.name(), path.parent()) else { return Ok(self.root.clone()) };
        let folder = self.find(&parent).map_err(|error| match error {
            DiskError::Io => DiskError::Io,
            _ => DiskError::PathNotFound,
        })?;
        if !folder.is_dir() {
            return Err(DiskError::PathNotFound);
        }
        let host = folder.join(find_name(&folder, name).unwrap_or_else(|| name.to_owned()));
        self.check_lost(&host)?;
        let link = fs::symlink_metadata(&host).is_ok_and(|metadata| metadata.is_symlink());
        if link { Err(DiskError::Denied) } else { Ok(host) }
    }

    pub(crate) fn entry(&self, path: &WinPath) -> Result<Entry, DiskError> {
        let host = self.find(path)?;
        entry_of(path.name().unwrap_or("C:").to_owned(), &host)
    }

    pub(crate) fn is_dir(&self, path: &WinPath) -> bool {
        self.entry(path).is_ok_and(|entry| entry.is_dir)
    }

    pub(crate) fn exists(&self, path: &WinPath) -> bool {
        self.find(path).is_ok()
    }

    /// What lies in a folder, by name, whatever the case.
    pub(crate) fn list(&self, path: &WinPath) -> Result<Vec<Entry>, DiskError> {
        let host = self.find(path)?;
        let mut entries = Vec::new();
        for item in fs::read_dir(&host)? {
            let item = item?;
            let Ok(name) = item.file_name().into_string() else { continue };
            // Gone in between is as good as never seen.
            if let Ok(entry) = entry_of(name, &item.path()) {
                entries.push(entry);
            }
        }
        entries.sort_by_key(|entry| entry.name.to_lowercase());
        Ok(entries)
    }

    pub(crate) fn make_dir(&self, path: &WinPath) -> Result<(), DiskError> {
        let host = self.place(path)?;
        fs::create_dir(host).map_err(DiskError::from)
    }

    /// With its parents, as `md` does; that it exists is no error.
    pub(crate) fn make_dirs(&self, path: &WinPath) -> Result<(), DiskError> {
        if let Some(parent) = path.parent()
            && !self.exists(&parent)
        {
            self.make_dirs(&parent)?;
        }
        match self.make_dir(path) {
            Err(DiskError::Exists) if self.is_dir(path) => Ok(()),
            other => other,
        }
    }

    pub(crate) fn remove_file(&self, path: &WinPath) -> Result<(), DiskError> {
        let host = self.find(path)?;
        let len = fs::symlink_metadata(&host)?.len();
        let state = self.state();
        open::check_delete(&state.opens, &host)?;
        fs::remove_file(&host)?;
        drop(state);
        self.release(len);
        Ok(())
    }

    pub(crate) fn remove_dir(&self, path: &WinPath) -> Result<(), DiskError> {
        let host = self.find(path)?;
        if host == self.root {
            return Err(DiskError::Denied);
        }
        fs::remove_dir(host).map_err(DiskError::from)
    }

    /// A folder with all that is in it.
    pub(crate) fn remove_tree(&self, path: &WinPath) -> Result<(), DiskError> {
        for entry in self.list(path)? {
            let child = path.join(&entry.name)?;
            if entry.is_dir { self.remove_tree(&child)? } else { self.remove_file(&child)? }
        }
        self.remove_dir(path)
    }

    /// Moves a file or folder; an existing target is an error unless `replace`.
    pub(crate) fn rename(&self, from: &WinPath, to: &WinPath, replace: bool) -> Result<(), DiskError> {
        let source = self.find(from)?;
        let target = self.place(to)?;
        let mut state = self.state();
        open::check_delete(&state.opens, &source)?;
        let mut freed = 0;
        if target != source
            && let Ok(existing) = fs::symlink_metadata(&target)
        {
            if !replace || existing.is_dir() {
                return Err(DiskError::Exists);
            }
            open::check_delete(&state.opens, &target)?;
            freed = existing.len();
        }
        // A new spelling of the same name is a rename too.
        let target = match (target.parent(), to.name()) {
            (Some(folder), Some(name)) if folder.join(name) != target => {
                if freed > 0 || target != source {
                    let _absent = fs::remove_file(&target);
                }
                folder.join(name)
            }
            _ => target,
        };
        fs::rename(&source, &target)?;
        open::follow_rename(&mut state.opens, &source, &target);
        state.free = state.free.saturating_add(freed).min(CAPACITY);
        Ok(())
    }

    /// Copies bytes, not times, as `copy /b` with `+` would; the usual `copy` sets the time with [`Disk::set_modified`].
    pub(crate) fn copy(self: &Arc<Self>, from: &WinPath, to: &WinPath) -> Result<(), DiskError> {
        let mut source = self.open(from, OpenHow::read())?;
        let mut target = self.open(to, OpenHow::replace())?;
        let mut buffer = vec![0; 1 << 20];
        let mut offset = 0;
        loop {
            let count = source.read_at(offset, &mut buffer)?;
            if count == 0 {
                break;
            }
            target.write_at(offset, &buffer[..count])?;
            offset += count as u64;
        }
        Ok(())
    }

    pub(crate) fn set_modified(&self, path: &WinPath, time: SystemTime) -> Result<(), DiskError> {
        let host = self.find(path)?;
        fs::File::open(host)?.set_modified(time).map_err(DiskError::from)
    }

    fn stamp(&self) -> Option<SystemTime> {
        self.clock.is_virtual().then(|| self.clock.now().into())
    }
}

fn entry_of(name: String, host: &Path) -> Result<Entry, DiskError> {
    let metadata = fs::symlink_metadata(host)?;
    Ok(Entry {
        name,
        is_dir: metadata.is_dir(),
        len: if metadata.is_dir() { 0 } else { metadata.len() },
        modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    })
}

/// The spelling under which a folder holds a name; links are not followed and do not exist for us.
fn find_name(folder: &Path, name: &str) -> Option<String> {
    if let Ok(metadata) = fs::symlink_metadata(folder.join(name)) {
        return (!metadata.is_symlink()).then(|| name.to_owned());
    }
    let wanted = name.to_lowercase();
    fs::read_dir(folder).ok()?.flatten().find_map(|item| {
        let found = item.file_name().into_string().ok()?;
        let link = item.file_type().ok()?.is_symlink();
        (!link && found.to_lowercase() == wanted).then_some(found)
    })
}

#[cfg(test)]
mod tests;
