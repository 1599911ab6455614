//! Files read and written as a whole, as the product does.

use std::{fs, io::Write as _, sync::Arc};

use super::{CAPACITY, Disk, DiskError, OpenHow, WinPath, open};

impl Disk {
    /// A whole file, at most `limit` bytes of it.
    pub(crate) fn read(self: &Arc<Self>, path: &WinPath, limit: usize) -> Result<Vec<u8>, DiskError> {
        let mut file = self.open(path, OpenHow::read())?;
        let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(limit).min(limit)];
        let mut filled = 0;
        while filled < bytes.len() {
            let count = file.read_at(filled as u64, &mut bytes[filled..])?;
            if count == 0 {
                break;
            }
            filled += count;
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Replaces a file; its folders are made. Whoever reads it meanwhile sees the old bytes or the new ones, never a
    /// part: the product writes beside the file and puts the whole in its place.
    pub(crate) fn write(self: &Arc<Self>, path: &WinPath, bytes: &[u8]) -> Result<(), DiskError> {
        if let Some(parent) = path.parent() {
            self.make_dirs(&parent)?;
        }
        let host = self.place(path)?;
        self.check_lost(&host)?;
        let mut state = self.state();
        open::check_open(&state.opens, &host, OpenHow::replace())?;
        let before = match fs::symlink_metadata(&host) {
            Ok(metadata) if metadata.is_dir() => return Err(DiskError::Denied),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        };
        let room = state.free.saturating_add(before).min(CAPACITY);
        let free = room.checked_sub(bytes.len() as u64).ok_or(DiskError::Full)?;
        // Outside the drive, so that no listing shows it.
        let beside = self.root.parent().unwrap_or(&self.root);
        let mut whole = tempfile::NamedTempFile::new_in(beside)?;
        whole.write_all(bytes)?;
        if let Some(now) = self.stamp() {
            whole.as_file().set_modified(now)?;
        }
        whole.persist(&host).map_err(|error| error.error)?;
        state.free = free;
        Ok(())
    }

    /// Appends to a file, made if it is not there.
    pub(crate) fn append(self: &Arc<Self>, path: &WinPath, bytes: &[u8]) -> Result<(), DiskError> {
        let mut file = self.open(path, OpenHow::append())?;
        let end = file.len()?;
        file.write_at(end, bytes)
    }
}
