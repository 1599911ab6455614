//! From one host to the whole DMS: DMS.xml names the Agents, the hosts of the command line say how some are reached.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::AgentName,
    v1::observation::{AgentObservation, FailoverRole, Observation, TopologyEntry},
};
use futures::future::join_all;

use super::reach::{Key, Look, Reach, Target};
use crate::{
    agent::{Introduction, transport::Fingerprint},
    cli::Helpful,
};

/// A DMS as it was found.
#[derive(Debug)]
pub(super) struct Dms {
    /// What it calls itself; hostile text.
    pub(super) name: Option<String>,
    /// In the order of DMS.xml.
    pub(super) agents: Vec<Found>,
    /// What the operator should know, one sentence each.
    pub(super) notes: Vec<String>,
}

/// An Agent with its Failover partner.
#[derive(Debug)]
pub(super) struct Found {
    /// The DataMiner ID, which the members of a pair share.
    pub(super) id: u32,
    /// Of a pair, the main one.
    pub(super) member: Member,
    pub(super) failover: Option<Member>,
}

/// A server of the DMS.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: AgentName,
    pub(super) target: Target,
    /// The host key to pin.
    pub(super) key: Option<Fingerprint>,
    /// DataMiner's own address of it.
    pub(super) address: String,
    /// What it showed.
    pub(super) seen: Option<AgentObservation>,
    /// Why it was not looked at.
    pub(super) trouble: Option<String>,
}

impl Dms {
    /// Every server, partners right after their Agents.
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.agents.iter().flat_map(|found| std::iter::once(&found.member).chain(&found.failover))
    }

    /// Whether every Agent was looked at.
    pub(super) fn is_complete(&self) -> bool {
        self.members().all(|member| member.seen.is_some())
    }
}

/// A server that was looked at.
struct Visit {
    target: Target,
    key: Fingerprint,
    seen: AgentObservation,
    computer: Option<String>,
}

/// Finds the DMS that the first of `hosts` belongs to.
///
/// # Errors
/// A first host that cannot be looked at; a host key that nobody vouched for, on whichever server; a host that is not
/// of this DMS; a DMS.xml that makes no sense.
pub(super) async fn discover(hosts: &[Target], reach: &Reach) -> anyhow::Result<Dms> {
    let mut notes = Vec::new();
    let (visits, observation, name, away) = visit_named(hosts, reach, &mut notes).await?;
    let topology = observation.topology.unwrap_or_default();
    let rest = unvisited(&topology, &visits, &away);
    let found = visit_rest(&rest, reach).await?;
    let mut names = Names::default();
    let mut members = Vec::new();
    for entry in &topology {
        let known = visits.iter().find(|visit| visit.seen.address.as_deref() == Some(&entry.address));
        let known = known.or_else(|| {
            let of_entry = found.iter().find(|(address, _)| *address == entry.address)?;
            of_entry.1.as_ref().ok()
        });
        let trouble = found.iter().find(|(address, _)| *address == entry.address);
        let trouble = trouble.and_then(|(_, visit)| visit.as_ref().err());
        let target = rest.iter().find(|(address, _)| *address == entry.address).map(|(_, target)| target);
        let Some(target) = known.map(|visit| &visit.target).or(target) else { continue };
        members.push((
            entry,
            Member {
                name: names.of(entry, known.and_then(|visit| visit.computer.as_deref()), target),
                target: target.clone(),
                key: known.map(|visit| visit.key.clone()),
                address: entry.address.clone(),
                seen: known.map(|visit| visit.seen.clone()),
                trouble: trouble.cloned(),
            },
        ));
    }
    let agents = pairs(members)?;
    Ok(Dms { name, agents, notes })
}

