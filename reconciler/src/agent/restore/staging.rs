//! The unpacked backup on one Agent, in the folder of the job that will put it into place.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use dataminer_schema::id::JobId;
use futures::{StreamExt, TryStreamExt, stream};

use super::unpack::{Entry, Unpacked};
use crate::agent::{
    Inner,
    context::tell,
    error::{AgentError, Reason},
    link::{Link, Session},
    stage::check_disk,
    transport::Uploader,
};
use crate::engine::{Progress, ProgressSender};

/// Files up to this size are sent several at a time, each held in memory; larger ones are streamed.
const SMALL: u64 = 1024 * 1024;
const AT_ONCE: usize = 16;
const CHUNK: usize = 256 * 1024;

/// Uploads all of it. A broken connection is taken up again behind the files that arrived. Every file gets a fresh
/// time on the Agent: older ones could lose against a copy of a peer.
pub(super) async fn stage(
    inner: &Inner,
    link: &Link,
    id: &JobId,
    unpacked: &Unpacked,
    progress: &ProgressSender,
) -> Result<(), AgentError> {
    let pace = inner.context.pace;
    let staging = Staging {
        inner,
        link,
        unpacked,
        progress,
        folder: format!("{}/content", inner.context.layout.job(id)),
        arrived: Mutex::new(BTreeSet::new()),
        bytes: AtomicU64::new(0),
    };
    let (mut fruitless, mut furthest) = (0, 0);
    loop {
        let error = match staging.attempt(id).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let arrived = staging.count();
        if arrived > furthest {
            furthest = arrived;
            fruitless = 0;
        }
        if !error.is_connection_lost() || fruitless >= pace.resumes {
            return Err(error);
        }
        tell(progress, Progress::Note(format!("content for {}: {error}; taking it up again", link.name)));
        let pause = pace.first.saturating_mul(1 << fruitless.min(8)).min(pace.longest);
        fruitless += 1;
        tokio::time::sleep(pause).await;
    }
}

struct Staging<'a> {
    inner: &'a Inner,
    link: &'a Link,
    unpacked: &'a Unpacked,
    progress: &'a ProgressSender,
    folder: String,
    /// Which entries the Agent has taken whole.
    arrived: Mutex<BTreeSet<usize>>,
    bytes: AtomicU64,
}

impl Staging<'_> {
    async fn attempt(&self, id: &JobId) -> Result<(), AgentError> {
        let session = self.inner.connect(self.link).await?;
        let sent = self.with(&session, id).await;
        let sent = match sent {
            // A full disk is only "failure" to SFTP.
            Err(error) if error.reason == Reason::Refused => {
                let left = self.unpacked.total().saturating_sub(self.bytes.load(Ordering::Relaxed));
                Err(check_disk(&session, left).await.err().unwrap_or(error))
            }
            other => other,
        };
        session.close().await;
        sent.map_err(|error| error.on(format_args!("Agent {}", self.link.name)))
    }

    async fn with(&self, session: &Session, id: &JobId) -> Result<(), AgentError> {
        session.sftp.ensure_folder(&self.inner.context.layout.job(id)).await?;
        session.sftp.ensure_folder(&self.folder).await?;
        // Parents come first, so all of one depth may be made at once.
        let folders = self.unpacked.folders();
        for level in folders.chunk_by(|a, b| a.matches('/').count() == b.matches('/').count()) {
            let made: Vec<_> = level
                .iter()
                .map(|folder| async move {
                    session.sftp.ensure_folder(&format!("{}/{folder}", self.folder)).await
                })
                .collect();
            stream::iter(made).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
        let missing: Vec<(usize, &Entry)> =
            self.unpacked.entries.iter().enumerate().filter(|(index, _)| !self.has(*index)).collect();
        let small: Vec<_> = missing
            .iter()
            .filter(|(_, entry)| entry.size <= SMALL)
            .map(|(index, entry)| async move {
                let length = usize::try_from(SMALL).unwrap_or(usize::MAX);
                let bytes = self.unpacked.read(entry, 0, length).await?;
                session.sftp.write(&self.path(entry), &bytes).await?;
                self.arrived(*index, bytes.len());
                Ok::<(), AgentError>(())
            })
            .collect();
        stream::iter(small).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let large: Vec<_> = missing.into_iter().filter(|(_, entry)| entry.size > SMALL).collect();
        if !large.is_empty() {
            let uploader = session.connection.uploader().await?;
            for (index, entry) in large {
                self.send(&uploader, index, entry).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, uploader: &Uploader, index: usize, entry: &Entry) -> Result<(), AgentError> {
        let mut sink = uploader.open(&self.path(entry), 0).await?;
        let mut done = 0_u64;
        while done < entry.size {
            let bytes = self.unpacked.read(entry, done, CHUNK).await?;
            sink.write(&bytes).await?;
            done += bytes.len() as u64;
            self.tell(self.bytes.load(Ordering::Relaxed) + done);
        }
        sink.finish().await?;
        self.arrived(index, usize::try_from(done).unwrap_or(usize::MAX));
        Ok(())
    }

    fn path(&self, entry: &Entry) -> String {
        format!("{}/{}", self.folder, entry.path)
    }

    fn arrived(&self, index: usize, bytes: usize) {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
        let done = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.tell(done);
    }

    fn has(&self, index: usize) -> bool {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).contains(&index)
    }

    fn count(&self) -> usize {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn tell(&self, done: u64) {
        let total = self.unpacked.total();
        tell(self.progress, Progress::Bytes { done, total, agent: self.link.name.clone() });
    }
}
