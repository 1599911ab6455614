//! A content backup, checked from its first byte to its last before anything of it goes to an Agent.
//!
//! Backups come from Agents, and people name what is in them: everything here is hostile until checked.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex, PoisonError},
};

use dataminer_schema::id::Sha256;
use sha2::Digest;
use zip::ZipArchive;

use crate::agent::{
    content::{FOLDERS, MAX_BYTES, MAX_DEPTH, MAX_FILES},
    error::{AgentError, Reason},
};

/// xcopy takes paths below 255 characters; what comes before a staged one takes up to 130 of them.
const MAX_PATH: usize = 250 - 60;
const READ_BYTES: usize = 256 * 1024;

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Entry {
    /// Below `C:\Skyline DataMiner`, with forward slashes.
    pub(in crate::agent) path: String,
    pub(in crate::agent) size: u64,
    pub(in crate::agent) sha256: Sha256,
    /// Where its bytes begin in the spool.
    offset: u64,
}

/// A whole backup, unpacked into a file without a name. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::agent) struct Unpacked {
    pub(in crate::agent) entries: Arc<Vec<Entry>>,
    spool: Arc<Mutex<File>>,
}

impl Unpacked {
    /// Bytes of all files.
    pub(in crate::agent) fn total(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// Every folder of it, parents first.
    pub(in crate::agent) fn folders(&self) -> Vec<String> {
        let mut folders = std::collections::BTreeSet::new();
        for entry in self.entries.iter() {
            for (at, _) in entry.path.match_indices('/') {
                folders.insert((entry.path[..at].matches('/').count(), entry.path[..at].to_owned()));
            }
        }
        folders.into_iter().map(|(_, folder)| folder).collect()
    }

    /// At most `length` bytes of an entry from `from`; none at its end.
    pub(in crate::agent) async fn read(
        &self,
        entry: &Entry,
        from: u64,
        length: usize,
    ) -> Result<Vec<u8>, AgentError> {
        let left = entry.size.saturating_sub(from);
        let length = usize::try_from(left).unwrap_or(length).min(length);
        let (spool, at) = (Arc::clone(&self.spool), entry.offset + from);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; length];
            let mut spool = spool.lock().unwrap_or_else(PoisonError::into_inner);
            spool.seek(SeekFrom::Start(at))?;
            spool.read_exact(&mut bytes)?;
            std::io::Result::Ok(bytes)
        });
        read.await.map_err(|error| local(&error))?.map_err(|error| local(&error))
    }
}

pub(super) fn local(error: &dyn std::fmt::Display) -> AgentError {
    AgentError::new(
        Reason::VaultFailed,
        format!("cannot unpack a content backup: {error}"),
        "free space in the temporary folder of the reconciler",
    )
}

/// Checks and unpacks the backup called `name`.
pub(super) async fn unpack(name: &str, zip: File) -> Result<Unpacked, AgentError> {
    let name = name.to_owned();
    let unpacked = tokio::task::spawn_blocking(move || {
        let spool = tempfile::tempfile().map_err(|error| local(&error))?;
        unpack_into(&name, zip, spool)
    });
    unpacked.await.map_err(|error| local(&error))?
}

fn unpack_into(name: &str, zip: File, mut spool: File) -> Result<Unpacked, AgentError> {
    let refused = |why: String| {
        AgentError::new(
            Reason::BackupRefused,
            format!("content backup {} is not restored: {why}", name.escape_debug()),
            "nothing was changed; choose another backup, or restore this one by hand after a look into it",
        )
    };
    let mut zip =
        ZipArchive::new(zip).map_err(|error| refused(format!("it is no whole zip file ({error})")))?;
    if zip.len() > MAX_FILES {
        return Err(refused(format!("it holds {} entries, more than {MAX_FILES}", zip.len())));
    }
    if zip.has_duplicate_names() {
        return Err(refused("two of its entries have the same name".to_owned()));
    }
    if zip.has_overlapping_entries().map_err(|error| refused(error.to_string()))? {
        return Err(refused("its entries overlap".to_owned()));
    }
    let mut names = Names::default();
    let mut entries = Vec::new();
    let mut offset = 0_u64;
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).map_err(|error| refused(format!("entry {index}: {error}")))?;
        let raw = file.name().map_err(|error| refused(format!("entry {index}: {error}")))?.into_owned();
        let about = |why: &str| refused(format!("its entry `{}` {why}", raw.escape_debug()));
        if file.is_symlink() || file.encrypted() {
            return Err(about("is a link or encrypted"));
        }
        let folder = raw.ends_with(['/', '\\']);
        let path = checked_path(&raw).map_err(|why| about(&why))?;
        names.add(&path, folder).map_err(|why| about(&why))?;
        if folder {
            if file.size() > 0 {
                return Err(about("is a folder with bytes in it"));
            }
            continue;
        }
        let (size, sha256) =
            copy(&mut file, &mut spool, MAX_BYTES - offset).map_err(|error| match error {
                Broken::TooMuch => refused("it holds more than 16 GiB".to_owned()),
                Broken::Zip(error) => about(&format!("cannot be read ({error})")),
                Broken::Spool(error) => local(&error),
            })?;
        entries.push(Entry { path, size, sha256, offset });
        offset += size;
    }
    Ok(Unpacked { entries: Arc::new(entries), spool: Arc::new(Mutex::new(spool)) })
}