/// Looks at the hosts of the command line. What was not reached comes last: it may be in DMS.xml by that very name.
async fn visit_named(
    hosts: &[Target],
    reach: &Reach,
    notes: &mut Vec<String>,
) -> anyhow::Result<(Vec<Visit>, Observation, Option<String>, Vec<(Target, String)>)> {
    let mut seen = BTreeSet::new();
    let hosts: Vec<&Target> = hosts.iter().filter(|host| seen.insert(*host)).collect();
    let keys = keys_of(&hosts, reach).await?;
    let mut away = Vec::new();
    let mut known = Vec::new();
    for (at, (target, key)) in hosts.iter().zip(keys).enumerate() {
        match key {
            Ok(key) => known.push((format!("host-{at}"), *target, key)),
            Err(error) if at == 0 => {
                let message = format!("{target} cannot be looked at: {error}");
                return Err(Helpful::new(message, "name an Agent that answers first").into());
            }
            Err(error) => away.push(((*target).clone(), error)),
        }
    }
    let looks: Vec<_> =
        known.iter().map(|(name, target, key)| Look { name: name.clone(), target, key }).collect();
    let (observation, introductions) = reach.look(&looks).await?;
    let first = observation.agents.first();
    if let Some(agent) = first.filter(|agent| !agent.reachable) {
        let reason = agent.reason.clone().unwrap_or_default();
        return Err(Helpful::new(
            format!(
                "{} cannot be looked at: {reason}",
                looks.first().map(|look| look.target.to_string()).unwrap_or_default()
            ),
            "name an Agent that answers first",
        )
        .into());
    }
    if observation.topology.is_none() {
        let why = first.and_then(|agent| agent.unknown.get("topology")).cloned().unwrap_or_default();
        return Err(Helpful::new(
            format!("the Agents of the DMS are not known: {why}"),
            "look at `C:\\Skyline DataMiner\\DMS.xml` on the first host",
        )
        .into());
    }
    let name = introductions.iter().find_map(|introduction| introduction.dms.clone());
    let mut visits = Vec::new();
    for (look, agent) in looks.iter().zip(&observation.agents) {
        if !agent.reachable {
            away.push((look.target.clone(), agent.reason.clone().unwrap_or_default()));
            continue;
        }
        if agent.address.is_none() {
            let why = agent.unknown.get("address").cloned().unwrap_or_default();
            return Err(Helpful::new(
                format!("{} is no Agent of the DMS that {} belongs to: {why}", look.target, hosts[0]),
                "leave it out, or import its own DMS on its own",
            )
            .into());
        }
        if let Some(why) = agent.unknown.get("topology") {
            notes.push(format!("{}: {why}", look.target));
        }
        visits.push(visit(look, agent, &introductions));
    }
    Ok((visits, observation, name, away))
}

fn visit(look: &Look<'_>, agent: &AgentObservation, introductions: &[Introduction]) -> Visit {
    let own = introductions.iter().find(|introduction| introduction.agent == agent.name);
    Visit {
        target: look.target.clone(),
        key: look.key.clone(),
        seen: agent.clone(),
        computer: own.and_then(|own| own.computer.clone()),
    }
}

/// The entries of DMS.xml that no visit was paid to, and where they are tried.
fn unvisited(
    topology: &[TopologyEntry],
    visits: &[Visit],
    away: &[(Target, String)],
) -> Vec<(String, Target)> {
    let open = topology.iter().filter(|entry| {
        !visits.iter().any(|visit| visit.seen.address.as_deref() == Some(entry.address.as_str()))
    });
    open.map(|entry| {
        let named = away.iter().find(|(target, _)| target.host.eq_ignore_ascii_case(&entry.address));
        let target = named.map(|(target, _)| target.clone());
        (entry.address.clone(), target.unwrap_or(Target { host: entry.address.clone(), port: 22 }))
    })
    .collect()
}

