//! `history`: what happened, newest last, so that the end of the output is the present.

use dataminer_schema::{id::ClusterName, quantity::format_duration};

use super::{Exit, Terminal, Tone, remote::Origin};
use crate::store::EventKind;

/// Show what happened: commits, plans, steps and their ends
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this cluster, and what concerns all of them
    #[arg(value_name = "CLUSTER")]
    cluster: Option<ClusterName>,

    #[command(flatten)]
    origin: Origin,

    /// How many events
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let mut history = super::block_on(args.origin.history(args.cluster.as_ref(), args.limit))?;
    history.events.reverse();
    if matches!(args.output, Output::Json) {
        terminal.json(&history)?;
        return Ok(Exit::Ok);
    }
    if history.events.is_empty() {
        terminal.say("nothing has happened yet");
        return Ok(Exit::Ok);
    }
    let mut table = terminal.new_table(&["AT", "CLUSTER", "EVENT", "WHAT"]);
    for event in &history.events {
        let tone = match event.kind {
            EventKind::CommitBroken | EventKind::OperationFailed | EventKind::CanaryFailed => Tone::Bad,
            EventKind::OperationFinished | EventKind::CanaryPassed => Tone::Good,
            EventKind::CommitSeen
            | EventKind::PlanStored
            | EventKind::OperationStarted
            | EventKind::OperationResumed
            | EventKind::StepStarted
            | EventKind::StepFinished
            | EventKind::PrerequisiteUnclear
            | EventKind::PackagePatched
            | EventKind::StateChanged
            | EventKind::OperatorRequest
            | EventKind::PlanApproved
            | EventKind::ApprovalLapsed
            | EventKind::TakenOver => Tone::Plain,
        };
        let took = event.duration.map(|took| format!(" ({})", format_duration(took))).unwrap_or_default();
        let reason = event.reason.as_ref().map(|reason| format!("{reason}: ")).unwrap_or_default();
        table.add_row([
            terminal.cell(event.at.strftime("%Y-%m-%d %H:%M:%S"), Tone::Faint),
            terminal.cell(event.cluster.as_ref().map_or("-", ClusterName::as_str), Tone::Strong),
            terminal.cell(format!("{:?}", event.kind), tone),
            terminal.cell(format!("{reason}{}{took}", event.message), Tone::Plain),
        ]);
    }
    terminal.table(table)?;
    terminal.say("times are UTC");
    Ok(Exit::Ok)
}
