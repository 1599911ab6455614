//! Names of members: what Windows would make of them, and what they do to each other.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::Serialize;

use super::{
    caps::LONGEST_NAME,
    finding::{FindingCode, Findings},
};

/// What separates the parts of names in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Separators {
    /// No name has parts.
    None,
    Slash,
    Backslash,
    /// Both kinds, in one archive.
    Mixed,
}

/// Reads a name as its archive wrote it: UTF-8 where it is that, else byte by byte; cut at [`LONGEST_NAME`].
pub(super) fn decode(raw: &[u8]) -> String {
    let raw = &raw[..raw.len().min(LONGEST_NAME)];
    match str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => raw.iter().copied().map(char::from).collect(),
    }
}

/// The name with Windows separators; `.\` parts are left out.
pub(super) fn windows(name: &str) -> String {
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| *part != ".").collect();
    parts.join("\\")
}

/// A name as messages show it: on one line, nothing that a terminal obeys, of bounded length.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 120;
    let mut text: String = name.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if name.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text
}

/// The names of one archive so far.
pub(super) struct Names {
    /// What stands before the names in messages: `Update.zip: ` for the inner archive.
    within: &'static str,
    /// Names that may come only once, folded: what programs take for the package's own word.
    single: fn(&str) -> bool,
    slash: bool,
    backslash: bool,
    /// Folded names and the names that were folded, by their hashes: an archive may have very many.
    seen: HashMap<u64, u64>,
}

impl Names {
    pub(super) fn new(within: &'static str, single: fn(&str) -> bool) -> Self {
        Self { within, single, slash: false, backslash: false, seen: HashMap::new() }
    }

    /// Judges one name, as the archive wrote it.
    pub(super) fn add(&mut self, raw: &[u8], utf8: bool, findings: &mut Findings) {
        let name = decode(raw);
        let about = format!("{}{}", self.within, shown(&name));
        self.slash |= name.contains('/');
        self.backslash |= name.contains('\\');
        if !utf8 && !raw.is_ascii() {
            findings.at(FindingCode::NameEncoding, &about, "the name is not ASCII and not marked as UTF-8");
        }
        match judge(&name) {
            Verdict::Plain => {}
            Verdict::Escapes(why) => findings.at(FindingCode::Escapes, &about, why),
            Verdict::Bad(why) => findings.at(FindingCode::BadMemberName, &about, why),
        }
        let folded = windows(&name).to_lowercase();
        let folded = folded.trim_end_matches('\\');
        let (exact, key) = (hash(&name), hash(folded));
        let Some(earlier) = self.seen.insert(key, exact) else { return };
        if (self.single)(folded) {
            findings.at(FindingCode::Ambiguous, &about, "this member comes twice");
        } else if earlier == exact {
            findings.at(FindingCode::Duplicate, &about, "this name comes twice");
        } else {
            findings.at(FindingCode::DuplicateCase, &about, "another member has this name in other letters");
        }
    }

