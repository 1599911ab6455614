//! Content backups: everything that the vault lacks, and what the Agent holds right now.

use std::io::Seek;

use dataminer_schema::{
    id::AgentName,
    plan::Action,
    v1::observation::{Backup, Observation},
    version::Version,
};
use jiff::Timestamp;
use tokio::io::AsyncWriteExt;

use super::{
    Inner, content,
    context::tell,
    error::{AgentError, Reason},
    layout::checked_entry_name,
    link::{Link, Session},
    transport::Receive,
};
use crate::{
    engine::{Progress, ProgressSender},
    vault::{NewObject, StoredObject},
};

const MAX_BACKUPS: usize = 1000;
/// Larger than any backup that the product makes.
const MAX_BACKUP_BYTES: u64 = 64 * 1024 * 1024 * 1024;
/// How often content that changes under the copy is copied again.
const TRIES: u32 = 3;

/// What wrote an Agent's present content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Web apps of this level, where it is known.
    Level(Option<String>),
    /// Newer web apps than the present ones: versions have fallen, and a restore is still owed. `highest` is the
    /// highest level that the Agent's history tells of.
    Newer { highest: Option<String> },
}

impl Content {
    /// As the observation tells.
    pub(super) fn of(observation: &Observation, name: &AgentName) -> Self {
        let agent = observation.agents.iter().find(|agent| agent.name == *name);
        // Content is the cluster's: a note on one Agent counts for all. One that cannot be read counts as one.
        let owed = observation.agents.iter().filter(|agent| agent.reachable).any(|agent| {
            agent
                .owed
                .as_ref()
                .is_none_or(|owed| owed.iter().any(|work| work.action == Action::RestoreContent))
        });
        if !owed {
            return Self::Level(agent.and_then(|agent| agent.web_apps.clone()));
        }
        let histories = agent.into_iter().flat_map(|agent| [&agent.history, &agent.web_history]);
        let versions = histories.flatten().flatten().filter_map(|entry| {
            let version: Version = entry.version.parse().ok()?;
            Some((version.line(), version))
        });
        let highest = versions.max_by_key(|(line, _)| *line).map(|(_, version)| version.release_name());
        Self::Newer { highest }
    }
}

/// Saves what one Agent has.
pub(super) async fn save(
    inner: &Inner,
    link: &Link,
    content: &Content,
    progress: &ProgressSender,
) -> Result<Vec<Backup>, AgentError> {
    let session = inner.connect(link).await?;
    let saving = Saving { inner, link, session: &session, progress };
    let saved = saving.all(content).await.map_err(|error| error.on(format_args!("Agent {}", link.name)));
    session.close().await;
    saved
}

struct Saving<'a> {
    inner: &'a Inner,
    link: &'a Link,
    session: &'a Session,
    progress: &'a ProgressSender,
}

/// Writes a download into a file and tells how far it is.
struct Spooling<'a> {
    file: tokio::fs::File,
    done: u64,
    total: u64,
    saving: &'a Saving<'a>,
}

impl Receive for Spooling<'_> {
    async fn take(&mut self, chunk: Vec<u8>) -> Result<(), AgentError> {
        self.file.write_all(&chunk).await.map_err(|error| self.saving.vault_failed(&error))?;
        self.done += chunk.len() as u64;
        self.saving.bytes(self.done, self.total);
        Ok(())
    }
}

