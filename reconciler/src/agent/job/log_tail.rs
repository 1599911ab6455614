//! The upgrade's own log while a job runs: shown, never decisive.

use dataminer_schema::id::JobId;

use crate::agent::{
    Inner, error::AgentError, layout::checked_entry_name, link::Session, observe, probe::progress as log,
};

/// Lines of the log that an end carries.
const TAIL_LINES: usize = 60;
const TAIL_BYTES: u64 = 64 * 1024;
const MAX_ENTRIES: usize = 5000;

/// The end of the upgrade's log, read on from where it was read last.
#[derive(Debug, Default)]
pub(super) struct LogTail {
    pub(super) session: Option<Session>,
    path: Option<String>,
    offset: u64,
    pub(super) lines: Vec<String>,
}

impl LogTail {
    pub(super) fn drop_session(&mut self) {
        self.session = None;
    }

    /// The new lines.
    pub(super) async fn read(
        &mut self,
        inner: &Inner,
        session: &Session,
        job: &JobId,
        package: &str,
    ) -> Result<Vec<String>, AgentError> {
        if self.path.is_none() {
            self.path = find_log(inner, session, job, package).await?;
        }
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        if self.offset == 0 {
            // A long log is shown from near its end.
            let size = session.sftp.stat(path).await?.and_then(|entry| entry.size).unwrap_or(0);
            self.offset = size.saturating_sub(TAIL_BYTES) & !1;
        }
        let cap = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX / 2);
        let text = session.sftp.read_from(path, self.offset, cap).await?;
        let whole = whole_lines(&text.bytes);
        self.offset += whole.len() as u64;
        let fresh: Vec<String> = log::parse(whole)
            .into_iter()
            .map(|line| {
                let text: String = line.text.chars().filter(|c| !c.is_control()).take(500).collect();
                match line.level {
                    Some(level) => format!("{level}: {text}"),
                    None => text,
                }
            })
            .collect();
        self.lines.extend(fresh.iter().cloned());
        let surplus = self.lines.len().saturating_sub(TAIL_LINES);
        self.lines.drain(..surplus);
        Ok(fresh)
    }
}

/// Up to and with the last line feed; what follows is being written.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') else { return &[] };
    // In UTF-16 the line feed has a second byte.
    let end = if bytes.get(at + 1) == Some(&0) { at + 2 } else { at + 1 };
    &bytes[..end]
}

/// The newest log of the job's package.
async fn find_log(
    inner: &Inner,
    session: &Session,
    job: &JobId,
    package: &str,
) -> Result<Option<String>, AgentError> {
    let packages = inner.context.layout.skyline(r"Upgrades\Packages");
    let prefix = format!("{package}-").to_ascii_lowercase();
    let mut folders = session.sftp.list(&packages, MAX_ENTRIES).await?;
    folders.retain(|entry| entry.folder && entry.name.to_ascii_lowercase().starts_with(&prefix));
    let Some(newest) = folders.into_iter().max_by_key(|entry| entry.modified) else { return Ok(None) };
    checked_entry_name(&newest.name)?;
    let path = format!("{packages}/{}/progress.log", newest.name);
    // The same package may have been installed before: an older log is not this job's.
    let begun = session.sftp.stat(&format!("{}/started.txt", inner.context.layout.job(job))).await?;
    let begun = begun.and_then(|entry| entry.modified);
    let written = observe::tail(session, &path, 1).await?.and_then(|(_, modified)| modified);
    Ok(match (begun, written) {
        (Some(begun), Some(written)) if written >= begun => Some(path),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_a_growing_log_count() {
        assert_eq!(whole_lines(b"a\r\nb\r\nhal"), b"a\r\nb\r\n");
        assert_eq!(whole_lines(b"half"), b"");
        let utf16: Vec<u8> = "a\nb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(whole_lines(&utf16), &utf16[..4]);
    }
}
