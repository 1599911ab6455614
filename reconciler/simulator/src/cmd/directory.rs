//! `dir`.

use super::{condition::split_pattern, files::Operands, run::Shell, stream::Streams};
use crate::{
    clock::local_text,
    disk::{DiskError, Entry, WinPath, matches_pattern},
};

/// The most entries that one `dir /s` prints.
const MAX_LISTED: usize = 200_000;

impl Shell {
    pub(super) fn list(&self, operands: &Operands, streams: &Streams) -> Result<(), DiskError> {
        let name = operands.names.first().map_or(".", String::as_str);
        let (folder, pattern) = match split_pattern(name) {
            Some((folder, pattern)) => (self.path(folder)?, pattern.to_owned()),
            None => {
                let path = self.path(name)?;
                if self.machine.disk.is_dir(&path) {
                    (path, "*".to_owned())
                } else {
                    let parent = path.parent().unwrap_or_else(WinPath::root);
                    (parent, path.name().unwrap_or("*").to_owned())
                }
            }
        };
        if !self.machine.disk.is_dir(&folder) {
            return Err(DiskError::NotFound);
        }
        let recursive = operands.has("s");
        let mut listed = 0;
        self.list_folder(&folder, &pattern, operands, recursive, streams, &mut listed)?;
        if listed == 0 { Err(DiskError::NotFound) } else { Ok(()) }
    }

    fn list_folder(
        &self,
        folder: &WinPath,
        pattern: &str,
        operands: &Operands,
        recursive: bool,
        streams: &Streams,
        listed: &mut usize,
    ) -> Result<(), DiskError> {
        let all = self.machine.disk.list(folder)?;
        let wanted = |entry: &Entry| match attribute(operands) {
            Some(only_folders) => entry.is_dir == only_folders,
            None => true,
        };
        let mut entries: Vec<&Entry> =
            all.iter().filter(|entry| wanted(entry) && matches_pattern(pattern, &entry.name)).collect();
        sort(&mut entries, operands);
        let bare = operands.has("b");
        if !bare && !entries.is_empty() {
            streams.line(&format!("\r\n Directory of {folder}\r\n"))?;
        }
        for entry in entries {
            *listed += 1;
            if *listed > MAX_LISTED {
                return Ok(());
            }
            let line = if bare && recursive {
                folder.join(&entry.name)?.to_string()
            } else if bare {
                entry.name.clone()
            } else {
                let modified = jiff::Timestamp::try_from(entry.modified).unwrap_or_default();
                let time = local_text(modified, &self.machine.zone);
                let size =
                    if entry.is_dir { "<DIR>         ".to_owned() } else { format!("{:>14}", entry.len) };
                // The owner stands in a column of its own, which cuts it.
                let owner = if operands.has("q") {
                    format!("{:<23}", self.machine.owner_shown(&folder.join(&entry.name)?))
                } else {
                    String::new()
                };
                format!("{}    {size} {owner}{}", &time[..16], entry.name)
            };
            streams.line(&line)?;
        }
        if recursive {
            for entry in all.iter().filter(|entry| entry.is_dir) {
                self.list_folder(&folder.join(&entry.name)?, pattern, operands, true, streams, listed)?;
            }
        }
        Ok(())
    }
}

/// `/ad` and `/a-d`.
fn attribute(operands: &Operands) -> Option<bool> {
    operands.switches.iter().find_map(|switch| {
        let letters = switch.strip_prefix('a')?.trim_start_matches(':');
        match letters {
            "d" => Some(true),
            "-d" => Some(false),
            _ => None,
        }
    })
}

/// `/on`, `/o-n`, `/od`, `/o-d`, `/os`; by name without it, as NTFS keeps them.
fn sort(entries: &mut [&Entry], operands: &Operands) {
    let order = operands.switches.iter().find_map(|switch| switch.strip_prefix('o'));
    let Some(order) = order.map(|order| order.trim_start_matches(':')) else { return };
    let (reverse, key) = match order.strip_prefix('-') {
        Some(key) => (true, key),
        None => (false, order),
    };
    match key {
        "d" => entries.sort_by_key(|entry| entry.modified),
        "s" => entries.sort_by_key(|entry| entry.len),
        _ => entries.sort_by_key(|entry| entry.name.to_lowercase()),
    }
    if reverse {
        entries.reverse();
    }
}
