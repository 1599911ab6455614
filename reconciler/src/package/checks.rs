//! The checks of a package, taken out of it: `Update.zip\Prerequisites\*.dll` (`domain/05 section 7`).

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom},
    mem,
};

use flate2::bufread::DeflateDecoder;

use super::{
    caps::Caps,
    contents::{self, WITHIN},
    directory,
    finding::{Finding, FindingCode, Findings, Severity},
    member::{self, READ_BYTES, Unread, Window},
    names::{Names, is_plain, shown, windows},
    record::Method,
    stream::{Metered, Visit, Walked, walk},
};

/// A check as its package holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its file name, as `VerifyClusterPorts.dll`.
    pub file: String,
    pub bytes: Vec<u8>,
}

/// Why the checks of a package cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NoChecks {
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// What makes the package unfit.
    #[error("{}", told(.0))]
    Refused(Vec<Finding>),
}

fn told(findings: &[Finding]) -> String {
    let told = findings.iter().map(|finding| {
        let member = finding.member.as_deref().map(|member| format!(" ({member})")).unwrap_or_default();
        format!("{} {}{member}", finding.code, finding.message)
    });
    told.collect::<Vec<_>>().join("; ")
}

/// The checks of a package, sorted by name; none if it carries none.
///
/// Reads within `caps` and holds nothing but the checks themselves in memory. A package with anything that a scan
/// refuses gives none of them.
///
/// # Errors
/// What cannot be read, or makes the package unfit to be used.
pub fn checks<R: Read + Seek>(mut reader: R, caps: &Caps) -> Result<Vec<Check>, NoChecks> {
    let mut findings = Findings::default();
    let mut wanted = Wanted { caps, found: Vec::new(), total: 0, reading: None };
    read(&mut reader, caps, &mut wanted, &mut findings)?;
    let refused: Vec<Finding> =
        findings.into_vec().into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    if !refused.is_empty() {
        return Err(NoChecks::Refused(refused));
    }
    let mut found = wanted.found;
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

fn read<R: Read + Seek>(
    reader: &mut R,
    caps: &Caps,
    wanted: &mut Wanted<'_>,
    findings: &mut Findings,
) -> io::Result<()> {
    let length = reader.seek(SeekFrom::End(0))?;
    let mut names = Names::new("", |name| name == "update.zip");
    let Some(outer) = directory::read(reader, length, "", &mut names, caps, findings)? else { return Ok(()) };
    if findings.has(FindingCode::Bomb) || findings.has(FindingCode::Overlap) {
        return Ok(());
    }
    let update = outer.members.iter().find(|member| windows(&member.name).eq_ignore_ascii_case("Update.zip"));
    let Some((update, data)) = update.and_then(|update| Some((update, update.data?))) else {
        findings.add(FindingCode::NoUpdateZip, "Update.zip is missing");
        return Ok(());
    };
    let mut names = Names::new(WITHIN, contents::single);
    match update.header.method {
        _ if update.header.encrypted() => {}
        Method::Stored => {
            let length = update.header.packed;
            let mut window = BufReader::with_capacity(4 << 10, Window::new(reader, data, length));
            let inner = directory::read(&mut window, length, WITHIN, &mut names, caps, findings)?;
            let members = inner.map(|inner| inner.members).unwrap_or_default();
            if findings.has(FindingCode::Overlap) {
                return Ok(());
            }
            for member in members.iter().filter(|member| !member.header.encrypted()) {
                let Some(cap) = wanted.wants(&member.name) else { continue };
                match member::read(&mut window, member, cap, |bytes| wanted.bytes(bytes)) {
                    Ok(()) => wanted.whole(&member.name, member.header.size),
                    Err(Unread::Io(error)) => return Err(error),
                    Err(why) => wanted.broken(&member.name, &why, findings),
                }
            }
        }
        Method::Deflated => {
            reader.seek(SeekFrom::Start(data))?;
            let packed = BufReader::with_capacity(READ_BYTES, reader.take(update.header.packed));
            let mut metered = Metered::new(DeflateDecoder::new(packed), update.header.packed, caps);
            let walked = walk(&mut metered, WITHIN, &mut names, caps, findings, wanted);
            match walked {
                Ok(Walked::Whole { .. }) => {}
                // Why not is among the findings, of which some are only told by a scan.
                Ok(Walked::Broken) => {
                    findings.add(FindingCode::Damaged, "Update.zip could not be followed to its end");
                }
                Err(_) if metered.exceeded() => {
                    findings.add(FindingCode::Bomb, "Update.zip unpacks into more than is read");
                }
                Err(error) if member::is_damage(&error) => {
                    findings.add(FindingCode::Damaged, "the bytes of Update.zip end or make no sense");
                }
                Err(error) => return Err(error),
            }
        }
        Method::Other(_) => {}
    }
    if wanted.found.len() > caps.prerequisites {
        findings.add(
            FindingCode::TooManyMembers,
            format!("it holds more than {} prerequisites", caps.prerequisites),
        );
    }
    Ok(())
}

/// Collected while the members of Update.zip go by.
struct Wanted<'a> {
    caps: &'a Caps,
    found: Vec<Check>,
    /// Bytes of all of them.
    total: u64,
    reading: Option<Check>,
}

impl Visit for Wanted<'_> {
    fn wants(&mut self, name: &str) -> Option<u64> {
        let path = windows(name);
        let lower = path.to_lowercase();
        let file = lower.strip_prefix(r"prerequisites\")?;
        // One more than are taken tells that there are too many.
        let room = self.found.len() <= self.caps.prerequisites;
        if !file.ends_with(".dll") || file.contains('\\') || !is_plain(name) || !room {
            return None;
        }
        let file = path.rsplit('\\').next()?.to_owned();
        self.reading = Some(Check { file, bytes: Vec::new() });
        Some(self.caps.check.min(self.caps.checks.saturating_sub(self.total)))
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(check) = &mut self.reading {
            check.bytes.extend_from_slice(bytes);
        }
    }

    fn whole(&mut self, _name: &str, size: u64) {
        self.total = self.total.saturating_add(size);
        self.found.extend(mem::take(&mut self.reading));
    }

    fn broken(&mut self, name: &str, why: &Unread, findings: &mut Findings) {
        self.reading = None;
        let about = format!("{WITHIN}{}", shown(name));
        match why {
            Unread::TooLong => {
                findings.at(FindingCode::Bomb, &about, "the prerequisite is longer than is read");
            }
            Unread::Damaged(why) => findings.at(FindingCode::Damaged, &about, why.clone()),
            // Already found, where the directory lists it.
            Unread::Method => {}
            Unread::Io(error) => findings.at(FindingCode::Unreadable, &about, error.to_string()),
        }
    }
}
