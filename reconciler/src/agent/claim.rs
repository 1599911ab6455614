//! Ownership and fencing: who may act on the Agents of a cluster.

use std::sync::Arc;

use dataminer_core::exec::effect::Failure;
use dataminer_schema::id::AgentName;
use futures::future::join_all;

use super::{
    Inner,
    error::{AgentError, Reason},
    layout::{ROOT, generation_name, parse_generation},
    link::{Link, Session},
    observe::{self, Owner},
};
use crate::engine::Holders;

/// More generations than anybody raises between two clean-ups.
const MAX_GENERATIONS: usize = 5000;
/// Older folders are removed: only the newest counts.
const KEPT_GENERATIONS: usize = 5;

/// The last one whose folder name has ten digits.
const LAST_GENERATION: u64 = 9_999_999_999;

/// See [`super::ClusterDriver::newest_generation`].
pub(super) async fn newest_generation(inner: &Inner) -> Result<u64, Failure> {
    on_all(inner, async |sessions| {
        all(sessions.iter().map(|(link, session)| check_owner(inner, link, session)).collect(), inner)
            .await?;
        highest(inner, sessions).await
    })
    .await
}

/// See [`super::ClusterDriver::claim`].
pub(super) async fn claim(inner: &Inner, generation: u64) -> Result<(), Failure> {
    on_all(inner, async |sessions| {
        // Every mark is read before the first is set: a cluster is not half taken.
        let owners =
            all(sessions.iter().map(|(link, session)| check_owner(inner, link, session)).collect(), inner)
                .await?;
        let found =
            all(sessions.iter().map(|(link, session)| generations(inner, link, session)).collect(), inner)
                .await?;
        let newest = found.iter().flatten().copied().max().unwrap_or(0);
        if newest >= generation {
            return Err(rival(inner, newest).into_failure(names(inner)));
        }
        let unowned = sessions.iter().zip(owners).filter(|(_, owned)| !owned);
        all(unowned.map(|((link, session), _)| take(inner, link, session)).collect(), inner).await?;
        raise_all(inner, sessions, generation).await?;
        for ((_, session), known) in sessions.iter().zip(found) {
            forget_old(inner, session, known).await;
        }
        Ok(())
    })
    .await
}

/// See [`super::ClusterDriver::holders`].
pub(super) async fn holders(inner: &Inner) -> Result<Holders, Failure> {
    on_all(inner, async |sessions| {
        let marks =
            all(sessions.iter().map(|(link, session)| mark(inner, link, session)).collect(), inner).await?;
        let generation = highest(inner, sessions).await?;
        Ok(Holders { marks: marks.into_iter().flatten().collect(), generation })
    })
    .await
}

/// See [`super::ClusterDriver::take_over`].
pub(super) async fn take_over(inner: &Inner, generation: u64) -> Result<(), Failure> {
    on_all(inner, async |sessions| {
        // The fence first: from here on no job of the old owner begins.
        raise_all(inner, sessions, generation).await?;
        all(sessions.iter().map(|(_, session)| replace(inner, session)).collect(), inner).await?;
        Ok(())
    })
    .await
}

/// Does `work` over a session with every Agent; fails where one of them cannot be reached.
async fn on_all<T>(
    inner: &Inner,
    work: impl AsyncFnOnce(&[(Arc<Link>, Session)]) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let links = inner.links.iter();
    let sessions = all(
        links.map(|link| async { inner.connect(link).await.map(|s| (Arc::clone(link), s)) }).collect(),
        inner,
    )
    .await?;
    let result = work(&sessions).await;
    join_all(sessions.into_iter().map(|(_, session)| session.close())).await;
    result
}

fn names(inner: &Inner) -> Vec<AgentName> {
    inner.links.iter().map(|link| link.name.clone()).collect()
}

async fn highest(inner: &Inner, sessions: &[(Arc<Link>, Session)]) -> Result<u64, Failure> {
    let found =
        all(sessions.iter().map(|(link, session)| generations(inner, link, session)).collect(), inner)
            .await?;
    Ok(found.into_iter().flatten().max().unwrap_or(0))
}

async fn raise_all(inner: &Inner, sessions: &[(Arc<Link>, Session)], generation: u64) -> Result<(), Failure> {
    let raised = sessions.iter().map(|(link, session)| raise(inner, link, session, generation));
    all(raised.collect(), inner).await.map(drop)
}

