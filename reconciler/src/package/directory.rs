//! The directory of an archive that can be searched, compared with the members themselves.
//!
//! Read by hand and not by the `zip` crate, because what a package's reader wants to see is what that crate smooths
//! over: duplicates, members that disagree with the directory, bytes that belong to nobody.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::{
    caps::{Caps, DEFLATE_BEST, LONGEST_NAME, RATIO_FROM},
    finding::{FindingCode, Findings},
    names::{Names, decode, shown},
    record::{
        self, CENTRAL, CENTRAL_SIZE, Central, END, END_SIZE, END64, END64_SIZE, End, Header, LOCAL,
        LOCAL_SIZE, LOCATOR64_SIZE, Malformed, Method,
    },
};

/// A member as the directory lists it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// As the archive spells it.
    pub(super) name: String,
    pub(super) header: Header,
    /// Where its bytes begin; absent where its own header is not to be trusted.
    pub(super) data: Option<u64>,
    /// Where its own header begins, counted from the first byte of the reader.
    pub(super) offset: u64,
}

impl Member {
    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(['/', '\\'])
    }
}

/// The whole archive.
#[derive(Debug)]
pub(super) struct Directory {
    /// In the directory's order.
    pub(super) members: Vec<Member>,
    /// Bytes of all members, unpacked, as they claim.
    pub(super) claimed: u64,
}

/// Where the directory lies, counted from the first byte of the reader.
struct Place {
    end: End,
    /// The first byte of the directory.
    start: u64,
    /// Bytes before the archive, which its offsets do not count.
    before: u64,
}

/// The longest comment.
const MAX_COMMENT: u64 = u16::MAX as u64;

