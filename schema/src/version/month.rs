//! The month index (D2): which of two releases has more fixes, across tracks.

use super::{Track, Version};

/// Months since the 10.0 line; a higher index has more fixes (`domain/01 section 4`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthIndex(pub u16);

impl MonthIndex {
    /// Everything before 10.0.
    pub const BEFORE_10: Self = Self(0);
}

impl Version {
    /// Where this release stands among all others by its fixes (D2); `None` where that hangs on an unknown CU.
    ///
    /// A Feature Release's own CUs do not move it. 10.0.0 had one release more before CU11, which shifts the rest
    /// of that line by one (`domain/01 section 3`, limits).
    pub fn month_index(&self) -> Option<MonthIndex> {
        if self.major() < 10 {
            return Some(MonthIndex::BEFORE_10);
        }
        // Majors above 10 by analogy: a hundred minors apart, far more than a major has ever had.
        let year = (self.major() - 10).saturating_mul(100).saturating_add(self.minor());
        let base = year.saturating_mul(12);
        let months = match self.track() {
            Track::Feature => self.feature(),
            Track::Main => {
                let cu = self.cu()?;
                let shift = if self.major() == 10 && self.minor() == 0 && cu >= 11 { 4 } else { 3 };
                cu.saturating_add(shift)
            }
        };
        Some(MonthIndex(base.saturating_add(months)))
    }
}
