//! Whether versions may fall now: `downgrade.policy` and `downgrade.until`, asked here and nowhere else.

use dataminer_schema::v1::cluster::{Downgrade, DowngradePolicy};
use jiff::{civil::Date, tz::TimeZone};

use super::PlanInput;

/// What the manifest says of downgrades, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    Given,
    Forbidden,
    /// It was given until the end of this day in UTC.
    Over(Date),
}

impl Allowance {
    pub(super) fn of(input: &PlanInput<'_>) -> Self {
        let Downgrade { policy, until, restore: _, extras: _, patch_prerequisites: _ } =
            input.desired.cluster.downgrade;
        match (policy, until) {
            (DowngradePolicy::Forbid, _) => Self::Forbidden,
            (DowngradePolicy::Allow, Some(day)) if input.now.to_zoned(TimeZone::UTC).date() > day => {
                Self::Over(day)
            }
            (DowngradePolicy::Allow, _) => Self::Given,
        }
    }

    /// What to do instead, and what would allow the fall.
    pub(super) fn help(self, instead: &str) -> String {
        match self {
            Self::Given => instead.to_owned(),
            Self::Forbidden => format!("{instead}; downgrades need `downgrade.policy: Allow`"),
            Self::Over(day) => {
                format!(
                    "{instead}; `downgrade.until: {day}` has passed (in UTC): name a later day to allow it"
                )
            }
        }
    }
}
