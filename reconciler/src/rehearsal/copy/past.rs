//! An Agent's past: its history, the logs of its packages, its content backups.

use dataminer_schema::{
    id::Sha256,
    v1::observation::{AgentObservation, Backup},
    version::Version,
};
use dms_simulator::{AgentSpec, BackupSpec, HistorySpec, TraceSpec, package::PackageSpec};
use jiff::{SignedDuration, Timestamp};

use super::{
    Assumptions, Original,
    agent::{Looks, is_plain},
};

/// When a core was installed that no history tells of.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 180);
/// The build of web apps of which only the release is known: no rule asks for it.
const ANY_BUILD: u32 = 10_000;
/// The most entries of a history and the most backups that are copied, the newest.
const MOST: usize = 200;

/// Adds history, web level and backups to an Agent whose core stands.
pub(super) fn add(
    spec: &mut AgentSpec,
    seen: &AgentObservation,
    looks: &Looks<'_>,
    assumptions: &mut Assumptions,
) {
    let Looks { original, shift, .. } = looks;
    let at = |time: Timestamp| time.checked_sub(*shift).unwrap_or(time);
    let mut history: Vec<HistorySpec> = seen
        .history
        .iter()
        .flatten()
        .filter(|entry| is_plain(&entry.version))
        .map(|entry| HistorySpec { at: at(entry.at), version: entry.version.clone() })
        .collect();
    history.drain(..history.len().saturating_sub(MOST));
    let newest = history.pop_if(|entry| seen.core.as_ref() == Some(&entry.version));
    let installed_at = newest.map(|entry| entry.at).unwrap_or_else(|| {
        assumptions.note("when its core was installed was not seen: half a year ago", Some(&seen.name));
        let long_ago = original.now.checked_sub(LONG_AGO).unwrap_or(original.now);
        history.last().map_or(long_ago, |last| last.at.max(long_ago))
    });
    spec.history = history;
    spec.installed_at = Some(installed_at);
    web(spec, seen, installed_at, looks, assumptions);
    for backup in seen.backups.iter().flatten().filter(|backup| !backup.vault).take(MOST) {
        add_backup(spec, backup, seen, looks, assumptions);
    }
}

/// The web apps, and the logs that tell of them.
fn web(
    spec: &mut AgentSpec,
    seen: &AgentObservation,
    installed_at: Timestamp,
    looks: &Looks<'_>,
    assumptions: &mut Assumptions,
) {
    let catalog = looks.original.catalog;
    let at = |time: Timestamp| time.checked_sub(looks.shift).unwrap_or(time);
    let mut traces = Vec::new();
    let mut past: Vec<(Timestamp, Version)> = Vec::new();
    for entry in seen.web_history.iter().flatten() {
        if let Ok(version) = entry.version.parse::<Version>() {
            past.push((at(entry.at), catalog.named_web(&version).unwrap_or(version)));
        }
    }
    let level = seen.web_apps.as_deref().and_then(|text| text.parse::<Version>().ok());
    if let Some(level) = level {
        let level = catalog.named_web(&level).unwrap_or(level);
        traces.push(TraceSpec { at: installed_at, file: PackageSpec::full(spec.core.clone()).file_name() });
        let is_bundled = level.release_name() == spec.core.release_name()
            || (level.month_index().is_some() && level.month_index() == spec.core.month_index());
        if !is_bundled {
            spec.web = Some(with_build(level.clone(), looks.original));
            let told = past.iter().any(|(at, version)| *at > installed_at && version.agrees_with(&level));
            if !told {
                let later = installed_at.checked_add(SignedDuration::from_mins(10)).unwrap_or(installed_at);
                past.push((later, level));
            }
        }
    } else {
        assumptions.note(
            format!("its web apps were not seen: those of its core, {}", spec.core.release_name()),
            Some(&seen.name),
        );
        // What is newer than the core would tell the level that nobody saw.
        past.retain(|(at, _)| *at <= installed_at);
    }
    for (at, version) in past.into_iter().rev().take(MOST) {
        let version = with_build(version, looks.original);
        traces.push(TraceSpec { at, file: PackageSpec::web(version).file_name() });
    }
    spec.traces = Some(traces);
}