/// Reads the directory of an archive of `length` bytes. None, if there is no archive to go on with; why not, is then
/// among the findings. Only a reader that fails is an error.
pub(super) fn read<R: Read + Seek>(
    reader: &mut R,
    length: u64,
    within: &'static str,
    names: &mut Names,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<Option<Directory>> {
    let Some(place) = find_end(reader, length, within, findings)? else { return Ok(None) };
    if place.end.split {
        findings.add(FindingCode::Split, format!("{within}the archive is one volume of several"));
        return Ok(None);
    }
    if place.end.entries > caps.members || place.end.size > caps.directory {
        let message =
            format!("{within}the directory lists {} members in {} bytes", place.end.entries, place.end.size);
        findings.add(FindingCode::TooManyMembers, message);
        return Ok(None);
    }
    if place.before > 0 {
        let message = format!("{within}{} bytes stand before the archive", place.before);
        findings.add(FindingCode::Prefix, message);
    }
    if place.end.zip64 {
        findings.add(FindingCode::Zip64, format!("{within}the archive uses zip64"));
    }
    let Some(mut members) = entries(reader, &place, within, names, caps, findings)? else { return Ok(None) };
    let claimed = judge_sizes(&members, length, within, caps, findings);
    compare_locals(reader, &mut members, &place, within, findings)?;
    Ok(Some(Directory { members, claimed }))
}

/// Looks for the end from behind: a comment of up to 65535 bytes may follow it, and more bytes after that.
fn find_end<R: Read + Seek>(
    reader: &mut R,
    length: u64,
    within: &str,
    findings: &mut Findings,
) -> io::Result<Option<Place>> {
    let tail_size = length.min(END_SIZE + MAX_COMMENT);
    let tail_start = length - tail_size;
    let tail = bytes_at(reader, tail_start, tail_size)?;
    let mut found: Option<(Place, u64)> = None;
    let mut exact = false;
    for at in (0..tail.len().saturating_sub(END_SIZE as usize - 1)).rev() {
        if record::u32_at(&tail, at) != Some(END) {
            continue;
        }
        let Some(end) = record::end(&tail[at..]) else { continue };
        let position = tail_start + at as u64;
        let after = position + END_SIZE + end.comment;
        if after > length {
            continue;
        }
        if after == length && exact {
            // Another end inside the comment of this one: programs choose differently.
            findings.add(FindingCode::Disagreement, format!("{within}the archive has two ends"));
            return Ok(None);
        }
        exact |= after == length;
        let place = match located(reader, position, end) {
            Ok(Some(place)) => place,
            Ok(None) => continue,
            Err(Located::Io(error)) => return Err(error),
            Err(Located::Malformed(Malformed(why))) => {
                findings.add(FindingCode::Disagreement, format!("{within}{why}"));
                return Ok(None);
            }
        };
        if after == length {
            found = Some((place, 0));
        } else if found.is_none() && place.before == 0 {
            // With bytes before and behind it is an archive inside this one, Update.zip for example.
            found = Some((place, length - after));
        }
    }
    let Some((place, trailing)) = found else {
        findings.add(FindingCode::CutOff, format!("{within}no directory is at the end of the archive"));
        return Ok(None);
    };
    if trailing > 0 {
        findings.add(FindingCode::Trailing, format!("{within}{trailing} bytes stand behind the archive"));
    }
    Ok(Some(place))
}

enum Located {
    Io(io::Error),
    Malformed(Malformed),
}

impl From<io::Error> for Located {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where the directory of an end at `position` lies; none if there is none, so that it was no end.
fn located<R: Read + Seek>(reader: &mut R, position: u64, short: End) -> Result<Option<Place>, Located> {
    let (mut end, mut after_directory) = (short, position);
    if let Some(at) = position.checked_sub(LOCATOR64_SIZE)
        && let Some(said) = record::locator64(&bytes_at(reader, at, LOCATOR64_SIZE)?)
    {
        // Bytes before the archive shift it; then it lies right before its locator.
        let near = at.checked_sub(END64_SIZE);
        let mut found = None;
        for candidate in
            [Some(said), near].into_iter().flatten().filter(|candidate| candidate + END64_SIZE <= at)
        {
            let bytes = bytes_at(reader, candidate, END64_SIZE)?;
            if record::u32_at(&bytes, 0) == Some(END64) {
                found = Some((candidate, bytes));
                break;
            }
        }
        let Some((candidate, bytes)) = found else {
            return Err(Located::Malformed(Malformed(
                "the zip64 end of the archive is not where it should be",
            )));
        };
        end = record::widen_end(short, &bytes).map_err(Located::Malformed)?;
        after_directory = candidate;
    }
    let Some(start) = after_directory.checked_sub(end.size) else { return Ok(None) };
    let Some(before) = start.checked_sub(end.offset) else { return Ok(None) };
    if end.entries == 0 && end.size == 0 {
        return Ok(Some(Place { end, start, before: 0 }));
    }
    if end.size < CENTRAL_SIZE || record::u32_at(&bytes_at(reader, start, 4)?, 0) != Some(CENTRAL) {
        return Ok(None);
    }
    Ok(Some(Place { end, start, before }))
}

fn bytes_at<R: Read + Seek>(reader: &mut R, at: u64, count: u64) -> io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    reader.by_ref().take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn entries<R: Read + Seek>(
    reader: &mut R,
    place: &Place,
    within: &'static str,
    names: &mut Names,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<Option<Vec<Member>>> {
    reader.seek(SeekFrom::Start(place.start))?;
    let mut bytes = BufReader::with_capacity(64 << 10, reader.by_ref().take(place.end.size));
    let mut members = Vec::new();
    let mut left = place.end.size;
    while left > 0 {
        let entry = match entry(&mut bytes, left, within, names, findings) {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        let Some((used, mut member)) = entry else {
            findings.add(
                FindingCode::Damaged,
                format!("{within}the directory is damaged after {} members", members.len()),
            );
            return Ok(None);
        };
        left -= used;
        member.offset = member.offset.saturating_add(place.before);
        members.push(member);
        if members.len() as u64 > caps.members {
            findings.add(
                FindingCode::TooManyMembers,
                format!("{within}the directory lists more members than it says"),
            );
            return Ok(None);
        }
    }
    if members.len() as u64 != place.end.entries {
        let message =
            format!("{within}the directory lists {} members and says {}", members.len(), place.end.entries);
        findings.add(FindingCode::Disagreement, message);
    }
    Ok(Some(members))
}

/// One entry and its bytes in the directory; none if it is damaged.
fn entry(
    bytes: &mut impl Read,
    left: u64,
    within: &'static str,
    names: &mut Names,
    findings: &mut Findings,
) -> io::Result<Option<(u64, Member)>> {
    if left < CENTRAL_SIZE {
        return Ok(None);
    }
    let mut fixed = [0; CENTRAL_SIZE as usize];
    bytes.read_exact(&mut fixed)?;
    entry_after(&fixed, bytes, left, within, names, findings)
}

/// As [`entry`], its fixed part already read.
pub(super) fn entry_after(
    fixed: &[u8],
    bytes: &mut impl Read,
    left: u64,
    within: &'static str,
    names: &mut Names,
    findings: &mut Findings,
) -> io::Result<Option<(u64, Member)>> {
    let Some((name, extra, comment)) = record::central_lengths(fixed) else { return Ok(None) };
    let used = CENTRAL_SIZE + (name + extra + comment) as u64;
    if record::u32_at(fixed, 0) != Some(CENTRAL) || used > left {
        return Ok(None);
    }
    // At most three times 65535 bytes.
    let mut variable = vec![0; name + extra + comment];
    bytes.read_exact(&mut variable)?;
    let (raw, rest) = variable.split_at(name);
    let central = match record::central(fixed, &rest[..extra]) {
        Ok(central) => central,
        Err(Malformed(why)) => {
            findings.at(FindingCode::Damaged, &format!("{within}{}", shown(&decode(raw))), why);
            return Ok(None);
        }
    };
    let about = format!("{within}{}", shown(&decode(raw)));
    if raw.len() > LONGEST_NAME {
        findings.at(FindingCode::TooManyMembers, &about, format!("the name has {} bytes", raw.len()));
    }
    names.add(raw, central.header.utf8(), findings);
    judge_entry(&central, &about, findings);
    let name = decode(raw);
    Ok(Some((used, Member { name, header: central.header, data: None, offset: central.offset })))
}

fn judge_entry(central: &Central, about: &str, findings: &mut Findings) {
    let Central { header, offset: _, made_by: _, attributes: _, disk } = central;
    if header.encrypted() {
        findings.at(FindingCode::Encrypted, about, "the member is encrypted");
    }
    if let Method::Other(method) = header.method {
        findings.at(FindingCode::Method, about, format!("the member is compressed by method {method}"));
    }
    if central.is_link() {
        findings.at(FindingCode::LinkInside, about, "the member is a symbolic link");
    }
    if !matches!(*disk, 0 | u16::MAX) {
        findings.at(FindingCode::Split, about, "the member lies on another volume");
    }
    let impossible = match header.method {
        Method::Stored => !header.encrypted() && header.packed != header.size,
        Method::Deflated => {
            header.size > header.packed.saturating_mul(DEFLATE_BEST).saturating_add(DEFLATE_BEST)
        }
        Method::Other(_) => false,
    };
    if impossible {
        let message = format!("{} bytes cannot become {}", header.packed, header.size);
        findings.at(FindingCode::Disagreement, about, message);
    }
}

/// Bytes of all members, as they claim; a finding if that is out of proportion.
pub(super) fn judge_sizes(
    members: &[Member],
    length: u64,
    within: &str,
    caps: &Caps,
    findings: &mut Findings,
) -> u64 {
    let claimed = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.header.size));
    let proportion = length.saturating_mul(caps.ratio).max(RATIO_FROM);
    if claimed > caps.claimed || claimed > proportion {
        let message = format!("{within}{length} bytes claim to become {claimed}");
        findings.add(FindingCode::Bomb, message);
    }
    claimed
}

/// Reads each member's own header, in the order of the file, and notes where its bytes begin.
fn compare_locals<R: Read + Seek>(
    reader: &mut R,
    members: &mut [Member],
    place: &Place,
    within: &'static str,
    findings: &mut Findings,
) -> io::Result<()> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|at| members[*at].offset);
    let mut free_from = place.before;
    // Behind a member that lies it is not known what belongs to whom.
    let mut known = true;
    let mut bytes = Vec::new();
    for at in order {
        let member = &mut members[at];
        let about = format!("{within}{}", shown(&member.name));
        if member.offset < free_from {
            findings.at(FindingCode::Overlap, &about, "the member lies over another");
            continue;
        }
        if known && member.offset > free_from {
            gap(free_from, member.offset, place, within, findings);
        }
        read_local(reader, member.offset, &mut bytes)?;
        let local = match compare(&bytes, member) {
            Ok(length) => length,
            Err((code, why)) => {
                findings.at(code, &about, why);
                (free_from, known) = (member.offset.saturating_add(1), false);
                continue;
            }
        };
        let data = member.offset.saturating_add(local);
        let mut end = data.saturating_add(member.header.packed);
        if end > place.start {
            findings.at(FindingCode::Damaged, &about, "the member runs into the directory");
            (free_from, known) = (place.start, false);
            continue;
        }
        member.data = Some(data);
        if member.header.described_later() {
            end = after_descriptor(reader, end, place.start, &member.header)?;
        }
        (free_from, known) = (end, true);
    }
    if known && free_from < place.start {
        gap(free_from, place.start, place, within, findings);
    }
    Ok(())
}

