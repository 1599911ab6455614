//! Dashboards and low-code apps.

use dataminer_schema::{id::Sha256, version::Version};
use jiff::Timestamp;

/// What lies in Applications and Dashboards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// The web apps in whose form it is.
    pub(crate) level: Version,
    /// When users changed it last.
    pub(crate) edited: Timestamp,
}

impl Content {
    /// The digest of a backup of it.
    pub(crate) fn digest(&self) -> Sha256 {
        Sha256::of(format!("{} {}", self.level.release_name(), self.edited).as_bytes())
    }

    /// What newer web apps make of it (`domain/03 section 4`).
    pub(super) fn migrate(&mut self, web: &Version) {
        if self.level.month_index() < web.month_index() {
            self.level = web.clone();
        }
    }

    /// Whether these web apps can read it.
    pub(crate) fn is_readable(&self, web: &Version) -> bool {
        self.level.month_index() <= web.month_index()
    }
}
