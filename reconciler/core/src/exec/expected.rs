//! What each Agent shall show at a step of the plan, and the kinds of steps.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Plan, Step},
    version::Version,
};

use super::{swap::came_up_first, tools::broker_after};
use crate::{converged::ExpectedCore, hotfix::stem};

/// What each Agent shall show, from the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) core: BTreeMap<AgentName, ExpectedCore>,
    /// The hotfix on top of it, by the name of its package (D4).
    pub(super) hotfix: BTreeMap<AgentName, String>,
    pub(super) web: BTreeMap<AgentName, Version>,
    /// The level that the plan knew an Agent on; none once a step has changed it.
    pub(super) planned_web: BTreeMap<AgentName, Version>,
    /// Whether BrokerGateway manages NATS, where a tool of the plan sees to it.
    pub(super) broker: BTreeMap<AgentName, bool>,
}

impl Expected {
    /// What holds once the steps before `index` are done.
    pub(super) fn before(plan: &Plan, index: usize) -> Self {
        let mut expected = Self::default();
        for agent in &plan.agents {
            if let Some(core) = agent.core.as_deref().and_then(|core| expected_core(core, agent.build)) {
                if core.version.is_hotfix() {
                    expected.hotfix.extend(agent.core.clone().map(|name| (agent.name.clone(), name)));
                }
                expected.core.insert(agent.name.clone(), core);
            }
            if let Some(level) = agent.web_apps.as_deref().and_then(|level| level.parse().ok()) {
                expected.planned_web.insert(agent.name.clone(), level);
            }
        }
        let done = plan.steps.get(..index).unwrap_or(&plan.steps);
        for step in done {
            expected.apply(step);
        }
        for agent in came_up_first(done) {
            expected.core.remove(agent);
            expected.hotfix.remove(agent);
            expected.planned_web.remove(agent);
        }
        expected
    }

    /// Also once `step` is done.
    pub(super) fn apply(&mut self, step: &Step) {
        if let Some(broker) = broker_after(step) {
            self.broker.extend(step.agents.iter().map(|agent| (agent.clone(), broker)));
        }
        let Some(to) = &step.to else { return };
        for agent in &step.agents {
            if is_install(step.action) {
                self.planned_web.remove(agent);
            }
            if step.action == Action::InstallHotfix {
                self.hotfix
                    .extend(step.package.as_deref().map(|name| (agent.clone(), stem(name).to_owned())));
                // Whether a hotfix leaves the web apps as they are is not documented.
                self.web.remove(agent);
            } else if is_core(step.action) {
                // A full package replaces whatever hotfix there was.
                self.hotfix.remove(agent);
                // From 10.6.0/10.6.1 on the tag that shows it is obsolete (`domain/02 section 2`).
                self.broker.remove(agent);
                if let Some(core) = expected_core(to, step.build) {
                    self.core.insert(agent.clone(), core);
                }
                // A full upgrade replaces the web apps by its own level (W3).
                self.web.remove(agent);
            } else if is_web(step.action)
                && let Ok(level) = to.parse()
            {
                self.web.insert(agent.clone(), level);
            }
        }
    }

    /// The words for what `agent` shall show.
    pub(super) fn describe(&self, agent: &AgentName) -> String {
        let core = match self.hotfix.get(agent) {
            Some(hotfix) => Some(format!("the hotfix {hotfix}")),
            None => self.core.get(agent).map(|core| format!("core {}", core.version)),
        };
        let web = self.web.get(agent).map(|level| format!("web {}", level.release_name()));
        let broker = self.broker.get(agent).map(|broker| format!("BrokerGateway {broker}"));
        [core, web, broker].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

fn expected_core(name: &str, build: Option<u32>) -> Option<ExpectedCore> {
    Some(ExpectedCore::pinned(name.parse().ok()?, build))
}

/// Whether the action installs the core software.
pub(super) fn is_core(action: Action) -> bool {
    matches!(action, Action::UpgradeCore | Action::DowngradeCore | Action::InstallHotfix)
}

/// Whether the action installs the web apps alone.
pub(super) fn is_web(action: Action) -> bool {
    matches!(action, Action::UpgradeWeb | Action::DowngradeWeb)
}

/// Whether the action disturbs nobody and may be repeated: it is asked for without a look at the Agents.
pub(super) fn is_quiet(action: Action) -> bool {
    matches!(action, Action::StagePackage | Action::RunPrerequisites | Action::SaveBackup | Action::CleanUp)
}

/// Whether the action installs software from a package.
pub(super) fn is_install(action: Action) -> bool {
    is_core(action) || is_web(action)
}

/// Whether the action does what an install left owed (the tail, S7).
pub(super) fn is_tail(action: Action) -> bool {
    matches!(action, Action::RestoreContent | Action::ReinstallModule)
}