enum Broken {
    TooMuch,
    Zip(std::io::Error),
    Spool(std::io::Error),
}

/// Copies an entry; its CRC is checked by the reader at its end.
fn copy(from: &mut impl Read, to: &mut File, cap: u64) -> Result<(u64, Sha256), Broken> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0_u8; READ_BYTES];
    let mut size = 0_u64;
    loop {
        let count = from.read(&mut buffer).map_err(Broken::Zip)?;
        if count == 0 {
            return Ok((size, Sha256::from_digest(hasher.finalize().into())));
        }
        size += count as u64;
        if size > cap {
            return Err(Broken::TooMuch);
        }
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(Broken::Spool)?;
    }
}

/// The names so far: Windows takes names that differ only in case for one.
#[derive(Default)]
struct Names(BTreeMap<String, Kind>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

impl Names {
    fn add(&mut self, path: &str, folder: bool) -> Result<(), String> {
        let path = path.to_lowercase();
        for (at, _) in path.match_indices('/') {
            if self.0.insert(path[..at].to_owned(), Kind::Folder) == Some(Kind::File) {
                return Err("lies below what is a file elsewhere".to_owned());
            }
        }
        let kind = if folder { Kind::Folder } else { Kind::File };
        match self.0.insert(path, kind) {
            None => Ok(()),
            Some(Kind::Folder) if folder => Ok(()),
            Some(_) => {
                Err("is there twice for Windows, which does not tell upper from lower case".to_owned())
            }
        }
    }
}

/// The path of an entry below `C:\Skyline DataMiner`, with forward slashes. Older .NET writes backslashes.
fn checked_path(name: &str) -> Result<String, String> {
    let path = name.replace('\\', "/");
    let path = path.strip_suffix('/').unwrap_or(&path);
    let mut parts = path.split('/');
    let top = parts.next().unwrap_or_default();
    let Some(top) = FOLDERS.into_iter().find(|folder| folder.eq_ignore_ascii_case(top)) else {
        return Err("lies outside Applications and Dashboards".to_owned());
    };
    let mut checked = top.to_owned();
    let mut depth = 1;
    for part in parts {
        check_part(part)?;
        checked.push('/');
        checked.push_str(part);
        depth += 1;
    }
    if depth > MAX_DEPTH {
        return Err(format!("is nested deeper than {MAX_DEPTH} folders"));
    }
    if checked.encode_utf16().count() > MAX_PATH {
        return Err(format!(
            "has a path of more than {MAX_PATH} characters, which Windows' xcopy does not take"
        ));
    }
    Ok(checked)
}

/// One name on NTFS that means nothing but itself.
fn check_part(part: &str) -> Result<(), String> {
    if part.is_empty() || part == "." || part == ".." {
        return Err("leads elsewhere".to_owned());
    }
    if part.chars().any(|c| c.is_control() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|')) {
        return Err("holds a character that Windows does not take in names".to_owned());
    }
    if part.ends_with(['.', ' ']) {
        return Err("ends with a dot or a blank, which Windows drops".to_owned());
    }
    if is_device(part) {
        return Err("is called like a device".to_owned());
    }
    Ok(())
}

/// `NUL`, `com1.txt`, `LPT¹`: Windows takes them for devices, whatever follows the first dot.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = ["COM", "LPT"].iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|number| {
            let mut chars = number.chars();
            matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    });
    numbered || matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
}

#[cfg(test)]
mod tests {
    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zip_of(entries: &[(&str, &[u8])]) -> File {
        let mut zip = ZipWriter::new(tempfile::tempfile().expect("a temporary file"));
        for (name, bytes) in entries {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            zip.start_file(*name, options).expect("a fresh entry");
            zip.write_all(bytes).expect("it can be written");
        }
        zip.finish().expect("it can be written")
    }

    fn unpacked(zip: File) -> Result<Unpacked, AgentError> {
        unpack_into("b.zip", zip, tempfile::tempfile().expect("a temporary file"))
    }

