//! `Security.xml`: only whether any user's password is expired (`domain/02 H11`). Nothing else of it is kept.

use quick_xml::{Reader, events::Event};

use super::text::decode;

/// Whether any element carries `expired="true"`; the error says why the file tells nothing.
pub fn any_expired(bytes: &[u8]) -> Result<bool, String> {
    let text = decode(bytes);
    let mut reader = Reader::from_str(&text);
    let mut elements = 0_usize;
    let mut depth = 0_usize;
    loop {
        // The parser's own errors may quote the file; it holds hashes of passwords.
        let event = reader.read_event().map_err(|_| "Security.xml is not XML".to_owned())?;
        let element = match &event {
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        elements += 1;
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|_| "Security.xml has a broken attribute".to_owned())?;
            if attribute.key.local_name().as_ref().eq_ignore_ascii_case(b"expired")
                && attribute.value.eq_ignore_ascii_case(b"true")
            {
                return Ok(true);
            }
        }
    }
    if elements == 0 || depth > 0 { Err("Security.xml is not whole".to_owned()) } else { Ok(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expired_user_is_enough() {
        assert_eq!(
            any_expired(b"<Security><U expired=\"false\"/><U expired=\"True\"><P/></U></Security>"),
            Ok(true)
        );
        assert_eq!(any_expired(b"<Security><U expired=\"false\"/>expired=\"true\"</Security>"), Ok(false));
    }

    #[test]
    fn nonsense_is_unknown_and_not_quoted() {
        for text in ["", "secret", "<Security>", "<S><U hash=topsecret/></S>"] {
            let error = any_expired(text.as_bytes()).expect_err(text);
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
