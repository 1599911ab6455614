//! Keeps a second process off the same store.

use std::{fs::File, io};

use camino::Utf8Path;
use rustix::fs::{FlockOperation, flock};

use super::StoreError;

/// An exclusive lock on `<db>.lock`; the kernel frees it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(db: &Utf8Path) -> Result<Self, StoreError> {
        let path = db.with_file_name(format!("{}.lock", db.file_name().unwrap_or("store")));
        let failed = |source: io::Error| StoreError::Lock { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse { path: db.to_owned() }),
            Err(errno) => Err(failed(errno.into())),
        }
    }
}
