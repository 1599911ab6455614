//! What a person reads: the plan, the status, the Agents, in few lines.

use dataminer_core::summarize;
use dataminer_schema::{
    id::AgentName,
    plan::{Action, Change, Plan, Step, VersionPair},
    quantity::format_duration,
    status::ClusterStatus,
    v1::{
        cluster::{Cluster, Window},
        observation::{AgentObservation, AgentState},
    },
};
use jiff::{Timestamp, tz::TimeZone};

use crate::world::World;

/// The zone in which times are told: that of the first window.
pub(crate) fn zone(cluster: &Cluster) -> TimeZone {
    let name = cluster.windows.first().map(|window| match window {
        Window::Allow { time_zone, .. } | Window::Deny { time_zone, .. } => time_zone,
    });
    name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
}

/// A time as people write it.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

/// `all 3` where these are all Agents, else their names.
pub(crate) fn who(agents: &[AgentName], all: usize) -> String {
    if agents.len() == all && all > 1 {
        return format!("all {all}");
    }
    agents.iter().map(AgentName::as_str).collect::<Vec<_>>().join(", ")
}

/// The plan: what it comes to, the steps that change something (all of them with `full`), what stands in the way.
pub(crate) fn plan(plan: &Plan, cluster: &Cluster, full: bool) -> Vec<String> {
    let zone = zone(cluster);
    let mut lines = vec![headline(plan)];
    let all = plan.agents.len();
    lines.extend(
        plan.steps
            .iter()
            .filter(|step| full || is_change(step.action))
            .map(|step| step_line(step, all, full)),
    );
    if let Some(loss) = &plan.content_loss {
        let from = loss.backup.agent.as_ref().map_or_else(|| "the vault".to_owned(), ToString::to_string);
        lines.push(format!(
            "  content goes back to {} from {from}, written by {}; changes after {} are lost",
            loss.backup.file,
            loss.content,
            moment(loss.since, &zone)
        ));
    }
    for block in &plan.blocked {
        let about =
            if block.agents.is_empty() { String::new() } else { format!(" ({})", who(&block.agents, all)) };
        lines.push(format!("  blocked by {:?}{about}: {}", block.code, block.message));
        lines.push(format!("    help: {}", block.help));
    }
    for waiting in &plan.waiting {
        let until = waiting.until.map(|until| format!(" until {}", moment(until, &zone))).unwrap_or_default();
        lines.push(format!("  waits for {:?}{until}: {}", waiting.on, waiting.message));
    }
    lines
}

fn headline(plan: &Plan) -> String {
    let VersionPair { core, build: _, web_apps } = &plan.from;
    let way = [("core", core, &plan.to.core), ("web apps", web_apps, &plan.to.web_apps)]
        .into_iter()
        .filter_map(|(what, from, to)| match (from, to) {
            (Some(from), Some(to)) if from == to => Some(format!("{what} {to}")),
            (from, Some(to)) => Some(format!("{what} {} -> {to}", from.as_deref().unwrap_or("unknown"))),
            (from, None) => Some(format!("{what} {}, not managed", from.as_deref()?)),
        })
        .collect::<Vec<_>>()
        .join("; ");
    let change = if plan.change == Change::None { String::new() } else { format!(" {:?}", plan.change) };
    format!("{}:{change} {:?}: {way}", plan.cluster, plan.result)
}

/// Whether the step is what the plan is about; the others come with every plan.
fn is_change(action: Action) -> bool {
    match action {
        Action::UpgradeCore
        | Action::UpgradeWeb
        | Action::DowngradeCore
        | Action::DowngradeWeb
        | Action::InstallHotfix
        | Action::RestoreContent
        | Action::ReinstallModule
        | Action::RunTool
        | Action::RunHook
        | Action::BackupAgent
        | Action::Manual => true,
        Action::StagePackage
        | Action::RunPrerequisites
        | Action::SaveBackup
        | Action::VerifyCluster
        | Action::CleanUp => false,
    }
}

fn step_line(step: &Step, all: usize, full: bool) -> String {
    let Step { id, action, from, to, package, backup, module, agents, rules, reason, ready, .. } = step;
    let what = match (from, to) {
        (Some(from), Some(to)) => format!(" {from} -> {to}"),
        (None, Some(to)) => format!(" {to}"),
        _ => match (backup, module) {
            (Some(backup), _) => format!(" {}", backup.file),
            (None, Some(module)) => format!(" {module}"),
            (None, None) if *action == Action::RunTool => {
                format!(" {}", package.as_deref().unwrap_or("?").trim_end_matches(".dmupgrade"))
            }
            (None, None) => String::new(),
        },
    };
    let number = if full { format!("{id} ") } else { String::new() };
    let ready = if full && *ready { " (may start now)" } else { "" };
    format!("  {number}{action:?}{what} on {} [{}]{ready}: {reason}", who(agents, all), rules.join(" "))
}