fn gap(from: u64, to: u64, place: &Place, within: &str, findings: &mut Findings) {
    // An archive made to stand behind something else may count its offsets from there.
    if from == place.before && from == 0 {
        findings.add(FindingCode::Prefix, format!("{within}{to} bytes stand before the first member"));
    } else {
        findings
            .add(FindingCode::Hidden, format!("{within}{} bytes at {from} belong to no member", to - from));
    }
}

/// The own header of a member with its name and extra fields; shorter at the end of the file.
fn read_local<R: Read + Seek>(reader: &mut R, at: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    // Most names and extra fields fit into the first read.
    const AT_ONCE: u64 = 256;
    bytes.clear();
    reader.seek(SeekFrom::Start(at))?;
    reader.by_ref().take(AT_ONCE).read_to_end(bytes)?;
    let Some((name, extra)) = record::local_lengths(bytes) else { return Ok(()) };
    let wanted = LOCAL_SIZE + (name + extra) as u64;
    if let Some(more) = wanted.checked_sub(bytes.len() as u64).filter(|more| *more > 0) {
        reader.by_ref().take(more).read_to_end(bytes)?;
    }
    Ok(())
}

/// Compares a member's own header with the directory; gives the bytes of the header.
fn compare(bytes: &[u8], member: &Member) -> Result<u64, (FindingCode, String)> {
    if record::u32_at(bytes, 0) != Some(LOCAL) {
        return Err((FindingCode::Damaged, "the member is not where the directory says".to_owned()));
    }
    let cut = || (FindingCode::Damaged, "the member's own header is cut off".to_owned());
    let fixed = bytes.get(..LOCAL_SIZE as usize).ok_or_else(cut)?;
    let (name, extra) = record::local_lengths(fixed).ok_or_else(cut)?;
    let variable = bytes.get(LOCAL_SIZE as usize..LOCAL_SIZE as usize + name + extra).ok_or_else(cut)?;
    let (name, extra) = variable.split_at(name);
    let local =
        record::local(fixed, extra).map_err(|Malformed(why)| (FindingCode::Damaged, why.to_owned()))?;
    agree(&local, &decode(name), member).map_err(|why| (FindingCode::Disagreement, why))?;
    Ok(LOCAL_SIZE + variable.len() as u64)
}

