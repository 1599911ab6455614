//! SFTP for everything but large uploads: small files, listings, folders, renames.

use std::{fmt, time::Duration};

use futures::{StreamExt, stream::FuturesOrdered};
use jiff::Timestamp;
use russh_sftp::{
    client::{Config, RawSftpSession, error::Error},
    protocol::{FileAttributes, FileType, OpenFlags, StatusCode},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::within;
use crate::agent::error::{AgentError, Reason};

/// What every server returns for one read; asking for more only makes short answers.
const READ_BYTES: u32 = 32 * 1024;
/// Reads in flight of one large file: with 32 KiB each this fills OpenSSH's 2 MiB window.
const READS_IN_FLIGHT: usize = 32;
/// How much of a small file is written by one request.
const WRITE_BYTES: usize = 32 * 1024;

/// What a read returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    pub bytes: Vec<u8>,
    /// Whether the file goes on beyond the cap.
    pub truncated: bool,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub folder: bool,
    /// Bytes; absent when the server does not say.
    pub size: Option<u64>,
    /// Last write, UTC.
    pub modified: Option<Timestamp>,
}

/// Takes a download, chunk by chunk.
pub trait Receive {
    /// Takes the next chunk; an error ends the download.
    fn take(&mut self, chunk: Vec<u8>) -> impl Future<Output = Result<(), AgentError>> + Send;
}

/// An SFTP session.
pub struct Sftp {
    session: RawSftpSession,
    peer: String,
}

