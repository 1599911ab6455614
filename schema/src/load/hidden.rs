//! Values that must not be shown: where they are.

use std::{collections::BTreeSet, ops::Range};

/// The bytes of values that look like secrets. Two of them are the same value or have no byte in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    places: BTreeSet<(usize, usize)>,
}

impl Hidden {
    pub(super) fn of(places: impl IntoIterator<Item = Range<usize>>) -> Self {
        Self { places: places.into_iter().map(|place| (place.start, place.end)).collect() }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.places.extend(&other.places);
    }

    /// Whether this very value is hidden.
    pub(super) fn contains(&self, place: &Range<usize>) -> bool {
        !self.places.is_empty() && self.places.contains(&(place.start, place.end))
    }

    /// Whether any other value is hidden of which `within` holds a part.
    pub(super) fn others(&self, place: &Range<usize>, within: &Range<usize>) -> bool {
        let other =
            |hidden: &&(usize, usize)| **hidden != (place.start, place.end) && hidden.1 > within.start;
        let inside = self.places.range((within.start, 0)..(within.end, 0)).find(other);
        // As they have no byte in common, only the last one before reaches in.
        inside.or_else(|| self.places.range(..(within.start, 0)).next_back().filter(other)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn others_are_those_that_a_scan_finds(
            lengths in vec((0_usize..6, 1_usize..6), 0..20),
            chosen in 0_usize..30,
            start in 0_usize..120,
            length in 0_usize..40,
        ) {
            let mut end = 0;
            let places: Vec<Range<usize>> = lengths
                .iter()
                .map(|(gap, length)| {
                    let start = end + gap;
                    end = start + length;
                    start..end
                })
                .collect();
            let place = places.get(chosen).cloned().unwrap_or(5..7);
            let within = start..start + length;
            let scan = places
                .iter()
                .any(|other| *other != place && other.start < within.end && other.end > within.start);
            let hidden = Hidden::of(places.iter().cloned());
            prop_assert_eq!(hidden.others(&place, &within), scan);
            prop_assert_eq!(hidden.contains(&place), places.contains(&place));
        }
    }
}
