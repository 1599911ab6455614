//! Random fleets: several Agents and Failover pairs, mixtures, unknowns, whatever an observation can lack or hold.

use dataminer_core::{
    desired::{Desired, resolve},
    lint::lint,
    plan::{PlanInput, PlanMode, PlanState, plan},
};
use dataminer_schema::{
    id::{AgentName, ClusterName, JobId, Sha256},
    plan::{Action, BlockCode, Plan},
    quantity::ByteSize,
    v1::{
        cluster::{Agent as Declared, AgentKind, Approval, Cluster, DowngradePolicy, Member},
        observation::{
            AgentObservation, AgentState, Backup, FailoverRole, FailoverState, Observation, OwedWork,
            TopologyEntry,
        },
    },
    version::{Version, WebWanted},
};
use dms_simulator::model::{
    Agent, Broken, Consent, Level, Rule, System, Wanted, knows_broker_gateway, needs_broker_gateway, replay,
};
use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::shelves::{Stage, Store};

const NOW: &str = "2026-11-21T20:00:00Z";

/// How many fleets an ordinary run looks at.
const FLEETS: u64 = 2_500;
const LONG: u64 = 100_000;

#[test]
fn random_fleets_are_planned_right_or_refused() {
    let stage = Stage::built_in();
    let fleets = if crate::long_run() { LONG } else { FLEETS };
    let mut carried_out = 0;
    for seed in 0..fleets {
        let fleet = Fleet::random(&stage, seed);
        let made = plan(&fleet.input(false));
        let notes = lint(&made);
        assert!(notes.is_empty(), "fleet {seed}: {notes:?}\n{made:#?}");
        let mut shuffled = fleet.clone();
        shuffled.reverse();
        let again = plan(&shuffled.input(true));
        assert_eq!(json(&made), json(&again), "fleet {seed}: the order of the input shows");
        if let Some(system) = fleet.truth()
            && made.blocked.iter().all(|block| block.code == BlockCode::NotSupportedYet)
        {
            let wanted = Wanted { core: &fleet.to, web: &fleet.web };
            carried_out += 1;
            match replay(&made, system, &fleet.store.shelf, &wanted) {
                Ok(_) => {}
                Err(broken) if fleet.is_decided(&made, &broken) => {}
                Err(broken) => {
                    panic!("fleet {seed}: {broken}\n{:#?}\n{}", fleet.observation, crate::judge::told(&made))
                }
            }
        }
    }
    assert!(carried_out > fleets / 50, "too few of {fleets} fleets could be carried out: {carried_out}");
}

fn json(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan serialises")
}

#[derive(Clone)]
struct Fleet<'a> {
    stage: &'a Stage,
    store: &'a Store,
    desired: Desired,
    observation: Observation,
    vault: Vec<Backup>,
    to: Version,
    web: WebWanted,
    consent: Consent,
    /// What each Agent really runs; absent where the observation does not tell it all.
    agents: Option<Vec<Agent>>,
    state: PlanState,
}

