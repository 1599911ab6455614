//! Files replaced as a whole or not at all.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Following it would write somewhere that nobody looked at.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// Somebody wrote it between reading and now.
    #[error("{} changed while it was worked on", .0.display())]
    Changed(PathBuf),
    /// The file system's own word.
    #[error("writing {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl WriteError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Link(_) => "put the file itself there: links are never followed",
            Self::Changed(_) => "run it again",
            Self::Io { .. } => "make the file and its folder writable",
        }
    }
}

/// A file's bytes before and after.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub path: &'a Path,
    pub before: &'a [u8],
    pub after: Vec<u8>,
}

/// Replaces these files. Everything is looked at and every new file lies whole on the disk before the first of them takes
/// its place; a rename that fails then leaves the earlier ones replaced, each of them whole.
///
/// # Errors
/// A link, a file that is not what was read, a disk that does not take it.
pub fn write_all(changes: &[Change<'_>]) -> Result<(), WriteError> {
    let mut ready = Vec::new();
    for Change { path, before, after } in changes {
        let fault = |error| WriteError::Io { path: (*path).to_owned(), error };
        let kind = fs::symlink_metadata(path).map_err(fault)?;
        if kind.is_symlink() {
            return Err(WriteError::Link((*path).to_owned()));
        }
        if fs::read(path).map_err(fault)? != *before {
            return Err(WriteError::Changed((*path).to_owned()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::Builder::new()
            .prefix(".bump-")
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(fault)?;
        file.write_all(after).map_err(fault)?;
        file.as_file().set_permissions(kind.permissions()).map_err(fault)?;
        file.as_file().sync_all().map_err(fault)?;
        ready.push((*path, file));
    }
    for (path, file) in ready {
        file.persist(path)
            .map_err(|refused| WriteError::Io { path: path.to_owned(), error: refused.error })?;
    }
    Ok(())
}
