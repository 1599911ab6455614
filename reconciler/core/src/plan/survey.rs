//! The observation, laid over the manifest: one entry for each declared member, in the manifest's order.

use dataminer_schema::{
    id::AgentName,
    v1::{
        cluster::AgentKind,
        observation::{AgentObservation, AgentState},
    },
    version::{MonthIndex, Version},
};

use super::{PlanInput, hotfix};
use crate::{
    knowledge::Rules,
    release::{Release, web_index},
};

/// What was seen of the cluster that the manifest declares.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    /// The parameters of the rules that it is read by.
    pub(super) rules: &'a Rules,
    pub(super) members: Vec<Seen<'a>>,
}

/// One declared member.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) name: &'a AgentName,
    /// Whether it is a Probe (S6).
    pub(super) probe: bool,
    /// Where the manifest lists the hotfix or custom build that it shows (D4).
    pub(super) hotfix: Option<usize>,
    /// The other member of its Failover pair.
    pub(super) partner: Option<&'a AgentName>,
    /// Absent where the observation does not hold it.
    pub(super) observed: Option<&'a AgentObservation>,
    pub(super) core: CoreSeen,
    /// Absent where unknown or unreadable; its CU is known.
    pub(super) web: Option<Version>,
}

/// The core that a member shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CoreSeen {
    /// The member itself was not seen.
    NotSeen,
    /// It was reached, but its version was not.
    Absent,
    /// A text that is no version.
    Unreadable(String),
    Release(Release),
}

/// Whether BrokerGateway has replaced the legacy NATS (`domain/02 section 2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broker {
    Active,
    Inactive,
    Unknown,
    /// Some Agents one way, some the other.
    Differs,
}

impl<'a> Survey<'a> {
    pub(super) fn of(input: &PlanInput<'a>) -> Self {
        let mut members = Vec::new();
        for agent in &input.desired.cluster.agents {
            let main = &agent.member.name;
            let backup = agent.failover.as_ref().map(|partner| &partner.name);
            let probe = agent.kind == AgentKind::Probe;
            members.push(Seen::of(input, main, probe, backup));
            if let Some(backup) = backup {
                members.push(Seen::of(input, backup, probe, Some(main)));
            }
        }
        Self { rules: input.knowledge.rules(), members }
    }

    /// Every declared member.
    pub(super) fn names(&self) -> Vec<AgentName> {
        self.members.iter().map(|seen| seen.name.clone()).collect()
    }

    /// The members for which `test` holds.
    pub(super) fn names_where(&self, test: impl Fn(&Seen<'a>) -> bool) -> Vec<AgentName> {
        self.members.iter().filter(|seen| test(seen)).map(|seen| seen.name.clone()).collect()
    }

    /// The observations of the members that were reached.
    pub(super) fn reached(&self) -> impl Iterator<Item = &'a AgentObservation> {
        self.members.iter().filter_map(|seen| seen.reached())
    }

