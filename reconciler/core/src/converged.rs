//! Judges whether Agents show the versions that are wanted: by what they show, never by an exit code.
//!
//! The planner uses it to call a cluster converged, the execution machine to end a VerifyCluster step.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Plan},
    v1::observation::{AgentObservation, AgentState, Observation},
    version::{Version, WebWanted},
};

use crate::{catalog::Catalog, desired::Desired, release::Release};

/// The versions that Agents shall show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// `None`: whatever they run.
    pub core: Option<ExpectedCore>,
    /// `None`: whatever they run.
    pub web: Option<Version>,
}

/// The core that Agents shall show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedCore {
    pub version: Version,
    /// Builds that are this release: any of them is right. Empty where no package tells; then the CU decides.
    pub builds: BTreeSet<u32>,
}

/// What one Agent shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that is expected, and it is Running (or a healthy offline Failover partner).
    Right,
    /// Another version than expected.
    Wrong { what: String },
    /// Something that the answer hangs on was not seen.
    Unknown { what: String },
    /// The versions are right as far as seen, but the Agent is not Running.
    NotReady { state: AgentState },
}

/// The verdicts on the Agents that were asked about, in that order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub agents: Vec<(AgentName, Verdict)>,
}

impl Judgement {
    /// Whether every Agent is right.
    pub fn is_right(&self) -> bool {
        self.agents.iter().all(|(_, verdict)| *verdict == Verdict::Right)
    }

    /// The first Agent that is not right, as a sentence.
    pub fn first_fault(&self) -> Option<String> {
        self.agents.iter().find_map(|(name, verdict)| match verdict {
            Verdict::Right => None,
            Verdict::Wrong { what } => Some(format!("{name} shows {what}")),
            Verdict::Unknown { what } => Some(format!("{name}: {what}")),
            Verdict::NotReady { state } => Some(format!("{name} is {state:?}")),
        })
    }
}

impl Expected {
    /// What the manifest wants. `bundled` expects nothing by itself: a core step brings its level along, and the plan
    /// judges what lies behind it.
    pub fn of_desired(desired: &Desired, catalog: &Catalog) -> Self {
        let core = &desired.cluster.software.core;
        let web = match &desired.cluster.software.web_apps {
            WebWanted::Unmanaged | WebWanted::Bundled => None,
            WebWanted::Version(version) => Some(version.clone()),
        };
        Self { core: Some(ExpectedCore::of(core, catalog)), web }
    }

    /// What the Agents of `plan` shall show once its steps up to `step` (an id) are done: the core of the last
    /// UpgradeCore, and the level of an UpgradeWeb after it. Nothing is expected of what no step changed.
    pub fn after(plan: &Plan, step: &str) -> Self {
        let mut expected = Self::default();
        for done in &plan.steps {
            let to = done.to.as_deref().and_then(|to| to.parse::<Version>().ok());
            match (done.action, to) {
                (Action::UpgradeCore | Action::DowngradeCore, Some(version)) => {
                    expected = Self { core: Some(ExpectedCore::pinned(version, done.build)), web: None };
                }
                (Action::UpgradeWeb | Action::DowngradeWeb, Some(version)) => expected.web = Some(version),
                _ => {}
            }
            if done.id == step {
                break;
            }
        }
        expected
    }
}

impl ExpectedCore {
    /// A wanted CU is compared through the builds of its packages.
    pub fn of(wanted: &Version, catalog: &Catalog) -> Self {
        let builds = match wanted.build() {
            Some(build) => BTreeSet::from([build]),
            None => catalog
                .core_packages(wanted)
                .into_iter()
                .filter_map(|entry| entry.release.as_ref().and_then(Release::build))
                .collect(),
        };
        Self { version: wanted.clone(), builds }
    }

    /// The release that a package of this build installs. No other build is right: a re-release of the same CU would
    /// else count as installed before its package ran.
    pub fn pinned(version: Version, build: Option<u32>) -> Self {
        let version = match build {
            Some(build) => version.with_build(build),
            None => version,
        };
        Self { version, builds: build.into_iter().collect() }
    }

