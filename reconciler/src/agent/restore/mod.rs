//! `RestoreContent` and `VerifyContent`: one backup, by its hash, into place on every Agent.
//!
//! # Order
//!
//! The backup is fetched and checked as a whole; every Agent is asked for room; the content is staged on every
//! Agent; only then the jobs run, on all Agents at once. So whatever is wrong with the backup or with an Agent is
//! known before anything is changed.
//!
//! # Guarantees
//!
//! * A job that ever began on an Agent is waited for and never started again; Agents where it did not begin get it.
//! * The safety copy belongs to the step, not to the attempt: once it is complete, no attempt touches it.

mod aside;
mod source;
mod staging;
mod unpack;
mod verify;

use std::collections::BTreeSet;

use dataminer_core::exec::effect::{ContentRestore, Failure, JobEnd, Outcome};
use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::BackupRef,
    v1::{cluster::Extras, observation::OwedWork},
};

use self::unpack::Unpacked;
use super::{
    Inner, content,
    context::tell,
    error::AgentError,
    job::{self, Order, Work},
    link::{Link, Session},
    perform::{JOBS, TRANSFERS, each},
    stage::check_disk,
};
use crate::engine::{Progress, ProgressSender};

/// The name of a step's safety copy: the job's id without the attempt.
pub(super) fn safety_name(id: &JobId) -> String {
    let id = id.as_str();
    match id.rsplit_once('-') {
        Some((step, attempt)) if attempt.bytes().all(|b| b.is_ascii_digit()) => step.to_owned(),
        _ => id.to_owned(),
    }
}

/// Every backup that these notes promise can be had, whole: nothing is owed that cannot be paid.
pub(super) async fn check(
    inner: &Inner,
    work: &[OwedWork],
    progress: &ProgressSender,
) -> Result<(), AgentError> {
    let promised: BTreeSet<&Sha256> = work.iter().filter_map(|work| work.backup.as_ref()).collect();
    for sha256 in promised {
        source::fetch(inner, &source::named(inner, sha256).await, progress).await?;
    }
    Ok(())
}

/// Every entry of the backup has its hash on these Agents.
pub(super) async fn verify(
    inner: &Inner,
    backup: &BackupRef,
    agents: &[AgentName],
    progress: &ProgressSender,
) -> Outcome {
    let unpacked = match source::fetch(inner, backup, progress).await {
        Ok(unpacked) => unpacked,
        Err(error) => return Outcome::Failed(error.into_failure(agents.to_vec())),
    };
    let unpacked = &unpacked;
    let verified =
        each(inner, agents, TRANSFERS, |link| async move { verify::verify(inner, &link, unpacked).await });
    verified.await.map_or_else(Outcome::Failed, |_| Outcome::Done)
}

/// Restores on all Agents.
pub(super) async fn restore(
    inner: &Inner,
    generation: u64,
    wanted: &ContentRestore,
    progress: &ProgressSender,
) -> Outcome {
    match run(inner, generation, wanted, progress).await {
        Ok(end) => Outcome::JobEnded(end),
        Err(failure) => {
            tracing::warn!(job = %wanted.id, "restore of {}: {}", wanted.backup.file, failure.message);
            Outcome::Failed(failure)
        }
    }
}

async fn run(
    inner: &Inner,
    generation: u64,
    wanted: &ContentRestore,
    progress: &ProgressSender,
) -> Result<JobEnd, Failure> {
    let agents = wanted.agents.as_slice();
    let begun = each(inner, agents, JOBS, |link| async move { has_begun(inner, &link, &wanted.id).await });
    let begun = begun.await?;
    let waiting: Vec<AgentName> =
        agents.iter().zip(&begun).filter(|(_, begun)| !**begun).map(|(name, _)| name.clone()).collect();
    let unpacked = match source::fetch(inner, &wanted.backup, progress).await {
        Ok(unpacked) => Some(unpacked),
        // What has begun everywhere needs it no more; only extra files cannot be told from others.
        Err(error) if waiting.is_empty() && wanted.extras == Extras::Keep => {
            tell(progress, Progress::Note(error.message));
            None
        }
        Err(error) => return Err(error.into_failure(agents.to_vec())),
    };
    if let Some(unpacked) = &unpacked {
        if unpacked.entries.is_empty() {
            let note = format!("content backup {} holds no file; nothing is restored", wanted.backup.file);
            tell(progress, Progress::Note(note.clone()));
            return Ok(JobEnd::Exited { code: 0, log_tail: vec![note] });
        }
        each(inner, &waiting, JOBS, |link| async move { check_room(inner, &link, wanted, unpacked).await })
            .await?;
        each(inner, &waiting, TRANSFERS, |link| async move {
            staging::stage(inner, &link, &wanted.id, unpacked, progress).await
        })
        .await?;
    }
    let unpacked = unpacked.as_ref();
    let ends = each(inner, agents, JOBS, |link| async move {
        let order = Order {
            id: &wanted.id,
            run_as: &wanted.run_as,
            deadline: wanted.deadline,
            work: Work::Restore(wanted),
        };
        let end = job::run_on(inner, generation, &link, &order, progress).await?;
        match (&end, unpacked) {
            (JobEnd::Exited { code: 0, .. }, Some(unpacked)) => {
                aside::settle(inner, &link, generation, wanted, unpacked, progress).await?;
            }
            (JobEnd::Exited { .. }, Some(unpacked)) => {
                // The most likely cause has a cure of its own.
                let session = inner.connect(&link).await?;
                let room = check_disk(&session, unpacked.total()).await;
                session.close().await;
                room.map_err(|error| error.on(format_args!("Agent {}", link.name)))?;
            }
            _ => {}
        }
        Ok(end)
    });
    Ok(job::together(agents, ends.await?))
}

async fn has_begun(inner: &Inner, link: &Link, id: &JobId) -> Result<bool, AgentError> {
    let session = inner.connect(link).await?;
    let begun = job::has_begun(&session, id).await;
    session.close().await;
    begun.map_err(|error| error.on(format_args!("Agent {}", link.name)))
}

/// Fails if the staged content, the safety copy and what grows do not fit.
async fn check_room(
    inner: &Inner,
    link: &Link,
    wanted: &ContentRestore,
    unpacked: &Unpacked,
) -> Result<(), AgentError> {
    let session = inner.connect(link).await?;
    let room = room(inner, &session, wanted, unpacked).await;
    session.close().await;
    room.map_err(|error| error.on(format_args!("Agent {}", link.name)))
}

async fn room(
    inner: &Inner,
    session: &Session,
    wanted: &ContentRestore,
    unpacked: &Unpacked,
) -> Result<(), AgentError> {
    let layout = &inner.context.layout;
    // Also finds names that cannot be handled, before anything is changed.
    let live = content::total(&content::list(session, layout).await?);
    let marker = layout.own(&format!(r"content\{}\complete.txt", safety_name(&wanted.id)));
    let safety = if session.sftp.stat(&marker).await?.is_some() { 0 } else { live };
    let staged = unpacked.total();
    check_disk(session, staged.saturating_add(safety).saturating_add(staged.saturating_sub(live))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_share_one_safety_copy() {
        let name = |id: &str| safety_name(&JobId::new(id).expect("a job id"));
        assert_eq!(name("0123456789ab-4-1"), "0123456789ab-4");
        assert_eq!(name("0123456789ab-4-12"), "0123456789ab-4");
        assert_eq!(name("restore"), "restore");
        assert_eq!(name("a-b"), "a-b");
    }
}
