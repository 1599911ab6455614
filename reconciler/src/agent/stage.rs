//! Packages on Agents: uploaded with resume, verified there, and only then under their own name.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dataminer_core::exec::effect::Package;
use dataminer_schema::{id::Sha256, quantity::ByteSize};
use sha2::Digest;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt};

use super::{
    Inner,
    context::tell,
    error::{AgentError, Reason},
    layout::ROOT,
    link::{Link, Session},
    patched,
    probe::{sections::Sections, windows},
    render::checked_file_name,
    scripts::{self, Argument, Script},
    transport::{ExecLimits, Sink, Uploader},
};
use crate::{
    engine::{Progress, ProgressSender},
    package::Cut,
};

/// Left free beside what an upload needs: Windows behaves badly on a full system drive.
const DISK_MARGIN: u64 = 64 * 1024 * 1024;
/// Read from the local file at a time.
const READ_BYTES: usize = 256 * 1024;
/// Hashing a package of 4 GB on a slow disk takes some minutes.
const HASH_TIME: Duration = Duration::from_secs(30 * 60);

/// A local package file whose bytes are those that the plan pinned.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    path: PathBuf,
    file: String,
    /// Of what is sent.
    size: u64,
    /// Of what is sent.
    sha256: Sha256,
    /// How what is sent is put together, if it lacks something (G2).
    cut: Option<Arc<Cut>>,
}

impl Payload {
    /// The local file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name under which it lies on Agents.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The same, of which a copy is sent.
    pub(super) fn cut_by(self, cut: Cut) -> Self {
        Self { size: cut.size, sha256: cut.sha256.clone(), cut: Some(Arc::new(cut)), ..self }
    }

    /// The digest of the copy that is sent instead of the package (G2).
    pub(super) fn copy(&self) -> Option<&Sha256> {
        self.cut.as_ref().map(|cut| &cut.sha256)
    }

    /// What lies on the Agents: the package, or its copy.
    pub(super) async fn find(inner: &Inner, package: &Package) -> Result<Self, AgentError> {
        let published = Self::published(inner, package).await?;
        match &package.patch {
            Some(patch) => published.without(patch).await,
            None => Ok(published),
        }
    }

    /// Finds and hashes the package; nothing is sent of one that is not what it should be.
    pub(super) async fn published(inner: &Inner, package: &Package) -> Result<Self, AgentError> {
        let file = checked_file_name("the package file name", &package.file)?.to_owned();
        let path = inner
            .context
            .packages
            .locate(package)
            .map_err(|error| AgentError::new(Reason::NoPackage, error.to_string(), error.help()))?;
        Self::verify(path, file, package.sha256.clone()).await
    }

    async fn verify(path: PathBuf, file: String, wanted: Sha256) -> Result<Self, AgentError> {
        let shown = path.display().to_string();
        let unreadable = |why: &dyn std::fmt::Display| {
            AgentError::new(
                Reason::NoPackage,
                format!("cannot read package {shown}: {why}"),
                "check the package place",
            )
        };
        let hashed = tokio::task::spawn_blocking({
            let path = path.clone();
            move || hash_file(&path)
        });
        let (sha256, size) =
            hashed.await.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))?;
        if sha256 != wanted {
            return Err(AgentError::new(
                Reason::PackageUnverified,
                format!("package {shown} has SHA-256 {sha256}, the catalogue says {wanted}"),
                "replace the file by the original, or correct the catalogue if the file is the right one",
            ));
        }
        Ok(Self { path, file, size, sha256, cut: None })
    }
}

fn hash_file(path: &Path) -> std::io::Result<(Sha256, u64)> {
    hash_all(&mut std::fs::File::open(path)?)
}

/// The hash and the number of the bytes that are left in `file`.
pub(super) fn hash_all(file: &mut impl Read) -> std::io::Result<(Sha256, u64)> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0_u8; 1024 * 1024];
    let mut size = 0_u64;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((Sha256::from_digest(hasher.finalize().into()), size));
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

