//! The bytes of one member, unpacked as a stream and compared with what the directory says.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::{Crc, bufread::DeflateDecoder};

use super::{
    directory::Member,
    record::{Header, Method},
};

/// Bytes that are read at once: fits a processor's cache, which makes it faster than more.
pub(super) const READ_BYTES: usize = 64 << 10;

/// Why a member could not be read to its end.
#[derive(Debug)]
pub(super) enum Unread {
    /// The file itself cannot be read.
    Io(io::Error),
    /// What is wrong with the member.
    Damaged(String),
    /// It is longer than it may be.
    TooLong,
    /// Its method is not read here; the directory told.
    Method,
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        if is_damage(&error) { Self::Damaged(damage(&error)) } else { Self::Io(error) }
    }
}

/// Errors that tell of the bytes and not of the disk.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

fn damage(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "its bytes end too early".to_owned(),
        _ => "its compressed bytes make no sense".to_owned(),
    }
}

/// A member's bytes, unpacked.
pub(super) enum Bytes<R: Read> {
    Stored(BufReader<Take<R>>),
    Deflated(DeflateDecoder<BufReader<Take<R>>>),
}

impl<R: Read> Read for Bytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(reader) => reader.read(buffer),
            Self::Deflated(reader) => reader.read(buffer),
        }
    }
}

/// Opens a member of an archive at its bytes.
pub(super) fn open<R: Read + Seek>(mut reader: R, member: &Member) -> Result<Bytes<R>, Unread> {
    let Some(at) = member.data else {
        return Err(Unread::Damaged("its bytes are not where they should be".to_owned()));
    };
    reader.seek(SeekFrom::Start(at)).map_err(Unread::Io)?;
    let section = BufReader::with_capacity(READ_BYTES, reader.take(member.header.packed));
    match member.header.method {
        Method::Stored => Ok(Bytes::Stored(section)),
        Method::Deflated => Ok(Bytes::Deflated(DeflateDecoder::new(section))),
        Method::Other(_) => Err(Unread::Method),
    }
}

/// Reads to the end, at most `cap` bytes, hands everything to `sink`, and returns size and checksum.
pub(super) fn drain(
    reader: &mut impl Read,
    cap: u64,
    mut sink: impl FnMut(&[u8]),
) -> Result<(u64, u32), Unread> {
    let mut buffer = vec![0; READ_BYTES];
    let (mut size, mut crc) = (0_u64, Crc::new());
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok((size, crc.sum())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        size += count as u64;
        if size > cap {
            return Err(Unread::TooLong);
        }
        crc.update(&buffer[..count]);
        sink(&buffer[..count]);
    }
}

/// Compares what came out with what the header promised.
pub(super) fn compare(header: &Header, size: u64, crc: u32) -> Result<(), Unread> {
    if size != header.size {
        return Err(Unread::Damaged(format!("it holds {size} bytes instead of {}", header.size)));
    }
    if crc != header.crc {
        return Err(Unread::Damaged("its checksum differs".to_owned()));
    }
    Ok(())
}

/// Reads a whole member of an archive.
pub(super) fn read<R: Read + Seek>(
    reader: R,
    member: &Member,
    cap: u64,
    sink: impl FnMut(&[u8]),
) -> Result<(), Unread> {
    if member.header.size > cap {
        return Err(Unread::TooLong);
    }
    let (size, crc) = drain(&mut open(reader, member)?, cap, sink)?;
    compare(&member.header, size, crc)
}

/// A part of a reader as a reader of its own: Update.zip where it is stored.
pub(super) struct Window<'a, R> {
    inner: &'a mut R,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a, R: Read + Seek> Window<'a, R> {
    pub(super) fn new(inner: &'a mut R, start: u64, length: u64) -> Self {
        Self { inner, start, length, at: 0 }
    }
}

impl<R: Read + Seek> Read for Window<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left =
            usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX).min(buffer.len());
        if left == 0 {
            return Ok(0);
        }
        self.inner.seek(SeekFrom::Start(self.start + self.at))?;
        let count = self.inner.read(&mut buffer[..left])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Window<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
