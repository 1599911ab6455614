//! A look at live Agents, for the verbs that want one. Secrets come from the grants of the configuration only.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use camino::Utf8Path;
use dataminer_schema::v1::{cluster::Cluster, observation::Observation};
use futures::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Helpful, Terminal, plan::Vaults};
use crate::{
    agent::{ClusterDriver, DriverContext, secrets::SecretResolver},
    config::{Config, Overrides},
    packages::PackagePlaces,
    vault::Vault,
};

/// Observes these clusters at once, within the configuration's bound on Agents at a time.
///
/// # Errors
/// A configuration that cannot be used. An Agent that cannot be seen is a part of the answer.
pub(super) fn observe(
    clusters: &[Cluster],
    config: &Path,
    terminal: &mut Terminal,
) -> anyhow::Result<Vec<Observation>> {
    let config = super::read_config(config, &Overrides::default(), terminal)?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let vault =
        Vault::open(Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?)?;
    let context = looking(&config, vault);
    let drivers: Vec<_> =
        clusters.iter().map(|cluster| ClusterDriver::new(cluster, context.clone())).collect();
    let agents: usize = clusters.iter().map(agents_of).sum();
    let bar = progress(agents);
    let looks = clusters.iter().zip(&drivers).map(async |(cluster, driver)| {
        let observation = driver.observe().await;
        bar.inc(agents_of(cluster) as u64);
        observation
    });
    let observations = super::block_on(async { anyhow::Ok(join_all(looks).await) })?;
    bar.finish_and_clear();
    for observation in &observations {
        for agent in observation.agents.iter().filter(|agent| !agent.reachable) {
            let reason = agent.reason.as_deref().unwrap_or("no reason is known");
            terminal.say(format!("{}: {} was not reachable: {reason}", observation.cluster, agent.name));
        }
    }
    Ok(observations)
}

/// What the configuration's vault holds of these clusters; nothing where it was not made yet.
///
/// # Errors
/// A configuration that cannot be used, a vault that cannot be read.
pub(super) fn vaults(clusters: &[Cluster], config: &Path, terminal: &mut Terminal) -> anyhow::Result<Vaults> {
    let config = super::read_config(config, &Overrides::default(), terminal)?;
    let folder = config.vault_folder().map_err(|error| Helpful::new(error.to_string(), error.help()))?;
    let folder = Utf8Path::from_path(&folder).context("the vault's path is not UTF-8")?;
    let vault = match Vault::existing(folder) {
        Ok(vault) => vault,
        Err(error) => {
            terminal.say(format!("{error}; the plan knows only the backups that lie on the Agents"));
            return Ok(Vaults::new());
        }
    };
    super::block_on(async {
        let mut vaults = Vaults::new();
        for cluster in clusters {
            vaults.insert(cluster.name.clone(), vault.list(&cluster.name).await?);
        }
        anyhow::Ok(vaults)
    })
}

pub(super) fn agents_of(cluster: &Cluster) -> usize {
    cluster.agents.iter().map(|agent| 1 + usize::from(agent.failover.is_some())).sum()
}

/// Shown on a terminal only: an Agent that does not answer is waited for up to two minutes.
fn progress(agents: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("observing {pos} of {len} Agents {wide_bar} {elapsed}");
    let bar = ProgressBar::new(agents as u64);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A driver's surroundings that allow looking; its vault is empty and thrown away.
pub(super) fn looking(config: &Config, vault: Vault) -> DriverContext {
    let spec = &config.spec;
    DriverContext::new(
        spec.installation.clone(),
        spec.sources.first().map(|source| source.url.clone()).unwrap_or_default(),
        SecretResolver::new(spec.secrets.clone()),
        Arc::new(PackagePlaces::default()),
        vault,
        usize::try_from(spec.r#loop.concurrency).unwrap_or(1),
    )
}

/// Refuses to go on without a configuration, and says why one is needed.
pub(super) fn no_config() -> anyhow::Error {
    Helpful::new(
        "a live look needs the process's configuration",
        "name it with --config: only its `secrets` say which identities may be used for which hosts",
    )
    .into()
}
