//! A plan for people: headline, steps with their reasons, and what stands in the way with its cure.

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Change, Disruption, Plan, PlanResult, Step, VersionPair, Waiting},
    quantity::format_duration,
    v1::cluster::{AppliedProfile, Cluster, Window},
};
use jiff::{SignedDuration, Timestamp, Unit, tz::TimeZone};

use super::{Terminal, Tone};

pub(super) fn print(
    plan: &Plan,
    cluster: &Cluster,
    now: Timestamp,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let zone = zone_of(cluster);
    headline(plan, terminal)?;
    if let Some(AppliedProfile { name, gave }) = &cluster.profile {
        let fields: Vec<&str> = gave.iter().map(|field| field.trim_start_matches("spec.")).collect();
        let fields = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
        terminal
            .line(format!("  profile {name} gives {fields}; all else is the cluster's own or the default"))?;
    }
    if !plan.steps.is_empty() {
        steps(plan, cluster, terminal)?;
    }
    for block in &plan.blocked {
        let about =
            if block.agents.is_empty() { String::new() } else { format!(" ({})", names(&block.agents)) };
        let code = terminal.tint(format!("blocked: {:?}", block.code), Tone::Bad);
        terminal.line(format!("  {code}: {}{about}", block.message))?;
        terminal.line(format!("    help: {}", block.help))?;
    }
    for waiting in &plan.waiting {
        let text = waiting_line(waiting, now, zone.as_ref());
        terminal.line(format!("  {}: {text}", terminal.tint("waiting", Tone::Pending)))?;
    }
    for warning in &plan.warnings {
        let reference = warning.reference.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let code = terminal.tint(format!("warning: {}", warning.code), Tone::Pending);
        terminal.line(format!("  {code}: {}{reference}", warning.message))?;
    }
    if let Some(text) = content_line(plan, zone.as_ref()) {
        terminal.line(format!("  {}", terminal.tint(text, Tone::Bad)))?;
    }
    for (what, issues) in
        [("introduced", &plan.known_issues.introduced), ("resolved", &plan.known_issues.resolved)]
    {
        if !issues.is_empty() {
            terminal.line(format!("  known issues {what}: {}", issues.join(", ")))?;
        }
    }
    Ok(())
}

fn headline(plan: &Plan, terminal: &mut Terminal) -> anyhow::Result<()> {
    let name = terminal.tint(plan.cluster.as_str(), Tone::Strong);
    let result = match plan.result {
        PlanResult::Converged => terminal.tint("Converged", Tone::Good),
        PlanResult::Ready => terminal.tint("Ready", Tone::Good),
        PlanResult::Waiting => terminal.tint("Waiting", Tone::Pending),
        PlanResult::Blocked => terminal.tint("Blocked", Tone::Bad),
    };
    let VersionPair { core, build: _, web_apps } = &plan.from;
    let way = [("core", core, &plan.to.core), ("web apps", web_apps, &plan.to.web_apps)]
        .into_iter()
        .filter_map(|(what, from, to)| match (from, to) {
            (Some(from), Some(to)) if from == to => Some(format!("{what} {to}")),
            (Some(from), Some(to)) => Some(format!("{what} {from} -> {to}")),
            (None, Some(to)) => Some(format!("{what} unknown -> {to}")),
            (Some(from), None) => Some(format!("{what} {from}, not managed")),
            (None, None) => None,
        })
        .collect::<Vec<_>>()
        .join("; ");
    let change = match plan.change {
        Change::None => String::new(),
        Change::WebUpgrade => " (web upgrade)".to_owned(),
        Change::Upgrade => " (upgrade)".to_owned(),
        Change::Downgrade => " (downgrade)".to_owned(),
        Change::WebDowngrade => " (web downgrade)".to_owned(),
        Change::Repair => " (repair)".to_owned(),
    };
    terminal.line(format!("{name}: {result}{change}: {way}"))?;
    Ok(())
}

