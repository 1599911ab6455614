//! Where things lie on an Agent, as Windows and as SFTP spell it.

use dataminer_schema::id::{JobId, Sha256};

use super::error::{AgentError, Reason};

/// Our folder, as Windows spells it. It holds no blank, so that a script's path needs no quotes.
pub const ROOT: &str = r"C:\ProgramData\dataminer-reconciler";

/// DataMiner's own folder (`domain/05 section 6`).
pub const SKYLINE: &str = r"C:\Skyline DataMiner";

/// The Taskbar Utility in both folders that the documentation prints (`domain/05 section 1`).
pub const UTILITIES: [&str; 2] = [
    r"C:\Program Files\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe",
    r"C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe",
];

/// Why nothing is known of the Taskbar Utility of a server that has none.
pub const UTILITY_NOWHERE: &str = "not found in either documented folder";

/// Turns a Windows path into the one that SFTP on Windows takes (`/C:/…`), below `prefix`.
///
/// The prefix is empty on a real Agent; a test against another operating system's sshd gives a folder.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    prefix: String,
}

impl Layout {
    /// A layout whose drives lie below `prefix`.
    pub fn below(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// `C:\a\b` as `/C:/a/b`.
    pub fn sftp(&self, windows_path: &str) -> String {
        format!("{}/{}", self.prefix, windows_path.replace('\\', "/"))
    }

    /// A path below our folder.
    pub fn own(&self, relative: &str) -> String {
        self.sftp(&format!(r"{ROOT}\{relative}"))
    }

    /// Our folder.
    pub fn root(&self) -> String {
        self.sftp(ROOT)
    }

    /// A path below DataMiner's folder.
    pub fn skyline(&self, relative: &str) -> String {
        self.sftp(&format!(r"{SKYLINE}\{relative}"))
    }

    /// The folder of a job.
    pub fn job(&self, id: &JobId) -> String {
        self.own(&format!(r"jobs\{id}"))
    }

    /// The staging folder of a package.
    pub fn package_folder(&self, sha256: &Sha256) -> String {
        self.own(&format!(r"packages\{sha256}"))
    }
}

/// A generation's folder name: ten digits, so that names sort like numbers.
pub fn generation_name(generation: u64) -> String {
    format!("{generation:010}")
}

/// Reads a generation's folder name; anything else is not a generation.
pub fn parse_generation(name: &str) -> Option<u64> {
    (name.len() == 10 && name.bytes().all(|b| b.is_ascii_digit())).then(|| name.parse().ok()).flatten()
}

/// Checks one name out of an Agent's listing before it becomes part of a path.
pub fn checked_entry_name(name: &str) -> Result<&str, AgentError> {
    let plain = !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control);
    if plain {
        Ok(name)
    } else {
        Err(AgentError::new(
            Reason::ProtocolViolation,
            format!("the Agent lists an entry with the impossible name {name:?}"),
            "look at the folder on the server",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sftp_paths_start_with_the_drive() {
        assert_eq!(
            Layout::default().skyline(r"Upgrades\VersionHistory.txt"),
            "/C:/Skyline DataMiner/Upgrades/VersionHistory.txt"
        );
        assert_eq!(Layout::below("/tmp/x").root(), "/tmp/x/C:/ProgramData/dataminer-reconciler");
    }

    #[test]
    fn only_ten_digits_are_a_generation() {
        assert_eq!(parse_generation(&generation_name(7)), Some(7));
        for name in ["7", "00000000007", "000000000x", "", "-000000007"] {
            assert_eq!(parse_generation(name), None, "{name}");
        }
    }

    #[test]
    fn a_listed_name_cannot_leave_its_folder() {
        for name in ["..", ".", "", "a/b", r"a\b", "a\0b", "C:", "x:stream", "line\nbreak"] {
            assert!(checked_entry_name(name).is_err(), "{name:?}");
        }
        assert!(
            checked_entry_name("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (internal).dmupgrade").is_ok()
        );
    }
}
