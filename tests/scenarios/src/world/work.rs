//! What becomes of work on the Agents.

use dataminer_core::exec::checks::{CheckFinding, Checked, Verdict};
use dataminer_core::exec::effect::{
    ContentRestore, Disposition, EffectKind, Failure, Job, JobEnd, ModuleInstall, Outcome,
};
use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::{Action, Step},
    v1::observation::{AgentState, Backup},
    version::{Track, Version},
};
use jiff::SignedDuration;

use super::World;
use crate::{fault::Fault, releases};

impl World {
    /// How long an effect takes.
    pub(crate) fn takes(&self, effect: &EffectKind) -> SignedDuration {
        let minutes = SignedDuration::from_mins;
        let fault = self.faults.iter().find(|(on, _, _)| on.is(effect)).map(|(_, _, fault)| fault);
        match effect {
            EffectKind::Observe | EffectKind::Owe { .. } | EffectKind::Acquit { .. } => {
                SignedDuration::from_secs(1)
            }
            // What lies there is hashed and left.
            EffectKind::StagePackage { package, .. } => {
                let lies = self.members.iter().any(|member| member.staged.contains_key(&package.file));
                minutes(if lies { 1 } else { 10 })
            }
            EffectKind::SaveBackup { .. } => minutes(2),
            EffectKind::RunPrerequisites(_) => minutes(3),
            EffectKind::RunJob(_)
                if matches!(fault, Some(Fault::Prerequisite { .. } | Fault::Refused(_))) =>
            {
                minutes(3)
            }
            EffectKind::RunJob(job) => match job.action {
                Action::UpgradeCore | Action::DowngradeCore => minutes(35),
                _ => minutes(5),
            },
            EffectKind::RestoreContent(_) => minutes(5),
            EffectKind::ReinstallModule(_) => minutes(3),
            EffectKind::VerifyContent { .. } | EffectKind::CleanUp { .. } => minutes(1),
        }
    }

    /// Does it for `step`, at the end of the time that it takes.
    pub(crate) fn perform(&mut self, effect: &EffectKind, step: &Step) -> Outcome {
        match effect {
            EffectKind::Observe => Outcome::Observed(Box::new(self.observe())),
            EffectKind::RunJob(job) => {
                match self.job_once(&job.id, effect, |world, fault| world.run(job, step, fault)) {
                    Ok(end) => Outcome::JobEnded(end),
                    Err(failure) => Outcome::Failed(failure),
                }
            }
            EffectKind::RestoreContent(restore) => {
                self.tail(&restore.id, effect, |world| world.restore(restore, step))
            }
            EffectKind::ReinstallModule(install) => {
                self.tail(&install.id, effect, |world| world.reinstall(install, step))
            }
            EffectKind::StagePackage { .. }
            | EffectKind::RunPrerequisites(_)
            | EffectKind::SaveBackup { .. }
            | EffectKind::CleanUp { .. }
            | EffectKind::Owe { .. }
            | EffectKind::Acquit { .. }
            | EffectKind::VerifyContent { .. } => match self.fault(effect) {
                Some(Fault::Prerequisite { name, agent }) => checked(&name, &agent),
                Some(_) => Outcome::Failed(lost(&self.members[0].name().clone())),
                None => self.quiet(effect, step),
            },
        }
    }

    fn quiet(&mut self, effect: &EffectKind, step: &Step) -> Outcome {
        match effect {
            EffectKind::StagePackage { package, agents } => {
                self.judge(step, agents);
                for member in self.members.iter_mut().filter(|member| agents.contains(member.name())) {
                    member.staged.insert(package.file.clone(), package.sha256.clone());
                }
                match &package.patch {
                    Some(patch) => Outcome::Patched(Sha256::of(
                        format!("{} lacks {}", package.sha256, patch.removes).as_bytes(),
                    )),
                    None => Outcome::Done,
                }
            }
            EffectKind::SaveBackup { agents } => {
                self.judge(step, agents);
                Outcome::Saved(self.save(agents))
            }
            EffectKind::RunPrerequisites(run) => {
                self.judge(step, &run.agents);
                Outcome::Checked(Checked { passed: 12, findings: Vec::new() })
            }
            EffectKind::Owe { agents, work } => {
                for member in self.members.iter_mut().filter(|member| agents.contains(member.name())) {
                    let notes = member.seen.owed.get_or_insert_default();
                    notes.retain(|note| !work.contains(note));
                    notes.extend(work.iter().cloned());
                }
                Outcome::Done
            }
            EffectKind::Acquit { agents, notes: ids } => {
                for member in self.members.iter_mut().filter(|member| agents.contains(member.name())) {
                    let notes = member.seen.owed.get_or_insert_default();
                    notes.retain(|note| !note.id.as_ref().is_some_and(|id| ids.contains(id)));
                }
                Outcome::Done
            }
            EffectKind::VerifyContent { backup, agents } => {
                let differing: Vec<AgentName> = self
                    .members
                    .iter()
                    .filter(|member| agents.contains(member.name()))
                    .filter(|member| Some(&member.content) != self.contents.get(&backup.sha256))
                    .map(|member| member.name().clone())
                    .collect();
                if differing.is_empty() { Outcome::Done } else { Outcome::Failed(differs(differing)) }
            }
            EffectKind::CleanUp { agents } => {
                for member in self.members.iter_mut().filter(|member| agents.contains(member.name())) {
                    member.staged.clear();
                }
                Outcome::Done
            }
            EffectKind::Observe
            | EffectKind::RunJob(_)
            | EffectKind::RestoreContent(_)
            | EffectKind::ReinstallModule(_) => Outcome::Done,
        }
    }

