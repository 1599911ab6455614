//! S0, what counts whether or not anything is to be done: who was seen, when, in which topology, and what else goes on.
//!
//! Absent is not unknown: an Agent that was not seen blocks, an item that was not seen is a warning.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::BlockCode,
    v1::observation::{AgentObservation, Observation, OperationState, TopologyEntry},
};
use jiff::SignedDuration;

use super::{
    PlanInput, PlanMode,
    draft::{Draft, list},
    survey::Survey,
};

/// An observation older than this is not acted on (`design/02`, Observation).
pub(super) const STALE_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What counts whether or not anything is to be done.
pub(super) fn plan_presence(input: &PlanInput<'_>, survey: &Survey<'_>, draft: &mut Draft) {
    if survey.members.is_empty() {
        draft.block(
            BlockCode::TopologyMismatch,
            Vec::new(),
            "the manifest declares no Agent",
            "declare every Agent of the DMS under `agents`",
        );
        return;
    }
    let Some(observation) = input.observation else {
        draft.block(
            BlockCode::AgentUnreachable,
            survey.names(),
            "the cluster was never seen: there is no observation of it",
            "run `observe`, or give an observation with `--observed FILE`",
        );
        return;
    };
    unreachable(survey, draft);
    stale(input, observation, draft);
    topology(observation, survey, draft);
    operations(input, survey, draft);
}

fn unreachable(survey: &Survey<'_>, draft: &mut Draft) {
    let missing = survey.names_where(|seen| seen.reached().is_none());
    if missing.is_empty() {
        return;
    }
    let reason = survey.members.iter().find_map(|seen| match seen.observed {
        Some(agent) if !agent.reachable => agent.reason.as_deref(),
        _ => None,
    });
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let message = format!("{} could not be seen{reason}", list(&missing));
    let help = "an upgrade changes all Agents of a cluster together: make each one reachable over SSH, or remove from \
                the manifest what no longer exists";
    draft.block(BlockCode::AgentUnreachable, missing, message, help);
}

fn stale(input: &PlanInput<'_>, observation: &Observation, draft: &mut Draft) {
    let age = observation.taken_at.duration_until(input.now);
    if age <= STALE_AFTER {
        return;
    }
    // By its time, not its age: the same picture gives the same words in every round.
    let taken = observation.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let message = format!("the observation was taken at {taken}, more than an hour ago");
    match input.mode {
        PlanMode::Live => draft.block(
            BlockCode::ObservationStale,
            Vec::new(),
            message,
            "nothing is done on a picture older than an hour; it goes on by itself with the next observation",
        ),
        PlanMode::Offline => draft.warn("ObservationAge", "", message),
    }
}

/// Compares the declared members with what DMS.xml names.
fn topology(observation: &Observation, survey: &Survey<'_>, draft: &mut Draft) {
    let Some(topology) = &observation.topology else {
        draft.warn(
            "TopologyUnknown",
            "S0",
            "no DMS.xml could be read: whether all Agents are declared is not known",
        );
        return;
    };
    let help = "declare exactly the Agents that DMS.xml names, Failover partners under `failover`";
    if topology.len() != survey.members.len() {
        let message = format!(
            "the cluster has {} Agents by DMS.xml, the manifest declares {}{}",
            topology.len(),
            survey.members.len(),
            undeclared(topology, survey)
        );
        draft.block(BlockCode::TopologyMismatch, Vec::new(), message, help);
        return;
    }
    let ids: BTreeMap<&str, u32> = topology.iter().map(|entry| (entry.address.as_str(), entry.id)).collect();
    let id_of = |agent: Option<&AgentObservation>| {
        agent.and_then(|agent| agent.address.as_deref()).and_then(|a| ids.get(a))
    };
    let mut by_id: BTreeMap<u32, Vec<&AgentName>> = BTreeMap::new();
    for seen in &survey.members {
        let Some(address) = seen.reached().and_then(|agent| agent.address.as_deref()) else { continue };
        match ids.get(address) {
            None => {
                let message = format!("DMS.xml does not name {} by its own address {address}", seen.name);
                draft.block(BlockCode::TopologyMismatch, vec![seen.name.clone()], message, help);
            }
            Some(id) => by_id.entry(*id).or_default().push(seen.name),
        }
        let partner = survey.members.iter().find(|other| Some(other.name) == seen.partner);
        let (own, other) = (id_of(seen.reached()), id_of(partner.and_then(|partner| partner.reached())));
        if let (Some(own), Some(other), Some(partner)) = (own, other, partner)
            && own != other
        {
            let mut pair = vec![seen.name.clone(), partner.name.clone()];
            pair.sort();
            let message =
                format!("{} are declared as a Failover pair, but DMS.xml gives them two ids", list(&pair));
            draft.block(BlockCode::TopologyMismatch, pair, message, help);
        }
    }
    for (id, names) in by_id {
        let declared = |a: &AgentName, b: &AgentName| {
            survey.members.iter().any(|seen| seen.name == a && seen.partner == Some(b))
        };
        if let [first, second, ..] = names.as_slice()
            && !declared(first, second)
        {
            let pair = vec![(*first).clone(), (*second).clone()];
            let message = format!(
                "DMS.xml names {} as one Failover pair (id {id}), the manifest does not",
                list(&pair)
            );
            draft.block(BlockCode::TopologyMismatch, pair, message, help);
        }
    }
}

/// The addresses that DMS.xml names and no declared Agent has, as the end of a sentence; nothing where an Agent that was
/// not seen may have one of them.
fn undeclared(topology: &[TopologyEntry], survey: &Survey<'_>) -> String {
    let own: Vec<Option<&str>> =
        survey.members.iter().map(|seen| seen.reached().and_then(|agent| agent.address.as_deref())).collect();
    let named = topology.iter().map(|entry| entry.address.as_str());
    let mut missing: Vec<&str> = named.filter(|address| !own.contains(&Some(address))).collect();
    missing.sort_unstable();
    match missing.as_slice() {
        [] => String::new(),
        _ if own.contains(&None) => String::new(),
        [.., _] if missing.len() > 5 => format!("; {} addresses there are not declared", missing.len()),
        missing => format!("; not declared: {}", missing.join(", ")),
    }
}

/// Foreign operations, and what belongs to another installation.
fn operations(input: &PlanInput<'_>, survey: &Survey<'_>, draft: &mut Draft) {
    let ours = input.state.installation.as_deref();
    for seen in &survey.members {
        let Some(operation) = seen.reached().and_then(|agent| agent.operation.as_ref()) else { continue };
        let name = vec![seen.name.clone()];
        match (operation.owner.as_deref(), ours) {
            (Some(owner), Some(ours)) if owner != ours => draft.block(
                BlockCode::ManagedElsewhere,
                name,
                format!("{} is managed by the installation `{owner}`, not by `{ours}`", seen.name),
                "one installation acts on a cluster: remove it there, or take it over: `dataminer-reconciler takeover CLUSTER --reason TEXT`",
            ),
            _ => match operation.state {
                OperationState::Running => draft.block(
                    BlockCode::OperationInProgress,
                    name,
                    format!("an operation is under way on {}", seen.name),
                    "wait until it has ended; it goes on by itself with a later observation",
                ),
                OperationState::Unknown => draft.warn(
                    "OperationUnknown",
                    "S0",
                    format!("whether an operation is under way on {} is not known", seen.name),
                ),
                OperationState::Finished | OperationState::Failed => {}
            },
        }
    }
}
