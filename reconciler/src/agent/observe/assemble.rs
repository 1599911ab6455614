//! The Agents' facts put side by side: own addresses, web levels, operations, differences.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dataminer_schema::{
    id::{AgentName, ClusterName},
    plan::Action,
    quantity::ByteSize,
    v1::observation::{
        AgentObservation, AgentState, FailoverState, HistoryEntry, Observation, ObservedOperation,
        OperationState, TopologyEntry, WebEvidence,
    },
    version::{PackageFile, PackageKind, Version},
};
use jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, JobFacts, Known, PackageFacts};
use crate::agent::{link::Link, probe::progress::End};

/// How long a log without an end still counts as being written. Long steps of an upgrade (module installers) write
/// nothing for up to half an hour (`domain/05 section 8`).
const LOG_QUIET: SignedDuration = SignedDuration::from_mins(35);
/// The same once our own job for the package has ended and the Agent runs again.
const LOG_QUIET_AFTER_JOB: SignedDuration = SignedDuration::from_mins(2);

/// Makes the Observation out of what the Agents told.
pub(super) fn assemble(
    cluster: &ClusterName,
    links: &[Arc<Link>],
    taken_at: Timestamp,
    installation: &str,
    facts: Vec<Facts>,
    unreachable: Vec<AgentObservation>,
) -> Observation {
    let topology = facts.iter().find_map(|facts| facts.topology.as_ref().ok()).cloned();
    let source = facts.iter().find(|facts| facts.topology.is_ok()).map(|facts| facts.name.clone());
    let jobs: Vec<&JobFacts> = facts.iter().filter_map(|facts| facts.jobs.as_ref().ok()).flatten().collect();
    let addresses = own_addresses(links, &facts, topology.as_deref());
    let all = &facts;
    let mut seen: BTreeMap<AgentName, AgentObservation> = all
        .iter()
        .map(|facts| {
            let link = links.iter().find(|link| link.name == facts.name);
            let mut agent = agent(facts, taken_at, installation, &jobs);
            match addresses.get(&facts.name) {
                Some(Ok(address)) => agent.address = Some(address.clone()),
                Some(Err(reason)) => drop(agent.unknown.insert("address".to_owned(), reason.clone())),
                None => {}
            }
            if let Some((role, partner)) = link.and_then(|link| link.role.zip(link.partner.as_ref())) {
                let partner = all.iter().find(|facts| facts.name == *partner);
                let online = online(facts, partner);
                agent.failover = Some(FailoverState { role, online });
                let only_slnet = facts.processes.as_ref().is_ok_and(|own| own.runs("SLNet.exe"))
                    && agent.state == Some(AgentState::Starting);
                if online == Some(false) && only_slnet {
                    // A healthy offline member; it is not on its way up.
                    agent.state = Some(AgentState::Disconnected);
                }
            }
            if let (Ok(own), Some(common), Some(source)) = (&facts.topology, &topology, &source)
                && !same(own, common)
            {
                agent
                    .unknown
                    .insert("topology".to_owned(), format!("its DMS.xml differs from that of {source}"));
            }
            (facts.name.clone(), agent)
        })
        .chain(unreachable.into_iter().map(|agent| (agent.name.clone(), agent)))
        .collect();
    Observation {
        cluster: cluster.clone(),
        taken_at,
        topology,
        agents: links.iter().filter_map(|link| seen.remove(&link.name)).collect(),
    }
}

/// Which member of a pair is online: the one on which elements run, if that is true of one alone and SLNet runs on
/// the other. Anything else is not known.
fn online(own: &Facts, partner: Option<&Facts>) -> Option<bool> {
    let own = own.processes.as_ref().ok()?;
    let partner = partner?.processes.as_ref().ok()?;
    let both_up = own.runs("SLNet.exe") && partner.runs("SLNet.exe");
    (both_up && own.elements_run() != partner.elements_run()).then(|| own.elements_run())
}

fn same(a: &[TopologyEntry], b: &[TopologyEntry]) -> bool {
    let set = |entries: &[TopologyEntry]| -> BTreeSet<(u32, String)> {
        entries.iter().map(|entry| (entry.id, entry.address.clone())).collect()
    };
    set(a) == set(b)
}

