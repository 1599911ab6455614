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

    /// Takes the cluster: marks it as ours and raises the generation on all Agents above `store_generation` and
    /// above what they show. Returns the new generation.
    fn claim(&self, store_generation: u64) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Performs `effect` under `generation`.
    fn perform(
        &self,
        generation: u64,
        effect: &Effect,
        progress: &ProgressSender,
    ) -> impl Future<Output = Outcome> + Send;
}
