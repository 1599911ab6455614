//! The records of a zip archive, from bytes; nothing here reads or allocates by what a record claims.

/// A record that is not what it should be: which one, and what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

pub(super) const LOCAL: u32 = 0x0403_4b50;
pub(super) const CENTRAL: u32 = 0x0201_4b50;
pub(super) const END: u32 = 0x0605_4b50;
pub(super) const END64: u32 = 0x0606_4b50;
pub(super) const LOCATOR64: u32 = 0x0706_4b50;
pub(super) const DESCRIPTOR: u32 = 0x0807_4b50;

/// Bytes of the fixed parts, signatures included.
pub(super) const LOCAL_SIZE: u64 = 30;
pub(super) const CENTRAL_SIZE: u64 = 46;
pub(super) const END_SIZE: u64 = 22;
pub(super) const END64_SIZE: u64 = 56;
pub(super) const LOCATOR64_SIZE: u64 = 20;

const FULL32: u64 = u32::MAX as u64;
const FULL16: u64 = u16::MAX as u64;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// How a member is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
    Other(u16),
}

impl From<u16> for Method {
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Stored,
            8 => Self::Deflated,
            other => Self::Other(other),
        }
    }
}

/// What stands about a member both before its bytes and in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) method: Method,
    pub(super) crc: u32,
    /// Bytes as they lie in the archive.
    pub(super) packed: u64,
    /// Bytes unpacked.
    pub(super) size: u64,
    pub(super) zip64: bool,
}

impl Header {
    /// Bit 0, or the strong form in bit 6, or a masked header in bit 13.
    pub(super) fn encrypted(&self) -> bool {
        self.flags & (1 | 1 << 6 | 1 << 13) != 0
    }

    /// Checksum and sizes stand behind the bytes.
    pub(super) fn described_later(&self) -> bool {
        self.flags & (1 << 3) != 0
    }

    pub(super) fn utf8(&self) -> bool {
        self.flags & (1 << 11) != 0
    }
}

/// The fixed part of a local header: how long its name and extra fields are.
pub(super) fn local_lengths(fixed: &[u8]) -> Option<(usize, usize)> {
    Some((u16_at(fixed, 26)?.into(), u16_at(fixed, 28)?.into()))
}

/// A local header from its fixed part (signature included) and its extra fields.
pub(super) fn local(fixed: &[u8], extra: &[u8]) -> Result<Header, Malformed> {
    let broken = Malformed("a member's own header is cut off");
    let mut header = Header {
        flags: u16_at(fixed, 6).ok_or(broken)?,
        method: u16_at(fixed, 8).ok_or(broken)?.into(),
        crc: u32_at(fixed, 14).ok_or(broken)?,
        packed: u32_at(fixed, 18).ok_or(broken)?.into(),
        size: u32_at(fixed, 22).ok_or(broken)?.into(),
        zip64: false,
    };
    let Header { packed, size, zip64, .. } = &mut header;
    *zip64 = widen(extra, [Some(size), Some(packed), None])?;
    Ok(header)
}

/// An entry of the directory, without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Central {
    pub(super) header: Header,
    /// Where the local header begins, as the directory counts.
    pub(super) offset: u64,
    /// The operating system that made it, from whose attributes a symbolic link is told.
    pub(super) made_by: u8,
    pub(super) attributes: u32,
    pub(super) disk: u16,
}

impl Central {
    /// A Unix symbolic link.
    pub(super) fn is_link(&self) -> bool {
        self.made_by == 3 && (self.attributes >> 16) & 0o170_000 == 0o120_000
    }
}

/// The fixed part of a directory entry: how long its name, extra fields and comment are.
pub(super) fn central_lengths(fixed: &[u8]) -> Option<(usize, usize, usize)> {
    Some((u16_at(fixed, 28)?.into(), u16_at(fixed, 30)?.into(), u16_at(fixed, 32)?.into()))
}

/// A directory entry from its fixed part (signature included) and its extra fields.
pub(super) fn central(fixed: &[u8], extra: &[u8]) -> Result<Central, Malformed> {
    let broken = Malformed("an entry of the directory is cut off");
    let mut header = Header {
        flags: u16_at(fixed, 8).ok_or(broken)?,
        method: u16_at(fixed, 10).ok_or(broken)?.into(),
        crc: u32_at(fixed, 16).ok_or(broken)?,
        packed: u32_at(fixed, 20).ok_or(broken)?.into(),
        size: u32_at(fixed, 24).ok_or(broken)?.into(),
        zip64: false,
    };
    let mut offset = u32_at(fixed, 42).ok_or(broken)?.into();
    let Header { packed, size, zip64, .. } = &mut header;
    *zip64 = widen(extra, [Some(size), Some(packed), Some(&mut offset)])?;
    Ok(Central {
        header,
        offset,
        made_by: *fixed.get(5).ok_or(broken)?,
        attributes: u32_at(fixed, 38).ok_or(broken)?,
        disk: u16_at(fixed, 34).ok_or(broken)?,
    })
}

