//! The content of the web apps: the folders Applications and Dashboards, copied into a zip of our own whose root
//! matches `C:\Skyline DataMiner`, like the product's own backups (`domain/03 section 4`).

use std::{fs::File, io::Write};

use futures::{StreamExt, stream};
use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    error::{AgentError, Reason},
    layout::{Layout, checked_entry_name},
    link::Session,
    transport::Receive,
};

pub(super) const FOLDERS: [&str; 2] = ["Applications", "Dashboards"];
pub(super) const MAX_FILES: usize = 200_000;
pub(super) const MAX_DEPTH: usize = 40;
pub(super) const MAX_BYTES: u64 = 16 * 1024 * 1024 * 1024;
const MAX_ENTRIES: usize = 50_000;
/// Files up to this size are fetched ahead, several at a time; larger ones are streamed one after the other.
const SMALL: u64 = 4 * 1024 * 1024;
const AT_ONCE: usize = 16;
const LISTINGS_AT_ONCE: usize = 8;

/// One file below `C:\Skyline DataMiner`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ContentFile {
    /// With forward slashes, as zips have it.
    pub(super) path: String,
    pub(super) size: u64,
    modified: Option<Timestamp>,
}

/// All files of the content, sorted.
pub(super) type Listing = Vec<ContentFile>;

/// When the newest file was written.
pub(super) fn newest(listing: &[ContentFile]) -> Option<Timestamp> {
    listing.iter().filter_map(|file| file.modified).max()
}

/// Bytes of all files.
pub(super) fn total(listing: &[ContentFile]) -> u64 {
    listing.iter().map(|file| file.size).sum()
}

/// Lists both folders; one that is not there has no files.
pub(super) async fn list(session: &Session, layout: &Layout) -> Result<Listing, AgentError> {
    let mut files = Listing::new();
    let mut level: Vec<String> = FOLDERS.map(str::to_owned).to_vec();
    let mut bytes = 0_u64;
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        // Collected first: a stream over the borrowing iterator is not `Send`.
        let listings: Vec<_> = level
            .iter()
            .map(|folder| async move {
                let path = layout.skyline(&folder.replace('/', r"\"));
                match session.sftp.list(&path, MAX_ENTRIES).await {
                    Err(error) if error.is_not_found() => Ok((folder, Vec::new())),
                    other => other.map(|entries| (folder, entries)),
                }
            })
            .collect();
        let listings: Vec<_> = stream::iter(listings).buffered(LISTINGS_AT_ONCE).collect().await;
        for listing in listings {
            let (folder, entries) = listing?;
            for entry in entries {
                let path = format!("{folder}/{}", checked_entry_name(&entry.name)?);
                if entry.folder {
                    next.push(path);
                } else {
                    let size = entry.size.unwrap_or(0);
                    bytes = bytes.saturating_add(size);
                    files.push(ContentFile { path, size, modified: entry.modified });
                }
            }
            if files.len() + next.len() > MAX_FILES || bytes > MAX_BYTES {
                return Err(too_much("holds more than 200,000 files or 16 GiB"));
            }
        }
        if next.is_empty() {
            files.sort();
            return Ok(files);
        }
        level = next;
    }
    Err(too_much("is nested deeper than 40 folders"))
}

fn too_much(what: &str) -> AgentError {
    AgentError::new(
        Reason::ProtocolViolation,
        format!("the content of the web apps {what}"),
        r"look at Applications and Dashboards in `C:\Skyline DataMiner`",
    )
}

/// Copies the listed files into `target`. False if a file did not have its listed size any more.
pub(super) async fn copy(
    session: &Session,
    layout: &Layout,
    listing: &[ContentFile],
    target: File,
    mut copied: impl FnMut(u64),
) -> Result<bool, AgentError> {
    let (parts, inbox) = mpsc::channel(32);
    let writer = tokio::task::spawn_blocking(move || write_zip(target, inbox));
    let sent = send(session, layout, listing, &parts, &mut copied).await;
    drop(parts);
    let written = writer.await.map_err(|error| local(&error))?;
    let whole = sent?;
    written.map_err(|error| local(&error))?;
    Ok(whole)
}

fn local(error: &dyn std::fmt::Display) -> AgentError {
    AgentError::new(
        Reason::VaultFailed,
        format!("cannot write the copy of the content: {error}"),
        "free space in the temporary folder of the reconciler",
    )
}

async fn send(
    session: &Session,
    layout: &Layout,
    listing: &[ContentFile],
    parts: &mpsc::Sender<Part>,
    copied: &mut impl FnMut(u64),
) -> Result<bool, AgentError> {
    let gone = |_| local(&"the writer stopped");
    let path = |file: &ContentFile| layout.skyline(&file.path.replace('/', r"\"));
    let fetched: Vec<_> = listing
        .iter()
        .map(|file| async move {
            if file.size > SMALL {
                return Ok((file, None));
            }
            let cap = usize::try_from(SMALL).unwrap_or(usize::MAX / 2);
            match session.sftp.read(&path(file), cap).await {
                Ok(text) => Ok((file, Some(text.bytes))),
                // Deleted or being written since the listing.
                Err(error) if error.is_connection_lost() => Err(error),
                Err(_) => Ok((file, Some(Vec::new()))),
            }
        })
        .collect();
    let mut fetched = stream::iter(fetched).buffered(AT_ONCE);
    let mut whole = true;
    let mut done = 0_u64;
    while let Some(next) = fetched.next().await {
        let (file, bytes) = next?;
        parts.send(Part::File(file.clone())).await.map_err(gone)?;
        let size = match bytes {
            Some(bytes) => {
                let size = bytes.len() as u64;
                parts.send(Part::Data(bytes)).await.map_err(gone)?;
                size
            }
            None => session.sftp.download(&path(file), file.size, &mut Parts(parts)).await?,
        };
        whole &= size == file.size;
        done += size;
        copied(done);
    }
    Ok(whole)
}

struct Parts<'a>(&'a mpsc::Sender<Part>);

impl Receive for Parts<'_> {
    async fn take(&mut self, chunk: Vec<u8>) -> Result<(), AgentError> {
        self.0.send(Part::Data(chunk)).await.map_err(|_| local(&"the writer stopped"))
    }
}

enum Part {
    File(ContentFile),
    Data(Vec<u8>),
}

fn write_zip(target: File, mut inbox: mpsc::Receiver<Part>) -> Result<(), zip::result::ZipError> {
    let mut zip = ZipWriter::new(target);
    while let Some(part) = inbox.blocking_recv() {
        match part {
            Part::File(file) => {
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Deflated)
                    // The same content gives the same bytes, so that the vault keeps it once.
                    .last_modified_time(dos_time(file.modified))
                    .large_file(file.size > u64::from(u32::MAX / 2));
                zip.start_file(file.path, options)?;
            }
            Part::Data(bytes) => zip.write_all(&bytes)?,
        }
    }
    zip.finish()?.sync_all()?;
    Ok(())
}

fn dos_time(at: Option<Timestamp>) -> zip::DateTime {
    at.and_then(|at| {
        let at = at.to_zoned(TimeZone::UTC).datetime();
        let part = |value: i8| u8::try_from(value).ok();
        zip::DateTime::from_date_and_time(
            u16::try_from(at.year()).ok()?,
            part(at.month())?,
            part(at.day())?,
            part(at.hour())?,
            part(at.minute())?,
            part(at.second())?,
        )
        .ok()
    })
    .unwrap_or_default()
}

/// Whether two listings name the same files, sizes and times.
pub(super) fn agree(a: &[ContentFile], b: &[ContentFile]) -> bool {
    a == b
}