    #[tokio::test]
    async fn a_backup_is_unpacked_with_hashes_and_folders() {
        let zip = zip_of(&[
            ("Applications/", b""),
            (r"applications\a b & 100%\App.info.json", b"{}"),
            ("Dashboards/R\u{e9}gion/x.dmadb.json", b"content"),
            ("Dashboards/empty.json", b""),
        ]);
        let unpacked = unpacked(zip).expect("a fine backup");
        let paths: Vec<&str> = unpacked.entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "Applications/a b & 100%/App.info.json",
                "Dashboards/R\u{e9}gion/x.dmadb.json",
                "Dashboards/empty.json"
            ]
        );
        assert_eq!(
            unpacked.folders(),
            ["Applications", "Dashboards", "Applications/a b & 100%", "Dashboards/R\u{e9}gion"]
        );
        assert_eq!(unpacked.total(), 9);
        let entry = &unpacked.entries[1];
        assert_eq!(entry.sha256, Sha256::of(b"content"));
        assert_eq!(unpacked.read(entry, 3, 100).await.expect("it reads"), b"tent");
        assert_eq!(unpacked.read(entry, 7, 100).await.expect("it reads"), b"");
    }

    /// Issue 3: entries outside Applications and Dashboards, traversal in either separator.
    #[test]
    fn names_that_must_not_reach_an_agent_are_refused_by_name() {
        let long = format!("Dashboards/{}", "a".repeat(200));
        let deep = format!("Dashboards/{}x", "a/".repeat(45));
        for name in [
            "../x",
            r"..\x",
            r"C:\x",
            "C:/x",
            "/Dashboards/x",
            r"\Dashboards\x",
            r"\\server\share\x",
            r"Applications\..\..\x",
            "Applications/../x",
            "Applications/./x",
            "Applications//x",
            "Applications/NUL",
            "Applications/nul.json",
            "Applications/com1/x",
            "Applications/LPT\u{b9}.txt",
            "Applications/CON .txt",
            "Applications/x.json:stream",
            "Applications/x.json::$DATA",
            "Applications/x.",
            "Applications/x ",
            "Applications/a*b",
            "Applications/a\"b",
            "Applications/a\u{7}b",
            "Files/SLNet.exe",
            "Applications.json",
            "x",
            "",
            &long,
            &deep,
        ] {
            let error = unpacked(zip_of(&[("Dashboards/fine.json", b"{}"), (name, b"x")])).expect_err(name);
            assert_eq!(error.reason, Reason::BackupRefused, "{name}: {error}");
            assert!(error.message.contains(&*name.escape_debug().to_string()), "{name}: {error}");
        }
    }

    #[test]
    fn names_that_are_one_on_windows_are_refused() {
        for names in [
            ["Dashboards/a.json", "Dashboards/A.json"],
            ["Dashboards/\u{e9}.json", "dashboards/\u{c9}.json"],
            ["Dashboards/a/b.json", r"Dashboards\a\b.json"],
            ["Dashboards/a", "Dashboards/A/b.json"],
            ["Dashboards/A/b.json", "Dashboards/a"],
        ] {
            let error = unpacked(zip_of(&names.map(|name| (name, b"x".as_slice())))).expect_err(names[0]);
            assert_eq!(error.reason, Reason::BackupRefused, "{names:?}: {error}");
        }
    }

    #[test]
    fn bytes_that_are_not_what_the_zip_says_are_refused() {
        let mut bytes = Vec::new();
        let mut zip = zip_of(&[("Dashboards/a.json", b"some content"), ("Dashboards/b.json", b"more")]);
        zip.rewind().expect("it can be read");
        zip.read_to_end(&mut bytes).expect("it can be read");
        let file = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().expect("a temporary file");
            file.write_all(bytes).expect("it can be written");
            file
        };
        // CRC.
        let at = bytes.windows(12).position(|part| part == b"some content").expect("it is stored");
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        for (what, bytes) in [
            ("tampered", changed.as_slice()),
            ("truncated", &bytes[..bytes.len() - 10]),
            ("cut in half", &bytes[..bytes.len() / 2]),
            ("empty", &[]),
            ("no zip", b"hello"),
        ] {
            let error = unpacked(file(bytes)).expect_err(what);
            assert_eq!(error.reason, Reason::BackupRefused, "{what}: {error}");
        }
        assert!(unpacked(file(&bytes)).is_ok());
    }

    #[test]
    fn too_many_entries_are_refused_before_any_is_read() {
        let mut zip = ZipWriter::new(tempfile::tempfile().expect("a temporary file"));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for number in 0..=MAX_FILES {
            zip.start_file(format!("Dashboards/{number}"), options).expect("a fresh entry");
        }
        let error = unpacked(zip.finish().expect("it can be written")).expect_err("too many");
        assert!(error.message.contains("200001 entries"), "{error}");
    }
}
