//! Names and digests that must not be mixed up with each other.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a string is not the identifier it was read as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {expected}")]
pub struct IdError {
    value: String,
    expected: &'static str,
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps `value`.
            pub fn new(value: impl Into<String>) -> Result<Self, IdError> {
                let value = value.into();
                if $check(&value) { Ok(Self(value)) } else { Err(IdError { value, expected: $expected }) }
            }

            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(value: String) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "x-check": stringify!($name),
                    "pattern": $pattern,
                    "description": concat!("Must be ", $expected, ".")
                })
            }
        }
    };
}

string_id! {
    /// The name of a cluster (DMS) in the manifests: a DNS label, unique in the repository.
    ClusterName,
    "a DNS label (lowercase letters, digits and inner hyphens, at most 63 characters)",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_dns_label
}

string_id! {
    /// The name of an Agent (DMA) in the manifests; unique in its cluster.
    AgentName,
    "an Agent name (letters, digits, inner dots, hyphens and underscores, at most 63 characters)",
    "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
    is_agent_name
}

string_id! {
    /// The SHA-256 of a file, 64 lowercase hexadecimal digits.
    Sha256,
    "a SHA-256 (64 lowercase hexadecimal digits)",
    "^[0-9a-f]{64}$",
    is_sha256
}

string_id! {
    /// The id of a plan: `sha256:` and the digest of everything that an approval stands for.
    PlanId,
    "a plan id (`sha256:` and 64 lowercase hexadecimal digits)",
    "^sha256:[0-9a-f]{64}$",
    is_plan_id
}

string_id! {
    /// A job on an Agent: plan, step and attempt. It names a folder there, so it holds no character that
    /// `cmd.exe` or NTFS could read as anything else.
    JobId,
    "a job id (lowercase letters, digits and hyphens, at most 80 characters)",
    "^[a-z0-9][a-z0-9-]{0,79}$",
    is_job_id
}

string_id! {
    /// The id of a git commit, 40 lowercase hexadecimal digits.
    CommitId,
    "a commit id (40 lowercase hexadecimal digits)",
    "^[0-9a-f]{40}$",
    is_commit_id
}

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// Wraps a raw digest, as a streaming hasher returns it.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(hex::encode(digest))
    }

    /// The first 12 digits: enough to tell files apart in names and messages.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl PlanId {
    /// The plan id with this digest.
    pub fn from_sha256(digest: &Sha256) -> Self {
        Self(format!("sha256:{digest}"))
    }

    /// The first 12 digits of the digest, as messages and job ids show it.
    pub fn short(&self) -> &str {
        &self.0[7..19]
    }
}

fn is_hex(value: &str, length: usize) -> bool {
    value.len() == length && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_sha256(value: &str) -> bool {
    is_hex(value, 64)
}

fn is_commit_id(value: &str) -> bool {
    is_hex(value, 40)
}

fn is_plan_id(value: &str) -> bool {
    value.strip_prefix("sha256:").is_some_and(is_sha256)
}

fn is_dns_label(value: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&value.len())
        && value.bytes().all(|b| inner(b) || b == b'-')
        && value.bytes().next().is_some_and(inner)
        && value.bytes().last().is_some_and(inner)
}

fn is_agent_name(value: &str) -> bool {
    (1..=63).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && value.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && value.bytes().last().is_some_and(|b| b.is_ascii_alphanumeric())
}

fn is_job_id(value: &str) -> bool {
    (1..=80).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !value.starts_with('-')
}
