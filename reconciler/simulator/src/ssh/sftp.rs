//! The SFTP subsystem: version 3 as OpenSSH for Windows speaks it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use russh_sftp::{
    protocol::{
        Attrs, Data, ExtendedReply, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status,
        StatusCode, Version,
    },
    server::{Handler, StatusReply},
};
use tokio_util::sync::CancellationToken;

use super::Endpoint;
use crate::disk::{Disk, DiskError, Entry, OpenFile, OpenHow, WinPath};

/// The most handles that one client may hold, as OpenSSH limits them.
const MAX_HANDLES: usize = 1024;
/// The most bytes of one read.
const MAX_READ: usize = 255 << 10;
/// Entries in one answer to a listing.
const ENTRIES: usize = 100;

pub(super) struct Sftp {
    endpoint: Arc<Endpoint>,
    end: CancellationToken,
    home: WinPath,
    handles: HashMap<String, Open>,
    next: u64,
    /// Reused for reads.
    buffer: Vec<u8>,
}

enum Open {
    File { file: OpenFile, append: bool },
    Folder { entries: std::vec::IntoIter<Entry> },
}

type Answer<T> = Result<T, StatusReply>;

impl Sftp {
    pub(super) fn new(endpoint: Arc<Endpoint>, end: CancellationToken) -> Self {
        let home = WinPath::fixed(&format!(r"C:\Users\{}", endpoint.accounts.user));
        Self { endpoint, end, home, handles: HashMap::new(), next: 0, buffer: Vec::new() }
    }

    fn disk(&self) -> &Arc<Disk> {
        &self.endpoint.machine.disk
    }

    /// How far the server's clock is off: it stamps the files.
    fn skew(&self) -> i64 {
        self.endpoint.machine.clock_skew.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn path(&self, text: &str) -> Answer<WinPath> {
        WinPath::parse(text, &self.home).map_err(refused)
    }

    fn keep(&mut self, id: u32, open: Open) -> Answer<Handle> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(StatusCode::Failure.with_message("Too many open handles"));
        }
        self.next += 1;
        let handle = format!("{:x}", self.next);
        self.handles.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn file(&mut self, handle: &str) -> Answer<(&mut OpenFile, bool)> {
        match self.handles.get_mut(handle) {
            Some(Open::File { file, append }) => Ok((file, *append)),
            _ => Err(StatusCode::Failure.with_message("Invalid handle")),
        }
    }

    fn attributes(&self, path: &WinPath) -> Answer<FileAttributes> {
        self.disk().entry(path).map(|entry| attributes(&entry, self.skew())).map_err(refused)
    }
}

fn refused(error: DiskError) -> StatusReply {
    let code = match error {
        DiskError::NotFound | DiskError::PathNotFound => StatusCode::NoSuchFile,
        DiskError::Denied | DiskError::Sharing => StatusCode::PermissionDenied,
        DiskError::Exists
        | DiskError::Full
        | DiskError::InvalidName
        | DiskError::NotEmpty
        | DiskError::Io => StatusCode::Failure,
    };
    // OpenSSH sends its own word for the code; which of Windows' errors it was does not cross the wire.
    StatusReply::new(code)
}

fn ok(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Success".to_owned(),
        language_tag: String::new(),
    }
}

fn attributes(entry: &Entry, skew: i64) -> FileAttributes {
    file_attributes(entry.is_dir, entry.len, entry.modified, skew)
}

fn file_attributes(is_dir: bool, len: u64, modified: SystemTime, skew: i64) -> FileAttributes {
    let seconds =
        modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()).saturating_add_signed(skew);
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    FileAttributes {
        size: Some(len),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(if is_dir { 0o040_700 } else { 0o100_600 }),
        atime: Some(seconds),
        mtime: Some(seconds),
        ..FileAttributes::empty()
    }
}

fn time_of(attributes: &FileAttributes) -> Option<SystemTime> {
    attributes.mtime.map(|seconds| UNIX_EPOCH + Duration::from_secs(u64::from(seconds)))
}