fn agent(facts: &Facts, taken_at: Timestamp, installation: &str, jobs: &[&JobFacts]) -> AgentObservation {
    let mut agent = AgentObservation::new(facts.name.clone(), true);
    agent.unknown = facts.unknown();
    agent.core = facts.history.as_ref().ok().and_then(|history| Some(history.last()?.version.clone()));
    agent.state = facts.processes.as_ref().ok().map(super::super::probe::processes::Processes::agent_state);
    agent.broker_gateway = facts.broker_gateway.as_ref().ok().copied();
    agent.default_upgrade_options = facts.default_upgrade_options.as_ref().ok().copied();
    agent.expired_users = facts.expired_users.as_ref().ok().copied();
    agent.pending_reboot = facts.pending_reboot.as_ref().ok().copied();
    agent.free_disk = facts.free_disk.as_ref().ok().copied().map(ByteSize);
    agent.dotnet = facts.dotnet.as_ref().ok().cloned();
    agent.vcredist = facts.vcredist.as_ref().ok().cloned().flatten();
    agent.os = facts.os.as_ref().ok().cloned();
    agent.modules = facts.modules.as_ref().ok().cloned();
    agent.backups = facts.backups.as_ref().ok().cloned();
    agent.owed = facts.owed.as_ref().ok().cloned();
    match facts.utc_history() {
        Ok(history) => agent.history = Some(history),
        Err(reason) => drop(agent.unknown.insert("history".to_owned(), reason)),
    }
    agent.taskbar_utility = facts.utility.as_ref().ok().cloned();
    match web_level(facts, jobs) {
        Ok((level, evidence)) => {
            agent.web_apps = Some(level);
            agent.web_evidence = Some(evidence);
        }
        Err(reason) => drop(agent.unknown.insert("webApps".to_owned(), reason)),
    }
    agent.web_history = web_history(facts, jobs);
    agent.operation = operation(facts, taken_at, installation, jobs);
    agent
}

/// Which address of DMS.xml each Agent has: by its interfaces, else by its name, else by the manifest.
fn own_addresses(
    links: &[Arc<Link>],
    facts: &[Facts],
    topology: Option<&[TopologyEntry]>,
) -> BTreeMap<AgentName, Known<String>> {
    let Some(topology) = topology else { return BTreeMap::new() };
    let mut found: BTreeMap<AgentName, Known<String>> = facts
        .iter()
        .map(|facts| {
            let host =
                links.iter().find(|link| link.name == facts.name).map_or("", |link| link.host.as_str());
            (facts.name.clone(), own_address(facts, host, topology))
        })
        .collect();
    let mut owners: BTreeMap<String, Vec<AgentName>> = BTreeMap::new();
    for (name, address) in &found {
        if let Ok(address) = address {
            owners.entry(address.clone()).or_default().push(name.clone());
        }
    }
    for (address, names) in owners.into_iter().filter(|(_, names)| names.len() > 1) {
        for name in names {
            found.insert(name, Err(format!("more than one Agent has the address {address}")));
        }
    }
    found
}

fn own_address(facts: &Facts, host: &str, topology: &[TopologyEntry]) -> Known<String> {
    let by_interface: Vec<&str> = topology
        .iter()
        .map(|entry| entry.address.as_str())
        .filter(|address| facts.addresses.iter().any(|own| own == address))
        .collect();
    match by_interface.as_slice() {
        [one] => return Ok((*one).to_owned()),
        [] => {}
        // An online Failover member also has the pair's virtual address.
        several if several.contains(&host) => return Ok(host.to_owned()),
        several => return Err(format!("it has several addresses of DMS.xml: {}", several.join(", "))),
    }
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_name = |address: &str| address.parse::<std::net::IpAddr>().is_err();
    let computer = facts.computer.as_deref().map(short);
    topology
        .iter()
        .map(|entry| entry.address.as_str())
        .find(|address| {
            is_name(address) && computer.as_ref().is_some_and(|computer| *computer == short(address))
        })
        .or_else(|| {
            topology
                .iter()
                .map(|entry| entry.address.as_str())
                .find(|address| address.eq_ignore_ascii_case(host))
        })
        .map(str::to_owned)
        .ok_or_else(|| "none of its addresses is in DMS.xml".to_owned())
}

