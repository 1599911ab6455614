//! Known issues and breaking changes: what the change brings and takes away, and what strikes on the way.
//!
//! Lists hold every issue of running systems; an issue of a stop is none of the target. What strikes on a hop, or
//! while a stop starts, is a warning, and a block where it does harm and nobody accepted it.

use std::collections::BTreeSet;

use dataminer_schema::{
    plan::{BreakingChanges, KnownIssues},
    v1::knowledge::{BreakingChange, Component, Impact, KnownIssue, ReadOn, Stage},
};

use super::{
    PlanInput,
    conditions::{Conditions, any, both},
    course::{Course, Way},
    draft::Draft,
    survey::Survey,
};
use crate::{
    knowledge::{Software, affects, holds},
    release::Release,
};

/// What runs, or shall run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Levels {
    core: Release,
    web: Option<Release>,
}

impl Levels {
    fn software(&self) -> Software<'_> {
        Software { core: &self.core, web: self.web.as_ref() }
    }
}

/// Fills the lists of issues and changes, and says what strikes on the way.
pub(super) fn plan_issues(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    course: &Course<'_>,
    draft: &mut Draft,
) {
    if course.legs.is_empty() && course.web.is_none() {
        return;
    }
    let Some(target) = &course.target else { return };
    let sources = sources(survey);
    let goals = goals(course, &target.release, &sources);
    let conditions = Conditions::of(input, survey);
    let news = News { input, conditions: &conditions, sources: &sources, goals: &goals };
    draft.breaking_changes = news.changes();
    news.issues(draft);
    news.on_the_way(course, draft);
}

/// What the members run, each combination once.
fn sources(survey: &Survey<'_>) -> Vec<Levels> {
    let mut sources: Vec<Levels> = Vec::new();
    for seen in &survey.members {
        let Some(core) = seen.release() else { continue };
        let levels = Levels { core: core.clone(), web: seen.web.clone().and_then(Release::exact) };
        if !sources.contains(&levels) {
            sources.push(levels);
        }
    }
    sources
}

/// What they run afterwards. A full package brings web apps of its own level (W3); without one the core stays.
fn goals(course: &Course<'_>, core: &Release, sources: &[Levels]) -> Vec<Levels> {
    let web = course.web.as_ref().map(|web| Release::exact(web.to.clone()));
    if course.legs.is_empty() {
        let stays = |source: &Levels| Levels {
            web: web.clone().unwrap_or_else(|| source.web.clone()),
            ..source.clone()
        };
        return sources.iter().map(stays).collect();
    }
    vec![Levels { core: core.clone(), web: web.unwrap_or_else(|| Some(core.clone())) }]
}

/// Whether the issue is of the kind that stops a system, loses its data or tears it apart.
fn is_grave(issue: &KnownIssue) -> bool {
    matches!(issue.impact, Impact::Downtime | Impact::DataLoss | Impact::ClusterBroken)
}

/// Whether it strikes while a system starts, so that a stop is enough for it.
fn strikes_at_start(issue: &KnownIssue) -> bool {
    issue.tags.iter().any(|tag| tag == "startup")
}

/// Whether it is over with the hop; what lasts is there already where one comes from a release that has it.
fn passes(issue: &KnownIssue) -> bool {
    match issue.impact {
        Impact::BlocksUpgrade
        | Impact::BlocksDowngrade
        | Impact::Downtime
        | Impact::DataLoss
        | Impact::ClusterBroken
        | Impact::BackupBroken
        | Impact::SlowStartup
        | Impact::MonitoringOnly
        | Impact::Transient => true,
        Impact::FailoverRestricted
        | Impact::FeatureBroken
        | Impact::WebDegraded
        | Impact::ClientBroken
        | Impact::Stability
        | Impact::Functional
        | Impact::Performance
        | Impact::Cosmetic
        | Impact::Info => false,
    }
}

/// The issue in a sentence.
fn told(issue: &KnownIssue) -> String {
    match &issue.note {
        Some(note) => format!("{} ({note})", issue.title),
        None => issue.title.clone(),
    }
}

/// The releases that are right again, as help names them.
fn instead(issue: &KnownIssue) -> String {
    let ranges = issue.path.as_ref().map(|path| &path.to).or(issue.affects.as_ref());
    let mut fixed: Vec<String> = Vec::new();
    for version in ranges.into_iter().flatten().filter_map(|range| range.fixed_in.as_ref()) {
        let name = version.release_name();
        if !fixed.contains(&name) {
            fixed.push(name);
        }
    }
    match fixed.as_slice() {
        [] => "want a release that does not have it".to_owned(),
        _ => format!("want a release that does not have it (right again: {})", fixed.join(", ")),
    }
}

