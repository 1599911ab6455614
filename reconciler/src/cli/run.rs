//! `run`: the process. Follows the repository until it is told to stop.

use std::path::PathBuf;

use anyhow::Context;
use dataminer_schema::status::ClusterState;
use tokio_util::sync::CancellationToken;

use super::{Exit, Helpful, Terminal, status};
use crate::{
    config::{ConfigError, Overrides},
    process::{self, Process, ProcessError},
};

/// Follow the repository and bring every cluster to what it declares
///
/// SIGTERM or Ctrl-C ends it in order: what runs on Agents goes on there and is found again by the next start.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: PathBuf,

    /// End when every cluster is Ready, Stalled, or waits for something that is not now
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    overrides: Overrides,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let config = super::read_config(&args.config, &args.overrides, terminal)?;
    super::block_on(async {
        let stop = CancellationToken::new();
        let signals = tokio::spawn(signals(stop.clone()));
        if args.once {
            let fleet = process::run_once(&config, stop).await.map_err(|error| helpful(error, terminal))?;
            signals.abort();
            status::table(&fleet, terminal)?;
            let stalled = fleet.clusters.iter().any(|cluster| cluster.state == ClusterState::Stalled);
            let broken = fleet.source.broken.is_some() || fleet.source.error.is_some();
            return Ok(if stalled || broken { Exit::Failed } else { Exit::Ok });
        }
        let mut process = Process::start(&config).await.map_err(|error| helpful(error, terminal))?;
        let failed = tokio::select! {
            () = stop.cancelled() => None,
            error = process.failed() => Some(error),
        };
        let stopped = process.stop().await;
        signals.abort();
        match failed {
            Some(error) => Err(helpful(error, terminal)),
            None => stopped.map(|()| Exit::Ok).map_err(|error| helpful(error, terminal)),
        }
    })
}

fn helpful(error: ProcessError, terminal: &mut Terminal) -> anyhow::Error {
    if let ProcessError::Config(error @ ConfigError::Knowledge(_)) = &error {
        return super::misconfigured(error, terminal);
    }
    let help = error.help();
    anyhow::Error::new(error).context(Helpful::new("the process cannot go on", help))
}

/// The first signal drains, the second ends at once: nobody shall need SIGKILL.
async fn signals(stop: CancellationToken) {
    if let Err(error) = wait_for_signal().await {
        tracing::error!(
            error = format!("{error:#}"),
            "signals cannot be waited for; only SIGKILL ends this process"
        );
        return;
    }
    tracing::info!("stopping: what runs on Agents goes on and is found again; once more ends at once");
    stop.cancel();
    if wait_for_signal().await.is_ok() {
        tracing::warn!("ending at once");
        #[expect(clippy::exit, reason = "the operator asked twice; the journal is made for this")]
        std::process::exit(i32::from(Exit::Failed.code()));
    }
}

#[cfg(unix)]
async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn wait_for_signal() -> anyhow::Result<()> {
    tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
}
