//! What users do with dashboards and low-code apps, at the level of the web apps in front of them.

use std::sync::Arc;

use dataminer_schema::version::Version;
use serde_json::Value;

use super::content::{self, APP_INFO, DASHBOARD, place};
use crate::disk::Disk;

/// A file of content with what it holds.
struct Found {
    path: String,
    level: Version,
    value: Value,
}

/// The file with this ending that carries a name.
fn find(disk: &Arc<Disk>, ending: &str, name: &str) -> Option<Found> {
    content::list(disk).into_iter().find_map(|(path, _)| {
        if !path.to_lowercase().ends_with(&ending.to_lowercase()) {
            return None;
        }
        let (level, value) = content::level_of(&content::read(disk, &path).ok()?)?;
        (value.get("name")?.as_str()? == name).then_some(Found { path, level, value })
    })
}

fn readable(found: &Found, web: &Version) -> Result<(), String> {
    if content::is_too_new(&found.level, web) {
        return Err(format!("{} was written by {}, {web} cannot open it", found.path, found.level));
    }
    Ok(())
}

fn write(disk: &Arc<Disk>, path: &str, value: &Value) -> Result<(), String> {
    disk.write(&place(path), value.to_string().as_bytes()).map_err(|error| format!("{path}: {error}"))
}

/// Changes the dashboard of this name, or makes one.
pub(crate) fn dashboard(disk: &Arc<Disk>, web: &Version, name: &str) -> Result<(), String> {
    let Some(found) = find(disk, DASHBOARD, name) else {
        let path = format!(r"Dashboards\users\{name}{DASHBOARD}");
        return write(disk, &path, &content::document(web, name, 1));
    };
    readable(&found, web)?;
    let revision = found.value.get("revision").and_then(Value::as_u64).unwrap_or(0) + 1;
    write(disk, &found.path, &content::document(web, name, revision))
}

/// Makes an app with its first draft; publishes the draft of one that is there and begins the next.
pub(crate) fn app(disk: &Arc<Disk>, web: &Version, name: &str) -> Result<(), String> {
    let Some(found) = find(disk, APP_INFO, name) else {
        write(disk, &content::version_file(name, 1), &content::document(web, name, 1))?;
        let info = content::info(web, name, None, Some(1));
        return write(disk, &format!(r"Applications\{name}\{APP_INFO}"), &info);
    };
    readable(&found, web)?;
    let folder = found.path.split('\\').nth(1).unwrap_or(name).to_owned();
    let number = |field: &str| found.value.get(field).and_then(Value::as_u64);
    let published = number("draftVersion").or(number("publishedVersion"));
    let draft = published.unwrap_or(0) + 1;
    write(disk, &content::version_file(&folder, draft), &content::document(web, name, draft))?;
    write(disk, &found.path, &content::info(web, name, published, Some(draft)))
}
