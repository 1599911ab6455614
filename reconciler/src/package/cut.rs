//! A package without one member of its Update.zip (`domain/02 section 3`: the check that refuses the way down).
//!
//! Nothing is packed anew: the copy is the package's own bytes in another order, with a new entry for Update.zip and new
//! directories. So it is the same wherever and however often it is made, and an upload of it can be taken up again.

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom, Take},
    ops::Range,
    slice,
};

use dataminer_schema::id::Sha256;
use flate2::{Crc, bufread::DeflateDecoder};
use sha2::Digest;

use super::{
    caps::{Caps, LONGEST_NAME},
    checks::{NoChecks, checks},
    member::READ_BYTES,
    names::{decode, windows},
    record::{self, CENTRAL_SIZE, END, END_SIZE, Header, Method},
};

/// Bytes at the end of an archive in which its directory must lie: of a real package some megabytes.
const TAIL: usize = 16 << 20;

/// Why the copy cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NoCut {
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// The package is unfit to be used at all.
    #[error(transparent)]
    Refused(NoChecks),
    /// It is a package, and this program cannot take a member out of it.
    #[error("{0}")]
    Unfit(&'static str),
}

impl From<NoChecks> for NoCut {
    fn from(why: NoChecks) -> Self {
        match why {
            NoChecks::Io(error) => Self::Io(error),
            NoChecks::Refused(_) => Self::Refused(why),
        }
    }
}

/// How the copy is put together, and what comes out.
#[derive(Clone, Debug)]
pub struct Cut {
    parts: Vec<Part>,
    /// Where Update.zip lies, where it is compressed.
    packed: Option<Range<u64>>,
    /// Bytes of the copy.
    pub size: u64,
    /// Of the copy.
    pub sha256: Sha256,
    /// How many members the copy lacks: none of a package that never had it.
    pub removed: usize,
}

#[derive(Clone, Debug)]
enum Part {
    Bytes(Vec<u8>),
    /// Of the package's file.
    File(Range<u64>),
    /// Of Update.zip, unpacked.
    Unpacked(Range<u64>),
}