impl Saving<'_> {
    async fn all(&self, content: &Content) -> Result<Vec<Backup>, AgentError> {
        let mut saved = self.product_backups().await?;
        let level = match content {
            Content::Level(level) => level.clone(),
            Content::Newer { highest } => self.level_before().await?.or_else(|| highest.clone()),
        };
        saved.extend(self.current(level.as_deref()).await?);
        Ok(saved)
    }

    /// The level of the content that versions have fallen below: what our newest copy of this Agent's says, made
    /// before the fall. Nothing has changed the content since; only a restore will.
    async fn level_before(&self) -> Result<Option<String>, AgentError> {
        let held = self.held().await?;
        let copies = held.into_iter().filter(|object| object.copy && object.content.is_some());
        Ok(copies.max_by_key(|object| object.taken_at).and_then(|object| object.content))
    }

    /// The zips that upgrades left; the product keeps five and drops older ones.
    async fn product_backups(&self) -> Result<Vec<Backup>, AgentError> {
        let folder = self.inner.context.layout.skyline(r"System Cache\Web\Backups");
        let mut entries = match self.session.sftp.list(&folder, MAX_BACKUPS).await {
            Err(error) if error.is_not_found() => Vec::new(),
            other => other?,
        };
        entries.retain(|entry| !entry.folder && entry.name.to_ascii_lowercase().ends_with(".zip"));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let held = self.held().await?;
        let mut saved = Vec::new();
        for entry in entries {
            let name = checked_entry_name(&entry.name)?;
            let size = entry.size.unwrap_or(0);
            if held.iter().any(|held| held.file == name && held.size == size) {
                continue;
            }
            if size > MAX_BACKUP_BYTES {
                return Err(AgentError::new(
                    Reason::ProtocolViolation,
                    format!("backup {name} says that it has {size} bytes"),
                    "look at it on the server",
                ));
            }
            let mut spool = self.spool()?;
            let path = format!("{folder}/{name}");
            let file = spool.try_clone().map_err(|error| self.vault_failed(&error))?;
            let mut spooling =
                Spooling { file: tokio::fs::File::from_std(file), done: 0, total: size, saving: self };
            let received = self.session.sftp.download(&path, size, &mut spooling).await?;
            spooling.file.flush().await.map_err(|error| self.vault_failed(&error))?;
            drop(spooling);
            spool.rewind().map_err(|error| self.vault_failed(&error))?;
            if received != size || zip::ZipArchive::new(&mut spool).is_err() {
                // Being written, or broken: of no use to anybody, and no reason to stop.
                self.note(format!("backup {name} is not a whole zip file; it is left out"));
                continue;
            }
            let backup = NewObject { taken_at: entry.modified, ..self.named(name.to_owned()) };
            saved.push(self.store(backup, spool).await?);
        }
        Ok(saved)
    }

    /// The content as it is now, in a zip of our own. `None` where there is none.
    async fn current(&self, level: Option<&str>) -> Result<Option<Backup>, AgentError> {
        let layout = &self.inner.context.layout;
        let mut listing = content::list(self.session, layout).await?;
        for attempt in 1..=TRIES {
            if listing.is_empty() {
                return Ok(None);
            }
            let spool = self.spool()?;
            let target = spool.try_clone().map_err(|error| self.vault_failed(&error))?;
            let total = content::total(&listing);
            let whole =
                content::copy(self.session, layout, &listing, target, |done| self.bytes(done, total)).await?;
            let after = content::list(self.session, layout).await?;
            let same = whole && content::agree(&listing, &after);
            if same || attempt == TRIES {
                if !same {
                    self.note(format!(
                        "content changed during each of {TRIES} copies; the last one is marked torn"
                    ));
                }
                // Named after its newest file: unchanged content is the same backup.
                let stamp = content::newest(&listing).unwrap_or(Timestamp::UNIX_EPOCH);
                let file = format!("content-{}.zip", stamp.strftime("%Y%m%dT%H%M%SZ"));
                let backup = NewObject {
                    content: level.map(str::to_owned),
                    taken_at: Some(Timestamp::now()),
                    copy: true,
                    torn: !same,
                    ..self.named(file)
                };
                return self.store(backup, spool).await.map(Some);
            }
            listing = after;
        }
        Ok(None)
    }

    /// An object of this Agent of which nothing but the name is known.
    fn named(&self, file: String) -> NewObject {
        NewObject {
            cluster: self.inner.cluster.clone(),
            agent: self.link.name.clone(),
            file,
            content: None,
            taken_at: None,
            copy: false,
            torn: false,
            sha256: None,
        }
    }

    /// What the vault has of this Agent already.
    async fn held(&self) -> Result<Vec<StoredObject>, AgentError> {
        let objects = self.inner.context.vault.objects(&self.inner.cluster).await;
        let mut objects = objects.map_err(|error| self.vault_failed(&error))?;
        objects.retain(|object| object.agent == self.link.name);
        Ok(objects)
    }

    async fn store(&self, backup: NewObject, mut spool: std::fs::File) -> Result<Backup, AgentError> {
        spool.rewind().map_err(|error| self.vault_failed(&error))?;
        let stored = self.inner.context.vault.put(&backup, tokio::fs::File::from_std(spool)).await;
        stored.map(|object| object.backup()).map_err(|error| self.vault_failed(&error))
    }

    /// A file without a name, gone with its last handle.
    fn spool(&self) -> Result<std::fs::File, AgentError> {
        tempfile::tempfile().map_err(|error| self.vault_failed(&error))
    }

    fn vault_failed(&self, error: &dyn std::fmt::Display) -> AgentError {
        AgentError::new(
            Reason::VaultFailed,
            format!("cannot keep a content backup: {error}"),
            "check the vault of the ReconcilerConfig and its free space; nothing is changed on an Agent before its content is safe",
        )
    }

    fn bytes(&self, done: u64, total: u64) {
        tell(self.progress, Progress::Bytes { done, total, agent: self.link.name.clone() });
    }

    fn note(&self, text: String) {
        tell(self.progress, Progress::Note(format!("Agent {}: {text}", self.link.name)));
    }
}
