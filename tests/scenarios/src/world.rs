//! A DMS in memory: what its Agents are, and what probes see of that.
//!
//! It knows nothing of plans. What it does when a package is installed comes from `domain/`, and what DataMiner would
//! not survive is written down as a violation, which fails the story.

mod agent;
mod content;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use dataminer_core::exec::effect::JobEnd;
use dataminer_schema::{
    id::{AgentName, ClusterName, JobId, Sha256},
    plan::Step,
    v1::observation::{
        AgentObservation, Backup, FailoverRole, FailoverState, Observation, OwedWork, TopologyEntry,
    },
    version::Version,
};
use jiff::Timestamp;

pub(crate) use self::{agent::Member, content::Content};
use crate::{
    fault::{Fault, On},
    product::Product,
    releases,
};

/// A cluster of Agents, the vault beside it, and what was announced to go wrong.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cluster: ClusterName,
    pub(crate) now: Timestamp,
    /// In the order of the manifest, partners behind their main Agent.
    pub(crate) members: Vec<Member>,
    pub(crate) vault: Vec<Backup>,
    /// What backups hold, by their digest.
    contents: BTreeMap<Sha256, Content>,
    /// Jobs that were started, and how each ended.
    jobs: BTreeMap<JobId, JobEnd>,
    pub(crate) faults: Vec<(On, u32, Fault)>,
    /// What DataMiner says to it.
    pub(crate) product: Product,
    /// What DataMiner would not survive.
    pub(crate) violations: Vec<String>,
}

impl World {
    /// A healthy cluster; `names` with their Failover partners.
    ///
    /// # Errors
    /// A name that is none.
    pub(crate) fn new(
        cluster: ClusterName,
        now: Timestamp,
        names: &[(String, Option<String>)],
        core: &Version,
        web: Option<&Version>,
    ) -> Result<Self, String> {
        let mut members: Vec<Member> = Vec::new();
        for (index, (main, partner)) in names.iter().enumerate() {
            let id = u32::try_from(index).unwrap_or(0) + 101;
            let pair = partner.as_ref().map(|partner| (partner, FailoverRole::Backup));
            let role = pair.map(|_| FailoverRole::Main);
            for (name, role) in
                std::iter::once((main, role)).chain(pair.map(|(name, role)| (name, Some(role))))
            {
                let agent = AgentName::new(name).map_err(|error| error.to_string())?;
                let failover =
                    role.map(|role| FailoverState { role, online: Some(role == FailoverRole::Main) });
                let address = format!("10.0.0.{}", members.len() + 11);
                members.push(Member::new(agent, id, address, failover, core, web.unwrap_or(core), now));
            }
        }
        Ok(Self {
            cluster,
            now,
            members,
            vault: Vec::new(),
            contents: BTreeMap::new(),
            jobs: BTreeMap::new(),
            faults: Vec::new(),
            product: Product::default(),
            violations: Vec::new(),
        })
    }

    /// What probes return now.
    pub(crate) fn observe(&self) -> Observation {
        let topology = self.members.iter().map(|member| TopologyEntry {
            id: member.id,
            address: member.address.clone(),
            failover: member.seen.failover.map(|failover| failover.role),
        });
        Observation {
            cluster: self.cluster.clone(),
            taken_at: self.now,
            topology: Some(topology.collect()),
            agents: self.members.iter().map(Member::observed).collect(),
        }
    }

    /// The Agents of these names, or all of them.
    ///
    /// # Errors
    /// A name that is not there.
    pub(crate) fn members_mut(&mut self, name: Option<&str>) -> Result<Vec<&mut Member>, String> {
        let found: Vec<&mut Member> = self
            .members
            .iter_mut()
            .filter(|member| name.is_none_or(|name| member.name().as_str() == name))
            .collect();
        if found.is_empty() { Err(format!("no Agent is called {name:?}")) } else { Ok(found) }
    }

    /// Users change dashboards; Agents synchronise that.
    pub(crate) fn edit(&mut self) {
        let now = self.now;
        for member in &mut self.members {
            member.content.edited = now;
            member.content.level = member.web.clone();
        }
    }

    /// The fault that was announced for this work, used up by one.
    fn fault(&mut self, effect: &dataminer_core::exec::effect::EffectKind) -> Option<Fault> {
        let at = self.faults.iter().position(|(on, _, _)| on.is(effect))?;
        let (_, times, fault) = &mut self.faults[at];
        *times -= 1;
        let (left, fault) = (*times, fault.clone());
        if left == 0 {
            self.faults.remove(at);
        }
        Some(fault)
    }

    /// Whether this job was started before.
    pub(crate) fn knows_job(&self, effect: &dataminer_core::exec::effect::EffectKind) -> bool {
        effect.job_id().is_some_and(|id| self.jobs.contains_key(id))
    }

    /// The backups of an Agent of which it is known what they hold, oldest first.
    pub(crate) fn backups_of<'a>(
        &'a self,
        member: &'a Member,
    ) -> impl Iterator<Item = (&'a Sha256, &'a Content)> {
        let backups = member.seen.backups.iter().flatten().rev();
        backups.filter_map(|backup| self.contents.get_key_value(backup.sha256.as_ref()?))
    }

    /// What the vault holds.
    pub(crate) fn saved(&self) -> impl Iterator<Item = (&Sha256, &Content)> {
        self.vault.iter().filter_map(|backup| self.contents.get_key_value(backup.sha256.as_ref()?))
    }

    /// A backup that was always there.
    pub(crate) fn hold(
        &mut self,
        name: Option<&str>,
        file: &str,
        at: Timestamp,
        level: Version,
    ) -> Result<(), String> {
        let content = Content { level, edited: at };
        let sha256 = content.digest();
        for member in self.members_mut(name)? {
            member.keep_backup(file, at, sha256.clone());
        }
        self.contents.insert(sha256, content);
        Ok(())
    }

    /// An operation begins.
    pub(crate) fn begin(&mut self, target: &crate::process::Target) {
        let mut product = std::mem::take(&mut self.product);
        product.begin(self, target);
        self.product = product;
    }

    /// The story changed what Agents are.
    pub(crate) fn renew(&mut self) {
        self.product.forget();
    }

    /// These Agents are being changed by this step.
    fn judge(&mut self, step: &Step, agents: &[AgentName]) {
        let mut product = std::mem::take(&mut self.product);
        let broken = product.did(step, agents, self);
        self.product = product;
        broken.into_iter().for_each(|what| self.violated(what));
    }

    /// A cluster that is Ready is one: one version, content that its web apps read, modules that fit them.
    pub(crate) fn must_be_sound(&mut self, managed: bool) {
        let broken = self.product.broken(self, managed);
        broken.into_iter().for_each(|what| self.violated(format!("it calls itself Ready: {what}")));
    }

    fn owed(&self) -> BTreeSet<&JobId> {
        let notes = self.members.iter().flat_map(|member| member.seen.owed.iter().flatten());
        notes.filter_map(|work: &OwedWork| work.id.as_ref()).collect()
    }

    fn violated(&mut self, what: String) {
        if !self.violations.contains(&what) {
            self.violations.push(what);
        }
    }
}

/// The text of an observed release.
pub(crate) fn seen_text(release: &Version) -> String {
    releases::history_text(release)
}

/// An Agent of which nothing but its absence is seen.
fn absent(agent: &AgentObservation) -> AgentObservation {
    AgentObservation {
        reason: agent.reason.clone(),
        since: agent.since,
        ..AgentObservation::new(agent.name.clone(), false)
    }
}