impl Cut {
    /// The package that `open` reads, without `member` (`Update.zip\Prerequisites\X.dll`).
    ///
    /// Reads the package several times and holds no more of it than its directories.
    ///
    /// # Errors
    /// What cannot be read, is unfit to be used, or cannot be changed: zip64 above all, which packages within the
    /// product's limit of 4,000 MB do not need.
    pub fn of<R: Read + Seek>(
        open: impl Fn() -> io::Result<R>,
        member: &str,
        caps: &Caps,
    ) -> Result<Self, NoCut> {
        let mut reader = open()?;
        // Whatever a scan refuses goes no further.
        checks(BufReader::with_capacity(READ_BYTES, &mut reader), caps)?;
        let length = reader.seek(SeekFrom::End(0))?;
        let outer = Ending::of(&tail_of(&mut reader, 0..length)?, length)?;
        let listed = outer.entries()?;
        let at = listed
            .iter()
            .position(|entry| windows(&entry.name).eq_ignore_ascii_case("Update.zip"))
            .ok_or(NoCut::Unfit("Update.zip is missing"))?;
        let data = data_of(&mut reader, &listed[at])?;
        let stored = listed[at].header.method == Method::Stored;
        let mut copy = Self {
            parts: Vec::new(),
            packed: (!stored).then(|| data.clone()),
            size: 0,
            sha256: Sha256::of(b""),
            removed: 0,
        };
        let (tail, unpacked) = if stored {
            (tail_of(&mut reader, data.clone())?, data.end - data.start)
        } else {
            last_of(unpack(open()?, &data)?)?
        };
        let base = stored.then_some(data.start);
        let wanted = windows(member);
        let wanted = wanted.split_once('\\').map_or(wanted.as_str(), |(_, inside)| inside);
        copy.parts = copy.cut_inside(&Ending::of(&tail, unpacked)?, wanted, base)?;
        if copy.removed == 0 {
            copy.parts = vec![Part::File(0..length)];
        } else {
            let (size, crc) = sum(&mut copy.reader(&open)?)?;
            copy.wrap(&outer, &listed, at, size, crc)?;
        }
        let mut hasher = sha2::Sha256::new();
        let mut reader = copy.reader(&open)?;
        let mut buffer = vec![0; READ_BYTES];
        let mut size = 0;
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                count => {
                    hasher.update(&buffer[..count]);
                    size += count as u64;
                }
            }
        }
        copy.size = size;
        copy.sha256 = Sha256::from_digest(hasher.finalize().into());
        Ok(copy)
    }

    /// The bytes of the copy, from the first on.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn reader<R: Read + Seek>(&self, open: impl Fn() -> io::Result<R>) -> io::Result<CutReader<'_, R>> {
        let unpacked = match &self.packed {
            Some(data) => Some(Unpacked { bytes: unpack(open()?, data)?, at: 0 }),
            None => None,
        };
        Ok(CutReader { parts: self.parts.iter(), now: None, file: open()?, unpacked })
    }

    /// Update.zip without what is called `wanted` in it; `base` is where it lies in the file, if it is stored.
    fn cut_inside(&mut self, inner: &Ending, wanted: &str, base: Option<u64>) -> Result<Vec<Part>, NoCut> {
        let listed = inner.entries()?;
        let range = |from: u64, to: u64| match base {
            Some(base) => Part::File(base + from..base + to),
            None => Part::Unpacked(from..to),
        };
        let gone: Vec<Range<u64>> = {
            let named = |entry: &&Entry| windows(&entry.name).eq_ignore_ascii_case(wanted);
            let mut gone: Vec<_> =
                listed.iter().filter(named).map(|entry| span(entry, &listed, inner.start)).collect();
            gone.sort_by_key(|span| span.start);
            gone
        };
        self.removed = gone.len();
        let mut parts = Vec::new();
        let mut from = 0;
        for span in &gone {
            parts.push(range(from, span.start));
            from = span.end;
        }
        parts.push(range(from, inner.start));
        let lost = |at: u64| {
            gone.iter().filter(|span| span.start < at).map(|span| span.end - span.start).sum::<u64>()
        };
        let mut directory = Vec::new();
        for entry in listed.iter().filter(|entry| !gone.iter().any(|span| span.start == entry.offset)) {
            directory.extend(entry.moved_to(entry.offset - lost(entry.offset))?);
        }
        let entries = listed.len() - gone.len();
        let end = inner.ended(entries, directory.len(), inner.start - lost(inner.start))?;
        directory.extend(end);
        parts.push(Part::Bytes(directory));
        Ok(parts)
    }

    /// The whole package around the new Update.zip, which is stored: what is in it is compressed already.
    fn wrap(
        &mut self,
        outer: &Ending,
        listed: &[Entry],
        at: usize,
        size: u64,
        crc: u32,
    ) -> Result<(), NoCut> {
        let update = &listed[at];
        let old = span(update, listed, outer.start);
        let local = update.stored_local(size, crc)?;
        let new_length = local.len() as u64 + size;
        let moved = |offset: u64| {
            if offset > update.offset { offset - (old.end - old.start) + new_length } else { offset }
        };
        let mut directory = Vec::new();
        for entry in listed {
            if entry.offset == update.offset {
                directory.extend(entry.stored_entry(size, crc)?);
            } else {
                directory.extend(entry.moved_to(moved(entry.offset))?);
            }
        }
        directory.extend(outer.ended(listed.len(), directory.len(), moved(outer.start))?);
        let inside = std::mem::take(&mut self.parts);
        self.parts = vec![Part::File(0..update.offset), Part::Bytes(local)];
        self.parts.extend(inside);
        self.parts.extend([Part::File(old.end..outer.start), Part::Bytes(directory)]);
        Ok(())
    }
}

/// The end of an archive: its directory and what follows.
struct Ending {
    directory: Vec<u8>,
    /// Where the directory begins.
    start: u64,
    /// The end record with its comment.
    end: Vec<u8>,
}

impl Ending {
    /// Of an archive of `length` bytes, from the last ones.
    fn of(tail: &[u8], length: u64) -> Result<Self, NoCut> {
        let is_end = |at: &usize| {
            record::u32_at(tail, *at) == Some(END)
                && record::end(&tail[*at..])
                    .is_some_and(|end| *at as u64 + END_SIZE + end.comment == tail.len() as u64)
        };
        let at =
            (0..tail.len()).rev().find(is_end).ok_or(NoCut::Unfit("the archive has bytes behind its end"))?;
        let end = record::end(&tail[at..]).ok_or(NoCut::Unfit("the end of the archive is cut off"))?;
        let before = length - tail.len() as u64;
        if end.entries == u64::from(u16::MAX)
            || end.size == u64::from(u32::MAX)
            || end.offset == u64::from(u32::MAX)
            || end.split
        {
            return Err(NoCut::Unfit("the archive uses zip64 or is one volume of several"));
        }
        if end.offset + end.size != before + at as u64 {
            return Err(NoCut::Unfit("bytes stand before the archive or behind its directory"));
        }
        let start = end
            .offset
            .checked_sub(before)
            .and_then(|start| usize::try_from(start).ok())
            .ok_or(NoCut::Unfit("the archive's directory is larger than is read"))?;
        Ok(Self { directory: tail[start..at].to_vec(), start: end.offset, end: tail[at..].to_vec() })
    }

