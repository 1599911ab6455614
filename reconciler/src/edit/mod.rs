//! Changing values in YAML files without touching a byte beside them: comments, order, indentation, quotes, line ends and
//! a byte order mark stay as somebody wrote them.
//!
//! Nothing here knows manifests. Whoever edits says which bytes are which value, and reads the result again before it is
//! written.

mod scalar;
mod write;

use std::ops::Range;

pub use self::{
    scalar::written,
    write::{Change, WriteError, write_all},
};

/// A value to write in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The bytes of the old value as it was written, quotes included.
    pub span: Range<usize>,
    /// The new value, without quotes.
    pub value: String,
}

/// Why a value cannot be changed in place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The place begins with the head of a block scalar and not with its text.
    #[error("the value is written as a block (`|` or `>`)")]
    Block,
    /// Not a text on its own.
    #[error("the value is not written as one text")]
    NotAText,
    /// The new value would need an escape or mean something else.
    #[error("`{0}` cannot be written in place of the old value")]
    Unwritable(String),
    /// Two replacements overlap, or lie outside the file.
    #[error("the places to change do not fit the file")]
    Places,
}

impl EditError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Block => "write it on one line, plain or in quotes",
            Self::NotAText => "write the version as one text",
            Self::Unwritable(_) | Self::Places => {
                "this is a fault of the program; please report it with the file"
            }
        }
    }
}

/// The file with these values replaced; each keeps its kind of quotes.
///
/// # Errors
/// A value that cannot be changed in place; then nothing is.
pub fn replace(bytes: &[u8], replacements: &[Replacement]) -> Result<Vec<u8>, EditError> {
    let mut ordered: Vec<&Replacement> = replacements.iter().collect();
    ordered.sort_by_key(|replacement| replacement.span.start);
    let mut result = Vec::with_capacity(bytes.len() + 64);
    let mut done = 0;
    for Replacement { span, value } in ordered {
        if span.start < done {
            return Err(EditError::Places);
        }
        let old = bytes.get(span.clone()).ok_or(EditError::Places)?;
        let old = std::str::from_utf8(old).map_err(|_| EditError::Places)?;
        result.extend_from_slice(&bytes[done..span.start]);
        result.extend_from_slice(scalar::like(old, value)?.as_bytes());
        done = span.end;
    }
    result.extend_from_slice(&bytes[done..]);
    Ok(result)
}

#[cfg(test)]
mod tests;
