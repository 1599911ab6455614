//! What a job does: the files that make each kind of work.

use std::borrow::Cow;

use dataminer_core::exec::effect::{ContentRestore, Job, Meanwhile, ModuleInstall};
use dataminer_schema::{
    id::{AgentName, JobId},
    plan::Action,
};

use super::script;
use crate::agent::{
    Inner,
    checks::CheckRun,
    error::{AgentError, Reason},
    layout::UTILITIES,
    link::Session,
    modules,
    probe::{dms::Dms, sections::Sections},
    render::{self, JobRecord},
    restore,
};

const DMS_CAP: usize = 4 * 1024 * 1024;

/// A job's file: its name and its bytes.
pub(super) type JobFile<'a> = (String, Cow<'a, [u8]>);

/// The kinds of work.
pub(in crate::agent) enum Work<'a> {
    /// A package for the Taskbar Utility.
    Upgrade(&'a Job),
    /// Content that was staged into the job's folder.
    Restore(&'a ContentRestore),
    /// A module out and in again.
    Reinstall(&'a ModuleInstall),
    /// The checks of a package.
    Checks(&'a CheckRun<'a>),
}

/// Where a job's folder is being written.
pub(super) struct Site<'a> {
    pub(super) inner: &'a Inner,
    pub(super) session: &'a Session,
    pub(super) probe: &'a Sections,
    pub(super) generation: u64,
}

/// What a job needs.
pub(super) enum Prepared<'a> {
    /// The files of its folder, without the task.
    Files(Vec<JobFile<'a>>),
    /// There is nothing to do on this Agent, and why.
    NothingToDo(String),
}

impl<'a> Work<'a> {
    pub(super) async fn files(&self, site: &Site<'_>, id: &JobId) -> Result<Prepared<'a>, AgentError> {
        match self {
            Self::Upgrade(job) => site.upgrade(job).await.map(Prepared::Files),
            Self::Restore(wanted) => {
                let run = script::restore(id, site.generation, &restore::safety_name(id))?;
                let record = site.record(id, Action::RestoreContent, &wanted.agents);
                let record = JobRecord { sha256: Some(wanted.backup.sha256.clone()), ..record };
                Ok(Prepared::Files(vec![made("run.cmd", run), made("job.json", json(&record))]))
            }
            Self::Reinstall(wanted) => {
                let Some(run) = site.reinstall(wanted, id).await? else {
                    return Ok(Prepared::NothingToDo(format!(
                        "{} is skipped: there is no installer of it",
                        wanted.module
                    )));
                };
                let record = site.record(id, Action::ReinstallModule, &wanted.agents);
                let record = JobRecord { module: Some(wanted.module.clone()), ..record };
                Ok(Prepared::Files(vec![made("run.cmd", run), made("job.json", json(&record))]))
            }
            Self::Checks(CheckRun { wanted, checks }) => {
                let names: Vec<&str> = checks.iter().map(|check| check.file.as_str()).collect();
                let run = script::checks(id, site.generation, &names)?;
                let record = site.record(id, Action::RunPrerequisites, &wanted.agents);
                let mut files = vec![made("run.cmd", run), made("job.json", json(&record))];
                files.extend(
                    checks.iter().map(|check| (check.file.clone(), Cow::Borrowed(check.bytes.as_slice()))),
                );
                Ok(Prepared::Files(files))
            }
        }
    }
}

/// A file that is made for this job.
fn made(name: &str, bytes: Vec<u8>) -> JobFile<'static> {
    (name.to_owned(), Cow::Owned(bytes))
}

/// Plain data always serialises.
fn json(record: &JobRecord) -> Vec<u8> {
    serde_json::to_vec_pretty(record).unwrap_or_default()
}

impl Site<'_> {
    /// What every record holds.
    fn record(&self, id: &JobId, action: Action, agents: &[AgentName]) -> JobRecord {
        JobRecord {
            id: id.clone(),
            installation: self.inner.context.installation.clone(),
            cluster: self.inner.cluster.to_string(),
            generation: self.generation,
            action,
            file: None,
            sha256: None,
            patch: None,
            to: None,
            module: None,
            agents: agents.to_vec(),
        }
    }

    /// What exchanges a module; `None` without an installer, where DataMiner goes on as it is.
    async fn reinstall(&self, wanted: &ModuleInstall, id: &JobId) -> Result<Option<Vec<u8>>, AgentError> {
        let module = &wanted.module;
        let restarts = match wanted.dataminer {
            Meanwhile::Untouched => {
                let found = modules::find(self.inner, self.session, self.probe, module).await?;
                let run = found.map(|(products, installer)| {
                    script::reinstall(id, self.generation, module, &products, &installer)
                });
                return run.transpose();
            }
            Meanwhile::Stopped => false,
            Meanwhile::StartedAgain => true,
        };
        let found = modules::find_older(self.inner, self.session, self.probe, module).await?;
        let swapped = found.as_ref().map(|(products, installer)| (products.as_slice(), installer.as_str()));
        script::swap(id, self.generation, module, swapped, utility(self.probe)?, restarts).map(Some)
    }

    async fn upgrade(&self, job: &Job) -> Result<Vec<JobFile<'static>>, AgentError> {
        let staged = job.package.staged().ok_or_else(|| {
            AgentError::new(
                Reason::PackageUnverified,
                format!("the copy of {} that job {} is to install was not staged", job.package.file, job.id),
                "This is a defect of this program: please report it.",
            )
        })?;
        let utility = utility(self.probe)?;
        let addresses = self.addresses(job).await?;
        let info = render::upgrade_info(&addresses, job.whole_cluster, &job.options, job.failover_policy)?;
        let run = script::upgrade(&job.id, self.generation, staged, &job.package.file, utility)?;
        let record = JobRecord {
            file: Some(job.package.file.clone()),
            sha256: Some(job.package.sha256.clone()),
            patch: job.package.patch.clone(),
            to: job.to.clone(),
            ..self.record(&job.id, job.action, &job.agents)
        };
        Ok(vec![made("UpgradeInfo.xml", info), made("run.cmd", run), made("job.json", json(&record))])
    }

    /// DataMiner's own addresses of the job's Agents: all of DMS.xml, or exactly those of the Agents.
    async fn addresses(&self, job: &Job) -> Result<Vec<String>, AgentError> {
        if job.whole_cluster {
            let path = self.inner.context.layout.skyline("DMS.xml");
            let text = self.session.sftp.read(&path, DMS_CAP).await?;
            let dms = Dms::parse(&text.bytes).map_err(|error| {
                AgentError::new(
                    Reason::TopologyMismatch,
                    error,
                    "make DMS.xml whole on the Agent, then try again",
                )
            })?;
            return whole(job, dms.addresses());
        }
        let observation = self.inner.observe().await;
        job.agents
            .iter()
            .map(|name| {
                let agent = observation.agents.iter().find(|agent| agent.name == *name);
                agent.and_then(|agent| agent.address.clone()).ok_or_else(|| no_address(name))
            })
            .collect()
    }
}

