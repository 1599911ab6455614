//! What the steps of a plan come to: how long, how disruptive, on whom.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Change, Disruption, Plan, PlanResult, Requirement, RequirementState, Step, VersionPair},
};
use jiff::SignedDuration;

/// Half of all take the first, nineteen of twenty the second.
pub(crate) type Takes = (SignedDuration, SignedDuration);

/// The estimates of the steps that count, together; none where one of them has none, or nothing counts.
pub(crate) fn total(steps: &[Step], counts: impl Fn(&Step) -> bool) -> Option<Takes> {
    let mut counted = steps.iter().filter(|step| counts(step)).map(|step| step.estimate).peekable();
    counted.peek()?;
    counted.try_fold((SignedDuration::ZERO, SignedDuration::ZERO), |(p50, p95), estimate| {
        let estimate = estimate?;
        Some((p50.saturating_add(estimate.p50), p95.saturating_add(estimate.p95)))
    })
}

/// The worst that users notice.
pub(crate) fn disruption(plan: &Plan) -> Disruption {
    plan.steps
        .iter()
        .map(|step| step.disruption)
        .max_by_key(|disruption| weight(*disruption))
        .unwrap_or(Disruption::None)
}

fn weight(disruption: Disruption) -> u8 {
    match disruption {
        Disruption::None => 0,
        Disruption::WebServer => 1,
        Disruption::Restart => 2,
    }
}

/// In words.
pub(crate) fn disrupts(disruption: Disruption) -> &'static str {
    match disruption {
        Disruption::None => "none",
        Disruption::WebServer => "web server",
        Disruption::Restart => "restart",
    }
}

/// The kind of change in words.
pub(crate) fn change(change: Change) -> &'static str {
    match change {
        Change::None => "no change",
        Change::WebUpgrade => "web upgrade",
        Change::Upgrade => "upgrade",
        Change::Downgrade => "downgrade",
        Change::WebDowngrade => "web downgrade",
        Change::Repair => "repair",
    }
}

/// The core of one end of a plan; with its build where the name alone does not tell it from the other end's, or its CU is
/// not known.
pub(crate) fn core(end: &VersionPair, other: &VersionPair) -> Option<String> {
    let name = end.core.as_ref()?;
    let unknown_cu = name.ends_with(".0");
    let again = end.core == other.core && end.build != other.build;
    Some(match end.build {
        Some(build) if unknown_cu || again => format!("{name} (build {build})"),
        _ => name.clone(),
    })
}

/// The version after a step; with its build where the name alone does not tell it from the one before.
pub(crate) fn after(step: &Step) -> Option<String> {
    let to = step.to.as_ref()?;
    Some(match step.build {
        Some(build) if step.from.as_ref() == Some(to) => format!("{to} (build {build})"),
        _ => to.clone(),
    })
}

/// How many packages a plan installs on its way.
pub(crate) fn hops(plan: &Plan) -> usize {
    let is_hop = |step: &&Step| matches!(step.action, Action::UpgradeCore | Action::DowngradeCore);
    plan.steps.iter().filter(is_hop).count()
}

/// Whether the first thing that users notice may start as soon as it is merged.
pub(crate) fn starts_at_once(plan: &Plan) -> bool {
    plan.result == PlanResult::Ready
}

/// Whether a plan puts older dashboards and apps in place of newer ones.
pub(crate) fn loses_content(plan: &Plan) -> bool {
    plan.content_loss.is_some() || plan.steps.iter().any(|step| step.action == Action::RestoreContent)
}

/// What the servers must have for the whole plan, what is missing first; each once, with the steps that need it.
pub(crate) fn requirements(plan: &Plan) -> Vec<(&Requirement, Vec<String>)> {
    type Key<'p> = (u8, &'p str, &'p [AgentName]);
    let mut found: BTreeMap<Key<'_>, (&Requirement, Vec<String>)> = BTreeMap::new();
    for step in &plan.steps {
        for requirement in &step.requirements {
            let Requirement { name, state, agents } = requirement;
            let weight = match state {
                RequirementState::Missing => 0,
                RequirementState::Unknown => 1,
                RequirementState::Checked => 2,
                RequirementState::Met => 3,
            };
            let entry = found.entry((weight, name, agents)).or_insert_with(|| (requirement, Vec::new()));
            entry.1.push(step.id.clone());
        }
    }
    found.into_values().collect()
}

/// What an observation shows of a requirement, in words.
pub(crate) fn requirement(state: RequirementState) -> &'static str {
    match state {
        RequirementState::Missing => "missing",
        RequirementState::Unknown => "not seen",
        RequirementState::Checked => "checked by the package",
        RequirementState::Met => "met",
    }
}

/// The names that are shown of a large cluster's Agents.
const NAMED: usize = 8;

/// `all 4 Agents`, or their names, each through `show`.
pub(crate) fn agents(names: &[AgentName], plan: &Plan, show: impl Fn(&str) -> String) -> String {
    let all = plan.agents.len();
    if all > 1 && names.len() == all && plan.agents.iter().all(|agent| names.contains(&agent.name)) {
        return format!("all {all} Agents");
    }
    let named: Vec<String> = names.iter().take(NAMED).map(|name| show(name.as_str())).collect();
    let more = names.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}

/// `1 hop`, `3 hops`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
