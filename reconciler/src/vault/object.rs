//! Objects of the vault and their index entries.

use dataminer_schema::{
    id::{AgentName, ClusterName, Sha256},
    v1::observation::Backup,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::VaultError;

/// What is known of an object before its bytes arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    pub cluster: ClusterName,
    /// Where it comes from.
    pub agent: AgentName,
    /// Its file name there; never a path.
    pub file: String,
    /// The web level that wrote the content, where it is known (`domain/03`).
    pub content: Option<String>,
    /// When the content was copied from the running system.
    pub taken_at: Option<Timestamp>,
    /// Our own copy of both content folders, not a backup of the product's.
    pub copy: bool,
    /// Two listings of what was copied did not agree.
    pub torn: bool,
    /// What the Agent said that the hash is; other bytes are refused.
    pub sha256: Option<Sha256>,
}

impl NewObject {
    pub(super) fn check(&self) -> Result<(), VaultError> {
        let error = |problem| Err(VaultError::Name { name: self.file.escape_debug().to_string(), problem });
        // Room for the hash and `.json` within the 255 bytes of common file systems.
        if self.file.is_empty() || self.file.len() > 200 {
            return error("it is empty or longer than 200 bytes");
        }
        if self.file.starts_with('.') {
            return error("it begins with a dot");
        }
        if self.file.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | ':')) {
            return error("it holds a path separator, a colon or a control character");
        }
        Ok(())
    }
}

/// The index entry of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObject {
    pub cluster: ClusterName,
    pub agent: AgentName,
    pub file: String,
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub torn: bool,
}

impl StoredObject {
    pub(super) fn new(object: &NewObject, sha256: Sha256, size: u64) -> Self {
        let NewObject { cluster, agent, file, content, taken_at, copy, torn, sha256: _ } = object.clone();
        Self { cluster, agent, file, sha256, size, content, taken_at, copy, torn }
    }

    /// The name of the object in its Agent's folder.
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.sha256.short(), self.file)
    }

    /// The object as an Observation and the planner name it.
    pub fn backup(&self) -> Backup {
        Backup {
            file: self.file.clone(),
            at: self.taken_at,
            sha256: Some(self.sha256.clone()),
            size: Some(self.size),
            vault: true,
            content: self.content.clone(),
            copy: self.copy,
            torn: self.torn,
        }
    }
}

/// What hashing an object again told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// Its bytes are no longer what was stored.
    Damaged {
        actual: Sha256,
    },
    /// The index names it, but it is gone.
    Lost,
}
