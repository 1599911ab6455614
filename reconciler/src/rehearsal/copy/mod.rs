//! From an Observation to a simulation: what was seen is copied, what was not is assumed and said so.

mod agent;
mod assumed;
mod past;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use dataminer_core::catalog::Catalog;
use dataminer_schema::{
    id::AgentName,
    v1::{
        cluster::{Cluster, FailoverPolicy, Member},
        observation::{AgentObservation, Backup, FailoverRole, Observation},
    },
};
use dms_simulator::{AgentSpec, ClusterSpec, Fault, Injected, Reach};
use jiff::{SignedDuration, Timestamp};

pub(super) use self::assumed::Assumptions;

/// What is copied.
pub(super) struct Original<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) observation: &'a Observation,
    pub(super) vault: &'a [Backup],
    pub(super) catalog: &'a Catalog,
    /// The time at which the copy begins to live.
    pub(super) now: Timestamp,
}

/// The copy, not yet started.
pub(super) struct Copied {
    pub(super) spec: ClusterSpec,
    /// The Agents of the manifest and the names of their simulated servers, in the manifest's order.
    pub(super) names: Vec<(AgentName, String)>,
    pub(super) assumptions: Assumptions,
    /// Why there can be no copy.
    pub(super) problem: Option<String>,
}

/// A member of the manifest beside what was seen of it.
struct Place<'a> {
    member: &'a Member,
    role: Option<FailoverRole>,
    /// None where it was not seen at all.
    seen: Option<&'a AgentObservation>,
    address: IpAddr,
    id: u32,
    /// Of the simulated server.
    server: String,
}

/// Copies a cluster.
pub(super) fn copy(original: &Original<'_>) -> Copied {
    let Original { cluster, observation, .. } = *original;
    let mut assumptions = Assumptions::default();
    let places = places(cluster, observation, &mut assumptions);
    let shift = shift(observation, original.now);
    if !shift.is_zero() {
        assumptions.note(
            "the times of the observation lie ahead of this clock: all of them are moved back alike",
            None,
        );
    }
    let mut agents: Vec<AgentSpec> = Vec::new();
    let mut faults = Vec::new();
    for (number, place) in places.iter().enumerate() {
        let partner = places.iter().enumerate().find(|(other, at)| *other != number && at.id == place.id);
        let looks = agent::Looks { original, shift, partner: partner.and_then(|(_, place)| place.seen) };
        let mut spec = looks.agent(place, &mut assumptions);
        if number == 0 {
            past::add_vault(&mut spec, original, shift, &mut assumptions);
        }
        if place.seen.is_none_or(|seen| !seen.reachable) {
            faults.push(Injected {
                agent: place.server.clone(),
                fault: Fault::Network(Reach::Refuses),
                after: 0,
            });
        }
        agents.push(spec);
    }
    if cluster.upgrade.failover_policy == FailoverPolicy::UseDefault
        && places.iter().any(|place| place.role.is_some())
    {
        assumptions.note("what the DMS's own failover policy is was not seen: Simultaneously", None);
    }
    let owed = places.iter().filter(|place| {
        place.seen.is_some_and(|seen| seen.owed.as_ref().is_some_and(|owed| !owed.is_empty()))
    });
    let owed: Vec<&str> = owed.map(|place| place.member.name.as_str()).collect();
    let problem = (!owed.is_empty()).then(|| {
        format!("an interrupted operation left work owed on {}, which a copy cannot hold", owed.join(", "))
    });
    let names = places.iter().map(|place| (place.member.name.clone(), place.server.clone())).collect();
    let spec = ClusterSpec { faults, ..ClusterSpec::new(cluster.name.as_str(), agents) };
    Copied { spec, names, assumptions, problem }
}

/// How far the observation's times are moved so that none of them lies ahead of the copy's clock.
fn shift(observation: &Observation, now: Timestamp) -> SignedDuration {
    let taken = observation.taken_at;
    if taken <= now { SignedDuration::ZERO } else { taken.duration_since(now) + SignedDuration::from_mins(1) }
}

/// Every member of the manifest, Failover partners behind their main Agents.
fn places<'a>(
    cluster: &'a Cluster,
    observation: &'a Observation,
    assumptions: &mut Assumptions,
) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = Vec::new();
    let (mut servers, mut addresses, mut ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let topology = observation.topology.as_deref().unwrap_or_default();
    for agent in &cluster.agents {
        let pair = agent.failover.as_ref();
        let members = std::iter::once(&agent.member).chain(pair);
        let seen = |member: &Member| observation.agents.iter().find(|seen| seen.name == member.name);
        // Both members of a pair carry one id; the first that DMS.xml tells counts.
        let told = members.clone().find_map(|member| {
            let address = seen(member)?.address.as_ref()?;
            topology.iter().find(|entry| entry.address == *address).map(|entry| entry.id)
        });
        let id = match told.filter(|id| !ids.contains(id)) {
            Some(id) => id,
            None => (1..)
                .find(|id| !ids.contains(id) && topology.iter().all(|entry| entry.id != *id))
                .unwrap_or(1),
        };
        if told != Some(id) {
            assumptions.note(format!("its DataMiner ID was not seen: {id}"), Some(&agent.member.name));
        }
        ids.insert(id);
        for (second, member) in members.enumerate() {
            let seen = seen(member);
            let number = places.len();
            let address = address(member, seen, number, &mut addresses, assumptions);
            let usual = if second == 0 { FailoverRole::Main } else { FailoverRole::Backup };
            places.push(Place {
                role: pair.map(|_| usual),
                server: server_name(member.name.as_str(), number, &mut servers),
                member,
                seen,
                address,
                id,
            });
        }
    }
    places
}

/// DataMiner's own address of an Agent, where it is one.
fn address(
    member: &Member,
    seen: Option<&AgentObservation>,
    number: usize,
    taken: &mut BTreeSet<IpAddr>,
    assumptions: &mut Assumptions,
) -> IpAddr {
    let told: Option<IpAddr> = seen.and_then(|seen| seen.address.as_ref()?.parse().ok());
    if let Some(told) = told.filter(|told| taken.insert(*told)) {
        return told;
    }
    let mut count = u32::try_from(number).unwrap_or(0);
    loop {
        count += 1;
        let made = IpAddr::V4(Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(10, 254, 0, 0)) + count));
        if taken.insert(made) {
            assumptions.note(
                format!("its address in DMS.xml was not seen, or is a name: {made}"),
                Some(&member.name),
            );
            return made;
        }
    }
}

/// A computer's name: the Agent's own where Windows would take it.
fn server_name(name: &str, number: usize, taken: &mut BTreeSet<String>) -> String {
    let plain = name.len() <= 15
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let wanted = if plain { name.to_owned() } else { format!("agent-{}", number + 1) };
    let free = |name: &String, taken: &BTreeSet<String>| !taken.contains(&name.to_lowercase());
    let name = if free(&wanted, taken) {
        wanted
    } else {
        (number..)
            .map(|number| format!("server-{}", number + 1))
            .find(|name| free(name, taken))
            .unwrap_or_default()
    };
    taken.insert(name.to_lowercase());
    name
}
