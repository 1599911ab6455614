//! `describe`: one cluster in full – what runs, what is owed, what is waited for, what failed and what to do.

use dataminer_schema::{
    id::{AgentName, ClusterName},
    plan::{Forecast, ForecastBasis},
    quantity::format_duration,
    status::{
        AgentStatus, ApprovalStatus, ClusterState, ClusterStatus, Condition, ConditionStatus, ConditionType,
        FleetStatus, OperationStatus, StepState, StepStatus,
    },
    v1::observation::OwedWork,
};
use jiff::{Timestamp, Unit};

use super::{
    Exit, Helpful, Terminal, Tone,
    remote::Origin,
    status::{Output, next, pair, running, tone},
};

/// Show one cluster in full: what runs, what is owed, what is waited for, what failed and what to do
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    #[command(flatten)]
    origin: Origin,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let fleet = super::block_on(args.origin.status())?;
    show(&fleet, &args.cluster, args.output, terminal)
}

/// Shows one cluster of `fleet`.
///
/// # Errors
/// A name that is not known.
pub(super) fn show(
    fleet: &FleetStatus,
    name: &ClusterName,
    output: Output,
    terminal: &mut Terminal,
) -> anyhow::Result<Exit> {
    let Some(cluster) = fleet.cluster(name) else {
        let known: Vec<_> = fleet.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let help = if known.is_empty() {
            "none is known yet".to_owned()
        } else {
            format!("known are: {}", known.join(", "))
        };
        return Err(Helpful::new(format!("the cluster `{name}` is not known"), help).into());
    };
    match output {
        Output::Json => terminal.json(cluster)?,
        Output::Yaml => terminal.yaml(cluster)?,
        Output::Table => describe(cluster, Timestamp::now(), terminal)?,
    }
    Ok(Exit::Ok)
}

pub(super) fn describe(
    cluster: &ClusterStatus,
    now: Timestamp,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    headline(cluster, terminal)?;
    if let Some(operation) = &cluster.operation {
        under_way(operation, now, terminal)?;
    }
    for work in &cluster.owed {
        terminal.line(format!("  {}: {}", terminal.tint("owed", Tone::Bad), owed(work)))?;
    }
    obstacles(cluster, now, terminal)?;
    content(cluster, terminal)?;
    if let Some(forecast) = &cluster.forecast {
        terminal.line(format!("  forecast: {}", forecast_line(forecast, now)))?;
    }
    let next = match (cluster.state, &cluster.operation) {
        (ClusterState::Stalled, None) => "none by itself: a person or a commit must act".to_owned(),
        _ => next(cluster, now),
    };
    terminal.line(format!("  next attempt: {next}"))?;
    let seen = cluster.last_observed_at.map_or_else(|| "never".to_owned(), |at| moment(at, now));
    terminal.line(format!("  last observed: {seen}"))?;
    terminal.line("")?;
    agents(&cluster.agents, terminal)?;
    if !cluster.steps.is_empty() {
        terminal.line("")?;
        steps(&cluster.steps, terminal)?;
    }
    if !cluster.conditions.is_empty() {
        terminal.line("")?;
        conditions(&cluster.conditions, now, terminal)?;
    }
    Ok(())
}

fn headline(cluster: &ClusterStatus, terminal: &mut Terminal) -> anyhow::Result<()> {
    let name = terminal.tint(cluster.name.as_str(), Tone::Strong);
    let state = terminal.tint(cluster.state.as_str(), tone(cluster.state));
    terminal.line(format!("{name}: {state} ({}): {}", cluster.reason, cluster.message))?;
    if let Some(help) = &cluster.help {
        terminal.line(format!("  help: {help}"))?;
    }
    let plan = cluster.plan.as_ref().map(|plan| format!("; plan {} ({:?})", plan.short(), cluster.change));
    let commit = cluster.commit.as_ref().map(|commit| format!("; commit {}", &commit.as_str()[..12]));
    terminal.line(format!(
        "  observed {}; wanted {}{}{}",
        pair(&cluster.observed),
        pair(&cluster.wanted),
        plan.unwrap_or_default(),
        commit.unwrap_or_default()
    ))?;
    Ok(())
}

