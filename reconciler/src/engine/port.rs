//! What the engine needs of the Agents of one cluster.

use std::future::Future;

use dataminer_core::exec::effect::{Effect, Failure, Outcome};
use dataminer_schema::{id::AgentName, v1::observation::Observation};

/// How far an effect is: shown, never decisive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Bytes {
        done: u64,
        total: u64,
        agent: AgentName,
    },
    /// A line of a progress log.
    Log {
        agent: AgentName,
        line: String,
    },
    Note(String),
}

/// Where progress goes; senders use `try_send` and lose what does not fit.
pub type ProgressSender = tokio::sync::mpsc::Sender<Progress>;

/// Whose the Agents of a cluster are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// The mark of each Agent in words; an Agent without one is left out.
    pub marks: Vec<(AgentName, String)>,
    /// The highest generation on any of them; 0 if there is none.
    pub generation: u64,
}

/// The Agents of one cluster.
///
/// # Guarantees asked of implementations
///
/// * Nothing panics and nothing hangs for ever; what fails comes back typed.
/// * Every effect is an ensure: done twice equals done once. `RunJob` with the id of a job that exists finds it again.
/// * Every future may be dropped at any await: that is what a crash does, too.
pub trait AgentPort: Send + Sync + 'static {
    /// A fresh look at every Agent. One that does not answer is reported as not reachable.
    fn observe(&self) -> impl Future<Output = Observation> + Send;

    /// The highest generation on the Agents, 0 if there is none; fails with `ManagedElsewhere` where one of them
    /// belongs to another installation. Changes nothing.
    fn newest_generation(&self) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Marks the cluster as ours and raises exactly `generation` on all Agents. Whoever calls has written it down
    /// before and knows it to be higher than theirs; where an Agent has reached it, somebody else acts.
    fn claim(&self, generation: u64) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Whose the Agents are, without a judgement; changes nothing.
    fn holders(&self) -> impl Future<Output = Result<Holders, Failure>> + Send;

    /// Raises exactly `generation` on all Agents and replaces every mark on them by ours: only for an operator who
    /// said why.
    fn take_over(&self, generation: u64) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Performs `effect` under `generation`.
    fn perform(
        &self,
        generation: u64,
        effect: &Effect,
        progress: &ProgressSender,
    ) -> impl Future<Output = Outcome> + Send;
}
