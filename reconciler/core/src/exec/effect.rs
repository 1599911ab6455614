//! What the execution machine asks of the world, and what the world answers.
//!
//! Every effect is an *ensure*: done twice equals done once. A job keeps its id over a crash, so asking for it
//! again finds it again.

use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::{Action, BackupRef, PackagePatch},
    v1::{
        cluster::{Extras, FailoverPolicy, RunAs, UpgradeOptions},
        observation::{Backup, Observation, OwedWork},
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checks::{Checked, PrerequisiteRun};

/// One thing to do, journalled as an intent before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Rises by one with each effect of an operation.
    pub id: u64,
    /// The plan step it belongs to.
    pub step: String,
    pub kind: EffectKind,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EffectKind {
    /// A fresh look at every Agent.
    Observe,
    /// The package lies on these Agents, whole and with the right hash.
    StagePackage { package: Package, agents: Vec<AgentName> },
    /// The package's checks ran on these Agents, by a job that disturbs nobody.
    RunPrerequisites(Box<PrerequisiteRun>),
    /// Every content backup that the vault lacks, and the current content, of these Agents lies in the vault.
    SaveBackup { agents: Vec<AgentName> },
    /// The job ran once and ended, or is known to have died.
    RunJob(Box<Job>),
    /// Our own staged packages and old job folders are gone from these Agents; nothing else is touched.
    CleanUp { agents: Vec<AgentName> },
    /// The notes of what the coming job will owe lie on these Agents (G8).
    Owe { agents: Vec<AgentName>, work: Vec<OwedWork> },
    /// These notes are gone from these Agents: the work is verified, or nothing was changed that could owe it.
    Acquit { agents: Vec<AgentName>, notes: Vec<JobId> },
    /// The restore ran on each of its Agents and ended, or is known to have died.
    RestoreContent(Box<ContentRestore>),
    /// Every entry of the backup has its hash on every Agent.
    VerifyContent { backup: BackupRef, agents: Vec<AgentName> },
    /// The module was installed again on each of its Agents that has an installer of it.
    ReinstallModule(Box<ModuleInstall>),
}

impl Package {
    /// The digest of what lies on the Agents; `None` for a copy that nobody has made yet.
    pub fn staged(&self) -> Option<&Sha256> {
        match &self.patch {
            Some(patch) => patch.sha256.as_ref(),
            None => Some(&self.sha256),
        }
    }
}

impl EffectKind {
    /// Whether it is long work on Agents that goes on by itself: its fate must be known, so it is never given up.
    /// Checks change nothing, so they may be given up though a job runs them.
    pub fn is_job(&self) -> bool {
        match self {
            Self::RunJob(_) | Self::RestoreContent(_) | Self::ReinstallModule(_) => true,
            Self::Observe
            | Self::StagePackage { .. }
            | Self::RunPrerequisites(_)
            | Self::SaveBackup { .. }
            | Self::CleanUp { .. }
            | Self::Owe { .. }
            | Self::Acquit { .. }
            | Self::VerifyContent { .. } => false,
        }
    }

    /// The id under which Agents keep it, if it is a job: the same after a crash.
    pub fn job_id(&self) -> Option<&JobId> {
        match self {
            Self::RunJob(job) => Some(&job.id),
            Self::RestoreContent(restore) => Some(&restore.id),
            Self::ReinstallModule(install) => Some(&install.id),
            Self::RunPrerequisites(run) => Some(&run.id),
            Self::Observe
            | Self::StagePackage { .. }
            | Self::SaveBackup { .. }
            | Self::CleanUp { .. }
            | Self::Owe { .. }
            | Self::Acquit { .. }
            | Self::VerifyContent { .. } => None,
        }
    }

    /// The attempt that a job is: the last number of its id.
    pub fn attempt(&self) -> Option<u32> {
        let number = self.job_id()?.as_str().rsplit('-').next()?;
        Some(number.parse().unwrap_or(0))
    }
}

/// One content backup into place on every Agent, behind a safety copy; a job of the same id on each Agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentRestore {
    /// Plan, step and attempt. The safety copy is named by plan and step alone: a later attempt never replaces it.
    pub id: JobId,
    pub backup: BackupRef,
    pub agents: Vec<AgentName>,
    pub extras: Extras,
    pub run_as: RunAs,
    /// Until when the jobs are waited for.
    pub deadline: Timestamp,
}

/// One module out and in again from its installer on the Agent; a job of the same id on each Agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleInstall {
    /// Plan, step and attempt.
    pub id: JobId,
    /// As Windows lists it.
    pub module: String,
    /// What becomes of DataMiner meanwhile.
    #[serde(default)]
    pub dataminer: Meanwhile,
    pub agents: Vec<AgentName>,
    pub run_as: RunAs,
    /// Until when the jobs are waited for.
    pub deadline: Timestamp,
}

/// What becomes of DataMiner while a module is exchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Meanwhile {
    /// It is left alone.
    #[default]
    Untouched,
    /// It is stopped before, and stays so: another module follows (G3).
    Stopped,
    /// It is stopped before and started behind it (G3).
    StartedAgain,
}

/// A package as the plan pinned it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    pub file: String,
    /// Of the package as it was published.
    pub sha256: Sha256,
    /// What the copy on the Agents lacks (G2). Its own digest is known once it was staged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PackagePatch>,
}

/// Long work on one Agent for the whole cluster or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Plan, step and attempt: the same after a crash, so the job is found again and not repeated.
    pub id: JobId,
    pub action: Action,
    pub package: Package,
    /// The version that the package brings, as the plan prints it; a tool brings none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The Agent that runs the job.
    pub orchestrator: AgentName,
    /// The Agents that the job changes.
    pub agents: Vec<AgentName>,
    /// Whether `agents` is the whole cluster (`IsCluster` in UpgradeInfo.xml).
    pub whole_cluster: bool,
    pub options: UpgradeOptions,
    pub failover_policy: FailoverPolicy,
    pub run_as: RunAs,
    /// Until when the job is waited for.
    pub deadline: Timestamp,
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    Done,
    Observed(Box<Observation>),
    /// What the checks of a package found.
    Checked(Checked),
    /// What the vault now holds more.
    Saved(Vec<Backup>),
    /// The package lies there as a copy that lacks a member, and this is the copy's digest (G2).
    Patched(Sha256),
    JobEnded(JobEnd),
    /// The effect did not succeed; `disposition` decides what happens next.
    Failed(Failure),
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum JobEnd {
    /// The program returned; 0 is necessary, never sufficient.
    Exited { code: i64, log_tail: Vec<String> },
    /// No exit code and a free lock: the Agent rebooted or the job was killed.
    Vanished,
    /// The job's own check refused to begin; nothing was changed.
    Refused { reason: Refusal },
    /// The deadline passed while the job still held its lock.
    TimedOut { log_tail: Vec<String> },
}

/// Why a job refused to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Another job held the lock.
    Lock,
    /// A newer generation acts on the Agent.
    Generation,
    /// The staged package could not be copied (mostly a full disk).
    Copy,
    /// The package's hash was wrong.
    Hash,
}

/// Why an effect did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub disposition: Disposition,
    /// A stable reason code (PascalCase), as `status` shows it.
    pub reason: String,
    /// What was attempted, on what, what is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    pub agents: Vec<AgentName>,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disposition {
    /// It may pass: try again after a backoff.
    Retry,
    /// A person or a commit must act.
    Stalled,
}
