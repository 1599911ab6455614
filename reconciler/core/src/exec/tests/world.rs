//! A world that the machine can act on, in virtual time: Agents, jobs, a journal and a clock.

use std::{collections::BTreeMap, sync::Arc};

use dataminer_schema::{
    id::{AgentName, PlanId, Sha256},
    plan::{
        Action, AgentVersions, Change, Disruption, FORMAT_VERSION, KnownIssues, Plan, PlanResult, Step,
        VersionPair,
    },
    quantity::ByteSize,
    v1::{
        cluster::{
            Agent, Cluster, Connection, Downgrade, FailoverPolicy, Health, Member, RunAs, Software, Upgrade,
            UpgradeOptions, WebUpgrades, Window,
        },
        observation::{AgentObservation, AgentState, Observation},
    },
    version::WebWanted,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    catalog::Catalog,
    desired::{Desired, resolve},
    exec::{
        effect::{Effect, EffectKind, Failure, Job, JobEnd, Outcome},
        finish::Finish,
        journal::{JournalEntry, Record, Started},
        machine::{Machine, Next},
        policy::ExecPolicy,
    },
};

pub(super) const OLD: &str = "10.4.12.0-15123-20241204-release";
pub(super) const MIDDLE: &str = "10.5.12.0-16500-20251120-release";
pub(super) const NEW: &str = "10.6.4.0-16900-20260401-release";

/// What becomes of a job.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Succeeds,
    /// Ends with a code, changing nothing.
    Exits(i64, Vec<String>),
    /// Dies; only these Agents got the new version.
    Vanishes(Vec<&'static str>),
    Refuses(crate::exec::effect::Refusal),
    /// Ends well, but these Agents never come back healthy.
    LeavesIll(Vec<&'static str>),
    /// The driver loses sight of it once, then it is found again and succeeds.
    LostSight(Failure),
}

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    Never,
    /// After so many events; an event is an entry of the journal or an effect performed.
    After(usize),
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) agents: BTreeMap<&'static str, AgentObservation>,
    /// Fates of the jobs to come, in order; without one a job succeeds.
    pub(super) fates: Vec<Fate>,
    /// Jobs that were started, and how each ended.
    pub(super) jobs: BTreeMap<String, JobEnd>,
    /// Every package that was really installed, in order.
    pub(super) installed: Vec<String>,
    /// Every effect in the order of performing, without observations.
    pub(super) done: Vec<String>,
    pub(super) journal: Vec<JournalEntry>,
    pub(super) events: usize,
    /// Fails so many quiet effects to come.
    pub(super) failing: u32,
    /// Agents that flap: not Running in every second observation, so many times.
    pub(super) flaps: u32,
    pub(super) observations: u32,
}

impl World {
    pub(super) fn new() -> Self {
        let agents = ["a1", "a2"].map(|name| {
            let mut agent = AgentObservation::new(agent(name), true);
            agent.core = Some(OLD.to_owned());
            agent.state = Some(AgentState::Running);
            (name, agent)
        });
        Self {
            now: "2026-11-21T21:00:00Z".parse().expect("a time"),
            agents: agents.into(),
            fates: Vec::new(),
            jobs: BTreeMap::new(),
            installed: Vec::new(),
            done: Vec::new(),
            journal: Vec::new(),
            events: 0,
            failing: 0,
            flaps: 0,
            observations: 0,
        }
    }

    /// Runs `machine` until it finishes, or until the process dies: then `None`.
    pub(super) fn drive(&mut self, machine: &mut Machine, crash: Crash) -> Option<Finish> {
        self.drive_with(machine, crash, |_, _| {})
    }

    /// The same; `each` may interfere before every turn.
    pub(super) fn drive_with(
        &mut self,
        machine: &mut Machine,
        crash: Crash,
        mut each: impl FnMut(&mut Self, &mut Machine),
    ) -> Option<Finish> {
        if self.journal.is_empty() {
            let started = Started {
                cluster: "brussels".parse().expect("a cluster name"),
                plan: machine.plan().id.clone(),
                commit: None,
                desired: Sha256::of(b"wanted"),
                generation: 1,
                first_attempt: 1,
                preparation: false,
            };
            self.append(Record::OperationStarted(started), crash)?;
        }
        for _ in 0..20_000 {
            each(self, machine);
            match machine.next(self.now) {
                Next::Effect(effect) => {
                    self.append(Record::Intent { effect: effect.clone() }, crash)?;
                    let outcome = self.perform(&effect);
                    self.event(crash)?;
                    self.append(
                        Record::Outcome { effect: effect.id, outcome: outcome.for_journal() },
                        crash,
                    )?;
                    machine.handle(self.now, effect.id, outcome);
                }
                Next::Wait { until, .. } => {
                    assert!(until > self.now, "a wait must be in the future");
                    self.now = until;
                }
                Next::Finished(finish) => {
                    self.append(Record::Finished { finish: finish.clone() }, crash)?;
                    return Some(finish);
                }
            }
        }
        panic!("the machine does not come to an end");
    }

