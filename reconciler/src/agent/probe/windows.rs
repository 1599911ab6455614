//! Numbers out of localised tools: `fsutil volume diskfree`, `sc query`, `certutil -hashfile`.

use dataminer_schema::id::Sha256;

/// Free bytes for us out of `fsutil volume diskfree`.
///
/// Its first three lines are total free, total, and free within the quota, in every Windows since 2016; newer ones
/// add lines. Words, digit groups and the size in brackets are localised: only the digits after the colon count.
pub fn free_bytes(lines: &[String]) -> Option<u64> {
    let mut numbers = lines.iter().filter_map(|line| {
        let (_, value) = line.split_once(':')?;
        let value = value.split('(').next().unwrap_or_default();
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        // Separators are blanks of all kinds, dots, commas, apostrophes, or undecodable; letters are not.
        let foreign = value.chars().any(char::is_alphabetic);
        (!digits.is_empty() && !foreign).then(|| digits.parse::<u64>().ok()).flatten()
    });
    let (free, total, quota_free) = (numbers.next()?, numbers.next()?, numbers.next()?);
    (free <= total && quota_free <= total).then(|| free.min(quota_free))
}

/// What `sc query` says about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Not installed.
    Absent,
    Stopped,
    Running,
    /// Starting, stopping, paused.
    Other,
}

/// The service out of `sc query NAME` and `rc=CODE`.
pub fn service(lines: &[String]) -> Option<Service> {
    let code = lines.iter().rev().find_map(|line| line.strip_prefix("rc=")?.trim().parse::<i64>().ok());
    // 1060: no such service.
    if code == Some(1060) {
        return Some(Service::Absent);
    }
    // The second line with a number after its colon is the state; the first is the type. The name has none.
    let mut numbers = lines.iter().filter_map(|line| {
        let (_, value) = line.split_once(':')?;
        value.split_whitespace().next()?.parse::<u32>().ok()
    });
    let _kind = numbers.next()?;
    match numbers.next()? {
        1 => Some(Service::Stopped),
        4 => Some(Service::Running),
        2 | 3 | 5..=7 => Some(Service::Other),
        _ => None,
    }
}

/// The hash of `file` out of one or more `certutil -hashfile` outputs: the line after the one that names it.
/// Windows before 2016 prints blanks between the bytes.
pub fn certutil_hash(lines: &[String], file: &str) -> Option<Sha256> {
    let at = lines
        .iter()
        .position(|line| line.trim_end().trim_end_matches(':').ends_with(&format!(r"\{file}")))?;
    let digits: String = lines.get(at + 1)?.chars().filter(|c| !c.is_whitespace()).collect();
    Sha256::new(digits.to_ascii_lowercase()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn free_space_reads_in_every_language() {
        let old = "Total # of free bytes        : 1000\nTotal # of bytes             : 5000\nTotal # of avail free bytes  : 900";
        assert_eq!(free_bytes(&lines(old)), Some(900));
        let new = "Total free bytes                : 101,016,141,824 ( 94.1 GB)\nTotal bytes                     : 254,724,952,064 (237.2 GB)\n\
                   Total quota free bytes          : 101,016,141,824 ( 94.1 GB)\nUnavailable pool bytes          :               0 (  0.0 KB)";
        assert_eq!(free_bytes(&lines(new)), Some(101_016_141_824));
        let german = "Freie Bytes gesamt : 101.016.141.824 (94,1 GB)\nBytes gesamt : 254.724.952.064 (237,2 GB)\nFreie Bytes im Kontingent : 1.016 (1 KB)";
        assert_eq!(free_bytes(&lines(german)), Some(1016));
        let french = "Total d\u{2019}octets libres : 101\u{202f}016 (98 Ko)\nTotal d\u{2019}octets : 254\u{FFFD}724 (248 Ko)\nQuota : 101\u{a0}016 (98 Ko)";
        assert_eq!(free_bytes(&lines(french)), Some(101_016));
    }

    #[test]
    fn free_space_of_nonsense_is_unknown() {
        for text in [
            "",
            "Error: access denied",
            "a: 1\nb: 2",
            "free: 10\ntotal: 5\nquota: 3",
            "a: 99999999999999999999999\nb: 1\nc: 1",
        ] {
            assert_eq!(free_bytes(&lines(text)), None, "{text}");
        }
    }

    #[test]
    fn services_read_by_number() {
        let running = "\nSERVICE_NAME: nats-server\n        TYPE               : 10  WIN32_OWN_PROCESS\n        STATE              : 4  RUNNING\n\
                       \u{20}                               (STOPPABLE, NOT_PAUSABLE)\n        WIN32_EXIT_CODE    : 0  (0x0)\nrc=0";
        assert_eq!(service(&lines(running)), Some(Service::Running));
        assert_eq!(service(&lines(&running.replace(": 4  RUNNING", ": 1  BEENDET"))), Some(Service::Stopped));
        assert_eq!(
            service(&lines("[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\n\nxyz\nrc=1060")),
            Some(Service::Absent)
        );
        assert_eq!(service(&lines("rc=5")), None);
        assert_eq!(service(&lines("")), None);
    }

    #[test]
    fn certutil_reads_by_file_name() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let output = format!(
            "SHA256 hash of C:\\x\\other.part:\n{}\nCertUtil: -hashfile command completed successfully.\n\
             SHA256-Hash von C:\\x\\a b.dmupgrade.part:\n{hash}\nCertUtil: fertig.",
            "0".repeat(64)
        );
        assert_eq!(certutil_hash(&lines(&output), "a b.dmupgrade.part").expect("a hash").as_str(), hash);
        let spaced: Vec<String> =
            hash.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        let old = format!("SHA256 hash of file C:\\x\\f:\n{}\n", spaced.join(" "));
        assert_eq!(certutil_hash(&lines(&old), "f").expect("a hash").as_str(), hash);
        assert_eq!(certutil_hash(&lines("SHA256 hash of C:\\x\\f:\nCertUtil: failed"), "f"), None);
        assert_eq!(certutil_hash(&lines(""), "f"), None);
    }
}
