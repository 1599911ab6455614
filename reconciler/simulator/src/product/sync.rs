//! How Agents synchronise `Applications` and `Dashboards` (`domain/03 section 4`).
//!
//! The newest file time wins, whatever is in the file; files that only one Agent has go to all; deletions do not
//! travel. Changes by hand do not trigger it. The offline member of a Failover pair takes part `[I]`: it runs SLNet and
//! has to be able to take over. Between different majors nothing is synchronised (`domain/04 section 1`, SyncRules).

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use super::content::{self, place};
use crate::disk::{Disk, DiskError};

/// The newest copy of one file.
struct Newest {
    path: String,
    modified: SystemTime,
    /// Whose it is.
    at: usize,
}

/// Brings every file of every disk to its newest copy. What somebody writes right now waits for the next time.
pub(super) fn synchronise(disks: &[Arc<Disk>]) {
    let times: Vec<BTreeMap<String, (String, SystemTime)>> = disks
        .iter()
        .map(|disk| {
            let files = content::list(disk).into_iter();
            files.map(|(path, modified)| (path.to_lowercase(), (path, modified))).collect()
        })
        .collect();
    let mut newest: BTreeMap<&str, Newest> = BTreeMap::new();
    for (at, files) in times.iter().enumerate() {
        for (key, (path, modified)) in files {
            if newest.get(key.as_str()).is_none_or(|found| found.modified < *modified) {
                newest.insert(key, Newest { path: path.clone(), modified: *modified, at });
            }
        }
    }
    for (key, newest) in &newest {
        let behind = |files: &BTreeMap<String, (String, SystemTime)>| {
            files.get(*key).is_none_or(|(_, modified)| *modified != newest.modified)
        };
        let targets: Vec<&Arc<Disk>> =
            disks.iter().zip(&times).filter(|(_, files)| behind(files)).map(|(disk, _)| disk).collect();
        if targets.is_empty() {
            continue;
        }
        let Some(bytes) = disks.get(newest.at).and_then(|disk| settled(disk, newest)) else { continue };
        for disk in targets {
            if let Err(error) = put(disk, newest, &bytes) {
                tracing::debug!(file = newest.path, %error, "a file was not synchronised");
            }
        }
    }
}

/// The bytes of a file that nobody writes meanwhile.
fn settled(disk: &Arc<Disk>, newest: &Newest) -> Option<Vec<u8>> {
    let path = place(&newest.path);
    if disk.is_written(&path) {
        return None;
    }
    let bytes = content::read(disk, &newest.path).ok()?;
    let same = disk.entry(&path).is_ok_and(|entry| entry.modified == newest.modified);
    (same && !disk.is_written(&path)).then_some(bytes)
}

fn put(disk: &Arc<Disk>, newest: &Newest, bytes: &[u8]) -> Result<(), DiskError> {
    let path = place(&newest.path);
    // It may have become newer since.
    if disk.entry(&path).is_ok_and(|entry| entry.modified >= newest.modified) {
        return Ok(());
    }
    disk.write(&path, bytes)?;
    disk.set_modified(&path, newest.modified)
}