/// Two strings, each with its length before it.
fn two_strings(data: &[u8]) -> Option<(String, String)> {
    let (first, rest) = one_string(data)?;
    let (second, _) = one_string(rest)?;
    Some((first, second))
}

fn one_string(data: &[u8]) -> Option<(String, &[u8])> {
    let (len, rest) = data.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    let text = rest.get(..len)?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest.get(len..)?))
}

impl Handler for Sftp {
    type Error = StatusReply;

    fn unimplemented(&self) -> StatusReply {
        StatusReply::new(StatusCode::OpUnsupported)
    }

    async fn init(&mut self, _version: u32, _extensions: HashMap<String, String>) -> Answer<Version> {
        let mut version = Version::new();
        for (name, revision) in
            [("posix-rename@openssh.com", "1"), ("fsync@openssh.com", "1"), ("limits@openssh.com", "1")]
        {
            version.extensions.insert(name.to_owned(), revision.to_owned());
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        _attrs: FileAttributes,
    ) -> Answer<Handle> {
        let path = self.path(&filename)?;
        let write = pflags.contains(OpenFlags::WRITE) || pflags.contains(OpenFlags::APPEND);
        let create = pflags.contains(OpenFlags::CREATE);
        // OpenSSH for Windows shares everything.
        let how = OpenHow {
            read: pflags.contains(OpenFlags::READ),
            write,
            create: create && write,
            create_new: pflags.contains(OpenFlags::EXCLUDE) && create,
            truncate: pflags.contains(OpenFlags::TRUNCATE) && write,
            share_write: true,
            share_delete: true,
        };
        let file = self.disk().open(&path, how).map_err(refused)?;
        self.keep(id, Open::File { file, append: pflags.contains(OpenFlags::APPEND) })
    }

    async fn close(&mut self, id: u32, handle: String) -> Answer<Status> {
        match self.handles.remove(&handle) {
            Some(_) => Ok(ok(id)),
            None => Err(StatusCode::Failure.with_message("Invalid handle")),
        }
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Answer<Data> {
        let len = usize::try_from(len).unwrap_or(MAX_READ).min(MAX_READ);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(len, 0);
        let (file, _) = self.file(&handle)?;
        let count = file.read_at(offset, &mut buffer).map_err(refused)?;
        if count == 0 && len > 0 {
            self.buffer = buffer;
            return Err(StatusReply::new(StatusCode::Eof));
        }
        let data = buffer[..count].to_vec();
        self.buffer = buffer;
        Ok(Data { id, data })
    }

    async fn write(&mut self, id: u32, handle: String, offset: u64, data: Vec<u8>) -> Answer<Status> {
        let (allowed, breaks) = self.endpoint.take_upload(data.len() as u64);
        let cut = usize::try_from(allowed).unwrap_or(usize::MAX).min(data.len());
        let (file, append) = self.file(&handle)?;
        let offset = if append { file.len().map_err(refused)? } else { offset };
        file.write_at(offset, &data[..cut]).map_err(refused)?;
        if breaks {
            // The connection breaks here; what came before stays.
            self.handles.clear();
            self.end.cancel();
            return Err(StatusReply::new(StatusCode::ConnectionLost));
        }
        Ok(ok(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        self.stat(id, path).await
    }

    async fn stat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        let path = self.path(&path)?;
        Ok(Attrs { id, attrs: self.attributes(&path)? })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Answer<Attrs> {
        let (file, _) = self.file(&handle)?;
        let len = file.len().map_err(refused)?;
        let modified = file.modified().map_err(refused)?;
        Ok(Attrs { id, attrs: file_attributes(false, len, modified, self.skew()) })
    }

    async fn setstat(&mut self, id: u32, path: String, attrs: FileAttributes) -> Answer<Status> {
        let path = self.path(&path)?;
        if let Some(size) = attrs.size {
            let how = OpenHow { create: false, truncate: false, ..OpenHow::replace() };
            self.disk().open(&path, how).and_then(|mut file| file.set_len(size)).map_err(refused)?;
        }
        if let Some(time) = time_of(&attrs) {
            self.disk().set_modified(&path, time).map_err(refused)?;
        }
        // Owners and permission bits mean nothing on Windows.
        self.attributes(&path)?;
        Ok(ok(id))
    }

    async fn fsetstat(&mut self, id: u32, handle: String, attrs: FileAttributes) -> Answer<Status> {
        let (file, _) = self.file(&handle)?;
        if let Some(size) = attrs.size {
            file.set_len(size).map_err(refused)?;
        }
        if let Some(time) = time_of(&attrs) {
            file.set_modified(time).map_err(refused)?;
        }
        Ok(ok(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Answer<Handle> {
        // Above the drives there is a list of them.
        let entries = if path.trim_matches('/').is_empty() {
            vec![Entry { name: "C:".to_owned(), is_dir: true, len: 0, modified: UNIX_EPOCH }]
        } else {
            let path = self.path(&path)?;
            if !self.disk().entry(&path).map_err(refused)?.is_dir {
                return Err(StatusReply::new(StatusCode::Failure));
            }
            let own =
                |name: &str| Entry { name: name.to_owned(), is_dir: true, len: 0, modified: UNIX_EPOCH };
            let mut entries = vec![own("."), own("..")];
            entries.extend(self.disk().list(&path).map_err(refused)?);
            entries
        };
        self.keep(id, Open::Folder { entries: entries.into_iter() })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Answer<Name> {
        let skew = self.skew();
        let Some(Open::Folder { entries }) = self.handles.get_mut(&handle) else {
            return Err(StatusCode::Failure.with_message("Invalid handle"));
        };
        let files: Vec<File> = entries
            .by_ref()
            .take(ENTRIES)
            .map(|entry| File::new(entry.name.clone(), attributes(&entry, skew)))
            .collect();
        if files.is_empty() { Err(StatusReply::new(StatusCode::Eof)) } else { Ok(Name { id, files }) }
    }

    async fn remove(&mut self, id: u32, filename: String) -> Answer<Status> {
        let path = self.path(&filename)?;
        if self.disk().is_dir(&path) {
            return Err(StatusReply::new(StatusCode::Failure));
        }
        self.disk().remove_file(&path).map_err(refused)?;
        Ok(ok(id))
    }

    async fn mkdir(&mut self, id: u32, path: String, _attrs: FileAttributes) -> Answer<Status> {
        let path = self.path(&path)?;
        self.disk().make_dir(&path).map_err(refused)?;
        Ok(ok(id))
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Answer<Status> {
        let path = self.path(&path)?;
        if !self.disk().is_dir(&path) {
            return Err(StatusReply::new(if self.disk().exists(&path) {
                StatusCode::Failure
            } else {
                StatusCode::NoSuchFile
            }));
        }
        self.disk().remove_dir(&path).map_err(refused)?;
        Ok(ok(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Answer<Name> {
        let text = if path == "/" { "/".to_owned() } else { self.path(&path)?.sftp() };
        Ok(Name { id, files: vec![File::dummy(text)] })
    }

    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Answer<Status> {
        let (from, to) = (self.path(&oldpath)?, self.path(&newpath)?);
        self.disk().rename(&from, &to, false).map_err(refused)?;
        Ok(ok(id))
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Answer<Packet> {
        match request.as_str() {
            "posix-rename@openssh.com" => {
                let (from, to) =
                    two_strings(&data).ok_or_else(|| StatusReply::new(StatusCode::BadMessage))?;
                let (from, to) = (self.path(&from)?, self.path(&to)?);
                self.disk().rename(&from, &to, true).map_err(refused)?;
                Ok(Packet::Status(ok(id)))
            }
            "fsync@openssh.com" => {
                let (handle, _) =
                    one_string(&data).ok_or_else(|| StatusReply::new(StatusCode::BadMessage))?;
                self.file(&handle)?;
                Ok(Packet::Status(ok(id)))
            }
            "limits@openssh.com" => {
                let limits = [256_u64 << 10, MAX_READ as u64, MAX_READ as u64, MAX_HANDLES as u64];
                let data = limits.into_iter().flat_map(u64::to_be_bytes).collect();
                Ok(Packet::ExtendedReply(ExtendedReply { id, data }))
            }
            _ => Err(self.unimplemented()),
        }
    }
}
