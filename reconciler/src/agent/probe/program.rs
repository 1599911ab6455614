//! The file version of a Windows program: `VS_FIXEDFILEINFO` in its resource section (PE/COFF, section 6.9 of
//! Microsoft's specification for the sections).

/// Bytes of a program that hold its headers.
pub const HEAD: usize = 4096;
/// Icons lie beside the version; no more of a resource section is read.
pub const RESOURCES: usize = 4 << 20;

const SECTION: usize = 40;
/// Windows itself loads no program with more.
const MOST_SECTIONS: usize = 96;
/// Behind the key come at most three bytes of padding.
const NEAR: usize = 8;

/// Where the resource section of a program lies in its file: offset and length. `head` is its beginning.
pub fn resources(head: &[u8]) -> Option<(u64, usize)> {
    if !head.starts_with(b"MZ") {
        return None;
    }
    let header = usize::try_from(u32_at(head, 0x3c)?).ok()?;
    if head.get(header..header.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let sections = usize::from(u16_at(head, header + 6)?).min(MOST_SECTIONS);
    let first = header + 24 + usize::from(u16_at(head, header + 20)?);
    (0..sections).find_map(|index| {
        let at = first + index * SECTION;
        let entry = head.get(at..at + SECTION)?;
        if &entry[..8] != b".rsrc\0\0\0" {
            return None;
        }
        let length = usize::try_from(u32_at(entry, 16)?).ok()?.min(RESOURCES);
        Some((u64::from(u32_at(entry, 20)?), length))
    })
}

/// The version in a resource section: `10.5.0.16889`.
pub fn version(resources: &[u8]) -> Option<String> {
    let key: Vec<u8> = "VS_VERSION_INFO\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let after = resources.windows(key.len()).position(|window| window == key)? + key.len();
    let info = resources.get(after..)?;
    let fixed = (0..=NEAR.min(info.len())).find(|at| u32_at(info, *at) == Some(0xfeef_04bd))?;
    let (high, low) = (u32_at(info, fixed + 8)?, u32_at(info, fixed + 12)?);
    Some(format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn program(optional: u16) -> Vec<u8> {
        let mut bytes = b"MZ".to_vec();
        bytes.resize(0x3c, 0);
        bytes.extend(0x80_u32.to_le_bytes());
        bytes.resize(0x80, 0);
        bytes.extend(b"PE\0\0\x64\x86\x02\0");
        bytes.extend([0; 12]);
        bytes.extend(optional.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.resize(bytes.len() + usize::from(optional), 0);
        for (name, at) in [(b".text\0\0\0", 0x400_u32), (b".rsrc\0\0\0", 0x600)] {
            bytes.extend(name);
            bytes.extend([0x99_u32, 0x1000, 0x77, at].into_iter().flat_map(u32::to_le_bytes));
            bytes.resize(bytes.len() + 16, 0);
        }
        bytes
    }

    fn section() -> Vec<u8> {
        let mut bytes = vec![7; 30];
        bytes.extend("VS_VERSION_INFO\0".encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0; 2]);
        let words = [0xfeef_04bd, 0x0001_0000, (10 << 16) | 5, 16889, 0, 0];
        bytes.extend(words.into_iter().flat_map(u32::to_le_bytes));
        bytes
    }

    #[test]
    fn the_resource_section_is_found_behind_any_optional_header() {
        for optional in [0, 224, 240] {
            assert_eq!(resources(&program(optional)), Some((0x600, 0x77)), "{optional}");
        }
        assert_eq!(resources(b"MZ simulated"), None);
        assert_eq!(resources(b""), None);
        assert_eq!(version(&section()).as_deref(), Some("10.5.0.16889"));
        assert_eq!(version(b"nothing"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0_usize..700) {
            let _head = resources(&bytes);
            let _version = version(&bytes);
            let whole = program(240);
            let _head = resources(&whole[..cut.min(whole.len())]);
            let whole = section();
            let _version = version(&whole[..cut.min(whole.len())]);
        }
    }
}
