//! `status`: where every cluster is, why, and when anything is tried next.

use dataminer_schema::{
    id::ClusterName,
    plan::VersionPair,
    quantity::format_duration,
    status::{AgentStatus, ClusterState, ClusterStatus, FleetStatus, SourceStatus, StepState},
};
use jiff::{Timestamp, Unit};

use super::{Exit, Helpful, Terminal, Tone, remote::Origin};

/// Show where every cluster is, why, and when anything is tried next
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cluster to show in full; all of them, one line each, if none is named
    #[arg(value_name = "CLUSTER")]
    cluster: Option<ClusterName>,

    #[command(flatten)]
    origin: Origin,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let fleet = super::block_on(args.origin.status())?;
    let Some(name) = &args.cluster else {
        match args.output {
            Output::Json => terminal.json(&fleet)?,
            Output::Yaml => terminal.yaml(&fleet)?,
            Output::Table => table(&fleet, terminal)?,
        }
        return Ok(Exit::Ok);
    };
    let Some(cluster) = fleet.cluster(name) else {
        let known: Vec<_> = fleet.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let help = if known.is_empty() {
            "none is known yet".to_owned()
        } else {
            format!("known are: {}", known.join(", "))
        };
        return Err(Helpful::new(format!("the cluster `{name}` is not known"), help).into());
    };
    match args.output {
        Output::Json => terminal.json(cluster)?,
        Output::Yaml => terminal.yaml(cluster)?,
        Output::Table => describe(cluster, Timestamp::now(), terminal)?,
    }
    Ok(Exit::Ok)
}

pub(super) fn table(fleet: &FleetStatus, terminal: &mut Terminal) -> anyhow::Result<()> {
    source(&fleet.source, terminal);
    if fleet.clusters.is_empty() {
        terminal.say("no cluster is known yet");
        return Ok(());
    }
    let now = Timestamp::now();
    let mut table =
        terminal.new_table(&["CLUSTER", "STATE", "REASON", "OBSERVED", "WANTED", "DOING", "NEXT"]);
    for cluster in &fleet.clusters {
        table.add_row([
            terminal.cell(&cluster.name, Tone::Strong),
            terminal.cell(cluster.state.as_str(), tone(cluster.state)),
            terminal.cell(&cluster.reason, Tone::Plain),
            terminal.cell(pair(&cluster.observed), Tone::Plain),
            terminal.cell(pair(&cluster.wanted), Tone::Plain),
            terminal.cell(doing(cluster), Tone::Plain),
            terminal.cell(next(cluster, now), Tone::Faint),
        ]);
    }
    terminal.table(table)?;
    Ok(())
}

/// Only what is wrong with the source: a good one needs no words.
fn source(source: &SourceStatus, terminal: &mut Terminal) {
    if let Some(error) = &source.error {
        terminal.say(terminal.tint(format!("source: {error}"), Tone::Bad));
    }
    if let Some(broken) = &source.broken {
        let commit = &broken.commit.as_str()[..12];
        let text = format!(
            "source: commit {commit} was set aside, it has {} diagnostics:",
            broken.diagnostics.len()
        );
        terminal.say(terminal.tint(text, Tone::Bad));
        for found in broken.diagnostics.iter().take(10) {
            terminal.say(format!(
                "  {}:{}:{}: {}: {}",
                found.path, found.line, found.column, found.code, found.message
            ));
        }
    }
}

fn describe(cluster: &ClusterStatus, now: Timestamp, terminal: &mut Terminal) -> anyhow::Result<()> {
    let name = terminal.tint(cluster.name.as_str(), Tone::Strong);
    let state = terminal.tint(cluster.state.as_str(), tone(cluster.state));
    terminal.line(format!("{name}: {state} ({}): {}", cluster.reason, cluster.message))?;
    if let Some(help) = &cluster.help {
        terminal.line(format!("  help: {help}"))?;
    }
    terminal.line(format!("  observed {}; wanted {}", pair(&cluster.observed), pair(&cluster.wanted)))?;
    for waiting in &cluster.waiting {
        let until = waiting.until.map(|until| format!("; until {until}")).unwrap_or_default();
        terminal.line(format!("  waiting: {:?}: {}{until}", waiting.on, waiting.message))?;
    }
    if let Some(operation) = &cluster.operation {
        let note = operation.progress.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        terminal.line(format!("  running since {}: {}{note}", operation.started_at, doing(cluster)))?;
    }
    for owed in &cluster.owed {
        terminal.line(format!("  owed: {:?}", owed.action))?;
    }
    terminal.line(format!("  next attempt {}", next(cluster, now)))?;

    let mut agents = terminal.new_table(&["AGENT", "CORE", "WEB APPS", "STATE", "NOTE"]);
    for AgentStatus { name, reachable, core, build, web_apps, state, online, reason } in &cluster.agents {
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
        agents.add_row([
            terminal.cell(name, Tone::Strong),
            terminal.cell(core, Tone::Plain),
            terminal.cell(web_apps.as_deref().unwrap_or("unknown"), Tone::Plain),
            terminal
                .cell(state.map_or_else(|| "unknown".to_owned(), |state| format!("{state:?}")), Tone::Plain),
            terminal.cell(note, if *reachable { Tone::Faint } else { Tone::Bad }),
        ]);
    }
    terminal.line("")?;
    terminal.table(agents)?;
    if cluster.steps.is_empty() {
        return Ok(());
    }
    let mut steps = terminal.new_table(&["#", "STEP", "TO", "DISRUPTION", "STATE"]);
    for step in &cluster.steps {
        let tone = match step.state {
            StepState::Pending => Tone::Faint,
            StepState::Running => Tone::Pending,
            StepState::Done => Tone::Good,
        };
        steps.add_row([
            terminal.cell(&step.id, Tone::Plain),
            terminal.cell(format!("{:?}", step.action), Tone::Strong),
            terminal.cell(step.to.as_deref().unwrap_or("-"), Tone::Plain),
            terminal.cell(format!("{:?}", step.disruption), Tone::Plain),
            terminal.cell(format!("{:?}", step.state), tone),
        ]);
    }
    terminal.line("")?;
    terminal.table(steps)?;
    Ok(())
}

fn tone(state: ClusterState) -> Tone {
    match state {
        ClusterState::Ready => Tone::Good,
        ClusterState::Reconciling => Tone::Pending,
        ClusterState::Stalled => Tone::Bad,
    }
}

fn pair(versions: &VersionPair) -> String {
    let VersionPair { core, build: _, web_apps } = versions;
    let core = core.as_deref().unwrap_or("unknown");
    web_apps.as_ref().map_or_else(|| core.to_owned(), |web| format!("{core}, web {web}"))
}

fn doing(cluster: &ClusterStatus) -> String {
    let Some(operation) = &cluster.operation else { return "-".to_owned() };
    let to = operation.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    let progress = &operation.progress;
    let bytes = match (progress.bytes_done, progress.bytes) {
        (Some(done), Some(all)) if all > 0 => format!(", {} %", done.saturating_mul(100) / all),
        _ => String::new(),
    };
    format!("{:?}{to} ({}/{} steps{bytes})", operation.action, progress.steps_done, progress.steps)
}

fn next(cluster: &ClusterStatus, now: Timestamp) -> String {
    let Some(at) = cluster.next_attempt_at else { return "-".to_owned() };
    let ahead = at.duration_since(now).round(Unit::Second).unwrap_or_default();
    if ahead.is_positive() { format!("in {}", format_duration(ahead)) } else { "now".to_owned() }
}
