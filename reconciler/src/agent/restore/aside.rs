//! Files that the restored backup does not know: told, or moved aside. Nothing is deleted.
//!
//! They are renamed over SFTP and not by the job: their names are people's, and cmd.exe would read some of them as
//! something else. Each rename is whole or nothing, and what it moves lies behind the safety copy in any case, so
//! the job's lock is not needed for it; a newer owner is looked for before.

use std::collections::{BTreeMap, BTreeSet};

use dataminer_core::exec::effect::ContentRestore;
use dataminer_schema::v1::cluster::Extras;

use super::{safety_name, unpack::Unpacked};
use crate::agent::{
    Inner, content,
    context::tell,
    error::{AgentError, Reason},
    link::{Link, Session},
    owed::check_generation,
};
use crate::engine::{Progress, ProgressSender};

/// Files that a note names.
const NAMED: usize = 5;
/// A file that a peer brought back after it was moved is moved once more, next to the first.
const TRIES: u32 = 10;

pub(super) async fn settle(
    inner: &Inner,
    link: &Link,
    generation: u64,
    wanted: &ContentRestore,
    unpacked: &Unpacked,
    progress: &ProgressSender,
) -> Result<(), AgentError> {
    let session = inner.connect(link).await?;
    let settled = async {
        let extra = extra_files(inner, &session, unpacked).await?;
        if extra.is_empty() {
            return Ok(());
        }
        let done = match wanted.extras {
            Extras::Keep => "kept",
            Extras::MoveAside => {
                check_generation(&session, &inner.context.layout, generation).await?;
                move_aside(inner, &session, wanted, &extra).await?;
                "moved into the safety copy"
            }
        };
        tell(
            progress,
            Progress::Note(format!(
                "Agent {}: {} files that the backup does not know are {done}: {}{}",
                link.name,
                extra.len(),
                extra[..extra.len().min(NAMED)].join(", "),
                if extra.len() > NAMED { ", …" } else { "" }
            )),
        );
        Ok(())
    };
    let settled: Result<(), AgentError> = settled.await;
    session.close().await;
    settled.map_err(|error| error.on(format_args!("Agent {}", link.name)))
}

async fn extra_files(
    inner: &Inner,
    session: &Session,
    unpacked: &Unpacked,
) -> Result<Vec<String>, AgentError> {
    let known: BTreeSet<String> = unpacked.entries.iter().map(|entry| entry.path.to_lowercase()).collect();
    let listing = content::list(session, &inner.context.layout).await?;
    Ok(listing
        .into_iter()
        .map(|file| file.path)
        .filter(|path| !known.contains(&path.to_lowercase()))
        .collect())
}

async fn move_aside(
    inner: &Inner,
    session: &Session,
    wanted: &ContentRestore,
    extra: &[String],
) -> Result<(), AgentError> {
    let layout = &inner.context.layout;
    let safe = layout.own(&format!(r"content\{}", safety_name(&wanted.id)));
    let mut made: BTreeMap<String, ()> = BTreeMap::new();
    for path in extra {
        let from = layout.skyline(&path.replace('/', r"\"));
        let mut tried = 0;
        loop {
            let root = if tried == 0 { format!("{safe}/aside") } else { format!("{safe}/aside-{tried}") };
            make_folders(session, &root, path, &mut made).await?;
            match session.sftp.rename(&from, &format!("{root}/{path}")).await {
                Ok(()) => break,
                Err(error) if error.reason == Reason::AlreadyExists && tried < TRIES => tried += 1,
                // Somebody deleted it meanwhile.
                Err(error) if error.is_not_found() => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The folders in which `path` will lie, and `root` itself.
async fn make_folders(
    session: &Session,
    root: &str,
    path: &str,
    made: &mut BTreeMap<String, ()>,
) -> Result<(), AgentError> {
    let parents = path.match_indices('/').map(|(at, _)| format!("{root}/{}", &path[..at]));
    for folder in std::iter::once(root.to_owned()).chain(parents) {
        if made.insert(folder.clone(), ()).is_none() {
            session.sftp.ensure_folder(&folder).await?;
        }
    }
    Ok(())
}
