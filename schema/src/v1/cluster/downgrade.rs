//! Whether and how versions may fall.

use jiff::civil;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether versions may fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Downgrade {
    /// Whether versions may fall.
    pub policy: DowngradePolicy,
    /// The last day, in UTC, on which `policy` allows anything; `None`: it stands for ever.
    pub until: Option<civil::Date>,
    /// Which content backup follows when the web level falls.
    pub restore: Restore,
    /// What becomes of files that the restored backup does not know.
    pub extras: Extras,
    /// Whether the prerequisite that breaks downgrades across 10.4.0/10.4.3 may be taken out of the staged package (G2).
    pub patch_prerequisites: bool,
}

/// Which content backup follows when the web level falls (`design/03 G6`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Restore {
    /// The newest whose content the web apps of the target wrote, else the newest below.
    #[default]
    Matching,
    /// The newest that the web apps of the target can read.
    MostRecent,
    /// None: dashboards and apps stay as they are, readable or not.
    None,
}

/// What becomes of files that the restored backup does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Extras {
    /// They stay where they are.
    #[default]
    Keep,
    /// They go to the safety copy.
    MoveAside,
}

/// Whether versions may fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DowngradePolicy {
    /// Never.
    #[default]
    Forbid,
    /// When a manifest asks for it.
    Allow,
}
