//! Packages, from any bytes.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, Cursor, Read, Seek, SeekFrom},
};

use dataminer_reconciler::package::{Caps, FindingCode, Inspection, SENTINELS, Severity, UpdateZip, inspect};

pub(super) const WORDS: &[&str] = &[
    "PK\u{1}\u{2}",
    "PK\u{3}\u{4}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "PK\u{6}\u{7}",
    "PK\u{7}\u{8}",
    "\0\0",
    "\u{8}\0",
    "Update.zip",
    "UpdateContent.txt",
    "Prerequisites/",
    "Prerequisites\\x.dll",
    "Files/",
    "Webpages/API/bin/",
    "../",
    "..\\",
    "C:\\",
    "SLNet.exe",
    "Update Files\r\n",
    "Kill\r\n",
    "\u{1}\0\u{10}\0",
    "\u{0}\u{8}",
    "upx",
];

const FILE: &str = "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade";

/// Low, so that what reaches a limit is small enough to be made up.
const CAPS: Caps = Caps {
    members: 300,
    directory: 32 << 10,
    inflated: 1 << 20,
    claimed: 4 << 20,
    ratio: 200,
    text: 4 << 10,
    sentinel: 64 << 10,
    prerequisites: 20,
    check: 16 << 10,
    checks: 64 << 10,
};

/// What reading may cost for each byte of the file: it is gone over a few times, and once more for each fingerprint.
const READS_PER_BYTE: u64 = 64;

/// Findings of one code that are listed, and one more that counts the rest.
const FINDINGS_PER_CODE: usize = 6;

/// An inspection ends, reads no more than its share, stays within its limits, and tells the same of a sound package
/// however its bytes come.
///
/// # Panics
/// Where that does not hold.
pub fn package(data: &[u8]) {
    let read = Cell::new(0_u64);
    let whole = inspect(Counted { bytes: Cursor::new(data), most: usize::MAX, read: &read }, FILE, &CAPS);
    check(&whole, data);
    let share = (data.len() as u64 + (64 << 10)) * READS_PER_BYTE + 4 * CAPS.inflated;
    assert!(read.get() <= share, "{} bytes were read of {}", read.get(), data.len());
    let dripping = inspect(Counted { bytes: Cursor::new(data), most: 7, read: &read }, FILE, &CAPS);
    // How far a damaged one can be read does hang on it; that it is refused does not.
    assert_eq!(
        dripping.refused(),
        whole.refused(),
        "whether it is refused hangs on how many bytes come at once"
    );
    if !whole.refused() {
        assert_eq!(dripping, whole, "what is read hangs on how many bytes come at once");
    }
}

fn check(inspection: &Inspection, data: &[u8]) {
    let Inspection { file, named, size, members, description, update, findings } = inspection;
    assert_eq!((file.as_str(), *size), (FILE, data.len() as u64));
    assert!(named.is_some());
    assert!(members.len() <= 100);
    assert!(description.as_ref().is_none_or(|text| text.chars().count() <= 1_001));
    let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    assert_eq!(inspection.refused(), refused);
    let mut counts: BTreeMap<FindingCode, usize> = BTreeMap::new();
    for finding in findings {
        let member = finding.member.as_deref().unwrap_or_default();
        assert!(!finding.message.is_empty() && finding.message.len() < 2_000, "{finding:?}");
        assert!(
            !finding.message.contains(char::is_control) && !member.contains(char::is_control),
            "{finding:?}"
        );
        *counts.entry(finding.code).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count <= FINDINGS_PER_CODE), "{counts:?}");
    if !data.windows(4).any(|word| word == b"PK\x05\x06") {
        assert!(refused && update.is_none(), "no archive, and yet: {inspection:?}");
    }
    if let Some(update) = update {
        within(update);
    }
    let json = serde_json::to_string(inspection).expect("an inspection is plain data");
    assert!(json.len() < 1 << 20, "{} bytes of JSON", json.len());
}

fn within(update: &UpdateZip) {
    let UpdateZip { members, size: _, prerequisites, instructions, fingerprints, restart, .. } = update;
    assert!(*members <= CAPS.members && prerequisites.len() <= CAPS.prerequisites, "{update:?}");
    assert!(prerequisites.is_sorted() && fingerprints.len() <= 2 * SENTINELS, "{update:?}");
    assert!(
        fingerprints.iter().all(|print| print.size > 0 && print.size <= CAPS.sentinel),
        "{fingerprints:?}"
    );
    assert!(
        !fingerprints.iter().any(|print| print.file.contains('/') || print.file.contains("..\\")),
        "{fingerprints:?}"
    );
    assert!(
        restart.is_none() || instructions.is_some(),
        "a restart that no instruction asks for: {update:?}"
    );
}

/// A reader that gives at most `most` bytes at once and counts them.
struct Counted<'a> {
    bytes: Cursor<&'a [u8]>,
    most: usize,
    read: &'a Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.most);
        let count = self.bytes.read(&mut buffer[..length])?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}
