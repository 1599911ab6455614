//! Programs that only ask: tasklist, fsutil, sc, ping.

use std::time::Duration;

use super::{Machine, Process};
use crate::{cmd::Streams, disk::CAPACITY, spec::Language};

/// Prints one line; the exit code.
pub(super) fn print(streams: &Streams, text: &str) -> i32 {
    i32::from(streams.line(text).is_err())
}

fn has(arguments: &[String], switch: &str) -> bool {
    arguments.iter().any(|argument| argument.eq_ignore_ascii_case(switch))
}

/// `tasklist /fo csv /nh`; other forms are not simulated.
pub(super) fn tasklist(machine: &Machine, arguments: &[String], streams: &Streams) -> i32 {
    let csv = arguments
        .windows(2)
        .any(|pair| pair[0].eq_ignore_ascii_case("/fo") && pair[1].eq_ignore_ascii_case("csv"));
    if !csv {
        machine.note_unknown(format!("tasklist {}", arguments.join(" ")));
        return 9009;
    }
    let mut lines = Vec::new();
    if !has(arguments, "/nh") {
        lines.push(match machine.language {
            Language::English => r#""Image Name","PID","Session Name","Session#","Mem Usage""#.to_owned(),
            Language::German => {
                r#""Abbildname","PID","Sitzungsname","Sitz.-Nr.","Speichernutzung""#.to_owned()
            }
        });
    }
    let system = [("System Idle Process", 0), ("System", 4), ("smss.exe", 328), ("services.exe", 644)];
    let also = [("lsass.exe", 656), ("svchost.exe", 812), ("sshd.exe", 2380), ("w3wp.exe", 3904)];
    let fixed =
        system.iter().chain(&also).map(|(image, pid)| Process { image: (*image).to_owned(), pid: *pid });
    let product = machine.product().map(|product| product.processes()).unwrap_or_default();
    for process in fixed.chain(product) {
        let memory = match machine.language {
            Language::English => format!("{},{:03} K", process.pid % 97 + 8, process.pid % 1000),
            Language::German => format!("{}.{:03} K", process.pid % 97 + 8, process.pid % 1000),
        };
        lines.push(format!(r#""{}","{}","Services","0","{memory}""#, process.image, process.pid));
    }
    match lines.iter().try_for_each(|line| streams.line(line)) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// `fsutil volume diskfree C:`: three numbers, since Server 2022 with separators and a rounded copy.
pub(super) fn fsutil(machine: &Machine, arguments: &[String], streams: &Streams) -> i32 {
    let words: Vec<String> = arguments.iter().map(|word| word.to_lowercase()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["volume", "diskfree", "c:" | r"c:\"] => {}
        ["volume", "diskfree", _] => {
            streams.complain("Error:  The system cannot find the path specified.");
            return 1;
        }
        _ => {
            machine.note_unknown(format!("fsutil {}", arguments.join(" ")));
            return 9009;
        }
    }
    let free = machine.disk.free();
    let rows = match (machine.language, machine.os_build >= 20348) {
        (Language::English, false) => [
            ("Total # of free bytes        ", free),
            ("Total # of bytes             ", CAPACITY),
            ("Total # of avail free bytes  ", free),
        ],
        (Language::German, false) => [
            ("Gesamtanzahl der freien Bytes           ", free),
            ("Gesamtanzahl der Bytes                  ", CAPACITY),
            ("Gesamtanzahl der verf\u{fc}gbaren freien Bytes", free),
        ],
        (Language::English, true) => [
            ("Total free bytes                ", free),
            ("Total bytes                     ", CAPACITY),
            ("Total quota free bytes          ", free),
        ],
        (Language::German, true) => [
            ("Freie Bytes insgesamt           ", free),
            ("Bytes insgesamt                 ", CAPACITY),
            ("Freie Kontingentbytes insgesamt ", free),
        ],
    };
    for (words, number) in rows {
        let number = if machine.os_build >= 20348 {
            let separator = if machine.language == Language::English { ',' } else { '.' };
            #[expect(clippy::cast_precision_loss, reason = "a rounded copy for people")]
            let rounded = format!("{:>5.1}", number as f64 / f64::from(1 << 30));
            format!("{:>18} ({rounded} GB)", grouped(number, separator))
        } else {
            number.to_string()
        };
        if streams.line(&format!("{words}: {number}")).is_err() {
            return 1;
        }
    }
    0
}

fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// `sc query NAME`; the number of the state stands first in every language.
pub(super) fn sc(machine: &Machine, arguments: &[String], streams: &Streams) -> i32 {
    let [verb, name] = arguments else {
        machine.note_unknown(format!("sc {}", arguments.join(" ")));
        return 9009;
    };
    if !verb.eq_ignore_ascii_case("query") {
        machine.note_unknown(format!("sc {}", arguments.join(" ")));
        return 9009;
    }
    let services = machine.product().map(|product| product.services()).unwrap_or_default();
    let Some(service) = services.iter().find(|service| service.name.eq_ignore_ascii_case(name)) else {
        // sc prints its errors on standard output.
        let (first, second) = match machine.language {
            Language::English => (
                "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:",
                "The specified service does not exist as an installed service.",
            ),
            Language::German => (
                "[SC] EnumQueryServicesStatus:OpenService FEHLER 1060:",
                "Der angegebene Dienst ist kein installierter Dienst.",
            ),
        };
        let _unwritten = streams.line(&format!("{first}\r\n\r\n{second}\r\n"));
        return 1060;
    };
    let state = match (service.running, machine.language) {
        (true, Language::English) => "4  RUNNING ",
        (true, Language::German) => "4  WIRD AUSGEF\u{dc}HRT ",
        (false, Language::English) => "1  STOPPED ",
        (false, Language::German) => "1  BEENDET ",
    };
    let accepted = if service.running {
        "(STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)"
    } else {
        "(NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN)"
    };
    let text = format!(
        "\r\nSERVICE_NAME: {} \r\n        TYPE               : 10  WIN32_OWN_PROCESS  \r\n        STATE              : {state}\r\n                                {accepted}\r\n        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0",
        service.name
    );
    print(streams, &text)
}

/// `ping -n 2 127.0.0.1`: a second between two echoes, in simulated time.
pub(super) async fn ping(machine: &Machine, arguments: &[String], streams: &Streams) -> i32 {
    let count = arguments
        .windows(2)
        .find(|pair| pair[0].eq_ignore_ascii_case("-n"))
        .map_or(Some(4), |pair| pair[1].parse::<u32>().ok());
    let (Some(count @ 1..), Some(host)) = (count, arguments.last()) else {
        streams.complain("Bad value for option -n.");
        return 1;
    };
    if !matches!(host.as_str(), "127.0.0.1" | "::1" | "localhost") {
        machine.note_unknown(format!("ping {}", arguments.join(" ")));
        return 1;
    }
    let _unwritten = streams.line(&format!("\r\nPinging {host} with 32 bytes of data:"));
    for round in 0..count {
        if round > 0 {
            machine.clock.sleep(Duration::from_secs(1)).await;
        }
        let _unwritten = streams.line(&format!("Reply from {host}: bytes=32 time<1ms TTL=128"));
    }
    0
}
