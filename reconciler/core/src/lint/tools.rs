//! Tools: where they stand, and on whom they run (H4, H7).

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Change, Disruption, Plan, Step},
    version::Version,
};

use super::{Notes, content::covers_all, is_core_change, is_whole};

/// What VerifyClusterPorts packages have in their names (RN 33529).
pub(super) const PORTS: &str = "verifyclusterports";

pub(super) fn is_tool(step: &Step) -> bool {
    step.action == Action::RunTool
}

fn is_ports(step: &Step) -> bool {
    let named = step.package.as_ref().is_some_and(|package| package.to_lowercase().contains(PORTS));
    is_tool(step) && named
}

/// Whether the plan changes nothing and runs one tool to see that it runs (S10).
fn is_canary(plan: &Plan) -> bool {
    match plan.steps.as_slice() {
        [stage, tool] => {
            stage.action == Action::StagePackage
                && is_tool(tool)
                && tool.disruption == Disruption::None
                && plan.change == Change::None
        }
        _ => false,
    }
}

/// Tools reach all Agents together, and only while these run one version (D5).
pub(super) fn check_uniform(plan: &Plan, notes: &mut Notes) {
    let mut cores: BTreeMap<&AgentName, Option<&str>> =
        plan.agents.iter().map(|agent| (&agent.name, agent.core.as_deref())).collect();
    for step in &plan.steps {
        if is_core_change(step) {
            for agent in &step.agents {
                cores.insert(agent, step.to.as_deref());
            }
        }
        if !is_tool(step) {
            continue;
        }
        if !covers_all(plan, step) {
            notes.note("tools", Some(step), "does not reach all Agents");
        }
        let mut known = cores.values().flatten();
        if let Some(first) = known.next()
            && known.any(|core| core != first)
        {
            notes.note("tools", Some(step), "runs while the Agents run different versions");
        }
    }
}

/// H4: a tool that changes something is asked about first by one that does not, on Agents that were seen healthy, and
/// is verified. A tool that changes nothing stands right before what needs it.
pub(super) fn check_places(plan: &Plan, notes: &mut Notes) {
    let verifies = |step: Option<&Step>| {
        step.is_some_and(|step| step.action == Action::VerifyCluster && covers_all(plan, step))
    };
    for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| is_tool(step)) {
        let before = |steps: usize| index.checked_sub(steps).and_then(|index| plan.steps.get(index));
        let next = plan.steps.get(index + 1);
        if step.disruption == Disruption::None {
            let serves = next.is_some_and(|next| {
                is_core_change(next) || (is_tool(next) && next.disruption != Disruption::None)
            });
            if !serves && !is_canary(plan) {
                notes.note("tool-place", Some(step), "does not stand right before a hop or another tool");
            }
            continue;
        }
        let asked = before(1).is_some_and(|step| is_tool(step) && step.disruption == Disruption::None);
        if !asked || !verifies(before(2)) {
            notes.note("tool-place", Some(step), "no VerifyCluster and then a check stand right before it");
        }
        if !verifies(next) {
            notes.note("tool-place", Some(step), "no VerifyCluster of all Agents follows at once");
        }
    }
}

/// H7: from 10.0 nothing goes to 10.2 or later but right behind VerifyClusterPorts.
pub(super) fn check_ports(plan: &Plan, notes: &mut Notes) {
    if !is_whole(plan) {
        return;
    }
    for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::UpgradeCore)
    {
        let band = |text: &Option<String>| {
            let version: Version = text.as_deref()?.parse().ok()?;
            Some((version.major(), version.minor()))
        };
        let concerned = band(&step.from) == Some((10, 0)) && band(&step.to) >= Some((10, 2));
        let checked = index.checked_sub(1).is_some_and(|before| is_ports(&plan.steps[before]));
        if concerned && !checked {
            notes.note("cluster-ports", Some(step), "no VerifyClusterPorts stands right before it");
        }
    }
}
