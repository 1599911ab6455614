//! Talking to Agents: SSH, our scripts, probes and jobs.
//!
//! [`ClusterDriver`] is what the engine sees: look at a cluster, claim it, perform one effect. Everything that an
//! Agent says is hostile until checked; everything that is sent to one is checked before.

mod backup;
mod checks;
mod claim;
mod clean;
mod content;
mod context;
pub mod error;
pub mod examine;
mod job;
pub mod layout;
mod link;
mod modules;
mod observe;
mod owed;
mod patched;
mod perform;
pub mod probe;
pub mod render;
mod restore;
pub mod scripts;
pub mod secrets;
mod stage;
#[cfg(test)]
mod testing;
pub mod transport;

use std::sync::Arc;

use dataminer_core::exec::effect::{Effect, Failure, Outcome};
use dataminer_schema::{
    id::{AgentName, ClusterName},
    v1::{cluster::Cluster, observation::Observation},
};

pub use self::{
    context::{CataloguedPackages, DriverContext, Pace, PackageSource},
    observe::Introduction,
};
use self::{
    error::{AgentError, Reason},
    link::{Link, Session},
    observe::Observer,
};
use crate::engine::{AgentPort, Holders, ProgressSender};

/// Talks to the Agents of one cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ClusterDriver {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cluster: ClusterName,
    links: Vec<Arc<Link>>,
    context: DriverContext,
}

impl ClusterDriver {
    /// A driver for the cluster as the manifest declares it. Nothing is connected yet.
    pub fn new(cluster: &Cluster, context: DriverContext) -> Self {
        let links = Link::all(cluster).into_iter().map(Arc::new).collect();
        Self { inner: Arc::new(Inner { cluster: cluster.name.clone(), links, context }) }
    }

    /// Looks at every Agent. Never fails: an Agent that cannot be seen is reported as such, with the reason.
    pub async fn observe(&self) -> Observation {
        self.inner.observe().await
    }

    /// Looks at every Agent as [`Self::observe`] does, and asks those that answer for their names: for a manifest that
    /// is still to be written.
    pub async fn introduce(&self) -> (Observation, Vec<Introduction>) {
        self.inner.observer().observe_and_introduce(&self.inner.links).await
    }

    /// Looks at every Agent for `doctor`; `ticked` is called once for each. Changes nothing but our own folder, and
    /// that only where it is ours.
    pub async fn examine(&self, ticked: &(dyn Fn() + Sync)) -> Vec<examine::Examination> {
        examine::all(&self.inner, ticked).await
    }

    /// Looks at these Agents alone, as [`Self::observe`] does.
    pub async fn observe_only(&self, agents: &[AgentName]) -> Observation {
        let links = self.inner.links.iter().filter(|link| agents.contains(&link.name));
        self.inner.observer().observe(&links.cloned().collect::<Vec<_>>()).await
    }

    /// The highest generation on the Agents; an error where one of them is marked as somebody else's.
    pub async fn newest_generation(&self) -> Result<u64, Failure> {
        claim::newest_generation(&self.inner).await
    }

    /// Takes the cluster for this installation and fences every older owner: `generation`, which must be higher
    /// than every Agent's, on all Agents.
    pub async fn claim(&self, generation: u64) -> Result<(), Failure> {
        claim::claim(&self.inner, generation).await
    }

    /// Whose the Agents are.
    pub async fn holders(&self) -> Result<Holders, Failure> {
        claim::holders(&self.inner).await
    }

    /// Fences every other owner by `generation` and replaces their marks by ours.
    pub async fn take_over(&self, generation: u64) -> Result<(), Failure> {
        claim::take_over(&self.inner, generation).await
    }

    /// Does what `effect` asks under `generation`. Done twice equals done once. Never panics; whatever went wrong
    /// is in the outcome. Dropping the future stops waiting, not the work that runs on an Agent.
    pub async fn perform(&self, generation: u64, effect: &Effect, progress: &ProgressSender) -> Outcome {
        perform::perform(&self.inner, generation, effect, progress).await
    }
}

impl AgentPort for ClusterDriver {
    fn observe(&self) -> impl Future<Output = Observation> + Send {
        Self::observe(self)
    }

    fn newest_generation(&self) -> impl Future<Output = Result<u64, Failure>> + Send {
        Self::newest_generation(self)
    }

    fn claim(&self, generation: u64) -> impl Future<Output = Result<(), Failure>> + Send {
        Self::claim(self, generation)
    }

    fn holders(&self) -> impl Future<Output = Result<Holders, Failure>> + Send {
        Self::holders(self)
    }

    fn take_over(&self, generation: u64) -> impl Future<Output = Result<(), Failure>> + Send {
        Self::take_over(self, generation)
    }

    fn perform(
        &self,
        generation: u64,
        effect: &Effect,
        progress: &ProgressSender,
    ) -> impl Future<Output = Outcome> + Send {
        Self::perform(self, generation, effect, progress)
    }
}

impl Inner {
    async fn observe(&self) -> Observation {
        self.observer().observe(&self.links).await
    }

    fn observer(&self) -> Observer<'_> {
        Observer {
            cluster: &self.cluster,
            installation: &self.context.installation,
            secrets: &self.context.secrets,
            layout: &self.context.layout,
            timeouts: self.context.timeouts,
            patience: self.context.patience,
            permits: &self.context.permits,
        }
    }

    async fn connect(&self, link: &Link) -> Result<Session, AgentError> {
        link.connect(&self.context.secrets, &self.context.layout, self.context.timeouts)
            .await
            .map_err(|error| error.on(format_args!("Agent {}", link.name)))
    }

    fn link(&self, name: &AgentName) -> Result<&Arc<Link>, AgentError> {
        self.links.iter().find(|link| link.name == *name).ok_or_else(|| {
            AgentError::new(
                Reason::UnknownAgent,
                format!("cluster {} has no Agent {name}", self.cluster),
                "plan again: the manifest has changed",
            )
        })
    }
}