async fn forget_old(inner: &Inner, session: &Session, mut known: Vec<u64>) {
    known.sort_unstable();
    let old = known.len().saturating_sub(KEPT_GENERATIONS);
    for generation in &known[..old] {
        let path = inner.context.layout.own(&format!(r"generations\{}", generation_name(*generation)));
        // A leftover folder does no harm.
        drop(session.sftp.remove_folder(&path).await);
    }
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
        Some(owner) => Err(AgentError::new(
            Reason::ManagedElsewhere,
            format!("Agent {} is managed by {}", link.name, in_words(&owner)),
            format!(
                "remove the Agent there; or, if this installation shall manage it from now on: \
                 `dataminer-reconciler takeover {} --reason TEXT`",
                inner.cluster
            ),
        )),
    }
}

fn in_words(owner: &Owner) -> String {
    let Owner { installation, repository, cluster } = owner;
    format!("installation `{installation}` as part of cluster `{cluster}` (repository {repository})")
}

/// The mark on an Agent in words, also one that cannot be read.
async fn mark(
    inner: &Inner,
    link: &Link,
    session: &Session,
) -> Result<Option<(AgentName, String)>, AgentError> {
    let words = match observe::owner(session, &inner.context.layout).await {
        Ok(None) => return Ok(None),
        Ok(Some(owner)) => in_words(&owner),
        Err(error) if error.reason == Reason::TamperedFolder => error.message,
        Err(error) => return Err(error),
    };
    Ok(Some((link.name.clone(), words)))
}

/// Somebody else has raised what this process wanted to raise.
fn rival(inner: &Inner, newest: u64) -> AgentError {
    AgentError::new(
        Reason::ManagedElsewhere,
        format!("somebody else raised generation {newest} on cluster {} at the same time", inner.cluster),
        format!(
            "run one process for each installation: stop the other one; then `dataminer-reconciler takeover {} --reason TEXT`",
            inner.cluster
        ),
    )
}

async fn take(inner: &Inner, link: &Link, session: &Session) -> Result<(), AgentError> {
    let (part, path) = write_mark(inner, session).await?;
    match session.sftp.rename(&part, &path).await {
        Ok(()) => Ok(()),
        Err(error) if error.reason == Reason::AlreadyExists => {
            session.sftp.remove(&part).await?;
            check_owner(inner, link, session).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

/// Puts our mark in the place of whatever is there.
async fn replace(inner: &Inner, session: &Session) -> Result<(), AgentError> {
    let (part, path) = write_mark(inner, session).await?;
    match session.sftp.remove(&path).await {
        Err(error) if !error.is_not_found() => return Err(error),
        _ => {}
    }
    session.sftp.rename(&part, &path).await
}

/// Writes our mark aside; renamed, it is whole, and of two that try one wins. Returns both names.
async fn write_mark(inner: &Inner, session: &Session) -> Result<(String, String), AgentError> {
    let owner = Owner {
        installation: inner.context.installation.clone(),
        repository: inner.context.repository.clone(),
        cluster: inner.cluster.to_string(),
    };
    // Three strings always serialise.
    let bytes = serde_json::to_vec_pretty(&owner).unwrap_or_default();
    let path = inner.context.layout.own("owner.json");
    let part = format!("{path}.{:08x}", rand::random::<u32>());
    session.sftp.create(&part, &bytes).await?;
    Ok((part, path))
}

async fn generations(inner: &Inner, link: &Link, session: &Session) -> Result<Vec<u64>, AgentError> {
    let entries = session.sftp.list(&inner.context.layout.own("generations"), MAX_GENERATIONS).await?;
    let found: Vec<u64> = entries.iter().filter_map(|entry| parse_generation(&entry.name)).collect();
    // Nobody gets there by counting; one more would have a name that sorts wrongly.
    if found.contains(&LAST_GENERATION) {
        return Err(AgentError::new(
            Reason::TamperedFolder,
            format!("Agent {} holds the generation {LAST_GENERATION}, which nothing can follow", link.name),
            format!("remove that folder from `{ROOT}\\generations` on the server"),
        ));
    }
    Ok(found)
}

async fn raise(inner: &Inner, link: &Link, session: &Session, generation: u64) -> Result<(), AgentError> {
    let path = inner.context.layout.own(&format!(r"generations\{}", generation_name(generation)));
    match session.sftp.make_folder(&path).await {
        Err(error) if error.reason == Reason::AlreadyExists => {
            Err(rival(inner, generation).on(format_args!("Agent {}", link.name)))
        }
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
    combine(failed, names(inner)).map_or(Ok(values), Err)
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