    fn entries(&self) -> Result<Vec<Entry>, NoCut> {
        let damaged = NoCut::Unfit("the archive's directory is damaged");
        let mut entries = Vec::new();
        let mut rest = self.directory.as_slice();
        while !rest.is_empty() {
            let fixed = rest.get(..CENTRAL_SIZE as usize);
            let lengths = fixed.and_then(|fixed| Some((fixed, record::central_lengths(fixed)?)));
            let Some((fixed, (name, extra, comment))) = lengths else { return Err(damaged) };
            let used = CENTRAL_SIZE as usize + name + extra + comment;
            let Some(raw) = rest.get(..used) else { return Err(damaged) };
            let variable = &raw[CENTRAL_SIZE as usize..];
            let Ok(central) = record::central(fixed, &variable[name..name + extra]) else {
                return Err(damaged);
            };
            let Header { zip64, packed, .. } = central.header;
            if zip64
                || packed == u64::from(u32::MAX)
                || central.offset == u64::from(u32::MAX)
                || name > LONGEST_NAME
            {
                return Err(NoCut::Unfit("a member of the archive uses zip64"));
            }
            entries.push(Entry {
                raw: raw.to_vec(),
                name: decode(&variable[..name]),
                name_length: name,
                comment_length: comment,
                header: central.header,
                offset: central.offset,
            });
            rest = &rest[used..];
        }
        Ok(entries)
    }

    /// The end record for another directory.
    fn ended(&self, entries: usize, size: usize, start: u64) -> Result<Vec<u8>, NoCut> {
        let mut end = self.end.clone();
        let count = u16::try_from(entries).map_err(|_| TOO_LARGE)?;
        put(&mut end, 8, &count.to_le_bytes());
        put(&mut end, 10, &count.to_le_bytes());
        put(&mut end, 12, &narrow(size as u64)?);
        put(&mut end, 16, &narrow(start)?);
        Ok(end)
    }
}

const TOO_LARGE: NoCut = NoCut::Unfit("the copy would be larger than an archive without zip64 can be");

/// A member as the directory lists it.
struct Entry {
    raw: Vec<u8>,
    name: String,
    name_length: usize,
    comment_length: usize,
    header: Header,
    /// Where its own header begins.
    offset: u64,
}

impl Entry {
    /// The same entry for a member that lies elsewhere.
    fn moved_to(&self, offset: u64) -> Result<Vec<u8>, NoCut> {
        let mut raw = self.raw.clone();
        put(&mut raw, 42, &narrow(offset)?);
        Ok(raw)
    }

    fn raw_name(&self) -> &[u8] {
        &self.raw[CENTRAL_SIZE as usize..CENTRAL_SIZE as usize + self.name_length]
    }

    /// Flags, method, time, checksum and sizes of a member that is stored.
    fn stored(&self, size: u64, crc: u32) -> Result<Vec<u8>, NoCut> {
        let mut fields = Vec::new();
        // Of the flags only that the name is UTF-8 still holds.
        fields.extend((self.header.flags & (1 << 11)).to_le_bytes());
        fields.extend([0, 0]);
        fields.extend(&self.raw[12..16]);
        fields.extend(crc.to_le_bytes());
        fields.extend(narrow(size)?);
        fields.extend(narrow(size)?);
        Ok(fields)
    }

    fn stored_local(&self, size: u64, crc: u32) -> Result<Vec<u8>, NoCut> {
        let mut local = record::LOCAL.to_le_bytes().to_vec();
        local.extend([20, 0]);
        local.extend(self.stored(size, crc)?);
        local.extend(&self.raw[28..30]);
        local.extend([0, 0]);
        local.extend(self.raw_name());
        Ok(local)
    }

    fn stored_entry(&self, size: u64, crc: u32) -> Result<Vec<u8>, NoCut> {
        let mut entry = self.raw[..6].to_vec();
        entry.extend([20, 0]);
        entry.extend(self.stored(size, crc)?);
        entry.extend(&self.raw[28..30]);
        entry.extend([0, 0]);
        // The comment's length, the volume, the attributes, the place.
        entry.extend(&self.raw[32..46]);
        entry.extend(self.raw_name());
        entry.extend(&self.raw[self.raw.len() - self.comment_length..]);
        Ok(entry)
    }
}

/// From a member's own header to the next one, or to the directory.
fn span(entry: &Entry, listed: &[Entry], directory: u64) -> Range<u64> {
    let next = listed.iter().map(|other| other.offset).filter(|offset| *offset > entry.offset).min();
    entry.offset..next.unwrap_or(directory)
}

