//! The file that an object arrives in: of one writer at a time, also where `backup save` runs beside the process.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};

/// More writers of the same file name at once than anybody starts.
const MOST: usize = 16;

/// Opens an empty part file for an object called `name` that no other writer has. What a crash left is taken again,
/// as its lock is free; so leftovers do not pile up.
pub(super) fn open(folder: &Utf8Path, name: &str) -> io::Result<(Utf8PathBuf, File)> {
    for number in 0..MOST {
        let number = if number == 0 { String::new() } else { format!(".{number}") };
        let path = folder.join(format!(".{name}{number}.part"));
        // Not truncated before it is known to be ours.
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        // Any other error is a share without locks: one process is all that can be promised there, as before.
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK) {
            continue;
        }
        // Whoever had it may have renamed it into its place between our two calls: then it is an object by now.
        let same = |there: &Metadata, ours: &Metadata| (there.dev(), there.ino()) == (ours.dev(), ours.ino());
        match (std::fs::symlink_metadata(&path), file.metadata()) {
            (Ok(there), Ok(ours)) if same(&there, &ours) => {}
            _ => continue,
        }
        file.set_len(0)?;
        return Ok((path, file));
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "too many writers of it at the same time"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn two_writers_have_two_files_and_a_leftover_is_taken_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
        let (first, mut held) = open(folder, "a.zip").expect("it opens");
        held.write_all(b"half").expect("it writes");
        let (second, _other) = open(folder, "a.zip").expect("it opens");
        assert_ne!(first, second);
        drop(held);
        let (third, again) = open(folder, "a.zip").expect("it opens");
        assert_eq!(third, first);
        assert_eq!(again.metadata().expect("it is there").len(), 0);
    }

    /// A renamed part file is an object: a writer that opened it before must not write into it.
    #[test]
    fn a_file_that_was_renamed_meanwhile_is_not_written_to() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
        let (part, mut held) = open(folder, "a.zip").expect("it opens");
        held.write_all(b"whole").expect("it writes");
        std::fs::rename(&part, folder.join("object")).expect("it renames");
        let (_, _other) = open(folder, "a.zip").expect("it opens");
        assert_eq!(std::fs::read(folder.join("object")).expect("it reads"), b"whole");
    }
}
