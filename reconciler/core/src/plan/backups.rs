//! The content backups that exist, in the vault and on Agents: each once, with the web level that wrote its content.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use dataminer_schema::{
    id::{AgentName, Sha256},
    plan::{BackupRef, ContentLoss},
    v1::observation::{AgentObservation, Backup, HistoryEntry},
    version::{MonthIndex, Version},
};
use jiff::Timestamp;

use super::{PlanInput, draft::list, survey::Survey};
use crate::{catalog::Catalog, release::web_index};

/// More than this are not listed in a message.
const SHOWN: usize = 5;

/// All backups of a cluster.
#[derive(Debug)]
pub(super) struct Backups<'a> {
    /// Those that a plan may pin, the newest first.
    pub(super) usable: Vec<Candidate<'a>>,
    /// Those of Agents that have no hash yet.
    unhashed: Vec<(&'a AgentName, &'a Backup)>,
}

/// One backup that a plan may pin by its hash.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) sha256: &'a Sha256,
    pub(super) backup: &'a Backup,
    /// The Agent that has it; `None` for the vault.
    agent: Option<&'a AgentName>,
    pub(super) content: Content,
}

/// The web level that wrote a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Recorded(Version),
    /// From the histories of these Agents.
    Inferred(Version, Vec<AgentName>),
    Unknown,
}

impl<'a> Backups<'a> {
    /// Backups of Agents that were not reached are not there.
    pub(super) fn of(input: &PlanInput<'a>, survey: &Survey<'a>) -> Self {
        let vault = input.vault.iter().map(|backup| (None, backup));
        let on_agents = survey.members.iter().filter_map(|seen| Some((seen.name, seen.reached()?)));
        let on_agents = on_agents
            .flat_map(|(name, agent)| agent.backups.iter().flatten().map(move |backup| (Some(name), backup)));
        let mut unhashed = Vec::new();
        let mut same: BTreeMap<&Sha256, Vec<(Option<&AgentName>, &Backup)>> = BTreeMap::new();
        for (agent, backup) in vault.chain(on_agents) {
            match (&backup.sha256, agent) {
                (Some(sha256), _) => same.entry(sha256).or_default().push((agent, backup)),
                (None, Some(agent)) => unhashed.push((agent, backup)),
                // The vault names nothing that it has not hashed.
                (None, None) => {}
            }
        }
        let united = same.into_iter().map(|(sha256, finds)| unite(input.catalog, survey, sha256, finds));
        let mut usable: Vec<Candidate<'a>> = united.collect();
        usable.sort_by(|a, b| b.rank().cmp(&a.rank()));
        unhashed.sort_by_key(|(agent, backup)| (Reverse(backup.at), &backup.file, *agent));
        Self { usable, unhashed }
    }

    /// What exists, for a message.
    pub(super) fn describe(&self) -> String {
        let mut parts: Vec<String> = self.usable.iter().take(SHOWN).map(Candidate::describe).collect();
        if self.usable.len() > SHOWN {
            parts.push(format!("{} more", self.usable.len() - SHOWN));
        }
        if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
    }

    /// Those that may serve once they are hashed, for a help.
    pub(super) fn unhashed(&self) -> Option<String> {
        let (agent, backup) = self.unhashed.first()?;
        let more = match self.unhashed.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        Some(format!(
            "`{}` on {agent}{more} has no hash yet: it counts once it was observed with one or saved to the vault",
            printable(&backup.file)
        ))
    }
}

impl<'a> Candidate<'a> {
    /// Newest first; what follows the time only makes the order total.
    pub(super) fn rank(&self) -> impl Ord + use<'a> {
        let place = (self.backup.vault, Reverse(self.backup.file.clone()));
        (self.backup.at, self.level(), place, Reverse(self.sha256.clone()))
    }

    pub(super) fn level(&self) -> Option<MonthIndex> {
        self.content.version().map(web_index)
    }

    /// Our own copy of both folders, with every version of every app.
    pub(super) fn is_copy(&self) -> bool {
        self.agent.is_none() && self.backup.copy
    }

    pub(super) fn pinned(&self) -> BackupRef {
        BackupRef {
            file: self.backup.file.clone(),
            sha256: self.sha256.clone(),
            agent: self.agent.cloned(),
            vault: self.agent.is_none(),
        }
    }

    /// What restoring it on `agents` loses; `None` where its time or its level is not known.
    pub(super) fn loss(&self, agents: Vec<AgentName>) -> Option<ContentLoss> {
        let at: Timestamp = self.backup.at?;
        let content = self.content.version()?.release_name();
        Some(ContentLoss { backup: self.pinned(), taken_at: at, content, since: at, agents })
    }

    /// The file, and where and when it is from.
    pub(super) fn describe(&self) -> String {
        let place = self.agent.map_or_else(|| "in the vault".to_owned(), |agent| format!("on {agent}"));
        let at = self
            .backup
            .at
            .map_or_else(|| "time not known".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let content = match &self.content {
            Content::Recorded(version) => format!("content {}", version.release_name()),
            Content::Inferred(version, _) => format!("content {} (inferred)", version.release_name()),
            Content::Unknown => "content not known".to_owned(),
        };
        let torn = if self.backup.torn { ", torn" } else { "" };
        format!("`{}` {place} ({at}, {content}{torn})", printable(&self.backup.file))
    }
}