fn with_build(version: Version, original: &Original<'_>) -> Version {
    if version.build().is_some() {
        return version;
    }
    let package = original.catalog.web_package(&version).and_then(|entry| entry.release.as_ref()?.build());
    version.with_build(package.unwrap_or(ANY_BUILD))
}

fn add_backup(
    spec: &mut AgentSpec,
    backup: &Backup,
    seen: &AgentObservation,
    looks: &Looks<'_>,
    assumptions: &mut Assumptions,
) {
    let file: String = backup.file.chars().filter(|c| !c.is_control()).take(80).collect();
    let Some(at) = backup.at else {
        assumptions.note(
            format!("when the backup `{file}` was taken is not known: it is not copied"),
            Some(&seen.name),
        );
        return;
    };
    let recorded = backup.content.as_deref().and_then(|text| text.parse::<Version>().ok());
    let Some(content) = recorded.or_else(|| written_by(seen, at, looks.original)) else {
        assumptions.note(
            format!("which web apps wrote the backup `{file}` is not known: it is not copied"),
            Some(&seen.name),
        );
        return;
    };
    let content = looks.original.catalog.named_web(&content).unwrap_or(content);
    let at = at.checked_sub(looks.shift).unwrap_or(at);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '(' | ')');
    let ends = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.to_lowercase().ends_with(".zip")
    };
    let same = spec.backups.iter().any(|other| other.file.as_deref() == Some(&backup.file));
    let named = backup.file.chars().all(plain) && backup.file.len() <= 100 && ends(&backup.file) && !same;
    spec.backups.push(BackupSpec {
        at,
        content: with_build(content, looks.original),
        file: named.then(|| backup.file.clone()),
    });
}

/// The web apps that ran at a time, as the histories tell: the newest package before it.
fn written_by(seen: &AgentObservation, at: Timestamp, original: &Original<'_>) -> Option<Version> {
    let before = |entries: Option<&[dataminer_schema::v1::observation::HistoryEntry]>| {
        let entry =
            entries.unwrap_or_default().iter().filter(|entry| entry.at < at).max_by_key(|entry| entry.at)?;
        Some((entry.at, entry.version.parse::<Version>().ok()?))
    };
    let core = before(seen.history.as_deref());
    let web = before(seen.web_history.as_deref());
    match (core, web) {
        (Some((core_at, _)), Some((web_at, web))) if web_at > core_at => Some(web),
        (Some((_, core)), _) => Some(original.catalog.release_of(&core).version().clone()),
        (None, _) => None,
    }
}

/// The backups of the vault lie on the first Agent of the copy: a copy of the vault would need their bytes.
pub(super) fn add_vault(
    spec: &mut AgentSpec,
    original: &Original<'_>,
    shift: SignedDuration,
    assumptions: &mut Assumptions,
) {
    let on_agents = || original.observation.agents.iter().flat_map(|agent| agent.backups.iter().flatten());
    let known = |sha256: &Option<Sha256>| {
        sha256.is_some() && on_agents().any(|backup| !backup.vault && backup.sha256 == *sha256)
    };
    let listed = on_agents().filter(|backup| backup.vault).chain(original.vault);
    let only_there: Vec<&Backup> = listed.filter(|backup| !known(&backup.sha256)).take(MOST).collect();
    if only_there.is_empty() {
        return;
    }
    let first = original.cluster.agents.first().map(|agent| &agent.member.name);
    assumptions.note("what only the vault holds lies among the backups of this Agent", first);
    let nobody = first.map(|name| AgentObservation::new(name.clone(), true));
    for (seen, backup) in nobody.iter().flat_map(|seen| only_there.iter().map(move |backup| (seen, backup))) {
        let looks = Looks { original, shift, partner: None };
        add_backup(spec, backup, seen, &looks, assumptions);
    }
}