/// Replaces values that do not fit into 32 bits by those of the zip64 field, which holds only these, in this order.
fn widen(mut extra: &[u8], values: [Option<&mut u64>; 3]) -> Result<bool, Malformed> {
    let field = loop {
        // Fewer than four bytes are padding, which some writers leave.
        let (Some(id), Some(size)) = (u16_at(extra, 0), u16_at(extra, 2)) else { break None };
        let end = 4 + usize::from(size);
        let Some(body) = extra.get(4..end) else {
            return Err(Malformed("the extra fields of a member are cut off"));
        };
        if id == 1 {
            break Some(body);
        }
        extra = &extra[end..];
    };
    let mut at = 0;
    for value in values.into_iter().flatten().filter(|value| **value == FULL32) {
        // Without the field 4294967295 is what it says; the member will then not fit into its file.
        let Some(field) = field else { continue };
        *value = u64_at(field, at).ok_or(Malformed("the zip64 field of a member is cut off"))?;
        at += 8;
    }
    Ok(field.is_some())
}

/// The end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) entries: u64,
    /// Bytes of the directory.
    pub(super) size: u64,
    /// Where the directory begins, counted from the first byte of the archive.
    pub(super) offset: u64,
    pub(super) split: bool,
    /// Bytes of the comment.
    pub(super) comment: u64,
    pub(super) zip64: bool,
}

pub(super) fn end(bytes: &[u8]) -> Option<End> {
    let (disk, start) = (u16_at(bytes, 4)?, u16_at(bytes, 6)?);
    let (here, entries) = (u16_at(bytes, 8)?, u16_at(bytes, 10)?);
    // 65535 stands for "see the zip64 record".
    let split = (disk != start || here != entries || disk != 0) && disk != u16::MAX && start != u16::MAX;
    Some(End {
        entries: entries.into(),
        size: u32_at(bytes, 12)?.into(),
        offset: u32_at(bytes, 16)?.into(),
        split,
        comment: u16_at(bytes, 20)?.into(),
        zip64: false,
    })
}

/// Where the locator says that the zip64 end is.
pub(super) fn locator64(bytes: &[u8]) -> Option<u64> {
    (u32_at(bytes, 0)? == LOCATOR64).then_some(u64_at(bytes, 8)?)
}

/// Fills what does not fit into the short end from the long one; what fits must be the same in both.
pub(super) fn widen_end(short: End, bytes: &[u8]) -> Result<End, Malformed> {
    let broken = Malformed("the zip64 end of the archive is cut off");
    let (entries, size, offset) = (
        u64_at(bytes, 32).ok_or(broken)?,
        u64_at(bytes, 40).ok_or(broken)?,
        u64_at(bytes, 48).ok_or(broken)?,
    );
    let same = |narrow: u64, full: u64, wide: u64| narrow == full || narrow == wide;
    if !(same(short.entries, FULL16, entries)
        && same(short.size, FULL32, size)
        && same(short.offset, FULL32, offset))
    {
        return Err(Malformed("the two ends of the archive (with and without zip64) disagree"));
    }
    let split = short.split || u32_at(bytes, 16) != u32_at(bytes, 20) || u64_at(bytes, 24) != Some(entries);
    Ok(End { entries, size, offset, split, comment: short.comment, zip64: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip64_field_gives_only_what_does_not_fit() {
        let mut fixed = vec![0; 46];
        fixed[20..24].copy_from_slice(&7_u32.to_le_bytes());
        fixed[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
        fixed[42..46].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut extra = vec![9, 0, 1, 0, 42, 1, 0, 16, 0];
        extra.extend(5_000_000_000_u64.to_le_bytes());
        extra.extend(6_000_000_000_u64.to_le_bytes());
        let read = central(&fixed, &extra).expect("it is whole");
        assert_eq!((read.header.size, read.header.packed, read.offset), (5_000_000_000, 7, 6_000_000_000));
        assert!(read.header.zip64);
        assert!(central(&fixed, &extra[..extra.len() - 1]).is_err(), "cut off");
        extra[7] = 8;
        assert!(central(&fixed, &extra).is_err(), "one value is missing");
        assert_eq!(central(&fixed, &[]).expect("no field").header.size, u64::from(u32::MAX));
    }

    #[test]
    fn short_records_are_refused() {
        assert_eq!(end(&[0; 21]), None);
        assert!(local(&[0; 29], &[]).is_ok() && local(&[0; 20], &[]).is_err());
        assert!(central(&[0; 45], &[]).is_err());
        assert!(widen_end(end(&[0; 22]).expect("long enough"), &[0; 50]).is_err());
    }
}
