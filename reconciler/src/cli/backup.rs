//! `backup`: what the vault holds, more of it, whether it is whole, and one of it back onto the Agents.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use camino::Utf8PathBuf;
use dataminer_core::exec::effect::{Effect, EffectKind, Failure, Outcome};
use dataminer_schema::{
    id::{AgentName, ClusterName, Sha256},
    v1::cluster::Cluster,
};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    Exit, Helpful, Terminal, Tone, fleet,
    operator::{self, Server},
    validate::plural,
};
use crate::{
    agent::{ClusterDriver, DriverContext, secrets::SecretResolver},
    config::{Config, Overrides},
    engine::Progress,
    http::requests::{Kind, Wanted},
    packages::PackagePlaces,
    vault::{StoredObject, Vault, VaultError, Verdict},
};

/// Look after the content backups in the vault: dashboards and low-code apps
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    List(ListArgs),
    Save(SaveArgs),
    Verify(VerifyArgs),
    Restore(RestoreArgs),
}

/// Show what the vault holds, oldest first
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only this cluster
    #[arg(value_name = "CLUSTER")]
    cluster: Option<ClusterName>,
    /// The process's configuration: it says where the vault is
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: PathBuf,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Bring what the Agents of a cluster hold into the vault, now
///
/// Changes nothing on an Agent. The current content is copied too, beside the backups that the product made.
#[derive(Debug, clap::Args)]
struct SaveArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The process's configuration: its grants say which secrets may be used, and where the vault is
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: PathBuf,
}

/// Hash everything in the vault again
///
/// Ends with 1 if anything is damaged or lost.
#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// Only this cluster
    #[arg(value_name = "CLUSTER")]
    cluster: Option<ClusterName>,
    /// The process's configuration: it says where the vault is
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: PathBuf,
}

/// Have the process restore a content backup on every Agent of a cluster
///
/// Every change of dashboards and low-code apps since that backup is lost; a safety copy stays on each Agent. It does
/// not wait for a window.
#[derive(Debug, clap::Args)]
struct RestoreArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: ClusterName,
    /// The hash of the backup as `backup list` shows it, or its first digits: 8 at least
    #[arg(value_name = "BACKUP")]
    backup: String,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listing<'a> {
    format_version: &'static str,
    backups: &'a [StoredObject],
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::List(args) => list(args, terminal),
        Verb::Save(args) => save(args, terminal),
        Verb::Verify(args) => verify(args, terminal),
        Verb::Restore(args) => {
            let reason = Some(args.reason.clone());
            let wanted =
                Wanted { backup: Some(args.backup.clone()), ..operator::wanted(Kind::Restore, reason) };
            args.server.ask(&args.cluster, &wanted, terminal)
        }
    }
}