fn under_way(operation: &OperationStatus, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let OperationStatus { plan: _, step, action: _, to: _, started_at, step_started_at, deadline, progress } =
        operation;
    let what = terminal.tint(running(operation), Tone::Pending);
    terminal.line(format!("  running: step {step}: {what}, since {}", moment(*step_started_at, now)))?;
    let deadline = deadline.map(|at| format!(", given up {}", moment(at, now))).unwrap_or_default();
    terminal.line(format!("    the operation was begun {}{deadline}", moment(*started_at, now)))?;
    if let Some(note) = &progress.note {
        terminal.line(format!("    {note}"))?;
    }
    Ok(())
}

fn owed(work: &OwedWork) -> String {
    let OwedWork { id, action, backup, module } = work;
    let what = match (backup, module) {
        (Some(backup), _) => format!(" of the content backup {}", backup.short()),
        (None, Some(module)) => format!(" of {module}"),
        (None, None) => String::new(),
    };
    let note = id.as_ref().map(|id| format!(" (note {id} on the Agents)")).unwrap_or_default();
    format!("{action:?}{what}{note}; it is done before anything else, whatever is wanted")
}

/// What failed, what stands in the way, what is waited for, what is warned of.
fn obstacles(cluster: &ClusterStatus, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    if let Some(failure) = &cluster.failure {
        let about = about(&failure.agents);
        let code = terminal.tint(format!("failed: {}", failure.reason), Tone::Bad);
        terminal.line(format!("  {code}: {}{about}", failure.message))?;
        if cluster.help.as_ref() != Some(&failure.help) {
            terminal.line(format!("    help: {}", failure.help))?;
        }
        let again = if failure.tried_again {
            "it is tried again by itself".to_owned()
        } else {
            format!(
                "it is not tried again before another commit, or `dataminer-reconciler retry {}`",
                cluster.name
            )
        };
        terminal.line(format!("    {again}"))?;
    }
    for block in &cluster.blocked {
        let code = terminal.tint(format!("blocked: {:?}", block.code), Tone::Bad);
        terminal.line(format!("  {code}: {}{}", block.message, about(&block.agents)))?;
        terminal.line(format!("    help: {}", block.help))?;
    }
    for waiting in &cluster.waiting {
        let until = waiting.until.map(|at| format!("; until {}", moment(at, now))).unwrap_or_default();
        let code = terminal.tint(format!("waiting: {:?}", waiting.on), Tone::Pending);
        terminal.line(format!("  {code}: {}{until}", waiting.message))?;
    }
    if let Some(ApprovalStatus { plan, at, by, reason }) = &cluster.approval {
        let by = by.as_deref().unwrap_or("an operator");
        let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let approved = terminal.tint("approved", Tone::Good);
        terminal.line(format!("  {approved}: plan {} by {by}, {}{why}", plan.short(), moment(*at, now)))?;
    }
    for warning in &cluster.warnings {
        let reference = warning.reference.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let code = terminal.tint(format!("warning: {}", warning.code), Tone::Pending);
        terminal.line(format!("  {code}: {}{reference}", warning.message))?;
    }
    Ok(())
}

/// Which content backup is restored, and what is lost by it.
fn content(cluster: &ClusterStatus, terminal: &mut Terminal) -> anyhow::Result<()> {
    if let Some(loss) = &cluster.content_loss {
        let text = format!(
            "content: {} ({}) of {}, written by web apps {}, is restored on {}; every change since {} is lost",
            loss.backup.file,
            loss.backup.sha256.short(),
            loss.taken_at,
            loss.content,
            names(&loss.agents),
            loss.since
        );
        terminal.line(format!("  {}", terminal.tint(text, Tone::Bad)))?;
        return Ok(());
    }
    for backup in cluster.steps.iter().filter_map(|step| step.backup.as_ref()) {
        let text = format!("content: {} ({}) is restored", backup.file, backup.sha256.short());
        terminal.line(format!("  {}", terminal.tint(text, Tone::Bad)))?;
    }
    Ok(())
}

/// When the work starts and ends, and whether its window is long enough.
fn forecast_line(forecast: &Forecast, now: Timestamp) -> String {
    let Forecast { starts, ends, ends_latest, window_closes, fits, basis } = forecast;
    let window = match window_closes {
        Some(closes) if *fits => format!("; the window closes {}", moment(*closes, now)),
        Some(closes) => format!("; longer than its window, which closes {}", moment(*closes, now)),
        None => String::new(),
    };
    let basis = match basis {
        ForecastBasis::Defaults => "documented durations",
        ForecastBasis::Mixed => "what this cluster took before, and documented durations",
        ForecastBasis::History => "what this cluster took before",
    };
    format!(
        "starts {}; ends {}, in one of twenty cases after {}{window}; by {basis}",
        moment(*starts, now),
        moment(*ends, now),
        moment(*ends_latest, now)
    )
}

