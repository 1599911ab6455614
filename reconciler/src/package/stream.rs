//! An archive that comes as a stream: Update.zip where it is compressed itself. Members are met in the order of the
//! file, the directory comes last and is compared with them. Nothing is kept but names and what is wanted.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufReader, Read},
};

use flate2::{Crc, bufread::DeflateDecoder};

use super::{
    caps::{Caps, RATIO_FROM},
    directory::{self, Member},
    finding::{FindingCode, Findings},
    member::{READ_BYTES, Unread, drain},
    names::{Names, decode, shown},
    record::{
        self, CENTRAL, CENTRAL_SIZE, DESCRIPTOR, END, END_SIZE, END64, END64_SIZE, Header, LOCAL, LOCAL_SIZE,
        LOCATOR64, LOCATOR64_SIZE, Malformed, Method,
    },
};

/// Counts the bytes of a stream and stops it when they are out of proportion.
pub(super) struct Metered<R> {
    inner: R,
    count: u64,
    limit: u64,
    crc: Crc,
    exceeded: bool,
}

impl<R: Read> Metered<R> {
    /// For a stream that was made of so many bytes.
    pub(super) fn new(inner: R, packed: u64, caps: &Caps) -> Self {
        let limit = packed.saturating_mul(caps.ratio).max(RATIO_FROM).min(caps.inflated);
        Self { inner, count: 0, limit, crc: Crc::new(), exceeded: false }
    }

    pub(super) fn exceeded(&self) -> bool {
        self.exceeded
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn crc(&self) -> u32 {
        self.crc.sum()
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        if self.count > self.limit {
            self.exceeded = true;
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.crc.update(&buffer[..count]);
        Ok(count)
    }
}

/// What the walker tells of each member, before its bytes.
pub(super) trait Visit {
    /// Whether this member's bytes are wanted, and at most how many.
    fn wants(&mut self, name: &str) -> Option<u64>;
    /// Bytes of the member that is wanted.
    fn bytes(&mut self, bytes: &[u8]);
    /// The wanted member ended, whole.
    fn whole(&mut self, name: &str, size: u64);
    /// The wanted member is damaged or too long.
    fn broken(&mut self, name: &str, why: &Unread, findings: &mut Findings);
}

/// How the walk ended.
#[derive(Debug)]
pub(super) enum Walked {
    /// To the end: the directory's members and the bytes that they claim.
    Whole { members: Vec<Member>, claimed: u64 },
    /// Not to the end; why not is among the findings.
    Broken,
}

struct Position<R> {
    reader: BufReader<R>,
    at: u64,
}

impl<R: Read> Position<R> {
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.reader.read_exact(buffer)?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(count as u64).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        if bytes.len() < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }
}

/// A member as it was met.
struct Met {
    header: Header,
    name: u64,
}

/// Walks an archive from its first byte to its last.
///
/// # Errors
/// Those of the reader, also when the bytes make no sense; the caller knows where they came from.
pub(super) fn walk<R: Read>(
    reader: R,
    within: &'static str,
    names: &mut Names,
    caps: &Caps,
    findings: &mut Findings,
    visit: &mut impl Visit,
) -> io::Result<Walked> {
    let mut walk = Walk {
        input: Position { reader: BufReader::with_capacity(READ_BYTES, reader), at: 0 },
        within,
        caps,
        met: HashMap::new(),
        members: Vec::new(),
        directory: 0,
        pending: None,
    };
    walk.run(names, findings, visit)
}

struct Walk<'a, R> {
    input: Position<R>,
    within: &'static str,
    caps: &'a Caps,
    /// By where their own headers begin.
    met: HashMap<u64, Met>,
    members: Vec<Member>,
    /// Bytes of the directory so far.
    directory: u64,
    /// A signature that was read where something else could have stood.
    pending: Option<u32>,
}

