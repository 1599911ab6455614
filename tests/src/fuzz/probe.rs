//! Files of Agents: VersionHistory.txt and progress.log, from any bytes.

use std::fmt::Write as _;

use dataminer_reconciler::agent::probe::{
    history::{self, LocalEntry},
    progress::{self, End, Line},
    text::decode,
};
use dataminer_schema::version::Version;

pub(super) const HISTORY_WORDS: &[&str] = &[
    "2024-08-27 14:06:23;10.4.0.0-14772-20240821-release",
    "\r\n",
    "\n",
    ";",
    "2025-10-26 02:30:00",
    "9999-12-31 23:59:59",
    "-",
    ":",
    " ",
    "T",
    ".5",
    "HF_10.0.7.0(CU0)_20200520-135714",
    "\u{feff}",
    "\0",
    "\u{fffd}",
    "0001-01-01 00:00:00;x",
];

pub(super) const LOG_WORDS: &[&str] = &[
    "10.0.0.1|2022-03-03 09:33:58|information|",
    "|",
    "\r\n",
    "\n",
    "error|",
    "step|",
    "notice|",
    "Upgrade finished",
    "Upgrade failed: ",
    "DataMiner Agent: 0 error(s) and 2 notice(s)",
    " error(s) and ",
    "99999999999999999999",
    "One or more prerequisites failed",
    "Migration successful!",
    "UpgradeComplete",
    "\u{feff}",
    "\0",
    "İ",
    ".",
    "!",
];

/// The most entries that a history may cost.
const MOST_ENTRIES: usize = 2_001;

/// What is read of a history is read again from its printed form, and the last line is the last entry or a refusal.
///
/// # Panics
/// Where that does not hold.
pub fn version_history(data: &[u8]) {
    let parsed = history::parse(data);
    let text = decode(data);
    match &parsed {
        Ok(entries) => history_of(entries, &text),
        Err(why) => assert!(
            !why.is_empty() && why.chars().count() < 600 && !why.contains(char::is_control),
            "{why:?}"
        ),
    }
    // Whatever stands before it, the newest line is what the Agent runs. (A text that starts with NUL reads as UTF-16.)
    if !text.contains('\0') {
        let grown = format!("{text}\r\n2026-11-21 10:00:00;10.5.12.0-16600-20251120-release\r\n");
        let grown = history::parse(grown.as_bytes()).expect("its last line is of the form");
        let newest = grown.last().expect("there is an entry");
        assert_eq!(newest.version, "10.5.12.0-16600-20251120-release");
        if let Ok(entries) = &parsed
            && entries.len() < MOST_ENTRIES
        {
            assert_eq!(&grown[..grown.len() - 1], entries.as_slice());
        }
        let torn = format!("{text}\r\n2026-11-2");
        assert!(history::parse(torn.as_bytes()).is_err(), "a line that is being written is no version");
    }
}

fn history_of(entries: &[LocalEntry], text: &str) {
    assert!(!entries.is_empty() && entries.len() <= MOST_ENTRIES, "{} entries", entries.len());
    let mut printed = String::new();
    for LocalEntry { at, version } in entries {
        assert!(!version.is_empty() && version.trim() == version, "{version:?}");
        assert!(text.contains(version.as_str()), "{version:?} does not stand in the file");
        if let Ok(read) = version.parse::<Version>() {
            assert_eq!(read.to_string().parse(), Ok(read), "{version:?}");
        }
        write!(printed, "{at};{version}\r\n").expect("a text can be written");
    }
    assert_eq!(history::parse(printed.as_bytes()).as_deref(), Ok(entries), "{printed}");
    for zone in ["UTC", "Romance Standard Time", "Samoa Standard Time"] {
        let zone = history::windows_zone(zone).expect("a zone of Windows");
        let utc = history::in_utc(entries, &zone);
        assert!(utc.len() <= entries.len());
        // A history in order stays in order, but for the hour that comes twice.
        let times: Vec<_> = utc.iter().map(|entry| entry.at).collect();
        if entries.is_sorted_by_key(|entry| entry.at) && times.len() == entries.len() {
            let back =
                times.windows(2).map(|pair| pair[1].duration_until(pair[0]).as_secs()).max().unwrap_or(0);
            assert!(back <= 3600, "{back} s back");
        }
    }
}

/// What is read of a log is read again from its printed form, and its last word decides.
///
/// # Panics
/// Where that does not hold.
pub fn progress_log(data: &[u8]) {
    let lines = progress::parse(data);
    let text = decode(data);
    assert!(lines.len() <= text.lines().count());
    let printed: Vec<String> = lines.iter().map(print).collect();
    for (line, printed) in lines.iter().zip(&printed) {
        assert_eq!(&progress::line(printed), line, "{printed:?}");
        assert_eq!(line.text.trim(), line.text);
    }
    let end = progress::end(&lines);
    let newest = progress::newest(&lines);
    assert!(newest.is_none() || lines.iter().any(|line| line.at == newest));
    assert_eq!(newest.is_none(), lines.iter().all(|line| line.at.is_none()));
    let with = |last: &str| {
        let mut lines = lines.clone();
        lines.push(progress::line(last));
        progress::end(&lines)
    };
    assert_eq!(with("error|Upgrade failed: x"), End::Failed);
    assert_eq!(with("10.0.0.1|2026-11-21 10:00:00|information|Upgrade finished."), End::Succeeded);
    if lines.len() < 40 {
        assert_eq!(with("step|Stop DataMiner"), end, "a line that says nothing of the end changed it");
    }
}

fn print(line: &Line) -> String {
    let Line { agent, at, level, text } = line;
    let agent = agent.as_deref().unwrap_or_default();
    match (at, level) {
        (Some(at), level) => format!("{agent}|{at}|{}|{text}", level.as_deref().unwrap_or_default()),
        (None, Some(level)) => format!("{level}|{text}"),
        (None, None) => text.clone(),
    }
}