fn whole(job: &Job, addresses: Vec<String>) -> Result<Vec<String>, AgentError> {
    if addresses.len() == job.agents.len() {
        return Ok(addresses);
    }
    Err(AgentError::new(
        Reason::TopologyMismatch,
        format!("DMS.xml names {} Agents, the plan {}", addresses.len(), job.agents.len()),
        "list every Agent of the DMS, Failover partners too, in the manifest",
    ))
}

fn no_address(name: &AgentName) -> AgentError {
    AgentError::new(
        Reason::TopologyMismatch,
        format!("DataMiner's own address of Agent {name} is not known"),
        "make the Agent reachable and its DMS.xml readable",
    )
}

fn utility(probe: &Sections) -> Result<&'static str, AgentError> {
    let listed = probe.get("utility").unwrap_or_default();
    UTILITIES.into_iter().find(|path| listed.iter().any(|line| line.eq_ignore_ascii_case(path))).ok_or_else(
        || {
            AgentError::new(
                Reason::UtilityMissing,
                "the DataMiner Taskbar Utility is in neither documented folder",
                "install it on the server, or let another Agent orchestrate (first in the manifest)",
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_documented_folders_are_called() {
        let probe = |path: &str| {
            Sections::parse(format!("@@probe 1\n@@utility\n{path}\n@@end").as_bytes(), "probe 1")
                .expect("a probe")
        };
        assert_eq!(utility(&probe(UTILITIES[1])).expect("installed"), UTILITIES[1]);
        assert_eq!(
            utility(&probe(r"C:\evil.exe")).expect_err("not documented").reason,
            Reason::UtilityMissing
        );
    }
}
