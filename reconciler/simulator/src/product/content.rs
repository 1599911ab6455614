//! Dashboards and low-code apps, and the level that wrote them.
//!
//! Every file carries the level of the web apps that last migrated it. Older web apps cannot read newer content
//! (`domain/03 section 4`). The files' shape is our own: only their place is documented.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use dataminer_schema::version::Version;

use super::order;
use crate::{
    disk::{Disk, DiskError, WinPath},
    inspect::ContentState,
};

/// Folders that hold content, below `C:\Skyline DataMiner`.
pub(crate) const FOLDERS: [&str; 2] = ["Applications", "Dashboards"];

/// What every Agent has at the start.
const FILES: [(&str, &str); 4] = [
    (r"Applications\9f2c6d1e-overview\App.info.json", "Overview"),
    (r"Applications\9f2c6d1e-overview\version_1\app.json", "Overview, version 1"),
    (r"Dashboards\shared\Network health.dmadb.json", "Network health"),
    (r"Dashboards\shared\Regional\Lisbon.dmadb.json", "Lisbon"),
];

/// The largest content file that is read.
const MAX_FILE: usize = 4 << 20;

fn place(relative: &str) -> WinPath {
    WinPath::fixed(&format!(r"C:\Skyline DataMiner\{relative}"))
}

/// The text of one file.
fn text(name: &str, level: &Version) -> String {
    serde_json::json!({ "format": level.to_string(), "name": name }).to_string()
}

/// Files of this level, by their path below `C:\Skyline DataMiner`.
pub(crate) fn files_of(level: &Version) -> impl Iterator<Item = (&'static str, String)> + '_ {
    FILES.iter().map(|(path, name)| (*path, text(name, level)))
}

pub(crate) fn write(disk: &Arc<Disk>, level: &Version) -> Result<(), DiskError> {
    files_of(level).try_for_each(|(path, text)| disk.write(&place(path), text.as_bytes()))
}

/// All files below the content folders, by their path below `C:\Skyline DataMiner`.
pub(crate) fn list(disk: &Arc<Disk>) -> Vec<String> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(disk, folder, &mut found);
    }
    found
}

fn walk(disk: &Arc<Disk>, folder: &str, found: &mut Vec<String>) {
    for entry in disk.list(&place(folder)).unwrap_or_default() {
        let path = format!(r"{folder}\{}", entry.name);
        if entry.is_dir { walk(disk, &path, found) } else { found.push(path) }
    }
}

pub(crate) fn read(disk: &Arc<Disk>, relative: &str) -> Result<Vec<u8>, DiskError> {
    disk.read(&place(relative), MAX_FILE)
}

/// What a start brings from the other Agents and to them: the newest copy of each file wins, whatever is in it.
/// Files that only one Agent has go to all; deletions do not travel.
pub(crate) fn synchronise(disks: &[Arc<Disk>]) -> Result<(), DiskError> {
    let mut newest: BTreeMap<String, (SystemTime, Vec<u8>)> = BTreeMap::new();
    for disk in disks {
        for path in list(disk) {
            let modified = disk.entry(&place(&path))?.modified;
            if newest.get(&path).is_none_or(|(found, _)| *found < modified) {
                newest.insert(path.clone(), (modified, read(disk, &path)?));
            }
        }
    }
    for disk in disks {
        for (path, (modified, bytes)) in &newest {
            let path = place(path);
            let same = disk.entry(&path).is_ok_and(|entry| entry.modified == *modified);
            if !same {
                disk.write(&path, bytes)?;
                disk.set_modified(&path, *modified)?;
            }
        }
    }
    Ok(())
}

/// The level of one file; `None` where it is not ours to read.
fn level_of(bytes: &[u8]) -> Option<(Version, serde_json::Value)> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let level = value.get("format")?.as_str()?.parse().ok()?;
    Some((level, value))
}

/// Lifts every older file to this level, as the first start of newer web apps does.
pub(crate) fn migrate(disk: &Arc<Disk>, level: &Version) -> Result<usize, DiskError> {
    let mut migrated = 0;
    for path in list(disk) {
        let Some((found, mut value)) = level_of(&read(disk, &path)?) else { continue };
        if order::months(&found) < order::months(level) {
            value["format"] = level.to_string().into();
            disk.write(&place(&path), value.to_string().as_bytes())?;
            migrated += 1;
        }
    }
    Ok(migrated)
}

/// Whether these web apps can read what lies there.
pub(crate) fn state(disk: &Arc<Disk>, web: &Version) -> ContentState {
    let mut newest: Option<Version> = None;
    for (expected, _) in FILES {
        if !disk.exists(&place(expected)) {
            return ContentState::Damaged { file: expected.to_owned() };
        }
    }
    for path in list(disk) {
        let Ok(bytes) = read(disk, &path) else { return ContentState::Damaged { file: path } };
        // Files that others put there say nothing about levels.
        let Some((level, _)) = level_of(&bytes) else {
            if FILES.iter().any(|(known, _)| known.eq_ignore_ascii_case(&path)) {
                return ContentState::Damaged { file: path };
            }
            continue;
        };
        if newest.as_ref().is_none_or(|newest| order::months(&level) > order::months(newest)) {
            newest = Some(level);
        }
    }
    match newest {
        Some(level) if order::months(&level) > order::months(web) => ContentState::Unreadable { level },
        Some(level) => ContentState::Readable { level },
        None => ContentState::Damaged { file: FOLDERS[0].to_owned() },
    }
}
