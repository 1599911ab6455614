//! What DataMiner says to what is done to it.

use dataminer_schema::{id::AgentName, plan::Step, v1::catalog::Package, v1::cluster::Restore};

use crate::{process::Target, world::World};

/// What the owner of the system accepts.
#[derive(Debug, Default)]
pub(crate) struct Product {
    /// Content that newer web apps wrote may stay: the manifest says so.
    keeps_content: bool,
}

impl Product {
    /// Takes the packages that there are.
    pub(crate) fn stock(&mut self, _packages: &[Package]) {}

    /// An operation begins upon what is there.
    pub(crate) fn begin(&mut self, _world: &World, target: &Target) {
        self.keeps_content = target.desired.cluster.downgrade.restore == Restore::None;
    }

    /// The story changed what Agents are.
    pub(crate) fn forget(&mut self) {}

    /// These Agents were changed by this step; the rule that it breaks. `world` is as it was before.
    pub(crate) fn did(&mut self, _step: &Step, _agents: &[AgentName], _world: &World) -> Option<String> {
        None
    }

    /// What is broken in a cluster that calls itself Ready. Nobody answers for web apps that are not `managed`.
    pub(crate) fn broken(&self, world: &World, _managed: bool) -> Option<String> {
        let unreadable = world.members.iter().find(|member| !member.content.is_readable(&member.web))?;
        let Self { keeps_content } = self;
        let level = unreadable.content.level.release_name();
        (!keeps_content).then(|| {
            format!("{} holds content of {level}, which its web apps cannot read", unreadable.name())
        })
    }
}
