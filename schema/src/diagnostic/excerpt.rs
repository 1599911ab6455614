//! One line of a file as it may be shown: short, and without anything that could fool a terminal.

use std::ops::Range;

/// Characters of what is marked.
const MARKED: usize = 80;

/// Characters behind the mark.
const TAIL: usize = 160;

/// The line that a span starts on, and the part of the span on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: String,
    /// Bytes of `line`.
    pub(super) marked: Range<usize>,
}

impl Excerpt {
    /// `None` if the span is not one of `source`.
    pub(super) fn of(source: &str, span: &Range<usize>) -> Option<Self> {
        let before = source.get(..span.start)?;
        source.get(span.clone())?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &source[start..];
        let line = rest.lines().next().unwrap_or_default();
        // A caret may stand at the line's end, beyond its last character.
        let from = (span.start - start).min(line.len());
        let to = (span.end - start).min(line.trim_end().len()).max(from);
        // The byte order mark is no part of the first line.
        let head = if start == 0 { line[..from].trim_start_matches('\u{feff}') } else { &line[..from] };
        Some(Self::cut(head, &line[from..to], &line[to..]))
    }

    /// The whole line if it is short. What stands far behind the mark is cut here; what stands far before it is left
    /// to the renderer, which counts columns from the line's start.
    fn cut(head: &str, mark: &str, tail: &str) -> Self {
        let (head, mark) = (plain(head), plain(&first(mark, MARKED)));
        let marked = head.len()..head.len() + mark.len();
        Self { line: format!("{head}{mark}{}", plain(&first(tail, TAIL))), marked }
    }

    /// With what is marked covered.
    pub(super) fn blotted(self) -> Self {
        let Self { line, marked } = self;
        let stars = "*".repeat(line[marked.clone()].chars().count());
        let (head, tail) = (&line[..marked.start], &line[marked.end..]);
        Self { marked: head.len()..head.len() + stars.len(), line: format!("{head}{stars}{tail}") }
    }
}

/// The first `count` characters, and a sign that there are more.
fn first(text: &str, count: usize) -> String {
    match text.char_indices().nth(count) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Without control characters and marks that turn the direction of the text; a tab becomes a blank.
fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, marked: &str) -> (String, String) {
        let at = source.find(marked).expect("the test marks a part of its text");
        let excerpt = Excerpt::of(source, &(at..at + marked.len())).expect("it is a span of the text");
        (excerpt.line[excerpt.marked.clone()].to_owned(), excerpt.line)
    }

    #[test]
    fn a_line_is_shown_whole_and_alone() {
        let pair = |mark: &str, line: &str| (mark.to_owned(), line.to_owned());
        assert_eq!(shown("a: 1\r\nb: 22\r\nc: 3\r\n", "22"), pair("22", "b: 22"));
        assert_eq!(shown("a:\n  b: 1\n  c: 2\n", "b: 1\n  c: 2"), pair("b: 1", "  b: 1"));
        assert_eq!(shown("\u{feff}a: 1\n", "a"), pair("a", "a: 1"));
        assert_eq!(shown("\tb:\t\u{9b}31m\u{202e}x", "b"), pair("b", " b: \u{fffd}31m\u{fffd}x"));
        assert_eq!(shown("名: 値段\n", "値段"), pair("値段", "名: 値段"));
        let end = Excerpt::of("ab\ncd", &(2..2)).expect("it is a span of the text");
        assert_eq!(end, Excerpt { line: "ab".to_owned(), marked: 2..2 });
        assert_eq!(Excerpt::of("é", &(1..2)), None);
        assert_eq!(Excerpt::of("é", &(0..7)), None);
    }

    #[test]
    fn a_long_line_is_cut_behind_its_mark() {
        let long = format!("{}MARK{}", "é".repeat(3_000), "x".repeat(3_000));
        let (mark, line) = shown(&long, "MARK");
        assert_eq!(mark, "MARK");
        assert!(line.starts_with("éé") && line.ends_with("x…"), "{line}");
        assert_eq!(line.chars().count(), 3_000 + 4 + TAIL + 1);
        let (mark, line) = shown(&"y".repeat(5_000), &"y".repeat(5_000));
        assert_eq!(mark.chars().count(), MARKED + 1);
        assert_eq!(line, mark);
    }

    #[test]
    fn what_is_covered_cannot_be_read() {
        let excerpt = Excerpt::of("password: hünter2 # x", &(10..18)).expect("it is a span of the text");
        let Excerpt { line, marked } = excerpt.blotted();
        assert_eq!(line, "password: ******* # x");
        assert_eq!(&line[marked], "*******");
    }
}