    /// Whether an observed release is the wanted one; `None` where that cannot be told.
    pub fn is(&self, seen: &Release) -> Option<bool> {
        let Self { version, builds } = self;
        if seen.line() != version.line() || seen.is_hotfix() != version.is_hotfix() {
            return Some(false);
        }
        if let Some(build) = seen.build() {
            if builds.contains(&build) {
                return Some(true);
            }
            // A wanted build is met by that build alone.
            if version.build().is_some() {
                return Some(false);
            }
        }
        let wanted = Release::exact(version.clone())?.cu()?;
        match seen.cu() {
            Some(cu) => Some(cu == wanted),
            None if wanted < seen.cu_low() || wanted > seen.cu_high() => Some(false),
            // The builds of the wanted release are known and this is none of them, but another re-release of the
            // same CU may be: not decided.
            None => None,
        }
    }
}

/// Judges `agents` one by one.
pub fn judge(
    expected: &Expected,
    agents: &[AgentName],
    observation: &Observation,
    catalog: &Catalog,
) -> Judgement {
    let verdicts = agents.iter().map(|name| {
        let seen = observation.agents.iter().find(|agent| agent.name == *name);
        let verdict = match seen {
            None => Verdict::Unknown { what: "it is not in the observation".to_owned() },
            Some(agent) => judge_agent(expected, agent, catalog),
        };
        (name.clone(), verdict)
    });
    Judgement { agents: verdicts.collect() }
}

fn judge_agent(expected: &Expected, agent: &AgentObservation, catalog: &Catalog) -> Verdict {
    if !agent.reachable {
        let reason = agent.reason.as_deref().unwrap_or("no reason given");
        return Verdict::Unknown { what: format!("it was not reachable ({reason})") };
    }
    if let Some(core) = &expected.core {
        let Some(text) = &agent.core else {
            return Verdict::Unknown { what: "its core version was not seen".to_owned() };
        };
        let Ok(version) = text.parse::<Version>() else {
            return Verdict::Unknown { what: format!("its core version `{text}` could not be read") };
        };
        let release = catalog.release_of(&version);
        match core.is(&release) {
            Some(true) => {}
            Some(false) => {
                let (seen, wanted) = (release.describe(), &core.version);
                return Verdict::Wrong { what: format!("core {seen}, not {wanted}") };
            }
            None => {
                let seen = release.describe();
                return Verdict::Unknown {
                    what: format!("whether core {seen} is {} is not known", core.version),
                };
            }
        }
    }
    if let Some(web) = &expected.web {
        let Some(text) = &agent.web_apps else {
            return Verdict::Unknown { what: "its web level was not seen".to_owned() };
        };
        let Ok(version) = text.parse::<Version>() else {
            return Verdict::Unknown { what: format!("its web level `{text}` could not be read") };
        };
        match (catalog.web_level(&version), catalog.web_level(web)) {
            (Some(seen), Some(wanted)) if seen == wanted => {}
            (Some(_), Some(_)) => {
                return Verdict::Wrong {
                    what: format!("web apps {}, not {}", version.release_name(), web.release_name()),
                };
            }
            _ => {
                return Verdict::Unknown {
                    what: format!("whether web apps {version} are {web} is not known"),
                };
            }
        }
    }
    judge_state(agent)
}

/// A healthy offline Failover partner is reachable, on the right version and not Running (`design/03 S4`): whether
/// its partner is online is the partner's own verdict.
fn judge_state(agent: &AgentObservation) -> Verdict {
    let offline = agent.failover.is_some_and(|failover| failover.online == Some(false));
    match agent.state {
        Some(AgentState::Running) => Verdict::Right,
        Some(AgentState::Disconnected) if offline => Verdict::Right,
        Some(
            state @ (AgentState::Starting
            | AgentState::Stopped
            | AgentState::Switching
            | AgentState::Disconnected),
        ) => Verdict::NotReady { state },
        Some(AgentState::Unknown) | None if offline => Verdict::Right,
        Some(AgentState::Unknown) | None => Verdict::Unknown { what: "its state was not seen".to_owned() },
    }
}

#[cfg(test)]
mod tests;
