//! Modules that are exchanged while DataMiner is stopped, since it does not start beside the newer ones (G3).

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Disruption, Step},
};

use super::{effect::Meanwhile, expected::is_install, machine::Machine};

/// Whether the step exchanges a module while DataMiner is stopped.
fn is_swap(step: &Step) -> bool {
    step.action == Action::ReinstallModule && step.disruption == Disruption::Restart
}

/// Agents that came up for the first time behind a downgrade of an earlier operation: VersionHistory.txt gets its entry
/// then (`domain/05 section 6`), so what it showed before says nothing of what they show now.
pub(super) fn came_up_first(done: &[Step]) -> impl Iterator<Item = &AgentName> {
    let repair = !done.iter().any(|step| is_install(step.action));
    done.iter().filter(move |step| repair && is_swap(step)).flat_map(|step| &step.agents)
}

impl Machine {
    /// What becomes of DataMiner in the step at hand: it stays stopped until the last of a row of modules is exchanged,
    /// because it would come up beside none of the others.
    pub(super) fn meanwhile(&self, step: &Step) -> Meanwhile {
        if !is_swap(step) {
            return Meanwhile::Untouched;
        }
        let next = self.plan.steps.get(self.step + 1);
        if next.is_some_and(|next| is_swap(next) && next.agents == step.agents) {
            Meanwhile::Stopped
        } else {
            Meanwhile::StartedAgain
        }
    }
}
