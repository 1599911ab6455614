//! Whether the installed web apps can read the content of an Agent: for the inspection report, not for the product.

use std::{collections::BTreeMap, sync::Arc};

use dataminer_schema::version::Version;
use sha2::{Digest, Sha256};

use super::content::{self, APP_INFO, DASHBOARD};
use crate::{disk::Disk, inspect::ContentState, order};

/// What was found.
pub(crate) struct Survey {
    pub(crate) state: ContentState,
    /// Dashboards, apps and their live versions that a newer level wrote.
    pub(crate) unreadable: Vec<String>,
    /// Apps without a live version, and versions that no App.info.json names, that a newer level wrote.
    pub(crate) unreadable_history: Vec<String>,
    /// Files that are missing or are not what the product wrote.
    pub(crate) damaged: Vec<String>,
    /// Over all files by path.
    pub(crate) digest: String,
}

pub(crate) fn survey(disk: &Arc<Disk>, web: &Version) -> Survey {
    let mut found = Survey {
        state: ContentState::Damaged { file: content::FOLDERS[0].to_owned() },
        unreadable: Vec::new(),
        unreadable_history: Vec::new(),
        damaged: Vec::new(),
        digest: String::new(),
    };
    let mut files = BTreeMap::new();
    for (path, _) in content::list(disk) {
        match content::read(disk, &path) {
            Ok(bytes) => drop(files.insert(path.to_lowercase(), (path, bytes))),
            Err(_) => found.damaged.push(path),
        }
    }
    found.damaged.extend(content::expected().filter(|path| !files.contains_key(&path.to_lowercase())));
    let live = live_versions(&files, &mut found.damaged);
    let mut hasher = Sha256::new();
    let mut newest: Option<Version> = None;
    for (key, (path, bytes)) in &files {
        hasher.update(Sha256::digest(key));
        hasher.update(Sha256::digest(bytes));
        let name = path.rsplit('\\').next().unwrap_or_default();
        let is_version = name.eq_ignore_ascii_case("app.json");
        // Files that others put there say nothing about levels.
        let is_ours =
            is_version || name.eq_ignore_ascii_case(APP_INFO) || name.to_lowercase().ends_with(DASHBOARD);
        let Some((level, _)) = content::level_of(bytes) else {
            if is_ours {
                found.damaged.push(path.clone());
            }
            continue;
        };
        let is_live = live.contains(key) || !key.starts_with(r"applications\");
        if content::is_too_new(&level, web) {
            if is_live { &mut found.unreadable } else { &mut found.unreadable_history }.push(path.clone());
        }
        let newer = newest.as_ref().is_none_or(|newest| order::months(&level) > order::months(newest));
        if is_live && newer {
            newest = Some(level);
        }
    }
    found.digest = hex::encode(hasher.finalize());
    found.damaged.sort();
    found.damaged.dedup();
    found.state = match (found.damaged.first(), newest) {
        (Some(file), _) => ContentState::Damaged { file: file.clone() },
        (None, Some(level)) if content::is_too_new(&level, web) => ContentState::Unreadable { level },
        (None, Some(level)) => ContentState::Readable { level },
        (None, None) => return found,
    };
    found
}

/// The versions that some App.info.json names, and this file where it names any, by lower-case path. Versions that
/// are not there are damage.
fn live_versions(files: &BTreeMap<String, (String, Vec<u8>)>, damaged: &mut Vec<String>) -> Vec<String> {
    let mut live = Vec::new();
    for (path, bytes) in files.values() {
        let mut parts = path.split('\\');
        let (Some(_), Some(app), Some(file), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if !file.eq_ignore_ascii_case(APP_INFO) {
            continue;
        }
        let Some((_, info)) = content::level_of(bytes) else { continue };
        for version in ["publishedVersion", "draftVersion"].iter().filter_map(|name| info.get(name)?.as_u64())
        {
            let file = content::version_file(app, version);
            if !files.contains_key(&file.to_lowercase()) {
                damaged.push(file.clone());
            }
            live.extend([file.to_lowercase(), path.to_lowercase()]);
        }
    }
    live
}
