//! Ownership and fencing: who may act on the Agents of a cluster.

use std::sync::Arc;

use dataminer_core::exec::effect::Failure;
use dataminer_schema::id::AgentName;
use futures::future::join_all;

use super::{
    Inner,
    error::{AgentError, Reason},
    layout::{generation_name, parse_generation},
    link::{Link, Session},
    observe::{self, Owner},
};

/// More generations than anybody raises between two clean-ups.
const MAX_GENERATIONS: usize = 5000;
/// Older folders are removed: only the newest counts.
const KEPT_GENERATIONS: usize = 5;

/// See [`super::ClusterDriver::claim`].
pub(super) async fn claim(inner: &Inner, store_generation: u64) -> Result<u64, Failure> {
    let sessions = all(
        inner
            .links
            .iter()
            .map(|link| async { inner.connect(link).await.map(|s| (Arc::clone(link), s)) })
            .collect(),
        inner,
    )
    .await?;
    let claimed = claim_sessions(inner, &sessions, store_generation).await;
    join_all(sessions.into_iter().map(|(_, session)| session.close())).await;
    claimed
}

async fn claim_sessions(
    inner: &Inner,
    sessions: &[(Arc<Link>, Session)],
    store_generation: u64,
) -> Result<u64, Failure> {
    // Every mark is read before the first is set: a cluster is not half taken.
    let owners =
        all(sessions.iter().map(|(link, session)| check_owner(inner, link, session)).collect(), inner)
            .await?;
    let unowned = sessions.iter().zip(owners).filter(|(_, owned)| !owned);
    all(unowned.map(|((link, session), _)| take(inner, link, session)).collect(), inner).await?;
    let found = all(sessions.iter().map(|(_, session)| generations(inner, session)).collect(), inner).await?;
    let highest = found.iter().flatten().copied().max().unwrap_or(0).max(store_generation);
    let generation = highest + 1;
    all(sessions.iter().map(|(link, session)| raise(inner, link, session, generation)).collect(), inner)
        .await?;
    for ((_, session), mut known) in sessions.iter().zip(found) {
        known.sort_unstable();
        let old = known.len().saturating_sub(KEPT_GENERATIONS);
        for generation in &known[..old] {
            let path = inner.context.layout.own(&format!(r"generations\{}", generation_name(*generation)));
            // A leftover folder does no harm.
            drop(session.sftp.remove_folder(&path).await);
        }
    }
    Ok(generation)
}

/// Whether the Agent is ours already; an error if it is somebody else's.
async fn check_owner(inner: &Inner, link: &Link, session: &Session) -> Result<bool, AgentError> {
    match observe::owner(session, &inner.context.layout).await? {
        None => Ok(false),
        Some(owner)
            if owner.installation == inner.context.installation
                && owner.cluster == inner.cluster.as_str() =>
        {
            Ok(true)
        }
        Some(Owner { installation, repository, cluster }) => Err(AgentError::new(
            Reason::ManagedElsewhere,
            format!(
                "Agent {} is managed by installation `{installation}` as part of cluster `{cluster}` (repository {repository})",
                link.name
            ),
            "remove the Agent there first; if that installation is gone for good, remove \
             `C:\\ProgramData\\dataminer-reconciler\\owner.json` on the server",
        )),
    }
}

async fn take(inner: &Inner, link: &Link, session: &Session) -> Result<(), AgentError> {
    let owner = Owner {
        installation: inner.context.installation.clone(),
        repository: inner.context.repository.clone(),
        cluster: inner.cluster.to_string(),
    };
    // Three strings always serialise.
    let bytes = serde_json::to_vec_pretty(&owner).unwrap_or_default();
    let layout = &inner.context.layout;
    let path = layout.own("owner.json");
    let part = format!("{path}.{:08x}", rand::random::<u32>());
    // Written aside and renamed: a mark is whole, and of two that try one wins.
    session.sftp.create(&part, &bytes).await?;
    match session.sftp.rename(&part, &path).await {
        Ok(()) => Ok(()),
        Err(error) if error.reason == Reason::AlreadyExists => {
            session.sftp.remove(&part).await?;
            check_owner(inner, link, session).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

async fn generations(inner: &Inner, session: &Session) -> Result<Vec<u64>, AgentError> {
    let entries = session.sftp.list(&inner.context.layout.own("generations"), MAX_GENERATIONS).await?;
    Ok(entries.iter().filter_map(|entry| parse_generation(&entry.name)).collect())
}

async fn raise(inner: &Inner, link: &Link, session: &Session, generation: u64) -> Result<(), AgentError> {
    let path = inner.context.layout.own(&format!(r"generations\{}", generation_name(generation)));
    match session.sftp.make_folder(&path).await {
        Err(error) if error.reason == Reason::AlreadyExists => Err(AgentError::new(
            Reason::Refused,
            format!("somebody else raised generation {generation} on Agent {} at the same time", link.name),
            "run one reconciler for each installation; it is tried again",
        )),
        other => other,
    }
}

/// All results, or one failure that names every Agent with the first one's reason.
async fn all<T>(
    tasks: Vec<impl Future<Output = Result<T, AgentError>>>,
    inner: &Inner,
) -> Result<Vec<T>, Failure> {
    let results = join_all(tasks).await;
    let mut values = Vec::with_capacity(results.len());
    let mut failed: Vec<AgentError> = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => failed.push(error),
        }
    }
    combine(failed, inner.links.iter().map(|link| link.name.clone()).collect()).map_or(Ok(values), Err)
}

/// One failure out of several: the first that waiting does not cure, else the first.
pub(super) fn combine(failed: Vec<AgentError>, agents: Vec<AgentName>) -> Option<Failure> {
    use dataminer_core::exec::effect::Disposition;
    let more = failed.len().saturating_sub(1);
    let mut failed = failed;
    let at = failed.iter().position(|error| error.reason.disposition() == Disposition::Stalled).unwrap_or(0);
    if failed.is_empty() {
        return None;
    }
    let mut worst = failed.swap_remove(at);
    if more > 0 {
        worst.message = format!("{} (and {more} more)", worst.message);
    }
    Some(worst.into_failure(agents))
}
