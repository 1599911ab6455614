//! `certutil -hashfile FILE SHA256`.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Machine;
use crate::{
    cmd::Streams,
    disk::{DiskError, OpenHow, WinPath},
    spec::Language,
};

pub(super) async fn certutil(
    machine: &Arc<Machine>,
    arguments: &[String],
    folder: &WinPath,
    streams: &Streams,
) -> i32 {
    let (name, algorithm) = match arguments {
        [verb, name, algorithm] if verb.eq_ignore_ascii_case("-hashfile") => (name, algorithm.to_uppercase()),
        _ => {
            machine.note_unknown(format!("certutil {}", arguments.join(" ")));
            return 9009;
        }
    };
    if algorithm != "SHA256" {
        machine.note_unknown(format!("certutil {}", arguments.join(" ")));
        return 9009;
    }
    let disk = Arc::clone(&machine.disk);
    let path = WinPath::parse(name, folder);
    // Big packages would hold up the other Agents' work.
    let hashed = tokio::task::spawn_blocking(move || {
        let mut file = disk.open(&path?, OpenHow::read())?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut offset = 0;
        loop {
            let count = file.read_at(offset, &mut buffer)?;
            if count == 0 {
                return Ok::<_, DiskError>((offset, hex::encode(hasher.finalize())));
            }
            hasher.update(&buffer[..count]);
            offset += count as u64;
        }
    });
    let error = match hashed.await {
        // certutil cannot map an empty file.
        Ok(Ok((0, _))) => "0x800703ee (WIN32: 1006 ERROR_FILE_INVALID)",
        Ok(Ok((_, hash))) => {
            let (first, last) = match machine.language {
                Language::English => {
                    (format!("SHA256 hash of {name}:"), "CertUtil: -hashfile command completed successfully.")
                }
                Language::German => (
                    format!("SHA256-Hash von {name}:"),
                    "CertUtil: -hashfile-Befehl wurde erfolgreich ausgef\u{fc}hrt.",
                ),
            };
            let lines = [first.as_str(), &hash, last];
            return i32::from(lines.iter().try_for_each(|line| streams.line(line)).is_err());
        }
        Ok(Err(DiskError::Sharing)) => "0x80070020 (WIN32: 32 ERROR_SHARING_VIOLATION)",
        Ok(Err(_)) | Err(_) => "0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)",
    };
    let _unwritten = streams.line(&format!("CertUtil: -hashfile command FAILED: {error}"));
    i32::from_str_radix(&error[2..10], 16).unwrap_or(-2_147_024_894)
}
