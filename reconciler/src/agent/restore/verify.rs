//! Whether an Agent's content is what the backup holds: every entry, read back and hashed here.

use dataminer_schema::id::Sha256;
use futures::{StreamExt, TryStreamExt, stream};
use sha2::Digest;

use super::unpack::{Entry, Unpacked};
use crate::agent::{
    Inner,
    error::{AgentError, Reason},
    link::{Link, Session},
    transport::Receive,
};

/// Files up to this size are read in one go.
const SMALL: u64 = 1024 * 1024;
const AT_ONCE: usize = 16;
/// Files that a failure names.
const NAMED: usize = 5;

/// Fails with [`Reason::ContentDiffers`] and the first files that differ.
pub(super) async fn verify(inner: &Inner, link: &Link, unpacked: &Unpacked) -> Result<(), AgentError> {
    let session = inner.connect(link).await?;
    let verified = with(inner, &session, unpacked).await;
    session.close().await;
    verified.map_err(|error| error.on(format_args!("Agent {}", link.name)))
}

async fn with(inner: &Inner, session: &Session, unpacked: &Unpacked) -> Result<(), AgentError> {
    let looks: Vec<_> = unpacked
        .entries
        .iter()
        .map(|entry| async move {
            let problem = look(inner, session, entry).await?;
            Ok::<_, AgentError>(problem.map(|problem| format!("{} {problem}", entry.path)))
        })
        .collect();
    let found: Vec<Option<String>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
    let differing: Vec<String> = found.into_iter().flatten().collect();
    if differing.is_empty() {
        return Ok(());
    }
    let more = differing.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(AgentError::new(
        Reason::ContentDiffers,
        format!(
            "{} of {} files are not what the backup holds: {}{more}",
            differing.len(),
            unpacked.entries.len(),
            differing[..differing.len().min(NAMED)].join(", ")
        ),
        "the backup is restored again; if it happens once more, find out who writes to Applications and Dashboards",
    ))
}

/// What is wrong with one file; `None` if nothing is.
async fn look(inner: &Inner, session: &Session, entry: &Entry) -> Result<Option<&'static str>, AgentError> {
    let path = inner.context.layout.skyline(&entry.path.replace('/', r"\"));
    let Some(found) = session.sftp.stat(&path).await? else { return Ok(Some("is missing")) };
    if found.folder {
        return Ok(Some("is a folder"));
    }
    if found.size.is_some_and(|size| size != entry.size) {
        return Ok(Some("has another size"));
    }
    let hashed = if entry.size <= SMALL {
        let cap = usize::try_from(SMALL).unwrap_or(usize::MAX / 2);
        session.sftp.read(&path, cap).await.map(|text| Sha256::of(&text.bytes))
    } else {
        let mut hashing = Hashing(sha2::Sha256::new());
        let read = session.sftp.download(&path, entry.size, &mut hashing).await;
        read.map(|_| Sha256::from_digest(hashing.0.finalize().into()))
    };
    match hashed {
        Ok(sha256) => Ok((sha256 != entry.sha256).then_some("has other content")),
        Err(error) if error.is_not_found() => Ok(Some("is missing")),
        Err(error) => Err(error),
    }
}

struct Hashing(sha2::Sha256);

impl Receive for Hashing {
    async fn take(&mut self, chunk: Vec<u8>) -> Result<(), AgentError> {
        self.0.update(&chunk);
        Ok(())
    }
}
