//! One SSH connection to one Agent.

use std::{
    fmt,
    future::Future,
    sync::{Arc, PoisonError},
    time::Duration,
};

use russh::{
    ChannelMsg, Disconnect, Preferred,
    client::{self, AuthResult},
    keys::{PrivateKey, PrivateKeyWithHashAlg, decode_secret_key},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{
    Fingerprint, Sftp, Uploader,
    host_key::{Shown, Verifier, algorithms},
};
use crate::agent::error::{AgentError, Reason};

/// sshd's default `MaxSessions` is 10 for a connection; an exec, the SFTP session and an upload need three.
const MAX_CHANNELS: usize = 6;

/// The largest channel window and packets: what OpenSSH grants as well.
const WINDOW_BYTES: u32 = 2 * 1024 * 1024;
const PACKET_BYTES: u32 = 32 * 1024;

/// How long each stage may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Name lookup and TCP.
    pub connect: Duration,
    /// Version exchange and key exchange.
    pub handshake: Duration,
    pub authenticate: Duration,
    /// One SFTP request.
    pub request: Duration,
    /// Silence after which a keep-alive is sent; three unanswered ones end the connection.
    pub keep_alive: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(15),
            authenticate: Duration::from_secs(15),
            request: Duration::from_secs(60),
            keep_alive: Duration::from_secs(10),
        }
    }
}

/// A private key that never shows itself.
#[derive(Clone)]
pub struct Identity(Arc<PrivateKey>);

impl Identity {
    /// Reads a private key (OpenSSH or PKCS#8 form, without a passphrase).
    pub fn parse(secret: &SecretString) -> Result<Self, AgentError> {
        // The parser's own error is dropped: it may quote what it read.
        decode_secret_key(secret.expose_secret(), None).map(|key| Self(Arc::new(key))).map_err(|_| {
            AgentError::new(
                Reason::SecretUnreadable,
                "the identity is not a private key that can be used",
                "give an Ed25519 or ECDSA private key without a passphrase (`ssh-keygen -t ed25519`)",
            )
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// Caps on one command.
#[derive(Clone, Copy, Debug)]
pub struct ExecLimits {
    pub time: Duration,
    /// Bytes of standard output that are kept; the rest is read and dropped.
    pub stdout: usize,
    pub stderr: usize,
}

impl Default for ExecLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(60), stdout: 4 * 1024 * 1024, stderr: 64 * 1024 }
    }
}

/// What a command returned.
#[derive(Clone, Debug)]
pub struct Exec {
    /// Absent when the server sent none. Only 8 bits are sure to arrive: never a job's exit code.
    pub status: Option<u32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Whether more came than the caps keep.
    pub truncated: bool,
}

/// An authenticated connection. Dropping it closes it.
pub struct Connection {
    handle: client::Handle<Verifier>,
    channels: Semaphore,
    peer: String,
    timeouts: Timeouts,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to `host:port`, checks its key against `pins`, and signs in as `user`.
    ///
    /// A server shows one key in a handshake. If that is not a pinned one, its other algorithms are tried before
    /// the server is refused.
    pub async fn open(
        host: &str,
        port: u16,
        pins: &[Fingerprint],
        user: &str,
        identity: &Identity,
        timeouts: Timeouts,
    ) -> Result<Self, AgentError> {
        let peer = format!("{host}:{port}");
        let pins: Arc<[Fingerprint]> = pins.into();
        let mut offered = algorithms();
        let mut refused: Vec<Shown> = Vec::new();
        loop {
            match Self::handshake(&peer, host, port, Arc::clone(&pins), &offered, timeouts).await? {
                Handshake::Accepted(handle) => {
                    let mut connection =
                        Self { handle, channels: Semaphore::new(MAX_CHANNELS), peer, timeouts };
                    connection.authenticate(user, identity).await?;
                    return Ok(connection);
                }
                Handshake::Unpinned(shown) => {
                    let before = offered.len();
                    offered.retain(|algorithm| *algorithm != shown.algorithm);
                    let exhausted = offered.is_empty() || offered.len() == before;
                    refused.push(shown);
                    if exhausted {
                        return Err(host_key_refused(&peer, &pins, &refused));
                    }
                }
                Handshake::NoCommonAlgorithm if refused.is_empty() => {
                    return Err(no_host_key(&peer));
                }
                Handshake::NoCommonAlgorithm => return Err(host_key_refused(&peer, &pins, &refused)),
            }
        }
    }

    /// The host keys that `host:port` shows, best first, without signing in: for somebody who compares them.
    ///
    /// # Errors
    /// A server that cannot be reached, or that shows no key of an algorithm that this build can verify.
    pub async fn host_keys(
        host: &str,
        port: u16,
        timeouts: Timeouts,
    ) -> Result<Vec<Fingerprint>, AgentError> {
        let peer = format!("{host}:{port}");
        let mut offered = algorithms();
        let mut keys = Vec::new();
        while !offered.is_empty() {
            match Self::handshake(&peer, host, port, Arc::new([]), &offered, timeouts).await? {
                Handshake::Unpinned(shown) => {
                    let before = offered.len();
                    offered.retain(|algorithm| *algorithm != shown.algorithm);
                    keys.push(shown.fingerprint);
                    if offered.len() == before {
                        break;
                    }
                }
                Handshake::NoCommonAlgorithm if keys.is_empty() => return Err(no_host_key(&peer)),
                // Without a pin nothing is ever accepted.
                Handshake::NoCommonAlgorithm | Handshake::Accepted(_) => break,
            }
        }
        Ok(keys)
    }

