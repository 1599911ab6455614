//! Jobs: long work that outlives the connection, this process and the Agent's reboots.

mod log_tail;
mod status;

use std::time::Duration;

use dataminer_core::exec::effect::{Job, JobEnd};
use dataminer_schema::{id::AgentName, v1::cluster::RunAs};
use jiff::Timestamp;

use self::{log_tail::LogTail, status::Status};
use super::{
    Inner,
    context::tell,
    error::{AgentError, Reason},
    link::{Link, Session},
    observe,
    probe::{dms::Dms, progress as log, sections::Sections},
    render::{self, JobRecord},
    scripts::{self, Argument, Script},
    transport::ExecLimits,
};
use crate::engine::{Progress, ProgressSender};

const DMS_CAP: usize = 4 * 1024 * 1024;

/// Both folders that the documentation prints (`domain/05 section 1`).
const UTILITIES: [&str; 2] = [
    r"C:\Program Files\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe",
    r"C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe",
];

/// Runs a job to its end, or finds it again: a job that ever started is never started a second time.
pub(super) async fn run(
    inner: &Inner,
    generation: u64,
    job: &Job,
    progress: &ProgressSender,
) -> Result<JobEnd, AgentError> {
    let link = inner.link(&job.orchestrator)?;
    let mut runner = Runner {
        inner,
        link,
        job,
        generation,
        progress,
        asked: None,
        ever_started: false,
        log: LogTail::default(),
        pause: inner.context.pace.first,
    };
    let end = runner.run().await;
    if let Some(session) = runner.log.session.take() {
        session.close().await;
    }
    end
}

struct Runner<'a> {
    inner: &'a Inner,
    link: &'a Link,
    job: &'a Job,
    generation: u64,
    progress: &'a ProgressSender,
    /// When Windows was asked to start it, by this call.
    asked: Option<Timestamp>,
    ever_started: bool,
    log: LogTail,
    pause: Duration,
}