impl Content {
    pub(super) fn version(&self) -> Option<&Version> {
        match self {
            Self::Recorded(version) | Self::Inferred(version, _) => Some(version),
            Self::Unknown => None,
        }
    }
}

/// The same bytes in several places count once; the vault goes before Agents.
fn unite<'a>(
    catalog: &Catalog,
    survey: &Survey<'a>,
    sha256: &'a Sha256,
    mut finds: Vec<(Option<&'a AgentName>, &'a Backup)>,
) -> Candidate<'a> {
    // The vault goes before Agents, these in the manifest's order; the order of their lists must not show.
    let place = |agent: Option<&AgentName>| survey.members.iter().position(|seen| Some(seen.name) == agent);
    finds.sort_by_key(|&(agent, backup)| {
        let Backup { file, at, sha256: _, size, vault: _, content, copy, torn } = backup;
        (place(agent), Reverse(*at), file, *torn, Reverse(*copy), content, *size)
    });
    let (agent, backup) = finds[0];
    let records: Vec<Option<Version>> = finds
        .iter()
        .filter_map(|(_, backup)| backup.content.as_deref())
        .map(|text| text.parse().ok().and_then(|version| catalog.named_web(&version)))
        .collect();
    let content = if records.is_empty() {
        let authors: BTreeSet<&AgentName> = finds.iter().filter_map(|(agent, _)| *agent).collect();
        let times: BTreeSet<Timestamp> = finds.iter().filter_map(|(_, backup)| backup.at).collect();
        inferred(catalog, survey, backup, &authors, &times)
    } else if records.contains(&None) {
        // A record that cannot be read is no reason to guess.
        Content::Unknown
    } else {
        // Unchanged content that was saved under two levels: what the newer one migrated, the older cannot read.
        let highest =
            records.into_iter().flatten().max_by_key(|version| (web_index(version), version.line()));
        highest.map_or(Content::Unknown, Content::Recorded)
    };
    Candidate { sha256, backup, agent, content }
}

/// Without a record the histories of the Agents tell which web apps wrote it (G6). The vault does not say whose a
/// backup is: then those count that show a file of its name, else all, and they must agree.
fn inferred<'a>(
    catalog: &Catalog,
    survey: &Survey<'a>,
    backup: &Backup,
    authors: &BTreeSet<&'a AgentName>,
    times: &BTreeSet<Timestamp>,
) -> Content {
    let names = |agent: &AgentObservation| {
        authors.is_empty() && agent.backups.iter().flatten().any(|other| other.file == backup.file)
    };
    let mut authors = authors.clone();
    authors.extend(survey.reached().filter(|agent| names(agent)).map(|agent| &agent.name));
    if authors.is_empty() {
        authors.extend(survey.reached().map(|agent| &agent.name));
    }
    let levels = |agent: &AgentObservation| -> Vec<Option<Version>> {
        times.iter().map(|at| level_at(catalog, agent, *at)).collect()
    };
    let own: Vec<Option<Version>> =
        survey.reached().filter(|agent| authors.contains(&agent.name)).flat_map(levels).collect();
    let distinct: BTreeSet<Option<MonthIndex>> =
        own.iter().map(|level| level.as_ref().map(web_index)).collect();
    let Some(Some(level)) = own.into_iter().next().filter(|_| distinct.len() == 1) else {
        return Content::Unknown;
    };
    // Agents hand content to each other: what the newest web apps of any of them migrated is everywhere.
    let others = survey.reached().flat_map(levels).flatten();
    let highest = others.filter(|other| web_index(other) > web_index(&level)).max_by_key(web_index);
    let names = survey.names_where(|seen| authors.contains(seen.name));
    Content::Inferred(highest.unwrap_or(level), names)
}

/// The web level of an Agent just before `at`: of its newest core entry before, or of a web package since. Without
/// either history it is not known: absent is not empty. Nor is it where the level had fallen by then: no history says
/// whether the content had been put back, and unchanged content of newer web apps is what a restore must not use.
fn level_at(catalog: &Catalog, agent: &AgentObservation, at: Timestamp) -> Option<Version> {
    let (core, web) = (agent.history.as_deref()?, agent.web_history.as_deref()?);
    let newest = |entries: &[HistoryEntry], since: Timestamp| {
        let between = entries.iter().filter(|entry| since <= entry.at && entry.at < at);
        between.max_by_key(|entry| (entry.at, entry.version.clone())).cloned()
    };
    let level_of = |entry: &HistoryEntry| catalog.named_web(&entry.version.parse().ok()?);
    let newest_core = newest(core, Timestamp::MIN)?;
    let newest_web = newest(web, newest_core.at);
    let level = level_of(newest_web.as_ref().unwrap_or(&newest_core))?;
    let before = core.iter().chain(web).filter(|entry| entry.at < at);
    let fell = before.filter_map(level_of).any(|other| web_index(&other) > web_index(&level));
    (!fell).then_some(level)
}

/// Names of Agents and their files come from outside: no control characters, and no endless ones.
fn printable(file: &str) -> String {
    file.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// In a sentence about what was inferred.
pub(super) fn histories(agents: &[AgentName]) -> String {
    match agents {
        [_] => format!("the history of {}", list(agents)),
        _ => format!("the histories of {}", list(agents)),
    }
}