/// A sign of what became of the web apps.
struct Sign {
    at: Timestamp,
    /// The level, or why it is not known from here on.
    level: Known<String>,
    evidence: WebEvidence,
}

/// The web level and how it is known: never guessed (`domain/03`).
fn web_level(facts: &Facts, jobs: &[&JobFacts]) -> Known<(String, WebEvidence)> {
    let history = facts.utc_history()?;
    let newest = history.last().ok_or("no core entry is known")?;
    let core: Option<Version> = newest.version.parse().ok();
    let packages = facts.packages.as_ref().map_err(Clone::clone)?;
    let mut signs: Vec<Sign> = Vec::new();
    for job in jobs.iter().filter(|job| changes_web(job.record.action) && concerns(job, facts)) {
        if let (Some((0, Some(at))), Some(to)) = (job.exit, &job.record.to) {
            signs.push(Sign { at, level: Ok(to.clone()), evidence: WebEvidence::OwnJob });
        }
    }
    for package in packages {
        let Some((PackageKind::Web, Some(version))) = release(package) else { continue };
        let Some(at) = facts.package_time(package) else { continue };
        let level = match package.end {
            End::Succeeded => Ok(level_of(&version)),
            End::Failed => Err(format!("the newest web upgrade ({}) failed", package.file)),
            End::Open => Err(format!("the log of the newest web upgrade ({}) has no end", package.file)),
        };
        // The same upgrade by our own record: that one tells the CU as well. How a log ends is not documented, so
        // one without a known end says nothing against our record.
        let ours = package.end != End::Failed
            && jobs.iter().any(|job| {
                job.record.is_of(&package.file) && concerns(job, facts) && matches!(job.exit, Some((0, _)))
            });
        if !ours {
            signs.push(Sign { at, level, evidence: WebEvidence::PackageFolder });
        }
    }
    signs.retain(|sign| sign.at > newest.at);
    if let Some(sign) = signs.into_iter().max_by_key(|sign| sign.at) {
        return sign.level.map(|level| (level, sign.evidence));
    }
    // Nothing since the core: a full package brings its own web apps.
    let same_core = |version: &Version| {
        core.as_ref().is_some_and(|core| {
            core.line() == version.line() && core.build().is_some() && core.build() == version.build()
        })
    };
    let named = |file: &str| match file.parse::<PackageFile>() {
        Ok(PackageFile { kind: PackageKind::Full, version: Some(version) }) => Some(version),
        _ => None,
    };
    let own = jobs.iter().find_map(|job| {
        let ended = changes_core(job.record.action)
            && concerns(job, facts)
            && matches!(job.exit, Some((0, _)))
            && job.record.file.as_deref().and_then(named).is_some_and(|version| same_core(&version));
        job.record.to.clone().filter(|_| ended)
    });
    if let Some(to) = own {
        return Ok((to, WebEvidence::OwnJob));
    }
    packages
        .iter()
        .filter(|package| package.end == End::Succeeded)
        .find_map(|package| named(&package.file).filter(same_core))
        .map(|version| (level_of(&version), WebEvidence::PackageFolder))
        .ok_or_else(|| "no upgrade since the newest core entry left a trace of the web apps".to_owned())
}

/// The level that a package's name tells: the release, and the build only where the name has no CU to tell releases
/// apart by.
fn level_of(version: &Version) -> String {
    let told = version.cu().is_some() || version.feature() != 0;
    if told { version.release_name() } else { version.to_string() }
}

/// Whether the job installs a web package, of whatever level.
fn changes_web(action: Action) -> bool {
    matches!(action, Action::UpgradeWeb | Action::DowngradeWeb)
}

/// Whether the job installs a full package, of whatever release.
fn changes_core(action: Action) -> bool {
    matches!(action, Action::UpgradeCore | Action::DowngradeCore)
}

fn concerns(job: &JobFacts, facts: &Facts) -> bool {
    job.record.agents.contains(&facts.name)
}

fn release(package: &PackageFacts) -> Option<(PackageKind, Option<Version>)> {
    package.file.parse::<PackageFile>().ok().map(|file| (file.kind, file.version))
}

