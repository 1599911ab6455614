//! What the engine did, from its journal.

use std::collections::BTreeMap;

use dataminer_core::exec::{finish::Finish, journal::Record};
use dataminer_schema::plan::{Action, Estimate, Plan, Step};
use jiff::{SignedDuration, Timestamp};

use super::{
    report::{StepEnd, Transcript},
    staged::simulated,
};
use crate::{review::work, store::StoredOperation};

/// Every step that was begun, in order; a step that was tried again in a later operation stands there again. `real`
/// is the plan of the cluster itself: the copy's is in a hurry.
pub(super) fn transcript(operations: &[StoredOperation], real: &Plan, speed: u32) -> Vec<Transcript> {
    operations.iter().flat_map(|operation| steps(operation, real, speed)).collect()
}

/// What the plan of the cluster expects of the same step.
fn estimate(step: &Step, real: &Plan) -> Option<Estimate> {
    let same = |other: &&Step| other.action == step.action && other.to == step.to;
    let by_id = real.steps.iter().filter(|other| other.id == step.id).find(same);
    by_id.or_else(|| real.steps.iter().find(same))?.estimate
}

/// When a step was begun and when it last said something.
#[derive(Clone, Copy)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

fn steps(operation: &StoredOperation, real: &Plan, speed: u32) -> Vec<Transcript> {
    let mut spans: BTreeMap<&str, Span> = BTreeMap::new();
    let mut effects: BTreeMap<u64, &str> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let mut finish = None;
    for entry in &operation.journal {
        match &entry.record {
            Record::OperationStarted(_) => {}
            Record::Intent { effect } => {
                let step = effect.step.as_str();
                effects.insert(effect.id, step);
                if order.last() != Some(&step) {
                    order.push(step);
                }
                spans.entry(step).or_insert(Span { from: entry.at, to: entry.at });
            }
            Record::Outcome { effect, outcome: _ } => {
                if let Some(span) = effects.get(effect).and_then(|step| spans.get_mut(step)) {
                    span.to = entry.at;
                }
            }
            Record::Finished { finish: ended } => finish = Some(ended),
        }
    }
    let last = order.last().copied();
    let planned = |id: &str| operation.plan.steps.iter().find(|step| step.id == id);
    let mut seen = Vec::new();
    order.retain(|id| {
        let first = !seen.contains(id);
        seen.push(id);
        first
    });
    order
        .into_iter()
        .filter_map(|id| Some((planned(id)?, spans.get(id)?)))
        .map(|(step, span)| {
            let (end, message) = end(finish, Some(step.id.as_str()) == last);
            let took: SignedDuration = span.to.duration_since(span.from);
            Transcript {
                step: step.id.clone(),
                action: step.action,
                to: target(step),
                agents: step.agents.clone(),
                end,
                message,
                simulated: is_simulated(step.action).then(|| simulated(took, speed)),
                estimate: estimate(step, real),
            }
        })
        .collect()
}

/// How a step ended, as the end of its operation tells: only the last step can have gone wrong.
fn end(finish: Option<&Finish>, is_last: bool) -> (StepEnd, Option<String>) {
    match finish {
        _ if !is_last => (StepEnd::Done, None),
        Some(Finish::Succeeded) => (StepEnd::Done, None),
        Some(Finish::Paused { message, .. }) => (StepEnd::Unfinished, Some(message.clone())),
        Some(Finish::Failed { failure }) => {
            (StepEnd::Failed, Some(format!("{}: {}", failure.reason, failure.message)))
        }
        None => (StepEnd::Unfinished, None),
    }
}

/// What a step leads to, in a word.
fn target(step: &Step) -> Option<String> {
    let backup = step.backup.as_ref().map(|backup| backup.file.clone());
    work::after(step).or(backup).or_else(|| step.module.clone()).or_else(|| step.hook.clone())
}

/// Whether the simulated Agents work on it, so that its duration is one of theirs and not one of this machine.
fn is_simulated(action: Action) -> bool {
    match action {
        Action::RunPrerequisites
        | Action::BackupAgent
        | Action::RunTool
        | Action::UpgradeCore
        | Action::UpgradeWeb
        | Action::DowngradeCore
        | Action::DowngradeWeb
        | Action::InstallHotfix
        | Action::RestoreContent
        | Action::ReinstallModule => true,
        Action::StagePackage
        | Action::SaveBackup
        | Action::RunHook
        | Action::VerifyCluster
        | Action::CleanUp
        | Action::Manual => false,
    }
}
