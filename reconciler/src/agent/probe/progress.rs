//! `progress.log` of an upgrade: `AGENT|yyyy-MM-dd HH:mm:ss|LEVEL|TEXT`, two to four fields, unknown levels, no
//! single word that always ends it (`domain/05 section 6`).

use jiff::civil::DateTime;

use super::{history::local_time, text::decode};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub agent: Option<String>,
    /// The Agent's local time.
    pub at: Option<DateTime>,
    pub level: Option<String>,
    pub text: String,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing in it says that it ended.
    Open,
    Succeeded,
    Failed,
}

/// Reads one line, whatever its form.
pub fn line(text: &str) -> Line {
    let fields: Vec<&str> = text.splitn(4, '|').map(str::trim).collect();
    let at = |text: &str| local_time(text);
    let owned = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    match fields.as_slice() {
        [agent, time, level, rest] if at(time).is_some() => Line {
            agent: owned(agent),
            at: at(time),
            level: owned(&level.to_ascii_lowercase()),
            text: (*rest).to_owned(),
        },
        [time, level, rest] if at(time).is_some() => Line {
            agent: None,
            at: at(time),
            level: owned(&level.to_ascii_lowercase()),
            text: (*rest).to_owned(),
        },
        [level, rest] if is_level(level) => Line {
            agent: None,
            at: None,
            level: owned(&level.to_ascii_lowercase()),
            text: (*rest).to_owned(),
        },
        _ => Line { agent: None, at: None, level: None, text: text.trim().to_owned() },
    }
}

fn is_level(word: &str) -> bool {
    ["information", "info", "notice", "step", "error", "warning"]
        .iter()
        .any(|level| word.eq_ignore_ascii_case(level))
}

/// Reads a log, or its tail.
pub fn parse(bytes: &[u8]) -> Vec<Line> {
    decode(bytes).lines().map(str::trim).filter(|text| !text.is_empty()).map(line).collect()
}

/// How the log ends: the last line that says anything about it decides.
pub fn end(lines: &[Line]) -> End {
    lines.iter().rev().take(40).find_map(|line| verdict(&line.text)).unwrap_or(End::Open)
}

fn verdict(text: &str) -> Option<End> {
    let text = text.trim().trim_end_matches(['.', '!']).to_ascii_lowercase();
    if text.starts_with("upgrade failed")
        || text.starts_with("upload failed")
        || text.contains("one or more prerequisites failed")
        || text == "failed"
    {
        return Some(End::Failed);
    }
    // `DataMiner Agent: 4 error(s) and 0 notice(s)`
    if let Some((before, _)) = text.split_once(" error(s) and ") {
        let errors = before.rsplit([' ', ':']).next()?.parse::<u64>().ok()?;
        return Some(if errors == 0 { End::Succeeded } else { End::Failed });
    }
    let good = [
        "upgradecomplete",
        "upgrade complete",
        "upgrade completed",
        "upgrade finished",
        "upgrade succeeded",
        "upgrade successful",
        "upgrade was successful",
        "finished",
        "success",
        "migration successful",
    ];
    (good.iter().any(|word| {
        text == *word || text.ends_with(&format!("- {word}")) || text.starts_with(&format!("{word}:"))
    }) || text.starts_with("upgrade finished successfully")
        || text.starts_with("upgrade completed successfully"))
    .then_some(End::Succeeded)
}

/// The newest local time in the log.
pub fn newest(lines: &[Line]) -> Option<DateTime> {
    lines.iter().rev().find_map(|line| line.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_to_four_fields_read() {
        let full = line("10.102.0.12|2022-03-03 09:33:58|error|Couldn't remove | indices. Cause: x");
        assert_eq!(full.agent.as_deref(), Some("10.102.0.12"));
        assert_eq!(full.level.as_deref(), Some("error"));
        assert_eq!(full.text, "Couldn't remove | indices. Cause: x");
        assert_eq!(line("notice|Executing 'dcomConfig.exe' failed").level.as_deref(), Some("notice"));
        assert_eq!(line("2022-03-03 09:33:58|step|Stop").level.as_deref(), Some("step"));
        assert_eq!(line("a|b|c|d").text, "a|b|c|d");
        assert_eq!(line("").text, "");
    }

    #[test]
    fn ends_are_told_apart() {
        for (text, expected) in [
            ("10.0.0.1|2022-03-03 09:33:58|information|Upgrade finished.", End::Succeeded),
            ("error|Upgrade failed: Execute failed: x", End::Failed),
            ("DataMiner Agent: 4 error(s) and 0 notice(s)\n    - Prerequisite X.dll failed: y", End::Failed),
            ("DataMiner Agent: 0 error(s) and 2 notice(s)", End::Succeeded),
            ("- One or more prerequisites failed", End::Failed),
            ("x - Migration successful!", End::Succeeded),
            ("Success", End::Succeeded),
            ("information|Copying Finished.xml", End::Open),
            ("step|Stop DataMiner", End::Open),
            ("", End::Open),
        ] {
            assert_eq!(end(&parse(text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        assert_eq!(end(&parse(b"Upgrade failed: once\r\nstep|again\r\nUpgrade finished")), End::Succeeded);
        let noise = "x\n".repeat(100);
        assert_eq!(end(&parse(format!("Upgrade finished\n{noise}").as_bytes())), End::Open);
    }

    #[test]
    fn utf16_and_garbage_read() {
        let bytes: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("error|Upgrade failed".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(end(&parse(&bytes)), End::Failed);
        assert_eq!(end(&parse(&[0xFF; 999])), End::Open);
    }
}
