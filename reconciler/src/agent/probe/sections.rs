//! The frame of a script's output: `@@name` lines open sections, `@@end` closes the last.

use std::collections::BTreeMap;

use super::text::decode;
use crate::agent::error::{AgentError, Reason};

/// The sections of one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections(BTreeMap<String, Vec<String>>);

impl Sections {
    /// Splits `output`, whose first section must be `first` (`probe 1`), and which must have been printed whole.
    pub fn parse(output: &[u8], first: &str) -> Result<Self, AgentError> {
        let text = decode(output);
        let mut sections = BTreeMap::new();
        let mut current: Option<String> = None;
        let mut ended = false;
        for line in text.lines() {
            let line = line.trim_end();
            if ended {
                break;
            }
            match line.strip_prefix("@@") {
                Some("end") => ended = true,
                Some(name) => {
                    sections.entry(name.to_owned()).or_insert_with(Vec::new);
                    current = Some(name.to_owned());
                }
                None => {
                    if let Some(lines) = current.as_ref().and_then(|name| sections.get_mut(name)) {
                        lines.push(line.to_owned());
                    }
                }
            }
        }
        if ended && sections.contains_key(first) {
            return Ok(Self(sections));
        }
        let shown: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(200).collect();
        Err(AgentError::new(
            Reason::ProtocolViolation,
            format!("the script's output is not whole (`@@{first}` to `@@end`): {shown:?}"),
            "run `doctor` against the Agent; its default shell or a login script may print or change things",
        ))
    }

    /// The lines of a section; absent if the script did not print it.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The value of the first `key=value` line of a section.
    pub fn value(&self, section: &str, key: &str) -> Option<&str> {
        self.get(section)?.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_split_with_noise_before_and_after() {
        let output = b"\xEF\xBB\xBFWelcome!\r\n@@poll 1\r\nlock=free\r\nstarted=yes  \r\n@@more\r\n\r\nx\r\n@@end\r\nbye";
        let sections = Sections::parse(output, "poll 1").expect("a whole output");
        assert_eq!(sections.value("poll 1", "lock"), Some("free"));
        assert_eq!(sections.value("poll 1", "started"), Some("yes"));
        assert_eq!(sections.value("poll 1", "exit"), None);
        assert_eq!(sections.get("more"), Some(&["".to_owned(), "x".to_owned()][..]));
        assert_eq!(sections.get("none"), None);
    }

    #[test]
    fn a_cut_or_foreign_output_is_refused() {
        for output in [
            "",
            "@@poll 1\r\nlock=free\r\n",
            "lock=free\r\n@@end",
            "@@poll 2\r\n@@end",
            "'cmd.exe' is not recognized",
        ] {
            assert!(Sections::parse(output.as_bytes(), "poll 1").is_err(), "{output:?}");
        }
    }
}
