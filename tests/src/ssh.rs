//! OpenSSH's programs as clients: what any administrator would use.

use std::{io::Write as _, path::PathBuf, process::Command};

use crate::program::Ended;

/// A server on 127.0.0.1 and the way in. Its host key is taken as it comes.
#[derive(Clone, Debug)]
pub struct Ssh {
    pub port: u16,
    pub user: String,
    /// The private key.
    pub identity: PathBuf,
}

impl Ssh {
    /// Whether this machine has the programs.
    pub fn present(&self) -> bool {
        ["ssh", "sftp"].iter().all(|program| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        })
    }

    fn client(&self, program: &str, port_option: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]);
        command.args([
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-o",
            "IdentitiesOnly=yes",
        ]);
        command.arg("-i").arg(&self.identity).arg(port_option).arg(self.port.to_string());
        command
    }

    fn server(&self) -> String {
        format!("{}@127.0.0.1", self.user)
    }

    /// Runs a command line over a connection of its own, which ends with it. OpenSSH's program shows only the low
    /// eight bits of an exit code.
    pub fn exec(&self, line: &str) -> Ended {
        Ended::of(self.client("ssh", "-p").arg(self.server()).arg(line))
    }

    /// Runs commands of the sftp program; the first that fails ends it.
    ///
    /// # Panics
    /// When the commands cannot be handed over.
    pub fn sftp(&self, commands: &str) -> Ended {
        let mut batch = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        batch.write_all(commands.as_bytes()).expect("a temporary file can be written");
        Ended::of(self.client("sftp", "-P").arg("-b").arg(batch.path()).arg(self.server()))
    }
}
