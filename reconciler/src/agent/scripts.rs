//! Our scripts: embedded, named by their content, uploaded once.

use dataminer_schema::id::{JobId, Sha256};
use futures::future::try_join_all;

use super::{
    error::{AgentError, Reason},
    layout::{Layout, ROOT},
    transport::{Connection, Exec, ExecLimits, Sftp},
};

/// A script that lies in our folder on every Agent. What each does is written in its first lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Script {
    Prepare,
    Probe,
    Disk,
    Hash,
    Backup,
    Start,
    Poll,
    Clean,
    Discard,
}

const SCRIPTS: [Script; 9] = [
    Script::Prepare,
    Script::Probe,
    Script::Disk,
    Script::Hash,
    Script::Backup,
    Script::Start,
    Script::Poll,
    Script::Clean,
    Script::Discard,
];

impl Script {
    fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Probe => "probe",
            Self::Disk => "disk",
            Self::Hash => "hash",
            Self::Backup => "backup",
            Self::Start => "start",
            Self::Poll => "poll",
            Self::Clean => "clean",
            Self::Discard => "discard",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Prepare => include_str!("scripts/prepare.cmd"),
            Self::Probe => include_str!("scripts/probe.cmd"),
            Self::Disk => include_str!("scripts/disk.cmd"),
            Self::Hash => include_str!("scripts/hash.cmd"),
            Self::Backup => include_str!("scripts/backup.cmd"),
            Self::Start => include_str!("scripts/start.cmd"),
            Self::Poll => include_str!("scripts/poll.cmd"),
            Self::Clean => include_str!("scripts/clean.cmd"),
            Self::Discard => include_str!("scripts/discard.cmd"),
        }
    }

    /// The bytes that lie on the Agent.
    pub fn bytes(self) -> Vec<u8> {
        crlf(self.source())
    }

    /// The file name on the Agent: what is inside is part of it, so an old and a new reconciler never meet.
    pub fn file_name(self) -> String {
        format!("{}-{}.cmd", self.name(), Sha256::of(&self.bytes()).short())
    }

    /// The command line that runs it.
    pub fn command(self, argument: Argument<'_>) -> String {
        let script = format!(r"cmd.exe /d /c {ROOT}\scripts\{}", self.file_name());
        match argument {
            Argument::None => script,
            Argument::Job(id) => format!("{script} {id}"),
            Argument::Package(sha256) => format!("{script} {sha256}"),
            Argument::Place(place) => format!("{script} {place}"),
        }
    }
}