impl Runner<'_> {
    async fn run(&mut self) -> Result<JobEnd, AgentError> {
        loop {
            match self.turn().await {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => {}
                // The work goes on without us; so does the waiting.
                Err(error) if error.is_connection_lost() && (self.asked.is_some() || self.ever_started) => {
                    self.log.drop_session();
                    tell(self.progress, Progress::Note(format!("Agent {}: {error}", self.link.name)));
                    if Timestamp::now() >= self.job.deadline {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            let left = self.job.deadline.duration_since(Timestamp::now());
            let left = Duration::try_from(left).unwrap_or(Duration::ZERO).max(self.inner.context.pace.first);
            tokio::time::sleep(self.pause.min(left)).await;
            self.pause = self.pause.mul_f64(1.5).min(self.inner.context.pace.longest);
        }
    }

    /// One look, and what follows from it; `None` to look again.
    async fn turn(&mut self) -> Result<Option<JobEnd>, AgentError> {
        let session = match self.log.session.take() {
            Some(session) => session,
            None => self.inner.connect(self.link).await?,
        };
        let ended = self.turn_with(&session).await;
        if ended.is_ok() {
            self.log.session = Some(session);
        }
        ended.map_err(|error| error.on(format_args!("Agent {}", self.link.name)))
    }

    async fn turn_with(&mut self, session: &Session) -> Result<Option<JobEnd>, AgentError> {
        let status = self.poll(session).await?;
        self.ever_started |= status.started;
        self.show_log(session).await?;
        if let Some(code) = status.exit {
            if self.log.lines.is_empty() {
                self.log.lines = self.output(session).await;
            }
            return Ok(Some(JobEnd::Exited { code, log_tail: self.log.lines.clone() }));
        }
        if status.started {
            if let Some(reason) = status.refused {
                return Ok(Some(JobEnd::Refused { reason }));
            }
            if !status.lock_held {
                return Ok(Some(JobEnd::Vanished));
            }
            if Timestamp::now() >= self.job.deadline {
                return Ok(Some(JobEnd::TimedOut { log_tail: self.log.lines.clone() }));
            }
            return Ok(None);
        }
        match self.asked {
            None => {
                self.prepare(session, status).await?;
                self.start(session).await?;
                self.asked = Some(Timestamp::now());
                self.pause = self.inner.context.pace.first;
                Ok(None)
            }
            Some(_) if status.refused.is_some() => {
                Ok(status.refused.map(|reason| JobEnd::Refused { reason }))
            }
            Some(asked) => {
                let waited = Timestamp::now().duration_since(asked);
                if Duration::try_from(waited).unwrap_or(Duration::ZERO) < self.inner.context.pace.start {
                    return Ok(None);
                }
                self.give_up(session).await
            }
        }
    }

    /// What the job itself printed, where the upgrade left no log.
    async fn output(&self, session: &Session) -> Vec<String> {
        let path = format!("{}/output.log", self.inner.context.layout.job(&self.job.id));
        let Ok(Some((bytes, _))) = observe::tail(session, &path, 8 * 1024).await else { return Vec::new() };
        log::parse(&bytes)
            .into_iter()
            .map(|line| line.text.chars().filter(|c| !c.is_control()).take(500).collect())
            .collect()
    }

    async fn poll(&self, session: &Session) -> Result<Status, AgentError> {
        let exec = scripts::run(
            &session.connection,
            Script::Poll,
            Argument::Job(&self.job.id),
            ExecLimits::default(),
        )
        .await?;
        Status::parse(&exec.stdout)
    }

    /// Windows accepted the task but does not begin it. The task is removed first, so that it cannot begin later.
    async fn give_up(&self, session: &Session) -> Result<Option<JobEnd>, AgentError> {
        let argument = Argument::Job(&self.job.id);
        scripts::run(&session.connection, Script::Clean, argument, ExecLimits::default()).await?;
        let status = self.poll(session).await?;
        if status.started || status.refused.is_some() || status.exit.is_some() {
            return Ok(None);
        }
        Err(AgentError::new(
            Reason::JobNotStarted,
            format!(
                "Windows registered job {} but did not begin it within {} s",
                self.job.id,
                self.inner.context.pace.start.as_secs()
            ),
            "the account needs the right `Log on as a batch job`; look at the history of the task \
             `dataminer-reconciler-…` in the Task Scheduler; or set `upgrade.runAs: { account: System }`",
        ))
    }

    /// Writes the job folder. Only called while the job has not started.
    async fn prepare(&self, session: &Session, status: Status) -> Result<(), AgentError> {
        let layout = &self.inner.context.layout;
        let folder = layout.job(&self.job.id);
        session.sftp.ensure_folder(&folder).await?;
        if status.refused.is_some() {
            // An earlier try did not begin; its note would speak for this one.
            session.sftp.remove(&format!("{folder}/refused.txt")).await?;
        }
        let probe =
            scripts::run(&session.connection, Script::Probe, Argument::None, ExecLimits::default()).await?;
        let probe = Sections::parse(&probe.stdout, "probe 1")?;
        let utility = utility(&probe)?;
        let user = account(&probe);
        if self.job.run_as == RunAs::SshUser && user.is_none() {
            return Err(AgentError::new(
                Reason::ProtocolViolation,
                "the probe did not tell the account of the SSH session",
                "set `upgrade.runAs: { account: System }`, or look at the environment of the SSH session",
            ));
        }
        let addresses = self.addresses(session).await?;
        let job = self.job;
        let record = JobRecord::new(
            job,
            &self.inner.context.installation,
            self.inner.cluster.as_str(),
            self.generation,
        );
        let files = [
            (
                "UpgradeInfo.xml",
                render::upgrade_info(&addresses, job.whole_cluster, &job.options, job.failover_policy)?,
            ),
            ("task.xml", render::task_xml(&job.id, job.run_as, user.as_deref().unwrap_or_default())?),
            (
                "run.cmd",
                render::run_script(
                    &job.id,
                    self.generation,
                    &job.package.sha256,
                    &job.package.file,
                    utility,
                )?,
            ),
            // Plain data always serialises.
            ("job.json", serde_json::to_vec_pretty(&record).unwrap_or_default()),
        ];
        for (name, bytes) in files {
            session.sftp.write(&format!("{folder}/{name}"), &bytes).await?;
        }
        Ok(())
    }

    async fn start(&self, session: &Session) -> Result<(), AgentError> {
        let argument = Argument::Job(&self.job.id);
        let exec = scripts::run(&session.connection, Script::Start, argument, ExecLimits::default()).await?;
        let said = String::from_utf8_lossy(&exec.stderr);
        let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
        match exec.status {
            Some(0) => Ok(()),
            Some(31) => Err(AgentError::new(
                Reason::JobNotStarted,
                format!("Windows did not register the task of job {}: {said}", self.job.id),
                "the SSH account must be an administrator; for `SshUser` it must be a full Windows account (`DOMAIN\\user`)",
            )),
            Some(32) => Err(AgentError::new(
                Reason::JobNotStarted,
                format!("Windows did not start the task of job {}: {said}", self.job.id),
                "check that the Task Scheduler service runs and that the account may log on as a batch job",
            )),
            other => Err(AgentError::new(
                Reason::ScriptFailed,
                format!("the start script of job {} ended with {other:?}: {said}", self.job.id),
                "look at the server",
            )),
        }
    }

    /// DataMiner's own addresses of the job's Agents: all of DMS.xml, or exactly those of the Agents.
    async fn addresses(&self, session: &Session) -> Result<Vec<String>, AgentError> {
        if self.job.whole_cluster {
            let text = session.sftp.read(&self.inner.context.layout.skyline("DMS.xml"), DMS_CAP).await?;
            let dms = Dms::parse(&text.bytes).map_err(|error| {
                AgentError::new(
                    Reason::TopologyMismatch,
                    error,
                    "make DMS.xml whole on the Agent, then try again",
                )
            })?;
            return self.whole(dms.addresses());
        }
        let observation = self.inner.observe().await;
        self.job
            .agents
            .iter()
            .map(|name| {
                let agent = observation.agents.iter().find(|agent| agent.name == *name);
                agent.and_then(|agent| agent.address.clone()).ok_or_else(|| no_address(name))
            })
            .collect()
    }

    fn whole(&self, addresses: Vec<String>) -> Result<Vec<String>, AgentError> {
        if addresses.len() == self.job.agents.len() {
            return Ok(addresses);
        }
        Err(AgentError::new(
            Reason::TopologyMismatch,
            format!("DMS.xml names {} Agents, the plan {}", addresses.len(), self.job.agents.len()),
            "list every Agent of the DMS, Failover partners too, in the manifest",
        ))
    }

    /// Shows the new lines of the upgrade's own log. Whatever is wrong with it decides nothing.
    async fn show_log(&mut self, session: &Session) -> Result<(), AgentError> {
        match self.log.read(self.inner, session, self.job).await {
            Ok(lines) => {
                for line in lines {
                    tell(self.progress, Progress::Log { agent: self.link.name.clone(), line });
                }
                Ok(())
            }
            Err(error) if error.is_connection_lost() => Err(error),
            Err(_) => Ok(()),
        }
    }
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

/// `DOMAIN\user` of the SSH session. sshd gives local accounts the domain WORKGROUP, which Windows does not resolve.
fn account(probe: &Sections) -> Option<String> {
    let (domain, user) = probe.value("identity", "user")?.split_once('\\')?;
    let computer = probe.value("identity", "computer").unwrap_or_default();
    let domain =
        if domain.is_empty() || domain.eq_ignore_ascii_case("WORKGROUP") { computer } else { domain };
    let plain = |text: &str| !text.is_empty() && !text.contains('%');
    (plain(domain) && plain(user)).then(|| format!(r"{domain}\{user}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_workgroups_get_the_computer_as_domain() {
        let account = |user: &str| {
            let text = format!("@@probe 1\n@@identity\nuser={user}\ncomputer=DMA01\n@@end");
            super::account(&Sections::parse(text.as_bytes(), "probe 1").expect("a probe"))
        };
        assert_eq!(account(r"DOM\svc").as_deref(), Some(r"DOM\svc"));
        assert_eq!(account(r"WORKGROUP\svc").as_deref(), Some(r"DMA01\svc"));
        assert_eq!(account(r"\svc").as_deref(), Some(r"DMA01\svc"));
        assert_eq!(account(r"%USERDOMAIN%\%USERNAME%"), None);
        assert_eq!(account("svc"), None);
    }

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