struct News<'n, 'a> {
    input: &'n PlanInput<'a>,
    conditions: &'n Conditions<'a>,
    sources: &'n [Levels],
    goals: &'n [Levels],
}

impl News<'_, '_> {
    /// Whether the issue is one of a system that runs this.
    fn strikes(&self, issue: &KnownIssue, levels: &Levels) -> Option<bool> {
        match affects(issue, levels.software()) {
            Some(false) => Some(false),
            affected => both(affected, self.conditions.hold(&issue.conditions, &issue.windows, &levels.core)),
        }
    }

    fn strikes_any(&self, issue: &KnownIssue, of: &[Levels]) -> Option<bool> {
        any(of.iter().map(|levels| self.strikes(issue, levels)))
    }

    /// The lists, and a word on those of them that do harm.
    fn issues(&self, draft: &mut Draft) {
        let mut lists = KnownIssues::default();
        let running = self.input.knowledge.issues();
        for issue in running.filter(|issue| issue.stage == Stage::Running && issue.affects.is_some()) {
            let (before, after) =
                (self.strikes_any(issue, self.sources), self.strikes_any(issue, self.goals));
            let (had, has) = (before != Some(false), after != Some(false));
            let list = match (had, has) {
                (false, false) => continue,
                (false, true) => &mut lists.introduced,
                (true, false) => &mut lists.resolved,
                (true, true) => &mut lists.staying,
            };
            list.push(issue.id.clone());
            if before.is_none() || after.is_none() {
                lists.undecided.push(issue.id.clone());
            }
            self.say(issue, (before, after), draft);
        }
        draft.known_issues = lists;
    }

    /// An issue that the target has and that does harm there, or that an Advisory records, is worth a sentence; one
    /// that is accepted is not.
    fn say(&self, issue: &KnownIssue, (before, after): (Option<bool>, Option<bool>), draft: &mut Draft) {
        if after == Some(false) {
            return;
        }
        let recorded = draft.advice(&issue.id).map(|advice| !advice.accepts);
        let new_and_grave = before == Some(false) && after == Some(true) && is_grave(issue);
        if recorded == Some(true) || (recorded.is_none() && new_and_grave) {
            let brings = if before == Some(false) { "brings" } else { "keeps" };
            draft.warn_of_issue(&issue.id, format!("the change {brings} a known issue: {}", told(issue)));
        }
    }

    fn changes(&self) -> BreakingChanges {
        let mut changes = BreakingChanges::default();
        for change in self.input.knowledge.breaking_changes() {
            let before = any(self.sources.iter().map(|levels| has(change, levels)));
            let lacked = any(self.sources.iter().map(|levels| has(change, levels).map(|has| !has)));
            let after = any(self.goals.iter().map(|levels| has(change, levels)));
            // Where an unknown CU decides, it is said rather than kept quiet.
            if after != Some(false) && lacked != Some(false) && (after, lacked) != (None, None) {
                changes.brought.push(change.id.clone());
            } else if after != Some(true) && before != Some(false) && (after, before) != (None, None) {
                changes.undone.push(change.id.clone());
            }
        }
        changes
    }

    /// What strikes on a hop, or at the start of a stop.
    fn on_the_way(&self, course: &Course<'_>, draft: &mut Draft) {
        let knowledge = self.input.knowledge;
        let by_effects = knowledge.side_effects().filter_map(|effect| effect.issue.as_deref());
        let decided: BTreeSet<&str> = knowledge.rules().issues().chain(by_effects).collect();
        for issue in knowledge.issues().filter(|issue| !decided.contains(issue.id.as_str())) {
            if issue.stage == Stage::Running && issue.path.is_none() {
                self.at_stops(issue, course, draft);
            } else {
                self.on_hops(issue, course, draft);
            }
        }
    }

    /// An issue of a stop passes with it; one that strikes while the stop starts is felt all the same.
    fn at_stops(&self, issue: &KnownIssue, course: &Course<'_>, draft: &mut Draft) {
        if !is_grave(issue) || !strikes_at_start(issue) {
            return;
        }
        let new = |levels: &Levels| {
            self.strikes(issue, levels) != Some(false)
                && self.strikes_any(issue, self.sources) == Some(false)
                && self.strikes_any(issue, self.goals) == Some(false)
        };
        let stops = course.legs.iter().map(|leg| Levels { core: leg.to.clone(), web: Some(leg.to.clone()) });
        let stops: Vec<Levels> = stops.filter(new).collect();
        if let Some(first) = stops.first() {
            let message = format!("the stop at {} has a known issue: {}", first.core.name(), told(issue));
            warn(issue, self.strikes(issue, first), message, draft);
        }
    }

