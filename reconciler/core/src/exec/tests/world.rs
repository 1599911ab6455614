//! A world that the machine can act on, in virtual time: Agents, jobs, a journal and a clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dataminer_schema::{
    id::{AgentName, Sha256},
    plan::{Action, Plan},
    v1::{
        cluster::Window,
        observation::{AgentObservation, AgentState, Observation, OwedWork},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::plans;
use crate::{
    catalog::Catalog,
    desired::Desired,
    exec::{
        checks::{Checked, PrerequisiteRun},
        effect::{Effect, EffectKind, Failure, Job, JobEnd, Meanwhile, Outcome},
        expected::{is_install, is_tail},
        finish::Finish,
        journal::{JournalEntry, Record, Started},
        machine::{Machine, Next},
        policy::ExecPolicy,
    },
};

pub(super) const OLD: &str = "10.4.12.0-15123-20241204-release";
pub(super) const MIDDLE: &str = "10.5.12.0-16500-20251120-release";
pub(super) const NEW: &str = "10.6.4.0-16900-20260401-release";

/// Content that no backup holds yet.
pub(super) const USERS: &str = "the users' work";

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
    /// Still runs at its deadline, having changed nothing.
    TimesOut,
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
    /// What lies in Applications and Dashboards of each Agent: the digest of a backup, or the users' work.
    pub(super) content: BTreeMap<&'static str, String>,
    /// Modules that a lowering install left broken, by Agent.
    pub(super) broken: BTreeMap<&'static str, BTreeSet<String>>,
    /// What VersionHistory.txt gets when DataMiner comes up.
    pub(super) due: Option<&'static str>,
    /// Whether anything was lowered, so that content and modules are owed.
    pub(super) lowered: bool,
    /// What the plan at hand owes once its first job runs.
    owing: Vec<OwedWork>,
    /// Fates of the restores and module jobs to come.
    pub(super) tail_fates: Vec<Fate>,
    /// At these comparisons (counted from 1) a peer has put old files back on a2.
    pub(super) synchronised: BTreeSet<u32>,
    pub(super) comparisons: u32,
    /// Ids of the jobs that really ran.
    pub(super) ran: Vec<String>,
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
    /// What becomes of the check jobs to come; without one every check passes.
    pub(super) checks: Vec<Outcome>,
    /// Check jobs that ran, and how each ended.
    pub(super) checked: BTreeMap<String, Outcome>,
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
            content: ["a1", "a2"].map(|name| (name, USERS.to_owned())).into(),
            broken: BTreeMap::new(),
            due: None,
            lowered: false,
            owing: Vec::new(),
            tail_fates: Vec::new(),
            synchronised: BTreeSet::new(),
            comparisons: 0,
            ran: Vec::new(),
            fates: Vec::new(),
            jobs: BTreeMap::new(),
            installed: Vec::new(),
            done: Vec::new(),
            journal: Vec::new(),
            events: 0,
            failing: 0,
            flaps: 0,
            observations: 0,
            checks: Vec::new(),
            checked: BTreeMap::new(),
        }
    }

    /// All Agents on `core`, with these web apps.
    pub(super) fn on(core: &str, web: Option<&str>) -> Self {
        let mut world = Self::new();
        for agent in world.agents.values_mut() {
            agent.core = Some(core.to_owned());
            agent.web_apps = web.map(str::to_owned);
            agent.owed = Some(Vec::new());
        }
        world
    }

    /// The process and its store are gone; the Agents stay as they are.
    pub(super) fn forget(&mut self) {
        self.journal.clear();
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
        let steps = &machine.plan().steps;
        self.owing.clear();
        if steps.iter().any(|step| is_install(step.action)) {
            let tail = steps.iter().filter(|step| is_tail(step.action));
            self.owing.extend(tail.map(|step| OwedWork {
                id: format!("{}-{}", machine.plan().id.short(), step.id).parse().ok(),
                action: step.action,
                backup: step.backup.as_ref().map(|backup| backup.sha256.clone()),
                module: step.module.clone(),
            }));
        }
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
        if self.lowered && !self.is_whole() {
            assert!(self.notes().iter().all(|notes| !notes.is_empty()), "owed silently: {:?}", self.done);
        }
        (crash != Crash::After(self.events)).then_some(())
    }

    pub(super) fn pass(&mut self, seconds: i64) {
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
            EffectKind::StagePackage { package, .. } => {
                let outcome = self.quiet(format!("stage {}", package.file));
                let copy =
                    package.patch.as_ref().map(|patch| format!("{} lacks {}", package.sha256, patch.removes));
                match copy {
                    Some(copy) if outcome == Outcome::Done => Outcome::Patched(Sha256::of(copy.as_bytes())),
                    _ => outcome,
                }
            }
            EffectKind::RunPrerequisites(run) => self.check(run),
            EffectKind::SaveBackup { .. } => self.quiet("save".to_owned()),
            EffectKind::CleanUp { .. } => self.quiet("clean".to_owned()),
            EffectKind::Owe { agents, work } => {
                assert!(agents.len() == 2, "every Agent is told");
                self.each_note("owe", |notes| {
                    notes.retain(|note| !work.contains(note));
                    notes.extend(work.iter().cloned());
                })
            }
            EffectKind::Acquit { agents, notes: ids } => {
                assert!(agents.len() == 2, "every Agent is told");
                let whole = self.is_whole();
                assert!(whole || !self.lowered, "acquitted what is owed: {:?}", self.done);
                self.each_note("acquit", |notes| {
                    notes.retain(|note| !note.id.as_ref().is_some_and(|id| ids.contains(id)));
                })
            }
            EffectKind::VerifyContent { backup, .. } => self.compare(backup.sha256.as_str()),
            EffectKind::RestoreContent(restore) => {
                let content = restore.backup.sha256.to_string();
                self.tail(&restore.id, "restore", |world, name| {
                    world.content.insert(name, content.clone());
                })
            }
            EffectKind::ReinstallModule(install) => {
                let module = install.module.clone();
                let comes_up = install.dataminer == Meanwhile::StartedAgain;
                self.tail(&install.id, "reinstall", |world, name| {
                    world.broken.entry(name).or_default().remove(&module);
                    if let (true, Some(core), Some(agent)) = (comes_up, world.due, world.agents.get_mut(name))
                    {
                        (agent.core, agent.state) = (Some(core.to_owned()), Some(AgentState::Running));
                    }
                })
            }
        }
    }

    pub(super) fn quiet(&mut self, what: String) -> Outcome {
        self.pass(60);
        if self.failing > 0 {
            self.failing -= 1;
            return Outcome::Failed(lost());
        }
        self.done.push(what);
        Outcome::Done
    }

    /// An ensure: checks that ran under this id are not run again.
    fn check(&mut self, run: &PrerequisiteRun) -> Outcome {
        assert!(run.agents.len() == 2 && run.deadline > self.now, "every Agent is checked: {run:?}");
        if let Some(outcome) = self.checked.get(run.id.as_str()) {
            return outcome.clone();
        }
        let passed = || Outcome::Checked(Checked { passed: 4, findings: Vec::new() });
        let outcome = if self.checks.is_empty() { passed() } else { self.checks.remove(0) };
        let outcome = match self.quiet(format!("check {}", run.id)) {
            Outcome::Done => outcome,
            failed => return failed,
        };
        if !matches!(outcome, Outcome::JobEnded(JobEnd::Refused { .. }) | Outcome::Failed(_)) {
            self.checked.insert(run.id.to_string(), outcome.clone());
        }
        outcome
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
        for notes in self.notes() {
            let tool = job.action == Action::RunTool;
            let noted = tool || self.owing.iter().all(|work| notes.contains(work));
            assert!(noted, "a job began before its notes lay on every Agent");
        }
        self.ran.push(job.id.to_string());
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
            Fate::TimesOut => JobEnd::TimedOut { log_tail: Vec::new() },
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
            let to = job.to.as_deref().unwrap_or_default();
            match job.action {
                Action::UpgradeWeb | Action::DowngradeWeb => agent.web_apps = Some(to.to_owned()),
                Action::RunTool if job.package.file == plans::MIGRATION => agent.broker_gateway = Some(true),
                Action::RunTool => {}
                Action::InstallHotfix => {
                    agent.core = job.package.file.strip_suffix(".dmupgrade").map(str::to_owned);
                }
                _ => {
                    let core = [OLD, MIDDLE, NEW].into_iter().find(|core| core.starts_with(to));
                    agent.core = core.map(str::to_owned);
                    agent.web_apps = None;
                }
            }
            if !self.owing.is_empty() && job.action != Action::RunTool {
                self.lowered = true;
                let modules = self.owing.iter().filter_map(|work| work.module.clone()).collect();
                self.broken.insert(name, modules);
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

pub(super) fn machine(world: &World) -> Machine {
    machine_in(world, Vec::new())
}

pub(super) fn machine_in(world: &World, windows: Vec<Window>) -> Machine {
    machine_of(world, plans::upgrade(), windows)
}

pub(super) fn machine_of(world: &World, plan: Plan, windows: Vec<Window>) -> Machine {
    let policy = ExecPolicy::for_plan(&plan);
    let desired = wanted(&plan, windows);
    Machine::new(plan, desired, Arc::new(Catalog::default()), policy, world.now)
}

pub(super) fn resumed(world: &World) -> Machine {
    resumed_of(world, plans::upgrade())
}

pub(super) fn resumed_of(world: &World, plan: Plan) -> Machine {
    let policy = ExecPolicy::for_plan(&plan);
    let desired = wanted(&plan, Vec::new());
    Machine::resume(plan, desired, Arc::new(Catalog::default()), policy, &world.journal, world.now)
}

/// Plans that owe have many boundaries to die at, so their health settles soon.
fn wanted(plan: &Plan, windows: Vec<Window>) -> Desired {
    let mut desired = plans::desired(windows);
    if plan.steps.iter().any(|step| is_tail(step.action)) {
        desired.cluster.health.settle = SignedDuration::from_secs(20);
    }
    desired
}