/// Whether a member's own header says what the directory says.
pub(super) fn agree(local: &Header, name: &str, member: &Member) -> Result<(), String> {
    let listed = &member.header;
    if name != member.name {
        return Err(format!("the member calls itself `{}`", shown(name)));
    }
    if local.method != listed.method || local.encrypted() != listed.encrypted() {
        return Err("the member and the directory tell different methods".to_owned());
    }
    let later = local.described_later();
    let same =
        |local: u64, listed: u64| local == listed || (later && (local == 0 || local == u64::from(u32::MAX)));
    if !same(local.packed, listed.packed) || !same(local.size, listed.size) {
        return Err(format!(
            "the member tells {} bytes ({} packed), the directory {} ({})",
            local.size, local.packed, listed.size, listed.packed
        ));
    }
    if !same(local.crc.into(), listed.crc.into()) {
        return Err("the member and the directory tell different checksums".to_owned());
    }
    Ok(())
}

/// Where a member ends whose checksum and sizes stand behind it.
fn after_descriptor<R: Read + Seek>(reader: &mut R, at: u64, limit: u64, header: &Header) -> io::Result<u64> {
    let bytes = bytes_at(reader, at, 24.min(limit.saturating_sub(at)))?;
    Ok(descriptor_size(&bytes, header).map_or(at, |size| at + size))
}

/// Bytes of a descriptor that fits to the header: with or without its signature, in 32 or 64 bits.
fn descriptor_size(bytes: &[u8], header: &Header) -> Option<u64> {
    let signed = usize::from(record::u32_at(bytes, 0) == Some(record::DESCRIPTOR)) * 4;
    [signed, 0].into_iter().find_map(|skip| {
        let body = bytes.get(skip..)?;
        if record::u32_at(body, 0)? != header.crc {
            return None;
        }
        let narrow = record::u32_at(body, 4).map(u64::from) == Some(header.packed)
            && record::u32_at(body, 8).map(u64::from) == Some(header.size);
        if narrow {
            return Some(skip as u64 + 12);
        }
        let wide =
            record::u64_at(body, 4) == Some(header.packed) && record::u64_at(body, 12) == Some(header.size);
        wide.then_some(skip as u64 + 20)
    })
}
