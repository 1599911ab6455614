//! Programs that go through folders: xcopy and where.

use super::Machine;
use crate::{
    cmd::Streams,
    disk::{DiskError, WinPath},
};
use std::sync::Arc;

/// `xcopy source target /e /i /y /q`: new files get fresh times only where the source has them.
pub(super) fn xcopy(
    machine: &Arc<Machine>,
    arguments: &[String],
    folder: &WinPath,
    streams: &Streams,
) -> i32 {
    let (switches, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with('/'));
    let [from, to] = names.as_slice() else {
        streams.complain("Invalid number of parameters");
        return 4;
    };
    let has = |wanted: &str| switches.iter().any(|switch| switch.eq_ignore_ascii_case(wanted));
    let recursive = has("/e") || has("/s");
    let source = WinPath::parse(from.trim_end_matches(['*', '\\']), folder);
    let target = WinPath::parse(to, folder);
    let (Ok(source), Ok(target)) = (source, target) else {
        streams.complain("Invalid path");
        return 4;
    };
    let mut copied = 0;
    match copy_tree(machine, &source, &target, recursive, &mut copied) {
        Ok(()) => {
            let _unwritten = streams.line(&format!("{copied} File(s) copied"));
            0
        }
        Err(DiskError::NotFound | DiskError::PathNotFound) => {
            streams.complain(&format!("File not found - {from}\r\n0 File(s) copied"));
            4
        }
        Err(DiskError::Full) => {
            streams.complain("Insufficient disk space");
            4
        }
        Err(error) => {
            streams.complain(&error.to_string());
            5
        }
    }
}

fn copy_tree(
    machine: &Arc<Machine>,
    source: &WinPath,
    target: &WinPath,
    recursive: bool,
    copied: &mut usize,
) -> Result<(), DiskError> {
    let disk = &machine.disk;
    if !disk.entry(source)?.is_dir {
        let target = match source.name() {
            Some(name) if disk.is_dir(target) => target.join(name)?,
            _ => target.clone(),
        };
        let modified = disk.entry(source)?.modified;
        disk.copy(source, &target)?;
        disk.set_modified(&target, modified)?;
        *copied += 1;
        return Ok(());
    }
    disk.make_dirs(target)?;
    for entry in disk.list(source)? {
        if entry.is_dir && !recursive {
            continue;
        }
        copy_tree(machine, &source.join(&entry.name)?, &target.join(&entry.name)?, recursive, copied)?;
    }
    Ok(())
}

/// `where program`: only what lies in the folder or has a full path.
pub(super) fn where_is(machine: &Machine, arguments: &[String], folder: &WinPath, streams: &Streams) -> i32 {
    for argument in arguments {
        if let Ok(path) = WinPath::parse(argument, folder)
            && machine.disk.exists(&path)
        {
            let _unwritten = streams.line(&path.to_string());
            return 0;
        }
    }
    streams.complain("INFO: Could not find files for the given pattern(s).");
    1
}