    /// The first healthy online Agent of `among` in the manifest's order; without one the first of them.
    pub(super) fn orchestrator(&self, among: &[AgentName]) -> Option<&'a AgentName> {
        let mut candidates = self.members.iter().filter(|seen| among.contains(seen.name));
        let healthy = candidates.clone().find(|seen| {
            seen.reached().is_some_and(|agent| {
                let offline = agent.failover.is_some_and(|failover| failover.online == Some(false));
                agent.state == Some(AgentState::Running) && !offline
            })
        });
        healthy.or(candidates.next()).map(|seen| seen.name)
    }

    pub(super) fn broker(&self) -> Broker {
        let reached = self.members.iter().filter(|seen| seen.reached().is_some());
        let seen: Vec<Option<bool>> = reached.map(|seen| seen.broker(self.rules)).collect();
        match (seen.contains(&Some(true)), seen.contains(&Some(false)), seen.contains(&None)) {
            (true, true, _) => Broker::Differs,
            (true, false, false) => Broker::Active,
            (false, true, false) => Broker::Inactive,
            _ => Broker::Unknown,
        }
    }

    /// The lowest web level that is known.
    pub(super) fn lowest_web(&self) -> Option<&Version> {
        self.members.iter().filter_map(|seen| seen.web.as_ref()).min_by_key(|web| web_index(web))
    }

    /// The highest web level that is known.
    pub(super) fn highest_web(&self) -> Option<&Version> {
        self.members.iter().filter_map(|seen| seen.web.as_ref()).max_by_key(|web| web_index(web))
    }

    /// The lowest core that is known, in the order of the product.
    pub(super) fn lowest_core(&self) -> Option<&Release> {
        let releases = self.members.iter().filter_map(Seen::release);
        releases.min_by_key(|release| (release.line(), release.cu_low(), release.build()))
    }

    /// Whether any Failover pair is declared.
    pub(super) fn has_pairs(&self) -> bool {
        self.members.iter().any(|seen| seen.partner.is_some())
    }
}

impl<'a> Seen<'a> {
    fn of(input: &PlanInput<'a>, name: &'a AgentName, probe: bool, partner: Option<&'a AgentName>) -> Self {
        let agents = input.observation.map(|observation| observation.agents.as_slice()).unwrap_or_default();
        let observed = agents.iter().find(|agent| agent.name == *name);
        let reached = observed.filter(|agent| agent.reachable);
        let core = match reached.map(|agent| agent.core.as_deref()) {
            None => CoreSeen::NotSeen,
            Some(None) => CoreSeen::Absent,
            Some(Some(text)) => match text.parse::<Version>() {
                Ok(version) => CoreSeen::Release(input.catalog.release_of(&version)),
                Err(_) => CoreSeen::Unreadable(text.chars().take(80).collect()),
            },
        };
        let web: Option<Version> = reached.and_then(|agent| agent.web_apps.as_deref()?.parse().ok());
        // A level that hangs on an unknown CU is as unknown as one that was not seen.
        let web = web.and_then(|web| input.catalog.named_web(&web));
        let hotfixes = &input.desired.cluster.software.hotfixes;
        let hotfix = reached.and_then(|agent| hotfix::listed(hotfixes, agent.core.as_deref()?));
        Self { name, probe, hotfix, partner, observed, core, web }
    }

    /// Its observation, if it was reached.
    pub(super) fn reached(&self) -> Option<&'a AgentObservation> {
        self.observed.filter(|agent| agent.reachable)
    }

    /// Whether an interrupted operation left work owed there (G8).
    pub(super) fn owes(&self) -> bool {
        self.reached().and_then(|agent| agent.owed.as_ref()).is_some_and(|owed| !owed.is_empty())
    }

    pub(super) fn release(&self) -> Option<&Release> {
        match &self.core {
            CoreSeen::Release(release) => Some(release),
            CoreSeen::NotSeen | CoreSeen::Absent | CoreSeen::Unreadable(_) => None,
        }
    }

    /// Whether BrokerGateway runs there. From 10.6.0/10.6.1 on it always does, and the tag that probes read is
    /// obsolete (RN 43861); below 10.5.0 CU2/10.5.5 it cannot.
    pub(super) fn broker(&self, rules: &Rules) -> Option<bool> {
        let at_least = |threshold| self.release().and_then(|release| release.at_least(threshold));
        match (at_least(&rules.h4.only), at_least(&rules.h4.possible)) {
            (Some(true), _) => Some(true),
            (_, Some(false)) => Some(false),
            _ => self.reached().and_then(|agent| agent.broker_gateway),
        }
    }

    /// W5: the known web level, else at least the core's own.
    pub(super) fn effective_web(&self) -> Option<MonthIndex> {
        self.web.as_ref().map(web_index).or_else(|| self.release().map(Release::index_low))
    }
}