    /// Everything that the vault lacks, and a copy of what is there now.
    fn save(&mut self, agents: &[AgentName]) -> Vec<Backup> {
        let mut saved: Vec<Backup> = Vec::new();
        let mut held: Vec<_> = self.vault.iter().filter_map(|backup| backup.sha256.clone()).collect();
        for member in self.members.iter().filter(|member| agents.contains(member.name())) {
            let restoring =
                member.seen.owed.iter().flatten().any(|work| work.action == Action::RestoreContent);
            let copy = Backup {
                at: Some(self.now),
                // Its bytes are not those of the product's own backup of the same content.
                sha256: Some(Sha256::of(format!("copy {}", member.content.digest()).as_bytes())),
                size: Some(1 << 20),
                content: member.seen.web_apps.clone().filter(|_| !restoring),
                copy: true,
                ..Backup::new(format!("content-{}.zip", self.now.strftime("%Y%m%d-%H%M%S")))
            };
            let mut found: Vec<Backup> = member.seen.backups.iter().flatten().cloned().collect();
            if let Some(sha256) = &copy.sha256 {
                self.contents.insert(sha256.clone(), member.content.clone());
            }
            found.push(copy);
            for backup in found {
                let Some(sha256) = &backup.sha256 else { continue };
                if !held.contains(sha256) {
                    held.push(sha256.clone());
                    saved.push(Backup { vault: true, ..backup });
                }
            }
        }
        self.vault.extend(saved.iter().cloned());
        saved
    }

    /// A job that exists is found again, not run again.
    fn job_once(
        &mut self,
        id: &JobId,
        effect: &EffectKind,
        run: impl FnOnce(&mut Self, Option<Fault>) -> JobEnd,
    ) -> Result<JobEnd, Failure> {
        if let Some(end) = self.jobs.get(id) {
            return Ok(end.clone());
        }
        let fault = self.fault(effect);
        if fault == Some(Fault::Lost) {
            return Err(lost(&self.members[0].name().clone()));
        }
        let end = run(self, fault);
        self.jobs.insert(id.clone(), end.clone());
        Ok(end)
    }

    fn run(&mut self, job: &Job, step: &Step, fault: Option<Fault>) -> JobEnd {
        let agents = job.agents.clone();
        let done = JobEnd::Exited { code: 0, log_tail: Vec::new() };
        match fault {
            None | Some(Fault::Lost) => {
                self.install(job, step, &agents);
                done
            }
            Some(Fault::Prerequisite { name, agent }) => {
                let line = format!(
                    "{agent}|22:01:00|ERROR|Prerequisite {name}.dll failed: see its result on {agent}"
                );
                JobEnd::Exited { code: 1, log_tail: vec![line] }
            }
            Some(Fault::Code { code, text }) => JobEnd::Exited { code, log_tail: vec![text] },
            Some(Fault::Vanished { changed }) => {
                let changed: Vec<AgentName> = agents
                    .into_iter()
                    .filter(|name| changed.iter().any(|one| one == name.as_str()))
                    .collect();
                self.install(job, step, &changed);
                JobEnd::Vanished
            }
            Some(Fault::Stopped { agents: stopped }) => {
                self.install(job, step, &agents);
                for member in &mut self.members {
                    if stopped.iter().any(|name| name == member.name().as_str()) {
                        member.seen.state = Some(AgentState::Stopped);
                    }
                }
                done
            }
            Some(Fault::Refused(reason)) => JobEnd::Refused { reason },
        }
    }

