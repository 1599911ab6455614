//! A story, told: every command carried out, and what it prints.

use std::sync::Arc;

use dataminer_core::{
    exec::{
        checks::Checked,
        effect::{EffectKind, Failure, JobEnd, Outcome},
    },
    knowledge::Knowledge,
    plan::PlanMode,
};
use dataminer_schema::{
    id::{ClusterName, PlanId},
    plan::PlanResult,
    status::ClusterState,
    v1::catalog::Package,
    version::WebWanted,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    command::{Command, Look, Until},
    fault::{On, work},
    manifest::Manifest,
    names::Names,
    process::{Next, Process, Target},
    releases::{self, Item},
    script::{self, Script},
    show,
    world::World,
};

/// More turns than this in one run are a loop.
const MOST_TURNS: u32 = 2_000;

/// While nothing else is to be waited for, a run looks this often: windows come near, Advisories expire.
const LOOK: SignedDuration = SignedDuration::from_hours(1);

/// What is printed, and what it is printed with.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) lines: Vec<String>,
    pub(crate) names: Names,
    zone: TimeZone,
    agents: usize,
    crashes: Vec<(bool, On)>,
}

impl Teller {
    /// Prints a line with the time of the cluster.
    pub(crate) fn say(&mut self, at: Timestamp, text: impl AsRef<str>) {
        self.lines.push(format!("{}  {}", show::moment(at, &self.zone), text.as_ref()));
    }

    /// `plan 1`.
    pub(crate) fn plan_name(&self, id: &PlanId) -> String {
        self.names.plan(id)
    }

    /// Whether the process dies before or after this work.
    pub(crate) fn dies(&mut self, before: bool, effect: &EffectKind) -> bool {
        let at = self.crashes.iter().position(|(when, on)| *when == before && on.is(effect));
        at.map(|at| self.crashes.remove(at)).is_some()
    }

    /// Prints what users notice, and what went wrong.
    pub(crate) fn worked(&mut self, began: Timestamp, effect: &EffectKind, outcome: &Outcome, world: &World) {
        let (Some(action), to) = work(effect) else { return };
        let agents = match effect {
            EffectKind::RunJob(job) => &job.agents,
            EffectKind::RestoreContent(restore) => &restore.agents,
            EffectKind::ReinstallModule(install) => &install.agents,
            _ => return self.trouble(world.now, &format!("{action:?}"), outcome),
        };
        let what = match effect {
            EffectKind::RestoreContent(restore) => Some(restore.backup.file.as_str()),
            EffectKind::ReinstallModule(install) => Some(install.module.as_str()),
            _ => to,
        };
        let what = what.map(|what| format!(" {what}")).unwrap_or_default();
        let who = show::who(agents, self.agents);
        let work = format!("{action:?}{what} on {who}");
        match outcome {
            Outcome::JobEnded(JobEnd::Exited { code: 0, .. }) => {
                let took = show::span(began, world.now);
                self.say(began, format!("{work}, {took}"));
            }
            _ => self.trouble(world.now, &work, outcome),
        }
    }

    fn trouble(&mut self, at: Timestamp, work: &str, outcome: &Outcome) {
        let what = match outcome {
            Outcome::Done | Outcome::Observed(_) | Outcome::Saved(_) | Outcome::Patched(_) => return,
            Outcome::JobEnded(JobEnd::Exited { code, .. }) => format!("ends with code {code}"),
            Outcome::JobEnded(JobEnd::Vanished) => "dies without an exit code".to_owned(),
            Outcome::JobEnded(JobEnd::Refused { reason }) => format!("is refused ({reason:?})"),
            Outcome::JobEnded(JobEnd::TimedOut { .. }) => "still runs at its deadline".to_owned(),
            Outcome::Checked(Checked { findings, .. }) => match findings.first() {
                Some(finding) => format!("{} fails on {}", finding.check, finding.agent),
                None => return,
            },
            Outcome::Failed(Failure { message, .. }) => message.clone(),
        };
        self.say(at, format!("{work}: {what}"));
    }
}

/// The stage of a story.
#[derive(Debug)]
pub(crate) struct Story {
    now: Option<Timestamp>,
    manifest: Option<Manifest>,
    target: Option<Target>,
    packages: Vec<Package>,
    knowledge: Knowledge,
    world: Option<World>,
    process: Process,
    teller: Teller,
}

