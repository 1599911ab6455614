//! What the machine makes of the end of a job, of a refusal and of a failure.

use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, Failure, Job, JobEnd, Refusal},
    finish::{Finish, failure, reason},
    machine::Machine,
    phase::{Phase, Tries},
    policy::after,
    tools::{is_tool, tool_failure},
};

impl Machine {
    pub(super) fn job_ended(&mut self, now: Timestamp, job: Box<Job>, end: JobEnd) {
        match end {
            JobEnd::Exited { code: 0, log_tail } if is_tool(job.action) => {
                self.tool_ended(now, &job, &log_tail);
            }
            JobEnd::Exited { code: 0, .. } => self.complete(now),
            JobEnd::Exited { code, log_tail } => {
                let (failure, refused) = exit_failure(&job, code, &log_tail);
                // A prerequisite refuses before anything is touched; any other end must be seen to have changed
                // nothing for as long as health must hold.
                let settle =
                    if refused { SignedDuration::ZERO } else { self.desired.cluster.health.settle };
                self.end_unless_changed(now, Finish::Failed { failure }, settle);
            }
            JobEnd::Vanished => {
                let next_at = after(now, self.poll());
                self.phase = Phase::Watch { job, quiet_since: None, next_at };
            }
            JobEnd::TimedOut { log_tail } => self.fail(now, failure(
                Disposition::Stalled,
                reason::UPGRADE_FAILED,
                format!("job {} on Agent {} still ran at its deadline: {}", job.id, job.orchestrator, tail(&log_tail)),
                "Nothing was stopped. Look at the progress.log on that Agent; when the job has ended, run `retry`.",
                job.agents.clone(),
            )),
            JobEnd::Refused { reason: refusal } => self.refused(now, &job, refusal),
        }
    }

    fn refused(&mut self, now: Timestamp, job: &Job, refusal: Refusal) {
        let on = &job.orchestrator;
        let (disposition, reason, message, help) = match refusal {
            // The lock frees itself when the other job ends; a generation that rose between the writing of a job and
            // its start may be our own, after a crash. Another attempt has another id and the current generation.
            Refusal::Lock | Refusal::Generation
                if self.attempt + 1 < self.policy.first_attempt + self.policy.max_attempts =>
            {
                self.attempt += 1;
                let failures = self.attempt - self.policy.first_attempt;
                let next_at = after(now, self.policy.backoff.pause(failures));
                self.phase = Phase::Gate(Tries { since: now, failures, next_at });
                return;
            }
            Refusal::Lock => (
                Disposition::Retry,
                reason::OPERATION_IN_PROGRESS,
                format!("another job holds the lock on Agent {on}"),
                "Wait for it to end; the cluster is planned again by itself.",
            ),
            Refusal::Generation => (
                Disposition::Stalled,
                reason::MANAGED_ELSEWHERE,
                format!("a newer owner acts on Agent {on}"),
                "Find the other process that manages this cluster and stop one of the two; then run `retry`.",
            ),
            Refusal::Copy => (
                Disposition::Retry,
                reason::INSUFFICIENT_DISK,
                format!("the staged package {} could not be copied on Agent {on}", job.package.file),
                "Free disk space on that Agent.",
            ),
            Refusal::Hash => (
                Disposition::Retry,
                reason::PACKAGE_UNVERIFIED,
                format!(
                    "the staged package {} on Agent {on} has another hash than the catalogue",
                    job.package.file
                ),
                "It is uploaded again; if this comes back, check the disk of that Agent and who writes to our folder.",
            ),
        };
        let failure = failure(disposition, reason, message, help, vec![on.clone()]);
        if refusal == Refusal::Generation {
            // Nothing here is ours any more, not even the notes.
            self.phase = Phase::Finished(self.with_debts(Finish::Failed { failure }));
        } else {
            self.end_unless_changed(now, Finish::Failed { failure }, SignedDuration::ZERO);
        }
    }

    /// The driver could not tell what became of the job.
    pub(super) fn job_unknown(&mut self, now: Timestamp, job: Box<Job>, failure: Failure) {
        match failure.disposition {
            Disposition::Stalled => self.fail(now, failure),
            Disposition::Retry if now >= job.deadline => {
                self.fail(now, Failure { disposition: Disposition::Stalled, ..failure });
            }
            Disposition::Retry => {
                let next_at = after(now, self.policy.backoff.first);
                self.phase = Phase::Reattach { job, tries: Tries { since: now, failures: 0, next_at } };
            }
        }
    }

