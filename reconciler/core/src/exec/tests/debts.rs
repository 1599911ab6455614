//! The part of the world that a lower web level leaves owed: notes, content, modules.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::JobId,
    plan::{Action, Plan},
    v1::observation::OwedWork,
};

use super::{
    plans,
    world::{Fate, MIDDLE, USERS, World, agent},
};
use crate::exec::{
    effect::{Disposition, Failure, JobEnd, Outcome},
    expected::is_install,
    finish::reason,
};

impl World {
    /// What a process without a store plans on the way of `wanted`, from what the Agents show (D6).
    pub(super) fn planned(&self, wanted: &Plan) -> Option<Plan> {
        let core = self.cores().first().copied().unwrap_or_default();
        if self.notes().iter().any(|notes| !notes.is_empty()) {
            return Some(plans::repair(core));
        }
        let mut installs = wanted.steps.iter().filter(|step| is_install(step.action));
        let last = installs.next_back()?;
        let to = last.to.as_deref()?;
        let web = self.agents.values().all(|agent| agent.web_apps.as_deref() == Some(to));
        if web || core.starts_with(to) {
            return None;
        }
        // Half-way down, only the second hop is left.
        let half = core == MIDDLE && last.action == Action::DowngradeCore;
        Some(if half { plans::second_hop_down() } else { wanted.clone() })
    }

    /// Whether every Agent has the restored content and its modules.
    pub(super) fn is_whole(&self) -> bool {
        let content = plans::backup().sha256.to_string();
        self.content.values().all(|there| *there == content) && self.broken.values().all(BTreeSet::is_empty)
    }

    /// The notes on each Agent.
    pub(super) fn notes(&self) -> Vec<Vec<OwedWork>> {
        self.agents.values().map(|agent| agent.owed.clone().unwrap_or_default()).collect()
    }

    /// Changes the notes of both Agents; a failure strikes after the first.
    pub(super) fn each_note(&mut self, what: &str, change: impl Fn(&mut Vec<OwedWork>)) -> Outcome {
        let failing = self.failing > 0;
        for agent in self.agents.values_mut().take(if failing { 1 } else { 2 }) {
            change(agent.owed.get_or_insert_default());
        }
        self.quiet(what.to_owned())
    }

    pub(super) fn compare(&mut self, backup: &str) -> Outcome {
        self.comparisons += 1;
        if self.synchronised.contains(&self.comparisons) {
            self.content.insert("a2", USERS.to_owned());
        }
        let differing: Vec<_> = self.content.iter().filter(|(_, there)| *there != backup).collect();
        if differing.is_empty() {
            return self.quiet("compare".to_owned());
        }
        let agents = differing.iter().map(|(name, _)| agent(name)).collect();
        let message = "3 files differ".to_owned();
        let (reason, help) = (reason::CONTENT_DIFFERS.to_owned(), "restore again".to_owned());
        Outcome::Failed(Failure { disposition: Disposition::Retry, reason, message, help, agents })
    }

    /// A restore or a module job on both Agents.
    pub(super) fn tail(
        &mut self,
        id: &JobId,
        what: &str,
        apply: impl Fn(&mut Self, &'static str),
    ) -> Outcome {
        self.done.push(format!("{what} {id}"));
        if let Some(end) = self.jobs.get(id.as_str()) {
            return Outcome::JobEnded(end.clone());
        }
        let fate = if self.tail_fates.is_empty() { Fate::Succeeds } else { self.tail_fates.remove(0) };
        self.pass(5 * 60);
        let (agents, end) = match fate {
            Fate::Succeeds | Fate::LeavesIll(_) => {
                (vec!["a1", "a2"], JobEnd::Exited { code: 0, log_tail: Vec::new() })
            }
            Fate::Exits(code, log_tail) => (vec!["a1"], JobEnd::Exited { code, log_tail }),
            Fate::Vanishes(agents) => (agents, JobEnd::Vanished),
            Fate::Refuses(reason) => (Vec::new(), JobEnd::Refused { reason }),
            Fate::TimesOut => (Vec::new(), JobEnd::TimedOut { log_tail: Vec::new() }),
            Fate::LostSight(failure) => {
                self.tail_fates.insert(0, Fate::Succeeds);
                return Outcome::Failed(failure);
            }
        };
        self.ran.push(id.to_string());
        for name in agents {
            apply(self, name);
        }
        self.jobs.insert(id.to_string(), end.clone());
        Outcome::JobEnded(end)
    }
}