impl Story {
    /// An empty stage.
    fn new() -> Self {
        Self {
            now: None,
            manifest: None,
            target: None,
            packages: Item::Everything.packages(),
            knowledge: Knowledge::default(),
            world: None,
            process: Process::default(),
            teller: Teller {
                lines: Vec::new(),
                names: Names::default(),
                zone: TimeZone::UTC,
                agents: 0,
                crashes: Vec::new(),
            },
        }
    }

    /// Tells `script`; the same script with what was printed by now, and what is wrong however it was written.
    pub(crate) fn tell(mut script: Script) -> Result<Script, String> {
        let mut story = Self::new();
        for item in &mut script.items {
            let script::Item::Step(step) = item else { continue };
            let command = Command::parse(step)?;
            story.act(command, &step.block).map_err(|wrong| format!("line {}: {wrong}", step.line))?;
            let printed = std::mem::take(&mut story.teller.lines);
            step.printed = printed.iter().map(|line| story.teller.names.simplify(line)).collect();
            if let Some(world) = &mut story.world
                && !world.violations.is_empty()
            {
                let broken = world.violations.join("; ");
                return Err(format!("line {}: DataMiner would not survive this: {broken}", step.line));
            }
        }
        // What was announced and never came tells another story than the one that is meant.
        let faults = story.world.iter().flat_map(|world| world.faults.iter().map(|(on, _, _)| on));
        let crashes = story.teller.crashes.iter().map(|(_, on)| on);
        match faults.chain(crashes).next() {
            Some(on) => Err(format!("{:?} was to go wrong, and was never reached", on.action)),
            None => Ok(script),
        }
    }

    fn act(&mut self, command: Command, block: &[String]) -> Result<(), String> {
        match command {
            Command::At(time) => self.go_on_to(time),
            Command::Advance(span) => {
                let time = self.time()?.checked_add(span).map_err(|error| error.to_string())?;
                self.go_on_to(time)
            }
            Command::Cluster(name) => {
                self.manifest = Some(Manifest::new(&name, block)?);
                Ok(())
            }
            Command::Agents { names, core, web } => self.agents(&names, &core, web.as_deref()),
            Command::Agent { name, facts } => {
                for member in self.world()?.members_mut(name.as_deref())? {
                    for (field, value) in &facts {
                        member.set(field, value)?;
                    }
                }
                self.world()?.renew();
                Ok(())
            }
            Command::Catalogue { items, but } => {
                self.packages = items.iter().flat_map(Item::packages).collect();
                self.packages.retain(|package| !but.iter().any(|item| item.means(package)));
                self.catalogue()
            }
            Command::Add(items) => {
                self.packages.extend(items.iter().flat_map(Item::packages));
                self.catalogue()
            }
            Command::Remove(items) => {
                let before = self.packages.len();
                self.packages.retain(|package| !items.iter().any(|item| item.means(package)));
                if self.packages.len() == before {
                    return Err("no such package is there".to_owned());
                }
                self.catalogue()
            }
            Command::Commit(fields) => {
                let mut manifest = self.manifest.clone().ok_or("there is no `cluster` yet")?;
                for (path, value) in &fields {
                    manifest = manifest.with(path, value)?;
                }
                self.commit(manifest)
            }
            Command::Advisory { name, issue, expires, reason } => {
                let manifest = self.manifest.as_ref().ok_or("there is no `cluster` yet")?;
                self.commit(manifest.accepting(&name, &issue, &expires, &reason))
            }
            Command::Backup { name, file, at, level } => {
                let level = releases::release(&level)?;
                self.world()?.hold(name.as_deref(), &file, at, level)?;
                self.world()?.renew();
                Ok(())
            }
            Command::Edit => {
                self.world()?.renew();
                self.world()?.edit();
                Ok(())
            }
            Command::Fail { on, times, fault } => {
                self.world()?.faults.push((on, times, fault));
                Ok(())
            }
            Command::Crash { before, on } => {
                self.teller.crashes.push((before, on));
                Ok(())
            }
            Command::Die => {
                let world = self.world.as_mut().ok_or("there are no `agents` yet")?;
                self.process.die(world);
                self.teller.lines.push("the process dies".to_owned());
                Ok(())
            }
            Command::LoseStore => {
                self.process = Process::default();
                self.process.dead = true;
                Ok(())
            }
            Command::Approve => {
                let now = self.time()?;
                let told = match self.process.approve(now) {
                    Ok(id) => format!("{} is approved", self.teller.plan_name(&id)),
                    Err(why) => format!("not approved: {why}"),
                };
                self.teller.lines.push(told);
                Ok(())
            }
            Command::Retry => {
                self.process.forgive();
                Ok(())
            }
            Command::Abort => {
                match &mut self.process.operation {
                    Some(operation) => operation.machine.abort(),
                    None => self.teller.lines.push("nothing is under way".to_owned()),
                }
                Ok(())
            }
            Command::Takeover => {
                self.process.forgive();
                self.process.store.approval = None;
                self.process.store.unfinished = None;
                for member in self.world()?.members_mut(None)? {
                    member.seen.operation = None;
                }
                Ok(())
            }
            Command::Plan(look) => self.plan(look),
            Command::Run(until) => self.run(until),
            Command::Status => self.status(),
            Command::Versions => {
                let lines = show::versions(self.world()?);
                self.print(lines)
            }
            Command::Content => {
                let zone = self.teller.zone.clone();
                let lines = show::content(self.world()?, &zone);
                self.print(lines)
            }
            Command::Vault => {
                let lines = show::vault(self.world()?);
                self.print(lines)
            }
            Command::Forecast => {
                let target = self.target.as_ref().ok_or("there is no `cluster` yet")?;
                let lines = show::forecast(self.planned()?, &target.desired.cluster);
                self.print(lines)
            }
            Command::Warnings(codes) => {
                let lines = show::warnings(self.planned()?, &codes);
                self.print(lines)
            }
            Command::Issues(ids) => {
                let lines = show::issues(self.planned()?, &ids);
                self.print(lines)
            }
        }
    }

