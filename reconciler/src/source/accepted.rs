//! Which commit was last in force: kept over restarts, so that a broken head never leaves a fleet without
//! its last good manifests, and a rewritten history is noticed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use dataminer_schema::id::CommitId;

use super::SourceError;

/// A one-line file beside the clone, replaced atomically.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    file: PathBuf,
}

impl Accepted {
    pub(super) fn new(folder: &Path) -> Self {
        Self { file: folder.join("accepted") }
    }

    /// The commit on record; none at first, and none if the file does not hold a commit.
    pub(super) fn read(&self) -> Result<Option<CommitId>, SourceError> {
        match fs::read_to_string(&self.file) {
            Ok(text) => Ok(CommitId::new(text.trim()).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(SourceError::State { path: self.file.clone(), cause }),
        }
    }

    pub(super) fn write(&self, commit: &CommitId) -> Result<(), SourceError> {
        let write = || -> io::Result<()> {
            let folder = self.file.parent().ok_or(io::ErrorKind::InvalidInput)?;
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            io::Write::write_all(&mut file, format!("{commit}\n").as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.file).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|cause| SourceError::State { path: self.file.clone(), cause })
    }
}
