//! Places of diagnostics in the words of other programs: where a span ends, and paths as URIs.

use std::ops::Range;

/// A line and a column, both from 1; the column in characters.
pub(super) type Position = (usize, usize);

/// Where a span that starts at `start` ends: behind its last character that is no blank.
pub(super) fn end(text: Option<&str>, span: Option<&Range<usize>>, start: Position) -> Option<Position> {
    let inside = text?.get(span?.clone())?.trim_end();
    let (lines, last) = (inside.matches('\n').count(), inside.rsplit('\n').next().unwrap_or_default());
    let width = last.chars().count();
    let (line, column) = start;
    Some(if lines == 0 { (line, column + width) } else { (line + lines, width + 1) })
}

/// A path without a leading `./`, which forges do not find in a repository.
pub(super) fn trimmed(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    path
}

/// Whether a character turns the direction of the text, so that a reader sees other words than are there.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A relative path as a relative URI reference, an absolute one as a `file:` URI (RFC 3986, RFC 8089).
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    let path = trimmed(path);
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            _ => uri.extend([format!("%{byte:02X}")]),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_end_behind_their_last_character() {
        let text = "a: é値\nb:\n  c: 1\n  d: 2\n\ne";
        let of = |marked: &str, start| {
            let at = text.find(marked).expect("the test marks a part of its text");
            end(Some(text), Some(&(at..at + marked.len())), start)
        };
        assert_eq!(of("é値", (1, 4)), Some((1, 6)));
        assert_eq!(of("c: 1\n  d: 2\n\n", (3, 3)), Some((4, 7)));
        assert_eq!(end(Some(text), Some(&(0..0)), (1, 1)), Some((1, 1)));
        assert_eq!(end(None, Some(&(0..0)), (1, 1)), None);
        assert_eq!(end(Some("é"), Some(&(1..2)), (1, 1)), None, "a span that is none of this text");
    }

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("clusters/a.yaml", "clusters/a.yaml"),
            ("./clusters/a b#1.yaml", "clusters/a%20b%231.yaml"),
            (".//x.yaml", "x.yaml"),
            ("../é:%.yaml", "../%C3%A9%3A%25.yaml"),
            ("/srv/fleet/a.yaml", "file:///srv/fleet/a.yaml"),
            ("./", ""),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
