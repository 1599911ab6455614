//! `status`: where every cluster is, why, and when anything is tried next.

use dataminer_schema::{
    id::ClusterName,
    plan::VersionPair,
    quantity::format_duration,
    status::{ClusterState, ClusterStatus, FleetStatus, OperationStatus, SourceStatus},
};
use jiff::{Timestamp, Unit};

use super::{Exit, Terminal, Tone, describe, remote::Origin};

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
pub(super) enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let fleet = super::block_on(args.origin.status())?;
    if let Some(name) = &args.cluster {
        return describe::show(&fleet, name, args.output, terminal);
    }
    match args.output {
        Output::Json => terminal.json(&fleet)?,
        Output::Yaml => terminal.yaml(&fleet)?,
        Output::Table => table(&fleet, terminal)?,
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
            terminal.cell(doing(cluster), if cluster.owed.is_empty() { Tone::Plain } else { Tone::Pending }),
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

pub(super) fn tone(state: ClusterState) -> Tone {
    match state {
        ClusterState::Ready => Tone::Good,
        ClusterState::Reconciling => Tone::Pending,
        ClusterState::Stalled => Tone::Bad,
    }
}

pub(super) fn pair(versions: &VersionPair) -> String {
    let VersionPair { core, build: _, web_apps } = versions;
    let core = core.as_deref().unwrap_or("unknown");
    web_apps.as_ref().map_or_else(|| core.to_owned(), |web| format!("{core}, web {web}"))
}

/// What is done right now, and what is owed: nothing of it may stay unseen.
fn doing(cluster: &ClusterStatus) -> String {
    let running = cluster.operation.as_ref().map(running);
    let owed = (!cluster.owed.is_empty()).then(|| {
        let mut owed: Vec<String> = cluster.owed.iter().map(|work| format!("{:?}", work.action)).collect();
        owed.dedup();
        format!("owed: {}", owed.join(", "))
    });
    let parts: Vec<String> = running.into_iter().chain(owed).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join("; ") }
}

/// The step at hand and how far it is.
pub(super) fn running(operation: &OperationStatus) -> String {
    let to = operation.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    let progress = &operation.progress;
    let bytes = match (progress.bytes_done, progress.bytes) {
        (Some(done), Some(all)) if all > 0 => format!(", {} %", done.saturating_mul(100) / all),
        _ => String::new(),
    };
    format!("{:?}{to} ({}/{} steps{bytes})", operation.action, progress.steps_done, progress.steps)
}

pub(super) fn next(cluster: &ClusterStatus, now: Timestamp) -> String {
    let Some(at) = cluster.next_attempt_at else { return "-".to_owned() };
    let ahead = at.duration_since(now).round(Unit::Second).unwrap_or_default();
    if ahead.is_positive() { format!("in {}", format_duration(ahead)) } else { "now".to_owned() }
}
