//! Simulated time: durations run at a factor of tokio's clock, so that paused tokio time works too.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use tokio::time::Instant;

/// The clock of one simulation. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    speed: f64,
    begun: Instant,
    /// The simulated instant at `begun`; the real time is shown where this is absent.
    start: Option<Timestamp>,
}

impl Clock {
    /// A clock that starts now. Without `start` it shows the real time: a reconciler with a real clock compares an
    /// Agent's stamps with its own.
    pub fn new(speed: f64, start: Option<Timestamp>) -> Self {
        Self { speed, begun: Instant::now(), start }
    }

    /// The simulated instant.
    pub fn now(&self) -> Timestamp {
        let Some(start) = self.start else { return Timestamp::now() };
        let passed = self.begun.elapsed().as_secs_f64() * self.speed;
        // Saturates far beyond any test.
        start
            .checked_add(jiff::SignedDuration::try_from_secs_f64(passed).unwrap_or(jiff::SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX)
    }

    /// Whether stamps differ from the real time, so that file times have to be set.
    pub(crate) fn is_virtual(&self) -> bool {
        self.start.is_some()
    }

    /// Waits for so much simulated time.
    pub async fn sleep(&self, simulated: Duration) {
        tokio::time::sleep(self.real(simulated)).await;
    }

    /// How long a simulated duration really takes.
    pub fn real(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.speed)
    }
}

/// The zone of a Windows time zone id.
pub(crate) fn time_zone(windows_id: &str) -> Option<TimeZone> {
    if windows_id == "UTC" {
        return Some(TimeZone::UTC);
    }
    // `001` is the zone's own example; some zones have only territories.
    let iana = localzone::win_zone_to_iana(windows_id, Some("001"))
        .or_else(|| localzone::win_zone_to_iana(windows_id, None))?;
    TimeZone::get(iana).ok()
}

/// The local time that DataMiner writes into its files: `yyyy-MM-dd HH:mm:ss`.
pub(crate) fn local_text(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simulated_time_runs_at_the_factor() {
        let start: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let clock = Clock::new(60.0, Some(start));
        let before = Instant::now();
        clock.sleep(Duration::from_secs(600)).await;
        assert_eq!(before.elapsed().as_secs(), 10);
        assert_eq!(clock.now().as_second(), start.as_second() + 600);
    }

    #[test]
    fn windows_zones_give_local_stamps_on_both_sides_of_summer_time() {
        let zone = time_zone("W. Europe Standard Time").unwrap();
        assert_eq!(local_text("2026-01-31T23:30:00Z".parse().unwrap(), &zone), "2026-02-01 00:30:00");
        assert_eq!(local_text("2026-07-01T10:00:00Z".parse().unwrap(), &zone), "2026-07-01 12:00:00");
        assert!(time_zone("Nowhere Standard Time").is_none());
    }
}
