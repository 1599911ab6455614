//! Dashboards and low-code apps, and the level that wrote them.
//!
//! Every file carries the level of the web apps that last migrated it. Older web apps cannot read newer content
//! (`domain/03 section 4`). An app has a folder of its own with `App.info.json`, which names the published version and
//! the draft, and a folder for each version. The files' shape is our own: only their place is documented.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use dataminer_schema::version::Version;
use serde_json::{Value, json};

use crate::disk::{Disk, DiskError, WinPath};
use crate::order;

/// Folders that hold content, below `C:\Skyline DataMiner`.
pub(crate) const FOLDERS: [&str; 2] = ["Applications", "Dashboards"];
/// What an app says of itself.
pub(super) const APP_INFO: &str = "App.info.json";
/// How the files of dashboards end.
pub(super) const DASHBOARD: &str = ".dmadb.json";

/// Folder, name, number of versions, published version, draft.
type App = (&'static str, &'static str, u64, Option<u64>, Option<u64>);

/// The apps that every Agent has at the start.
const APPS: [App; 3] = [
    ("9f2c6d1e-overview", "Overview", 3, Some(2), Some(3)),
    ("4b7d20aa-capacity", "Capacity", 1, None, Some(1)),
    // Deleted by its users, who left a version behind.
    ("c83e11f0-retired", "Retired", 1, None, None),
];

const DASHBOARDS: [(&str, &str); 2] = [
    (r"Dashboards\shared\Network health.dmadb.json", "Network health"),
    (r"Dashboards\shared\Regional\Lisbon.dmadb.json", "Lisbon"),
];

/// The largest content file that is read.
const MAX_FILE: usize = 4 << 20;

pub(super) fn place(relative: &str) -> WinPath {
    WinPath::fixed(&format!(r"C:\Skyline DataMiner\{relative}"))
}

/// `App.info.json` of these versions.
pub(super) fn info(level: &Version, name: &str, published: Option<u64>, draft: Option<u64>) -> Value {
    json!({ "format": level.to_string(), "name": name, "publishedVersion": published, "draftVersion": draft })
}

/// Where a version of an app lies.
pub(super) fn version_file(app: &str, version: u64) -> String {
    format!(r"Applications\{app}\version_{version}\app.json")
}

/// What a version of an app or a dashboard holds.
pub(super) fn document(level: &Version, name: &str, revision: u64) -> Value {
    json!({ "format": level.to_string(), "name": name, "revision": revision })
}

/// What every Agent has at the start, by path below `C:\Skyline DataMiner`.
pub(crate) fn files_of(level: &Version) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut put = |path: String, value: Value| files.insert(path, value.to_string().into_bytes());
    for (folder, name, versions, published, draft) in APPS {
        put(format!(r"Applications\{folder}\{APP_INFO}"), info(level, name, published, draft));
        for version in 1..=versions {
            put(version_file(folder, version), document(level, name, version));
        }
    }
    for (path, name) in DASHBOARDS {
        put(path.to_owned(), document(level, name, 1));
    }
    files
}

/// Files that no restore may lose: live apps and dashboards that every Agent had from the start.
pub(super) fn expected() -> impl Iterator<Item = String> {
    let live = APPS.iter().filter(|(_, _, _, published, draft)| published.is_some() || draft.is_some());
    live.map(|(folder, ..)| format!(r"Applications\{folder}\{APP_INFO}"))
        .chain(DASHBOARDS.iter().map(|(path, _)| (*path).to_owned()))
}

pub(crate) fn write(disk: &Arc<Disk>, level: &Version) -> Result<(), DiskError> {
    files_of(level).iter().try_for_each(|(path, bytes)| disk.write(&place(path), bytes))
}

/// All files below the content folders with their times, by their path below `C:\Skyline DataMiner`.
pub(crate) fn list(disk: &Arc<Disk>) -> Vec<(String, SystemTime)> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(disk, folder, &mut found);
    }
    found
}

fn walk(disk: &Arc<Disk>, folder: &str, found: &mut Vec<(String, SystemTime)>) {
    for entry in disk.list(&place(folder)).unwrap_or_default() {
        let path = format!(r"{folder}\{}", entry.name);
        if entry.is_dir { walk(disk, &path, found) } else { found.push((path, entry.modified)) }
    }
}

pub(crate) fn read(disk: &Arc<Disk>, relative: &str) -> Result<Vec<u8>, DiskError> {
    disk.read(&place(relative), MAX_FILE)
}

/// Everything that can be read; the error names the file that cannot.
pub(super) fn read_all(disk: &Arc<Disk>) -> Result<BTreeMap<String, Vec<u8>>, (String, DiskError)> {
    let paths = list(disk).into_iter().map(|(path, _)| path);
    paths.map(|path| read(disk, &path).map(|bytes| (path.clone(), bytes)).map_err(|e| (path, e))).collect()
}

/// The level of one file and what it holds; `None` where it is not ours to read.
pub(super) fn level_of(bytes: &[u8]) -> Option<(Version, Value)> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let level = value.get("format")?.as_str()?.parse().ok()?;
    Some((level, value))
}

/// Whether web apps of this level cannot read what that level wrote.
pub(super) fn is_too_new(level: &Version, web: &Version) -> bool {
    order::months(level) > order::months(web)
}

/// Lifts every older file to this level, as the first start of newer web apps does. Nothing ever goes down again.
pub(crate) fn migrate(disk: &Arc<Disk>, level: &Version) -> Result<usize, DiskError> {
    let mut migrated = 0;
    for (path, _) in list(disk) {
        let Some((found, mut value)) = level_of(&read(disk, &path)?) else { continue };
        if is_too_new(level, &found) {
            value["format"] = level.to_string().into();
            disk.write(&place(&path), value.to_string().as_bytes())?;
            migrated += 1;
        }
    }
    Ok(migrated)
}