impl<R: Read> Walk<'_, R> {
    fn run(
        &mut self,
        names: &mut Names,
        findings: &mut Findings,
        visit: &mut impl Visit,
    ) -> io::Result<Walked> {
        loop {
            let signature = match self.pending.take() {
                Some(signature) => signature,
                None => {
                    let mut signature = [0; 4];
                    self.input.fill(&mut signature)?;
                    u32::from_le_bytes(signature)
                }
            };
            let start = self.input.at - 4;
            let going = match signature {
                LOCAL => self.member(start, findings, visit)?,
                CENTRAL => self.entry(names, findings)?,
                END64 => self.end64(findings)?,
                LOCATOR64 => {
                    self.input.take(LOCATOR64_SIZE as usize - 4)?;
                    true
                }
                END => return self.end(findings),
                _ => {
                    let message = format!("{}what stands at {start} is no part of an archive", self.within);
                    findings.add(FindingCode::Damaged, message);
                    false
                }
            };
            if !going {
                return Ok(Walked::Broken);
            }
        }
    }

    /// One member; false if the way to the next is not known.
    fn member(&mut self, start: u64, findings: &mut Findings, visit: &mut impl Visit) -> io::Result<bool> {
        let mut fixed = [0; LOCAL_SIZE as usize];
        fixed[..4].copy_from_slice(&LOCAL.to_le_bytes());
        self.input.fill(&mut fixed[4..])?;
        let (name, extra) = record::local_lengths(&fixed).unwrap_or_default();
        let variable = self.input.take(name + extra)?;
        let (raw, extra) = variable.split_at(name);
        let name = decode(raw);
        let about = format!("{}{}", self.within, shown(&name));
        let mut header = match record::local(&fixed, extra) {
            Ok(header) => header,
            Err(Malformed(why)) => {
                findings.at(FindingCode::Damaged, &about, why);
                return Ok(false);
            }
        };
        if self.met.len() as u64 >= self.caps.members {
            findings.add(
                FindingCode::TooManyMembers,
                format!("{}there are more members than are read", self.within),
            );
            return Ok(false);
        }
        // Some writers announce a descriptor and know the sizes all the same.
        let unsized_member = header.described_later() && header.packed == 0;
        let wanted = visit.wants(&name);
        match (header.method, unsized_member) {
            (Method::Deflated, true) if !header.encrypted() => {
                self.unsized_member(&name, &mut header, wanted, findings, visit)?;
            }
            (Method::Stored, true) if raw.ends_with(b"/") || raw.ends_with(b"\\") => {}
            (_, true) => {
                // Where it ends stands only behind it and in the directory, which comes last.
                if header.encrypted() {
                    findings.at(FindingCode::Encrypted, &about, "the member is encrypted");
                }
                findings.at(
                    FindingCode::NotFollowed,
                    &about,
                    "where this member ends is not known before its end",
                );
                return Ok(false);
            }
            (method, false) => self.sized_member(&name, method, &header, wanted, findings, visit)?,
        }
        if header.described_later() && !self.descriptor(&header)? {
            findings.at(
                FindingCode::Disagreement,
                &about,
                "what stands behind the member does not fit to it",
            );
            return Ok(false);
        }
        self.met.insert(start, Met { header, name: hash(&name) });
        Ok(true)
    }

    fn sized_member(
        &mut self,
        name: &str,
        method: Method,
        header: &Header,
        wanted: Option<u64>,
        findings: &mut Findings,
        visit: &mut impl Visit,
    ) -> io::Result<()> {
        let mut section = self.input.reader.by_ref().take(header.packed);
        let outcome = match (wanted, method) {
            _ if header.encrypted() => None,
            (Some(cap), Method::Stored) => Some(drain(&mut section, cap, |bytes| visit.bytes(bytes))),
            (Some(cap), Method::Deflated) => {
                Some(drain(&mut DeflateDecoder::new(&mut section), cap, |bytes| visit.bytes(bytes)))
            }
            (Some(_) | None, _) => None,
        };
        let outcome = outcome.map(|read| {
            read.and_then(|(size, crc)| {
                // A descriptor's checksum is compared when it comes.
                let promised = if header.described_later() && header.crc == 0 { crc } else { header.crc };
                super::member::compare(&Header { crc: promised, ..*header }, size, crc).map(|()| size)
            })
        });
        let skipped = io::copy(&mut section, &mut io::sink());
        let left = section.limit();
        // If the stream itself broke, so does this, and nothing is said about the member.
        skipped?;
        match outcome {
            Some(Ok(size)) => visit.whole(name, size),
            Some(Err(why)) => visit.broken(name, &why, findings),
            None => {}
        }
        self.input.at += header.packed - left;
        if left > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// A compressed member whose end the compression itself tells.
    fn unsized_member(
        &mut self,
        name: &str,
        header: &mut Header,
        wanted: Option<u64>,
        findings: &mut Findings,
        visit: &mut impl Visit,
    ) -> io::Result<()> {
        let mut decoder = DeflateDecoder::new(&mut self.input.reader);
        let mut within_cap = true;
        let mut seen = 0_u64;
        let read = drain(&mut decoder, u64::MAX, |bytes| {
            seen += bytes.len() as u64;
            if let Some(cap) = wanted {
                within_cap = seen <= cap;
                if within_cap {
                    visit.bytes(bytes);
                }
            }
        });
        let (packed, size) = (decoder.total_in(), decoder.total_out());
        self.input.at += packed;
        match read {
            Ok((_, crc)) => {
                (header.packed, header.size, header.crc) = (packed, size, crc);
                if wanted.is_some() {
                    if within_cap {
                        visit.whole(name, size);
                    } else {
                        visit.broken(name, &Unread::TooLong, findings);
                    }
                }
                Ok(())
            }
            Err(Unread::Io(error)) => Err(error),
            // Without its end there is no next member.
            Err(Unread::Damaged(_) | Unread::TooLong | Unread::Method) => {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }

    /// Checksum and sizes behind a member; false if they do not fit.
    fn descriptor(&mut self, header: &Header) -> io::Result<bool> {
        let word = |bytes: &[u8]| record::u32_at(bytes, 0).unwrap_or_default();
        let mut crc = word(&self.input.take(4)?);
        // A folder without bytes may come without a descriptor.
        if header.packed == 0 && header.size == 0 && matches!(crc, LOCAL | CENTRAL) {
            self.pending = Some(crc);
            return Ok(true);
        }
        if crc == DESCRIPTOR && header.crc != DESCRIPTOR {
            crc = word(&self.input.take(4)?);
        }
        let first = u64::from(word(&self.input.take(4)?));
        let second = u64::from(word(&self.input.take(4)?));
        let crc_fits = header.crc == crc || (header.crc == 0 && header.described_later());
        if !crc_fits {
            return Ok(false);
        }
        if !header.zip64 && (first, second) == (header.packed, header.size) {
            return Ok(true);
        }
        // The wide form: the first word is the lower half of the first size, the second its upper half.
        if first | second << 32 == header.packed {
            let size = self.input.take(8)?;
            return Ok(record::u64_at(&size, 0) == Some(header.size));
        }
        Ok((first, second) == (header.packed, header.size))
    }

    /// One entry of the directory.
    fn entry(&mut self, names: &mut Names, findings: &mut Findings) -> io::Result<bool> {
        let mut fixed = [0; CENTRAL_SIZE as usize];
        fixed[..4].copy_from_slice(&CENTRAL.to_le_bytes());
        self.input.fill(&mut fixed[4..])?;
        let left = self.caps.directory.saturating_sub(self.directory);
        let read =
            directory::entry_after(&fixed, &mut self.input.reader, left, self.within, names, findings)?;
        let Some((used, member)) = read else {
            let message = format!("{}the directory is damaged, or larger than is read", self.within);
            findings.add(FindingCode::Damaged, message);
            return Ok(false);
        };
        self.input.at += used - CENTRAL_SIZE;
        self.directory += used;
        let about = || format!("{}{}", self.within, shown(&member.name));
        match self.met.remove(&member.offset) {
            None => findings.at(
                FindingCode::Disagreement,
                &about(),
                "the directory lists a member that is not there",
            ),
            Some(met) => {
                let same_name = met.name == hash(&member.name);
                let name = if same_name { member.name.as_str() } else { "another name" };
                // Sizes and checksum were filled from the bytes themselves where the header did not tell.
                if let Err(why) = directory::agree(&met.header, name, &member) {
                    findings.at(FindingCode::Disagreement, &about(), why);
                }
            }
        }
        self.members.push(member);
        Ok(true)
    }

    fn end64(&mut self, findings: &mut Findings) -> io::Result<bool> {
        let body = self.input.take(END64_SIZE as usize - 4)?;
        // Its own length, without the first twelve bytes.
        let more = record::u64_at(&body, 0).and_then(|size| size.checked_sub(END64_SIZE - 12));
        let Some(more) = more.filter(|more| *more <= self.caps.text) else {
            findings
                .add(FindingCode::Damaged, format!("{}the zip64 end of the archive is damaged", self.within));
            return Ok(false);
        };
        self.input.take(usize::try_from(more).unwrap_or(usize::MAX))?;
        findings.add(FindingCode::Zip64, format!("{}the archive uses zip64", self.within));
        Ok(true)
    }

    fn end(&mut self, findings: &mut Findings) -> io::Result<Walked> {
        let mut fixed = [0; END_SIZE as usize];
        self.input.fill(&mut fixed[4..])?;
        let Some(end) = record::end(&fixed) else { return Ok(Walked::Broken) };
        self.input.take(usize::try_from(end.comment).unwrap_or(usize::MAX))?;
        let archive = self.input.at;
        let trailing = io::copy(&mut self.input.reader, &mut io::sink())?;
        self.input.at += trailing;
        if trailing > 0 {
            findings.add(
                FindingCode::Trailing,
                format!("{}{trailing} bytes stand behind the archive", self.within),
            );
        }
        if end.split {
            findings.add(FindingCode::Split, format!("{}the archive is one volume of several", self.within));
        }
        let entries = self.members.len() as u64;
        if end.entries != entries && end.entries != u64::from(u16::MAX) {
            let message =
                format!("{}the directory lists {entries} members and says {}", self.within, end.entries);
            findings.add(FindingCode::Disagreement, message);
        }
        for _ in self.met.drain() {
            findings.add(FindingCode::Disagreement, format!("{}a member is in no directory", self.within));
        }
        let members = std::mem::take(&mut self.members);
        let claimed = directory::judge_sizes(&members, archive, self.within, self.caps, findings);
        Ok(Walked::Whole { members, claimed })
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
