//! An Observation read against what the operation expects of each Agent.
//!
//! Only what Agents show counts (invariant 8): versions, states, operations. What an Agent does not show is not
//! there.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::{Plan, Step},
    v1::{
        cluster::Cluster,
        observation::{AgentObservation, AgentState, Observation, ObservedOperation, OperationState},
    },
    version::Version,
};

use super::{
    effect::{Disposition, Failure, Job},
    expected::{Expected, is_web},
    finish::{failure, reason},
    tools::is_tool,
};
use crate::{catalog::Catalog, hotfix::shows};

/// How the Agents of a step stand towards its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// All show the target.
    Reached,
    /// All show what they showed before.
    Unchanged,
    /// Anything else.
    Mixed,
}

/// Whether a job left a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Every Agent was seen, healthy and quiet, on the versions that it had.
    Unchanged,
    /// An Agent shows another version.
    Changed,
    /// Not everything could be seen, or something goes on.
    Unclear,
}

/// One Observation, the cluster it is about, and the catalogue that names builds.
pub(super) struct Sight<'a> {
    pub(super) observation: &'a Observation,
    pub(super) cluster: &'a Cluster,
    pub(super) catalog: &'a Catalog,
}

impl<'a> Sight<'a> {
    fn agent(&self, name: &AgentName) -> Option<&'a AgentObservation> {
        self.observation.agents.iter().find(|agent| agent.name == *name)
    }

    /// All members of the manifest, Failover partners after their main Agent.
    fn members(&self) -> impl Iterator<Item = &'a AgentName> {
        let cluster: &'a Cluster = self.cluster;
        cluster.agents.iter().flat_map(|agent| {
            std::iter::once(&agent.member.name).chain(agent.failover.as_ref().map(|member| &member.name))
        })
    }

    fn partner(&self, name: &AgentName) -> Option<&'a AgentObservation> {
        let pair = self.cluster.agents.iter().find_map(|agent| {
            let failover = &agent.failover.as_ref()?.name;
            if agent.member.name == *name {
                Some(failover)
            } else if failover == name {
                Some(&agent.member.name)
            } else {
                None
            }
        })?;
        self.agent(pair)
    }

    /// Where the Agents of `step` stand between what they showed before and the target.
    pub(super) fn standing(&self, step: &Step, before: &Expected) -> Standing {
        let mut after = before.clone();
        after.apply(step);
        // A tool that Agents show nothing of is never found done.
        let traceless = is_tool(step.action) && after == *before;
        if !traceless && step.agents.iter().all(|name| self.shows(name, &after, is_web(step.action))) {
            Standing::Reached
        } else if step.agents.iter().all(|name| {
            self.unchanged(name, before)
                && (traceless || !self.shows(name, &after, true) || self.was_there(name, before, &after))
        }) {
            Standing::Unchanged
        } else {
            Standing::Mixed
        }
    }

    /// Whether the plan knew the Agent on the web level that a step brings to all of them.
    fn was_there(&self, name: &AgentName, before: &Expected, after: &Expected) -> bool {
        match (before.planned_web.get(name), after.web.get(name)) {
            (Some(planned), Some(wanted)) => {
                let planned = self.catalog.web_level(planned);
                planned.is_some() && planned == self.catalog.web_level(wanted)
            }
            _ => false,
        }
    }

    /// Whether nothing speaks against the Agent being as it was before.
    fn unchanged(&self, name: &AgentName, before: &Expected) -> bool {
        self.agent(name)
            .filter(|agent| agent.reachable)
            .is_some_and(|agent| self.core_is(agent, before) != Some(false))
    }

    /// Whether the Agent shows the expected core, and the expected web level if `web`.
    fn shows(&self, name: &AgentName, expected: &Expected, web: bool) -> bool {
        let Some(agent) = self.agent(name).filter(|agent| agent.reachable) else { return false };
        let broker = expected.broker.get(name);
        self.core_is(agent, expected) == Some(true)
            && broker.is_none_or(|broker| agent.broker_gateway == Some(*broker))
            && (!web
                || expected.web.get(name).is_none_or(|level| {
                    let shown = agent.web_apps.as_deref().and_then(|shown| shown.parse::<Version>().ok());
                    let shown = shown.and_then(|shown| self.catalog.web_level(&shown));
                    shown.is_some() && shown == self.catalog.web_level(level)
                }))
    }

    /// `None`: the CU of a build is not known, here or in the plan.
    fn core_is(&self, agent: &AgentObservation, expected: &Expected) -> Option<bool> {
        if let Some(hotfix) = expected.hotfix.get(&agent.name) {
            return Some(agent.core.as_deref().is_some_and(|entry| shows(hotfix, entry)));
        }
        let Some(core) = expected.core.get(&agent.name) else { return Some(true) };
        let Some(Ok(shown)) = agent.core.as_deref().map(str::parse::<Version>) else { return Some(false) };
        core.is(&self.catalog.release_of(&shown))
    }

    /// An Agent on which an operation runs, if any.
    pub(super) fn running(&self) -> Option<(&'a AgentName, &'a ObservedOperation)> {
        self.observation.agents.iter().find_map(|agent| {
            let operation = agent.operation.as_ref()?;
            (operation.state == OperationState::Running).then_some((&agent.name, operation))
        })
    }

    /// Whether all of `agents` show that BrokerGateway manages NATS, or that it does not.
    pub(super) fn broker_is(&self, agents: &[AgentName], wanted: bool) -> bool {
        agents.iter().all(|name| self.agent(name).is_some_and(|agent| agent.broker_gateway == Some(wanted)))
    }

    /// What is seen of our own job on the Agent that runs it. On the others the work of a job may show longer than
    /// the job lives.
    pub(super) fn job(&self, job: &Job) -> Option<OperationState> {
        let operation = self.agent(&job.orchestrator)?.operation.as_ref()?;
        (operation.id.as_deref() == Some(job.id.as_str())).then_some(operation.state)
    }

    /// Whether the Agents are what they were before a job: `before` is their core, `plan` knows their web level.
    pub(super) fn seen_since(&self, plan: &Plan, before: &Expected) -> Seen {
        let seen = self.members().map(|name| {
            let Some(agent) = self.agent(name).filter(|agent| agent.reachable) else { return Seen::Unclear };
            let planned = plan.agents.iter().find(|planned| planned.name == *name);
            let planned = planned.and_then(|planned| planned.web_apps.as_deref());
            match (self.core_is(agent, before), self.same_web(planned, agent.web_apps.as_deref())) {
                (Some(false), _) | (_, Some(false)) => Seen::Changed,
                (Some(true), Some(true)) => Seen::Unchanged,
                (None, _) | (_, None) => Seen::Unclear,
            }
        });
        let seen: Vec<Seen> = seen.collect();
        if seen.contains(&Seen::Changed) {
            Seen::Changed
        } else if seen.contains(&Seen::Unclear) || self.ready().is_err() {
            Seen::Unclear
        } else {
            Seen::Unchanged
        }
    }

    /// Whether two texts name one level of web apps; a level that was never known stays the same unknown one.
    fn same_web(&self, planned: Option<&str>, shown: Option<&str>) -> Option<bool> {
        let (planned, shown) = match (planned, shown) {
            (None, None) => return Some(true),
            (planned, shown) => (planned?.parse::<Version>().ok()?, shown?.parse::<Version>().ok()?),
        };
        match (self.catalog.web_level(&planned), self.catalog.web_level(&shown)) {
            (Some(planned), Some(shown)) => Some(planned == shown),
            _ => (planned.release_name() == shown.release_name()).then_some(true),
        }
    }

    /// What S0 asks before a disruptive step, versions apart: every Agent seen and Running, no operation, no
    /// reboot pending, topology as declared.
    pub(super) fn ready(&self) -> Result<(), Failure> {
        self.present()?;
        self.healthy()
    }

    /// Every Agent seen, no operation, topology as declared.
    pub(super) fn present(&self) -> Result<(), Failure> {
        let unreachable: Vec<AgentName> = self
            .members()
            .filter(|name| !self.agent(name).is_some_and(|agent| agent.reachable))
            .cloned()
            .collect();
        if !unreachable.is_empty() {
            return Err(failure(
                Disposition::Retry,
                reason::AGENT_UNREACHABLE,
                format!(
                    "not every Agent could be seen before the next step: {} did not answer",
                    list(&unreachable)
                ),
                "Check the server, its sshd and the network; the step starts by itself when all Agents are seen.",
                unreachable,
            ));
        }
        if let Some((agent, operation)) = self.running() {
            let id = operation.id.as_deref().unwrap_or("without an id");
            return Err(failure(
                Disposition::Retry,
                reason::OPERATION_IN_PROGRESS,
                format!("another operation ({id}) runs on Agent {agent}"),
                "Wait for it to end; the step starts by itself after that.",
                vec![agent.clone()],
            ));
        }
        if let Some(topology) = &self.observation.topology {
            let declared = self.members().count();
            if topology.len() != declared {
                return Err(failure(
                    Disposition::Retry,
                    reason::TOPOLOGY_MISMATCH,
                    format!("DMS.xml names {} Agents, the manifest {declared}", topology.len()),
                    "List every Agent of the DMS, Failover partners too, in the manifest.",
                    Vec::new(),
                ));
            }
        }
        Ok(())
    }

    fn healthy(&self) -> Result<(), Failure> {
        let problems = self.unhealthy();
        if problems.is_empty() {
            return Ok(());
        }
        let agents = problems.keys().map(|name| (*name).clone()).collect();
        Err(failure(
            Disposition::Retry,
            reason::UNHEALTHY,
            format!("the cluster is not healthy before the next step: {}", join(&problems)),
            "Bring every Agent to the state Running; the step starts by itself after that.",
            agents,
        ))
    }

    /// How many Agents do not show the expected versions.
    pub(super) fn wrong_version(&self, expected: &Expected) -> usize {
        self.members().filter(|name| !self.shows(name, expected, true)).count()
    }

    /// Every reachable Agent that is not healthy, and why.
    fn unhealthy(&self) -> BTreeMap<&'a AgentName, String> {
        self.members()
            .filter_map(|name| {
                let agent = self.agent(name)?;
                let problem = if agent.pending_reboot == Some(true) {
                    "waits for a reboot of Windows".to_owned()
                } else {
                    self.state_problem(agent).filter(|_| is_state_known(agent))?
                };
                Some((name, problem))
            })
            .collect()
    }

    /// An offline Failover member counts when its partner is online; it need not be Running itself (S4).
    fn state_problem(&self, agent: &AgentObservation) -> Option<String> {
        let offline = |agent: &AgentObservation| agent.failover.and_then(|pair| pair.online) == Some(false);
        if offline(agent) {
            let covered = self.partner(&agent.name).is_some_and(|partner| {
                partner.reachable && partner.state == Some(AgentState::Running) && !offline(partner)
            });
            if !covered {
                return Some("is the offline member of a pair whose partner is not online".to_owned());
            }
        }
        match agent.state {
            Some(AgentState::Running) => None,
            Some(AgentState::Disconnected | AgentState::Unknown) | None if offline(agent) => None,
            Some(
                state @ (AgentState::Starting
                | AgentState::Stopped
                | AgentState::Disconnected
                | AgentState::Switching
                | AgentState::Unknown),
            ) => Some(format!("is {state:?}")),
            None => Some("does not show its state".to_owned()),
        }
    }

    /// A core as people call it, with the build that the Agent shows.
    fn named(&self, text: &str) -> String {
        let Ok(version) = text.parse::<Version>() else { return text.to_owned() };
        // Hotfixes on one base differ in nothing but their names (D4).
        if version.is_hotfix() {
            return text.to_owned();
        }
        let release = self.catalog.release_of(&version);
        match release.build() {
            Some(build) if release.cu().is_some() => format!("{} (build {build})", release.describe()),
            _ => release.describe(),
        }
    }

    /// What is wrong with the cluster as the end of a step is judged: nothing means that every Agent is Running
    /// on the expected versions. A pending reboot does not count: an upgrade may leave one.
    pub(super) fn wrong(&self, expected: &Expected) -> BTreeMap<&'a AgentName, String> {
        self.members()
            .filter_map(|name| {
                let Some(agent) = self.agent(name).filter(|agent| agent.reachable) else {
                    return Some((name, "is not reachable".to_owned()));
                };
                if !self.shows(name, expected, true) {
                    let core = agent
                        .core
                        .as_deref()
                        .map_or_else(|| "an unknown core".to_owned(), |text| self.named(text));
                    let web = agent.web_apps.as_deref().unwrap_or("unknown");
                    let broker = match (expected.broker.get(name), agent.broker_gateway) {
                        (None, _) => String::new(),
                        (Some(_), Some(shown)) => format!(", BrokerGateway {shown}"),
                        (Some(_), None) => ", BrokerGateway unknown".to_owned(),
                    };
                    return Some((
                        name,
                        format!("shows {core} (web {web}{broker}), not {}", expected.describe(name)),
                    ));
                }
                self.state_problem(agent).map(|problem| (name, problem))
            })
            .collect()
    }
}

/// Before a step an unknown state is no obstacle (S0), after it it is no proof.
fn is_state_known(agent: &AgentObservation) -> bool {
    !matches!(agent.state, None | Some(AgentState::Unknown))
}

/// `a, b and c` in one line.
pub(super) fn list(agents: &[AgentName]) -> String {
    agents.iter().map(AgentName::as_str).collect::<Vec<_>>().join(", ")
}

/// One line for `problems`.
pub(super) fn join(problems: &BTreeMap<&AgentName, String>) -> String {
    problems.iter().map(|(name, problem)| format!("{name} {problem}")).collect::<Vec<_>>().join("; ")
}
