//! Notes of owed work (`G8`): what a job that lowers versions will owe, on every Agent before the job begins.
//!
//! # Guarantees
//!
//! * A note is whole or absent: it is written aside, in the folder above, and renamed.
//! * A note that says something else under the same name is never overwritten.
//! * Anything in the folder that is not a readable note makes the whole answer an error: what is owed must never
//!   look like nothing.

use dataminer_schema::{id::JobId, v1::observation::OwedWork};

use super::{
    Inner,
    error::{AgentError, Reason},
    layout::{Layout, parse_generation},
    link::{Link, Session},
};

/// A plan owes a handful of things.
const MAX_NOTES: usize = 200;
const NOTE_CAP: usize = 64 * 1024;
const MAX_GENERATIONS: usize = 100_000;

/// Puts the notes on one Agent. Done twice equals done once.
pub(super) async fn owe(
    inner: &Inner,
    link: &Link,
    generation: u64,
    work: &[OwedWork],
) -> Result<(), AgentError> {
    let layout = &inner.context.layout;
    with_session(inner, link, async |session| {
        check_generation(session, layout, generation).await?;
        session.sftp.ensure_folder(&layout.own("owed")).await?;
        for work in work {
            write(session, layout, work).await?;
        }
        Ok(())
    })
    .await
}

/// Removes the notes from one Agent; one that is not there is fine.
pub(super) async fn acquit(
    inner: &Inner,
    link: &Link,
    generation: u64,
    notes: &[JobId],
) -> Result<(), AgentError> {
    let layout = &inner.context.layout;
    with_session(inner, link, async |session| {
        check_generation(session, layout, generation).await?;
        for id in notes {
            session.sftp.remove(&note(layout, id)).await?;
        }
        Ok(())
    })
    .await
}

async fn with_session(
    inner: &Inner,
    link: &Link,
    act: impl AsyncFnOnce(&Session) -> Result<(), AgentError>,
) -> Result<(), AgentError> {
    let session = inner.connect(link).await?;
    let done = act(&session).await.map_err(|error| error.on(format_args!("Agent {}", link.name)));
    session.close().await;
    done
}

/// Fails if a newer generation acts on the Agent: what we know of its debts may be old.
pub(super) async fn check_generation(
    session: &Session,
    layout: &Layout,
    generation: u64,
) -> Result<(), AgentError> {
    let entries = match session.sftp.list(&layout.own("generations"), MAX_GENERATIONS).await {
        Err(error) if error.is_not_found() => Vec::new(),
        other => other?,
    };
    match entries.iter().filter_map(|entry| parse_generation(&entry.name)).max() {
        Some(newest) if newest > generation => Err(AgentError::new(
            Reason::GenerationSuperseded,
            format!("generation {newest} acts on {}, this process has {generation}", session.sftp.peer()),
            "another process has taken over the cluster; let it finish the work",
        )),
        _ => Ok(()),
    }
}

fn note(layout: &Layout, id: &JobId) -> String {
    layout.own(&format!(r"owed\{id}.json"))
}

async fn write(session: &Session, layout: &Layout, work: &OwedWork) -> Result<(), AgentError> {
    let Some(id) = &work.id else {
        return Err(AgentError::new(
            Reason::ValueRefused,
            format!("owed work ({:?}) has no id to be noted under", work.action),
            "this is a defect of the reconciler; report it",
        ));
    };
    let path = note(layout, id);
    match session.sftp.read(&path, NOTE_CAP).await {
        Ok(found) if parse(id, &found.bytes).is_ok_and(|found| found == *work) => return Ok(()),
        // A power failure can leave a file without its bytes, never with other ones.
        Ok(found) if found.bytes.iter().all(|byte| *byte == 0) => session.sftp.remove(&path).await?,
        Ok(_) => {
            return Err(AgentError::new(
                Reason::TamperedFolder,
                format!("{path} on {} owes something else than it should", session.sftp.peer()),
                "look at the note on the server: whatever it owes must be done by hand before it is removed",
            ));
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    // Plain data always serialises.
    let bytes = serde_json::to_vec_pretty(work).unwrap_or_default();
    // Not within the folder: half a note would make it unreadable.
    let part = layout.own(&format!("owed-{id}.part"));
    session.sftp.write(&part, &bytes).await?;
    session.sftp.rename(&part, &path).await
}

/// Everything that is owed on an Agent.
pub(super) async fn read(session: &Session, layout: &Layout) -> Result<Vec<OwedWork>, AgentError> {
    let folder = layout.own("owed");
    let mut entries = match session.sftp.list(&folder, MAX_NOTES).await {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        other => other?,
    };
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut owed = Vec::new();
    for entry in entries {
        let id = entry.name.strip_suffix(".json").and_then(|id| JobId::new(id).ok());
        let Some(id) = id.filter(|_| !entry.folder) else {
            return Err(unreadable(session, &entry.name, "it is no note of ours"));
        };
        let found = session.sftp.read(&note(layout, &id), NOTE_CAP).await?;
        if found.truncated {
            return Err(unreadable(session, &entry.name, "it is too large"));
        }
        owed.push(
            parse(&id, &found.bytes).map_err(|error| unreadable(session, &entry.name, &error.to_string()))?,
        );
    }
    Ok(owed)
}

/// A note; its name alone says its id.
fn parse(id: &JobId, bytes: &[u8]) -> serde_json::Result<OwedWork> {
    Ok(OwedWork { id: Some(id.clone()), ..serde_json::from_slice(bytes)? })
}

fn unreadable(session: &Session, name: &str, why: &str) -> AgentError {
    AgentError::new(
        Reason::TamperedFolder,
        format!(
            "the note of owed work {} on {} cannot be read: {why}",
            name.escape_debug(),
            session.sftp.peer()
        ),
        r"look into C:\ProgramData\dataminer-reconciler\owed on the server",
    )
}
