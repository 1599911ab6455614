//! A plan for people: headline, steps with their reasons, and what stands in the way with its cure.

use dataminer_core::plan::Difference;
use dataminer_schema::{
    id::AgentName,
    plan::{Action, Change, Disruption, Plan, PlanResult, Requirement, RequirementState, Step, Waiting},
    quantity::format_duration,
    v1::cluster::{AppliedProfile, Cluster},
};
use jiff::{Timestamp, Unit};

use super::{Terminal, Tone};
use crate::review::{
    self, subject,
    work::{self, Takes},
    zone::Zone,
};

/// How much of a plan its table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// What a reader decides by; what is long and changes no decision is counted.
    Brief,
    /// Everything.
    Wide,
}

pub(super) fn print(
    plan: &Plan,
    cluster: &Cluster,
    now: Timestamp,
    detail: Detail,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    headline(plan, terminal)?;
    if let Some(AppliedProfile { name, gave }) = &cluster.profile {
        let fields: Vec<&str> = gave.iter().map(|field| field.trim_start_matches("spec.")).collect();
        let fields = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
        terminal
            .line(format!("  profile {name} gives {fields}; all else is the cluster's own or the default"))?;
    }
    body(plan, &Zone::of(cluster), now, detail, terminal)
}

/// A plan without its manifest.
pub(super) fn plan(
    plan: &Plan,
    zone: &Zone,
    now: Timestamp,
    detail: Detail,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    headline(plan, terminal)?;
    body(plan, zone, now, detail, terminal)
}

fn body(
    plan: &Plan,
    zone: &Zone,
    now: Timestamp,
    detail: Detail,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    if !plan.steps.is_empty() {
        steps(plan, terminal)?;
    }
    for block in &plan.blocked {
        let about =
            if block.agents.is_empty() { String::new() } else { format!(" ({})", names(&block.agents)) };
        let code = terminal.tint(format!("blocked: {:?}", block.code), Tone::Bad);
        terminal.line(format!("  {code}: {}{about}", block.message))?;
        terminal.line(format!("    help: {}", block.help))?;
    }
    for waiting in &plan.waiting {
        let text = waiting_line(waiting, now, zone);
        terminal.line(format!("  {}: {text}", terminal.tint("waiting", Tone::Pending)))?;
    }
    for warning in &plan.warnings {
        let reference = warning.reference.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let code = terminal.tint(format!("warning: {}", warning.code), Tone::Pending);
        terminal.line(format!("  {code}: {}{reference}", warning.message))?;
    }
    about_the_work(plan, zone, detail, terminal)?;
    if let Some(text) = content_line(plan, zone) {
        terminal.line(format!("  {}", terminal.tint(text, Tone::Bad)))?;
    }
    let (issues, changes) = (&plan.known_issues, &plan.breaking_changes);
    for (what, ids) in [
        ("known issues introduced", &issues.introduced),
        ("known issues resolved", &issues.resolved),
        ("breaking changes brought", &changes.brought),
        ("breaking changes undone", &changes.undone),
    ] {
        if !ids.is_empty() {
            terminal.line(format!("  {what}: {}", printable(&ids.join(", "))))?;
        }
    }
    match (detail, issues.staying.len()) {
        (_, 0) => {}
        (Detail::Brief, count) => {
            terminal.line(format!("  known issues staying: {count} (`-o wide` names them)"))?;
        }
        (Detail::Wide, _) => {
            terminal.line(format!("  known issues staying: {}", printable(&issues.staying.join(", "))))?;
        }
    }
    Ok(())
}

