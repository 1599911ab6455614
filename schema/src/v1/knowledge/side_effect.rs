//! What a way down brings besides the older release.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Threshold};
use crate::document::text::{Line, Word};

/// Something that a downgrade does, or leaves behind (`domain/02 section 3`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SideEffect {
    /// Its id, by which warnings of plans name it: `DE_…`.
    #[schemars(with = "Word")]
    pub id: String,
    /// What happens, as a sentence without its full stop.
    #[schemars(with = "Line")]
    pub title: String,
    /// It happens on ways down from this release or a later one, …
    pub from: Threshold,
    /// … to one below this; absent: to any lower release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Threshold>,
    /// What a system must have besides; all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The module that must be installed for it, as Windows lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub module: Option<String>,
    /// The known issue that says so; plans then name the side effect in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word>")]
    pub issue: Option<String>,
    /// Numbers of release notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release_notes: Vec<u32>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}