fn agents(all: &[AgentStatus], terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table = terminal.new_table(&["AGENT", "CORE", "WEB APPS", "STATE", "NOTE"]);
    for AgentStatus { name, reachable, core, build, web_apps, state, online, reason } in all {
        let core = match (core, build) {
            (Some(core), Some(build)) => format!("{core} (build {build})"),
            (Some(core), None) => core.clone(),
            (None, _) => "unknown".to_owned(),
        };
        let note = match (reachable, online) {
            (false, _) => reason.clone().unwrap_or_else(|| "not reachable".to_owned()),
            (true, Some(true)) => "online".to_owned(),
            (true, Some(false)) => "offline".to_owned(),
            (true, None) => String::new(),
        };
        let state = state.map_or_else(|| "unknown".to_owned(), |state| format!("{state:?}"));
        table.add_row([
            terminal.cell(name, Tone::Strong),
            terminal.cell(core, Tone::Plain),
            terminal.cell(web_apps.as_deref().unwrap_or("unknown"), Tone::Plain),
            terminal.cell(state, Tone::Plain),
            terminal.cell(note, if *reachable { Tone::Faint } else { Tone::Bad }),
        ]);
    }
    Ok(terminal.table(table)?)
}

fn steps(all: &[StepStatus], terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table = terminal.new_table(&["#", "STEP", "TO", "DISRUPTION", "STATE"]);
    for StepStatus { id, action, to, backup, module, disruption, state } in all {
        let tone = match state {
            StepState::Pending => Tone::Faint,
            StepState::Running => Tone::Pending,
            StepState::Done => Tone::Good,
        };
        let to = match (to, backup, module) {
            (Some(to), _, _) => to.clone(),
            (None, Some(backup), _) => backup.sha256.short().to_owned(),
            (None, None, Some(module)) => module.clone(),
            (None, None, None) => "-".to_owned(),
        };
        table.add_row([
            terminal.cell(id, Tone::Plain),
            terminal.cell(format!("{action:?}"), Tone::Strong),
            terminal.cell(to, Tone::Plain),
            terminal.cell(format!("{disruption:?}"), Tone::Plain),
            terminal.cell(format!("{state:?}"), tone),
        ]);
    }
    Ok(terminal.table(table)?)
}

fn conditions(all: &[Condition], now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table = terminal.new_table(&["CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"]);
    for Condition { kind, status, reason, message, last_transition_time } in all {
        // Of these two it is good that they do not hold.
        let inverted = matches!(kind, ConditionType::Reconciling | ConditionType::Stalled);
        let tone = match status {
            ConditionStatus::True if inverted => Tone::Pending,
            ConditionStatus::True => Tone::Good,
            ConditionStatus::False if inverted => Tone::Faint,
            ConditionStatus::False => Tone::Bad,
            ConditionStatus::Unknown => Tone::Pending,
        };
        table.add_row([
            terminal.cell(format!("{kind:?}"), Tone::Plain),
            terminal.cell(format!("{status:?}"), tone),
            terminal.cell(reason, Tone::Plain),
            terminal.cell(moment(*last_transition_time, now), Tone::Faint),
            terminal.cell(message, Tone::Plain),
        ]);
    }
    Ok(terminal.table(table)?)
}

fn about(agents: &[AgentName]) -> String {
    if agents.is_empty() { String::new() } else { format!(" ({})", names(agents)) }
}

fn names(agents: &[AgentName]) -> String {
    agents.iter().map(AgentName::as_str).collect::<Vec<_>>().join(", ")
}

/// A time in UTC and how far off it is.
fn moment(at: Timestamp, now: Timestamp) -> String {
    let text = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let ahead = at.duration_since(now).round(Unit::Second).unwrap_or_default();
    if ahead.is_positive() {
        format!("{text} (in {})", format_duration(ahead))
    } else if ahead.is_negative() {
        format!("{text} ({} ago)", format_duration(ahead.abs()))
    } else {
        format!("{text} (now)")
    }
}
