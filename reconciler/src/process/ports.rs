//! Joins the engine to the drivers of Agents, and those to packages and vault.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use dataminer_core::{
    catalog::Catalog,
    desired::Desired,
    exec::effect::{Effect, EffectKind, Failure, Outcome},
};
use dataminer_schema::{id::AgentName, v1::observation::Observation};
use tokio::sync::mpsc;

use crate::{
    agent::{CataloguedPackages, ClusterDriver, DriverContext, secrets::SecretResolver},
    config::Config,
    engine::{AgentPort, Holders, Progress, ProgressSender},
    metrics::Metrics,
    packages::PackagePlaces,
    vault::Vault,
};

/// The Agents of one cluster behind their driver, with what they are sent counted.
#[derive(Debug)]
pub(crate) struct DriverPort {
    driver: ClusterDriver,
    metrics: Metrics,
}

impl AgentPort for DriverPort {
    async fn observe(&self) -> Observation {
        self.driver.observe().await
    }

    async fn newest_generation(&self) -> Result<u64, Failure> {
        self.driver.newest_generation().await
    }

    async fn claim(&self, generation: u64) -> Result<(), Failure> {
        self.driver.claim(generation).await
    }

    async fn holders(&self) -> Result<Holders, Failure> {
        self.driver.holders().await
    }

    async fn take_over(&self, generation: u64) -> Result<(), Failure> {
        self.driver.take_over(generation).await
    }

    async fn perform(&self, generation: u64, effect: &Effect, progress: &ProgressSender) -> Outcome {
        if !matches!(effect.kind, EffectKind::StagePackage { .. }) {
            return self.driver.perform(generation, effect, progress).await;
        }
        let (sender, mut receiver) = mpsc::channel(64);
        let counting = async {
            let mut sent = Sent::default();
            while let Some(event) = receiver.recv().await {
                self.metrics.uploaded(sent.more(&event));
                // As lossy as the sender itself.
                drop(progress.try_send(event));
            }
        };
        let performing = async {
            let outcome = self.driver.perform(generation, effect, &sender).await;
            drop(sender);
            outcome
        };
        tokio::join!(performing, counting).0
    }
}

/// What was sent to each Agent so far.
#[derive(Default)]
struct Sent(BTreeMap<AgentName, u64>);

impl Sent {
    /// The bytes that `event` tells beyond the one before. The first event of an Agent says where an upload was
    /// taken up, which was sent by an earlier one.
    fn more(&mut self, event: &Progress) -> u64 {
        let Progress::Bytes { done, agent, .. } = event else { return 0 };
        let before = self.0.insert(agent.clone(), *done).unwrap_or(*done);
        done.saturating_sub(before)
    }
}

/// Makes the port of a cluster as its manifest declares it.
pub(super) fn connector(
    config: &Config,
    folders: Vec<PathBuf>,
    vault: Vault,
    metrics: Metrics,
) -> impl Fn(&Desired, &Arc<Catalog>) -> DriverPort + Send + Sync + 'static {
    let spec = &config.spec;
    let places = PackagePlaces::new(folders);
    let context = DriverContext::new(
        spec.installation.clone(),
        spec.sources.first().map(|source| source.url.clone()).unwrap_or_default(),
        SecretResolver::new(spec.secrets.clone()),
        Arc::new(places.clone()),
        vault,
        usize::try_from(spec.r#loop.concurrency).unwrap_or(1),
    );
    move |desired, catalog| {
        let sources = catalog
            .packages()
            .filter_map(|entry| Some((entry.sha256.clone(), entry.source.clone()?)))
            .collect();
        let mut context = context.clone();
        context.packages = Arc::new(CataloguedPackages { places: places.clone(), sources });
        DriverPort { driver: ClusterDriver::new(&desired.cluster, context), metrics: metrics.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_really_sent_is_counted() {
        let bytes = |agent: &str, done| Progress::Bytes {
            done,
            total: 100,
            agent: AgentName::new(agent).expect("it is a name"),
        };
        let mut sent = Sent::default();
        let counts: Vec<_> = [
            bytes("a", 40), // taken up at 40
            bytes("b", 0),
            bytes("a", 60),
            bytes("b", 100),
            bytes("a", 100),
            Progress::Note("done".to_owned()),
        ]
        .iter()
        .map(|event| sent.more(event))
        .collect();
        assert_eq!(counts, [0, 0, 20, 100, 40, 0]);
    }
}
