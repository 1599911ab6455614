//! Tools: packages that check or migrate and install no release (H4, H7).
//!
//! What a tool did is told by what Agents show, where they can show it; else by its exit code and its log together.

use dataminer_schema::plan::{Action, Disruption, Step};
use jiff::Timestamp;

use super::{
    answer::tail,
    effect::{Disposition, Failure, Job},
    finish::{failure, reason},
    machine::Machine,
    phase::Phase,
    sight::Sight,
};
use crate::tool::Tool;

/// Whether the action runs a tool.
pub(super) fn is_tool(action: Action) -> bool {
    action == Action::RunTool
}

/// Whether the step runs a tool that users notice: it waits for a window as a hop does (S7).
pub(super) fn is_disruptive_tool(step: &Step) -> bool {
    is_tool(step.action) && step.disruption != Disruption::None
}

/// What Agents show of BrokerGateway once the step is done; `None` where it does not touch it.
pub(super) fn broker_after(step: &Step) -> Option<bool> {
    if !is_tool(step.action) {
        return None;
    }
    match Tool::named(step.package.as_deref()?)? {
        Tool::Migration => Some(true),
        Tool::VerifyClusterPorts | Tool::VerifyGrpcConnection | Tool::MigrationCheck => None,
    }
}

/// Whether a tool that died may be run again while nothing shows that it did anything: it changes nothing, or Agents
/// show that it did not.
pub(super) fn may_repeat(step: &Step, sight: &Sight<'_>) -> bool {
    match step.package.as_deref().and_then(Tool::named) {
        Some(Tool::VerifyClusterPorts | Tool::VerifyGrpcConnection | Tool::MigrationCheck) => true,
        Some(Tool::Migration) => sight.broker_is(&step.agents, false),
        None => false,
    }
}

impl Machine {
    /// A tool ended with code 0, which is not yet success.
    pub(super) fn tool_ended(&mut self, now: Timestamp, job: &Job, log: &[String]) {
        if let Some(said) = complaint(log) {
            return self.fail(now, failure(
                Disposition::Stalled,
                reason::TOOL_FAILED,
                format!(
                    "{} ended with code 0 on Agent {}, but its log tells of a failure: {said}",
                    job.package.file, job.orchestrator
                ),
                "Look at the progress.log of the package on every Agent; when the cause is gone, run `retry`.",
                job.agents.clone(),
            ));
        }
        if self.step().is_some_and(|step| broker_after(step).is_some()) {
            // From here on the Agents are waited for, however long the tool took.
            self.step_started_at = now;
            self.phase = Phase::Verify { good_since: None, next_at: now };
        } else {
            self.complete(now);
        }
    }

    /// A tool died, and whether it did anything is not known.
    pub(super) fn tool_lost(&mut self, now: Timestamp, job: &Job) {
        self.fail(now, failure(
            Disposition::Stalled,
            reason::TOOL_FAILED,
            format!(
                "job {} with {} died on Agent {}, and nothing shows what it has done",
                job.id, job.package.file, job.orchestrator
            ),
            "Look at the progress.log of the package and at BrokerGateway on every Agent; finish or undo by hand what it \
             began; then run `retry`.",
            job.agents.clone(),
        ));
    }
}

/// The failure of a tool that ended with another code.
pub(super) fn tool_failure(job: &Job, code: i64, log: &[String]) -> Failure {
    failure(
        Disposition::Stalled,
        reason::TOOL_FAILED,
        format!(
            "{} ended with code {code} on Agent {}: {}",
            job.package.file,
            job.orchestrator,
            complaint(log).unwrap_or_else(|| tail(log))
        ),
        "Look at the progress.log of the package on every Agent; when the cause is gone, run `retry`.",
        job.agents.clone(),
    )
}

/// The lines of a log that tell of a failure, the last ones first cut off; `None` if there is none
/// (`domain/05 section 6`).
fn complaint(log: &[String]) -> Option<String> {
    let tells = |line: &&String| {
        let lower = line.trim().to_ascii_lowercase();
        let counted = lower.split_once(" error(s)").and_then(|(before, _)| before.rsplit(' ').next());
        lower.starts_with("error:")
            || counted.is_some_and(|count| count.parse::<u64>().is_ok_and(|count| count > 0))
    };
    let told: Vec<&str> = log.iter().filter(tells).map(|line| line.trim()).take(3).collect();
    (!told.is_empty()).then(|| told.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_of_failures_by_level_or_count() {
        let complaint = |lines: &[&str]| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            complaint(&lines)
        };
        assert_eq!(complaint(&[]), None);
        let good = ["information: no error: all ports answer", "DataMiner Agent: 0 error(s) and 0 notice(s)"];
        assert_eq!(complaint(&good), None);
        assert_eq!(complaint(&["Error: 10.0.0.2 is closed"]).as_deref(), Some("Error: 10.0.0.2 is closed"));
        assert!(complaint(&["DataMiner Agent: 12 error(s) and 0 notice(s)"]).is_some());
    }
}