/// When it is expected, and what the servers must have first; what they have is not repeated.
fn about_the_work(plan: &Plan, zone: &Zone, detail: Detail, terminal: &mut Terminal) -> anyhow::Result<()> {
    if plan.forecast.is_some() {
        terminal.line(format!("  expected: {}", review::when(plan, zone)))?;
    }
    let (mut unseen, mut checked) = (0_usize, 0_usize);
    for (requirement, steps) in work::requirements(plan) {
        match requirement.state {
            RequirementState::Unknown if detail == Detail::Brief => unseen += 1,
            RequirementState::Checked if detail == Detail::Brief => checked += 1,
            _ => {}
        }
        if detail == Detail::Brief && requirement.state != RequirementState::Missing {
            continue;
        }
        let Requirement { name, state, agents } = requirement;
        let tone = match state {
            RequirementState::Met => continue,
            RequirementState::Missing => Tone::Bad,
            RequirementState::Unknown => Tone::Pending,
            RequirementState::Checked => Tone::Plain,
        };
        let about = if agents.is_empty() { String::new() } else { format!(" on {}", names(agents)) };
        let state = terminal.tint(work::requirement(*state), tone);
        terminal.line(format!(
            "  requires {}: {state}{about} (step {})",
            printable(name),
            steps.join(", ")
        ))?;
    }
    let counts = [(unseen, "not seen"), (checked, "checked by the packages")];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !counts.is_empty() {
        terminal.line(format!("  requirements: {} (`-o wide` names them)", counts.join(", ")))?;
    }
    Ok(())
}

pub(super) fn headline(plan: &Plan, terminal: &mut Terminal) -> anyhow::Result<()> {
    let name = terminal.tint(plan.cluster.as_str(), Tone::Strong);
    let result = match plan.result {
        PlanResult::Converged => terminal.tint("Converged", Tone::Good),
        PlanResult::Ready => terminal.tint("Ready", Tone::Good),
        PlanResult::Waiting => terminal.tint("Waiting", Tone::Pending),
        PlanResult::Blocked => terminal.tint("Blocked", Tone::Bad),
    };
    let (from, to) = (work::core(&plan.from, &plan.to), work::core(&plan.to, &plan.from));
    let way = [("core", &from, &to), ("web apps", &plan.from.web_apps, &plan.to.web_apps)]
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

fn steps(plan: &Plan, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table =
        terminal.new_table(&["", "#", "ACTION", "FROM", "TO", "AGENTS", "DISRUPTION", "TAKES", "WHY"]);
    for step in &plan.steps {
        let Step { id, action, from, agents, disruption, rules, reason, ready, estimate, .. } = step;
        let backup = step.backup.as_ref().map(|backup| printable(&backup.file));
        let to = work::after(step);
        let to = to.as_ref().or(backup.as_ref()).or(step.module.as_ref()).or(step.hook.as_ref());
        let (disruption, tone) = match disruption {
            Disruption::None => ("none", Tone::Faint),
            Disruption::WebServer => ("web server", Tone::Pending),
            Disruption::Restart => ("restart", Tone::Bad),
        };
        let all = plan.agents.len();
        let agents = if all > 1 && plan.agents.iter().all(|agent| agents.contains(&agent.name)) {
            format!("all {all}")
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
    let range = |(p50, p95): Takes| format!("{}..{}", format_duration(p50), format_duration(p95));
    let all = work::total(&plan.steps, |_| true).map(range);
    let disruptive = work::total(&plan.steps, |step| step.disruption != Disruption::None).map(range);
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
fn content_line(plan: &Plan, zone: &Zone) -> Option<String> {
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
            zone.local(loss.taken_at),
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

fn waiting_line(waiting: &Waiting, now: Timestamp, zone: &Zone) -> String {
    let Waiting { on, until, message } = waiting;
    match until {
        None => format!("{on:?}: {message}"),
        Some(until) => format!("{on:?}: {message}; until {}", moment(*until, now, zone)),
    }
}

/// A time in the cluster's own zone, and how far off it is.
fn moment(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let local = zone.local(at);
    let ahead = at.duration_since(now).round(Unit::Minute).unwrap_or_default();
    if ahead.is_positive() { format!("{local} (in {})", format_duration(ahead)) } else { local }
}

/// How a plan differs from another, in one line.
pub(super) fn difference(difference: &Difference) -> String {
    let Difference { what, before, after } = difference;
    let name = subject(*what);
    let text = match (before, after) {
        (Some(before), Some(after)) => format!("{name}: {after} instead of {before}"),
        (None, Some(after)) => format!("{name} added: {after}"),
        (Some(before), None) => format!("{name} removed: {before}"),
        (None, None) => format!("{name} changed"),
    };
    printable(&text)
}

fn names(agents: &[AgentName]) -> String {
    agents.iter().map(AgentName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
