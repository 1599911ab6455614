//! A git server over SSH: OpenSSH's `sshd` and `git`, on loopback, for one key.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use crate::{key, program::Running, wait};

const SSHD: &str = "/usr/sbin/sshd";

/// A running `sshd`, stopped when dropped.
pub struct GitHost {
    folder: TempDir,
    port: u16,
    user: String,
    sshd: Running,
}

impl GitHost {
    /// Starts one; `None` and a loud word where the machine lacks something.
    ///
    /// # Panics
    /// When everything is there and it does not start all the same.
    pub fn start() -> Option<Self> {
        for (program, argument) in [(SSHD, "-V"), ("git", "--version")] {
            if Command::new(program).arg(argument).output().is_err() {
                crate::environment::skip_or_fail(&format!("{program} is not installed"));
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let host_key = key::write_key("git-host", folder.path());
        let accepted = key::key("git-client").public_key().to_openssh().expect("a key can be printed");
        fs::write(folder.path().join("authorized_keys"), accepted).expect("a file can be written");
        key::write_key("git-client", folder.path());
        key::write_key("git-stranger", folder.path());
        let port = free_port();
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}/authorized_keys\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            host_key.display(),
            folder.path().display()
        );
        let file = folder.path().join("sshd_config");
        fs::write(&file, configuration).expect("a file can be written");
        // sshd separates privileges into a folder that packages make and containers forget.
        drop(fs::create_dir_all("/run/sshd"));
        let mut sshd = Running::start(
            Command::new(SSHD).args(["-D", "-e", "-f"]).arg(&file),
            &folder.path().join("log"),
        );
        wait::until("sshd to listen", Duration::from_secs(20), || {
            if let Ok(status) = sshd.ended() {
                let log = fs::read_to_string(folder.path().join("log.err")).unwrap_or_default();
                panic!("sshd ended with {status:?}: {log}");
            }
            std::net::TcpStream::connect(("127.0.0.1", port))
        });
        let user = Command::new("id").arg("-un").output().expect("`id` is everywhere");
        let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
        Some(Self { folder, port, user, sshd })
    }

    /// `ssh://…` of a repository on this machine.
    pub fn url(&self, repository: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, repository.display())
    }

    /// Stops the server; keys and repositories stay.
    pub fn stop(&mut self) {
        self.sshd.kill();
    }

    /// The fingerprint of the host key.
    pub fn host_key(&self) -> String {
        key::fingerprint(&key::key("git-host"))
    }

    /// The private key that is accepted.
    pub fn client_key(&self) -> PathBuf {
        self.folder.path().join("git-client")
    }

    /// A private key that is not.
    pub fn strange_key(&self) -> PathBuf {
        self.folder.path().join("git-stranger")
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