    /// A quiet effect or an observation failed.
    pub(super) fn retry(&mut self, now: Timestamp, failure: Failure) {
        let backoff = self.policy.backoff;
        let again = |tries: &Tries| {
            let failures = tries.failures + 1;
            (failures < backoff.tries).then(|| Tries {
                failures,
                next_at: after(now, backoff.pause(failures)),
                ..*tries
            })
        };
        // A note that stays is work that is done again, so an Agent that is away is waited for.
        let patience = self.desired.cluster.health.timeout;
        let patiently = |tries: &Tries| {
            let failures = tries.failures + 1;
            (now.duration_since(tries.since) < patience).then(|| Tries {
                failures,
                next_at: after(now, backoff.pause(failures)),
                ..*tries
            })
        };
        let poll = after(now, self.poll());
        let next = match (&self.phase, failure.disposition) {
            (Phase::Withdraw { finish, tries }, disposition) => {
                let tries = if disposition == Disposition::Retry { patiently(tries) } else { None };
                Some(match tries {
                    Some(tries) => Phase::Withdraw { finish: finish.clone(), tries },
                    None => Phase::Finished(self.notes_left(finish, failure.clone())),
                })
            }
            (Phase::Prove(proof), _) => return self.look_again(now, proof.clone()),
            (_, Disposition::Stalled) => None,
            (Phase::Act(tries), Disposition::Retry) => again(tries).map(Phase::Act),
            (Phase::Owe(tries), Disposition::Retry) => again(tries).map(Phase::Owe),
            (Phase::Compare(tries), Disposition::Retry) => again(tries).map(Phase::Compare),
            (Phase::Acquit(tries), Disposition::Retry) => patiently(tries).map(Phase::Acquit),
            (Phase::Gate(tries), Disposition::Retry) => again(tries).map(Phase::Gate),
            (Phase::Reattach { job, tries }, Disposition::Retry) => {
                again(tries).map(|tries| Phase::Reattach { job: job.clone(), tries })
            }
            (Phase::Watch { job, .. }, Disposition::Retry) if now < job.deadline => {
                Some(Phase::Watch { job: job.clone(), quiet_since: None, next_at: poll })
            }
            (Phase::Verify { .. }, Disposition::Retry)
                if now.duration_since(self.step_started_at) < self.desired.cluster.health.timeout =>
            {
                Some(Phase::Verify { good_since: None, next_at: poll })
            }
            (_, Disposition::Retry) => None,
        };
        match next {
            Some(phase) => self.phase = phase,
            None => self.fail(now, failure),
        }
    }

    pub(super) fn next_attempt(&mut self, now: Timestamp, job: &Job) {
        self.attempt += 1;
        if self.attempt < self.policy.first_attempt + self.policy.max_attempts {
            self.phase = Phase::Enter;
        } else {
            let failure = failure(
                Disposition::Stalled,
                reason::UPGRADE_FAILED,
                format!(
                    "the job died {} times on Agent {} without changing an Agent, the last time as {} before {now}",
                    self.policy.max_attempts, job.orchestrator, job.id
                ),
                "Find out what kills it: a reboot of Windows, antivirus, memory. When the cause is gone, run `retry`.",
                job.agents.clone(),
            );
            self.end_unless_changed(now, Finish::Failed { failure }, SignedDuration::ZERO);
        }
    }
}

/// The failure, and whether a prerequisite refused the package before anything was touched.
fn exit_failure(job: &Job, code: i64, log_tail: &[String]) -> (Failure, bool) {
    let prerequisites: Vec<&str> = log_tail
        .iter()
        .filter_map(|line| line.find("Prerequisite ").map(|at| &line[at..]))
        .filter(|line| line.contains(".dll failed:"))
        .collect();
    if prerequisites.is_empty() && is_tool(job.action) {
        return (tool_failure(job, code, log_tail), false);
    }
    if prerequisites.is_empty() {
        let failed = failure(
            Disposition::Stalled,
            reason::UPGRADE_FAILED,
            format!(
                "job {} on Agent {} ended with code {code}: {}",
                job.id,
                job.orchestrator,
                tail(log_tail)
            ),
            "Look at output.log of the job, at the progress.log of the package, and at the Agents' state; when the \
             cause is gone, run `retry`.",
            job.agents.clone(),
        );
        return (failed, false);
    }
    let failed = failure(
        Disposition::Stalled,
        reason::PREREQUISITE_FAILED,
        format!(
            "the package {} was refused, nothing was changed: {}",
            job.package.file,
            prerequisites.join("; ")
        ),
        "Cure what the prerequisite names; then run `retry`.",
        job.agents.clone(),
    );
    (failed, true)
}

/// The end of a log in one line.
pub(super) fn tail(lines: &[String]) -> String {
    if lines.is_empty() {
        return "its log is empty".to_owned();
    }
    let from = lines.len().saturating_sub(3);
    lines.get(from..).unwrap_or_default().join(" / ")
}