    async fn handshake(
        peer: &str,
        host: &str,
        port: u16,
        pins: Arc<[Fingerprint]>,
        offered: &[russh::keys::Algorithm],
        timeouts: Timeouts,
    ) -> Result<Handshake, AgentError> {
        let config = client::Config {
            window_size: WINDOW_BYTES,
            maximum_packet_size: PACKET_BYTES,
            preferred: Preferred { key: offered.to_vec().into(), ..Preferred::DEFAULT },
            keepalive_interval: Some(timeouts.keep_alive),
            keepalive_max: 3,
            nodelay: true,
            ..client::Config::default()
        };
        let stream = within(timeouts.connect, peer, "the TCP connection", TcpStream::connect((host, port)))
            .await?
            .map_err(|error| unreachable_peer(peer, &error))?;
        // Small requests wait for answers all the time; without this each waits for Nagle's timer.
        stream.set_nodelay(true).map_err(|error| unreachable_peer(peer, &error))?;
        let (verifier, shown) = Verifier::new(pins);
        let opened = within(
            timeouts.handshake,
            peer,
            "the SSH handshake",
            client::connect_stream(Arc::new(config), stream, verifier),
        )
        .await?;
        match opened {
            Ok(handle) => Ok(Handshake::Accepted(handle)),
            Err(russh::Error::UnknownKey) => {
                let shown = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
                shown.map(Handshake::Unpinned).ok_or_else(|| {
                    AgentError::new(
                        Reason::ProtocolViolation,
                        format!("{peer} showed a host certificate that was not asked for"),
                        "give its sshd a plain Ed25519 host key",
                    )
                })
            }
            Err(russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, .. }) => {
                Ok(Handshake::NoCommonAlgorithm)
            }
            Err(russh::Error::NoCommonAlgo { kind, .. }) => Err(AgentError::new(
                Reason::ProtocolViolation,
                format!("{peer} offers no {kind:?} algorithm that is still safe"),
                "update OpenSSH on the server",
            )),
            Err(error) => Err(unreachable_peer(peer, &error)),
        }
    }

    async fn authenticate(&mut self, user: &str, identity: &Identity) -> Result<(), AgentError> {
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&identity.0), None);
        let answer = within(
            self.timeouts.authenticate,
            &self.peer,
            "signing in",
            self.handle.authenticate_publickey(user, key),
        )
        .await?
        .map_err(|error| unreachable_peer(&self.peer, &error))?;
        match answer {
            AuthResult::Success => Ok(()),
            AuthResult::Failure { partial_success, .. } => Err(AgentError::new(
                Reason::AuthenticationFailed,
                if partial_success {
                    format!("{} wants more than the key of `{user}`", self.peer)
                } else {
                    format!("{} does not accept the key of `{user}`", self.peer)
                },
                "put the public key into `C:\\ProgramData\\ssh\\administrators_authorized_keys` (for members of Administrators), \
                 which only SYSTEM and Administrators may write",
            )),
        }
    }

    /// Runs `command` and collects what it prints.
    pub async fn exec(&self, command: &str, limits: ExecLimits) -> Result<Exec, AgentError> {
        let _permit = self.permit().await;
        within(limits.time, &self.peer, &format!("`{command}`"), self.run(command, limits)).await?
    }

    async fn run(&self, command: &str, limits: ExecLimits) -> Result<Exec, AgentError> {
        let mut channel =
            self.handle.channel_open_session().await.map_err(|error| self.channel_error(&error))?;
        channel.exec(true, command).await.map_err(|error| unreachable_peer(&self.peer, &error))?;
        let mut exec = Exec { status: None, stdout: Vec::new(), stderr: Vec::new(), truncated: false };
        let mut ended = false;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => exec.truncated |= keep(&mut exec.stdout, &data, limits.stdout),
                ChannelMsg::ExtendedData { data, .. } => {
                    exec.truncated |= keep(&mut exec.stderr, &data, limits.stderr);
                }
                ChannelMsg::ExitStatus { exit_status } => {
                    exec.status = Some(exit_status);
                    ended = true;
                }
                ChannelMsg::ExitSignal { .. } => ended = true,
                ChannelMsg::Failure => {
                    return Err(AgentError::new(
                        Reason::Refused,
                        format!("{} refuses to run commands", self.peer),
                        "allow the account to run commands (no ForceCommand, no internal-sftp only)",
                    ));
                }
                ChannelMsg::Close => break,
                _ => {}
            }
        }
        if ended {
            Ok(exec)
        } else {
            Err(AgentError::new(
                Reason::AgentUnreachable,
                format!("the connection to {} was lost while `{command}` ran", self.peer),
                "nothing if it comes back; otherwise look at the server and the network",
            ))
        }
    }

    /// Opens an SFTP session for everything but large uploads.
    pub async fn sftp(&self) -> Result<Sftp, AgentError> {
        let permit = self.permit().await;
        let channel = self.subsystem().await?;
        drop(permit);
        Sftp::start(channel.into_stream(), &self.peer, self.timeouts.request).await
    }

    /// Opens an SFTP session for large uploads.
    pub async fn uploader(&self) -> Result<Uploader, AgentError> {
        let permit = self.permit().await;
        let channel = self.subsystem().await?;
        drop(permit);
        Uploader::start(channel.into_stream(), &self.peer, self.timeouts.request).await
    }

    async fn subsystem(&self) -> Result<russh::Channel<client::Msg>, AgentError> {
        let open = async {
            let channel =
                self.handle.channel_open_session().await.map_err(|error| self.channel_error(&error))?;
            channel
                .request_subsystem(true, "sftp")
                .await
                .map_err(|error| unreachable_peer(&self.peer, &error))?;
            Ok(channel)
        };
        within(self.timeouts.handshake, &self.peer, "opening SFTP", open).await?
    }

    /// Whether the connection is known to be gone.
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Says goodbye.
    pub async fn close(self) {
        let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "en");
        // The other side may be gone already; then there is nobody to tell.
        drop(timeout(Duration::from_secs(1), goodbye).await);
    }

    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.channels.acquire().await.ok()
    }

    fn channel_error(&self, error: &russh::Error) -> AgentError {
        match error {
            russh::Error::ChannelOpenFailure(why) => AgentError::new(
                Reason::Refused,
                format!("{} refuses another channel ({why:?})", self.peer),
                "raise MaxSessions of its sshd to 10",
            ),
            other => unreachable_peer(&self.peer, other),
        }
    }
}

