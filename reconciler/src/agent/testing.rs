//! A local OpenSSH server for tests of the transport: the real peer, with a file tree of its own.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use secrecy::SecretString;

use super::transport::{Connection, Fingerprint, Identity, Timeouts};

const SSHD: &str = "/usr/sbin/sshd";
const SFTP_SERVER: &str = "/usr/lib/openssh/sftp-server";

/// A running sshd; dropping it stops it.
pub(crate) struct Sshd {
    folder: tempfile::TempDir,
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Sshd {
    /// Starts one, or says loudly that this machine has none; in continuous integration that fails.
    pub(crate) fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() || !Path::new(SFTP_SERVER).exists() {
            let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
            assert!(!in_ci, "{SSHD} and {SFTP_SERVER} must be installed in continuous integration");
            let mut stderr = std::io::stderr().lock();
            drop(writeln!(stderr, "SKIPPED: no sshd (apt-get install openssh-server)"));
            return None;
        }
        // sshd gives up its privileges into this folder; packages make it at boot only.
        drop(std::fs::create_dir_all("/run/sshd"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        for (name, kind) in [
            ("host_ed25519", "ed25519"),
            ("host_ecdsa", "ecdsa"),
            ("client", "ed25519"),
            ("stranger", "ed25519"),
        ] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-N", "", "-t", kind, "-f"]).arg(path(name)).status();
            assert!(made.expect("ssh-keygen runs").success(), "ssh-keygen makes {name}");
        }
        let address = free_address();
        let config = format!(
            "ListenAddress {}\nPort {}\nHostKey {}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nSubsystem sftp {SFTP_SERVER}\n",
            address.ip(),
            address.port(),
            path("host_ed25519").display(),
            path("host_ecdsa").display(),
            path("client.pub").display(),
        );
        std::fs::write(path("config"), config).expect("the configuration is written");
        let log = std::fs::File::create(path("log")).expect("the log is made");
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(path("config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd starts");
        let sshd = Self { folder, child, address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "sshd listens; its log: {}", sshd.log());
            std::thread::yield_now();
        }
        Some(sshd)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A folder that the tests may fill.
    pub(crate) fn tree(&self) -> PathBuf {
        let tree = self.folder.path().join("tree");
        std::fs::create_dir_all(&tree).expect("the tree is made");
        tree
    }

    /// The fingerprint of a host key: `host_ed25519` or `host_ecdsa`.
    pub(crate) fn fingerprint(&self, name: &str) -> Fingerprint {
        let path = self.folder.path().join(format!("{name}.pub"));
        let output = Command::new("ssh-keygen").arg("-lf").arg(path).output().expect("ssh-keygen runs");
        let text = String::from_utf8(output.stdout).expect("a fingerprint is ASCII");
        text.split_whitespace().nth(1).expect("the fingerprint comes second").parse().expect("a fingerprint")
    }

    /// The path of a private key: `client` is let in, `stranger` is not.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let text = std::fs::read_to_string(self.key_file(name)).expect("the key is there");
        Identity::parse(&SecretString::from(text)).expect("ssh-keygen makes keys that can be used")
    }

    /// Connects with the right key and pin, through `address`.
    pub(crate) async fn connect_through(&self, address: SocketAddr) -> Connection {
        let pins = [self.fingerprint("host_ed25519")];
        Connection::open(
            &address.ip().to_string(),
            address.port(),
            &pins,
            &user(),
            &self.identity("client"),
            Timeouts::default(),
        )
        .await
        .expect("everything is right")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The account that the tests run under.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("a name").trim().to_owned()
}

/// An address on loopback where nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound")
}
