//! One SSH connection: who it is, and its channels.

use std::{collections::HashMap, sync::Arc};

use russh::{
    Channel, ChannelId,
    server::{Auth, ChannelOpenHandle, Handle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Endpoint, keys::comparable, sftp};
use crate::cmd::{Chunk, Output, Shell, Streams};

/// The largest SFTP packet, as OpenSSH has it.
const MAX_SFTP_PACKET: u32 = 256 << 10;
/// `MaxSessions` of sshd_config: more channels than that are refused.
const MAX_SESSIONS: usize = 10;
/// The longest command line that Windows takes.
const MAX_COMMAND: usize = 8191;

pub(super) struct Connection {
    endpoint: Arc<Endpoint>,
    /// Cancelled with the connection.
    end: CancellationToken,
    /// Open channels; those without a request yet carry themselves.
    channels: HashMap<ChannelId, Option<Channel<Msg>>>,
    /// One permit for each open channel. A channel that this side closes is not reported as closed by the library,
    /// so what runs on a channel holds its permit.
    sessions: Arc<Semaphore>,
    permits: HashMap<ChannelId, OwnedSemaphorePermit>,
}

impl Connection {
    pub(super) fn new(endpoint: Arc<Endpoint>, end: CancellationToken) -> Self {
        let sessions = Arc::new(Semaphore::new(MAX_SESSIONS));
        Self { endpoint, end, channels: HashMap::new(), sessions, permits: HashMap::new() }
    }

    fn accepts(&self, user: &str, key: &russh::keys::PublicKey) -> bool {
        let accounts = &self.endpoint.accounts;
        // Windows names have no case.
        user.eq_ignore_ascii_case(&accounts.user)
            && comparable(key).is_ok_and(|key| accounts.keys.contains(&key))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(if self.accepts(user, offer.public_key) { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(if self.accepts(user, key.public_key) { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        // Dropping the reply refuses.
        if let Ok(permit) = Arc::clone(&self.sessions).try_acquire_owned() {
            self.permits.insert(channel.id(), permit);
            self.channels.insert(channel.id(), Some(channel));
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.remove(&channel);
        self.permits.remove(&channel);
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let line = String::from_utf8_lossy(data).into_owned();
        let taken = self.channels.get_mut(&channel).and_then(Option::take);
        let (Some(taken), true) = (taken, line.len() <= MAX_COMMAND) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let handle = session.handle();
        let endpoint = Arc::clone(&self.endpoint);
        let end = self.end.clone();
        self.channels.remove(&channel);
        let permit = self.permits.remove(&channel);
        self.endpoint.tracker.spawn(async move {
            // The client may close its side; what runs goes on, as on Windows, until the connection ends.
            let run = execute(&endpoint, &line, channel, handle);
            let _dies_with_the_connection = end.run_until_cancelled(run).await;
            drop(taken);
            drop(permit);
        });
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let taken = self.channels.get_mut(&channel).and_then(Option::take);
        match taken {
            Some(taken) if name == "sftp" => {
                session.channel_success(channel)?;
                let handler = sftp::Sftp::new(Arc::clone(&self.endpoint), self.end.clone());
                let config = russh_sftp::server::Config { max_client_packet_len: MAX_SFTP_PACKET };
                russh_sftp::server::run_with_config(taken.into_stream(), handler, config).await;
                Ok(())
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn channel_eof(&mut self, _channel: ChannelId, _session: &mut Session) -> Result<(), russh::Error> {
        Ok(())
    }
}

/// Runs a command line as OpenSSH's default shell does, sends what it prints as it comes, then its exit code.
async fn execute(endpoint: &Arc<Endpoint>, line: &str, channel: ChannelId, handle: Handle) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let streams = Streams { out: Output::Out(sender.clone()), error: Output::Error(sender) };
    let mut shell = Shell::new(Arc::clone(&endpoint.machine), &endpoint.accounts.user);
    let run = async move {
        let code = shell.command_line(line, &streams).await;
        // The last sender goes here, which ends the loop below.
        drop(streams);
        code
    };
    let forward = async {
        while let Some(chunk) = receiver.recv().await {
            let sent = match chunk {
                Chunk::Out(bytes) => handle.data(channel, bytes).await.is_ok(),
                Chunk::Error(bytes) => handle.extended_data(channel, 1, bytes).await.is_ok(),
            };
            if !sent {
                break;
            }
        }
    };
    let (code, ()) = futures::join!(run, forward);
    // Exit codes have 32 bits on Windows.
    let _gone = handle.exit_status_request(channel, code.cast_unsigned()).await;
    let _gone = handle.eof(channel).await;
    let _gone = handle.close(channel).await;
}
