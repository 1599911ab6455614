//! The version of the Taskbar Utility: what a canary proved hangs on it (S10).

use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use jiff::Timestamp;

use super::facts::Known;
use crate::agent::{
    error::AgentError,
    layout::{Layout, UTILITIES, UTILITY_NOWHERE},
    link::Session,
    probe::program,
};

/// The size and time of the program, and the version that it bears, if it bears one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    size: Option<u64>,
    modified: Option<Timestamp>,
    version: Option<String>,
}

/// What was read of one Agent's utility: a program of some megabytes is read once for each size and time.
#[derive(Debug, Default)]
pub(in crate::agent) struct UtilityCache(Mutex<Option<Read>>);

/// The version; the reason where it is not known.
pub(in crate::agent) async fn version(
    session: &Session,
    layout: &Layout,
    cache: &UtilityCache,
) -> Known<String> {
    let paths = UTILITIES.map(|path| layout.sftp(path));
    let found = join_all(paths.iter().map(|path| session.sftp.stat(path))).await;
    let found = paths.iter().zip(found).find_map(|(path, entry)| Some((path, entry.ok()??)));
    let Some((path, entry)) = found else { return Err(UTILITY_NOWHERE.to_owned()) };
    let (size, modified) = (entry.size, entry.modified);
    let known = cache.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let read = match known.filter(|known| (known.size, known.modified) == (size, modified)) {
        Some(known) => known,
        None => {
            let version = read(session, path).await.map_err(|error| error.message)?;
            let read = Read { size, modified, version };
            *cache.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
            read
        }
    };
    read.version.ok_or_else(|| "the program bears no version".to_owned())
}

async fn read(session: &Session, path: &str) -> Result<Option<String>, AgentError> {
    let head = session.sftp.read_from(path, 0, program::HEAD).await?;
    let Some((offset, length)) = program::resources(&head.bytes) else { return Ok(None) };
    let resources = session.sftp.read_from(path, offset, length).await?;
    Ok(program::version(&resources.bytes))
}