/// What a script may be given: only names that can hold nothing that `cmd.exe` reads as anything else.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    None,
    Job(&'a JobId),
    Package(&'a Sha256),
    /// A place in a list, from 0.
    Place(u8),
}

/// Batch files want CRLF: with bare line feeds `goto` misses labels.
pub(super) fn crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// Makes our folder, uploads the scripts that are missing, checks those that are there byte for byte, and closes
/// the folder to ordinary users. Done twice equals done once.
pub async fn install(connection: &Connection, sftp: &Sftp, layout: &Layout) -> Result<(), AgentError> {
    match sftp.make_folder(&layout.root()).await {
        Ok(()) => {
            // Whoever made anything in the folder in this very moment was not us.
            sftp.make_folder(&layout.own("scripts")).await.map_err(|error| planted(sftp, &error))?;
        }
        Err(error) if error.reason == Reason::AlreadyExists => {
            sftp.ensure_folder(&layout.own("scripts")).await?;
        }
        Err(error) => return Err(error),
    }
    try_join_all(SCRIPTS.map(|script| place(sftp, layout, script))).await?;
    let exec = run(connection, Script::Prepare, Argument::None, ExecLimits::default()).await?;
    match exec.status {
        Some(0) => Ok(()),
        status => Err(AgentError::new(
            Reason::ScriptFailed,
            format!(
                "{ROOT} on {} could not be closed to ordinary users (prepare ended with {status:?}{})",
                sftp.peer(),
                said(&exec.stderr)
            ),
            "the SSH account must be an administrator of the server; if the folder belongs to somebody else, remove it",
        )),
    }
}

async fn place(sftp: &Sftp, layout: &Layout, script: Script) -> Result<(), AgentError> {
    let name = script.file_name();
    let path = layout.own(&format!(r"scripts\{name}"));
    let bytes = script.bytes();
    match sftp.read(&path, bytes.len()).await {
        Ok(found) if found.bytes == bytes && !found.truncated => return Ok(()),
        Ok(_) => {
            return Err(AgentError::new(
                Reason::TamperedFolder,
                format!(r"{ROOT}\scripts\{name} on {} was changed", sftp.peer()),
                "find out who wrote to the folder, then remove the file",
            ));
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    // Written aside and renamed: a script under its own name is whole.
    let part = format!("{path}.{:08x}", rand::random::<u32>());
    sftp.create(&part, &bytes).await?;
    match sftp.rename(&part, &path).await {
        // Another process of ours was faster; what it wrote is checked by the next install.
        Err(error) if error.reason == Reason::AlreadyExists => sftp.remove(&part).await,
        other => other,
    }
}

/// Runs a script.
pub async fn run(
    connection: &Connection,
    script: Script,
    argument: Argument<'_>,
    limits: ExecLimits,
) -> Result<Exec, AgentError> {
    let exec = connection.exec(&script.command(argument), limits).await?;
    if exec.truncated {
        return Err(AgentError::new(
            Reason::ProtocolViolation,
            format!("the {} script printed more than expected", script.name()),
            "look at the server",
        ));
    }
    Ok(exec)
}

/// The end of what a script wrote to standard error, as a part of a message: there Windows says why, and what it
/// says may hold anything.
fn said(stderr: &[u8]) -> String {
    /// A last line and a little before it.
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(stderr);
    let plain: Vec<char> = text
        .chars()
        // Those that turn the direction of the text fool a terminal as well as control characters do.
        .filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let end: String = plain[plain.len().saturating_sub(MOST)..].iter().collect();
    let end = end.split_whitespace().collect::<Vec<_>>().join(" ");
    if end.is_empty() { end } else { format!(": {end}") }
}

fn planted(sftp: &Sftp, error: &AgentError) -> AgentError {
    AgentError::new(
        Reason::TamperedFolder,
        format!("somebody else writes into {ROOT} on {} ({error})", sftp.peer()),
        "find out who wrote to the folder, remove it, and try again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_ascii_with_crlf_and_plain_names() {
        for script in SCRIPTS {
            let bytes = script.bytes();
            assert!(bytes.is_ascii(), "{script:?}");
            let text = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{script:?}");
            let command = script.command(Argument::None);
            assert!(
                command.starts_with(r"cmd.exe /d /c C:\ProgramData\dataminer-reconciler\scripts\"),
                "{command}"
            );
            assert!(!command[12..].contains(['"', '%', '&', '^']), "{command}");
        }
    }

    #[test]
    fn what_a_script_said_is_cut_and_holds_nothing_that_fools_a_terminal() {
        assert_eq!(said(b""), "");
        assert_eq!(said(b" \r\n"), "");
        assert_eq!(said(b"first\r\nAccess is denied.\r\n"), ": first Access is denied.");
        let hostile = "\u{1b}[2J\u{202e}denied\u{7}\0".as_bytes();
        assert_eq!(said(hostile), ": [2Jdenied");
        assert_eq!(said(b"\xff\xfe"), ": \u{fffd}\u{fffd}");
        let long = format!("{}end", "\u{20ac}".repeat(100_000));
        let said = said(long.as_bytes());
        assert_eq!(said.chars().count(), 302);
        assert!(said.ends_with("end"));
    }

    #[test]
    fn the_command_line_has_the_argument_at_its_end() {
        let id = JobId::new("0123456789ab-3-1").expect("a job id");
        assert!(Script::Poll.command(Argument::Job(&id)).ends_with(".cmd 0123456789ab-3-1"));
    }
}