/// Puts the package on an Agent. A broken connection is taken up again where it broke, as long as each attempt
/// brings something, and a few times more.
pub(super) async fn stage(
    inner: &Inner,
    link: &Link,
    payload: &Payload,
    progress: &ProgressSender,
) -> Result<(), AgentError> {
    let pace = inner.context.pace;
    let mut upload =
        Upload { inner, link, payload, progress, furthest: 0, fruitless: 0, arrived_changed: false };
    loop {
        let error = match upload.attempt().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let changed = error.reason == Reason::PackageUnverified && !upload.arrived_changed;
        if changed {
            // Once from the start: a resumed file may end in the rubbish of a crash.
            upload.arrived_changed = true;
        } else if !error.is_connection_lost() || upload.fruitless >= pace.resumes {
            return Err(error);
        }
        tell(progress, Progress::Note(format!("upload to {}: {error}; taking it up again", link.name)));
        let pause = pace.first.saturating_mul(1 << upload.fruitless.min(8)).min(pace.longest);
        upload.fruitless += 1;
        tokio::time::sleep(pause).await;
    }
}

struct Upload<'a> {
    inner: &'a Inner,
    link: &'a Link,
    payload: &'a Payload,
    progress: &'a ProgressSender,
    /// The most bytes that an attempt found there.
    furthest: u64,
    /// Attempts in a row that found nothing more.
    fruitless: u32,
    arrived_changed: bool,
}

impl Upload<'_> {
    async fn attempt(&mut self) -> Result<(), AgentError> {
        let session = self.inner.connect(self.link).await?;
        let outcome = self.with(&session).await;
        session.close().await;
        outcome.map_err(|error| error.on(format_args!("Agent {}", self.link.name)))
    }

    async fn with(&mut self, session: &Session) -> Result<(), AgentError> {
        let Payload { file, size, sha256, .. } = self.payload;
        let layout = &self.inner.context.layout;
        let folder = layout.package_folder(sha256);
        let whole = format!("{folder}/{file}");
        let part = format!("{whole}.part");
        session.sftp.ensure_folder(&folder).await?;
        match session.sftp.stat(&whole).await? {
            // It got its name after it was verified; the job hashes it once more.
            Some(entry) if entry.size == Some(*size) => return Ok(()),
            Some(_) => session.sftp.remove(&whole).await?,
            None => {}
        }
        let uploader = session.connection.uploader().await?;
        let mut offset = uploader.present(&part).await?;
        if offset > self.furthest {
            self.furthest = offset;
            self.fruitless = 0;
        }
        if offset > *size || self.arrived_changed && offset == *size {
            offset = 0;
        }
        if offset < *size {
            check_disk(session, size - offset).await?;
            if let Err(error) = self.send(&uploader, &part, offset).await {
                // A full disk is only "failure" to SFTP.
                return Err(if error.reason == Reason::Refused {
                    check_disk(session, size - offset).await.err().unwrap_or(error)
                } else {
                    error
                });
            }
        }
        verify(session, sha256, &format!("{file}.part")).await?;
        match session.sftp.rename(&part, &whole).await {
            // A second process of ours was faster with the same bytes.
            Err(error) if error.reason == Reason::AlreadyExists => session.sftp.remove(&part).await,
            other => other,
        }
    }

    async fn send(&self, uploader: &Uploader, part: &str, offset: u64) -> Result<(), AgentError> {
        let Payload { path, size, cut, .. } = self.payload;
        let report = |done| {
            tell(self.progress, Progress::Bytes { done, total: *size, agent: self.link.name.clone() });
        };
        if let Some(cut) = cut {
            let mut source = patched::stream(Arc::clone(cut), path.clone(), offset);
            let sink = uploader.open(part, offset).await?;
            return copy(&mut source, sink, offset, *size, report).await;
        }
        let unreadable = |error: std::io::Error| {
            AgentError::new(
                Reason::NoPackage,
                format!("cannot read {}: {error}", path.display()),
                "check the package place",
            )
        };
        let mut source = tokio::fs::File::open(path).await.map_err(unreadable)?;
        source.seek(std::io::SeekFrom::Start(offset)).await.map_err(unreadable)?;
        let sink = uploader.open(part, offset).await?;
        copy(&mut source, sink, offset, *size, report).await
    }
}

