//! Times and durations as reviewers read them: in the cluster's own zone, with UTC beside it.

use dataminer_schema::{
    quantity::format_duration,
    v1::cluster::{Cluster, Window},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Where a cluster's night is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The zone of the cluster's first window; UTC where it has none.
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let name = cluster.windows.first().map(|window| match window {
            Window::Allow { time_zone, .. } | Window::Deny { time_zone, .. } => time_zone,
        });
        let known = name.and_then(|name| Some(Self { name: name.clone(), zone: TimeZone::get(name).ok()? }));
        known.unwrap_or_else(Self::utc)
    }

    pub(crate) fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// `Sat 2026-11-21 22:00 Europe/Brussels`.
    pub(crate) fn local(&self, at: Timestamp) -> String {
        format!("{} {}", at.to_zoned(self.zone.clone()).strftime("%a %Y-%m-%d %H:%M"), self.name)
    }

    /// `Sat 2026-11-21 22:00 Europe/Brussels (21:00 UTC)`.
    pub(crate) fn both(&self, at: Timestamp) -> String {
        let (here, utc) = (at.to_zoned(self.zone.clone()), at.to_zoned(TimeZone::UTC));
        if here.offset().is_zero() && self.zone == TimeZone::UTC {
            return self.local(at);
        }
        let form = if here.date() == utc.date() { "%H:%M" } else { "%a %Y-%m-%d %H:%M" };
        format!("{} ({} UTC)", self.local(at), utc.strftime(form))
    }

    /// The hour of `at`, with its day where that is not the day of `beside`.
    pub(crate) fn hour(&self, at: Timestamp, beside: Timestamp) -> String {
        let (at, beside) = (at.to_zoned(self.zone.clone()), beside.to_zoned(self.zone.clone()));
        let form = if at.date() == beside.date() { "%H:%M" } else { "%a %H:%M" };
        at.strftime(form).to_string()
    }
}

/// `35m to 1h10m`.
pub(crate) fn range((p50, p95): (SignedDuration, SignedDuration)) -> String {
    format!("{} to {}", format_duration(p50), format_duration(p95))
}

/// `8 days`, `14h`.
pub(crate) fn age(duration: SignedDuration) -> String {
    let hours = duration.as_hours();
    if hours >= 48 { format!("{} days", hours / 24) } else { format!("{hours} hours") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn times_are_told_in_the_zone_and_in_utc() {
        let zone = |name: &str| Zone {
            name: name.to_owned(),
            zone: TimeZone::get(name).expect("the zone is compiled in"),
        };
        let brussels = zone("Europe/Brussels");
        assert_eq!(
            brussels.both(at("2026-11-21T21:00:00Z")),
            "Sat 2026-11-21 22:00 Europe/Brussels (21:00 UTC)"
        );
        assert_eq!(
            brussels.both(at("2026-11-21T23:30:00Z")),
            "Sun 2026-11-22 00:30 Europe/Brussels (Sat 2026-11-21 23:30 UTC)"
        );
        // In the winter London has UTC's hours and is another zone all the same.
        assert_eq!(
            zone("Europe/London").both(at("2026-11-21T21:00:00Z")),
            "Sat 2026-11-21 21:00 Europe/London (21:00 UTC)"
        );
        assert_eq!(Zone::utc().both(at("2026-11-21T21:00:00Z")), "Sat 2026-11-21 21:00 UTC");
        assert_eq!(brussels.hour(at("2026-11-21T23:30:00Z"), at("2026-11-21T21:00:00Z")), "Sun 00:30");
        assert_eq!(age(SignedDuration::from_hours(7 * 24 + 5)), "7 days");
    }
}
