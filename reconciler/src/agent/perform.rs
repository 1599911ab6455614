//! One effect, performed: done twice equals done once.

use std::sync::Arc;

use dataminer_core::exec::effect::{Effect, EffectKind, Failure, Outcome};
use dataminer_schema::id::AgentName;
use futures::{StreamExt, stream};

use super::{
    Inner, backup,
    claim::combine,
    clean,
    error::AgentError,
    job,
    link::Link,
    owed,
    stage::{self, Payload},
};
use crate::engine::ProgressSender;

/// Uploads and downloads at the same time within a cluster: more only share one line to a site.
const TRANSFERS: usize = 4;

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
            let staged =
                each(
                    inner,
                    agents,
                    |link| async move { stage::stage(inner, &link, payload, progress).await },
                );
            staged.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::SaveBackup { agents } => {
            let observation = inner.observe().await;
            let levels = &observation.agents;
            let saved = each(inner, agents, |link| async move {
                let level = levels
                    .iter()
                    .find(|agent| agent.name == link.name)
                    .and_then(|agent| agent.web_apps.as_deref());
                backup::save(inner, &link, level, progress).await
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
            let cleaned = each(inner, agents, |link| async move { clean::clean(inner, &link).await });
            cleaned.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::Owe { agents, work } => {
            let owed =
                each(inner, agents, |link| async move { owed::owe(inner, &link, generation, work).await });
            owed.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::Acquit { agents, notes } => {
            let gone =
                each(
                    inner,
                    agents,
                    |link| async move { owed::acquit(inner, &link, generation, notes).await },
                );
            gone.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
        }
        EffectKind::RestoreContent(_) | EffectKind::VerifyContent { .. } | EffectKind::ReinstallModule(_) => {
            Outcome::Failed(not_yet(effect))
        }
    }
}

/// `task` on each Agent, a few at a time; one failure that names the Agents it is about.
async fn each<T, F>(
    inner: &Inner,
    agents: &[AgentName],
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
    let results: Vec<_> = stream::iter(tasks).buffered(TRANSFERS).collect().await;
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

fn not_yet(effect: &Effect) -> Failure {
    Failure {
        disposition: dataminer_core::exec::effect::Disposition::Stalled,
        reason: "ManualStepRequired".to_owned(),
        message: format!("step {} cannot be done yet", effect.step),
        help: "do it by hand".to_owned(),
        agents: Vec::new(),
    }
}
