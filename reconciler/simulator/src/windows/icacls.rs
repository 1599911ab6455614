//! `icacls`: checks that its words make sense. Of rights only owners are simulated.

use super::Machine;
use crate::{
    cmd::Streams,
    disk::{DiskError, WinPath},
};

pub(super) fn icacls(machine: &Machine, arguments: &[String], folder: &WinPath, streams: &Streams) -> i32 {
    let Some((name, switches)) = arguments.split_first() else { return invalid(streams, "") };
    // Several files may be meant; the folder has to be there.
    let name_of_folder = name.strip_suffix('*').unwrap_or(name);
    let found = WinPath::parse(name_of_folder, folder).and_then(|path| machine.disk.entry(&path));
    if found.is_err() {
        streams.complain(&format!("{name}: {}", DiskError::NotFound));
        return 2;
    }
    if machine.accounts.is_ordinary() {
        streams.complain(&format!("{name}: {}", DiskError::Denied));
        return 5;
    }
    let mut after = "";
    for switch in switches {
        let lower = switch.to_lowercase();
        if lower.starts_with('/') {
            after = match lower.as_str() {
                "/grant" | "/grant:r" | "/deny" | "/remove" => "account",
                "/setowner" => "owner",
                "/inheritance:r" | "/inheritance:e" | "/inheritance:d" | "/reset" | "/t" | "/c" | "/l"
                | "/q" => "",
                _ => return invalid(streams, switch),
            };
        } else if after == "owner" && account(switch, true) {
            if let Ok(path) = WinPath::parse(name_of_folder, folder) {
                let administrators = switch.eq_ignore_ascii_case("*S-1-5-32-544");
                machine.accounts.own(&path, (!administrators).then(|| switch.clone()));
            }
        } else if after.is_empty() || !account(switch, after == "owner") {
            return invalid(streams, switch);
        }
    }
    let _unwritten = streams.line("Successfully processed 1 files; Failed processing 0 files");
    0
}

/// `*S-1-5-18:(OI)(CI)F`, `DOMAIN\user:F`, or only the account for an owner.
fn account(text: &str, owner: bool) -> bool {
    let (account, rights) = match text.split_once(':') {
        Some((account, rights)) => (account, Some(rights)),
        None => (text, None),
    };
    let known = account.strip_prefix('*').map_or(!account.is_empty(), |sid| {
        sid.starts_with("S-1-") && sid[4..].split('-').all(|part| part.parse::<u64>().is_ok())
    });
    let rights = match rights {
        None => owner,
        Some(rights) => {
            let rights =
                rights.trim_start_matches("(OI)").trim_start_matches("(CI)").trim_start_matches("(IO)");
            matches!(rights, "F" | "M" | "RX" | "R" | "W" | "(F)" | "(M)" | "(RX)" | "(R)" | "(W)")
        }
    };
    known && rights
}

fn invalid(streams: &Streams, word: &str) -> i32 {
    streams.complain(&format!("Invalid parameter \"{word}\""));
    87
}
