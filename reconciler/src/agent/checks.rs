//! `RunPrerequisites`: the checks of a package, run on every Agent by the product's own executor before anything is
//! changed (`domain/05 section 3`).

use std::sync::Arc;

use dataminer_core::exec::{
    checks::{CheckFinding, Checked, PrerequisiteRun, Verdict},
    effect::{JobEnd, Outcome},
};
use dataminer_schema::id::AgentName;

use super::{
    Inner,
    context::tell,
    error::{AgentError, Reason},
    job::{self, Order, Work},
    link::{Link, Session},
    perform::{JOBS, each},
    probe::bpa::{self, Said},
    render::checked_file_name,
    stage::Payload,
};
use crate::{
    engine::{Progress, ProgressSender},
    package::{Caps, Check, NoChecks, checks},
};

/// A result with all its details.
const RESULT_CAP: usize = 1024 * 1024;
/// The job found no executor.
const NO_EXECUTOR: i64 = 43;

/// Checks that may be run, and what runs them.
pub(super) struct CheckRun<'a> {
    pub(super) wanted: &'a PrerequisiteRun,
    pub(super) checks: Vec<Check>,
}

/// What one Agent's job came to.
enum Ended {
    Results(Checked),
    /// The job did not end as it should.
    Otherwise(JobEnd),
}

/// Runs the checks of a package on all its Agents.
pub(super) async fn run(
    inner: &Inner,
    generation: u64,
    wanted: &PrerequisiteRun,
    progress: &ProgressSender,
) -> Outcome {
    let found = match of_package(inner, wanted).await {
        Ok(found) => found,
        Err(error) => return Outcome::Failed(error.into_failure(wanted.agents.clone())),
    };
    let is_left_out =
        |check: &Check| wanted.without.iter().any(|name| name.eq_ignore_ascii_case(&check.file));
    let (left_out, found): (Vec<Check>, Vec<Check>) = found.into_iter().partition(is_left_out);
    for check in left_out {
        let note = format!("prerequisite {} is left out, as the plan says", check.file.escape_debug());
        tell(progress, Progress::Note(note));
    }
    if found.is_empty() {
        tell(
            progress,
            Progress::Note(format!("{} carries no prerequisites that could be run now", wanted.package.file)),
        );
        return Outcome::Checked(Checked::default());
    }
    let (checks, unnamable): (Vec<Check>, Vec<Check>) =
        found.into_iter().partition(|check| checked_file_name("the prerequisite", &check.file).is_ok());
    let run = CheckRun { wanted, checks };
    let (run, unnamable) = (&run, &unnamable);
    let ends = each(inner, &wanted.agents, JOBS, |link| async move {
        on_agent(inner, generation, &link, run, unnamable, progress).await
    });
    let ends = match ends.await {
        Ok(ends) => ends,
        Err(failure) => {
            tracing::warn!(job = %wanted.id, "checks of {}: {}", wanted.package.file, failure.message);
            return Outcome::Failed(failure);
        }
    };
    let mut all = Checked::default();
    let mut otherwise = Vec::new();
    for end in ends {
        match end {
            Ended::Results(checked) => {
                all.passed = all.passed.saturating_add(checked.passed);
                all.findings.extend(checked.findings);
                otherwise.push(JobEnd::Exited { code: 0, log_tail: Vec::new() });
            }
            Ended::Otherwise(end) => otherwise.push(end),
        }
    }
    // A failure that is known counts, whatever became of the other Agents.
    let failed = all.findings.iter().any(|finding| finding.verdict == Verdict::Failed);
    match job::together(&wanted.agents, otherwise) {
        end @ (JobEnd::Vanished | JobEnd::Refused { .. } | JobEnd::TimedOut { .. }) if !failed => {
            Outcome::JobEnded(end)
        }
        _ => Outcome::Checked(all),
    }
}

