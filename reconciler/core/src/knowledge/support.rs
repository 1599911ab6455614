//! Until when releases are supported.

use dataminer_schema::{
    v1::knowledge::SupportFact,
    version::{Track, Version},
};
use jiff::civil;

use super::Knowledge;

/// How far a release is supported on a day (`domain/01 section 2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support<'k> {
    /// Regular updates.
    Regular(&'k SupportFact),
    /// Supported, without regular updates.
    Supported(&'k SupportFact),
    /// Limited support.
    Limited(&'k SupportFact),
    /// None any more.
    Ended(&'k SupportFact),
    /// A Feature Release that no later one follows yet: it gets security updates.
    LatestFeature,
    /// A Feature Release that a later one follows: nothing but an upgrade brings fixes.
    OlderFeature,
    /// Nothing is known.
    Unknown,
}

impl Knowledge {
    /// What is known of the support of a Main Release, whatever its CU.
    pub fn support_of(&self, version: &Version) -> Option<&SupportFact> {
        self.0.releases.support.get(&version.line())
    }

    /// How far `version` is supported on `day`.
    pub fn support_at(&self, version: &Version, day: civil::Date) -> Support<'_> {
        if version.track() == Track::Feature {
            let features = self.final_releases().iter().filter(|known| known.track() == Track::Feature);
            return match features.map(Version::line).max() {
                None => Support::Unknown,
                Some(latest) if version.line() >= latest => Support::LatestFeature,
                Some(_) => Support::OlderFeature,
            };
        }
        let Some(fact) = self.support_of(version) else { return Support::Unknown };
        if day <= fact.regular_updates_until {
            Support::Regular(fact)
        } else if day <= fact.supported_until {
            Support::Supported(fact)
        } else if day <= fact.limited_support_until {
            Support::Limited(fact)
        } else {
            Support::Ended(fact)
        }
    }
}