impl fmt::Debug for Sftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sftp").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Sftp {
    pub(super) async fn start<S>(stream: S, peer: &str, request: Duration) -> Result<Self, AgentError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let config = Config { request_timeout_secs: request.as_secs().max(1), ..Config::default() };
        let session = RawSftpSession::new_with_config(stream, config);
        within(request, peer, "starting SFTP", session.init())
            .await?
            .map_err(|error| sftp_error(peer, "starting SFTP", &error))?;
        Ok(Self { session, peer: peer.to_owned() })
    }

    /// Reads a file from the start, at most `cap` bytes.
    pub async fn read(&self, path: &str, cap: usize) -> Result<FileText, AgentError> {
        self.read_from(path, 0, cap).await
    }

    /// Reads a file from `offset`, at most `cap` bytes.
    pub async fn read_from(&self, path: &str, offset: u64, cap: usize) -> Result<FileText, AgentError> {
        let failed = |error: &Error| sftp_error(&self.peer, &format!("reading {path}"), error);
        let handle = self
            .session
            .open(path, OpenFlags::READ, FileAttributes::empty())
            .await
            .map_err(|error| failed(&error))?
            .handle;
        let read = self.read_handle(&handle, offset, cap).await;
        // A handle that cannot be closed ends with the session.
        let closed = self.session.close(handle).await;
        let text = read.map_err(|error| failed(&error))?;
        closed.map_err(|error| failed(&error))?;
        Ok(text)
    }

    async fn read_handle(&self, handle: &str, offset: u64, cap: usize) -> Result<FileText, Error> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut asked = 0_usize;
        let mut flight = FuturesOrdered::new();
        loop {
            // Most files end within the first read; only for longer ones it pays to ask ahead.
            let ahead = if bytes.is_empty() { 1 } else { READS_IN_FLIGHT };
            // One byte beyond the cap tells whether there is more.
            while flight.len() < ahead && asked <= cap {
                let length = (cap + 1 - asked).min(READ_BYTES as usize) as u64;
                let at = offset + asked as u64;
                flight.push_back(async move { (length, self.read_exactly(handle, at, length).await) });
                asked += usize::try_from(length).unwrap_or(READ_BYTES as usize);
            }
            let Some((length, chunk)) = flight.next().await else { break };
            let chunk = chunk?;
            bytes.extend_from_slice(&chunk);
            if (chunk.len() as u64) < length {
                break;
            }
        }
        let truncated = bytes.len() > cap;
        bytes.truncate(cap);
        Ok(FileText { bytes, truncated })
    }

    /// Hands a file of `size` bytes to `receiver`, in order, with many reads in flight. Returns how many bytes
    /// came; fewer than `size` when the file became shorter.
    pub async fn download(
        &self,
        path: &str,
        size: u64,
        receiver: &mut impl Receive,
    ) -> Result<u64, AgentError> {
        let failed = |error: &Error| sftp_error(&self.peer, &format!("downloading {path}"), error);
        let handle = self
            .session
            .open(path, OpenFlags::READ, FileAttributes::empty())
            .await
            .map_err(|error| failed(&error))?
            .handle;
        let mut asked = 0_u64;
        let mut done = 0_u64;
        let mut flight = FuturesOrdered::new();
        let outcome = loop {
            while flight.len() < READS_IN_FLIGHT && asked < size {
                let length = u64::from(READ_BYTES).min(size - asked);
                let handle = handle.as_str();
                let at = asked;
                flight.push_back(async move { (length, self.read_exactly(handle, at, length).await) });
                asked += length;
            }
            let Some((length, chunk)) = flight.next().await else { break Ok(done) };
            match chunk {
                Ok(chunk) => {
                    let count = chunk.len() as u64;
                    if let Err(error) = receiver.take(chunk).await {
                        break Err(error);
                    }
                    done += count;
                    if count < length {
                        break Ok(done);
                    }
                }
                Err(error) => break Err(failed(&error)),
            }
        };
        drop(flight);
        // A handle that cannot be closed ends with the session.
        drop(self.session.close(handle).await);
        outcome
    }

    /// `length` bytes, however short the server's answers are; fewer only at the end of the file.
    async fn read_exactly(&self, handle: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(length).unwrap_or(READ_BYTES as usize);
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let wanted = length - bytes.len();
            let at = offset + bytes.len() as u64;
            match self.session.read(handle, at, u32::try_from(wanted).unwrap_or(READ_BYTES)).await {
                Ok(data) if data.data.is_empty() => break,
                Ok(data) => bytes.extend_from_slice(&data.data[..data.data.len().min(wanted)]),
                Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }

    /// Lists a folder without `.` and `..`, at most `cap` entries; more is an error.
    pub async fn list(&self, path: &str, cap: usize) -> Result<Vec<Entry>, AgentError> {
        let failed = |error: &Error| sftp_error(&self.peer, &format!("listing {path}"), error);
        let handle = self.session.opendir(path).await.map_err(|error| failed(&error))?.handle;
        let mut entries = Vec::new();
        let listed = loop {
            match self.session.readdir(handle.as_str()).await {
                Ok(names) if names.files.is_empty() => break Ok(()),
                Ok(names) => {
                    let named =
                        names.files.into_iter().filter(|file| file.filename != "." && file.filename != "..");
                    entries.extend(named.map(|file| entry(file.filename, &file.attrs)));
                    if entries.len() > cap {
                        break Err(AgentError::new(
                            Reason::ProtocolViolation,
                            format!("{path} on {} holds more than {cap} entries", self.peer),
                            "look at the folder on the server",
                        ));
                    }
                }
                Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break Ok(()),
                Err(error) => break Err(failed(&error)),
            }
        };
        // A handle that cannot be closed ends with the session.
        drop(self.session.close(handle).await);
        listed.map(|()| entries)
    }

    /// What lies at `path`; `None` when nothing does.
    pub async fn stat(&self, path: &str) -> Result<Option<Entry>, AgentError> {
        match self.session.stat(path).await {
            Ok(attributes) => Ok(Some(entry(path.to_owned(), &attributes.attrs))),
            Err(error) => {
                let error = sftp_error(&self.peer, &format!("looking at {path}"), &error);
                if error.is_not_found() { Ok(None) } else { Err(error) }
            }
        }
    }

    /// Makes a folder. Atomic: of several that try, one succeeds, the others get [`Reason::AlreadyExists`].
    pub async fn make_folder(&self, path: &str) -> Result<(), AgentError> {
        let Err(error) = self.session.mkdir(path, FileAttributes::empty()).await else { return Ok(()) };
        // "Failure" is all that OpenSSH says about a folder that is there.
        if matches!(self.stat(path).await, Ok(Some(_))) {
            return Err(already_exists(&self.peer, path));
        }
        Err(sftp_error(&self.peer, &format!("making the folder {path}"), &error))
    }

    /// Makes a folder if it is not there.
    pub async fn ensure_folder(&self, path: &str) -> Result<(), AgentError> {
        match self.make_folder(path).await {
            Err(error) if error.reason == Reason::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Writes a small new file; refuses one that is there.
    pub async fn create(&self, path: &str, bytes: &[u8]) -> Result<(), AgentError> {
        self.write_with(path, bytes, OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE).await
    }

    /// Writes a small file over whatever is there. Not atomic.
    pub async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), AgentError> {
        self.write_with(path, bytes, OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE).await
    }

    async fn write_with(&self, path: &str, bytes: &[u8], flags: OpenFlags) -> Result<(), AgentError> {
        let failed = |error: &Error| sftp_error(&self.peer, &format!("writing {path}"), error);
        let exclusive = flags.contains(OpenFlags::EXCLUDE);
        let handle = match self.session.open(path, flags, FileAttributes::empty()).await {
            Ok(handle) => handle.handle,
            Err(_) if exclusive && matches!(self.stat(path).await, Ok(Some(_))) => {
                return Err(already_exists(&self.peer, path));
            }
            Err(error) => return Err(failed(&error)),
        };
        let mut offset = 0_u64;
        let mut written = Ok(());
        for chunk in bytes.chunks(WRITE_BYTES) {
            if let Err(error) = self.session.write(handle.as_str(), offset, chunk.to_vec()).await {
                written = Err(failed(&error));
                break;
            }
            offset += chunk.len() as u64;
        }
        let closed = self.session.close(handle).await;
        written?;
        closed.map(drop).map_err(|error| failed(&error))
    }

    /// Renames; fails if the target is there.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), AgentError> {
        let Err(error) = self.session.rename(from, to).await else { return Ok(()) };
        if matches!(self.stat(to).await, Ok(Some(_))) {
            return Err(already_exists(&self.peer, to));
        }
        Err(sftp_error(&self.peer, &format!("renaming {from}"), &error))
    }

    /// Removes a file; one that is not there is fine.
    pub async fn remove(&self, path: &str) -> Result<(), AgentError> {
        self.gone(path, self.session.remove(path).await.map(drop))
    }

    /// Removes an empty folder; one that is not there is fine.
    pub async fn remove_folder(&self, path: &str) -> Result<(), AgentError> {
        self.gone(path, self.session.rmdir(path).await.map(drop))
    }

    fn gone(&self, path: &str, result: Result<(), Error>) -> Result<(), AgentError> {
        match result.map_err(|error| sftp_error(&self.peer, &format!("removing {path}"), &error)) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    /// Host and port, for messages.
    pub fn peer(&self) -> &str {
        &self.peer
    }
}

fn entry(name: String, attributes: &FileAttributes) -> Entry {
    Entry {
        name,
        folder: attributes.file_type() == FileType::Dir,
        size: attributes.size,
        modified: attributes.mtime.and_then(|seconds| Timestamp::from_second(i64::from(seconds)).ok()),
    }
}

fn already_exists(peer: &str, path: &str) -> AgentError {
    AgentError::new(
        Reason::AlreadyExists,
        format!("{path} is there already on {peer}"),
        "look at it on the server",
    )
}

pub(super) fn sftp_error(peer: &str, what: &str, error: &Error) -> AgentError {
    match error {
        Error::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => AgentError::new(
                Reason::NotFound,
                format!("{what} on {peer}: there is no such file or folder"),
                "",
            ),
            StatusCode::PermissionDenied => AgentError::new(
                Reason::PermissionDenied,
                format!("{what} on {peer}: access is denied"),
                "the SSH account must be an administrator of the server; a file may also be open in another program",
            ),
            StatusCode::NoConnection | StatusCode::ConnectionLost => lost(peer, what, error),
            StatusCode::BadMessage | StatusCode::OpUnsupported => AgentError::new(
                Reason::ProtocolViolation,
                format!("{what} on {peer}: {}", status.status_code),
                "update OpenSSH on the server",
            ),
            StatusCode::Ok | StatusCode::Eof | StatusCode::Failure => AgentError::new(
                Reason::Refused,
                format!("{what} on {peer}: the server refused ({})", printable(&status.error_message)),
                "the file may be open in another program, or the disk full; look at the server",
            ),
        },
        Error::Timeout => AgentError::new(
            Reason::Timeout,
            format!("{what} on {peer}: no answer in time"),
            "look at the server's load and at the network",
        ),
        Error::Limited(_) | Error::UnexpectedPacket => AgentError::new(
            Reason::ProtocolViolation,
            format!("{what} on {peer}: {error}"),
            "update OpenSSH on the server",
        ),
        // The library reports a closed channel this way too.
        Error::IO(_) | Error::UnexpectedBehavior(_) => lost(peer, what, error),
    }
}

fn lost(peer: &str, what: &str, error: &Error) -> AgentError {
    AgentError::new(
        Reason::AgentUnreachable,
        format!("{what} on {peer}: the connection was lost ({error})"),
        "nothing if it comes back; otherwise look at the server and the network",
    )
}

/// A server's text, short and without control characters.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
