//! What the manifest wants at first: what runs.

use std::cmp::Ordering;

use dataminer_core::{catalog::Catalog, release::web_index};
use dataminer_schema::version::{Track, Version};

use super::discover::{Dms, Member};
use crate::cli::Helpful;

/// The versions of the manifest, each with what should be said about it.
#[derive(Debug)]
pub(super) struct Software {
    pub(super) core: String,
    pub(super) core_remarks: Vec<String>,
    pub(super) web_apps: String,
    pub(super) web_remarks: Vec<String>,
    /// Hotfixes that run.
    pub(super) hotfixes: Vec<String>,
}

/// What most Agents run.
///
/// # Errors
/// No Agent told its core.
pub(super) fn of(dms: &Dms, catalog: &Catalog) -> anyhow::Result<Software> {
    let told: Vec<(&Member, &str, Version)> = dms
        .members()
        .filter_map(|member| {
            let text = member.seen.as_ref()?.core.as_deref()?;
            Some((member, text, text.parse().ok()?))
        })
        .collect();
    let Some(core) = most(told.iter().map(|(_, _, version)| version), |a, b| newer(catalog, a, b)) else {
        let why = dms.members().find_map(|member| {
            let seen = member.seen.as_ref()?;
            let text = seen.core.as_ref().map(|text| format!("`{text}` is no version"));
            Some(format!("{}: {}", member.name, seen.unknown.get("core").cloned().or(text)?))
        });
        return Err(Helpful::new(
            format!(
                "no Agent tells which core it runs ({})",
                why.unwrap_or_else(|| "no reason is known".to_owned())
            ),
            "look at `C:\\Skyline DataMiner\\Upgrades\\VersionHistory.txt` on the Agents",
        )
        .into());
    };
    let core = core.clone();
    let mut core_remarks = Vec::new();
    let others: Vec<String> = told
        .iter()
        .filter(|(_, _, version)| *version != core)
        .map(|(member, text, _)| format!("{} runs {text}", member.name))
        .collect();
    if !others.is_empty() {
        core_remarks.push(format!(
            "Not every Agent runs this: {}. Bring them to one version before anything else.",
            others.join(", ")
        ));
    }
    let known = catalog.release_of(&core).cu();
    let packaged = || {
        told.iter().filter(|(_, _, version)| *version == core).find_map(|(at, ..)| cu_of_package(at, &core))
    };
    let named = match known.or_else(packaged) {
        Some(cu) if core.track() == Track::Main && core.major() >= 10 => core.clone().with_cu(cu),
        Some(_) => core.clone(),
        None => {
            core_remarks.push(format!(
                "Which CU this build is, is not known, and until it is no plan can be made: write it as well (`{} CU12 (build …)`), or \
                 name the build in a catalogue's `builds`.",
                core.line()
            ));
            core.clone()
        }
    };
    let mut hotfixes = Vec::new();
    let base = if core.is_hotfix() {
        core_remarks.push("A hotfix runs on this release; write its package's file name below.".to_owned());
        hotfixes.extend(
            told.iter().find(|(_, _, version)| *version == core).map(|(_, text, _)| (*text).to_owned()),
        );
        named.release_name()
    } else {
        named.to_string()
    };
    let (web_apps, web_remarks) = web(dms, &named);
    Ok(Software { core: base, core_remarks, web_apps, web_remarks, hotfixes })
}

/// The CU by the name of the full package that the Agent still has a trace of: where no web package came after it, the
/// level of the web apps is that of the package itself.
fn cu_of_package(member: &Member, core: &Version) -> Option<u16> {
    let seen = member.seen.as_ref()?;
    let untouched = seen.web_history.as_ref().is_some_and(Vec::is_empty);
    let web: Version = seen.web_apps.as_deref()?.parse().ok()?;
    web.cu().filter(|_| untouched && web.line() == core.line())
}

/// The web apps, where every Agent that was looked at left evidence of them.
fn web(dms: &Dms, core: &Version) -> (String, Vec<String>) {
    let mut levels: Vec<(&Member, Version)> = Vec::new();
    for member in dms.members() {
        let Some(seen) = &member.seen else { continue };
        let Some(level) = seen.web_apps.as_deref().and_then(|text| text.parse().ok()) else {
            let why = seen.unknown.get("webApps").cloned().unwrap_or_else(|| "it left no trace".to_owned());
            let remark = format!(
                "The web apps of {} are not known ({why}), so they are left as they are until you write a version.",
                member.name
            );
            return ("unmanaged".to_owned(), vec![remark]);
        };
        levels.push((member, level));
    }
    let by_level = |a: &Version, b: &Version| web_index(a).cmp(&web_index(b));
    let Some(common) = most(levels.iter().map(|(_, level)| level), by_level).cloned() else {
        return ("unmanaged".to_owned(), Vec::new());
    };
    let others: Vec<String> = levels
        .iter()
        .filter(|(_, level)| web_index(level) != web_index(&common))
        .map(|(member, level)| format!("{} has {level}", member.name))
        .collect();
    let mut remarks = Vec::new();
    if !others.is_empty() {
        remarks.push(format!("Not every Agent has these: {}.", others.join(", ")));
    } else if core.month_index().is_some() && core.month_index() == common.month_index() {
        remarks.push(format!("They are those that this core brought, {}.", common.release_name()));
        return ("bundled".to_owned(), remarks);
    }
    if common.month_index().is_none() {
        remarks.push(format!(
            "Which CU {common} is, is not known: they are left as they are until you write it."
        ));
        return ("unmanaged".to_owned(), remarks);
    }
    (common.release_name(), remarks)
}

/// What stands most often; of several the highest.
fn most<'a>(
    all: impl Iterator<Item = &'a Version> + Clone,
    order: impl Fn(&Version, &Version) -> Ordering,
) -> Option<&'a Version> {
    let count = |version: &Version| all.clone().filter(|other| *other == version).count();
    all.clone().max_by(|a, b| count(a).cmp(&count(b)).then_with(|| order(a, b)))
}

/// By number and build; equal where that hangs on an unknown CU.
fn newer(catalog: &Catalog, a: &Version, b: &Version) -> Ordering {
    catalog.release_of(a).compare(&catalog.release_of(b)).unwrap_or(Ordering::Equal)
}
