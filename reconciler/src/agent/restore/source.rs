//! Where the backup of a restore comes from: the vault, else an Agent that still has the same bytes.

use std::{fs::File, io::Seek};

use dataminer_schema::{id::Sha256, plan::BackupRef};
use tokio::io::AsyncWriteExt;

use super::unpack::{Unpacked, local, unpack};
use crate::agent::{
    Inner,
    context::tell,
    error::{AgentError, Reason},
    layout::checked_entry_name,
    link::Link,
    stage::hash_all,
    transport::Receive,
};
use crate::engine::{Progress, ProgressSender};

/// Larger than any backup that the product makes.
const MAX_BACKUP_BYTES: u64 = 64 * 1024 * 1024 * 1024;

/// The backup, whole and checked.
pub(super) async fn fetch(
    inner: &Inner,
    backup: &BackupRef,
    progress: &ProgressSender,
) -> Result<Unpacked, AgentError> {
    let zip = find(inner, backup, progress).await?;
    unpack(&backup.file, zip).await
}

/// A backup of which only the hash is known, with the file name that the vault has for it.
pub(super) async fn named(inner: &Inner, sha256: &Sha256) -> BackupRef {
    // A vault that cannot be listed cannot be read either, and that says why.
    let objects = inner.context.vault.objects(&inner.cluster).await.unwrap_or_default();
    let object = objects.into_iter().find(|object| object.sha256 == *sha256);
    let vault = object.is_some();
    let file = object.map_or_else(|| format!("{}.zip", sha256.short()), |object| object.file);
    BackupRef { file, sha256: sha256.clone(), agent: None, vault }
}

/// The bytes with the pinned hash.
async fn find(inner: &Inner, backup: &BackupRef, progress: &ProgressSender) -> Result<File, AgentError> {
    checked_entry_name(&backup.file)?;
    let mut problems = Vec::new();
    let mut unreachable = false;
    match from_vault(inner, backup).await {
        Ok(file) => return Ok(file),
        Err(problem) => problems.push(format!("vault: {problem}")),
    }
    // The Agent that the plan names first, then any other: the product copies nothing between them, but we may.
    let mut links: Vec<&Link> = inner.links.iter().map(AsRef::as_ref).collect();
    links.sort_by_key(|link| backup.agent.as_ref() != Some(&link.name));
    for link in links {
        match from_agent(inner, link, backup, progress).await {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => {}
            Err(error) => {
                unreachable |= error.is_connection_lost();
                problems.push(error.message);
            }
        }
    }
    let message = format!(
        "content backup {} ({}) can be had from nowhere: {}",
        backup.file,
        backup.sha256.short(),
        problems.join("; ")
    );
    // An Agent that comes back may have it.
    let reason = if unreachable { Reason::AgentUnreachable } else { Reason::NoBackup };
    Err(AgentError::new(
        reason,
        message,
        format!(
            r"nothing was changed; put the file with SHA-256 {} into `System Cache\Web\Backups` of an Agent, or restore its object in the vault",
            backup.sha256
        ),
    ))
}

async fn from_vault(inner: &Inner, backup: &BackupRef) -> Result<File, String> {
    let vault = &inner.context.vault;
    let copies = vault.copies(&inner.cluster, &backup.sha256).await.map_err(|error| chain(&error))?;
    let mut problems = Vec::new();
    // One that was damaged does not hide a whole one of another Agent.
    for object in &copies {
        let file = vault.open_object(object).await;
        let whole = match file {
            Ok(file) => check(file, &backup.sha256).await,
            Err(error) => Err(chain(&error)),
        };
        match whole {
            Ok(file) => return Ok(file),
            Err(problem) => problems.push(format!("{} of Agent {}: {problem}", object.file, object.agent)),
        }
    }
    Err(problems.join(", "))
}

/// The file from its beginning, if it has this hash.
async fn check(file: tokio::fs::File, sha256: &Sha256) -> Result<File, String> {
    let file = file.into_std().await;
    let (hashed, mut file) = blocking(move || {
        let mut file = file;
        let hashed = hash_all(&mut file)?;
        Ok((hashed, file))
    })
    .await
    .map_err(|error| error.to_string())?;
    if hashed.0 != *sha256 {
        return Err(format!("its object is damaged (SHA-256 {} now)", hashed.0));
    }
    file.rewind().map_err(|error| error.to_string())?;
    Ok(file)
}

/// The backup on an Agent; `None` where there is no file of its name.
async fn from_agent(
    inner: &Inner,
    link: &Link,
    backup: &BackupRef,
    progress: &ProgressSender,
) -> Result<Option<File>, AgentError> {
    let session = inner.connect(link).await?;
    let path = inner.context.layout.skyline(&format!(r"System Cache\Web\Backups\{}", backup.file));
    let found = async {
        let Some(entry) = session.sftp.stat(&path).await? else { return Ok(None) };
        let size = entry.size.unwrap_or(0);
        if entry.folder || size > MAX_BACKUP_BYTES {
            return Ok(None);
        }
        let spool = tempfile::tempfile().map_err(|error| local(&error))?;
        let copy = spool.try_clone().map_err(|error| local(&error))?;
        let mut spooling =
            Spooling { file: tokio::fs::File::from_std(copy), done: 0, total: size, link, progress };
        session.sftp.download(&path, size, &mut spooling).await?;
        spooling.file.flush().await.map_err(|error| local(&error))?;
        drop(spooling);
        let wanted = backup.sha256.clone();
        blocking(move || {
            let mut spool = spool;
            spool.rewind()?;
            let (sha256, _) = hash_all(&mut spool)?;
            spool.rewind()?;
            Ok((sha256 == wanted).then_some(spool))
        })
        .await
        .map_err(|error| local(&error))
    };
    let found: Result<Option<File>, AgentError> = found.await;
    session.close().await;
    found.map_err(|error| error.on(format_args!("Agent {}", link.name)))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

struct Spooling<'a> {
    file: tokio::fs::File,
    done: u64,
    total: u64,
    link: &'a Link,
    progress: &'a ProgressSender,
}

impl Receive for Spooling<'_> {
    async fn take(&mut self, chunk: Vec<u8>) -> Result<(), AgentError> {
        self.file.write_all(&chunk).await.map_err(|error| local(&error))?;
        self.done += chunk.len() as u64;
        let agent = self.link.name.clone();
        tell(self.progress, Progress::Bytes { done: self.done, total: self.total, agent });
        Ok(())
    }
}
