//! Strings with a meaning, as documents hold them.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp, civil};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    id::{CommitId, Sha256},
    quantity::{DURATION_PATTERN, QuantityError, format_duration, parse_duration},
};

/// Gives a type the schema of a checked string.
macro_rules! text_schema {
    ($name:ident, $schema_name:literal, $check:literal, $($keyword:literal: $value:expr),+ $(,)?) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $schema_name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "x-check": $check, $($keyword: $value),+ })
            }
        }
    };
}

/// A duration such as `72h` or `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Span(pub(crate) SignedDuration);

impl TryFrom<String> for Span {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        parse_duration(&text).map(Self)
    }
}

impl From<Span> for String {
    fn from(Span(duration): Span) -> Self {
        format_duration(duration)
    }
}

text_schema! {
    Span, "Duration", "duration",
    "pattern": DURATION_PATTERN,
    "minLength": 2,
    "description": "A duration: days, hours, minutes, seconds, for example `72h`, `1h30m` or `45s`."
}

/// A non-empty text on one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Line(pub(crate) String);

text_schema! {
    Line, "Text", "line",
    "minLength": 1,
    "maxLength": MAX_LINE,
    "pattern": "^[^\\x00-\\x1f\\x7f]*$",
    "description": "Text on one line, not empty."
}

/// The longest [`Line`], in characters.
pub(crate) const MAX_LINE: usize = 1000;

/// The name of an environment variable; the schema of the string in [`crate::v1::cluster::SecretRef`].
pub(crate) struct EnvName(#[expect(dead_code, reason = "stands in for the schema only")] String);

text_schema! {
    EnvName, "EnvName", "envName",
    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
    "maxLength": 200,
    "description": "The name of an environment variable of the process."
}

/// A name inside the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Label(pub(crate) String);

text_schema! {
    Label, "Label", "dnsLabel",
    "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "description": "A name: lowercase letters, digits and inner hyphens, at most 63 characters."
}

/// An SSH host key's fingerprint, as `ssh-keygen -l` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HostKey(pub(crate) String);

text_schema! {
    HostKey, "HostKey", "hostKey",
    "pattern": "^SHA256:[A-Za-z0-9+/]{43}$",
    "description": "The fingerprint of an SSH host key, as `ssh-keygen -l` prints it: `SHA256:` and 43 characters."
}

/// One value or a list of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(#[schemars(length(min = 1))] Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

/// A host name or IP address, with an optional port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

text_schema! {
    Address, "Address", "address",
    "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\\[[0-9A-Fa-f:.]+\\](:[0-9]{1,5})?|[0-9A-Fa-f:.]+)$",
    "maxLength": 253 + 6,
    "description": "A host name or IP address, with an optional `:port`; an IPv6 address with a port stands in brackets."
}

impl Address {
    /// Reads `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Some(Self { host: text.to_owned(), port: None });
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, tail) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                let port = if tail.is_empty() { None } else { Some(tail.strip_prefix(':')?) };
                (host, port)
            }
            None => {
                let (host, port) = match text.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (text, None),
                };
                let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
                let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
                let named = host.len() <= 253
                    && host.bytes().all(inner)
                    && edge(host.bytes().next())
                    && edge(host.bytes().last())
                    && !host.contains("..");
                // Four numbers that are no IPv4 address are a slip, not a host name.
                let numbers = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                if !named || (numbers && host.parse::<std::net::Ipv4Addr>().is_err()) {
                    return None;
                }
                (host, port)
            }
        };
        let port = match port {
            Some(digits) if digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok().filter(|port| *port != 0)?)
            }
            Some(_) => return None,
            None => None,
        };
        Some(Self { host: host.to_owned(), port })
    }
}

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::read(&text).ok_or("this is not a host name or IP address with an optional port")
    }
}

