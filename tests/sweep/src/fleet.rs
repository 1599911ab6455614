//! What the planner is given of a case.

use dataminer_core::{
    desired::{Desired, resolve},
    plan::{PlanInput, PlanMode, PlanState},
};
use dataminer_schema::{
    id::{AgentName, ClusterName, Sha256},
    quantity::ByteSize,
    v1::{
        cluster::{Agent, AgentKind, Approval, Cluster, DowngradePolicy, Member},
        observation::{
            AgentObservation, AgentState, Backup, FailoverRole, FailoverState, Observation, TopologyEntry,
        },
    },
    version::Version,
};
use jiff::Timestamp;

use crate::{case::Case, shelves::Stage};

/// A manifest and what was seen of it.
#[derive(Clone)]
pub(crate) struct Fleet {
    desired: Desired,
    observation: Observation,
    /// What the vault has, with the level of each.
    pub(crate) vault: Vec<Backup>,
    state: PlanState,
    store: usize,
}

/// The members of every cluster of the sweep.
pub(crate) const NAMES: [&str; 2] = ["dma-01", "dma-02"];

pub(crate) fn names() -> impl Iterator<Item = AgentName> {
    NAMES.into_iter().map(|name| AgentName::new(name).expect("the sweep names Agents properly"))
}

const NOW: &str = "2026-11-21T20:00:00Z";

impl Fleet {
    pub(crate) fn of(case: &Case<'_>) -> Self {
        let store = case.stage.stores.iter().position(|store| std::ptr::eq(store, case.store));
        Self {
            desired: resolve(manifest(case), None),
            observation: observation(case),
            vault: vault(case),
            state: PlanState::default(),
            store: store.expect("the case is of this stage"),
        }
    }

    /// The input of the planner; `reversed` takes the catalogue whose packages came in another order.
    pub(crate) fn input<'a>(&'a self, stage: &'a Stage, reversed: bool) -> PlanInput<'a> {
        let store = &stage.stores[self.store];
        PlanInput {
            desired: &self.desired,
            observation: Some(&self.observation),
            catalog: if reversed { &store.reversed } else { &store.catalog },
            knowledge: &stage.knowledge,
            vault: &self.vault,
            state: &self.state,
            now: NOW.parse().expect("a timestamp"),
            mode: PlanMode::Offline,
        }
    }

    /// The same, seen in another order.
    pub(crate) fn reverse(&mut self) {
        self.observation.agents.reverse();
        self.observation.topology.iter_mut().for_each(|topology| topology.reverse());
        self.vault.reverse();
    }
}

fn manifest(case: &Case<'_>) -> Cluster {
    let member = |name: AgentName| Member {
        host: format!("{name}.example"),
        name,
        port: 22,
        host_keys: Vec::new(),
        ssh: None,
    };
    let mut agents: Vec<Agent> = Vec::new();
    for (at, name) in names().enumerate() {
        match agents.first_mut() {
            Some(main) if at == 1 && case.is_pair() => main.failover = Some(member(name)),
            _ => agents.push(Agent { member: member(name), kind: AgentKind::Agent, failover: None }),
        }
    }
    let name = ClusterName::new("sweep").expect("a cluster's name");
    let mut cluster = Cluster::new(name, case.to.clone(), agents);
    cluster.software.web_apps = case.web_wanted();
    cluster.upgrade.accept_older_fixes = case.accepts_older_fixes();
    cluster.downgrade.policy = if case.allow { DowngradePolicy::Allow } else { DowngradePolicy::Forbid };
    cluster.downgrade.patch_prerequisites = case.patches();
    cluster.approval = Approval::Never;
    cluster
}

fn observation(case: &Case<'_>) -> Observation {
    let role = |at: usize| if at == 0 { FailoverRole::Main } else { FailoverRole::Backup };
    let address = |name: &AgentName| format!("10.0.0.{name}");
    let pair = case.is_pair();
    let topology = names().enumerate().map(|(at, name)| TopologyEntry {
        id: if pair { 101 } else { 101 + u32::try_from(at).unwrap_or(0) },
        address: address(&name),
        failover: pair.then(|| role(at)),
    });
    let agents = names().enumerate().map(|(at, name)| AgentObservation {
        address: Some(address(&name)),
        core: Some(case.from.to_string()),
        web_apps: case.web_seen().map(ToString::to_string),
        state: Some(AgentState::Running),
        failover: pair.then(|| FailoverState { role: role(at), online: Some(at == 0) }),
        broker_gateway: case.broker,
        swarming: Some(false),
        expired_users: Some(false),
        default_upgrade_options: Some(false),
        pending_reboot: Some(false),
        free_disk: Some(ByteSize(200 << 30)),
        dotnet: Some(["5.0.17", "6.0.36", "8.0.11", "10.0.1"].map(str::to_owned).to_vec()),
        vcredist: Some("14.44.35211.0".to_owned()),
        os: Some("10.0.26100".to_owned()),
        ..AgentObservation::new(name, true)
    });
    Observation {
        cluster: ClusterName::new("sweep").expect("a cluster's name"),
        taken_at: at(NOW),
        topology: Some(topology.collect()),
        agents: agents.collect(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// Content of the target's own level, of an older one, and of the newest.
fn vault(case: &Case<'_>) -> Vec<Backup> {
    if !case.has_backups() {
        return Vec::new();
    }
    let backup = |level: &Version, taken: &str| {
        let file = format!("content of {level}.zip");
        Backup {
            at: Some(at(taken)),
            sha256: Some(Sha256::of(file.as_bytes())),
            size: Some(1 << 20),
            content: Some(level.to_string()),
            vault: true,
            ..Backup::new(file)
        }
    };
    let oldest = case.stage.releases.first().expect("there are releases");
    let newest = case.stage.releases.last().expect("there are releases");
    let mut found = vec![backup(oldest, "2024-01-01T00:00:00Z")];
    for (level, taken) in [(case.to, "2026-01-01T00:00:00Z"), (newest, "2026-06-01T00:00:00Z")] {
        let backup = backup(level, taken);
        if !found.iter().any(|other| other.file == backup.file) {
            found.push(backup);
        }
    }
    found
}
