//! Jobs: long work that outlives the connection, this process and the Agent's reboots.

mod log_tail;
mod script;
mod status;
mod together;
mod work;

use std::time::Duration;

use dataminer_core::exec::effect::{Job, JobEnd};
use dataminer_schema::{id::JobId, v1::cluster::RunAs};
use jiff::Timestamp;

use self::{
    log_tail::LogTail,
    status::Status,
    work::{Prepared, Site},
};
pub(super) use self::{together::together, work::Work};
use super::{
    Inner,
    context::tell,
    error::{AgentError, Reason},
    link::{Link, Session},
    observe,
    probe::{progress as log, sections::Sections},
    render,
    scripts::{self, Argument, Script},
    transport::ExecLimits,
};
use crate::engine::{Progress, ProgressSender};

/// One job on one Agent.
pub(super) struct Order<'a> {
    pub(super) id: &'a JobId,
    pub(super) run_as: &'a RunAs,
    /// Until when it is waited for.
    pub(super) deadline: Timestamp,
    pub(super) work: Work<'a>,
}

/// Runs an upgrade on its orchestrating Agent.
pub(super) async fn run(
    inner: &Inner,
    generation: u64,
    job: &Job,
    progress: &ProgressSender,
) -> Result<JobEnd, AgentError> {
    let link = inner.link(&job.orchestrator)?;
    let order = Order { id: &job.id, run_as: &job.run_as, deadline: job.deadline, work: Work::Upgrade(job) };
    run_on(inner, generation, link, &order, progress).await
}

/// Runs a job to its end, or finds it again: a job that ever started is never started a second time.
pub(super) async fn run_on(
    inner: &Inner,
    generation: u64,
    link: &Link,
    order: &Order<'_>,
    progress: &ProgressSender,
) -> Result<JobEnd, AgentError> {
    let mut runner = Runner {
        inner,
        link,
        order,
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

/// Whether the job has begun on the Agent, however it went on.
pub(super) async fn has_begun(session: &Session, id: &JobId) -> Result<bool, AgentError> {
    let status = poll(session, id).await?;
    Ok(status.started || status.exit.is_some())
}

/// Whether a job, this or another, runs on the Agent.
pub(super) async fn lock_held(session: &Session, id: &JobId) -> Result<bool, AgentError> {
    Ok(poll(session, id).await?.lock_held)
}

async fn poll(session: &Session, id: &JobId) -> Result<Status, AgentError> {
    let exec =
        scripts::run(&session.connection, Script::Poll, Argument::Job(id), ExecLimits::default()).await?;
    Status::parse(&exec.stdout)
}

struct Runner<'a> {
    inner: &'a Inner,
    link: &'a Link,
    order: &'a Order<'a>,
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
                    if Timestamp::now() >= self.order.deadline {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            let left = self.order.deadline.duration_since(Timestamp::now());
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
        let status = poll(session, self.order.id).await?;
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
            if Timestamp::now() >= self.order.deadline {
                return Ok(Some(JobEnd::TimedOut { log_tail: self.log.lines.clone() }));
            }
            return Ok(None);
        }
        match self.asked {
            None => {
                if let Err(why) = self.prepare(session, status).await? {
                    tell(self.progress, Progress::Note(format!("Agent {}: {why}", self.link.name)));
                    return Ok(Some(JobEnd::Exited { code: 0, log_tail: vec![why] }));
                }
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
        let path = format!("{}/output.log", self.inner.context.layout.job(self.order.id));
        let Ok(Some((bytes, _))) = observe::tail(session, &path, 8 * 1024).await else { return Vec::new() };
        log::parse(&bytes)
            .into_iter()
            .map(|line| line.text.chars().filter(|c| !c.is_control()).take(500).collect())
            .collect()
    }

    /// Windows accepted the task but does not begin it. The task is removed first, so that it cannot begin later.
    async fn give_up(&self, session: &Session) -> Result<Option<JobEnd>, AgentError> {
        let argument = Argument::Job(self.order.id);
        scripts::run(&session.connection, Script::Clean, argument, ExecLimits::default()).await?;
        let status = poll(session, self.order.id).await?;
        if status.started || status.refused.is_some() || status.exit.is_some() {
            return Ok(None);
        }
        Err(AgentError::new(
            Reason::JobNotStarted,
            format!(
                "Windows registered job {} but did not begin it within {} s",
                self.order.id,
                self.inner.context.pace.start.as_secs()
            ),
            "the account needs the right `Log on as a batch job`; look at the history of the task \
             `dataminer-reconciler-…` in the Task Scheduler; or set `upgrade.runAs: { account: System }`",
        ))
    }

    /// Writes the job folder. Only called while the job has not started. The inner error says why there is nothing to
    /// do on this Agent.
    async fn prepare(&self, session: &Session, status: Status) -> Result<Result<(), String>, AgentError> {
        let id = self.order.id;
        let folder = self.inner.context.layout.job(id);
        session.sftp.ensure_folder(&folder).await?;
        if status.refused.is_some() {
            // An earlier try did not begin; its note would speak for this one.
            session.sftp.remove(&format!("{folder}/refused.txt")).await?;
        }
        let probe =
            scripts::run(&session.connection, Script::Probe, Argument::None, ExecLimits::default()).await?;
        let probe = Sections::parse(&probe.stdout, "probe 1")?;
        let user = account(&probe);
        if *self.order.run_as == RunAs::SshUser && user.is_none() {
            return Err(AgentError::new(
                Reason::ProtocolViolation,
                "the probe did not tell the account of the SSH session",
                "set `upgrade.runAs: { account: System }`, or look at the environment of the SSH session",
            ));
        }
        let site = Site { inner: self.inner, session, probe: &probe, generation: self.generation };
        let mut files = match self.order.work.files(&site, id).await? {
            Prepared::Files(files) => files,
            Prepared::NothingToDo(why) => return Ok(Err(why)),
        };
        let task = render::task_xml(id, self.order.run_as, user.as_deref().unwrap_or_default())?;
        files.push(("task.xml".to_owned(), task.into()));
        for (name, bytes) in files {
            session.sftp.write(&format!("{folder}/{name}"), &bytes).await?;
        }
        Ok(Ok(()))
    }

    async fn start(&self, session: &Session) -> Result<(), AgentError> {
        let argument = Argument::Job(self.order.id);
        let exec = scripts::run(&session.connection, Script::Start, argument, ExecLimits::default()).await?;
        let said = String::from_utf8_lossy(&exec.stderr);
        let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
        match exec.status {
            Some(0) => Ok(()),
            Some(31) => Err(AgentError::new(
                Reason::JobNotStarted,
                format!("Windows did not register the task of job {}: {said}", self.order.id),
                "the SSH account must be an administrator; for `SshUser` it must be a full Windows account (`DOMAIN\\user`)",
            )),
            Some(32) => Err(AgentError::new(
                Reason::JobNotStarted,
                format!("Windows did not start the task of job {}: {said}", self.order.id),
                "check that the Task Scheduler service runs and that the account may log on as a batch job",
            )),
            other => Err(AgentError::new(
                Reason::ScriptFailed,
                format!("the start script of job {} ended with {other:?}: {said}", self.order.id),
                "look at the server",
            )),
        }
    }

    /// Shows the new lines of the upgrade's own log. Whatever is wrong with it decides nothing.
    async fn show_log(&mut self, session: &Session) -> Result<(), AgentError> {
        let Work::Upgrade(job) = &self.order.work else { return Ok(()) };
        match self.log.read(self.inner, session, &job.id, &job.package.file).await {
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
}