fn narrow(value: u64) -> Result<[u8; 4], NoCut> {
    let narrow = u32::try_from(value).ok().filter(|narrow| *narrow < u32::MAX);
    narrow.map(u32::to_le_bytes).ok_or(TOO_LARGE)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// Where the bytes of a member lie.
fn data_of<R: Read + Seek>(reader: &mut R, entry: &Entry) -> Result<Range<u64>, NoCut> {
    let mut fixed = [0; record::LOCAL_SIZE as usize];
    reader.seek(SeekFrom::Start(entry.offset))?;
    reader.read_exact(&mut fixed)?;
    let lengths = record::local_lengths(&fixed).filter(|_| record::u32_at(&fixed, 0) == Some(record::LOCAL));
    let (name, extra) = lengths.ok_or(NoCut::Unfit("Update.zip is not where the directory says"))?;
    let start = entry.offset + record::LOCAL_SIZE + (name + extra) as u64;
    Ok(start..start + entry.header.packed)
}

/// The last bytes of a part of a file.
fn tail_of<R: Read + Seek>(reader: &mut R, part: Range<u64>) -> io::Result<Vec<u8>> {
    let from = part.start.max(part.end.saturating_sub(TAIL as u64));
    reader.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    reader.by_ref().take(part.end - from).read_to_end(&mut tail)?;
    Ok(tail)
}

/// The last bytes of a stream, and how many it has in all.
fn last_of(mut stream: impl Read) -> io::Result<(Vec<u8>, u64)> {
    let mut kept = Vec::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut length = 0;
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            let surplus = kept.len().saturating_sub(TAIL);
            kept.drain(..surplus);
            return Ok((kept, length));
        }
        length += count as u64;
        kept.extend_from_slice(&buffer[..count]);
        // Seldom enough to cost nothing.
        if kept.len() > 2 * TAIL {
            kept.drain(..kept.len() - TAIL);
        }
    }
}

/// Size and checksum of a stream.
fn sum(stream: &mut impl Read) -> io::Result<(u64, u32)> {
    let (mut size, mut crc) = (0, Crc::new());
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok((size, crc.sum())),
            count => {
                size += count as u64;
                crc.update(&buffer[..count]);
            }
        }
    }
}

type Inflated<R> = DeflateDecoder<BufReader<Take<R>>>;

fn unpack<R: Read + Seek>(mut reader: R, data: &Range<u64>) -> io::Result<Inflated<R>> {
    reader.seek(SeekFrom::Start(data.start))?;
    Ok(DeflateDecoder::new(BufReader::with_capacity(READ_BYTES, reader.take(data.end - data.start))))
}

/// Update.zip as it comes out of its compression, forwards only.
struct Unpacked<R: Read> {
    bytes: Inflated<R>,
    at: u64,
}

/// The copy as a stream.
pub struct CutReader<'a, R: Read> {
    parts: slice::Iter<'a, Part>,
    /// The part at hand and how much of it is read.
    now: Option<(&'a Part, u64)>,
    file: R,
    unpacked: Option<Unpacked<R>>,
}

impl<R: Read + Seek> CutReader<'_, R> {
    /// Bytes of the part at hand into `buffer`; none at its end.
    fn part(&mut self, part: &Part, done: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let room = |left: u64, buffer: &[u8]| usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match part {
            Part::Bytes(bytes) => {
                let from = usize::try_from(done).unwrap_or(bytes.len());
                let count = room((bytes.len() - from) as u64, buffer);
                buffer[..count].copy_from_slice(&bytes[from..from + count]);
                Ok(count)
            }
            Part::File(range) => {
                if done == 0 {
                    self.file.seek(SeekFrom::Start(range.start))?;
                }
                let count = room(range.end - range.start - done, buffer);
                filled(&mut self.file, &mut buffer[..count])
            }
            Part::Unpacked(range) => {
                let Some(Unpacked { bytes, at }) = &mut self.unpacked else {
                    return Err(io::ErrorKind::InvalidInput.into());
                };
                while *at < range.start {
                    let count = room(range.start - *at, buffer);
                    *at += filled(bytes, &mut buffer[..count])? as u64;
                }
                let count = room(range.end - range.start - done, buffer);
                let count = filled(bytes, &mut buffer[..count])?;
                *at += count as u64;
                Ok(count)
            }
        }
    }
}

/// Reads something, unless nothing is asked for: the file must not have become shorter.
fn filled(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    if buffer.is_empty() {
        return Ok(0);
    }
    match reader.read(buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => Ok(count),
    }
}

impl<R: Read + Seek> Read for CutReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let (part, done) = match self.now {
                Some(now) => now,
                None => match self.parts.next() {
                    Some(part) => (part, 0),
                    None => return Ok(0),
                },
            };
            let count = self.part(part, done, buffer)?;
            self.now = (count > 0).then_some((part, done + count as u64));
            if count > 0 {
                return Ok(count);
            }
        }
    }
}