/// The warnings of these codes.
pub(crate) fn warnings(plan: &Plan, codes: &[String]) -> Vec<String> {
    codes
        .iter()
        .flat_map(|code| {
            let found: Vec<String> = plan
                .warnings
                .iter()
                .filter(|warning| warning.code == *code)
                .map(|warning| {
                    let about =
                        warning.reference.as_ref().map(|about| format!(" ({about})")).unwrap_or_default();
                    format!("{code}{about}: {}", warning.message)
                })
                .collect();
            if found.is_empty() { vec![format!("no {code}")] } else { found }
        })
        .collect()
}

/// What the plan says of these known issues.
pub(crate) fn issues(plan: &Plan, ids: &[String]) -> Vec<String> {
    let told = |id: &String| {
        let known = &plan.known_issues;
        let lists =
            [("introduced", &known.introduced), ("resolved", &known.resolved), ("staying", &known.staying)];
        let told: Vec<&str> =
            lists.iter().filter(|(_, list)| list.contains(id)).map(|(what, _)| *what).collect();
        format!("{id}: {}", if told.is_empty() { "not named".to_owned() } else { told.join(", ") })
    };
    ids.iter().map(told).collect()
}

/// When the work is expected.
pub(crate) fn forecast(plan: &Plan, cluster: &Cluster) -> Vec<String> {
    let Some(forecast) = &plan.forecast else { return vec!["no forecast".to_owned()] };
    let zone = zone(cluster);
    let fits = match (forecast.window_closes, forecast.fits) {
        (None, _) => "nothing closes".to_owned(),
        (Some(closes), true) => format!("fits the window, which closes {}", moment(closes, &zone)),
        (Some(closes), false) => format!("does not fit the window, which closes {}", moment(closes, &zone)),
    };
    vec![format!(
        "starts {}, done by {}, at the latest {}; {fits} (by {:?})",
        moment(forecast.starts, &zone),
        moment(forecast.ends, &zone),
        moment(forecast.ends_latest, &zone),
        forecast.basis
    )]
}

/// Where the cluster stands.
pub(crate) fn status(status: &ClusterStatus) -> Vec<String> {
    let ClusterStatus { name, state, reason, message, help, owed, approval, .. } = status;
    let mut lines = vec![format!("{name}: {} ({reason}): {message}", state.as_str())];
    lines.extend(help.iter().map(|help| format!("  help: {help}")));
    for work in owed {
        let what = work.module.clone().unwrap_or_else(|| "content".to_owned());
        lines.push(format!("  owed: {:?} {what}", work.action));
    }
    if let Some(by) = approval.as_ref().and_then(|approval| approval.by.as_ref()) {
        lines.push(format!("  approved by {by}"));
    }
    if reason == summarize::reason::CONVERGED {
        lines.truncate(1)
    }
    lines
}

/// What runs on each Agent, those that are alike in one line.
pub(crate) fn versions(world: &World) -> Vec<String> {
    let mut groups: Vec<(String, Vec<AgentName>)> = Vec::new();
    for member in &world.members {
        let text = state_of(&member.seen, &member.core.release_name(), &member.web.release_name());
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(member.name().clone()),
            None => groups.push((text, vec![member.name().clone()])),
        }
    }
    groups.into_iter().map(|(text, names)| format!("{}: {text}", who(&names, world.members.len()))).collect()
}

fn state_of(seen: &AgentObservation, core: &str, web: &str) -> String {
    let state = match seen.state {
        _ if !seen.reachable => ", not reachable".to_owned(),
        Some(AgentState::Running) => String::new(),
        Some(state) => format!(", {state:?}"),
        None => ", state unknown".to_owned(),
    };
    format!("core {core}, web apps {web}{state}")
}

/// What dashboards and apps are, and whether the web apps can read them.
pub(crate) fn content(world: &World, zone: &TimeZone) -> Vec<String> {
    let mut groups: Vec<(String, Vec<AgentName>)> = Vec::new();
    for member in &world.members {
        let readable = if member.content.is_readable(&member.web) {
            ""
        } else {
            ", which the web apps there cannot read"
        };
        let text = format!(
            "as of {}, in the form of {}{readable}",
            moment(member.content.edited, zone),
            member.content.level.release_name()
        );
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(member.name().clone()),
            None => groups.push((text, vec![member.name().clone()])),
        }
    }
    groups.into_iter().map(|(text, names)| format!("{}: {text}", who(&names, world.members.len()))).collect()
}

/// What the vault holds.
pub(crate) fn vault(world: &World) -> Vec<String> {
    if world.vault.is_empty() {
        return vec!["empty".to_owned()];
    }
    let line = |backup: &dataminer_schema::v1::observation::Backup| {
        let kind = if backup.copy { "our copy" } else { "the product's" };
        let content = backup.content.as_deref().map(|content| format!(", of {content}")).unwrap_or_default();
        format!("{} ({kind}{content})", backup.file)
    };
    world.vault.iter().map(line).collect()
}

/// How long something took.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    format_duration(from.duration_until(to))
}
