//! Reaching servers of which nothing but the address is known yet.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
    sync::Arc,
};

use anyhow::Context;
use camino::Utf8Path;
use dataminer_schema::{
    load::{SourceFile, load_fleet},
    v1::{cluster::SecretRef, config::SecretGrant, observation::Observation},
};

use super::yaml;
use crate::{
    agent::{
        ClusterDriver, DriverContext, Introduction,
        error::AgentError,
        secrets::SecretResolver,
        transport::{Connection, Fingerprint, Timeouts},
    },
    packages::PackagePlaces,
    vault::Vault,
};

/// How many Agents are looked at at a time.
const AT_ONCE: usize = 16;

/// A server as SSH reaches it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a host: write 10.0.0.11, dma01.example:2222 or [fd00::1]:22");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                match port {
                    "" => (host, None),
                    _ => (host, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
                }
            }
            None => match text.split_once(':') {
                // Several colons without brackets are an IPv6 address.
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map_or(Ok(22), str::parse::<u16>).map_err(|_| wrong())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
        if host.is_empty() || host.len() > 253 || port == 0 || !host.chars().all(plain) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match (host.contains(':'), port) {
            (false, 22) => f.write_str(host),
            (false, port) => write!(f, "{host}:{port}"),
            (true, 22) => write!(f, "[{host}]"),
            (true, port) => write!(f, "[{host}]:{port}"),
        }
    }
}

/// With what servers are reached.
pub(super) struct Reach {
    pub(super) user: String,
    pub(super) identity: SecretRef,
    /// Host keys that the operator compared.
    pub(super) accepted: Vec<Fingerprint>,
    /// Whether the operator takes every host key.
    pub(super) accept_all: bool,
}

/// Whether a server is the one that it should be.
pub(super) enum Key {
    /// To be pinned.
    Known(Fingerprint),
    /// Nobody vouched for these.
    Unknown(Vec<Fingerprint>),
    /// The server was not reached.
    Away(AgentError),
}

/// A server to look at.
pub(super) struct Look<'a> {
    /// Unique among those looked at together.
    pub(super) name: String,
    pub(super) target: &'a Target,
    pub(super) key: &'a Fingerprint,
}

impl Reach {
    /// The key by which a server is known, without signing in.
    pub(super) async fn key(&self, target: &Target) -> Key {
        match Connection::host_keys(&target.host, target.port, Timeouts::default()).await {
            Err(error) => Key::Away(error),
            Ok(shown) => {
                let known = shown.iter().find(|key| self.accepted.contains(key));
                match known.or(shown.first().filter(|_| self.accept_all)) {
                    Some(key) => Key::Known(key.clone()),
                    None => Key::Unknown(shown),
                }
            }
        }
    }

    /// Looks at these servers at once, as at the Agents of a cluster.
    ///
    /// # Errors
    /// Nothing that a server could be blamed for.
    pub(super) async fn look(
        &self,
        servers: &[Look<'_>],
    ) -> anyhow::Result<(Observation, Vec<Introduction>)> {
        let text = self.provisional(servers);
        let file = SourceFile { path: "import".to_owned(), bytes: text.into_bytes() };
        let (fleet, diagnostics) = load_fleet(&[file]);
        let cluster = fleet.clusters.into_iter().next().with_context(|| {
            let first = diagnostics.first().map(|found| found.message.clone()).unwrap_or_default();
            format!("these hosts and this account cannot stand in a manifest: {first}")
        })?;
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
        let grant = SecretGrant {
            secret: self.identity.clone(),
            hosts: vec!["*".to_owned()],
            clusters: vec!["*".to_owned()],
        };
        let context = DriverContext::new(
            "import",
            "import",
            SecretResolver::new(vec![grant]),
            Arc::new(PackagePlaces::default()),
            Vault::open(folder)?,
            AT_ONCE,
        );
        Ok(ClusterDriver::new(&cluster.value, context).introduce().await)
    }

    /// The driver takes what a manifest says, so one is written, however short its life.
    fn provisional(&self, servers: &[Look<'_>]) -> String {
        let mut text =
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: import }\nspec:\n  \
                        software: { core: 10.5.12 }\n  agents:\n"
                .to_owned();
        for Look { name, target, key } in servers {
            let (name, address) = (yaml::scalar(name), yaml::quoted(&target.to_string()));
            let _infallible =
                writeln!(text, "    - {{ name: {name}, address: {address}, hostKey: \"{key}\" }}");
        }
        let identity = yaml::secret(&self.identity);
        let user = yaml::quoted(&self.user);
        let _infallible = writeln!(text, "  connection:\n    ssh: {{ user: {user}, identity: {identity} }}");
        text
    }
}
