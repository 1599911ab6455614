//! A batch file: its lines and labels.

use std::sync::Arc;

use crate::disk::WinPath;

/// A batch file in memory.
pub(super) struct Script {
    pub(super) path: WinPath,
    pub(super) lines: Vec<String>,
}

/// The longest batch file that is read, in bytes.
pub(super) const MAX_SCRIPT: usize = 1 << 20;

impl Script {
    pub(super) fn new(path: WinPath, bytes: &[u8]) -> Arc<Self> {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect();
        Arc::new(Self { path, lines })
    }

    /// The line after a label; labels end at a blank or a separator and have no case.
    pub(super) fn after_label(&self, label: &str) -> Option<usize> {
        self.lines
            .iter()
            .position(|line| label_of(line).is_some_and(|found| found.eq_ignore_ascii_case(label)))
            .map(|index| index + 1)
    }
}

/// The label that a line defines.
pub(super) fn label_of(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix(':')?;
    Some(label_word(rest))
}

/// The first word after a colon.
pub(super) fn label_word(text: &str) -> &str {
    let text = text.trim_start();
    text.split([' ', '\t', ',', ';', '=', ':', '+', '&', '|', '<', '>']).next().unwrap_or_default()
}