    fn append(&mut self, record: Record, crash: Crash) -> Option<()> {
        self.journal.push(JournalEntry { at: self.now, record });
        self.event(crash)
    }

    fn event(&mut self, crash: Crash) -> Option<()> {
        self.events += 1;
        (crash != Crash::After(self.events)).then_some(())
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .expect("the tests end before the end of time");
    }

    fn perform(&mut self, effect: &Effect) -> Outcome {
        match &effect.kind {
            EffectKind::Observe => {
                self.pass(1);
                Outcome::Observed(Box::new(self.observe()))
            }
            EffectKind::RunJob(job) => self.run(job),
            EffectKind::StagePackage { package, .. } => self.quiet(format!("stage {}", package.file)),
            EffectKind::SaveBackup { .. } => self.quiet("save".to_owned()),
            EffectKind::CleanUp { .. } => self.quiet("clean".to_owned()),
            EffectKind::Owe { .. } => self.quiet("owe".to_owned()),
            EffectKind::Acquit { .. } => self.quiet("acquit".to_owned()),
            EffectKind::VerifyContent { .. } => self.quiet("verify content".to_owned()),
            EffectKind::RestoreContent(_) => self.quiet("restore".to_owned()),
            EffectKind::ReinstallModule(_) => self.quiet("reinstall".to_owned()),
        }
    }

    fn quiet(&mut self, what: String) -> Outcome {
        self.pass(60);
        if self.failing > 0 {
            self.failing -= 1;
            return Outcome::Failed(lost());
        }
        self.done.push(what);
        Outcome::Done
    }

    fn observe(&mut self) -> Observation {
        self.observations += 1;
        let mut agents: Vec<AgentObservation> = self.agents.values().cloned().collect();
        if self.flaps > 0 && self.observations.is_multiple_of(2) {
            self.flaps -= 1;
            agents[1].state = Some(AgentState::Starting);
        }
        Observation {
            cluster: "brussels".parse().expect("a cluster name"),
            taken_at: self.now,
            topology: None,
            agents,
        }
    }

    fn run(&mut self, job: &Job) -> Outcome {
        self.done.push(format!("run {}", job.id));
        // An ensure: a job that exists is found again, not run again.
        if let Some(end) = self.jobs.get(job.id.as_str()) {
            return Outcome::JobEnded(end.clone());
        }
        let fate = if self.fates.is_empty() { Fate::Succeeds } else { self.fates.remove(0) };
        self.pass(30 * 60);
        if let Fate::LostSight(failure) = fate {
            self.fates.insert(0, Fate::Succeeds);
            return Outcome::Failed(failure);
        }
        let end = match fate {
            Fate::Succeeds | Fate::LostSight(_) => {
                self.install(job, &["a1", "a2"]);
                JobEnd::Exited { code: 0, log_tail: Vec::new() }
            }
            Fate::Exits(code, log_tail) => JobEnd::Exited { code, log_tail },
            Fate::Vanishes(changed) => {
                self.install(job, &changed);
                JobEnd::Vanished
            }
            Fate::Refuses(reason) => JobEnd::Refused { reason },
            Fate::LeavesIll(ill) => {
                self.install(job, &["a1", "a2"]);
                for name in ill {
                    self.agents.get_mut(name).expect("an Agent of the test").state =
                        Some(AgentState::Stopped);
                }
                JobEnd::Exited { code: 0, log_tail: Vec::new() }
            }
        };
        self.jobs.insert(job.id.to_string(), end.clone());
        Outcome::JobEnded(end)
    }

