//! Observing a cluster: every Agent at once, then put side by side.

mod agent;
mod assemble;
mod backups;
mod facts;
mod utility;

use std::{sync::Arc, time::Duration};

use dataminer_schema::{
    id::{AgentName, ClusterName},
    v1::observation::{AgentObservation, Observation},
};
use futures::future::join_all;
use jiff::Timestamp;
use tokio::{sync::Semaphore, time::timeout};

pub(super) use agent::{owner, tail};
pub(super) use backups::HashCache;
use facts::Facts;
pub(super) use facts::Owner;
pub(super) use utility::UtilityCache;

use super::{error::AgentError, layout::Layout, link::Link, secrets::SecretResolver, transport::Timeouts};

/// What an Agent calls itself and its DMS: hostile text, whatever Windows or an operator made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// As it was looked at.
    pub agent: AgentName,
    /// The computer name.
    pub computer: Option<String>,
    /// The name of the DMS in DMS.xml.
    pub dms: Option<String>,
}

/// What a look at a cluster needs.
pub(super) struct Observer<'a> {
    pub(super) cluster: &'a ClusterName,
    pub(super) installation: &'a str,
    pub(super) secrets: &'a SecretResolver,
    pub(super) layout: &'a Layout,
    pub(super) timeouts: Timeouts,
    /// How long one Agent may take altogether.
    pub(super) patience: Duration,
    /// Shared by all clusters: how many Agents are looked at at a time.
    pub(super) permits: &'a Semaphore,
}

impl Observer<'_> {
    /// Looks at all Agents. Never fails: what cannot be seen is reported as such.
    pub(super) async fn observe(&self, links: &[Arc<Link>]) -> Observation {
        self.observe_and_introduce(links).await.0
    }

    /// The same, with what the Agents call themselves and their DMS.
    pub(super) async fn observe_and_introduce(
        &self,
        links: &[Arc<Link>],
    ) -> (Observation, Vec<Introduction>) {
        let looks = join_all(links.iter().map(|link| self.look(link))).await;
        let taken_at = Timestamp::now();
        let mut unreachable = Vec::new();
        let mut facts: Vec<Facts> = Vec::new();
        for (link, look) in links.iter().zip(looks) {
            let since = link.seen(look.is_ok(), taken_at);
            match look {
                Ok(look) => facts.push(look),
                Err(error) => {
                    let mut agent = AgentObservation::new(link.name.clone(), false);
                    agent.reason = Some(error.summary());
                    agent.since = since;
                    unreachable.push(agent);
                }
            }
        }
        let introductions = facts
            .iter()
            .map(|facts| Introduction {
                agent: facts.name.clone(),
                computer: facts.computer.clone(),
                dms: facts.dms.clone(),
            })
            .collect();
        (
            assemble::assemble(self.cluster, links, taken_at, self.installation, facts, unreachable),
            introductions,
        )
    }

    async fn look(&self, link: &Link) -> Result<Facts, AgentError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        let look = timeout(self.patience, self.look_once(link));
        look.await.unwrap_or_else(|_| Err(link.too_slow(self.patience)))
    }

    async fn look_once(&self, link: &Link) -> Result<Facts, AgentError> {
        let session = link.connect(self.secrets, self.layout, self.timeouts).await?;
        let look = agent::look(&session, self.layout, link).await;
        if look.is_err() {
            // Somebody may have removed our folder.
            link.forget_installation().await;
        }
        session.close().await;
        look
    }
}
