//! What a plan tells of issues, changes and requirements agrees with itself.

use std::collections::BTreeSet;

use dataminer_schema::plan::{KnownIssues, Plan, RequirementState};

use super::Notes;

/// An issue is introduced, resolved or stays; the lists are in order, so that equal plans read alike.
pub(super) fn check_issues(plan: &Plan, notes: &mut Notes) {
    let KnownIssues { introduced, resolved, staying, undecided } = &plan.known_issues;
    let lists = [introduced, resolved, staying];
    let all: BTreeSet<&String> = lists.into_iter().flatten().collect();
    if lists.into_iter().map(Vec::len).sum::<usize>() != all.len() {
        notes.note("issues", None, "an issue stands in two lists");
    }
    if !undecided.iter().all(|id| all.contains(id)) {
        notes.note("issues", None, "what is undecided stands in no other list");
    }
    let changes = &plan.breaking_changes;
    let ordered = |list: &[String]| list.windows(2).all(|pair| pair[0] < pair[1]);
    if ![introduced, resolved, staying, undecided, &changes.brought, &changes.undone]
        .into_iter()
        .all(|list| ordered(list))
    {
        notes.note("issues", None, "a list is not in order");
    }
}

/// Missing and unknown say on which Agents, as far as they were looked at; met and checked name none.
pub(super) fn check_requirements(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        for need in &step.requirements {
            let fits = match need.state {
                RequirementState::Met | RequirementState::Checked => need.agents.is_empty(),
                RequirementState::Missing | RequirementState::Unknown => {
                    need.agents.iter().all(|agent| step.agents.contains(agent))
                }
            };
            if need.name.is_empty() || !fits {
                notes.note("requirements", Some(step), format!("`{}` names the wrong Agents", need.name));
            }
        }
    }
}
