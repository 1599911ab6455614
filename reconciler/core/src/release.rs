//! A release as far as it is known: an exact one, or an interval of CUs (D2, D7).
//!
//! All CUs of a Main Release report `10.Y.0.0`; only the build tells them apart. Where no table knows the build, the
//! known builds around it leave an interval. A rule applies where it holds over all of it; where the interval
//! straddles a rule, the answer is unknown, and the planner says so instead of guessing.

use std::cmp::Ordering;

use dataminer_schema::{
    v1::knowledge::Threshold,
    version::{Line, MonthIndex, Track, Version},
};

/// No Main Release line has had so many CUs; stands for "this one or any later one".
pub const OPEN_END: u16 = 99;

/// A version with its CU, or with the interval in which the CU lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Release {
    version: Version,
    low: u16,
    high: u16,
}

impl Release {
    /// A release whose CU is known: from the version, or CU0 where a Feature Release names none (D3).
    /// `None` for a Main Release without a CU.
    pub fn exact(version: Version) -> Option<Self> {
        let cu = match (version.cu(), version.track()) {
            (Some(cu), _) => cu,
            (None, Track::Feature) => 0,
            // 9.x is below everything and its CUs decide nothing.
            (None, Track::Main) if version.major() < 10 => 0,
            (None, Track::Main) => return None,
        };
        Some(Self { version, low: cu, high: cu })
    }

    /// A release whose CU lies between `low` and `high`, both included.
    pub fn between(version: Version, low: u16, high: u16) -> Self {
        Self { version, low: low.min(high), high: low.max(high) }
    }

    /// A.B.C.
    pub fn line(&self) -> Line {
        self.version.line()
    }

    /// A.B: the Main Release line that a Feature Release belongs to as well.
    pub fn band(&self) -> (u16, u16) {
        (self.version.major(), self.version.minor())
    }

    pub fn track(&self) -> Track {
        self.version.track()
    }

    pub fn build(&self) -> Option<u32> {
        self.version.build()
    }

    pub fn is_hotfix(&self) -> bool {
        self.version.is_hotfix()
    }

    /// The CU where it is known.
    pub fn cu(&self) -> Option<u16> {
        (self.low == self.high).then_some(self.low)
    }

    /// The lowest CU that it may be.
    pub fn cu_low(&self) -> u16 {
        self.low
    }

    /// The highest CU that it may be.
    pub fn cu_high(&self) -> u16 {
        self.high
    }

    /// The lowest month index that it may have.
    pub fn index_low(&self) -> MonthIndex {
        index(&self.version, self.low)
    }

    /// The highest month index that it may have.
    pub fn index_high(&self) -> MonthIndex {
        index(&self.version, self.high)
    }

    /// As a plan prints it: `10.5.0 CU9`, `10.5.12`, or `10.5.0` where the CU is unknown.
    pub fn name(&self) -> String {
        let Line { major, minor, feature } = self.line();
        match (self.track(), self.cu()) {
            (Track::Feature, Some(0)) => format!("{major}.{minor}.{feature}"),
            (_, Some(cu)) if major >= 10 || self.version.cu().is_some() => {
                format!("{major}.{minor}.{feature} CU{cu}")
            }
            _ => format!("{major}.{minor}.{feature}"),
        }
    }

    /// As a message names it: the name, and the build where the CU is unknown.
    pub fn describe(&self) -> String {
        match (self.cu(), self.build()) {
            (None, Some(build)) => format!("{} build {build} (CU unknown)", self.name()),
            (None, None) => format!("{} (CU unknown)", self.name()),
            (Some(_), _) if self.is_hotfix() => format!("{} (hotfix)", self.name()),
            (Some(_), _) => self.name(),
        }
    }

    /// T1: whether it is at or above `threshold`, read on its own track: of several Main Releases that of its own line
    /// decides, else their plain order. `None` where its interval straddles the threshold, or nothing is said of its
    /// track.
    pub fn at_least(&self, threshold: &Threshold) -> Option<bool> {
        let at_or_above = |member: &Version| {
            let at = |cu: u16| (self.line(), cu) >= (member.line(), member.cu().unwrap_or(0));
            agreed(at(self.low), at(self.high))
        };
        match self.track() {
            Track::Feature => at_or_above(threshold.feature()?),
            Track::Main => {
                let own = threshold.main().find(|member| member.line() == self.line());
                match own.or_else(|| threshold.main().min_by_key(|member| member.line())) {
                    Some(member) => at_or_above(member),
                    None => None,
                }
            }
        }
    }

    /// A release of which only the build is known, between the builds of its line that are known with their CUs
    /// (D2); `known` ascends by build.
    ///
    /// The CU grows with the build, so the neighbours bound it. Where a CU was built again after a later one
    /// (`domain/01 section 5`) the neighbours are out of order, and either end may be the lower.
    pub fn bracketed(version: Version, build: u32, known: &[(u32, u16)]) -> Self {
        let (below, above) = known.split_at(known.partition_point(|(known, _)| *known < build));
        let low = below.last().map_or(0, |(_, cu)| *cu);
        let high = above.first().map_or(OPEN_END.max(low), |(_, cu)| *cu);
        Self::between(version, low, high)
    }

    /// Whether a predicate over the CU holds; `None` where it holds for a part of the interval only.
    pub fn cu_is(&self, holds: impl Fn(u16) -> bool) -> Option<bool> {
        let mut answers = (self.low..=self.high).map(holds);
        let first = answers.next()?;
        answers.all(|answer| answer == first).then_some(first)
    }

    /// Whether it is the line `a.b.c`.
    pub fn is_line(&self, a: u16, b: u16, c: u16) -> bool {
        self.line() == Line { major: a, minor: b, feature: c }
    }

    /// D1 and D3: how `self` stands to `other` in the order of the product (line, then CU, then build).
    ///
    /// An interval answers where all that it may be agree; `None` where the unknown part decides. Inside one line the
    /// build tells what the CU leaves open: equal builds are one release, and the CU does not fall as the build grows
    /// (`domain/01 section 5`).
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match self.line().cmp(&other.line()) {
            Ordering::Equal => {}
            unequal => return Some(unequal),
        }
        if self.high < other.low {
            return Some(Ordering::Less);
        }
        if self.low > other.high {
            return Some(Ordering::Greater);
        }
        match (self.build(), other.build()) {
            (Some(ours), Some(theirs)) => Some(ours.cmp(&theirs)),
            _ => match (self.cu(), other.cu()) {
                (Some(_), Some(_)) => Some(Ordering::Equal),
                _ => None,
            },
        }
    }

    /// The version as it was read, with the CU filled in where a table knew it.
    pub fn version(&self) -> &Version {
        &self.version
    }
}

fn index(version: &Version, cu: u16) -> MonthIndex {
    // With a CU given, an index always exists.
    version.clone().with_cu(cu).month_index().unwrap_or(MonthIndex::BEFORE_10)
}

fn agreed(low: bool, high: bool) -> Option<bool> {
    (low == high).then_some(low)
}

/// The month index of a web level (W4); of a Main Release without a CU the lowest that it may be.
pub fn web_index(version: &Version) -> MonthIndex {
    version.month_index().unwrap_or_else(|| index(version, 0))
}

#[cfg(test)]
mod tests;
