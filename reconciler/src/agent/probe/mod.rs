//! Readers of what Agents hold. Everything here is hostile until checked; nothing here does input or output.

pub mod bpa;
pub mod dms;
pub mod history;
pub mod maintenance;
pub mod processes;
pub mod program;
pub mod progress;
pub mod registry;
pub mod sections;
pub mod security;
pub mod text;
pub mod windows;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every reader over the same input.
    fn read_everything(bytes: &[u8]) {
        let text = text::decode(bytes);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        drop(dms::Dms::parse(bytes).map(|dms| dms.topology(dms::own_id(bytes))));
        drop(dms::own_id(bytes));
        drop(maintenance::parse(bytes));
        drop(security::any_expired(bytes));
        if let (Ok(entries), Ok(zone)) =
            (history::parse(bytes), history::windows_zone("Romance Standard Time"))
        {
            assert!(history::in_utc(&entries, &zone).len() <= entries.len());
        }
        drop(history::windows_zone(&text));
        let log = progress::parse(bytes);
        let _end = progress::end(&log);
        let _newest = progress::newest(&log);
        let _state = processes::Processes::parse(&lines).map(|processes| processes.agent_state());
        drop(registry::addresses(&lines));
        drop(registry::modules(&lines, &lines));
        drop(registry::dotnet(&lines));
        drop(sections::Sections::parse(bytes, "probe 1"));
        let _free = windows::free_bytes(&lines);
        let _service = windows::service(&lines);
        drop(windows::certutil_hash(&lines, "x"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            read_everything(&bytes);
        }

        /// Text that is nearly right gets further into the readers than noise does.
        #[test]
        fn no_nearly_right_text_makes_a_reader_panic(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("<DMS>".to_owned()), Just("<DMA ip='".to_owned()), Just("' id='1'/>".to_owned()),
                    Just("</DMS>".to_owned()), Just("<DataMiner id=\"".to_owned()), Just("<BrokerGateway>".to_owned()),
                    Just("2025-10-26 02:30:00;10.5.0".to_owned()), Just("10.0.0.1|2025-01-01 00:00:00|error|".to_owned()),
                    Just("error(s) and ".to_owned()), Just(" error(s) and 0 notice(s)".to_owned()),
                    Just("HKEY_X\n    DisplayName    REG_SZ    DataMiner ".to_owned()),
                    Just("    IPAddress    REG_MULTI_SZ    ".to_owned()), Just("\\0".to_owned()),
                    Just("\"SLNet.exe\",\"".to_owned()), Just("@@probe 1\n".to_owned()), Just("@@end".to_owned()),
                    Just("STATE : 4".to_owned()), Just("rc=".to_owned()), Just(": 1,0\u{a0}0 (".to_owned()),
                    Just("\\x:".to_owned()), Just("\n".to_owned()), "[\\PC]{0,6}", "[0-9;|:. -]{0,12}",
                ],
                0..24,
            ),
            wide in any::<bool>(),
        ) {
            let text = parts.concat();
            if wide {
                let bytes: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
                read_everything(&bytes);
            } else {
                read_everything(text.as_bytes());
            }
        }
    }
}
