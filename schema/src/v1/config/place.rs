//! Places outside the process: where packages, backups and its own state are.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::v1::cluster::SecretRef;

/// A place where package files are found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePlace {
    /// For messages.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// A folder, or what stands for one elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `file:///…`, `https://…` (packages only), `s3://bucket/…`, `az://account/container/…`.
    pub url: String,
    /// Without it: what the machine has by itself (rights to files, a role), or nothing.
    pub auth: Option<PlaceAuth>,
    /// The region of an S3 bucket.
    pub region: Option<String>,
    /// Where S3 or Azure Blob answers, if not at Amazon's or Microsoft's own address.
    pub endpoint: Option<String>,
}

impl Place {
    /// A place that is reached as it stands.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), auth: None, region: None, endpoint: None }
    }
}

/// How to sign in to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceAuth {
    /// https: `Authorization: Bearer …`.
    Token(SecretRef),
    /// https: basic authentication.
    Password {
        /// The account.
        user: String,
        /// Its password.
        password: SecretRef,
    },
    /// S3: an access key.
    AccessKey {
        /// The id of the key.
        id: SecretRef,
        /// Its secret.
        secret: SecretRef,
        /// Of a key that was lent for a time.
        session: Option<SecretRef>,
    },
    /// Azure Blob: a key of the storage account.
    AccountKey(SecretRef),
    /// Azure Blob: a shared access signature.
    SasToken(SecretRef),
    /// Azure Blob: an application of Entra ID.
    Principal {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// Its secret.
        secret: SecretRef,
    },
}

/// Where the process keeps its own state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// `sqlite:///…` or `postgres://user@host/database`.
    pub url: String,
    /// PostgreSQL: the password of the account in the URL.
    pub password: Option<SecretRef>,
    /// PostgreSQL: how the connection is secured.
    pub tls: Option<StoreTls>,
    /// How many days events, observations and finished operations are kept; `None`: by their number.
    pub keep_days: Option<u32>,
}

impl Store {
    /// A store without anything but its URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), password: None, tls: None, keep_days: None }
    }
}

/// How the connection to a database is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreTls {
    /// How much is asked for.
    pub mode: StoreTlsMode,
    /// A PEM file of the authorities that are trusted; `None`: those of the system.
    pub ca: Option<String>,
}

/// How much a connection to a database must be secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StoreTlsMode {
    /// Encrypted, by a certificate of a trusted authority and of this host.
    #[default]
    VerifyFull,
    /// Encrypted, by a certificate of a trusted authority.
    VerifyCa,
    /// Encrypted; whoever answers is believed.
    Require,
    /// Not encrypted: for a database on this machine.
    Disable,
}

/// Where content backups are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// Where it is.
    pub place: Place,
    /// How much is kept.
    pub keep: Keep,
}

/// How much of the vault is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Backups kept of each content level.
    pub per_content: u32,
    /// Days that a backup is kept at least.
    pub days: u32,
}

/// Where release knowledge of the user's own is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowledgePlace {
    /// A folder of ReleaseKnowledge documents, or one file; relative to the configuration.
    pub path: String,
}

/// A secret that manifests may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrant {
    /// Where the secret is.
    pub secret: SecretRef,
    /// Host names (`*` allowed as a label), addresses and CIDR ranges that it may be used for.
    pub hosts: Vec<String>,
    /// Cluster names (`*` allowed) that may name it.
    pub clusters: Vec<String>,
}

/// The pace of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// How often each cluster is observed.
    pub observe: SignedDuration,
    /// How many Agents are talked to at a time.
    pub concurrency: u32,
}
