//! Observing a cluster: every Agent at once, then put side by side.

mod agent;
mod assemble;
mod backups;
mod facts;

use std::{sync::Arc, time::Duration};

use dataminer_schema::v1::observation::{AgentObservation, Observation};
use futures::future::join_all;
use jiff::Timestamp;
use tokio::{sync::Semaphore, time::timeout};

pub(super) use agent::{owner, tail};
pub(super) use backups::HashCache;
use facts::Facts;
pub(super) use facts::Owner;

use super::{
    error::{AgentError, Reason},
    layout::Layout,
    link::Link,
    secrets::SecretResolver,
    transport::Timeouts,
};

/// What a look at a cluster needs.
pub(super) struct Observer<'a> {
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
        assemble::assemble(links, taken_at, self.installation, facts, unreachable)
    }

    async fn look(&self, link: &Link) -> Result<Facts, AgentError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        timeout(self.patience, self.look_once(link)).await.unwrap_or_else(|_| {
            Err(AgentError::new(
                Reason::Timeout,
                format!("looking at Agent {} took longer than {} s", link.name, self.patience.as_secs()),
                "look at the server's load and at the network",
            ))
        })
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
