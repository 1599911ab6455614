//! When disruptive work may start, in a Cluster document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{Day, Line, Schedule, Span, ZoneName},
    v1::cluster::{self, Fit},
};

/// A time in which disruptive work may, or may not, start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Window {
    Allow(AllowWindow),
    Deny(DenyWindow),
}

/// A time in which disruptive work may start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AllowWindow {
    /// Says that work may start in this window.
    kind: AllowKind,
    /// When the window opens.
    schedule: Schedule,
    /// How long it stays open.
    duration: Span,
    /// The time zone of the schedule.
    time_zone: ZoneName,
    /// How long before the end nothing new starts any more.
    #[serde(default = "one_hour")]
    cutoff: Span,
    /// Whether the plan must fit into the window by its estimate.
    #[serde(default)]
    fit: Fit,
}

/// What `cutoff` is where it is not written.
pub(crate) const DEFAULT_CUTOFF: Span = Span(jiff::SignedDuration::from_hours(1));

fn one_hour() -> Span {
    DEFAULT_CUTOFF
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum AllowKind {
    Allow,
}

/// A time in which no disruptive work may start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DenyWindow {
    /// Says that no work may start in this window.
    kind: DenyKind,
    /// The first day.
    from: Day,
    /// The last day, inclusive.
    to: Day,
    /// The time zone of the days.
    time_zone: ZoneName,
    /// Why; shown wherever the window keeps work from starting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Line>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum DenyKind {
    Deny,
}

impl From<Window> for cluster::Window {
    fn from(window: Window) -> Self {
        match window {
            Window::Allow(AllowWindow {
                kind: AllowKind::Allow,
                schedule: Schedule(schedule),
                duration: Span(duration),
                time_zone: ZoneName(time_zone),
                cutoff: Span(cutoff),
                fit,
            }) => Self::Allow { schedule, duration, time_zone, cutoff, fit },
            Window::Deny(DenyWindow {
                kind: DenyKind::Deny,
                from: Day(from),
                to: Day(to),
                time_zone: ZoneName(time_zone),
                reason,
            }) => Self::Deny { from, to, time_zone, reason: reason.map(|Line(reason)| reason) },
        }
    }
}