    fn print(&mut self, lines: Vec<String>) -> Result<(), String> {
        self.teller.lines.extend(lines);
        Ok(())
    }

    fn time(&self) -> Result<Timestamp, String> {
        self.now.ok_or_else(|| "what time is it? begin with `at TIME`".to_owned())
    }

    fn world(&mut self) -> Result<&mut World, String> {
        self.world.as_mut().ok_or_else(|| "there are no `agents` yet".to_owned())
    }

    fn planned(&self) -> Result<&dataminer_schema::plan::Plan, String> {
        self.process.plan.as_ref().ok_or_else(|| "there is no plan yet".to_owned())
    }

    fn go_on_to(&mut self, time: Timestamp) -> Result<(), String> {
        if self.now.is_some_and(|now| time < now) {
            return Err("the clock only goes on".to_owned());
        }
        self.now = Some(time);
        if let Some(world) = &mut self.world {
            world.now = time;
        }
        Ok(())
    }

    fn agents(
        &mut self,
        names: &[(String, Option<String>)],
        core: &str,
        web: Option<&str>,
    ) -> Result<(), String> {
        let now = self.time()?;
        let mut manifest = self.manifest.clone().ok_or("there is no `cluster` yet")?;
        manifest.declare(names);
        let web = web.filter(|web| *web != "unknown").map(releases::release).transpose()?;
        let name = ClusterName::new(manifest.name()).map_err(|error| error.to_string())?;
        let core = releases::release(core)?;
        let mut world = World::new(name, now, names, &core, web.as_ref())?;
        world.product.stock(&self.packages);
        self.world = Some(world);
        self.commit(manifest)?;
        match &self.target {
            Some(_) => Ok(()),
            None => Err(self.teller.lines.join("; ")),
        }
    }

    fn catalogue(&mut self) -> Result<(), String> {
        let catalog = Arc::new(releases::catalogue(&self.packages, &self.knowledge)?);
        if let Some(world) = &mut self.world {
            world.product.stock(&self.packages);
        }
        if let Some(target) = &mut self.target {
            target.catalog = catalog;
            self.process.wants(false);
        }
        Ok(())
    }

