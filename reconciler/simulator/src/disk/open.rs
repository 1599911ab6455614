//! Open files and what their holders share.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::{Disk, DiskError, WinPath};

/// How a file is opened: what its holder does and what it lets others do meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenHow {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) create: bool,
    pub(crate) create_new: bool,
    pub(crate) truncate: bool,
    pub(crate) share_write: bool,
    pub(crate) share_delete: bool,
}

impl OpenHow {
    /// For reading, as programs usually do: others may write and delete.
    pub(crate) fn read() -> Self {
        Self {
            read: true,
            write: false,
            create: false,
            create_new: false,
            truncate: false,
            share_write: true,
            share_delete: true,
        }
    }

    /// As `>` of cmd opens: others may only read.
    pub(crate) fn replace() -> Self {
        Self {
            read: false,
            write: true,
            create: true,
            truncate: true,
            share_write: false,
            share_delete: false,
            ..Self::read()
        }
    }

    /// As `>>` of cmd opens.
    pub(crate) fn append() -> Self {
        Self { truncate: false, ..Self::replace() }
    }
}

/// A registered open file.
pub(super) struct Held {
    path: PathBuf,
    how: OpenHow,
}

/// A file held open; others get a sharing violation according to [`OpenHow`] until it is dropped.
pub(crate) struct OpenFile {
    disk: Arc<Disk>,
    key: u64,
    file: File,
    /// Where it lay when it was opened.
    host: PathBuf,
    how: OpenHow,
    /// Known length, so that growth is counted without asking the host each time.
    len: u64,
    dirty: bool,
}

impl Disk {
    pub(crate) fn open(self: &Arc<Self>, path: &WinPath, how: OpenHow) -> Result<OpenFile, DiskError> {
        let host = if how.create { self.place(path)? } else { self.find(path)? };
        let mut state = self.state();
        check_open(&state.opens, &host, how)?;
        let before = match fs::symlink_metadata(&host) {
            Ok(metadata) if metadata.is_dir() => return Err(DiskError::Denied),
            Ok(_) if how.create_new => return Err(DiskError::Exists),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(how.write)
            .create(how.create && how.write)
            .create_new(how.create_new && how.write)
            .truncate(how.truncate && how.write)
            .open(&host)?;
        let len = if how.truncate && how.write {
            state.free = state.free.saturating_add(before).min(super::CAPACITY);
            0
        } else {
            before
        };
        let key = state.next;
        state.next += 1;
        state.opens.insert(key, Held { path: host.clone(), how });
        drop(state);
        let dirty = how.write && (how.truncate || how.create);
        Ok(OpenFile { disk: Arc::clone(self), key, file, host, how, len, dirty })
    }
}

impl Disk {
    /// Whether somebody holds a file open for writing.
    pub(crate) fn is_written(&self, path: &WinPath) -> bool {
        let Ok(host) = self.find(path) else { return false };
        self.state().opens.values().any(|held| held.how.write && held.path == host)
    }
}

impl OpenFile {
    pub(crate) fn len(&self) -> Result<u64, DiskError> {
        Ok(self.file.metadata()?.len())
    }

    pub(crate) fn modified(&self) -> Result<SystemTime, DiskError> {
        self.file.metadata()?.modified().map_err(DiskError::from)
    }

    /// How many bytes came; 0 at the end.
    pub(crate) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        if !self.how.read {
            return Err(DiskError::Denied);
        }
        self.disk.check_lost(&self.host)?;
        self.file.read_at(buffer, offset).map_err(DiskError::from)
    }

    pub(crate) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        if !self.how.write {
            return Err(DiskError::Denied);
        }
        self.disk.check_lost(&self.host)?;
        let end = offset.saturating_add(bytes.len() as u64);
        if end > self.len {
            // Another holder may have grown it since.
            self.len = self.len()?.max(self.len);
            if end > self.len {
                self.disk.reserve(end - self.len)?;
                self.len = end;
            }
        }
        self.file.write_all_at(bytes, offset)?;
        self.dirty = true;
        Ok(())
    }

    pub(crate) fn set_len(&mut self, len: u64) -> Result<(), DiskError> {
        self.disk.check_lost(&self.host)?;
        let before = self.len()?;
        if len > before {
            self.disk.reserve(len - before)?;
        } else {
            self.disk.release(before - len);
        }
        self.file.set_len(len)?;
        self.len = len;
        self.dirty = true;
        Ok(())
    }

    pub(crate) fn set_modified(&mut self, time: SystemTime) -> Result<(), DiskError> {
        self.file.set_modified(time)?;
        // It stands: closing the file must not stamp it again.
        self.dirty = false;
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if self.dirty
            && let Some(now) = self.disk.stamp()
        {
            // A file without the simulated time is no reason to fail a close.
            let _unstamped = self.file.set_modified(now);
        }
        self.disk.state().opens.remove(&self.key);
    }
}

/// Whether those who hold a file open let it be opened like this.
pub(super) fn check_open(opens: &HashMap<u64, Held>, host: &Path, how: OpenHow) -> Result<(), DiskError> {
    let refuses = |held: &Held| (how.write && !held.how.share_write) || (held.how.write && !how.share_write);
    let blocked = opens.values().any(|held| held.path == host && refuses(held));
    if blocked { Err(DiskError::Sharing) } else { Ok(()) }
}

/// Whether a file, or a folder with all in it, may be moved or deleted.
pub(super) fn check_delete(opens: &HashMap<u64, Held>, host: &Path) -> Result<(), DiskError> {
    let blocked = opens.values().any(|held| {
        (held.path == host && !held.how.share_delete) || (held.path != host && held.path.starts_with(host))
    });
    if blocked { Err(DiskError::Sharing) } else { Ok(()) }
}

pub(super) fn follow_rename(opens: &mut HashMap<u64, Held>, source: &Path, target: &Path) {
    for held in opens.values_mut() {
        if let Ok(below) = held.path.strip_prefix(source) {
            held.path = if below.as_os_str().is_empty() { target.to_owned() } else { target.join(below) };
        }
    }
}
