//! Text as Windows programs leave it: with or without a byte order mark, UTF-8, UTF-16 or an old code page.

/// Decodes text of unknown encoding. Bytes that mean nothing become U+FFFD; nothing fails.
pub fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // ASCII in UTF-16 without a mark: every second byte is zero.
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    // A last odd byte is half a character that was being written.
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_windows_reads() {
        let text = "10.5.0;é";
        let utf16le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(text.as_bytes()), text);
        assert_eq!(decode(&[&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat()), text);
        assert_eq!(decode(&[&[0xFF, 0xFE], utf16le.as_slice()].concat()), text);
        assert_eq!(decode(&[&[0xFE, 0xFF], utf16be.as_slice()].concat()), text);
        assert_eq!(decode(&utf16le), text);
        assert_eq!(decode(&utf16be), text);
    }

    #[test]
    fn garbage_decodes_to_something() {
        assert_eq!(decode(&[]), "");
        assert_eq!(decode(&[0xFF, 0xFE]), "");
        assert_eq!(decode(&[0xFF, 0xFE, 0x41]), "");
        assert_eq!(decode(&[0x41, 0xFF]), "A\u{FFFD}");
    }
}