    /// Another commit; one with errors is told and set aside.
    fn commit(&mut self, manifest: Manifest) -> Result<(), String> {
        let desired = match manifest.desired() {
            Ok(desired) => desired,
            Err(diagnostics) => {
                let told = diagnostics
                    .iter()
                    .filter(|found| found.severity == dataminer_schema::diagnostic::Severity::Error);
                self.teller.lines.extend(told.map(|found| format!("{}: {}", found.code, found.message)));
                return Ok(());
            }
        };
        let catalog = Arc::new(releases::catalogue(&self.packages, &self.knowledge)?);
        let changed = self.target.as_ref().is_none_or(|target| target.desired.digest != desired.digest);
        self.teller.zone = show::zone(&desired.cluster);
        self.teller.agents = self.world.as_ref().map_or(0, |world| world.members.len());
        self.manifest = Some(manifest);
        self.target = Some(Target { desired, catalog, knowledge: self.knowledge.clone() });
        self.process.wants(changed);
        Ok(())
    }

    fn plan(&mut self, look: Look) -> Result<(), String> {
        let world = self.world.as_ref().ok_or("there are no `agents` yet")?;
        let target = self.target.as_ref().ok_or("there is no `cluster` yet")?;
        if !look.stale {
            self.process.observation = Some(world.observe());
        }
        let mode = if look.offline { PlanMode::Offline } else { PlanMode::Live };
        let plan = self.process.make_plan(world, target, mode)?;
        let lines = show::plan(&plan, &target.desired.cluster, look.full);
        self.process.keep(plan, world, &mut self.teller);
        self.know_backups();
        self.print(lines)
    }

    fn know_backups(&mut self) {
        let Some(world) = &self.world else { return };
        let on_agents = world.members.iter().flat_map(|member| member.seen.backups.iter().flatten());
        for backup in world.vault.iter().chain(on_agents) {
            if let Some(sha256) = &backup.sha256 {
                self.teller.names.know_backup(sha256, &backup.file);
            }
        }
    }

    fn run(&mut self, until: Until) -> Result<(), String> {
        let begun = self.time()?;
        let end = match until {
            Until::Idle => None,
            Until::Time(time) if time < begun => return Err("the clock only goes on".to_owned()),
            Until::Time(time) => Some(time),
            Until::For(span) => Some(begun.checked_add(span).map_err(|error| error.to_string())?),
        };
        if self.process.dead {
            self.process.restart();
            self.teller.say(begun, "the process starts again");
        }
        for _ in 0..MOST_TURNS {
            let world = self.world.as_mut().ok_or("there are no `agents` yet")?;
            let target = self.target.as_ref().ok_or("there is no `cluster` yet")?;
            let next = self.process.turn(world, target, end, &mut self.teller)?;
            let now = world.now;
            let pause = match next {
                Next::Now => continue,
                Next::Dead => {
                    self.teller.say(now, "the process dies");
                    None
                }
                Next::Over => None,
                Next::After(pause) => Some(now.checked_add(pause).unwrap_or(Timestamp::MAX)),
                Next::At(at) => Some(at),
            };
            self.now = Some(now);
            match (pause, end) {
                (Some(at), Some(end)) if now < end => {
                    let look = now.checked_add(LOOK).unwrap_or(end);
                    let at = at.max(now + SignedDuration::from_secs(1)).min(look).min(end);
                    self.go_on_to(at)?;
                }
                (None, _) if self.process.dead => return Ok(()),
                _ => return self.settled(),
            }
        }
        Err("the process does not come to rest".to_owned())
    }

    /// What a run ends with.
    fn settled(&mut self) -> Result<(), String> {
        self.know_backups();
        self.status()?;
        let world = self.world.as_mut().ok_or("there are no `agents` yet")?;
        let target = self.target.as_ref().ok_or("there is no `cluster` yet")?;
        let converged = self.process.plan.as_ref().is_some_and(|plan| plan.result == PlanResult::Converged);
        let ready = self.process.status(world, target).state == ClusterState::Ready;
        if converged != ready {
            return Err("Ready and Converged are not the same here".to_owned());
        }
        if ready {
            // Web apps that nobody manages may lie behind the core; content may not lie ahead of them.
            let managed = target.desired.cluster.software.web_apps != WebWanted::Unmanaged;
            world.must_be_sound(managed);
        }
        Ok(())
    }

    fn status(&mut self) -> Result<(), String> {
        let world = self.world.as_ref().ok_or("there are no `agents` yet")?;
        let target = self.target.as_ref().ok_or("there is no `cluster` yet")?;
        let lines = show::status(&self.process.status(world, target));
        self.print(lines)
    }
}
