//! Windows paths on the one simulated drive.

use std::fmt;

use super::DiskError;

/// An absolute path on drive `C:`, already normalised: no `.`, no `..`, no empty part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WinPath {
    parts: Vec<String>,
}

/// The longest path that the simulated programs take, in characters.
const MAX_PATH: usize = 1024;

impl WinPath {
    /// `C:\`.
    pub(crate) fn root() -> Self {
        Self { parts: Vec::new() }
    }

    /// Reads what a command line or an SFTP client names; relative names hang below `current`.
    ///
    /// Both kinds of slash, `/C:/…` as OpenSSH spells it, and `..` that stops at the root as Windows' does.
    pub(crate) fn parse(text: &str, current: &Self) -> Result<Self, DiskError> {
        if text.chars().count() > MAX_PATH {
            return Err(DiskError::InvalidName);
        }
        let text = text.replace('/', "\\");
        let (mut parts, rest) = match absolute(&text) {
            Some(rest) => (Vec::new(), rest?),
            None => (current.parts.clone(), text.as_str()),
        };
        for part in rest.split('\\') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                _ => parts.push(file_name(part)?),
            }
        }
        Ok(Self { parts })
    }

    /// An absolute path that this crate itself writes down.
    pub(crate) fn fixed(text: &str) -> Self {
        Self::parse(text, &Self::root()).unwrap_or_else(|_| Self::root())
    }

    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.parts.last().map(String::as_str)
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, parents) = self.parts.split_last()?;
        Some(Self { parts: parents.to_vec() })
    }

    /// This path with one more part; `name` may itself hold backslashes.
    pub(crate) fn join(&self, name: &str) -> Result<Self, DiskError> {
        Self::parse(name, self)
    }

    /// As SFTP spells it: `/C:/Skyline DataMiner`.
    pub(crate) fn sftp(&self) -> String {
        format!("/C:/{}", self.parts.join("/"))
    }
}

impl fmt::Display for WinPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C:\\{}", self.parts.join("\\"))
    }
}

/// What follows the drive, if the text names one; the only drive is `C:`.
fn absolute(text: &str) -> Option<Result<&str, DiskError>> {
    let text = match text.strip_prefix('\\') {
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') => rest,
        Some(rest) => return Some(Ok(rest)),
        None => text,
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('c' | 'C'), Some(':')) => Some(Ok(&text[2..])),
        (Some(drive), Some(':')) if drive.is_ascii_alphabetic() => Some(Err(DiskError::PathNotFound)),
        _ => None,
    }
}

/// One part as Win32 takes it: trailing dots and blanks are dropped, devices and special characters refused.
fn file_name(part: &str) -> Result<String, DiskError> {
    let name = part.trim_end_matches(['.', ' ']);
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
    let special =
        name.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*'));
    if name.is_empty() || name.len() > 255 || device || special {
        return Err(DiskError::InvalidName);
    }
    Ok(name.to_owned())
}

/// Whether a name fits a pattern of `*` and `?`, whatever the case.
pub(crate) fn matches_pattern(pattern: &str, name: &str) -> bool {
    // `*.*` fits names without a dot too.
    let pattern = if pattern == "*.*" { "*" } else { pattern };
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // Position to fall back to: after the last star, and how much of the name it has swallowed.
    let (mut p, mut n, mut fallback) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                fallback = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match fallback {
                Some((after, swallowed)) => {
                    fallback = Some((after, swallowed + 1));
                    p = after;
                    n = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, DiskError> {
        WinPath::parse(text, &WinPath::fixed(r"C:\Users\svc")).map(|path| path.to_string())
    }

    #[test]
    fn reads_all_spellings() {
        for text in [r"C:\a\b", "/C:/a/b", "c:/a/b", r"\a\b", r"C:\a\.\x\..\b\", r"C:\a\b. "] {
            assert_eq!(parse(text).as_deref(), Ok(r"C:\a\b"), "{text}");
        }
        assert_eq!(parse("note.txt").as_deref(), Ok(r"C:\Users\svc\note.txt"));
        assert_eq!(parse("/").as_deref(), Ok(r"C:\"));
    }

    #[test]
    fn never_leaves_the_drive() {
        assert_eq!(parse(r"C:\..\..\etc\passwd").as_deref(), Ok(r"C:\etc\passwd"));
        assert_eq!(parse("/C:/../../etc").as_deref(), Ok(r"C:\etc"));
        assert_eq!(parse(r"D:\x"), Err(DiskError::PathNotFound));
        assert_eq!(parse(r"C:\a\nul"), Err(DiskError::InvalidName));
        assert_eq!(parse(r"C:\a:stream"), Err(DiskError::InvalidName));
    }

    #[test]
    fn patterns() {
        assert!(matches_pattern("*.zip", "Backup.ZIP"));
        assert!(matches_pattern("*", "x"));
        assert!(matches_pattern("*.*", "x"));
        assert!(matches_pattern("a*b?c", "aXXbYc"));
        assert!(!matches_pattern("*.zip", "zip.txt"));
        assert!(!matches_pattern("?", "ab"));
    }
}
