//! `doctor`: what stands in the way of upgrades, and `--canary`, which tries one that changes nothing.

mod canary;
mod report;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use dataminer_core::canary::Canary;
use dataminer_schema::{
    id::{AgentName, ClusterName},
    status::CanaryStatus,
    v1::cluster::Cluster,
};
use futures::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

use super::{
    Exit, Terminal,
    fleet::{self, Fleet},
    live,
};
use crate::{
    agent::{ClusterDriver, examine::Folder},
    config::{Config, Overrides},
    doctor::{Finding, Tally, agents, installation},
    store::Store,
    vault::Vault,
};

/// Find what would stand in the way of upgrades, each with its cure
///
/// Looks at every Agent and at everything that the configuration names, and changes nothing. Ends with 1 if anything
/// found is an error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Clusters to look at; all of them if none is named
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<ClusterName>,

    /// The process's configuration: its grants say which secrets may be used
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: Option<PathBuf>,

    /// Run a documented package without a restart on the clusters, as an upgrade would be run, and keep what it proves
    #[arg(long)]
    canary: bool,

    /// With --canary: the process that keeps the clusters; without one they are those of the configuration's store
    #[arg(long, value_name = "URL", requires = "canary")]
    server: Option<String>,

    /// With --canary and without a process: how long the package may take on a cluster, e.g. 20m
    #[arg(long, value_name = "DURATION", requires = "canary", conflicts_with = "server", value_parser = duration)]
    within: Option<SignedDuration>,

    /// Show what is well, too
    #[arg(long)]
    all: bool,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration = dataminer_schema::quantity::parse_duration(text)
        .map_err(|error| format!("{error}; {}", error.help()))?;
    if duration.is_positive() { Ok(duration) } else { Err("write a time such as 20m".to_owned()) }
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    if let (true, Some(server)) = (args.canary, &args.server) {
        return canary::ask(server, &args.clusters, args.output == Output::Json, terminal);
    }
    let path = args.config.as_deref().ok_or_else(live::no_config)?;
    let config = super::read_config(path, &Overrides::default(), terminal)?;
    let fleet = fleet::load(&args.folder, &args.clusters, terminal)?;
    if args.canary {
        return canary::run(&config, &fleet, args.within, args.output == Output::Json, terminal);
    }
    let findings = super::block_on(look(&config, &fleet))?;
    report::show(&findings, args.all, args.output == Output::Json, terminal)?;
    Ok(if Tally::of(&findings).errors > 0 { Exit::Failed } else { Exit::Ok })
}

/// Everything, at once.
async fn look(config: &Config, fleet: &Fleet) -> anyhow::Result<Vec<Finding>> {
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let vault =
        Vault::open(Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?)?;
    let context = live::looking(config, vault);
    let count: usize = fleet.clusters.iter().map(live::agents_of).sum();
    let bar = progress(count);
    let clusters = fleet.clusters.iter().map(|cluster| {
        let driver = ClusterDriver::new(cluster, context.clone());
        let (bar, config) = (&bar, &config);
        async move { of_cluster(config, fleet, cluster, &driver, bar).await }
    });
    let (own, clusters) = tokio::join!(installation::findings(config, &fleet.catalog), join_all(clusters));
    bar.finish_and_clear();
    let mut findings = own;
    findings.extend(clusters.into_iter().flatten());
    Ok(findings)
}

async fn of_cluster(
    config: &Config,
    fleet: &Fleet,
    cluster: &Cluster,
    driver: &ClusterDriver,
    bar: &ProgressBar,
) -> Vec<Finding> {
    let measure = agents::Measure {
        cluster,
        catalog: &fleet.catalog,
        rules: fleet.knowledge.rules(),
        installation: &config.spec.installation,
    };
    let examinations = driver.examine(&|| bar.inc(1)).await;
    // An observation closes our folder and runs our scripts: only where that was found to be safe.
    let safe: Vec<AgentName> = examinations
        .iter()
        .filter(|examination| examination.seen.as_ref().is_ok_and(|seen| seen.within.is_some()))
        .map(|examination| examination.agent.clone())
        .collect();
    debug_assert!(examinations.iter().all(|examination| {
        let foreign = |folder: &Folder| matches!(folder, Folder::Foreign(_));
        let theirs = examination.seen.as_ref().is_ok_and(|seen| seen.folder.as_ref().is_ok_and(foreign));
        !(theirs && safe.contains(&examination.agent))
    }));
    let observation = driver.observe_only(&safe).await;
    let mut findings = Vec::new();
    for examination in &examinations {
        let observed = observation.agents.iter().find(|agent| agent.name == examination.agent);
        findings.extend(agents::findings(&measure, examination, observed));
    }
    let last = last_canary(config, &cluster.name).await;
    let standing = Canary::of(last.as_ref(), cluster, Some(&observation));
    findings.push(agents::canary(&standing).of(&cluster.name));
    findings
}

/// What the store knows of a canary. A store that cannot be read is a finding of its own.
async fn last_canary(config: &Config, cluster: &ClusterName) -> Option<CanaryStatus> {
    let file = Utf8PathBuf::from_path_buf(config.store_file().ok()?).ok()?;
    if !file.exists() {
        return None;
    }
    let store = Store::open_read_only(&file).await.ok()?;
    let canary = store.canary(cluster).await.ok().flatten();
    store.close().await;
    canary
}

/// Shown on a terminal only.
fn progress(agents: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("looking at {pos} of {len} Agents {wide_bar} {elapsed}");
    let bar = ProgressBar::new(agents as u64);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The catalogue and the manifests as the engine takes them, without a commit.
fn wanted(fleet: &Fleet) -> crate::engine::FleetDesired {
    let resolved = fleet.clusters.iter().map(|cluster| {
        let desired = dataminer_core::desired::resolve(cluster.clone(), None);
        (cluster.name.clone(), Arc::new(desired))
    });
    crate::engine::FleetDesired {
        clusters: resolved.collect(),
        catalog: Arc::new(fleet.catalog.clone()),
        knowledge: fleet.knowledge.clone(),
        source: dataminer_schema::status::SourceStatus::default(),
    }
}
