//! One effect, performed: done twice equals done once.

use std::sync::Arc;

use dataminer_core::exec::effect::{Effect, EffectKind, Failure, JobEnd, ModuleInstall, Outcome};
use dataminer_schema::id::AgentName;
use futures::{StreamExt, stream};

use super::{
    Inner, backup, checks,
    claim::combine,
    clean,
    context::tell,
    error::AgentError,
    job::{self, Order, Work},
    link::Link,
    owed, restore,
    stage::{self, Payload},
};
use crate::engine::{Progress, ProgressSender};

/// Uploads and downloads at the same time within a cluster: more only share one line to a site.
pub(super) const TRANSFERS: usize = 4;
/// Jobs at the same time: they work on the Agents themselves.
pub(super) const JOBS: usize = 64;
/// How msiexec's `ERROR_SUCCESS_REBOOT_REQUIRED` ends a line of the job's log.
const RESTART_WANTED: &str = " 3010";

/// See [`super::ClusterDriver::perform`].
pub(super) async fn perform(
    inner: &Inner,
    generation: u64,
    effect: &Effect,
    progress: &ProgressSender,
) -> Outcome {
    match &effect.kind {
        EffectKind::Observe => Outcome::Observed(Box::new(inner.observe().await)),
        EffectKind::StagePackage { package, agents } => {
            let payload = match Payload::find(inner, package).await {
                Ok(payload) => payload,
                Err(error) => return Outcome::Failed(error.into_failure(agents.clone())),
            };
            let payload = &payload;
            let staged = each(inner, agents, TRANSFERS, |link| async move {
                stage::stage(inner, &link, payload, progress).await
            });
            let done = || payload.copy().map_or(Outcome::Done, |copy| Outcome::Patched(copy.clone()));
            staged.await.map_or_else(Outcome::Failed, |_| done())
        }
        EffectKind::RunPrerequisites(wanted) => checks::run(inner, generation, wanted, progress).await,
        EffectKind::SaveBackup { agents } => {
            let observation = inner.observe().await;
            let content = |link: &Link| backup::Content::of(&observation, &link.name);
            let saved = each(inner, agents, TRANSFERS, |link| {
                let content = content(&link);
                async move { backup::save(inner, &link, &content, progress).await }
            });
            saved
                .await
                .map_or_else(Outcome::Failed, |saved| Outcome::Saved(saved.into_iter().flatten().collect()))
        }
        EffectKind::RunJob(wanted) => match job::run(inner, generation, wanted, progress).await {
            Ok(end) => Outcome::JobEnded(end),
            Err(error) => {
                // Whoever waits for the job only knows that it has not ended.
                tracing::warn!(job = %wanted.id, agent = %wanted.orchestrator, "job lost from sight: {error}");
                Outcome::Failed(error.into_failure(vec![wanted.orchestrator.clone()]))
            }
        },
        EffectKind::CleanUp { agents } => {
            let cleaned =
                each(inner, agents, TRANSFERS, |link| async move { clean::clean(inner, &link).await });
            cleaned.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::Owe { agents, work } => {
            // Nothing may fall before what it will owe is known to be there.
            if let Err(error) = restore::check(inner, work, progress).await {
                return Outcome::Failed(error.into_failure(agents.clone()));
            }
            let owed = each(inner, agents, TRANSFERS, |link| async move {
                owed::owe(inner, &link, generation, work).await
            });
            owed.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::Acquit { agents, notes } => {
            let gone = each(inner, agents, TRANSFERS, |link| async move {
                owed::acquit(inner, &link, generation, notes).await
            });
            gone.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::RestoreContent(wanted) => restore::restore(inner, generation, wanted, progress).await,
        EffectKind::VerifyContent { backup, agents } => {
            restore::verify(inner, backup, agents, progress).await
        }
        EffectKind::ReinstallModule(wanted) => reinstall(inner, generation, wanted, progress).await,
    }
}

/// Installs the module again on all Agents at once.
async fn reinstall(
    inner: &Inner,
    generation: u64,
    wanted: &ModuleInstall,
    progress: &ProgressSender,
) -> Outcome {
    let ends = each(inner, &wanted.agents, JOBS, |link| async move {
        let order = Order {
            id: &wanted.id,
            run_as: &wanted.run_as,
            deadline: wanted.deadline,
            work: Work::Reinstall(wanted),
        };
        let end = job::run_on(inner, generation, &link, &order, progress).await?;
        if let JobEnd::Exited { log_tail, .. } = &end
            && log_tail.iter().any(|line| line.trim_end().ends_with(RESTART_WANTED))
        {
            let note = format!("Agent {}: Windows wants a restart after {}", link.name, wanted.module);
            tell(progress, Progress::Note(note));
        }
        Ok(end)
    });
    match ends.await {
        Ok(ends) => Outcome::JobEnded(job::together(&wanted.agents, ends)),
        Err(failure) => {
            tracing::warn!(job = %wanted.id, "reinstallation of {}: {}", wanted.module, failure.message);
            Outcome::Failed(failure)
        }
    }
}

/// `task` on each Agent, `at_once` at a time; one failure that names the Agents it is about.
pub(super) async fn each<T, F>(
    inner: &Inner,
    agents: &[AgentName],
    at_once: usize,
    task: impl Fn(Arc<Link>) -> F,
) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<T, AgentError>>,
{
    let task = &task;
    // Collected first: a stream over the borrowing iterator is not `Send`.
    let tasks: Vec<_> = agents
        .iter()
        .map(|name| async move {
            let link = inner.link(name)?;
            task(Arc::clone(link)).await
        })
        .collect();
    let results: Vec<_> = stream::iter(tasks).buffered(at_once).collect().await;
    let mut values = Vec::with_capacity(results.len());
    let mut failed = Vec::new();
    let mut about = Vec::new();
    for (name, result) in agents.iter().zip(results) {
        match result {
            Ok(value) => values.push(value),
            Err(error) => {
                failed.push(error);
                about.push(name.clone());
            }
        }
    }
    combine(failed, about).map_or(Ok(values), Err)
}