    fn install(&mut self, job: &Job, step: &Step, agents: &[AgentName]) {
        if agents.is_empty() {
            return;
        }
        let staged = self.members.iter().find(|member| *member.name() == job.orchestrator);
        if !staged.is_some_and(|member| member.staged.contains_key(&job.package.file)) {
            self.violated(format!(
                "{} is installed from {}, where it does not lie",
                job.package.file, job.orchestrator
            ));
        }
        // Half a cluster is the fault's doing, not the plan's: from there the model starts anew.
        if agents.len() == job.agents.len() {
            self.judge(step, agents);
        } else {
            self.product.forget();
        }
        if job.action == Action::RunTool {
            return self.run_tool(&job.package.file, agents);
        }
        if job.action == Action::InstallHotfix {
            // VersionHistory.txt names it as its package is called; nothing else is known to change.
            for member in self.members.iter_mut().filter(|member| agents.contains(member.name())) {
                member.seen.core = job.package.file.strip_suffix(".dmupgrade").map(str::to_owned);
            }
            return;
        }
        let to = job.to.as_deref().unwrap_or("nothing");
        let release = releases::release(to).map(|release| match step.build {
            Some(build) => release.with_build(build),
            None => release,
        });
        let Ok(release) = release else {
            return self.violated(format!("{} installs `{to}`, which is no release", job.package.file));
        };
        let now = self.now;
        for name in agents {
            let Some(member) = self.members.iter_mut().find(|member| member.name() == name) else {
                continue;
            };
            if backs_up(&release) {
                let (sha256, content) = member.back_up(now);
                self.contents.insert(sha256, content);
            }
            let web = match job.action {
                Action::UpgradeWeb | Action::DowngradeWeb => Some(release.release_name()),
                _ => {
                    member.core = release.clone();
                    None
                }
            };
            member.web = release.clone();
            member.content.migrate(&release);
            member.remember(now, web);
        }
    }

    /// The migration changes what runs; the other tools only look.
    fn run_tool(&mut self, file: &str, agents: &[AgentName]) {
        for member in self.members.iter_mut().filter(|member| agents.contains(member.name())) {
            if file == "NATSMigration.dmupgrade" {
                member.seen.broker_gateway = Some(true);
            }
        }
    }

    fn tail(&mut self, id: &JobId, effect: &EffectKind, act: impl FnOnce(&mut Self)) -> Outcome {
        let end = self.job_once(id, effect, |world, fault| match fault {
            None | Some(Fault::Lost) => {
                act(world);
                JobEnd::Exited { code: 0, log_tail: Vec::new() }
            }
            Some(Fault::Code { code, text }) => JobEnd::Exited { code, log_tail: vec![text] },
            Some(Fault::Refused(reason)) => JobEnd::Refused { reason },
            Some(Fault::Prerequisite { .. } | Fault::Vanished { .. } | Fault::Stopped { .. }) => {
                JobEnd::Vanished
            }
        });
        end.map_or_else(Outcome::Failed, Outcome::JobEnded)
    }

    fn restore(&mut self, restore: &ContentRestore, step: &Step) {
        self.judge(step, &restore.agents);
        if self.owed().is_empty() {
            self.violated("content is put back without a note of it on the Agents".to_owned());
        }
        let Some(content) = self.contents.get(&restore.backup.sha256).cloned() else {
            return self.violated(format!("{} is in no backup", restore.backup.file));
        };
        for member in self.members.iter_mut().filter(|member| restore.agents.contains(member.name())) {
            member.content = content.clone();
        }
    }

    fn reinstall(&mut self, install: &ModuleInstall, step: &Step) {
        self.judge(step, &install.agents);
    }
}

/// From 10.3.0 CU8/10.3.11 on packages back content up first (`domain/03 section 4`).
fn backs_up(release: &Version) -> bool {
    match release.track() {
        Track::Main => (release.line(), release.cu()) >= (Version::new(10, 3, 0).line(), Some(8)),
        Track::Feature => release.line() >= Version::new(10, 3, 11).line(),
    }
}

/// A check that fails on one Agent.
fn checked(name: &str, agent: &str) -> Outcome {
    let finding = AgentName::new(agent).ok().map(|agent| CheckFinding {
        agent,
        check: format!("{name}.dll"),
        verdict: Verdict::Failed,
        message: "see its result there".to_owned(),
    });
    Outcome::Checked(Checked { passed: 11, findings: finding.into_iter().collect() })
}

fn lost(agent: &AgentName) -> Failure {
    Failure {
        disposition: Disposition::Retry,
        reason: "AgentUnreachable".to_owned(),
        message: format!("the connection to {agent} was lost"),
        help: "check the server, its sshd and the network".to_owned(),
        agents: vec![agent.clone()],
    }
}

fn differs(agents: Vec<AgentName>) -> Failure {
    Failure {
        disposition: Disposition::Retry,
        reason: "ContentDiffers".to_owned(),
        message: "what lies on the Agents is not what the backup holds".to_owned(),
        help: "it is restored again".to_owned(),
        agents,
    }
}
