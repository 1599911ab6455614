//! `where`.

use super::Machine;
use crate::{cmd::Streams, disk::WinPath};

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
