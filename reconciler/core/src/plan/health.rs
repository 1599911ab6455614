//! S0, what counts only where something will be done: states, disks, Failover policies.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::Sha256,
    plan::{BlockCode, Disruption, Step},
    v1::{
        cluster::FailoverPolicy,
        observation::{AgentObservation, AgentState},
    },
};

use super::{
    PlanInput,
    course::Course,
    draft::{Draft, list},
    survey::{Broker, Seen, Survey},
};

/// What counts only where something will be done.
pub(super) fn plan_health(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    course: &Course<'_>,
    draft: &mut Draft,
) {
    for seen in &survey.members {
        let Some(agent) = seen.reached() else { continue };
        state(seen, agent, draft);
    }
    covered(survey, draft);
    disk(input, survey, draft);
    failover_policy(input, survey, course, draft);
}

fn state(seen: &Seen<'_>, agent: &AgentObservation, draft: &mut Draft) {
    let name = seen.name;
    let offline = agent.failover.is_some_and(|failover| failover.online == Some(false));
    match agent.state {
        Some(AgentState::Running) => {}
        Some(AgentState::Disconnected) if offline => {}
        Some(AgentState::Unknown) | None if offline => {}
        Some(AgentState::Unknown) | None => {
            draft.warn("StateUnknown", "S0", format!("whether {name} is Running is not known"));
        }
        // S6: it is upgraded along, and nothing waits for it.
        Some(state) if seen.probe => {
            draft.warn("ProbeNotReady", "S6", format!("the Probe {name} is {state:?}, not Running"));
        }
        Some(
            state @ (AgentState::Starting
            | AgentState::Stopped
            | AgentState::Disconnected
            | AgentState::Switching),
        ) => draft.block(
            BlockCode::Unhealthy,
            vec![name.clone()],
            format!("{name} is {state:?}, not Running"),
            "every Agent must be Running before an upgrade: start it, and look into why it was not",
        ),
    }
    if agent.pending_reboot == Some(true) {
        draft.block(
            BlockCode::Unhealthy,
            vec![name.clone()],
            format!("{name} waits for a reboot of Windows"),
            "reboot it in an orderly way first: an upgrade would hit the reboot half way",
        );
    }
}

/// An offline member of a pair is healthy only while its partner is online (S4).
fn covered(survey: &Survey<'_>, draft: &mut Draft) {
    let offline = |seen: &Seen<'_>| {
        seen.reached().and_then(|agent| agent.failover).is_some_and(|pair| pair.online == Some(false))
    };
    let uncovered = survey.names_where(|seen| {
        let partner = survey.members.iter().find(|other| Some(other.name) == seen.partner);
        offline(seen) && partner.is_some_and(offline)
    });
    if !uncovered.is_empty() {
        let message = format!("{}: both members of the Failover pair are offline", list(&uncovered));
        draft.block(
            BlockCode::Unhealthy,
            uncovered,
            message,
            "one member of each pair must be online and Running before an upgrade: switch one online first",
        );
    }
}

/// `minFreeDisk` plus twice the largest package (`domain/02 section 4`, disk).
fn disk(input: &PlanInput<'_>, survey: &Survey<'_>, draft: &mut Draft) {
    let need = needed_disk(input, &draft.steps);
    for seen in &survey.members {
        let Some(agent) = seen.reached() else { continue };
        match agent.free_disk {
            Some(free) if free.0 < need => draft.block(
                BlockCode::InsufficientDisk,
                vec![seen.name.clone()],
                format!("{} has {} free, {} are needed", seen.name, gibibytes(free.0), gibibytes(need)),
                "free disk space on it (needed: `upgrade.minFreeDisk` and twice the largest package)",
            ),
            Some(_) => {}
            None => {
                draft.warn("DiskUnknown", "S0", format!("the free disk space of {} is not known", seen.name));
            }
        }
    }
}

/// The bytes that must be free on an Agent for these steps.
pub(super) fn needed_disk(input: &PlanInput<'_>, steps: &[Step]) -> u64 {
    let staged: BTreeSet<&Sha256> = steps.iter().filter_map(|step| step.sha256.as_ref()).collect();
    let packages = staged.into_iter().flat_map(|sha256| input.catalog.all_by_digest(sha256));
    let largest = packages.filter_map(|entry| entry.size).max().unwrap_or(0);
    input.desired.cluster.upgrade.min_free_disk.0.saturating_add(largest.saturating_mul(2))
}

pub(super) fn gibibytes(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, ((bytes & ((1 << 30) - 1)) * 10) >> 30)
}

/// Members of a pair must not run two versions across an A.B change, nor where BrokerGateway runs (`domain/04`).
fn failover_policy(input: &PlanInput<'_>, survey: &Survey<'_>, course: &Course<'_>, draft: &mut Draft) {
    if !survey.has_pairs() || !draft.steps.iter().any(|step| step.disruption == Disruption::Restart) {
        return;
    }
    let crossing = course.legs.iter().find(|leg| leg.from.band() != leg.to.band());
    let broker = matches!(survey.broker(), Broker::Active | Broker::Differs);
    let why = match crossing {
        Some(leg) => format!("{} -> {} changes the Main Release line", leg.from.name(), leg.to.name()),
        None if broker => "BrokerGateway runs on this cluster".to_owned(),
        None if survey.broker() == Broker::Unknown => "BrokerGateway may run on this cluster".to_owned(),
        None => return,
    };
    let help = "write `failoverPolicy: Simultaneously`";
    match input.desired.cluster.upgrade.failover_policy {
        FailoverPolicy::Simultaneously => {}
        // What is unknown is a warning (S0).
        policy @ (FailoverPolicy::BackupFirst | FailoverPolicy::BackupFirstWithSwitchback)
            if crossing.is_none() && !broker =>
        {
            draft.warn(
                "UnsafeFailoverPolicy",
                "S4",
                format!("{policy:?} lets the members of a Failover pair run two versions, and {why}: {help}"),
            );
        }
        policy @ (FailoverPolicy::BackupFirst | FailoverPolicy::BackupFirstWithSwitchback) => draft.block(
            BlockCode::UnsafeFailoverPolicy,
            survey.names_where(|seen| seen.partner.is_some()),
            format!("{policy:?} lets the members of a Failover pair run two versions, but {why}"),
            help,
        ),
        FailoverPolicy::UseDefault => draft.warn(
            "UnsafeFailoverPolicy",
            "S4",
            format!("the system's own default policy is not known here, and {why}: {help}"),
        ),
    }
}
