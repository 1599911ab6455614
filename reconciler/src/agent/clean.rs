//! What our work left behind: staged packages and content, tasks, copies of packages in job folders. Nothing else is
//! touched: safety copies and notes of owed work stay.

use dataminer_schema::id::{JobId, Sha256};

use super::{
    Inner,
    error::AgentError,
    job,
    link::{Link, Session},
    render::JobRecord,
    scripts::{self, Argument, Script},
    transport::{Entry, ExecLimits},
};

const MAX_ENTRIES: usize = 5000;
const RECORD_CAP: usize = 64 * 1024;
/// Ended jobs whose records stay: they prove web levels (`OwnJob`) and cost some kilobytes.
const KEPT_RECORDS: usize = 30;

/// Cleans one Agent. A job that has not ended keeps everything that it needs.
pub(super) async fn clean(inner: &Inner, link: &Link) -> Result<(), AgentError> {
    let session = inner.connect(link).await?;
    let cleaned = with(inner, &session).await.map_err(|error| error.on(format_args!("Agent {}", link.name)));
    session.close().await;
    cleaned
}

async fn with(inner: &Inner, session: &Session) -> Result<(), AgentError> {
    let mut needed: Vec<Sha256> = Vec::new();
    let mut ended: Vec<(JobId, Vec<Entry>, Entry)> = Vec::new();
    for folder in folders(session, &inner.context.layout.own("jobs")).await? {
        let Ok(id) = JobId::new(folder.name.as_str()) else { continue };
        let path = inner.context.layout.job(&id);
        let files = session.sftp.list(&path, MAX_ENTRIES).await?;
        let has = |name: &str| files.iter().any(|file| file.name.eq_ignore_ascii_case(name));
        let over = has("exitcode.txt") || has("refused.txt");
        if has("content") && (over || !job::lock_held(session, &id).await?) {
            scripts::run(&session.connection, Script::Discard, Argument::Job(&id), ExecLimits::default())
                .await?;
        }
        if over {
            ended.push((id, files, folder));
        } else if let Ok(record) = record(session, &path).await {
            needed.extend(record.patch.and_then(|patch| patch.sha256).or(record.sha256));
        }
    }
    ended.sort_by_key(|(_, _, folder)| std::cmp::Reverse(folder.modified));
    let mut kept = 0;
    for (id, files, _) in &ended {
        let path = inner.context.layout.job(id);
        // Results of checks prove nothing once the package has run, and must not push out what does.
        let keep = kept < KEPT_RECORDS && !files.iter().any(|file| is_check(&file.name));
        kept += usize::from(keep);
        if files.iter().any(|file| file.name.eq_ignore_ascii_case("task.xml")) {
            scripts::run(&session.connection, Script::Clean, Argument::Job(id), ExecLimits::default())
                .await?;
        }
        for file in files.iter().filter(|file| !file.folder && (!keep || !is_record(&file.name))) {
            session.sftp.remove(&format!("{path}/{}", file.name)).await?;
        }
        if !keep {
            session.sftp.remove_folder(&path).await?;
        }
    }
    for folder in folders(session, &inner.context.layout.own("packages")).await? {
        let Ok(sha256) = Sha256::new(folder.name.as_str()) else { continue };
        if needed.contains(&sha256) {
            continue;
        }
        let path = inner.context.layout.package_folder(&sha256);
        for file in session.sftp.list(&path, MAX_ENTRIES).await?.into_iter().filter(|file| !file.folder) {
            session.sftp.remove(&format!("{path}/{}", file.name)).await?;
        }
        session.sftp.remove_folder(&path).await?;
    }
    Ok(())
}

/// A check of a package that a job ran.
fn is_check(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".dll")
}

/// What stays of an ended job.
fn is_record(name: &str) -> bool {
    ["job.json", "exitcode.txt", "refused.txt", "started.txt", "output.log"]
        .iter()
        .any(|kept| name.eq_ignore_ascii_case(kept))
}

async fn folders(session: &Session, path: &str) -> Result<Vec<Entry>, AgentError> {
    match session.sftp.list(path, MAX_ENTRIES).await {
        Ok(entries) => Ok(entries.into_iter().filter(|entry| entry.folder).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

async fn record(session: &Session, folder: &str) -> Result<JobRecord, AgentError> {
    let text = session.sftp.read(&format!("{folder}/job.json"), RECORD_CAP).await?;
    serde_json::from_slice(&text.bytes).map_err(|error| {
        AgentError::new(
            super::error::Reason::TamperedFolder,
            format!("{folder}/job.json cannot be read ({error})"),
            "look at the folder on the server",
        )
    })
}
