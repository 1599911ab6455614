//! `retry`, `abort`, `approve`, `takeover`: what an operator asks the process for. The process records it, with who and why, and
//! does it when it may; these verbs never touch an Agent.

use std::path::PathBuf;

use dataminer_schema::id::ClusterName;

use super::{Exit, Helpful, Terminal};
use crate::{
    config::{Config, Overrides},
    http::{
        client::{self, ClientError},
        requests::{Kind, Recorded, Wanted},
    },
};

/// Where `run` listens when nobody says otherwise.
const USUAL: &str = "http://127.0.0.1:8080";

/// The process that is asked.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Server {
    /// The process to ask: http://HOST:PORT
    #[arg(long, value_name = "URL", env = "DATAMINER_RECONCILER_SERVER")]
    server: Option<String>,
    /// The process's configuration: its `http.listen` is asked where no --server is named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Server {
    fn url(&self) -> anyhow::Result<String> {
        if let Some(server) = &self.server {
            return Ok(server.clone());
        }
        let Some(path) = &self.config else { return Ok(USUAL.to_owned()) };
        let config = Config::read(path, &Overrides::default())
            .map_err(|error| Helpful::new(error.to_string(), error.help()))?;
        let listen = config.spec.http.listen;
        if listen.port() == 0 {
            return Err(Helpful::new(
                "the configuration lets the system choose the port of the process",
                "name the process with --server; its log says where it listens",
            )
            .into());
        }
        Ok(format!("http://{listen}"))
    }

    /// Has the process record a request.
    pub(super) fn ask(
        &self,
        cluster: &ClusterName,
        wanted: &Wanted,
        terminal: &mut Terminal,
    ) -> anyhow::Result<Exit> {
        let server = self.url()?;
        let path = format!("/api/v1/clusters/{cluster}/requests");
        let recorded: Recorded = super::block_on(async {
            client::post(&server, &path, wanted).await.map_err(|error| {
                let help = match &error {
                    ClientError::Unreachable { .. } => {
                        format!("{}; only a running process can do it", error.help())
                    }
                    _ => error.help().to_owned(),
                };
                Helpful::new(error.to_string(), help).into()
            })
        })?;
        let Recorded { format_version: _, cluster, id, request } = recorded;
        terminal.say(format!(
            "{cluster}: {request} is recorded as request {id}; `describe {cluster}` and `history {cluster}` \
             show what comes of it"
        ));
        Ok(Exit::Ok)
    }
}

/// Release a failure, and try again now
#[derive(Debug, clap::Args)]
pub(super) struct RetryArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// Stop before the next disruptive step
///
/// What runs on Agents goes on to its end, and what it owes is done; then nothing more is begun until `retry`.
#[derive(Debug, clap::Args)]
pub(super) struct AbortArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// Approve the plan that a cluster waits with, besides the merge
///
/// For a plan that says `waiting: Approval` (`approval` in the manifest; downgrades ask for one by default). It counts
/// for this plan alone, and until another one could be carried out; windows are waited for all the same.
#[derive(Debug, clap::Args)]
pub(super) struct ApproveArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    /// The id of its current plan, as `describe` shows it: in full (sha256:…) or its 12 digits
    #[arg(value_name = "PLAN-ID")]
    plan: String,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// Make a cluster this installation's, whoever owned it before
///
/// For a cluster that says ManagedElsewhere: another installation is gone, or the store was restored from a backup.
/// Stop the other process first. The marks on all Agents are replaced, an unfinished operation is given up, and the
/// cluster is planned anew.
#[derive(Debug, clap::Args)]
pub(super) struct TakeoverArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    server: Server,
}

pub(super) fn retry(args: &RetryArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    args.server.ask(&args.cluster, &wanted(Kind::Retry, args.reason.clone()), terminal)
}

pub(super) fn abort(args: &AbortArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    args.server.ask(&args.cluster, &wanted(Kind::Abort, args.reason.clone()), terminal)
}

pub(super) fn approve(args: &ApproveArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let plan = Some(args.plan.clone());
    let wanted = Wanted { plan, ..wanted(Kind::Approve, args.reason.clone()) };
    args.server.ask(&args.cluster, &wanted, terminal)
}

pub(super) fn takeover(args: &TakeoverArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    args.server.ask(&args.cluster, &wanted(Kind::Takeover, Some(args.reason.clone())), terminal)
}

pub(super) fn wanted(kind: Kind, reason: Option<String>) -> Wanted {
    Wanted { kind, reason, by: who(), backup: None, plan: None }
}

/// The account that asks, as its shell names it.
fn who() -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .map(|name| name.chars().filter(|c| !c.is_control()).take(100).collect::<String>())
        .find(|name| !name.trim().is_empty())
}