    fn on_hops(&self, issue: &KnownIssue, course: &Course<'_>, draft: &mut Draft) {
        let mut struck: Vec<(String, Option<bool>)> = Vec::new();
        for leg in &course.legs {
            let strikes = self.on_hop(issue, (&leg.from, &leg.to), leg.way);
            if strikes != Some(false) {
                struck.push((format!("{} -> {}", leg.from.name(), leg.to.name()), strikes));
            }
        }
        if let Some(web) = &course.web {
            let strikes = self.on_web_step(issue, web.way);
            if strikes != Some(false) {
                struck.push((format!("web apps {}", web.to.release_name()), strikes));
            }
        }
        if struck.is_empty() {
            return;
        }
        let strikes = any(struck.iter().map(|(_, strikes)| *strikes));
        let hops: Vec<&str> = struck.iter().map(|(hop, _)| hop.as_str()).collect();
        let message = format!("a known issue on the way ({}): {}", hops.join(", "), told(issue));
        // Each step names the checks that its package runs; what they may refuse needs no second word.
        let mut checks = self.input.knowledge.prerequisites();
        if strikes.is_none() && checks.any(|check| check.known_issues.contains(&issue.id)) {
            return;
        }
        // A refused upgrade has changed nothing; what goes wrong for certain ways, or does harm, has.
        let harmful = issue.path.is_some() || is_grave(issue);
        if strikes == Some(true) && harmful {
            draft.known_issue(
                Some(&issue.id),
                Vec::new(),
                format!("{message} ({})", issue.id),
                instead(issue),
            );
        } else {
            warn(issue, strikes, message, draft);
        }
    }

    fn on_hop(&self, issue: &KnownIssue, (from, to): (&Release, &Release), way: Way) -> Option<bool> {
        let of = |core: &Release| match (issue.read_on, &issue.affects) {
            (ReadOn::Core, Some(ranges)) => holds(ranges, core),
            // Web packages have a step of their own.
            (ReadOn::WebApps, _) | (_, None) => Some(false),
        };
        let (strikes, core) = match (&issue.path, issue.stage, way) {
            (Some(path), _, _) => (both(holds(&path.from, from), holds(&path.to, to)), to),
            (None, Stage::UpgradeTo, Way::Up) if passes(issue) => (of(to), to),
            (None, Stage::UpgradeTo, Way::Up) => (both(of(from).map(|had| !had), of(to)), to),
            (None, Stage::DowngradeFrom, Way::Down) => (of(from), from),
            (None, Stage::Running | Stage::UpgradeTo | Stage::DowngradeFrom, _) => (Some(false), to),
        };
        match strikes {
            Some(false) => Some(false),
            strikes => both(strikes, self.conditions.hold(&issue.conditions, &issue.windows, core)),
        }
    }

    /// An issue of web apps on the step of the web package.
    fn on_web_step(&self, issue: &KnownIssue, way: Way) -> Option<bool> {
        if issue.read_on != ReadOn::WebApps || issue.path.is_some() {
            return Some(false);
        }
        match (issue.stage, way) {
            (Stage::UpgradeTo, Way::Up) => self.strikes_any(issue, self.goals),
            (Stage::DowngradeFrom, Way::Down) => self.strikes_any(issue, self.sources),
            (Stage::Running | Stage::UpgradeTo | Stage::DowngradeFrom, _) => Some(false),
        }
    }
}

fn warn(issue: &KnownIssue, strikes: Option<bool>, message: String, draft: &mut Draft) {
    let unseen = if strikes.is_none() { "; whether it strikes here was not seen" } else { "" };
    draft.warn_of_issue(&issue.id, message + unseen);
}

/// Whether a system that runs this has the change. Those of the web apps come with their level.
fn has(change: &BreakingChange, levels: &Levels) -> Option<bool> {
    let Some(introduced) = &change.introduced else { return Some(false) };
    match (change.component, &levels.web) {
        (Component::Web, Some(web)) => web.at_least(introduced),
        _ => levels.core.at_least(introduced),
    }
}
