//! What became of dashboards and low-code apps, counted on the simulated disks.

use std::collections::{BTreeMap, BTreeSet};

use dms_simulator::ContentItem;

use super::{play::Outcome, report::ContentReport};

/// Compares before and after. Lost: gone from an Agent, or back at an older revision there.
pub(super) fn compare(outcome: &Outcome) -> ContentReport {
    let mut lost = BTreeSet::new();
    let mut intact = 0;
    let after: Vec<BTreeMap<&str, &ContentItem>> = outcome
        .after
        .iter()
        .map(|(_, items)| items.iter().map(|item| (item.path.as_str(), item)).collect())
        .collect();
    for item in &outcome.before {
        let kept = |items: &BTreeMap<&str, &ContentItem>| {
            items.get(item.path.as_str()).is_some_and(|found| found.revision >= item.revision)
        };
        if after.iter().all(kept) {
            intact += 1;
        } else {
            lost.insert(item.path.clone());
        }
    }
    let (mut unreadable, mut damaged) = (BTreeSet::new(), BTreeSet::new());
    for (agent, before) in outcome.agents() {
        let was = |list: fn(&dms_simulator::AgentReport) -> &Vec<String>, path: &String| {
            before.is_some_and(|before| list(before).contains(path))
        };
        unreadable
            .extend(agent.unreadable.iter().filter(|path| !was(|report| &report.unreadable, path)).cloned());
        damaged.extend(agent.damaged.iter().filter(|path| !was(|report| &report.damaged, path)).cloned());
    }
    let list = |set: BTreeSet<String>| set.into_iter().collect();
    ContentReport {
        intact,
        lost: list(lost),
        changed_before: outcome.edited.clone(),
        unreadable: list(unreadable),
        damaged: list(damaged),
    }
}
