//! Archives byte by byte: whole ones, and such as no program would write.

use std::io::Write;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// One member, with everything that can be wrong about it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    pub(super) method: u16,
    pub(super) flags: u16,
    /// Checksum and sizes stand behind the bytes, and zeros before them.
    pub(super) descriptor: bool,
    pub(super) made_by: u8,
    pub(super) attributes: u32,
    /// What the member's own header says instead of the truth.
    pub(super) local_name: Option<Vec<u8>>,
    pub(super) local_size: Option<u32>,
    pub(super) local_crc: Option<u32>,
    /// What the directory says instead of the truth.
    pub(super) listed_size: Option<u32>,
    pub(super) listed_crc: Option<u32>,
    pub(super) listed_offset: Option<u32>,
    /// Whether the directory lists it at all.
    pub(super) listed: bool,
}

pub(super) fn stored(name: &str, bytes: impl AsRef<[u8]>) -> Member {
    Member {
        name: name.as_bytes().to_vec(),
        bytes: bytes.as_ref().to_vec(),
        method: 0,
        flags: 0,
        descriptor: false,
        made_by: 0,
        attributes: 0,
        local_name: None,
        local_size: None,
        local_crc: None,
        listed_size: None,
        listed_crc: None,
        listed_offset: None,
        listed: true,
    }
}

pub(super) fn deflated(name: &str, bytes: impl AsRef<[u8]>) -> Member {
    Member { method: 8, ..stored(name, bytes) }
}

pub(super) fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn packed(member: &Member) -> Vec<u8> {
    if member.method != 8 {
        return member.bytes.clone();
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&member.bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn put(out: &mut Vec<u8>, words: &[(u32, usize)]) {
    for (value, bytes) in words {
        out.extend(&value.to_le_bytes()[..*bytes]);
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("small")
}

/// The whole archive.
pub(super) fn zip(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let mut listed = 0;
    for member in members {
        let offset = length(&out);
        let bytes = packed(member);
        let (crc, packed_size, size) = (crc_of(&member.bytes), length(&bytes), length(&member.bytes));
        let flags = u32::from(member.flags) | u32::from(member.descriptor) << 3;
        let method = u32::from(member.method);
        let (local_crc, local_packed, local_size) =
            if member.descriptor { (0, 0, 0) } else { (crc, packed_size, size) };
        let own_name = member.local_name.as_ref().unwrap_or(&member.name);
        put(&mut out, &[(0x0403_4b50, 4), (20, 2), (flags, 2), (method, 2), (0, 4)]);
        put(&mut out, &[(member.local_crc.unwrap_or(local_crc), 4), (local_packed, 4)]);
        put(&mut out, &[(member.local_size.unwrap_or(local_size), 4), (length(own_name), 2), (0, 2)]);
        out.extend(own_name);
        out.extend(&bytes);
        if member.descriptor {
            put(&mut out, &[(0x0807_4b50, 4), (crc, 4), (packed_size, 4), (size, 4)]);
        }
        if !member.listed {
            continue;
        }
        listed += 1;
        put(
            &mut directory,
            &[(0x0201_4b50, 4), (20, 1), (member.made_by.into(), 1), (20, 2), (flags, 2), (method, 2)],
        );
        put(&mut directory, &[(0, 4), (member.listed_crc.unwrap_or(crc), 4), (packed_size, 4)]);
        put(&mut directory, &[(member.listed_size.unwrap_or(size), 4), (length(&member.name), 2)]);
        put(&mut directory, &[(0, 2), (0, 2), (0, 2), (0, 2), (member.attributes, 4)]);
        put(&mut directory, &[(member.listed_offset.unwrap_or(offset), 4)]);
        directory.extend(&member.name);
    }
    let start = length(&out);
    out.extend(&directory);
    put(&mut out, &[(0x0605_4b50, 4), (0, 2), (0, 2), (listed, 2), (listed, 2)]);
    put(&mut out, &[(length(&directory), 4), (start, 4), (0, 2)]);
    out
}

/// What stands around one member of `size` bytes at the front and behind it, with zip64 where it must be.
pub(super) fn around_a_large_member(name: &str, size: u64, crc: u32, rest: &[Member]) -> (Vec<u8>, Vec<u8>) {
    let wide = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut head = Vec::new();
    put(
        &mut head,
        &[(0x0403_4b50, 4), (45, 2), (0, 2), (0, 2), (0, 4), (crc, 4), (u32::MAX, 4), (u32::MAX, 4)],
    );
    put(&mut head, &[(length(name.as_bytes()), 2), (20, 2)]);
    head.extend(name.as_bytes());
    put(&mut head, &[(1, 2), (16, 2)]);
    head.extend(wide(&[size, size]));
    let mut tail = Vec::new();
    let mut directory = Vec::new();
    put(&mut directory, &[(0x0201_4b50, 4), (45, 2), (45, 2), (0, 2), (0, 2), (0, 4), (crc, 4)]);
    put(
        &mut directory,
        &[
            (u32::MAX, 4),
            (u32::MAX, 4),
            (length(name.as_bytes()), 2),
            (20, 2),
            (0, 2),
            (0, 2),
            (0, 2),
            (0, 4),
            (0, 4),
        ],
    );
    directory.extend(name.as_bytes());
    put(&mut directory, &[(1, 2), (16, 2)]);
    directory.extend(wide(&[size, size]));
    for member in rest {
        let offset = head.len() as u64 + size + tail.len() as u64;
        let (crc, size) = (crc_of(&member.bytes), length(&member.bytes));
        put(&mut tail, &[(0x0403_4b50, 4), (20, 2), (0, 2), (0, 2), (0, 4), (crc, 4), (size, 4), (size, 4)]);
        put(&mut tail, &[(length(&member.name), 2), (0, 2)]);
        tail.extend(&member.name);
        tail.extend(&member.bytes);
        put(
            &mut directory,
            &[(0x0201_4b50, 4), (45, 2), (45, 2), (0, 2), (0, 2), (0, 4), (crc, 4), (size, 4), (size, 4)],
        );
        put(
            &mut directory,
            &[(length(&member.name), 2), (12, 2), (0, 2), (0, 2), (0, 2), (0, 4), (u32::MAX, 4)],
        );
        directory.extend(&member.name);
        put(&mut directory, &[(1, 2), (8, 2)]);
        directory.extend(wide(&[offset]));
    }
    let start = head.len() as u64 + size + tail.len() as u64;
    let entries = rest.len() as u64 + 1;
    let end64 = start + directory.len() as u64;
    let listed = directory.len() as u64;
    tail.extend(directory);
    put(&mut tail, &[(0x0606_4b50, 4)]);
    tail.extend(wide(&[44]));
    put(&mut tail, &[(45, 2), (45, 2), (0, 4), (0, 4)]);
    tail.extend(wide(&[entries, entries, listed, start]));
    put(&mut tail, &[(0x0706_4b50, 4), (0, 4)]);
    tail.extend(wide(&[end64]));
    put(&mut tail, &[(1, 4), (0x0605_4b50, 4), (0xffff, 2), (0xffff, 2), (0xffff, 2), (0xffff, 2)]);
    put(&mut tail, &[(u32::MAX, 4), (u32::MAX, 4), (0, 2)]);
    (head, tail)
}
