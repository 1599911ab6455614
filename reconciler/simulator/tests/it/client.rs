//! A plain SSH and SFTP client for the tests.

use std::sync::Arc;

use dms_simulator::{AgentEndpoint, Simulation};
use russh::{
    ChannelMsg, Disconnect,
    client::{self, Handle},
    keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate},
};
use russh_sftp::client::SftpSession;

pub(crate) struct Seen {
    expected: String,
}

impl client::Handler for Seen {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        Ok(key.fingerprint(HashAlg::Sha256).to_string() == self.expected)
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) session: Handle<Seen>,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<u32>,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Client {
    pub(crate) async fn connect(endpoint: &AgentEndpoint) -> Result<Self, russh::Error> {
        Self::connect_as(endpoint, &endpoint.user, &endpoint.client_key).await
    }

    pub(crate) async fn connect_as(
        endpoint: &AgentEndpoint,
        user: &str,
        key: &camino::Utf8Path,
    ) -> Result<Self, russh::Error> {
        let config = client::Config { nodelay: true, window_size: 8 << 20, ..client::Config::default() };
        let seen = Seen { expected: endpoint.host_key_fingerprint.clone() };
        let mut session = client::connect(Arc::new(config), endpoint.addr, seen).await?;
        let key =
            PrivateKey::read_openssh_file(key.as_std_path()).map_err(|_| russh::Error::CouldNotReadKey)?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        let result = session.authenticate_publickey(user, key).await?;
        if result.success() { Ok(Self { session }) } else { Err(russh::Error::NotAuthenticated) }
    }

    /// The client of an Agent by its name.
    pub(crate) async fn of(simulation: &Simulation, agent: &str) -> Self {
        let endpoint =
            simulation.agents().iter().find(|found| found.name == agent).expect("the Agent exists");
        Self::connect(endpoint).await.expect("the Agent answers")
    }

    pub(crate) async fn exec(&self, line: &str) -> Result<Ran, russh::Error> {
        let mut channel = self.session.channel_open_session().await?;
        channel.exec(true, line).await?;
        let mut ran = Ran { code: None, out: String::new(), error: String::new() };
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => ran.out.push_str(&String::from_utf8_lossy(&data)),
                ChannelMsg::ExtendedData { data, .. } => ran.error.push_str(&String::from_utf8_lossy(&data)),
                ChannelMsg::ExitStatus { exit_status } => ran.code = Some(exit_status),
                _ => {}
            }
        }
        Ok(ran)
    }

    pub(crate) async fn sftp(&self) -> SftpSession {
        let channel = self.session.channel_open_session().await.expect("a channel opens");
        channel.request_subsystem(true, "sftp").await.expect("SFTP is there");
        SftpSession::new(channel.into_stream()).await.expect("SFTP begins")
    }

    pub(crate) async fn close(self) {
        let _gone = self.session.disconnect(Disconnect::ByApplication, "", "en").await;
    }
}
