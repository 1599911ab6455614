//! The hashes of the product's content backups: a plan pins a backup by its hash, so one without is of no use to it.
//!
//! A backup is hashed once, on the Agent, and remembered by name, size and time. Hashing never holds up an
//! observation for long and never fails it: what is not known yet stays absent and is tried again.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dataminer_schema::{id::Sha256, v1::observation::Backup};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::agent::{
    link::Session,
    probe::{sections::Sections, windows},
    scripts::{self, Argument, Script},
    transport::ExecLimits,
};

/// The product keeps five.
const MAX_HASHED: usize = 20;
/// How long one observation may spend on it; the rest comes with the next ones.
const TIME: Duration = Duration::from_secs(40);
/// A file that could not be hashed so often is left alone until it changes.
const TRIES: u8 = 3;

/// Name, size and time of a backup.
type Key = (String, Option<u64>, Option<Timestamp>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Hash(Sha256),
    Failed(u8),
}

/// What the backups of one Agent hash to, as far as they have been hashed.
#[derive(Debug, Default)]
pub(in crate::agent) struct HashCache(Mutex<BTreeMap<Key, Known>>);

impl HashCache {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<Key, Known>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&self, backup: &Backup) -> Option<Known> {
        self.with(|known| known.get(&key(backup)).cloned())
    }
}

fn key(backup: &Backup) -> Key {
    (backup.file.clone(), backup.size, backup.at)
}

/// Fills in the hashes of the newest of `backups` (oldest first), hashing those that are new.
pub(super) async fn add_hashes(session: &Session, cache: &HashCache, backups: &mut [Backup]) {
    let begun = Instant::now();
    cache.with(|known| known.retain(|found, _| backups.iter().any(|backup| key(backup) == *found)));
    for place in 0..backups.len().min(MAX_HASHED) {
        let wanted = &backups[backups.len() - 1 - place];
        let tries = match cache.get(wanted) {
            Some(Known::Hash(_) | Known::Failed(TRIES..)) => continue,
            Some(Known::Failed(tries)) => tries,
            None => 0,
        };
        let Some(left) = TIME.checked_sub(begun.elapsed()) else { break };
        let hashed = hash(session, place, left, backups).await;
        let entry = match hashed {
            // The folder may have changed since the listing: the answer names its file.
            Some((backup, sha256)) => (key(backup), Known::Hash(sha256)),
            None => (key(wanted), Known::Failed(tries + 1)),
        };
        cache.with(|known| known.insert(entry.0, entry.1));
    }
    for backup in backups {
        if let Some(Known::Hash(sha256)) = cache.get(backup) {
            backup.sha256 = Some(sha256);
        }
    }
}

async fn hash<'a>(
    session: &Session,
    place: usize,
    time: Duration,
    backups: &'a [Backup],
) -> Option<(&'a Backup, Sha256)> {
    let limits = ExecLimits { time, ..ExecLimits::default() };
    let argument = Argument::Place(u8::try_from(place).ok()?);
    let exec = scripts::run(&session.connection, Script::Backup, argument, limits).await.ok()?;
    let sections = Sections::parse(&exec.stdout, "backup 1").ok()?;
    let lines = sections.get("backup 1")?;
    backups.iter().find_map(|backup| Some((backup, windows::certutil_hash(lines, &backup.file)?)))
}
