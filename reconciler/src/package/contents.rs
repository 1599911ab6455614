//! What Update.zip holds that matters: instructions, prerequisites with their executor, and fingerprints.

use dataminer_schema::id::Sha256;
use sha2::Digest;

use super::{
    caps::Caps,
    finding::{FindingCode, Findings},
    fingerprint::{Fingerprint, Sentinels},
    instructions::Instructions,
    member::Unread,
    names::{is_plain, shown, windows},
    stream::Visit,
};

/// Collected while the members of Update.zip go by.
pub(super) struct Contents<'a> {
    caps: &'a Caps,
    pub(super) instructions: Option<Instructions>,
    /// Whether there is an UpdateContent.txt at all, readable or not.
    pub(super) instructed: bool,
    /// Names of the checks, sorted at the end.
    pub(super) prerequisites: Vec<String>,
    pub(super) prerequisites_folder: bool,
    pub(super) executor: bool,
    sentinels: Sentinels,
    reading: Reading,
}

/// The member whose bytes come in.
enum Reading {
    Nothing,
    Text(Vec<u8>),
    Sentinel(Box<sha2::Sha256>),
}

/// What stands before names of Update.zip's members in messages.
pub(super) const WITHIN: &str = "Update.zip: ";

const INSTRUCTIONS: &str = "updatecontent.txt";

/// Members that decide what a package does, in lower case with back-slashes.
pub(super) fn single(name: &str) -> bool {
    matches!(name, INSTRUCTIONS | "filestodelete.txt" | "filestoleave.txt" | "buildinfo.bin")
        || name.starts_with(r"prerequisites\")
}

impl<'a> Contents<'a> {
    pub(super) fn new(caps: &'a Caps) -> Self {
        Self {
            caps,
            instructions: None,
            instructed: false,
            prerequisites: Vec::new(),
            prerequisites_folder: false,
            executor: false,
            sentinels: Sentinels::default(),
            reading: Reading::Nothing,
        }
    }

    /// Notes a member by its name alone.
    pub(super) fn note(&mut self, name: &str, findings: &mut Findings) {
        let folder = name.ends_with(['/', '\\']);
        let path = windows(name);
        let lower = path.to_lowercase();
        if lower == "update.zip" {
            findings.at(
                FindingCode::NestedAgain,
                &format!("{WITHIN}{}", shown(name)),
                "an Update.zip inside Update.zip",
            );
        }
        self.instructed |= lower == INSTRUCTIONS;
        let Some(rest) = lower.strip_prefix(r"prerequisites\") else { return };
        self.prerequisites_folder = true;
        if folder {
            return;
        }
        if rest.starts_with(r"executor\") {
            self.executor = true;
        } else if rest.ends_with(".dll")
            && !rest.contains('\\')
            && self.prerequisites.len() < self.caps.prerequisites
        {
            // As it is spelled: Windows keeps case.
            self.prerequisites.extend(path.rsplit('\\').next().map(str::to_owned));
        }
    }

    /// Whether a member is among the few whose bytes are read, and its longest length.
    pub(super) fn wanted(&self, name: &str) -> Option<u64> {
        let path = windows(name);
        if path.eq_ignore_ascii_case(INSTRUCTIONS) {
            return Some(self.caps.text);
        }
        (is_plain(name) && self.sentinels.wants(&path)).then_some(self.caps.sentinel)
    }

    pub(super) fn begin(&mut self, name: &str) {
        self.reading = if windows(name).eq_ignore_ascii_case(INSTRUCTIONS) {
            Reading::Text(Vec::new())
        } else {
            Reading::Sentinel(Box::default())
        };
    }

    pub(super) fn take_fingerprints(&mut self) -> Vec<Fingerprint> {
        std::mem::take(&mut self.sentinels).into_vec()
    }
}

impl Visit for Contents<'_> {
    fn wants(&mut self, name: &str) -> Option<u64> {
        let wanted = self.wanted(name)?;
        self.begin(name);
        Some(wanted)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        match &mut self.reading {
            Reading::Nothing => {}
            Reading::Text(text) => text.extend_from_slice(bytes),
            Reading::Sentinel(hasher) => hasher.update(bytes),
        }
    }

    fn whole(&mut self, name: &str, size: u64) {
        match std::mem::replace(&mut self.reading, Reading::Nothing) {
            Reading::Nothing => {}
            Reading::Text(text) => self.instructions = Some(Instructions::read(&text)),
            Reading::Sentinel(hasher) if size > 0 => {
                self.sentinels.add(&windows(name), Sha256::from_digest(hasher.finalize().into()), size);
            }
            Reading::Sentinel(_) => {}
        }
    }

    fn broken(&mut self, name: &str, why: &Unread, findings: &mut Findings) {
        let text = matches!(self.reading, Reading::Text(_));
        self.reading = Reading::Nothing;
        let about = format!("{WITHIN}{}", shown(name));
        match why {
            Unread::TooLong if text => {
                findings.at(FindingCode::InstructionsTooLong, &about, "the text is too long");
            }
            // Too large for a fingerprint; others stand in for it.
            Unread::TooLong => {}
            Unread::Damaged(why) => findings.at(FindingCode::Damaged, &about, why.clone()),
            // Already found, where the directory lists it.
            Unread::Method => {}
            Unread::Io(error) => findings.at(FindingCode::Unreadable, &about, error.to_string()),
        }
    }
}
