//! The checks that a package carries, run on every Agent before anything is changed (S1).
//!
//! A check that is known to have failed stops the operation, by its name and with the known cure. One whose result
//! is not known stops nothing and counts as nothing: the package runs its checks itself before it touches an Agent.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::{AgentName, JobId},
    plan::PackagePatch,
    v1::cluster::RunAs,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    effect::{Disposition, EffectKind, Failure, JobEnd, Outcome, Package, Refusal},
    finish::{failure, reason},
    machine::Machine,
    phase::{Phase, Tries},
    policy::after,
    sight::list,
};

/// The checks of one package, run by the product's own program on each Agent; a job of the same id on each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerequisiteRun {
    /// Plan, step and attempt.
    pub id: JobId,
    /// The package whose checks they are.
    pub package: Package,
    /// Those of them that are not run: what they ask for comes later, or the package's copy lacks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    pub agents: Vec<AgentName>,
    pub run_as: RunAs,
    /// Until when the jobs are waited for.
    pub deadline: Timestamp,
}

/// What the checks found on all Agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// How many results were good: one for each check and Agent.
    pub passed: u32,
    /// Every other result, in the order of Agents and checks.
    pub findings: Vec<CheckFinding>,
}

/// A check that did not simply pass on an Agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckFinding {
    pub agent: AgentName,
    /// Its file in the package: `VerifyClusterPorts.dll`.
    pub check: String,
    pub verdict: Verdict,
    /// What the check said, or why its result is not known.
    pub message: String,
}

/// What became of a check that did not simply pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It says that the Agent is not ready for the package.
    Failed,
    /// It passed with a warning.
    Warned,
    /// Nobody can tell: neither a success nor a failure.
    Unknown,
}

impl Checked {
    /// What failed, by check.
    fn failed(&self) -> BTreeMap<&str, Vec<&CheckFinding>> {
        let mut failed: BTreeMap<&str, Vec<&CheckFinding>> = BTreeMap::new();
        for finding in self.findings.iter().filter(|finding| finding.verdict == Verdict::Failed) {
            failed.entry(finding.check.as_str()).or_default().push(finding);
        }
        failed
    }
}

impl Machine {
    /// The checks of the step at hand.
    pub(super) fn checks(&self, now: Timestamp) -> Result<EffectKind, Failure> {
        let step = self.step().ok_or_else(|| self.invalid("there is no step at hand"))?;
        let lacks = step.patch.as_ref().and_then(PackagePatch::check).map(str::to_owned);
        Ok(EffectKind::RunPrerequisites(Box::new(PrerequisiteRun {
            id: self.job_id(step)?,
            package: self.package(step)?,
            without: step.without.iter().cloned().chain(lacks).collect(),
            agents: step.agents.clone(),
            run_as: self.desired.cluster.upgrade.run_as.clone(),
            deadline: after(now, self.policy.check_job).min(self.deadline),
        })))
    }

    /// The checks were run, or their jobs ended otherwise.
    pub(super) fn checks_answered(&mut self, now: Timestamp, run: &PrerequisiteRun, outcome: Outcome) {
        match outcome {
            Outcome::Checked(checked) => {
                let failed = checked.failed();
                if failed.is_empty() {
                    self.complete(now);
                } else {
                    let failure = self.refused_by(run, &failed);
                    self.fail(now, failure);
                }
            }
            Outcome::JobEnded(end) => self.checks_ended(now, run, end),
            Outcome::Failed(failure) => self.retry(now, failure),
            other => self.mismatched(now, &EffectKind::RunPrerequisites(Box::new(run.clone())), &other),
        }
    }

    /// A job of the checks ended without results.
    fn checks_ended(&mut self, now: Timestamp, run: &PrerequisiteRun, end: JobEnd) {
        if matches!(end, JobEnd::TimedOut { .. }) {
            // It still holds the lock, so no other job could begin.
            return self.fail(now, failure(
                Disposition::Retry,
                reason::OPERATION_IN_PROGRESS,
                format!("the checks of {} still ran at their deadline (job {})", run.package.file, run.id),
                "Nothing was stopped. Look at output.log of the job on the Agents, and end StandaloneBpaExecutor.exe there \
                 if it hangs; the cluster is planned again by itself.",
                run.agents.clone(),
            ));
        }
        if self.attempt + 1 < self.policy.first_attempt + self.policy.max_attempts {
            self.attempt += 1;
            let failures = self.attempt - self.policy.first_attempt;
            let next_at = after(now, self.policy.backoff.pause(failures));
            self.phase = Phase::Act(Tries { since: now, failures: 0, next_at });
            return;
        }
        match end {
            JobEnd::Refused { reason: Refusal::Generation } => self.fail(
                now,
                failure(
                    Disposition::Stalled,
                    reason::MANAGED_ELSEWHERE,
                    "a newer owner acts on an Agent whose checks were to be run",
                    "Find the other process that manages this cluster and stop one of the two; then run `retry`.",
                    run.agents.clone(),
                ),
            ),
            JobEnd::Refused { reason: Refusal::Lock | Refusal::Copy | Refusal::Hash } => self.fail(
                now,
                failure(
                    Disposition::Retry,
                    reason::OPERATION_IN_PROGRESS,
                    format!("another job holds the lock on an Agent: the checks of {} did not begin", run.package.file),
                    "Wait for it to end; the cluster is planned again by itself.",
                    run.agents.clone(),
                ),
            ),
            // Whatever kills them: their results are not known, and the package runs its checks itself.
            JobEnd::Vanished | JobEnd::Exited { .. } | JobEnd::TimedOut { .. } => self.complete(now),
        }
    }

    fn refused_by(&self, run: &PrerequisiteRun, failed: &BTreeMap<&str, Vec<&CheckFinding>>) -> Failure {
        let mut agents: Vec<AgentName> = Vec::new();
        let mut told = Vec::new();
        let mut cures = Vec::new();
        for (check, findings) in failed {
            let on: Vec<AgentName> = findings.iter().map(|finding| finding.agent.clone()).collect();
            let said = findings.first().map_or("", |finding| finding.message.as_str());
            told.push(format!("Prerequisite {check} failed on {}: {said}", list(&on)));
            cures.extend(self.cure(check));
            for agent in on {
                if !agents.contains(&agent) {
                    agents.push(agent);
                }
            }
        }
        cures.push("Cure what the prerequisite names; then run `retry`.".to_owned());
        failure(
            Disposition::Stalled,
            reason::PREREQUISITE_FAILED,
            format!("{} cannot be installed, nothing was changed: {}", run.package.file, told.join("; ")),
            cures.join(" "),
            agents,
        )
    }

    /// What is known to help against a check.
    fn cure(&self, check: &str) -> Option<String> {
        let id = check.get(..check.len().saturating_sub(4)).unwrap_or(check);
        let known = self.knowledge.prerequisites().find(|known| known.id.eq_ignore_ascii_case(id))?;
        let mut words = format!("{} ({})", known.id, known.title);
        if !known.tools.is_empty() {
            words.push_str(": run ");
            words.push_str(&known.tools.join(", then "));
        }
        if let Some(note) = &known.note {
            words.push_str("; ");
            words.push_str(note);
        }
        if !known.known_issues.is_empty() {
            words.push_str("; known issues: ");
            words.push_str(&known.known_issues.join(", "));
        }
        Some(format!("{words}; see {}.", known.source))
    }
}