    fn install(&mut self, job: &Job, agents: &[&'static str]) {
        if !agents.is_empty() {
            self.installed.push(job.package.file.clone());
        }
        for name in agents {
            let agent = self.agents.get_mut(name).expect("an Agent of the test");
            match job.action {
                Action::UpgradeWeb => agent.web_apps = Some(job.to.clone()),
                _ => {
                    agent.core = Some(if job.to == "10.5.12" { MIDDLE } else { NEW }.to_owned());
                    agent.web_apps = None;
                }
            }
        }
    }

    pub(super) fn cores(&self) -> Vec<&str> {
        self.agents.values().filter_map(|agent| agent.core.as_deref()).collect()
    }
}

pub(super) fn lost() -> Failure {
    Failure {
        disposition: crate::exec::effect::Disposition::Retry,
        reason: "AgentUnreachable".to_owned(),
        message: "the connection to a1 was lost".to_owned(),
        help: "check the network".to_owned(),
        agents: vec![agent("a1")],
    }
}

pub(super) fn agent(name: &str) -> AgentName {
    name.parse().expect("an Agent name")
}

pub(super) fn desired(windows: Vec<Window>) -> Desired {
    let member = |name: &str| Agent {
        member: Member {
            name: agent(name),
            host: name.to_owned(),
            port: 22,
            host_keys: Vec::new(),
            ssh: None,
        },
        failover: None,
    };
    resolve(
        Cluster {
            name: "brussels".parse().expect("a cluster name"),
            labels: BTreeMap::new(),
            suspend: false,
            software: Software {
                core: "10.6.4".parse().expect("a version"),
                web_apps: WebWanted::Version("10.6.6".parse().expect("a version")),
            },
            agents: vec![member("a1"), member("a2")],
            connection: Connection::default(),
            upgrade: Upgrade {
                failover_policy: FailoverPolicy::Simultaneously,
                options: UpgradeOptions::default(),
                run_as: RunAs::SshUser,
                stage_ahead: SignedDuration::from_hours(72),
                web_upgrades: WebUpgrades::InWindow,
                accept_older_fixes: false,
                min_free_disk: ByteSize(0),
            },
            downgrade: Downgrade::default(),
            windows,
            health: Health { settle: SignedDuration::from_mins(5), timeout: SignedDuration::from_mins(45) },
        },
        None,
    )
}

/// Two hops and the web apps: 10.4.12 -> 10.5.12 -> 10.6.4, web 10.6.6.
pub(super) fn plan() -> Plan {
    let all = vec![agent("a1"), agent("a2")];
    let mut steps = Vec::new();
    let mut push = |action: Action, to: Option<(&str, Option<u32>)>, disruption: Disruption| {
        let package = to.map(|(to, _)| format!("{to}.dmupgrade"));
        steps.push(Step {
            id: (steps.len() + 1).to_string(),
            action,
            from: None,
            to: to.map(|(to, _)| to.to_owned()),
            build: to.and_then(|(_, build)| build),
            sha256: package.as_ref().map(|package| Sha256::of(package.as_bytes())),
            package,
            backup: None,
            module: None,
            agents: if action == Action::StagePackage { vec![agent("a1")] } else { all.clone() },
            disruption,
            rules: Vec::new(),
            reason: "for the test".to_owned(),
            ready: disruption == Disruption::None,
            estimate: None,
        });
    };
    let (middle, new, web) =
        (Some(("10.5.12", Some(16500))), Some(("10.6.4", Some(16900))), Some(("10.6.6", None)));
    push(Action::StagePackage, middle, Disruption::None);
    push(Action::StagePackage, new, Disruption::None);
    push(Action::StagePackage, web, Disruption::None);
    push(Action::SaveBackup, None, Disruption::None);
    push(Action::UpgradeCore, middle, Disruption::Restart);
    push(Action::VerifyCluster, None, Disruption::None);
    push(Action::UpgradeCore, new, Disruption::Restart);
    push(Action::VerifyCluster, None, Disruption::None);
    push(Action::UpgradeWeb, web, Disruption::WebServer);
    push(Action::VerifyCluster, None, Disruption::None);
    push(Action::CleanUp, None, Disruption::None);
    let versions = |name| AgentVersions {
        name: agent(name),
        core: Some("10.4.12".to_owned()),
        build: Some(15123),
        web_apps: None,
    };
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        cluster: "brussels".parse().expect("a cluster name"),
        commit: None,
        id: PlanId::from_sha256(&Sha256::of(b"plan")),
        result: PlanResult::Ready,
        change: Change::Upgrade,
        from: VersionPair { core: Some("10.4.12".to_owned()), build: Some(15123), web_apps: None },
        to: VersionPair { core: Some("10.6.4".to_owned()), build: None, web_apps: Some("10.6.6".to_owned()) },
        agents: vec![versions("a1"), versions("a2")],
        steps,
        blocked: Vec::new(),
        waiting: Vec::new(),
        warnings: Vec::new(),
        known_issues: KnownIssues::default(),
        content_loss: None,
    }
}

pub(super) fn machine(world: &World) -> Machine {
    machine_in(world, Vec::new())
}

pub(super) fn machine_in(world: &World, windows: Vec<Window>) -> Machine {
    let plan = plan();
    let policy = ExecPolicy::for_plan(&plan);
    Machine::new(plan, desired(windows), Arc::new(Catalog::default()), policy, world.now)
}

pub(super) fn resumed(world: &World) -> Machine {
    let plan = plan();
    let policy = ExecPolicy::for_plan(&plan);
    Machine::resume(
        plan,
        desired(Vec::new()),
        Arc::new(Catalog::default()),
        policy,
        &world.journal,
        world.now,
    )
}
