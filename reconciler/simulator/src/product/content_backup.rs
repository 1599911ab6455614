//! What the automatic backup of dashboards and low-code apps takes along (`domain/03 section 4`).
//!
//! The backup is the first thing that an upgrade does, before anything on the server changes. Whether the rules are
//! those of the package or of the software that runs is not documented. It is taken by an action of the package here
//! `[I]`: "every upgrade from 10.3.0 CU8/10.3.11 on" can only mean the package, for what runs before it may be older.

use std::collections::{BTreeMap, BTreeSet};

use dataminer_schema::version::Version;

use super::content::{self, APP_INFO};
use crate::{model::web, order};

/// Whether a package of this version backs content up at all.
pub(super) fn takes_one(package: &Version) -> bool {
    web::backs_up(package)
}

/// Whether it takes only the latest published version and the latest draft of each app: from 10.4.0 CU21, 10.5.0 CU9
/// and 10.5.12 on, which are one month.
fn takes_latest_only(package: &Version) -> bool {
    order::months(package) >= order::months(&Version::new(10, 5, 12))
}

/// The files that go into the backup, and the warnings about those that do not.
pub(crate) fn select(
    files: BTreeMap<String, Vec<u8>>,
    package: &Version,
) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    if !takes_latest_only(package) {
        return (files, Vec::new());
    }
    let mut warnings = Vec::new();
    let mut kept: BTreeMap<String, Option<BTreeSet<u64>>> = BTreeMap::new();
    for app in files.keys().filter_map(|path| app_of(path)) {
        if !kept.contains_key(app) {
            kept.insert(app.to_owned(), versions(&files, app, &mut warnings));
        }
    }
    let keep = |path: &str| {
        let Some(app) = app_of(path) else { return !path.starts_with(r"Applications\") };
        let Some(Some(versions)) = kept.get(app) else { return false };
        version_of(path).is_none_or(|version| versions.contains(&version))
    };
    (files.into_iter().filter(|(path, _)| keep(path)).collect(), warnings)
}

fn app_of(path: &str) -> Option<&str> {
    Some(path.strip_prefix(r"Applications\")?.split_once('\\')?.0)
}

fn version_of(path: &str) -> Option<u64> {
    path.split('\\').nth(2)?.strip_prefix("version_")?.parse().ok()
}

/// The live versions of an app; `None` leaves the whole app out.
fn versions(
    files: &BTreeMap<String, Vec<u8>>,
    app: &str,
    warnings: &mut Vec<String>,
) -> Option<BTreeSet<u64>> {
    let info = files.get(&format!(r"Applications\{app}\{APP_INFO}"));
    let Some((_, info)) = info.and_then(|bytes| content::level_of(bytes)) else {
        warnings.push(format!("App {app} is not backed up: {APP_INFO} is missing or invalid"));
        return None;
    };
    let live: BTreeSet<u64> = ["publishedVersion", "draftVersion"]
        .iter()
        .filter_map(|name| info.get(name).and_then(serde_json::Value::as_u64))
        .collect();
    if live.is_empty() {
        warnings.push(format!("App {app} is not backed up: it has no published version and no draft"));
        return None;
    }
    for version in &live {
        let prefix = format!(r"Applications\{app}\version_{version}\");
        if !files.keys().any(|path| path.starts_with(&prefix)) {
            warnings.push(format!("Version {version} of app {app} was not found"));
        }
    }
    Some(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn selected(package: &str) -> Vec<String> {
        select(content::files_of(&v("10.4.0 CU9")), &v(package)).0.into_keys().collect()
    }

    #[test]
    fn until_10_5_11_all_versions_of_all_apps_domain_03_section_4() {
        for package in ["10.3.0 CU8", "10.4.0 CU20", "10.5.0 CU8", "10.5.11"] {
            assert_eq!(selected(package).len(), content::files_of(&v("10.4.0 CU9")).len(), "{package}");
        }
    }

    #[test]
    fn from_10_5_12_the_latest_published_version_and_draft_of_each_live_app_domain_03_section_4() {
        for package in ["10.4.0 CU21", "10.5.0 CU9", "10.5.12", "10.6.0 CU0"] {
            assert_eq!(
                selected(package),
                [
                    r"Applications\4b7d20aa-capacity\App.info.json",
                    r"Applications\4b7d20aa-capacity\version_1\app.json",
                    r"Applications\9f2c6d1e-overview\App.info.json",
                    r"Applications\9f2c6d1e-overview\version_2\app.json",
                    r"Applications\9f2c6d1e-overview\version_3\app.json",
                    r"Dashboards\shared\Network health.dmadb.json",
                    r"Dashboards\shared\Regional\Lisbon.dmadb.json",
                ],
                "{package}"
            );
        }
    }

    #[test]
    fn an_app_without_a_valid_info_is_left_out_and_a_missing_version_is_not_a_reason_rn_43906() {
        let mut files = content::files_of(&v("10.5.0 CU9"));
        files.insert(r"Applications\4b7d20aa-capacity\App.info.json".to_owned(), b"{".to_vec());
        files.remove(r"Applications\9f2c6d1e-overview\version_2\app.json");
        let (kept, warnings) = select(files, &v("10.5.12"));
        assert!(!kept.keys().any(|path| path.contains("capacity")));
        assert!(kept.contains_key(r"Applications\9f2c6d1e-overview\App.info.json"));
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }

    #[test]
    fn backups_exist_from_10_3_11_domain_03_section_4() {
        for (package, expected) in
            [("10.3.0 CU7", false), ("10.3.10", false), ("10.3.0 CU8", true), ("10.3.11", true)]
        {
            assert_eq!(takes_one(&v(package)), expected, "{package}");
        }
    }
}
