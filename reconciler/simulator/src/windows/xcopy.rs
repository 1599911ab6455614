//! `xcopy`: files with their modification times, folder by folder, one file after the other.
//!
//! Killed in the middle it leaves what it has copied so far. Exit codes as printed: 0, 1 no files, 4 no disk space, no
//! path or a locked file, 5 write error. With `/c` it goes on after an error and ends with 0 `[I]`.

use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt};

use super::Machine;
use crate::{
    cmd::Streams,
    disk::{DiskError, WinPath, matches_pattern},
};

/// What is asked for, and how much was done.
struct Copying<'a> {
    machine: &'a Arc<Machine>,
    streams: &'a Streams,
    pattern: &'a str,
    switches: Vec<String>,
    copied: usize,
}

/// Why it does not go on.
enum Stop {
    Disk(DiskError),
    /// It would ask, and nobody answers.
    Asks,
}

impl From<DiskError> for Stop {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

const SWITCHES: [&str; 9] = ["e", "s", "i", "y", "h", "r", "k", "q", "c"];

pub(super) async fn xcopy(
    machine: &Arc<Machine>,
    arguments: &[String],
    folder: &WinPath,
    streams: &Streams,
) -> i32 {
    let unknown = || machine.note_unknown(format!("xcopy {}", arguments.join(" ")));
    let (switches, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with('/'));
    // `/e/i` are two switches.
    let switches: Vec<String> = switches
        .iter()
        .flat_map(|word| word.split('/').filter(|part| !part.is_empty()))
        .map(str::to_lowercase)
        .collect();
    if let Some(wrong) = switches.iter().find(|switch| !SWITCHES.contains(&switch.as_str())) {
        unknown();
        streams.complain(&format!("Invalid switch - /{wrong}"));
        return 4;
    }
    let [from, to] = names.as_slice() else {
        streams.complain("Invalid number of parameters");
        return 4;
    };
    let (source, pattern) = match from.rfind(['\\', '/']) {
        Some(at) if from[at..].contains(['*', '?']) => (&from[..=at], &from[at + 1..]),
        _ => (from.as_str(), "*"),
    };
    let (Ok(source), Ok(target)) = (WinPath::parse(source, folder), WinPath::parse(to, folder)) else {
        streams.complain("Invalid path");
        return 4;
    };
    let mut copying = Copying { machine, streams, pattern, switches, copied: 0 };
    let result = copying.begin(&source, &target, to.ends_with('\\')).await;
    let copied = copying.copied;
    match result {
        Ok(()) => {
            let _unwritten = streams.line(&format!("{copied} File(s) copied"));
            i32::from(copied == 0 && pattern != "*")
        }
        Err(Stop::Asks) => {
            unknown();
            streams.complain("It would ask, and nobody answers");
            2
        }
        Err(Stop::Disk(error @ (DiskError::NotFound | DiskError::PathNotFound))) if copied == 0 => {
            tracing::debug!(agent = %machine.name, %error, "xcopy found nothing");
            streams.complain(&format!("File not found - {from}\r\n0 File(s) copied"));
            4
        }
        Err(Stop::Disk(error)) => {
            streams.complain(&said(error));
            if error == DiskError::Io { 5 } else { 4 }
        }
    }
}

fn said(error: DiskError) -> String {
    match error {
        DiskError::Full => "Insufficient disk space".to_owned(),
        DiskError::Sharing => "Sharing violation".to_owned(),
        other => other.to_string(),
    }
}

impl Copying<'_> {
    fn has(&self, switch: &str) -> bool {
        self.switches.iter().any(|found| found == switch)
    }

    async fn begin(&mut self, source: &WinPath, target: &WinPath, into: bool) -> Result<(), Stop> {
        let disk = &self.machine.disk;
        let known_folder = into || disk.is_dir(target);
        if disk.entry(source)?.is_dir {
            if !known_folder && !self.has("i") {
                return Err(Stop::Asks);
            }
            return self.folder(source, target).await;
        }
        let target = match source.name() {
            Some(name) if known_folder => target.join(name)?,
            _ if disk.exists(target) => target.clone(),
            _ => return Err(Stop::Asks),
        };
        if let Some(parent) = target.parent() {
            disk.make_dirs(&parent)?;
        }
        self.file(source, &target).await
    }

    fn folder<'a>(&'a mut self, source: &'a WinPath, target: &'a WinPath) -> BoxFuture<'a, Result<(), Stop>> {
        async move {
            let disk = &self.machine.disk;
            let entries = disk.list(source)?;
            if self.has("e") || entries.iter().any(|entry| !entry.is_dir) {
                disk.make_dirs(target)?;
            }
            for entry in entries {
                let (from, to) = (source.join(&entry.name)?, target.join(&entry.name)?);
                let result = match entry.is_dir {
                    true if self.has("e") || self.has("s") => self.folder(&from, &to).await,
                    false if matches_pattern(self.pattern, &entry.name) => self.file(&from, &to).await,
                    _ => Ok(()),
                };
                match result {
                    Err(Stop::Disk(error)) if self.has("c") => self.streams.complain(&said(error)),
                    other => other?,
                }
            }
            Ok(())
        }
        .boxed()
    }

    async fn file(&mut self, source: &WinPath, target: &WinPath) -> Result<(), Stop> {
        let machine = self.machine;
        if machine.disk.exists(target) && !self.has("y") {
            return Err(Stop::Asks);
        }
        let entry = machine.disk.entry(source)?;
        // About 64 MB in a second, and a moment for each file.
        machine.clock.sleep(Duration::from_millis(20 + entry.len / (64 << 10))).await;
        let (disk, from, to) = (Arc::clone(&machine.disk), source.clone(), target.clone());
        let copying = tokio::task::spawn_blocking(move || {
            disk.copy(&from, &to)?;
            disk.set_modified(&to, entry.modified)
        });
        copying.await.unwrap_or(Err(DiskError::Io))?;
        self.copied += 1;
        if !self.has("q") {
            let _unwritten = self.streams.line(&source.to_string());
        }
        Ok(())
    }
}