/// By address of DMS.xml: what was seen there, or why nothing was.
async fn visit_rest(
    rest: &[(String, Target)],
    reach: &Reach,
) -> anyhow::Result<Vec<(String, Result<Visit, String>)>> {
    let targets: Vec<&Target> = rest.iter().map(|(_, target)| target).collect();
    let keys = keys_of(&targets, reach).await?;
    let mut found = Vec::new();
    let mut known = Vec::new();
    for (at, ((address, target), key)) in rest.iter().zip(keys).enumerate() {
        match key {
            Ok(key) => known.push((format!("host-{at}"), address, target, key)),
            Err(error) => found.push((address.clone(), Err(error))),
        }
    }
    if known.is_empty() {
        return Ok(found);
    }
    let looks: Vec<_> =
        known.iter().map(|(name, _, target, key)| Look { name: name.clone(), target, key }).collect();
    let (observation, introductions) = reach.look(&looks).await?;
    for ((look, (_, address, ..)), agent) in looks.iter().zip(&known).zip(&observation.agents) {
        let visited = if agent.reachable {
            Ok(visit(look, agent, &introductions))
        } else {
            Err(agent.reason.clone().unwrap_or_default())
        };
        found.push(((*address).clone(), visited));
    }
    Ok(found)
}

/// The key of each server to pin, or why it was not reached.
///
/// # Errors
/// Keys that nobody vouched for, all of them: then nothing has signed in anywhere.
async fn keys_of(targets: &[&Target], reach: &Reach) -> anyhow::Result<Vec<Result<Fingerprint, String>>> {
    let keys = join_all(targets.iter().map(|target| reach.key(target))).await;
    let mut unknown = Vec::new();
    let mut flags = Vec::new();
    let mut pinned = Vec::new();
    for (target, key) in targets.iter().zip(keys) {
        match key {
            Key::Known(key) => pinned.push(Ok(key)),
            Key::Away(error) => pinned.push(Err(error.summary())),
            Key::Unknown(shown) => {
                let all: Vec<_> = shown.iter().map(ToString::to_string).collect();
                unknown.push(format!("{target} shows {}", all.join(", ")));
                flags.extend(shown.first().map(|key| format!("--host-key {key}")));
            }
        }
    }
    if unknown.is_empty() {
        return Ok(pinned);
    }
    Err(Helpful::new(
        format!("nobody vouched for these host keys: {}", unknown.join("; ")),
        format!(
            "compare them with `ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub` on each server; if they are \
             the servers', add {}",
            flags.join(" ")
        ),
    )
    .into())
}

/// Puts the members of a pair together.
fn pairs(members: Vec<(&TopologyEntry, Member)>) -> anyhow::Result<Vec<Found>> {
    let mut agents: Vec<(Found, Option<FailoverRole>)> = Vec::new();
    for (entry, member) in members {
        match agents.iter_mut().find(|(found, _)| found.id == entry.id) {
            None => {
                agents.push((Found { id: entry.id, member, failover: None }, entry.failover));
            }
            Some((found, role)) if found.failover.is_none() => {
                let swap = *role == Some(FailoverRole::Backup) && entry.failover == Some(FailoverRole::Main);
                let backup = if swap { std::mem::replace(&mut found.member, member) } else { member };
                found.failover = Some(backup);
            }
            Some(_) => {
                return Err(Helpful::new(
                    format!("DMS.xml lists more than two servers with the DataMiner ID {}", entry.id),
                    "look at `C:\\Skyline DataMiner\\DMS.xml`: a Failover pair has two members",
                )
                .into());
            }
        }
    }
    Ok(agents.into_iter().map(|(found, _)| found).collect())
}

/// Gives every server a name of its own.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// The computer name, else the host name by which it is reached, else the DataMiner ID.
    fn of(&mut self, entry: &TopologyEntry, computer: Option<&str>, target: &Target) -> AgentName {
        let host = target.host.split('.').next().filter(|_| target.host.parse::<std::net::IpAddr>().is_err());
        let backup = if entry.failover == Some(FailoverRole::Backup) { "b" } else { "" };
        let id = format!("dma-{}{backup}", entry.id);
        let numbered = (2..).map(|number| format!("{id}-{number}"));
        let wishes = [computer, host].into_iter().flatten().map(str::to_ascii_lowercase).chain([id.clone()]);
        let free = wishes.chain(numbered).find_map(|wish| {
            let name = AgentName::new(wish.clone()).ok()?;
            self.0.insert(wish).then_some(name)
        });
        // Of endlessly many numbers one is free, and every one makes a name.
        free.unwrap_or_else(|| unreachable!("a number is always free"))
    }
}