fn steps(plan: &Plan, cluster: &Cluster, terminal: &mut Terminal) -> anyhow::Result<()> {
    let all: Vec<&AgentName> = cluster
        .agents
        .iter()
        .flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover))
        .map(|member| &member.name)
        .collect();
    let mut table =
        terminal.new_table(&["", "#", "ACTION", "FROM", "TO", "AGENTS", "DISRUPTION", "TAKES", "WHY"]);
    for step in &plan.steps {
        let Step { id, action, from, to, agents, disruption, rules, reason, ready, estimate, .. } = step;
        let backup = step.backup.as_ref().map(|backup| printable(&backup.file));
        let to = to.as_ref().or(backup.as_ref()).or(step.module.as_ref());
        let (disruption, tone) = match disruption {
            Disruption::None => ("none", Tone::Faint),
            Disruption::WebServer => ("web server", Tone::Pending),
            Disruption::Restart => ("restart", Tone::Bad),
        };
        let agents = if agents.len() > 1 && all.iter().all(|name| agents.contains(name)) {
            format!("all {}", agents.len())
        } else {
            names(agents)
        };
        let takes = estimate.map(|e| format!("{}..{}", format_duration(e.p50), format_duration(e.p95)));
        let why = if rules.is_empty() { reason.clone() } else { format!("{reason} [{}]", rules.join(" ")) };
        table.add_row([
            terminal.cell(if *ready { "*" } else { " " }, Tone::Good),
            terminal.cell(id, Tone::Plain),
            terminal.cell(format!("{action:?}"), Tone::Strong),
            terminal.cell(from.as_deref().unwrap_or("-"), Tone::Plain),
            terminal.cell(to.map_or("-", String::as_str), Tone::Plain),
            terminal.cell(agents, Tone::Plain),
            terminal.cell(disruption, tone),
            terminal.cell(takes.as_deref().unwrap_or("-"), Tone::Plain),
            terminal.cell(why, Tone::Plain),
        ]);
    }
    terminal.table(table)?;
    let all = total(&plan.steps, |_| true);
    let disruptive = total(&plan.steps, |step| step.disruption != Disruption::None);
    let takes = match (all, disruptive) {
        (Some(all), Some(disruptive)) => format!("takes {all} in all, of it {disruptive} disruptive"),
        (Some(all), None) => format!("takes {all} in all, nothing of it disruptive"),
        (None, _) => String::new(),
    };
    let marks = if plan.steps.iter().any(|step| step.ready) { "* may start now" } else { "" };
    let line =
        [takes.as_str(), marks].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    if !line.is_empty() {
        terminal.line(format!("  {line}"))?;
    }
    Ok(())
}

/// What a restore takes away from users, in one sentence; none where nothing is restored.
fn content_line(plan: &Plan, zone: Option<&(String, TimeZone)>) -> Option<String> {
    let step = plan.steps.iter().find(|step| step.action == Action::RestoreContent)?;
    let backup = step.backup.as_ref()?;
    let place = match &backup.agent {
        Some(agent) => format!("on {agent}"),
        None => "in the vault".to_owned(),
    };
    let file = printable(&backup.file);
    Some(match &plan.content_loss {
        Some(loss) => format!(
            "Dashboards and apps go back to the backup of {} (content of {}, {file} {place}); changes after that are lost",
            local(loss.taken_at, zone),
            loss.content
        ),
        None => format!(
            "Dashboards and apps go back to the backup {file} {place}, whose time or content is not known; later changes \
             are lost"
        ),
    })
}

/// File names come from Agents: nothing in them shall write on the terminal by itself.
fn printable(file: &str) -> String {
    file.chars().filter(|c| !c.is_control()).collect()
}

/// The estimates of these steps together; none where one of them has none.
fn total(steps: &[Step], counts: impl Fn(&Step) -> bool) -> Option<String> {
    let mut counted = steps.iter().filter(|step| counts(step)).map(|step| step.estimate).peekable();
    counted.peek()?;
    let (p50, p95) =
        counted.try_fold((SignedDuration::ZERO, SignedDuration::ZERO), |(p50, p95), estimate| {
            let estimate = estimate?;
            Some((p50.saturating_add(estimate.p50), p95.saturating_add(estimate.p95)))
        })?;
    Some(format!("{}..{}", format_duration(p50), format_duration(p95)))
}

fn waiting_line(waiting: &Waiting, now: Timestamp, zone: Option<&(String, TimeZone)>) -> String {
    let Waiting { on, until, message } = waiting;
    match until {
        None => format!("{on:?}: {message}"),
        Some(until) => format!("{on:?}: {message}; until {}", moment(*until, now, zone)),
    }
}

/// A time in the cluster's own zone, and how far off it is.
fn moment(at: Timestamp, now: Timestamp, zone: Option<&(String, TimeZone)>) -> String {
    let local = local(at, zone);
    let ahead = at.duration_since(now).round(Unit::Minute).unwrap_or_default();
    if ahead.is_positive() { format!("{local} (in {})", format_duration(ahead)) } else { local }
}

/// A time in the cluster's own zone.
fn local(at: Timestamp, zone: Option<&(String, TimeZone)>) -> String {
    let utc = ("UTC".to_owned(), TimeZone::UTC);
    let (name, zone) = zone.unwrap_or(&utc);
    format!("{} {name}", at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M"))
}

/// The zone of the cluster's first window: where its night is.
fn zone_of(cluster: &Cluster) -> Option<(String, TimeZone)> {
    let name = cluster.windows.iter().map(|window| match window {
        Window::Allow { time_zone, .. } | Window::Deny { time_zone, .. } => time_zone,
    });
    let name = name.into_iter().next()?;
    Some((name.clone(), TimeZone::get(name).ok()?))
}

fn names(agents: &[AgentName]) -> String {
    agents.iter().map(AgentName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
