//! Thresholds such as "10.3.0 CU8/10.3.11".

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::{Track, Version};

/// A threshold, by its members: at most one for each Main Release line, with its CU, and at most one Feature Release.
///
/// It is read per track (T1): a Main Release is held against the member of its own line if there is one, else against
/// all of them in plain order; a Feature Release against the Feature Release; never one against the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Threshold(#[schemars(length(min = 1))] pub Vec<Version>);

impl Threshold {
    /// The members of the Main Release track.
    pub fn main(&self) -> impl Iterator<Item = &Version> {
        self.0.iter().filter(|member| member.track() == Track::Main)
    }

    /// The Feature Release.
    pub fn feature(&self) -> Option<&Version> {
        self.0.iter().find(|member| member.track() == Track::Feature)
    }

    /// As a sentence names it: `10.5.0 CU11 or 10.5.12 CU2`.
    pub fn either(&self) -> String {
        let names: Vec<String> = self.0.iter().map(short_name).collect();
        names.join(" or ")
    }
}

impl Threshold {
    /// As a sentence lists it: `10.5.0 CU2, 10.5.5`.
    pub fn listed(&self) -> String {
        let names: Vec<String> = self.0.iter().map(short_name).collect();
        names.join(", ")
    }
}

impl fmt::Display for Threshold {
    /// As the documentation writes it: `10.5.0 CU11/10.5.12 CU2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(short_name).collect();
        f.pad(&names.join("/"))
    }
}

/// A release as sentences name it: nobody writes CU0.
fn short_name(version: &Version) -> String {
    match version.cu() {
        Some(0) => version.line().to_string(),
        _ => version.release_name(),
    }
}