/// The checks that the package carries, from the file that the plan pinned.
async fn of_package(inner: &Inner, wanted: &PrerequisiteRun) -> Result<Vec<Check>, AgentError> {
    let payload = Payload::published(inner, &wanted.package).await?;
    let path = payload.path().to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(&path)?;
        checks(std::io::BufReader::new(file), &Caps::DEFAULT)
    });
    let file = &wanted.package.file;
    let unreadable = |why: &dyn std::fmt::Display| {
        AgentError::new(
            Reason::NoPackage,
            format!("the prerequisites of package {file} cannot be read: {why}"),
            "check the package place",
        )
    };
    match read.await.map_err(|error| unreadable(&error))? {
        Ok(checks) => Ok(checks),
        Err(NoChecks::Io(error)) => Err(unreadable(&error)),
        Err(refused @ NoChecks::Refused(_)) => Err(AgentError::new(
            Reason::PackageUnverified,
            format!("package {file} is not fit to be used: {refused}"),
            "run `dataminer-reconciler catalog scan` on it; get the package from the vendor again",
        )),
    }
}

async fn on_agent(
    inner: &Inner,
    generation: u64,
    link: &Arc<Link>,
    run: &CheckRun<'_>,
    unnamable: &[Check],
    progress: &ProgressSender,
) -> Result<Ended, AgentError> {
    let wanted = run.wanted;
    let order =
        Order { id: &wanted.id, run_as: &wanted.run_as, deadline: wanted.deadline, work: Work::Checks(run) };
    let code = match job::run_on(inner, generation, link, &order, progress).await? {
        JobEnd::Exited { code, .. } => code,
        otherwise => return Ok(Ended::Otherwise(otherwise)),
    };
    let mut checked = Checked::default();
    let session = inner.connect(link).await?;
    let results = results(inner, &session, run, code).await;
    session.close().await;
    let results = results.map_err(|error| error.on(format_args!("Agent {}", link.name)))?;
    let odd = unnamable.iter().map(|check| {
        (check.file.escape_debug().to_string(), Said::Unknown("its name cannot go into a script".to_owned()))
    });
    for (check, said) in results.into_iter().chain(odd) {
        let (verdict, message) = match said {
            Said::Passed => {
                checked.passed += 1;
                continue;
            }
            Said::Warned(message) => (Verdict::Warned, message),
            Said::Failed(message) => (Verdict::Failed, message),
            Said::Unknown(message) => (Verdict::Unknown, message),
        };
        tell(progress, Progress::Note(note(&link.name, &check, verdict, &message)));
        checked.findings.push(CheckFinding { agent: link.name.clone(), check, verdict, message });
    }
    Ok(Ended::Results(checked))
}

fn note(agent: &AgentName, check: &str, verdict: Verdict, message: &str) -> String {
    let word = match verdict {
        Verdict::Failed => "failed",
        Verdict::Warned => "warns",
        Verdict::Unknown => "has no known result",
    };
    format!("Agent {agent}: prerequisite {check} {word}: {message}")
}

/// What each check left. The code of the executor says nothing before 10.6.7/10.7.0 (RN 45433), so none is looked at.
async fn results(
    inner: &Inner,
    session: &Session,
    run: &CheckRun<'_>,
    code: i64,
) -> Result<Vec<(String, Said)>, AgentError> {
    let folder = inner.context.layout.job(&run.wanted.id);
    let mut results = Vec::with_capacity(run.checks.len());
    for Check { file, .. } in &run.checks {
        let said = match code {
            0 => match session.sftp.read(&format!("{folder}/{file}.json"), RESULT_CAP).await {
                Ok(text) if text.truncated => Said::Unknown("its result is longer than is read".to_owned()),
                Ok(text) => bpa::parse(&text.bytes),
                Err(error) if error.is_not_found() => Said::Unknown("it left no result".to_owned()),
                Err(error) => return Err(error),
            },
            NO_EXECUTOR => Said::Unknown("StandaloneBpaExecutor.exe is not on the Agent".to_owned()),
            code => Said::Unknown(format!("the job of the checks ended with {code}")),
        };
        results.push((file.clone(), said));
    }
    Ok(results)
}