/// Successful web packages, oldest first.
fn web_history(facts: &Facts, jobs: &[&JobFacts]) -> Option<Vec<HistoryEntry>> {
    let packages = facts.packages.as_ref().ok()?;
    let ours =
        jobs.iter().filter(|job| changes_web(job.record.action) && concerns(job, facts)).filter_map(|job| {
            match (job.exit, &job.record.file, &job.record.to) {
                (Some((0, Some(at))), Some(file), Some(to)) => {
                    Some((file.as_str(), HistoryEntry { at, version: to.clone() }))
                }
                _ => None,
            }
        });
    let ours: Vec<_> = ours.collect();
    let folders = packages.iter().filter(|package| package.end == End::Succeeded).filter_map(|package| {
        let Some((PackageKind::Web, Some(version))) = release(package) else { return None };
        let known = ours.iter().any(|(file, _)| *file == package.file);
        (!known).then_some(HistoryEntry { at: facts.package_time(package)?, version: level_of(&version) })
    });
    let mut entries: Vec<HistoryEntry> = folders.chain(ours.iter().map(|(_, entry)| entry.clone())).collect();
    entries.sort_by(|a, b| (a.at, &a.version).cmp(&(b.at, &b.version)));
    Some(entries)
}

/// What runs on the Agent: our job, an upgrade that somebody started, or nothing; and whose the Agent is.
fn operation(
    facts: &Facts,
    taken_at: Timestamp,
    installation: &str,
    jobs: &[&JobFacts],
) -> Option<ObservedOperation> {
    let lock_held = facts.lock_held.as_ref().ok().copied();
    let own: &[JobFacts] = facts.jobs.as_ref().map_or(&[], Vec::as_slice);
    let running = own.iter().find(|job| job.started.is_some() && job.exit.is_none() && !job.refused);
    if let (Some(true), Some(job)) = (lock_held, running) {
        return Some(observed(job, OperationState::Running));
    }
    let packages: &[PackageFacts] = facts.packages.as_ref().map_or(&[], Vec::as_slice);
    let up = facts.processes.as_ref().is_ok_and(|own| own.agent_state() == AgentState::Running);
    let open = packages.iter().find(|package| {
        // After the end of our own job a log that stands still on a running Agent has ended, whatever it says last.
        let of_job = |job: &&JobFacts| job.record.is_of(&package.file) && concerns(job, facts);
        let ended = up && jobs.iter().any(|job| of_job(job) && job.exit.is_some());
        let quiet = if ended { LOG_QUIET_AFTER_JOB } else { LOG_QUIET };
        package.end == End::Open
            && package.modified.is_some_and(|at| taken_at.duration_since(at).abs() < quiet)
    });
    if let Some(package) = open {
        // Our job on one Agent upgrades the others too.
        let ours = jobs
            .iter()
            .find(|job| job.record.is_of(&package.file) && concerns(job, facts) && job.started.is_some());
        return Some(match ours {
            Some(job) => observed(job, OperationState::Running),
            None => ObservedOperation {
                id: Some(package.file.clone()),
                action: None,
                state: OperationState::Running,
                owner: None,
            },
        });
    }
    if let Ok(Some(owner)) = &facts.owner
        && owner.installation != installation
    {
        let state = if lock_held == Some(true) { OperationState::Running } else { OperationState::Finished };
        return Some(ObservedOperation {
            id: None,
            action: None,
            state,
            owner: Some(owner.installation.clone()),
        });
    }
    // The newest job of ours that ever began, so that a restarted engine finds it again.
    let newest = own
        .iter()
        .filter(|job| job.record.installation == installation && job.started.is_some() && !job.refused)
        .max_by_key(|job| job.started)?;
    let state = match newest.exit {
        Some((0, _)) => OperationState::Finished,
        Some(_) => OperationState::Failed,
        None => OperationState::Unknown,
    };
    Some(observed(newest, state))
}

fn observed(job: &JobFacts, state: OperationState) -> ObservedOperation {
    ObservedOperation {
        id: Some(job.record.id.to_string()),
        action: Some(job.record.action),
        state,
        owner: Some(job.record.installation.clone()),
    }
}

#[cfg(test)]
mod tests;
