//! Text into YAML so that it stays text: what Agents call themselves must not become a field, a comment's end or a
//! trick of the terminal.

use std::fmt::Write as _;

use dataminer_schema::v1::cluster::SecretRef;

/// The most characters of a foreign text in a comment.
const MAX_COMMENT: usize = 200;

/// A scalar that every reader takes for this text: plain where that is beyond doubt, else quoted.
pub(super) fn scalar(text: &str) -> String {
    let simple = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    // YAML 1.1 readers take these for truth values.
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if simple && !word.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    quoted(text)
}

/// A double-quoted scalar on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let _infallible = match u16::try_from(code) {
                    Ok(code) => write!(out, "\\u{code:04X}"),
                    Err(_) => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Where a secret is, never what it is.
pub(super) fn secret(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => format!("{{ env: {} }}", quoted(name)),
        SecretRef::File(path) => format!("{{ file: {} }}", quoted(path)),
    }
}

/// A foreign text for the inside of a comment: one line, and nothing that a terminal acts on.
pub(super) fn remark(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == MAX_COMMENT {
            out.push('…');
            break;
        }
        out.push(match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_printable(c) => c,
            _ => '?',
        });
    }
    out
}

/// Neither a control character, nor one that changes direction or shows as nothing, nor one that YAML refuses.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}
