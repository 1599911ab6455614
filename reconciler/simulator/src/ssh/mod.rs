//! The SSH end of an Agent: OpenSSH for Windows, as far as a client sees it.
//!
//! One listener per Agent. Sessions share the host's runtime; what an `exec` started dies with its connection, as
//! Windows' job object makes it.

mod connection;
mod keys;
mod sftp;
mod stream;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use russh::{MethodKind, MethodSet, SshId, server};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::keys::{HostKey, authorized, client_key};
use self::stream::{Budget, CancelStream};
use crate::{
    fault::Reach,
    windows::{Machine, lock},
};

/// Who may log on.
pub(crate) struct Accounts {
    pub(crate) user: String,
    /// Public keys as `algorithm base64`, without comments.
    pub(crate) keys: Vec<String>,
}

/// The SSH server of one Agent.
pub(crate) struct Endpoint {
    pub(crate) machine: Arc<Machine>,
    accounts: Arc<Accounts>,
    address: SocketAddr,
    config: Mutex<Arc<server::Config>>,
    reach: Mutex<Reach>,
    /// Ends all connections there are; replaced afterwards.
    connections: Mutex<CancellationToken>,
    /// Ends the listener; replaced when it listens again.
    listener: Mutex<CancellationToken>,
    /// Bytes that uploads may still bring before the connection breaks.
    upload_budget: Mutex<Option<u64>>,
    /// Bytes that connections may still carry before one is cut.
    budget: Arc<Budget>,
    tracker: TaskTracker,
}

/// Big enough that 200 MB do not wait for window messages.
const WINDOW: u32 = 8 << 20;

/// Messages that a channel holds before the whole session waits for its reader. A reader that itself waits for the
/// peer's window would never read again while the session waits for it: the window has to run out first.
const CHANNEL_MESSAGES: usize = 64 << 10;

fn config(key: &HostKey) -> Arc<server::Config> {
    let mut methods = MethodSet::empty();
    methods.push(MethodKind::PublicKey);
    Arc::new(server::Config {
        server_id: SshId::Standard("SSH-2.0-OpenSSH_for_Windows_9.5".into()),
        methods,
        // Nobody attacks a simulation; waiting only costs time.
        auth_rejection_time: Duration::from_millis(1),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key.private().clone()],
        window_size: WINDOW,
        maximum_packet_size: 65_535,
        channel_buffer_size: CHANNEL_MESSAGES,
        max_auth_attempts: 6,
        inactivity_timeout: None,
        nodelay: true,
        ..server::Config::default()
    })
}

impl Endpoint {
    /// Listens on a free port of the loopback interface.
    pub(crate) async fn listen(
        machine: Arc<Machine>,
        accounts: Arc<Accounts>,
        key: &HostKey,
        tracker: TaskTracker,
    ) -> std::io::Result<Arc<Self>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = Arc::new(Self {
            machine,
            accounts,
            address: listener.local_addr()?,
            config: Mutex::new(config(key)),
            reach: Mutex::new(Reach::Reachable),
            connections: Mutex::new(CancellationToken::new()),
            listener: Mutex::new(CancellationToken::new()),
            upload_budget: Mutex::new(None),
            budget: Arc::default(),
            tracker,
        });
        endpoint.accept_on(listener);
        Ok(endpoint)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn accept_on(self: &Arc<Self>, listener: TcpListener) {
        let stop = CancellationToken::new();
        *lock(&self.listener) = stop.clone();
        let endpoint = Arc::clone(self);
        self.tracker.spawn(stop.run_until_cancelled_owned(async move {
            loop {
                match listener.accept().await {
                    Ok((socket, _)) => endpoint.serve(socket),
                    // Out of file handles, for example: wait, do not spin.
                    Err(error) => {
                        tracing::warn!(agent = %endpoint.machine.name, %error, "accepting a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        }));
    }

    fn serve(self: &Arc<Self>, socket: tokio::net::TcpStream) {
        let end = lock(&self.connections).child_token();
        if *lock(&self.reach) == Reach::Silent {
            // Held open and never read.
            self.tracker.spawn(async move {
                end.cancelled().await;
                drop(socket);
            });
            return;
        }
        let _unsupported = socket.set_nodelay(true);
        let config = Arc::clone(&lock(&self.config));
        let handler = connection::Connection::new(Arc::clone(self), end.clone());
        let budget = Arc::clone(&self.budget);
        self.tracker.spawn(async move {
            let stream = CancelStream::new(socket, end.clone(), budget);
            match server::run_stream(config, stream, handler).await {
                Ok(session) => {
                    if let Err(error) = session.await {
                        tracing::debug!(%error, "an SSH session ended");
                    }
                }
                Err(error) => tracing::debug!(%error, "an SSH session did not begin"),
            }
            // What it started goes with it.
            end.cancel();
        });
    }

    /// Breaks every connection there is.
    pub(crate) fn break_connections(&self) {
        std::mem::take(&mut *lock(&self.connections)).cancel();
    }

    /// Changes how connections are treated; those there are break unless they may go on.
    pub(crate) async fn set_reach(self: &Arc<Self>, reach: Reach) -> std::io::Result<()> {
        let before = std::mem::replace(&mut *lock(&self.reach), reach);
        if before == reach {
            return Ok(());
        }
        if reach != Reach::Reachable {
            self.break_connections();
        }
        match (before, reach) {
            (_, Reach::Refuses) => lock(&self.listener).cancel(),
            (Reach::Refuses, _) => self.accept_on(self.bind_again().await?),
            _ => {}
        }
        Ok(())
    }

    /// The old listener's task may need a moment to let the port go.
    async fn bind_again(&self) -> std::io::Result<TcpListener> {
        let mut attempts = 0;
        loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => return Ok(listener),
                Err(error) if attempts >= 50 => return Err(error),
                Err(_) => attempts += 1,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Shows another host key from the next connection on.
    pub(crate) fn set_host_key(&self, key: &HostKey) {
        *lock(&self.config) = config(key);
    }

    pub(crate) fn drop_upload_after(&self, bytes: u64) {
        *lock(&self.upload_budget) = Some(bytes);
    }

    /// Cuts a connection after so many bytes in both directions together.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.budget.set(bytes);
    }

    /// How many of so many bytes an upload may still bring, and whether the connection breaks after them.
    fn take_upload(&self, bytes: u64) -> (u64, bool) {
        let mut budget = lock(&self.upload_budget);
        match *budget {
            None => (bytes, false),
            Some(left) if left > bytes => {
                *budget = Some(left - bytes);
                (bytes, false)
            }
            Some(left) => {
                *budget = None;
                (left, true)
            }
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.listener).cancel();
        self.break_connections();
    }
}
