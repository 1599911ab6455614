//! Ranges of releases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::Version;

/// A range of releases of one track.
///
/// Of several ranges of the Main Release track, those that are bound to the line of a release are read for it, and
/// only where there is none, those that are bound to no line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Range {
    /// Which releases it speaks of.
    pub track: RangeTrack,
    /// The first release, inclusive; absent: unbounded below. Without a CU its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The last release, inclusive; absent: bounded by `fixedIn` or not at all. Without a CU its last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// The first release that is right again; absent: none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_in: Option<Version>,
    /// The first build of `fixedIn` that is right, where that release came out again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub fixed_in_build: Option<u32>,
    /// Says that `fixedIn` came out again with the fix, in a build that is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed_in_rerelease: bool,
    /// The Main Release line that the range is bound to, without a CU: `10.4.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Version>,
}

/// Which releases a range speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RangeTrack {
    /// Main Releases.
    Main,
    /// Feature Releases.
    Feature,
    /// All releases; such a range has no bounds.
    Any,
}
