//! One Agent as the driver knows it: how to reach it, and a session once it is reached.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dataminer_schema::{
    id::{AgentName, ClusterName},
    v1::{
        cluster::{Cluster, Credential, JumpHost, Member, Ssh},
        observation::FailoverRole,
    },
};
use jiff::Timestamp;

use super::{
    error::{AgentError, Reason},
    layout::Layout,
    observe::{HashCache, UtilityCache},
    scripts,
    secrets::SecretResolver,
    transport::{Connection, Fingerprint, Identity, Sftp, Timeouts},
};

/// An Agent of the manifest.
pub(super) struct Link {
    pub(super) name: AgentName,
    pub(super) cluster: ClusterName,
    pub(super) host: String,
    port: u16,
    host_keys: Vec<String>,
    ssh: Option<Ssh>,
    /// The jump host that the manifest names.
    via: Option<JumpHost>,
    /// The member's place in its pair; `None` without a pair.
    pub(super) role: Option<FailoverRole>,
    /// The other member of its pair.
    pub(super) partner: Option<AgentName>,
    /// Whether this process has checked our folder on the Agent. Held while it does: two that make the folder at
    /// the same time would each take the other for a stranger.
    installed: tokio::sync::Mutex<bool>,
    /// Since when it has not been reachable.
    since: Mutex<Option<Timestamp>>,
    /// What the Agent's content backups hash to.
    pub(super) hashes: HashCache,
    /// What its Taskbar Utility was last.
    pub(super) utility: UtilityCache,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("name", &self.name).field("host", &self.host).finish_non_exhaustive()
    }
}

impl Link {
    /// The links of a cluster in the order of the manifest, partners right after their Agents.
    pub(super) fn all(cluster: &Cluster) -> Vec<Self> {
        let link = |member: &Member, role: Option<FailoverRole>, partner: Option<&Member>| Self {
            name: member.name.clone(),
            cluster: cluster.name.clone(),
            host: member.host.clone(),
            port: member.port,
            host_keys: member.host_keys.clone(),
            ssh: member.ssh.clone().or_else(|| cluster.connection.ssh.clone()),
            via: cluster.connection.via.clone(),
            role,
            partner: partner.map(|partner| partner.name.clone()),
            installed: tokio::sync::Mutex::new(false),
            since: Mutex::new(None),
            hashes: HashCache::default(),
            utility: UtilityCache::default(),
        };
        cluster
            .agents
            .iter()
            .flat_map(|agent| {
                let partner = agent.failover.as_ref();
                let main = link(&agent.member, partner.map(|_| FailoverRole::Main), partner);
                let backup =
                    partner.map(|member| link(member, Some(FailoverRole::Backup), Some(&agent.member)));
                std::iter::once(main).chain(backup)
            })
            .collect()
    }

    /// Connects, and on the first time of this process puts our scripts in place.
    pub(super) async fn connect(
        &self,
        secrets: &SecretResolver,
        layout: &Layout,
        timeouts: Timeouts,
    ) -> Result<Session, AgentError> {
        let session = self.sign_in(secrets, timeouts).await?;
        let mut installed = self.installed.lock().await;
        if !*installed {
            scripts::install(&session.connection, &session.sftp, layout).await?;
            *installed = true;
        }
        drop(installed);
        Ok(session)
    }

    /// `host:port`.
    pub(super) fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The host keys that the manifest accepts.
    pub(super) fn pinned(&self) -> &[String] {
        &self.host_keys
    }

    /// The account that signs in.
    pub(super) fn user(&self) -> Option<&str> {
        self.ssh.as_ref().map(|ssh| ssh.user.as_str())
    }

    /// A look that took longer than `patience`.
    pub(super) fn too_slow(&self, patience: Duration) -> AgentError {
        AgentError::new(
            Reason::Timeout,
            format!("looking at Agent {} took longer than {} s", self.name, patience.as_secs()),
            "look at the server's load and at the network",
        )
    }

    /// Connects and signs in, and does nothing else.
    pub(super) async fn sign_in(
        &self,
        secrets: &SecretResolver,
        timeouts: Timeouts,
    ) -> Result<Session, AgentError> {
        if let Some(JumpHost { host, .. }) = &self.via {
            // Never past it: a host that is reached directly may be another one.
            return Err(AgentError::new(
                Reason::ConnectionIncomplete,
                format!(
                    "Agent {} lies behind the jump host {host}, and this release knows no way through one",
                    self.name
                ),
                "take `spec.connection.via` out if the Agent can be reached directly",
            ));
        }
        let Some(Ssh { user, credential }) = &self.ssh else {
            return Err(AgentError::new(
                Reason::ConnectionIncomplete,
                format!("no SSH account is declared for Agent {}", self.name),
                "declare `spec.connection.ssh: { user: …, identity: { file: … } }`",
            ));
        };
        let pins = self.host_keys.iter().map(|key| key.parse::<Fingerprint>()).collect::<Result<Vec<_>, _>>();
        let pins = pins.map_err(|error| {
            AgentError::new(
                Reason::HostKeyRefused,
                format!("Agent {}: {error}", self.name),
                "correct `hostKey` in the manifest",
            )
        })?;
        let Credential::Key { identity, passphrase: None } = credential else {
            return Err(AgentError::new(
                Reason::ConnectionIncomplete,
                format!("this release signs in to Agent {} with a private key alone", self.name),
                "name a key without a passphrase in `spec.connection.ssh.identity`",
            ));
        };
        let secret = secrets.resolve(identity, &self.host, &self.cluster)?;
        let identity = Identity::parse(&secret)?;
        let connection = Connection::open(&self.host, self.port, &pins, user, &identity, timeouts).await?;
        let sftp = connection.sftp().await?;
        Ok(Session { connection, sftp })
    }

    /// Our scripts may be gone: look again with the next connection.
    pub(super) async fn forget_installation(&self) {
        *self.installed.lock().await = false;
    }

    /// Remembers that the Agent was reached, or since when it is not.
    pub(super) fn seen(&self, reachable: bool, now: Timestamp) -> Option<Timestamp> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if reachable { None } else { Some(since.unwrap_or(now)) };
        *since
    }
}

/// A connection with its SFTP session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) sftp: Sftp,
}

impl Session {
    pub(super) async fn close(self) {
        let Self { connection, sftp } = self;
        drop(sftp);
        connection.close().await;
    }
}
