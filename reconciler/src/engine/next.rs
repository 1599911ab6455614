//! When the loop of a cluster turns next: data, so that nothing sleeps inside a step.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When to turn next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Now,
    After(SignedDuration),
    At(Timestamp),
}

impl Next {
    /// The moment, at most `longest` from `now`: the cluster is observed at that pace in any case.
    pub(super) fn at(self, now: Timestamp, longest: SignedDuration) -> Timestamp {
        let latest = now.checked_add(longest).unwrap_or(Timestamp::MAX);
        match self {
            Self::Now => now,
            Self::After(pause) => now.checked_add(pause).unwrap_or(Timestamp::MAX).min(latest),
            Self::At(at) => at.clamp(now, latest),
        }
    }
}

/// How long it is from `now` to `at`; zero if it has passed.
pub(super) fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_observation_interval_is_the_longest_pause() {
        let now = Timestamp::from_second(1_000).expect("a time in 1970");
        let minute = SignedDuration::from_mins(1);
        assert_eq!(
            Next::At(Timestamp::MAX).at(now, minute),
            Timestamp::from_second(1_060).expect("a time in 1970")
        );
        assert_eq!(Next::At(Timestamp::UNIX_EPOCH).at(now, minute), now, "the past is now");
        assert_eq!(Next::After(SignedDuration::from_secs(5)).at(now, minute).as_second(), 1_005);
        assert_eq!(until(now, Timestamp::UNIX_EPOCH), Duration::ZERO);
    }
}