/// Copies `offset..size` of `source`; the sink is closed when all has arrived.
async fn copy(
    source: &mut (impl AsyncRead + Unpin),
    mut sink: Sink,
    offset: u64,
    size: u64,
    report: impl Fn(u64),
) -> Result<(), AgentError> {
    let mut buffer = vec![0_u8; READ_BYTES];
    let mut done = offset;
    while done < size {
        let room = usize::try_from(size - done).unwrap_or(READ_BYTES).min(READ_BYTES);
        let count = source.read(&mut buffer[..room]).await.map_err(|error| {
            AgentError::new(
                Reason::NoPackage,
                format!("cannot read the package: {error}"),
                "check the package place",
            )
        })?;
        if count == 0 {
            return Err(AgentError::new(
                Reason::PackageUnverified,
                "the package became shorter while it was uploaded",
                "do not change files in a package place; put new ones there under new names",
            ));
        }
        sink.write(&buffer[..count]).await?;
        done += count as u64;
        report(done);
    }
    sink.finish().await
}

/// Fails if the Agent's system drive cannot take `bytes` more. A size that cannot be read stops nothing here: the
/// planner has asked for room before.
pub(super) async fn check_disk(session: &Session, bytes: u64) -> Result<(), AgentError> {
    let exec = scripts::run(&session.connection, Script::Disk, Argument::None, ExecLimits::default()).await?;
    let free = Sections::parse(&exec.stdout, "disk")?.get("disk").and_then(windows::free_bytes);
    match free {
        Some(free) if free < bytes.saturating_add(DISK_MARGIN) => Err(AgentError::new(
            Reason::InsufficientDisk,
            format!(
                "drive C: has {} free, {} more are needed",
                ByteSize(free),
                ByteSize(bytes + DISK_MARGIN)
            ),
            "free space on the server's drive C:",
        )),
        _ => Ok(()),
    }
}

/// Hashes what arrived, on the Agent. Rubbish is removed.
async fn verify(session: &Session, sha256: &Sha256, name: &str) -> Result<(), AgentError> {
    let limits = ExecLimits { time: HASH_TIME, ..ExecLimits::default() };
    let exec = scripts::run(&session.connection, Script::Hash, Argument::Package(sha256), limits).await?;
    let sections = Sections::parse(&exec.stdout, "hash 1")?;
    let found = sections.get("hash 1").and_then(|lines| windows::certutil_hash(lines, name));
    match found {
        Some(found) if found == *sha256 => Ok(()),
        Some(found) => Err(AgentError::new(
            Reason::PackageUnverified,
            format!("the package has SHA-256 {found} after the upload, {sha256} is right"),
            format!(
                r"remove {ROOT}\packages\{sha256} on the server; if it happens again, check its disk and memory"
            ),
        )),
        None => Err(AgentError::new(
            Reason::ScriptFailed,
            format!(r"certutil did not hash {ROOT}\packages\{sha256}\{name}"),
            "look at the server: the disk or a virus scanner may hold the file",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_package_with_other_bytes_is_never_sent() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.dmupgrade");
        std::fs::write(&path, b"other bytes").expect("the file is written");
        let wanted = Sha256::of(b"the right bytes");
        let error =
            Payload::verify(path.clone(), "x.dmupgrade".into(), wanted).await.expect_err("wrong bytes");
        assert_eq!(error.reason, Reason::PackageUnverified);
        let payload = Payload::verify(path, "x.dmupgrade".into(), Sha256::of(b"other bytes"))
            .await
            .expect("right bytes");
        assert_eq!(payload.size, 11);
    }
}
