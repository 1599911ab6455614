//! How a cluster stands besides its manifest and what its Agents show: what the planner is told of it.

use dataminer_core::{
    canary::{Canary, account},
    plan::{Durations, PlanState, Proof, Quarantine as PlannedQuarantine, Retry},
};

use super::{AgentPort, cluster::ClusterLoop};
use crate::store::StoreError;

impl<P: AgentPort> ClusterLoop<P> {
    /// What the process knows of the cluster. The durations are handed out with it, and are to be put back.
    pub(super) async fn standing(&mut self) -> Result<PlanState, StoreError> {
        let durations = match self.durations.take() {
            Some(durations) => durations,
            None => Durations::of(self.shared.store.durations(&self.name).await?),
        };
        let cluster = &self.target.desired.cluster;
        let proven = self.shared.store.is_account_proven(&self.name, &account(cluster)).await?;
        Ok(PlanState {
            installation: Some(self.shared.config.installation.clone()),
            suspended: None,
            quarantine: self.quarantine.as_ref().map(|quarantine| PlannedQuarantine {
                desired: quarantine.desired.clone(),
                reason: quarantine.failure.message.clone(),
            }),
            retry: self.patience.retry_at().map(|at| Retry {
                at,
                reason: self.failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default(),
                attempts: self.patience.failures(),
            }),
            approved: self.approval.as_ref().map(|approval| approval.plan.clone()),
            prepared: self.prepared.clone(),
            durations,
            canary: Canary::of(self.canary.as_ref(), cluster, self.observation.as_ref()).proof(),
            run_as: if proven { Proof::Proven } else { Proof::Missing },
            ..PlanState::default()
        })
    }
}
