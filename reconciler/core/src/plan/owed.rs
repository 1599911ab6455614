//! D6, G8: what an interrupted operation left owed comes before everything else, whatever the versions say.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::{Action, BlockCode, Change},
    v1::observation::OwedWork,
};

use super::{
    PlanInput,
    backups::Backups,
    draft::{Draft, list},
    restore::{Cause, Chosen, Tail},
    survey::{Seen, Survey},
};

/// What the notes of all Agents come to. `None` where nothing is owed; else nothing but its tail is planned.
pub(super) fn plan_owed(input: &PlanInput<'_>, survey: &Survey<'_>, draft: &mut Draft) -> Option<Tail> {
    unread(survey, draft);
    let owing = survey.names_where(Seen::owes);
    if owing.is_empty() {
        return None;
    }
    draft.change = Change::Repair;
    let mut tail = Tail::of(Cause::Owed);
    let mut restores: BTreeSet<&Sha256> = BTreeSet::new();
    let mut modules: BTreeSet<&str> = BTreeSet::new();
    for work in distinct(survey) {
        match (work.action, &work.backup, &work.module) {
            (Action::RestoreContent, Some(sha256), _) => {
                restores.insert(sha256);
            }
            (Action::ReinstallModule, _, Some(module)) => {
                modules.insert(module);
            }
            _ => incomplete(work, &owing, draft),
        }
    }
    tail.restore = restore(input, survey, &restores, &owing, draft);
    tail.modules = modules.into_iter().map(str::to_owned).collect();
    Some(tail)
}

/// A note that could not be read may say anything: nobody acts on the cluster before somebody has looked.
fn unread(survey: &Survey<'_>, draft: &mut Draft) {
    for seen in &survey.members {
        let Some(why) = seen.reached().and_then(|agent| agent.unknown.get("owed")) else { continue };
        let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
        draft.block(
            BlockCode::ManualStepRequired,
            vec![seen.name.clone()],
            format!("whether work is owed on {} could not be read: {why}", seen.name),
            "look at `C:\\ProgramData\\dataminer-reconciler\\owed` there; repair the note from that of another Agent, or \
             do what it says by hand and remove it",
        );
    }
}

/// The same note lies on every Agent; each counts once.
fn distinct<'a>(survey: &Survey<'a>) -> Vec<&'a OwedWork> {
    let mut works: Vec<&OwedWork> =
        survey.reached().filter_map(|agent| agent.owed.as_ref()).flatten().collect();
    let key = |work: &&'a OwedWork| {
        (work.id.as_ref().map(JobId::as_str), work.action, work.backup.as_ref(), work.module.as_deref())
    };
    works.sort_by(|a, b| key(a).cmp(&key(b)));
    works.dedup();
    works
}

fn incomplete(work: &OwedWork, owing: &[AgentName], draft: &mut Draft) {
    let id = work.id.as_ref().map(|id| format!(" {}", id.as_str())).unwrap_or_default();
    draft.block(
        BlockCode::ManualStepRequired,
        owing.to_vec(),
        format!(
            "the note{id} of owed work ({:?}) on {} does not say enough to do it",
            work.action,
            list(owing)
        ),
        "do what `owed\\*.json` on the Agent names by hand, then remove the file",
    );
}

fn restore(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    owed: &BTreeSet<&Sha256>,
    owing: &[AgentName],
    draft: &mut Draft,
) -> Option<Chosen> {
    if owed.is_empty() {
        return None;
    }
    let backups = Backups::of(input, survey);
    for sha256 in owed {
        if !backups.usable.iter().any(|candidate| candidate.sha256 == *sha256) {
            let unhashed = backups.unhashed().map(|unhashed| format!("; {unhashed}")).unwrap_or_default();
            draft.block(
                BlockCode::NoMatchingBackup,
                owing.to_vec(),
                format!(
                    "the content backup {sha256} is owed on {}, but neither the vault nor an Agent has it (there \
                     are: {})",
                    list(owing),
                    backups.describe()
                ),
                format!(
                    "put the file with this SHA-256 back into the vault, or restore another backup by hand on every \
                     Agent and remove `owed\\*.json` there{unhashed}"
                ),
            );
        }
    }
    // The newest first.
    let mut found = backups.usable.iter().filter(|candidate| owed.contains(candidate.sha256));
    let newest = found.next()?;
    if found.next().is_some() {
        draft.warn(
            "SeveralRestoresOwed",
            "G8",
            format!("{} restores are owed; the newest backup goes back: {}", owed.len(), newest.describe()),
        );
    }
    Some(Chosen { backup: newest.pinned(), loss: newest.loss(survey.names()) })
}
