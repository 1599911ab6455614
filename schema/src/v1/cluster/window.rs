//! When disruptive work may start.

use jiff::{SignedDuration, civil};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A time in which disruptive work may, or may not, start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// Work may start.
    Allow {
        /// A five-field cron expression, checked when parsed.
        schedule: String,
        /// How long it stays open.
        duration: SignedDuration,
        /// An IANA name.
        time_zone: String,
        /// How long before the end nothing new starts any more.
        cutoff: SignedDuration,
        /// Whether the plan must fit.
        fit: Fit,
    },
    /// Work may not start, whatever other windows say.
    Deny {
        /// The first day.
        from: civil::Date,
        /// Inclusive.
        to: civil::Date,
        /// An IANA name.
        time_zone: String,
        /// Why.
        reason: Option<String>,
    },
}

/// Whether a plan must fit the window by its estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Fit {
    /// A plan that does not fit starts with a warning.
    #[default]
    Warn,
    /// A plan that does not fit waits.
    Require,
}
