//! What may come in: the caps, and the names that are read at all. Git trees and folders share them.

use dataminer_schema::{
    diagnostic::{Code, Diagnostic, Severity},
    load::SourceFile,
};

/// Caps on one read of a repository or folder.
///
/// The figures leave room for five thousand clusters in one file each, and keep a hostile repository from
/// filling the memory of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub files: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
    /// Folders below each other.
    pub depth: usize,
    /// Entries looked at, whatever they are.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 20_000, file_bytes: 1 << 20, total_bytes: 64 << 20, depth: 32, entries: 200_000 }
    }
}

/// An entry that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub path: String,
    pub message: String,
    pub help: String,
}

impl Refusal {
    /// The refusal in the form that every other complaint has.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { path, message, help } = self;
        Diagnostic {
            code: Code::NotRead,
            severity: Severity::Error,
            path: path.clone(),
            line: 0,
            column: 0,
            span: None,
            message: message.clone(),
            help: Some(help.clone()),
            related: Vec::new(),
        }
    }
}

/// Collects files under the caps; afterwards they are sorted and every refusal is known.
#[derive(Debug)]
pub(super) struct Intake {
    limits: Limits,
    entries: usize,
    total: u64,
    /// Set by the first cap on the whole that was hit: reading on would only repeat it.
    full: bool,
    files: Vec<SourceFile>,
    refused: Vec<Refusal>,
}

/// What the name of an entry says before anything is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Manifest,
    Other,
    /// Hidden: `.github` and its like hold YAML that is not ours.
    Hidden,
    Odd(&'static str),
}

impl Intake {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, entries: 0, total: 0, full: false, files: Vec::new(), refused: Vec::new() }
    }

    /// Counts an entry; false once a cap on the whole was hit.
    pub(super) fn enter(&mut self, path: &str) -> bool {
        self.entries += 1;
        if !self.full && self.entries > self.limits.entries {
            self.full = true;
            self.refuse(
                path,
                format!(
                    "the repository has more than {} entries below the configured path",
                    self.limits.entries
                ),
                "keep manifests in a folder of their own and name it in the source's `path`",
            );
        }
        !self.full
    }

    /// Whether a folder at `depth` (the root is 0) may be opened.
    pub(super) fn descend(&mut self, path: &str, depth: usize) -> bool {
        if depth <= self.limits.depth {
            return true;
        }
        self.refuse(
            path,
            format!("the folder lies more than {} folders deep", self.limits.depth),
            "move the manifests further up",
        );
        false
    }

    /// Whether a file of `size` bytes may be read.
    pub(super) fn admit(&mut self, path: &str, size: u64) -> bool {
        if size > self.limits.file_bytes {
            self.refuse(
                path,
                format!("the file has {size} bytes; at most {} are read", self.limits.file_bytes),
                "split the documents over several files",
            );
            return false;
        }
        if self.files.len() >= self.limits.files || self.total + size > self.limits.total_bytes {
            self.full = true;
            self.refuse(
                path,
                format!(
                    "the repository holds more than {} manifests or {} bytes of them",
                    self.limits.files, self.limits.total_bytes
                ),
                "split the fleet over several repositories or paths",
            );
            return false;
        }
        true
    }

    pub(super) fn take(&mut self, path: String, bytes: Vec<u8>) {
        self.total += bytes.len() as u64;
        self.files.push(SourceFile { path, bytes });
    }

    pub(super) fn refuse(&mut self, path: &str, message: impl Into<String>, help: &str) {
        // One cap bounds the complaints too: a tree of a million links is one problem, not a million.
        if self.refused.len() < 1_000 {
            self.refused.push(Refusal {
                path: printable(path),
                message: message.into(),
                help: help.to_owned(),
            });
        }
    }

    pub(super) fn finish(mut self) -> (Vec<SourceFile>, Vec<Refusal>) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.refused.sort_by(|a, b| a.path.cmp(&b.path));
        (self.files, self.refused)
    }
}

/// Judges one component of a path.
pub(super) fn judge_name(name: &[u8]) -> Name {
    let Ok(text) = std::str::from_utf8(name) else {
        return Name::Odd("its name is not UTF-8");
    };
    if text.is_empty() || text == "." || text == ".." {
        return Name::Odd("its name leaves the folder");
    }
    if text.contains(['/', '\\']) {
        return Name::Odd("its name holds a path separator");
    }
    if text.contains(':') {
        return Name::Odd("its name holds a colon, which Windows reads as a drive or a stream");
    }
    if text.chars().any(is_unprintable) {
        return Name::Odd("its name holds a character that cannot be shown");
    }
    if text.len() > 255 {
        return Name::Odd("its name is longer than 255 bytes");
    }
    if text.starts_with('.') {
        return Name::Hidden;
    }
    if text.ends_with(".yaml") || text.ends_with(".yml") { Name::Manifest } else { Name::Other }
}

/// `text` with everything that could fool a terminal replaced, cut at 300 characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(300).map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters and those that turn the direction of the text.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_before_anything_is_read() {
        assert_eq!(judge_name(b"a.yaml"), Name::Manifest);
        assert_eq!(judge_name(b"a.yml"), Name::Manifest);
        assert_eq!(judge_name(b"README.md"), Name::Other);
        assert_eq!(judge_name(b".github"), Name::Hidden);
        for odd in
            [&b".."[..], b"..\\up.yaml", b"C:a.yaml", b"a.yaml::$DATA", b"a\x1b[2J.yaml", b"\xff.yaml", b""]
        {
            assert!(matches!(judge_name(odd), Name::Odd(_)), "{odd:?} must be refused");
        }
        assert!(matches!(judge_name("\u{202e}lmay.yaml".as_bytes()), Name::Odd(_)));
    }

    #[test]
    fn the_caps_on_the_whole_are_reported_once() {
        let mut intake = Intake::new(Limits { files: 1, ..Limits::default() });
        assert!(intake.enter("a.yaml") && intake.admit("a.yaml", 1));
        intake.take("a.yaml".into(), vec![0]);
        assert!(intake.enter("b.yaml"));
        assert!(!intake.admit("b.yaml", 1));
        assert!(!intake.enter("c.yaml"), "nothing is looked at once the whole is full");
        let (files, refused) = intake.finish();
        assert_eq!((files.len(), refused.len()), (1, 1));
    }
}
