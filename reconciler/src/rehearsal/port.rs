//! The copy's Agents as the engine sees them: what a copy cannot show stands as it was observed.

use std::sync::Arc;

use dataminer_core::exec::effect::{Effect, Failure, Outcome};
use dataminer_schema::v1::observation::{AgentObservation, Observation};

use crate::{
    agent::ClusterDriver,
    engine::{AgentPort, Holders, ProgressSender},
};

/// The driver of a copy, and what was seen of the original.
#[derive(Debug)]
pub(super) struct CopyPort {
    driver: ClusterDriver,
    original: Arc<Observation>,
}

impl CopyPort {
    pub(super) fn new(driver: ClusterDriver, original: Arc<Observation>) -> Self {
        Self { driver, original }
    }

    fn complete(&self, mut observation: Observation) -> Observation {
        for agent in observation.agents.iter_mut().filter(|agent| agent.reachable) {
            if let Some(original) = self.original.agents.iter().find(|seen| seen.name == agent.name) {
                complete(agent, original);
            }
        }
        observation
    }
}

/// What no upgrade changes and the simulation does not have is carried over; what was unknown of the original stays
/// unknown to the planner, whatever the copy had to assume.
fn complete(agent: &mut AgentObservation, original: &AgentObservation) {
    let AgentObservation { swarming, locale, storage, taskbar_utility, .. } = original.clone();
    agent.swarming = agent.swarming.or(swarming);
    agent.locale = agent.locale.take().or(locale);
    agent.storage = agent.storage.take().or(storage);
    agent.taskbar_utility = agent.taskbar_utility.take().or(taskbar_utility);
    if original.dotnet.is_none() {
        agent.dotnet = None;
    }
    if original.vcredist.is_none() {
        agent.vcredist = None;
    }
    if original.os.is_none() {
        agent.os = None;
    }
    if original.expired_users.is_none() {
        agent.expired_users = None;
    }
    if original.default_upgrade_options.is_none() {
        agent.default_upgrade_options = None;
    }
    if original.pending_reboot.is_none() {
        agent.pending_reboot = None;
    }
}

impl AgentPort for CopyPort {
    async fn observe(&self) -> Observation {
        self.complete(self.driver.observe().await)
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
        self.driver.perform(generation, effect, progress).await
    }
}
