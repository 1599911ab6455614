//! What a manifest wants of the web apps.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{VERSION_PATTERN, Version, VersionError};

/// The web apps that a cluster shall run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WebWanted {
    /// Left as they are.
    #[default]
    Unmanaged,
    /// What the core package carries.
    Bundled,
    /// This level.
    Version(Version),
}

impl FromStr for WebWanted {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match text {
            "unmanaged" => Ok(Self::Unmanaged),
            "bundled" => Ok(Self::Bundled),
            other => other.parse().map(Self::Version),
        }
    }
}

impl TryFrom<String> for WebWanted {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<WebWanted> for String {
    fn from(wanted: WebWanted) -> Self {
        wanted.to_string()
    }
}

impl fmt::Display for WebWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmanaged => f.pad("unmanaged"),
            Self::Bundled => f.pad("bundled"),
            Self::Version(version) => version.fmt(f),
        }
    }
}

impl JsonSchema for WebWanted {
    fn schema_name() -> Cow<'static, str> {
        "WebWanted".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "x-check": "webWanted",
            "anyOf": [{ "enum": ["unmanaged", "bundled"] }, { "pattern": VERSION_PATTERN }],
            "description": "A version, `bundled` (what the core package carries) or `unmanaged` (left as they are).",
        })
    }
}