impl<'a> Fleet<'a> {
    fn random(stage: &'a Stage, seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let store = stage.stores.choose(&mut dice).expect("there are catalogues");
        let to = pick(stage, &mut dice, store);
        let from = near(stage, &mut dice, &to);
        let other = near(stage, &mut dice, &from);
        let mixed = dice.random_bool(0.3);
        let clean = dice.random_bool(0.5);
        let web = match dice.random_range(0..4) {
            0 => WebWanted::Unmanaged,
            1 => WebWanted::Version(near(stage, &mut dice, &to)),
            _ => WebWanted::Bundled,
        };
        let broker = dice.random_bool(0.5);
        let (mut declared, mut seen, mut topology) = (Vec::new(), Vec::new(), Vec::new());
        let mut truth = Some(Vec::new());
        for at in 0..dice.random_range(1..=5u32) {
            let core = if mixed && dice.random_bool(0.5) { &other } else { &from };
            let paired = dice.random_bool(0.3);
            let mut main = Declared { member: member(at, ""), kind: AgentKind::Agent, failover: None };
            let roles = [Some(FailoverRole::Main), paired.then_some(FailoverRole::Backup)];
            for role in roles.into_iter().flatten() {
                let suffix = if role == FailoverRole::Main { "" } else { "b" };
                let member = member(at, suffix);
                let broker_gateway = needs_broker_gateway(core) || (knows_broker_gateway(core) && broker);
                let healthy = observed(&member.name, core, broker_gateway, paired.then_some(role));
                topology.push(TopologyEntry {
                    id: 100 + at,
                    address: format!("10.0.0.{}", member.name),
                    failover: paired.then_some(role),
                });
                let agent = if clean { healthy.clone() } else { spoil(healthy.clone(), &mut dice) };
                if agent == healthy {
                    let real =
                        Agent::new(member.name.clone(), core.clone()).with_broker_gateway(broker_gateway);
                    truth.iter_mut().for_each(|truth| truth.push(real.clone()));
                } else {
                    truth = None;
                }
                seen.push(agent);
                if role == FailoverRole::Backup {
                    main.failover = Some(member);
                }
            }
            declared.push(main);
        }
        let consent = Consent {
            downgrade: dice.random_bool(0.5),
            older_fixes: dice.random_bool(0.3),
            patched_packages: false,
        };
        let vault = (0..dice.random_range(0..4)).map(|_| backup(&near(stage, &mut dice, &to))).collect();
        let name = ClusterName::new("random").expect("a cluster's name");
        let mut cluster = Cluster::new(name.clone(), to.clone(), declared);
        cluster.software.web_apps = web.clone();
        cluster.upgrade.accept_older_fixes = consent.older_fixes;
        cluster.downgrade.policy =
            if consent.downgrade { DowngradePolicy::Allow } else { DowngradePolicy::Forbid };
        cluster.approval = Approval::Never;
        let observation =
            Observation { cluster: name, taken_at: time(), topology: Some(topology), agents: seen };
        Self {
            stage,
            store,
            desired: resolve(cluster, None),
            observation,
            vault,
            to,
            web,
            consent,
            agents: truth,
            state: PlanState::default(),
        }
    }

    fn input(&self, reversed: bool) -> PlanInput<'_> {
        PlanInput {
            desired: &self.desired,
            observation: Some(&self.observation),
            catalog: if reversed { &self.store.reversed } else { &self.store.catalog },
            knowledge: &self.stage.knowledge,
            vault: &self.vault,
            state: &self.state,
            now: time(),
            mode: PlanMode::Offline,
        }
    }

    fn reverse(&mut self) {
        self.observation.agents.reverse();
        self.observation.topology.iter_mut().for_each(|topology| topology.reverse());
        self.vault.reverse();
        for agent in &mut self.observation.agents {
            agent.owed.iter_mut().for_each(|owed| owed.reverse());
            agent.backups.iter_mut().for_each(|backups| backups.reverse());
        }
    }

    /// The system as it really is, where the observation is of that and of nothing else.
    fn truth(&self) -> Option<System> {
        let mut system = System::new(self.agents.clone()?).with_consent(self.consent);
        for backup in &self.vault {
            let level: Version = backup.content.as_deref()?.parse().ok()?;
            system = system.with_saved(backup.sha256.clone()?, Level::of(&level));
        }
        Some(system)
    }

    /// See `judge::is_decided`. Of laggards the target is what the others run (D5).
    fn is_decided(&self, plan: &Plan, broken: &Broken) -> bool {
        let Broken::Rule { step, violation } = broken else { return false };
        let runs = |name: &str| {
            let mut cores = self.observation.agents.iter().filter_map(|agent| agent.core.as_deref());
            cores.any(|core| core.parse().is_ok_and(|core: Version| core.release_name() == name))
        };
        let broken_by = plan.steps.iter().find(|made| Some(&made.id) == step.as_ref());
        let joined = broken_by.and_then(|made| made.to.as_deref()).filter(|name| runs(name));
        let joined = joined.and_then(|name| name.parse().ok());
        let cu19 = Version::new(10, 0, 0).with_cu(19);
        violation.rule == Rule::StopAt100Cu19
            && Level::of(joined.as_ref().unwrap_or(&self.to)) < Level::of(&cu19)
    }
}

fn time() -> Timestamp {
    NOW.parse().expect("a timestamp")
}