impl From<Address> for String {
    fn from(Address { host, port }: Address) -> Self {
        match port {
            Some(port) if host.contains(':') => format!("[{host}]:{port}"),
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

/// A cron expression of five fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Schedule(pub(crate) String);

text_schema! {
    Schedule, "Schedule", "schedule",
    "pattern": "^[^ ]+( [^ ]+){4}$",
    "description": "When the window opens: a cron expression of five fields (minute, hour, day of month, month, day of week), for example `0 22 * * SAT`."
}

/// The IANA name of a time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ZoneName(pub(crate) String);

text_schema! {
    ZoneName, "TimeZone", "timeZone",
    "pattern": "^[A-Za-z0-9_+/-]+$",
    "description": "The IANA name of a time zone, for example `Europe/Brussels` or `UTC`."
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Day(pub(crate) civil::Date);

text_schema! {
    Day, "Date", "date",
    "format": "date",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "description": "A day, for example `2026-12-20`."
}

/// A point in time; the schema of [`Timestamp`] in the types that serde fills directly.
pub(crate) struct Instant(#[expect(dead_code, reason = "stands in for the schema only")] Timestamp);

text_schema! {
    Instant, "Timestamp", "timestamp",
    "format": "date-time",
    "description": "A point in time with an offset, for example `2026-11-21T02:00:00Z`."
}

/// A SHA-256 as people paste it: PowerShell prints capitals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(pub(crate) Sha256);

impl TryFrom<String> for Digest {
    type Error = crate::id::IdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Sha256::new(text.to_ascii_lowercase()).map(Self)
    }
}

impl From<Digest> for String {
    fn from(Digest(digest): Digest) -> Self {
        digest.into()
    }
}

text_schema! {
    Digest, "Sha256", "digest",
    "pattern": "^[0-9A-Fa-f]{64}$",
    "description": "The SHA-256 of the file: 64 hexadecimal digits (`Get-FileHash FILE`, `sha256sum FILE`)."
}

/// Where the process listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Socket(pub(crate) std::net::SocketAddr);

text_schema! {
    Socket, "Socket", "socket",
    "pattern": "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$",
    "description": "An IP address and a port, for example `127.0.0.1:8080` or `[::1]:8080`."
}

/// The name of a package file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FileName(pub(crate) String);

text_schema! {
    FileName, "PackageFile", "packageFile",
    "pattern": "^[^\\x00-\\x1f\\x7f/\\\\:*?\"<>|]+\\.(dmupgrade|dmupdate)$",
    "maxLength": 255,
    "description": "The original file name of a package; version, CU, build and kind are read from it."
}

/// A file below DataMiner's folder on an Agent, as Windows spells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct InstalledFile(pub(crate) String);

text_schema! {
    InstalledFile, "InstalledFile", "installedFile",
    "pattern": "^([^\\x00-\\x1f\\x7f/\\\\:*?\"<>|]*[^\\x00-\\x1f\\x7f/\\\\:*?\"<>|. ]\\\\)+[^\\x00-\\x1f\\x7f/\\\\:*?\"<>|]*[^\\x00-\\x1f\\x7f/\\\\:*?\"<>|. ]$",
    "maxLength": MAX_LINE,
    "description": "A file below `C:\\Skyline DataMiner` in one of its folders, for example `Files\\SLNet.exe`."
}

/// A URL with one of the schemes that its check names.
macro_rules! url_type {
    ($(#[$doc:meta])* $name:ident, $schema_name:literal, $check:literal, $pattern:literal, $description:literal $(, [$($example:literal),+])?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) String);

        text_schema! {
            $name, $schema_name, $check,
            "pattern": $pattern, "description": $description $(, "examples": [$($example),+])?
        }
    };
}

url_type! {
    /// Of a git repository.
    GitUrl, "GitUrl", "gitUrl", "^((ssh|https|http|file)://[^ ]+|[./~][^ ]*|[^ :/]+@[^ :/]+:[^ ]+)$",
    "A git repository: `ssh://…`, `https://…`, `file:///…`, `user@host:path`, or a local path that starts with `/` or `.`."
}
url_type! {
    /// Of a place where packages are.
    PlaceUrl, "PlaceUrl", "placeUrl", "^(file:///[^ ].*|(https|s3)://[^ /].*|az://[^ /]+/[^ /].*)$",
    "Where the packages are: a folder `file:///…`, a web server `https://…`, a bucket `s3://bucket/folder`, or a container `az://account/container/folder`.",
    ["file:///packages", "https://packages.example/dataminer", "s3://packages/dataminer", "az://account/packages"]
}
url_type! {
    /// Of the place where backups are kept.
    VaultUrl, "VaultUrl", "vaultUrl", "^(file:///[^ ].*|s3://[^ /].*|az://[^ /]+/[^ /].*)$",
    "Where the backups are: a folder `file:///…`, a bucket `s3://bucket/folder`, or a container `az://account/container/folder`.",
    ["file:///var/lib/dataminer-reconciler/vault", "s3://backups/dataminer", "az://account/backups"]
}
url_type! {
    /// Of a database.
    StoreUrl, "StoreUrl", "storeUrl", "^(sqlite:///[^ ].*|postgres(ql)?://[^ /]+/[^ /?#]+)$",
    "A SQLite file `sqlite:///…`, or a PostgreSQL database `postgres://user@host/database`.",
    ["sqlite:///var/lib/dataminer-reconciler/state.db", "postgres://reconciler@db.example/reconciler"]
}
url_type! {
    /// Where a package file is.
    PackageSource, "PackageSource", "packageSource", "^(file:///[^ \\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]*|(https|s3|az)://[^ /@\\x00-\\x1f\\x7f]+/[^ /\\x00-\\x1f\\x7f][^ \\x00-\\x1f\\x7f]*|[^:\\x00-\\x1f\\x7f]+)$",
    "Where the file is: a path relative to the package place, `file:///…`, `https://host/path`, `s3://bucket/path`, or `az://account/container/path`.",
    ["2026/DataMiner 10.6.0 Full Upgrade.dmupgrade", "https://packages.example/web.dmupgrade", "s3://packages/dataminer/web.dmupgrade"]
}
url_type! {
    /// A folder inside a repository.
    RepositoryPath, "RepositoryPath", "repositoryPath", "^[^\\x00-\\x1f\\x7f\\\\]*$",
    "A folder inside the repository; empty or `.` for the whole of it."
}

url_type! {
    /// Of a page.
    HttpsUrl, "HttpsUrl", "httpsUrl", "^https://[^ /\\x00-\\x1f\\x7f][^ \\x00-\\x1f\\x7f]*$",
    "A page: `https://…`."
}
url_type! {
    /// Of the Web Services API, with a place for the Agent's address.
    WebServicesUrl, "WebServicesUrl", "httpsUrl", "^https://[^ /\\x00-\\x1f\\x7f][^ \\x00-\\x1f\\x7f]*$",
    "Where the API is: `https://{address}`, with `{address}` for the address of the Agent."
}

/// A mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EmailAddress(pub(crate) String);

text_schema! {
    EmailAddress, "EmailAddress", "emailAddress",
    "pattern": "^[^@ <>,;\"\\x00-\\x1f\\x7f]+@[^@ <>,;\"\\x00-\\x1f\\x7f]+$",
    "maxLength": 254,
    "description": "A mail address, without a name beside it.",
    "examples": ["noc@example.org"]
}

/// The name of a repository on a forge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ForgeRepository(pub(crate) String);

text_schema! {
    ForgeRepository, "ForgeRepository", "forgeRepository",
    "pattern": "^[^/:\\x00-\\x1f\\x7f]+(/[^/:\\x00-\\x1f\\x7f]+)+$",
    "maxLength": MAX_LINE,
    "description": "A repository as its forge names it: `owner/name`, on GitLab with all groups, for Azure DevOps `organization/project/repository`.",
    "examples": ["example/fleet", "organization/project/fleet"]
}

/// The id of a known issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct IssueId(pub(crate) String);

text_schema! {
    IssueId, "IssueId", "issueId",
    "pattern": "^KI_[A-Za-z0-9_.-]+$",
    "maxLength": 200,
    "description": "The id of a known issue, as a plan shows it: `KI_` and its name."
}

/// The id of a git commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Commit(pub(crate) CommitId);

text_schema! {
    Commit, "Commit", "commit",
    "pattern": "^[0-9a-f]{40}$",
    "description": "The full id of a git commit: 40 lowercase hexadecimal digits."
}

/// An id or topic: one word; the schema of texts in [`crate::v1::knowledge`].
pub(crate) struct Word(#[expect(dead_code, reason = "stands in for the schema only")] String);

text_schema! {
    Word, "Word", "word",
    "pattern": "^[A-Za-z0-9][A-Za-z0-9._+-]*$",
    "maxLength": 200,
    "description": "One word: letters, digits, dots, hyphens and underscores."
}
