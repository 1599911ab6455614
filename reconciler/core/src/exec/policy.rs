//! Limits of one operation: they come in with the input, the machine only counts.

use dataminer_schema::plan::{Action, Plan, Step};
use jiff::{SignedDuration, Timestamp};

use crate::canary::is_canary;

/// How long things may take and how often they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecPolicy {
    pub scope: Scope,
    /// How long a job that restarts Agents is waited for.
    pub core_job: SignedDuration,
    /// How long a job that restarts only the web server is waited for.
    pub web_job: SignedDuration,
    /// How long a restore of content or the installation of a module is waited for, each attempt.
    pub tail_job: SignedDuration,
    /// How long the checks of a package are waited for: minutes for each, on all Agents at once.
    pub check_job: SignedDuration,
    /// From the start of the operation until it is given up. Nothing that runs on an Agent is stopped by it.
    pub overall: SignedDuration,
    /// The number of the first attempt at each job. Job ids must never come back with another meaning, so a later
    /// operation of the same plan goes on counting where the earlier one stopped.
    pub first_attempt: u32,
    /// How many attempts at one job an operation makes.
    pub max_attempts: u32,
    /// For effects that failed and may be tried again.
    pub backoff: Backoff,
    /// How many hours of the Agents pass in one of the machine's: 1 for real ones. What a step wants to see for longer
    /// than `health.settle` is divided by it.
    pub hurry: i32,
}

/// No limit of a hurried operation is shorter: what is not simulated, connections and hashes, takes its real time.
const LEAST_LIMIT: SignedDuration = SignedDuration::from_mins(2);

impl ExecPolicy {
    /// The limits for `plan`, from the size of its steps.
    pub fn for_plan(plan: &Plan) -> Self {
        // A full upgrade of a large system takes well below an hour (`domain/08`); three hours leave room for a
        // slow database start and still end within a night.
        let core_job = SignedDuration::from_hours(3);
        // Tools that change nothing take minutes (`domain/08`), and one that hangs shall say so soon.
        let web_job =
            if is_canary(plan) { SignedDuration::from_mins(20) } else { SignedDuration::from_hours(1) };
        // Some gigabytes of small files over a slow line.
        let tail_job = SignedDuration::from_hours(1);
        let jobs = plan.steps.iter().fold(SignedDuration::ZERO, |sum, step| {
            sum.saturating_add(match step.action {
                Action::UpgradeCore | Action::DowngradeCore | Action::InstallHotfix => {
                    core_job.saturating_mul(2)
                }
                Action::UpgradeWeb | Action::DowngradeWeb => web_job.saturating_mul(2),
                Action::RestoreContent | Action::ReinstallModule => tail_job.saturating_mul(2),
                Action::StagePackage
                | Action::RunPrerequisites
                | Action::SaveBackup
                | Action::BackupAgent
                | Action::RunHook
                | Action::RunTool
                | Action::VerifyCluster
                | Action::CleanUp
                | Action::Manual => SignedDuration::from_hours(1),
            })
        });
        Self {
            scope: Scope::Whole,
            core_job,
            web_job,
            tail_job,
            check_job: SignedDuration::from_mins(45),
            overall: jobs.saturating_add(SignedDuration::from_hours(2)),
            first_attempt: 1,
            max_attempts: 3,
            backoff: Backoff::default(),
            hurry: 1,
        }
    }

    /// The same for Agents whose time passes `hurry` times as fast.
    #[must_use]
    pub fn hurried(self, hurry: i32) -> Self {
        let hurry = hurry.max(1);
        if hurry == 1 {
            return self;
        }
        let limit = |limit: SignedDuration| (limit / hurry).max(LEAST_LIMIT);
        let Backoff { first, max, tries } = self.backoff;
        Self {
            core_job: limit(self.core_job),
            web_job: limit(self.web_job),
            tail_job: limit(self.tail_job),
            check_job: limit(self.check_job),
            overall: limit(self.overall).saturating_mul(5),
            backoff: Backoff { first: first / hurry, max: max / hurry, tries },
            hurry,
            ..self
        }
    }

    pub(super) fn job_limit(&self, step: &Step) -> SignedDuration {
        match step.action {
            // Tools take minutes (`domain/prerequisites.yaml`).
            Action::UpgradeWeb | Action::DowngradeWeb | Action::RunTool => self.web_job,
            _ => self.core_job,
        }
    }
}

/// How much of a plan an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Whole,
    /// Only the leading steps that are `ready` and disturb nobody: what may run while a plan waits.
    Preparation,
}

/// Growing pauses between tries; deterministic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: SignedDuration,
    pub max: SignedDuration,
    /// How many tries in all.
    pub tries: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: SignedDuration::from_secs(5), max: SignedDuration::from_mins(2), tries: 6 }
    }
}

impl Backoff {
    /// The pause after `failures` failures in a row: doubled each time, capped.
    pub fn pause(&self, failures: u32) -> SignedDuration {
        let doublings = failures.saturating_sub(1).min(16);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }
}

/// `now + duration`, at most the end of time.
pub(super) fn after(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let backoff = Backoff::default();
        let seconds: Vec<i64> = (1..=7).map(|failures| backoff.pause(failures).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 120, 120]);
        assert_eq!(backoff.pause(u32::MAX), backoff.max);
    }

    #[test]
    fn a_hurried_operation_waits_less_and_never_next_to_nothing() {
        let usual = ExecPolicy {
            scope: Scope::Whole,
            core_job: SignedDuration::from_hours(30),
            web_job: SignedDuration::from_hours(1),
            tail_job: SignedDuration::from_hours(1),
            check_job: SignedDuration::from_mins(45),
            overall: SignedDuration::from_hours(60),
            first_attempt: 1,
            max_attempts: 3,
            backoff: Backoff::default(),
            hurry: 1,
        };
        assert_eq!(usual.clone().hurried(1), usual);
        assert_eq!(usual.clone().hurried(0), usual);
        let hurried = usual.hurried(600);
        assert_eq!((hurried.core_job, hurried.web_job), (SignedDuration::from_mins(3), LEAST_LIMIT));
        assert_eq!(hurried.overall, SignedDuration::from_mins(30));
        assert!(hurried.backoff.pause(9) < SignedDuration::from_secs(1));
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        assert_eq!(after(Timestamp::MAX, SignedDuration::from_secs(1)), Timestamp::MAX);
    }
}