fn pick(stage: &Stage, dice: &mut StdRng, store: &Store) -> Version {
    let among = if dice.random_bool(0.9) { store.releases() } else { &stage.releases };
    among.choose(dice).expect("there are releases").clone()
}

/// A release not far from this one, so that most changes are a hop or two.
fn near(stage: &Stage, dice: &mut StdRng, to: &Version) -> Version {
    let at = stage.releases.iter().position(|release| release == to).unwrap_or(0);
    let low = at.saturating_sub(40);
    let high = (at + 25).min(stage.releases.len() - 1);
    stage.releases[dice.random_range(low..=high)].clone()
}

fn member(at: u32, suffix: &str) -> Member {
    let name = AgentName::new(format!("dma-{at:02}{suffix}")).expect("the test names Agents properly");
    Member { host: format!("{name}.example"), name, port: 22, host_keys: Vec::new(), ssh: None }
}

fn observed(
    name: &AgentName,
    core: &Version,
    broker_gateway: bool,
    role: Option<FailoverRole>,
) -> AgentObservation {
    AgentObservation {
        address: Some(format!("10.0.0.{name}")),
        core: Some(core.to_string()),
        web_apps: Some(core.to_string()),
        state: Some(AgentState::Running),
        failover: role.map(|role| FailoverState { role, online: Some(role == FailoverRole::Main) }),
        broker_gateway: Some(broker_gateway),
        swarming: Some(false),
        expired_users: Some(false),
        default_upgrade_options: Some(false),
        pending_reboot: Some(false),
        free_disk: Some(ByteSize(200 << 30)),
        dotnet: Some(["5.0.17", "6.0.36", "8.0.11", "10.0.1"].map(str::to_owned).to_vec()),
        ..AgentObservation::new(name.clone(), true)
    }
}

fn backup(level: &Version) -> Backup {
    let file = format!("content of {level}.zip");
    Backup {
        at: Some(time()),
        sha256: Some(Sha256::of(file.as_bytes())),
        content: Some(level.to_string()),
        vault: true,
        ..Backup::new(file)
    }
}

/// Something is not known, not well, or not finished.
fn spoil(mut agent: AgentObservation, dice: &mut StdRng) -> AgentObservation {
    match dice.random_range(0..24) {
        0 => return AgentObservation::new(agent.name, false),
        1 => agent.core = None,
        2 => agent.core = Some("10.5.0.0-99999-20260101-release".to_owned()),
        3 => agent.core = Some("HF_10.5.0.0(CU9)_20260101-101010".to_owned()),
        4 => agent.core = Some("no version at all".to_owned()),
        5 => agent.web_apps = None,
        6 => agent.web_apps = Some("10.6.1".to_owned()),
        7 => agent.state = Some(AgentState::Stopped),
        8 => agent.state = None,
        9 => agent.broker_gateway = None,
        10 => agent.broker_gateway = agent.broker_gateway.map(|seen| !seen),
        11 => agent.expired_users = Some(true),
        12 => agent.default_upgrade_options = Some(true),
        13 => agent.pending_reboot = Some(true),
        14 => agent.free_disk = Some(ByteSize(1)),
        15 => agent.dotnet = Some(Vec::new()),
        16 => agent.owed = Some(owed(dice)),
        17 => agent.swarming = Some(true),
        18 => agent.failover = Some(FailoverState { role: FailoverRole::Backup, online: None }),
        19 => agent.backups = Some(vec![Backup::new("a.zip"), backup(&Version::new(10, 5, 0).with_cu(3))]),
        _ => {}
    }
    agent
}

fn owed(dice: &mut StdRng) -> Vec<OwedWork> {
    let work = |action, module: Option<&str>| OwedWork {
        id: JobId::new(format!("job-{}", dice_of(action))).ok(),
        action,
        backup: (action == Action::RestoreContent).then(|| Sha256::of(b"owed")),
        module: module.map(str::to_owned),
    };
    let restore = work(Action::RestoreContent, None);
    let module = work(Action::ReinstallModule, Some("DataMiner GQI"));
    match dice.random_range(0..3) {
        0 => vec![restore],
        1 => vec![module],
        _ => vec![restore, module],
    }
}

fn dice_of(action: Action) -> u8 {
    if action == Action::RestoreContent { 1 } else { 2 }
}
