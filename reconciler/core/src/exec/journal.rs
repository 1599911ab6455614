//! What is written down before and after each effect, so that a crash loses nothing.
//!
//! An intent without an outcome is re-observed after a crash, never assumed and never blindly repeated
//! (invariant 5 in `ARCHITECTURE.md`).

use dataminer_schema::{
    id::{ClusterName, CommitId, PlanId, Sha256},
    v1::observation::{AgentObservation, Observation},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    effect::{Effect, Outcome},
    finish::Finish,
};

/// One line of the journal of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    pub at: Timestamp,
    pub record: Record,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Record {
    /// Always the first record.
    OperationStarted(Started),
    /// The effect is about to be asked for.
    Intent { effect: Effect },
    /// The effect `effect` was answered.
    Outcome { effect: u64, outcome: Outcome },
    /// Always the last record.
    Finished { finish: Finish },
}

/// What an operation was begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub cluster: ClusterName,
    pub plan: PlanId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The digest of what was wanted.
    pub desired: Sha256,
    /// The generation that fences the operation on the Agents.
    pub generation: u64,
    /// See `ExecPolicy::first_attempt`.
    pub first_attempt: u32,
    /// Whether only preparatory steps are done.
    pub preparation: bool,
}

impl Outcome {
    /// The outcome as the journal keeps it. A look at the Agents is repeated after a crash and not read from the
    /// journal, so only what a reader of the journal asks about is kept of it: a verification looks every few
    /// seconds. One thing is read: the notes of owed work that a repair set out to acquit.
    #[must_use]
    pub fn for_journal(&self) -> Self {
        let Self::Observed(observation) = self else { return self.clone() };
        let agents = observation
            .agents
            .iter()
            .map(|agent| AgentObservation {
                reason: agent.reason.clone(),
                core: agent.core.clone(),
                web_apps: agent.web_apps.clone(),
                state: agent.state,
                failover: agent.failover,
                owed: agent.owed.clone(),
                operation: agent.operation.clone(),
                ..AgentObservation::new(agent.name.clone(), agent.reachable)
            })
            .collect();
        let (cluster, taken_at) = (observation.cluster.clone(), observation.taken_at);
        Self::Observed(Box::new(Observation { cluster, taken_at, topology: None, agents }))
    }
}

/// What a journal tells in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay<'a> {
    pub started: Option<&'a Started>,
    pub started_at: Option<Timestamp>,
    /// The last intent, and its outcome if one was written.
    pub last: Option<(&'a Effect, Option<&'a Outcome>)>,
    pub finish: Option<&'a Finish>,
    /// The highest attempt number of any job.
    pub last_attempt: u32,
}

impl<'a> Replay<'a> {
    /// Reads `entries` in order. Outcomes of other effects than the last intended one are ignored.
    pub fn of(entries: &'a [JournalEntry]) -> Self {
        let mut replay = Self::default();
        for entry in entries {
            match &entry.record {
                Record::OperationStarted(started) => {
                    replay.started = Some(started);
                    replay.started_at = Some(entry.at);
                }
                Record::Intent { effect } => {
                    replay.last_attempt = replay.last_attempt.max(effect.kind.attempt().unwrap_or(0));
                    replay.last = Some((effect, None));
                }
                Record::Outcome { effect, outcome } => {
                    if let Some((intended, answer)) = &mut replay.last
                        && intended.id == *effect
                    {
                        *answer = Some(outcome);
                    }
                }
                Record::Finished { finish } => replay.finish = Some(finish),
            }
        }
        replay
    }
}
