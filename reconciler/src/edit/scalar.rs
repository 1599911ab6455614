//! One value as it stands in a file: which of its bytes are the text, and which are how it is written.

use super::EditError;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// What stands around the text: an anchor before it, blanks after it.
struct Parts<'a> {
    before: &'a str,
    text: &'a str,
    after: &'a str,
    style: Style,
}

/// The text that a value is written as, without its quotes; escapes are not resolved.
///
/// # Errors
/// What is no text on its own.
pub fn written(old: &str) -> Result<&str, EditError> {
    let Parts { text, style, .. } = take_apart(old)?;
    Ok(match style {
        Style::Plain => text,
        Style::Single | Style::Double => &text[1..text.len() - 1],
    })
}

/// `value`, written as `old` is.
pub(super) fn like(old: &str, value: &str) -> Result<String, EditError> {
    let Parts { before, text: _, after, style } = take_apart(old)?;
    // Nothing that any style would have to escape, and nothing that plain text could not hold in a flow collection.
    let safe =
        value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')'))
            && value.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !value.ends_with(' ');
    // A plain `10.5` or `10` would be a number.
    let number = value.bytes().filter(|byte| *byte == b'.').count() < 2
        && value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'_'));
    if !safe || (style == Style::Plain && number) {
        return Err(EditError::Unwritable(value.to_owned()));
    }
    Ok(match style {
        Style::Plain => format!("{before}{value}{after}"),
        Style::Single => format!("{before}'{value}'{after}"),
        Style::Double => format!("{before}\"{value}\"{after}"),
    })
}

fn take_apart(old: &str) -> Result<Parts<'_>, EditError> {
    let trimmed = old.trim_end_matches([' ', '\t', '\r', '\n']);
    let after = &old[trimmed.len()..];
    let (before, text) = match trimmed.strip_prefix('&') {
        None => ("", trimmed),
        Some(anchor) => {
            let end = anchor.find([' ', '\t']).ok_or(EditError::NotAText)?;
            let rest = anchor[end..].trim_start_matches([' ', '\t']);
            trimmed.split_at(trimmed.len() - rest.len())
        }
    };
    let quoted = |quote: char| text.len() >= 2 && text.ends_with(quote);
    let style = match text.chars().next() {
        Some('|' | '>') => return Err(EditError::Block),
        Some('"') if quoted('"') => Style::Double,
        Some('\'') if quoted('\'') => Style::Single,
        Some('*' | '!' | '&' | '[' | '{' | '"' | '\'' | '#') | None => return Err(EditError::NotAText),
        Some(_) => Style::Plain,
    };
    Ok(Parts { before, text, after, style })
}