fn list(args: &ListArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let (_, vault) = open(&args.config, terminal)?;
    let (objects, problems) = super::block_on(async {
        let (mut objects, mut problems) = (Vec::new(), Vec::new());
        for cluster in clusters(&vault, args.cluster.as_ref()).await? {
            let census = vault.census(&cluster).await?;
            objects.extend(census.objects);
            problems.extend(census.unreadable);
        }
        anyhow::Ok((objects, problems))
    })?;
    for problem in &problems {
        terminal.say(format!("{}", ErrorChain(problem)));
    }
    match args.output {
        Output::Json => terminal.json(&Listing { format_version: "1.0", backups: &objects })?,
        Output::Yaml => terminal.yaml(&Listing { format_version: "1.0", backups: &objects })?,
        Output::Table if objects.is_empty() => terminal.say("the vault holds no backup of it yet"),
        Output::Table => table(&objects, terminal)?,
    }
    Ok(if problems.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn table(objects: &[StoredObject], terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table =
        terminal.new_table(&["TAKEN AT", "CLUSTER", "AGENT", "CONTENT OF", "KIND", "SIZE", "HASH", "FILE"]);
    for StoredObject { cluster, agent, file, sha256, size, content, taken_at, copy, torn } in objects {
        let at = taken_at.map_or_else(|| "unknown".to_owned(), moment);
        let kind = if *copy { "copy" } else { "product's" };
        let (kind, tone) =
            if *torn { (format!("{kind}, torn"), Tone::Bad) } else { (kind.to_owned(), Tone::Plain) };
        table.add_row([
            terminal.cell(at, Tone::Plain),
            terminal.cell(cluster, Tone::Strong),
            terminal.cell(agent, Tone::Plain),
            terminal.cell(content.as_deref().unwrap_or("unknown"), Tone::Plain),
            terminal.cell(kind, tone),
            terminal.cell(bytes(*size), Tone::Plain),
            terminal.cell(sha256.short(), Tone::Strong),
            terminal.cell(file, Tone::Faint),
        ]);
    }
    terminal.table(table)?;
    terminal.say("times are UTC");
    Ok(())
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

fn verify(args: &VerifyArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let (_, vault) = open(&args.config, terminal)?;
    let (whole, problems) = super::block_on(async {
        let (mut objects, mut problems) = (Vec::new(), Vec::new());
        for cluster in clusters(&vault, args.cluster.as_ref()).await? {
            let census = vault.census(&cluster).await?;
            objects.extend(census.objects);
            problems.extend(census.unreadable.iter().map(|error| format!("{}", ErrorChain(error))));
        }
        let bar = ProgressBar::new(objects.iter().map(|object| object.size).sum());
        style(&bar, "verifying {bytes} of {total_bytes} {wide_bar} {bytes_per_sec}, {eta} left");
        let mut whole = 0_usize;
        for object in &objects {
            let StoredObject { cluster, agent, file, sha256, .. } = object;
            let named = format!("{cluster}: {file} of Agent {agent} ({})", sha256.short());
            match vault.check(object, |count| bar.inc(count)).await {
                Ok(Verdict::Good) => whole += 1,
                Ok(Verdict::Damaged { actual }) => {
                    problems.push(format!("{named} is damaged: its bytes hash to {}", actual.short()));
                }
                Ok(Verdict::Lost) => problems.push(format!("{named} is lost: only its index entry is there")),
                Err(error) => problems.push(format!("{named} cannot be read: {}", ErrorChain(&error))),
            }
        }
        bar.finish_and_clear();
        anyhow::Ok((whole, problems))
    })?;
    for problem in &problems {
        terminal.line(problem)?;
    }
    terminal.say(format!("{} whole, {} not", plural(whole, "backup"), problems.len()));
    if problems.is_empty() {
        return Ok(Exit::Ok);
    }
    terminal.say(
        "help: put them back from another copy of the vault; or remove them together with their index entries (`.json`): \
         `backup save` then brings again what the Agents still hold",
    );
    Ok(Exit::Failed)
}

fn save(args: &SaveArgs, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let (config, vault) = open(&args.config, terminal)?;
    let fleet = fleet::load(&args.folder, std::slice::from_ref(&args.cluster), terminal)?;
    let cluster = fleet.clusters.first().context("the cluster that was asked for is loaded")?;
    let spec = &config.spec;
    let context = DriverContext::new(
        spec.installation.clone(),
        spec.sources.first().map(|source| source.url.clone()).unwrap_or_default(),
        SecretResolver::new(spec.secrets.clone()),
        Arc::new(PackagePlaces::default()),
        vault.clone(),
        usize::try_from(spec.r#loop.concurrency).unwrap_or(1),
    );
    let driver = ClusterDriver::new(cluster, context);
    let before = super::block_on(async { anyhow::Ok(hashes(&vault.objects(&cluster.name).await?)) })?;
    let outcome = super::block_on(async { anyhow::Ok(perform(&driver, members(cluster)).await) })?;
    if let Outcome::Failed(Failure { reason, message, help, .. }) = outcome {
        return Err(Helpful::new(format!("{reason}: {message}"), help).into());
    }
    let mut saved = super::block_on(async { Ok(vault.objects(&cluster.name).await?) })?;
    saved.retain(|object| !before.contains(&object.sha256));
    if saved.is_empty() {
        terminal.say("the vault held everything already");
    } else {
        table(&saved, terminal)?;
    }
    Ok(Exit::Ok)
}

async fn perform(driver: &ClusterDriver, agents: Vec<AgentName>) -> Outcome {
    let (sender, mut receiver) = mpsc::channel(64);
    let bar = ProgressBar::new_spinner();
    style(&bar, "{spinner} {msg} {elapsed}");
    let effect = Effect { id: 0, step: "backup".to_owned(), kind: EffectKind::SaveBackup { agents } };
    let work = async {
        // Looking and copying is not fenced: nothing on an Agent changes by it.
        let outcome = driver.perform(0, &effect, &sender).await;
        drop(sender);
        outcome
    };
    let telling = async {
        while let Some(event) = receiver.recv().await {
            match event {
                Progress::Bytes { done, total, agent } => {
                    bar.set_message(format!("{agent}: {} of {}", bytes(done), bytes(total)));
                }
                Progress::Log { agent, line } => bar.set_message(format!("{agent}: {line}")),
                Progress::Note(note) => bar.set_message(note),
            }
        }
    };
    let (outcome, ()) = tokio::join!(work, telling);
    bar.finish_and_clear();
    outcome
}

fn members(cluster: &Cluster) -> Vec<AgentName> {
    let agents = cluster.agents.iter();
    agents
        .flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover))
        .map(|member| member.name.clone())
        .collect()
}

fn hashes(objects: &[StoredObject]) -> Vec<Sha256> {
    objects.iter().map(|object| object.sha256.clone()).collect()
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
}

/// The configuration and its vault, which must be there: an empty folder in its place would look like lost backups.
fn open(path: &std::path::Path, terminal: &mut Terminal) -> anyhow::Result<(Config, Vault)> {
    let config = super::read_config(path, &Overrides::default(), terminal)?;
    let folder = config.vault_folder().map_err(|error| Helpful::new(error.to_string(), error.help()))?;
    let folder = Utf8PathBuf::from_path_buf(folder).map_err(|folder| {
        Helpful::new(format!("the path {} is not UTF-8", folder.display()), "rename the folder")
    })?;
    let vault = Vault::existing(&folder).map_err(|error: VaultError| {
        Helpful::new(error.to_string(), "check `vault.url`; `run` makes the folder at its first start")
    })?;
    Ok((config, vault))
}

/// The clusters to look through: the one that is named, or all that the vault knows.
async fn clusters(vault: &Vault, named: Option<&ClusterName>) -> anyhow::Result<Vec<ClusterName>> {
    let all = vault.clusters().await?;
    let Some(named) = named else { return Ok(all) };
    if !all.contains(named) {
        let all: Vec<_> = all.iter().map(ClusterName::as_str).collect();
        let help =
            if all.is_empty() { "it is empty".to_owned() } else { format!("it knows: {}", all.join(", ")) };
        return Err(Helpful::new(format!("the vault knows no cluster `{named}`"), help).into());
    }
    Ok(vec![named.clone()])
}

/// An error with its causes in one line.
struct ErrorChain<'a>(&'a VaultError);

impl std::fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
