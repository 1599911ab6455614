//! Dashboards and versions of low-code apps one by one, for whoever compares before and after.

use std::sync::Arc;

use dataminer_schema::version::Version;
use serde::Serialize;

use super::content::{self, APP_INFO, DASHBOARD};
use crate::disk::Disk;

/// A dashboard, or one version of a low-code app.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentItem {
    /// Below `C:\Skyline DataMiner`.
    pub path: String,
    /// As users see it.
    pub name: String,
    /// Rises with every change that users make.
    pub revision: u64,
    /// The web level that wrote it.
    pub level: Version,
    /// Whether the web apps of the Agent can open it.
    pub readable: bool,
}

/// What lies on a disk whose web apps are of this level, by path; what is no content of the product is left out.
pub(crate) fn items(disk: &Arc<Disk>, web: &Version) -> Vec<ContentItem> {
    let mut found: Vec<ContentItem> =
        content::list(disk).into_iter().filter_map(|(path, _)| item(disk, path, web)).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn item(disk: &Arc<Disk>, path: String, web: &Version) -> Option<ContentItem> {
    let file = path.rsplit('\\').next()?;
    if file.eq_ignore_ascii_case(APP_INFO) {
        return None;
    }
    let is_ours = file.eq_ignore_ascii_case("app.json") || file.to_lowercase().ends_with(DASHBOARD);
    let (level, value) = content::level_of(&content::read(disk, &path).ok()?).filter(|_| is_ours)?;
    Some(ContentItem {
        name: value.get("name")?.as_str()?.to_owned(),
        revision: value.get("revision")?.as_u64()?,
        readable: !content::is_too_new(&level, web),
        level,
        path,
    })
}
