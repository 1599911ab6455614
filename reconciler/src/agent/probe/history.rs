//! `VersionHistory.txt`: lines `yyyy-MM-dd HH:mm:ss;VERSION`, oldest first, in the Agent's local time
//! (`domain/05 section 6`).

use dataminer_schema::v1::observation::HistoryEntry;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::text::decode;

const MAX_ENTRIES: usize = 2000;
const MAX_VERSION: usize = 120;

/// One line, still in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalEntry {
    pub at: DateTime,
    /// Verbatim.
    pub version: String,
}

/// Reads the file. A line in the middle that is not of the form is passed over; the last one must be, since it is
/// what the Agent runs.
pub fn parse(bytes: &[u8]) -> Result<Vec<LocalEntry>, String> {
    let text = decode(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let Some((last, older)) = lines.split_last() else {
        return Err("VersionHistory.txt is empty".to_owned());
    };
    let newest = entry(last).ok_or_else(|| {
        // Cut after it was made printable: one character may take ten to print.
        let shown: String =
            last.chars().filter(|c| !c.is_control()).flat_map(char::escape_debug).take(120).collect();
        format!("the last line of VersionHistory.txt is no `yyyy-MM-dd HH:mm:ss;VERSION`: \"{shown}\"")
    })?;
    let kept = older.len().saturating_sub(MAX_ENTRIES);
    let mut entries: Vec<LocalEntry> = older[kept..].iter().filter_map(|line| entry(line)).collect();
    entries.push(newest);
    Ok(entries)
}

fn entry(line: &str) -> Option<LocalEntry> {
    let (at, version) = line.split_once(';')?;
    let version = version.trim();
    if version.is_empty()
        || version.len() > MAX_VERSION
        || version.chars().any(|c| c.is_control() || c == '\u{FFFD}')
    {
        return None;
    }
    Some(LocalEntry { at: local_time(at)?, version: version.to_owned() })
}

/// `yyyy-MM-dd HH:mm:ss`, fractions of a second allowed.
pub fn local_time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let plain = text.len() <= 30
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' ' | b'.' | b'T'));
    if plain { text.parse().ok() } else { None }
}

/// The zone of a Windows time zone id (`Romance Standard Time`).
pub fn windows_zone(id: &str) -> Result<TimeZone, String> {
    let unknown = || format!("the Agent's time zone `{}` is not known", id.escape_debug());
    if id == "UTC" {
        return Ok(TimeZone::UTC);
    }
    // `001` is the example that stands for the zone as a whole; a few have territories only.
    let iana = localzone::win_zone_to_iana(id, Some("001"))
        .or_else(|| localzone::win_zone_to_iana(id, None))
        .ok_or_else(unknown)?;
    TimeZone::get(iana).map_err(|error| format!("{} ({error})", unknown()))
}

/// Local time in UTC. In the hour that occurs twice the first is meant, in the one that does not occur the time
/// after the change: an hour of doubt, always the same way.
pub fn to_utc(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(at).compatible().ok()
}

/// The history in UTC, oldest first.
pub fn in_utc(entries: &[LocalEntry], zone: &TimeZone) -> Vec<HistoryEntry> {
    entries
        .iter()
        .filter_map(|entry| {
            Some(HistoryEntry { at: to_utc(entry.at, zone)?, version: entry.version.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_of_the_documentation_reads() {
        let text = "\u{FEFF}2024-08-27 14:06:23;10.4.0.0-14772-20240821-release\r\n\r\nnonsense\r\n2025-04-01 09:00:00;10.5.4.0-15588-20250319-release";
        let entries = parse(text.as_bytes()).expect("a history");
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].version, "10.5.4.0-15588-20250319-release");
        let zone = windows_zone("Romance Standard Time").expect("a zone");
        let utc = in_utc(&entries, &zone);
        assert_eq!(utc[0].at.to_string(), "2024-08-27T12:06:23Z");
    }

    #[test]
    fn both_edges_of_daylight_saving_have_one_answer() {
        let zone = windows_zone("W. Europe Standard Time").expect("a zone");
        let utc =
            |text: &str| to_utc(local_time(text).expect("a time"), &zone).expect("representable").to_string();
        assert_eq!(utc("2025-10-26 02:30:00"), "2025-10-26T00:30:00Z", "the first of two");
        assert_eq!(utc("2025-03-30 02:30:00"), "2025-03-30T01:30:00Z", "the gap counts on");
        assert_eq!(utc("2025-07-01 12:00:00"), "2025-07-01T10:00:00Z");
        assert_eq!(utc("2025-12-01 12:00:00"), "2025-12-01T11:00:00Z", "not today's offset");
    }

    /// Found by the fuzzer: characters that take ten to print made a message of 700.
    #[test]
    fn a_last_line_of_unprintable_characters_is_shown_in_short() {
        let why = parse("\u{ffff}".repeat(200).as_bytes()).expect_err("it is no version");
        assert!(why.chars().count() < 250, "{why}");
    }

    #[test]
    fn a_last_line_that_is_being_written_is_not_the_version() {
        for text in [
            "",
            "\r\n\r\n",
            "2024-08-27 14:06:23;10.4.0.0-1-20240821-release\r\n2025-0",
            "x;10.5",
            "2024-13-01 00:00:00;10.5",
            "2024-08-27 14:06:23;",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(parse(&[0xFF; 4096]).is_err());
    }

    #[test]
    fn hotfix_entries_stay_verbatim() {
        let entries = parse(b"2020-05-20 13:57:14;HF_10.0.7.0(CU0)_20200520-135714").expect("a history");
        assert_eq!(entries[0].version, "HF_10.0.7.0(CU0)_20200520-135714");
    }

    #[test]
    fn unknown_zones_are_named() {
        assert!(windows_zone("Nowhere Standard Time").expect_err("no such zone").contains("Nowhere"));
        assert!(windows_zone("").is_err());
    }
}