enum Handshake {
    Accepted(client::Handle<Verifier>),
    Unpinned(Shown),
    NoCommonAlgorithm,
}

/// Appends what fits below `cap`; true if something was dropped.
fn keep(buffer: &mut Vec<u8>, data: &[u8], cap: usize) -> bool {
    let room = cap.saturating_sub(buffer.len()).min(data.len());
    buffer.extend_from_slice(&data[..room]);
    room < data.len()
}

/// `future`, or a Timeout that says what was waited for.
pub(super) async fn within<F: Future>(
    limit: Duration,
    peer: &str,
    what: &str,
    future: F,
) -> Result<F::Output, AgentError> {
    timeout(limit, future).await.map_err(|_| {
        AgentError::new(
            Reason::Timeout,
            format!("{what} took longer than {} s on {peer}", limit.as_secs_f64()),
            "look at the server's load and at the network",
        )
    })
}

pub(super) fn unreachable_peer(peer: &str, error: &dyn fmt::Display) -> AgentError {
    AgentError::new(
        Reason::AgentUnreachable,
        format!("cannot talk SSH with {peer}: {error}"),
        "check that the server is up, that its sshd runs and that the port is open from here",
    )
}

fn no_host_key(peer: &str) -> AgentError {
    AgentError::new(
        Reason::HostKeyRefused,
        format!("{peer} shows no Ed25519 or ECDSA host key"),
        "give its sshd an Ed25519 host key (`ssh-keygen -A` on the server); RSA host keys are not accepted",
    )
}

fn host_key_refused(peer: &str, pins: &[Fingerprint], refused: &[Shown]) -> AgentError {
    let shown: Vec<String> =
        refused.iter().map(|key| format!("{} ({})", key.fingerprint, key.algorithm)).collect();
    let shown = shown.join(", ");
    let first = refused.first().map_or_else(String::new, |key| key.fingerprint.to_string());
    let message = if pins.is_empty() {
        format!("no host key is pinned for {peer}; it shows {shown}")
    } else {
        let pinned: Vec<String> = pins.iter().map(ToString::to_string).collect();
        format!("{peer} shows {shown}, pinned is {}", pinned.join(", "))
    };
    AgentError::new(
        Reason::HostKeyRefused,
        message,
        format!(
            "compare with `ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub` on the server; if it is the server's, write `hostKey: \"{first}\"` into the Agent's manifest"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_beyond_the_cap_is_dropped_and_said() {
        let mut buffer = Vec::new();
        assert!(!keep(&mut buffer, b"abc", 4));
        assert!(keep(&mut buffer, b"def", 4));
        assert!(keep(&mut buffer, b"g", 4));
        assert_eq!(buffer, b"abcd");
    }

    /// Invariant 11.
    #[test]
    fn a_private_key_does_not_print() {
        let error = Identity::parse(&SecretString::from("hunter2")).expect_err("not a key");
        assert_eq!(error.reason, Reason::SecretUnreadable);
        assert!(!error.summary().contains("hunter2"));
    }
}