    /// Tells what separates names, after all were added.
    pub(super) fn separators(&self, findings: &mut Findings) -> Separators {
        match (self.slash, self.backslash) {
            (false, false) => Separators::None,
            (true, false) => Separators::Slash,
            (false, true) => Separators::Backslash,
            (true, true) => {
                let place = self.within.trim_end_matches(": ");
                let place = if place.is_empty() { "the package" } else { place };
                findings.add(FindingCode::MixedSeparators, format!("names in {place} use both `/` and `\\`"));
                Separators::Mixed
            }
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Plain,
    /// It would be written outside the folder.
    Escapes(&'static str),
    /// Windows cannot hold it, or reads it as something else.
    Bad(&'static str),
}

/// The longest part of a path on NTFS, in UTF-16 units.
const LONGEST_PART: usize = 255;

/// Whether a name is one that a file on the Agent can have.
pub(super) fn is_plain(name: &str) -> bool {
    judge(name) == Verdict::Plain
}

fn judge(name: &str) -> Verdict {
    if name.is_empty() {
        return Verdict::Bad("the name is empty");
    }
    if name.chars().any(char::is_control) {
        return Verdict::Bad("the name holds control characters");
    }
    if name.starts_with(['/', '\\']) {
        return Verdict::Escapes("the name begins at the root or names a server");
    }
    let mut start = name.chars();
    if start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':') {
        return Verdict::Escapes("the name begins with a drive");
    }
    let mut verdict = Verdict::Plain;
    for part in name.split(['/', '\\']) {
        // Windows drops dots and blanks at the end of a part, so `.. .` is `..`.
        if part.starts_with("..") && part.chars().all(|c| matches!(c, '.' | ' ')) {
            return Verdict::Escapes("the name leads to the folder above");
        }
        if verdict == Verdict::Plain {
            verdict = judge_part(part);
        }
    }
    verdict
}

fn judge_part(part: &str) -> Verdict {
    if matches!(part, "" | ".") {
        return Verdict::Plain;
    }
    if part.contains(':') {
        return Verdict::Bad("a colon names a stream of a file");
    }
    if part.contains(['*', '?', '"', '<', '>', '|']) {
        return Verdict::Bad("the name holds a character that Windows does not take");
    }
    if part.ends_with(['.', ' ']) {
        return Verdict::Bad("a part ends in a dot or a blank, which Windows drops");
    }
    if part.encode_utf16().count() > LONGEST_PART {
        return Verdict::Bad("a part is longer than Windows takes");
    }
    if is_device(part) { Verdict::Bad("a part is the name of a device") } else { Verdict::Plain }
}

/// `CON`, `nul.txt`, `COM1 .log`: devices, whatever follows the dot.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let mut rest = numbered.unwrap_or_default().chars();
    matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_windows_reads_them() {
        for name in [
            "Files/SLNet.exe",
            r"Webpages\API\bin\a.dll",
            "./Path/To/App.zip",
            "Files/",
            "a//b",
            "Console.dll",
        ] {
            assert_eq!(judge(name), Verdict::Plain, "{name}");
        }
        for name in [
            "../x",
            r"..\x",
            "a/../../x",
            r"a\..\x",
            "a/.. /x",
            "a/... ./x",
            "/etc/x",
            r"\\server\share\x",
            r"\x",
            "C:/x",
            "c:x",
            "..",
        ] {
            assert!(matches!(judge(name), Verdict::Escapes(_)), "{name}");
        }
        for name in [
            "",
            "a\0b",
            "a\nb",
            "a/file.txt:stream",
            "NUL",
            "a/con.txt",
            "LPT1.dll",
            "com¹",
            "CONIN$",
            "a/b.",
            "a/b ",
            "a/b?.dll",
            "Aux .txt",
        ] {
            assert!(matches!(judge(name), Verdict::Bad(_)), "{name:?}");
        }
        assert!(matches!(judge(&"x".repeat(256)), Verdict::Bad(_)));
    }

    #[test]
    fn names_that_meet_on_windows_are_told() {
        let mut findings = Findings::default();
        let mut names = Names::new("Update.zip: ", |name| name == "updatecontent.txt");
        for name in ["Files/a.dll", "Files/a.dll", r"files\A.dll", "UpdateContent.txt", "UPDATECONTENT.TXT"] {
            names.add(name.as_bytes(), false, &mut findings);
        }
        names.add(b"Files/\xe9.dll", false, &mut findings);
        assert_eq!(names.separators(&mut findings), Separators::Mixed);
        let codes: Vec<_> = findings.into_vec().into_iter().map(|finding| finding.code).collect();
        assert_eq!(
            codes,
            [
                FindingCode::Ambiguous,
                FindingCode::Duplicate,
                FindingCode::DuplicateCase,
                FindingCode::MixedSeparators,
                FindingCode::NameEncoding,
            ]
        );
    }

    #[test]
    fn what_is_shown_does_not_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb\nc"), r"a\u{1b}[2Jb\nc");
        assert!(shown(&"é".repeat(5000)).chars().count() <= 121);
    }
}
