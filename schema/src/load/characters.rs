//! Columns: how many characters stand before a byte, without counting from the start of its line each time. A JSON
//! document is often one long line, and every field of it is asked for its place.

use std::ops::Range;

/// The bytes between two counts that are remembered.
const STRIDE: usize = 1024;

/// How many characters of a text begin before each of its strides.
pub(super) struct Characters {
    before: Vec<usize>,
}

impl Characters {
    pub(super) fn of(text: &str) -> Self {
        let mut sum = 0;
        let strides = text.as_bytes().chunks_exact(STRIDE).map(|stride| {
            sum += starts(stride);
            sum
        });
        Self { before: strides.collect() }
    }

    /// How many characters of this text, the one that was counted, begin in these bytes.
    pub(super) fn within(&self, text: &str, span: Range<usize>) -> usize {
        // Most lines are short.
        if span.len() <= STRIDE {
            return starts(text.as_bytes().get(span).unwrap_or_default());
        }
        self.before(text, span.end) - self.before(text, span.start)
    }

    fn before(&self, text: &str, at: usize) -> usize {
        let at = at.min(text.len());
        let strides = at / STRIDE;
        let counted = strides.checked_sub(1).and_then(|last| self.before.get(last)).copied().unwrap_or(0);
        counted + starts(&text.as_bytes()[strides * STRIDE..at])
    }
}

/// How many characters begin in these bytes of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_counting_them_gives(
            part in "\\PC{0,40}",
            times in 0_usize..120,
            from in 0_usize..5000,
            length in 0_usize..5000,
        ) {
            let text = part.repeat(times);
            let boundary =
                |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let span = boundary(from)..boundary(from + length);
            let counted = text[span.clone()].chars().count();
            prop_assert_eq!(Characters::of(&text).within(&text, span), counted);
        }
    }
}
