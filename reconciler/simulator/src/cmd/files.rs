//! Built-in commands that touch files.

use std::sync::Arc;

use super::{
    builtin::words,
    condition::split_pattern,
    run::{Flow, Shell},
    stream::Streams,
};
use crate::disk::{DiskError, WinPath, matches_pattern};

/// The most bytes that `type` prints.
const MAX_TYPE: usize = 16 << 20;

/// Words without quotes, apart from their switches.
pub(super) struct Operands {
    pub(super) names: Vec<String>,
    pub(super) switches: Vec<String>,
}

impl Operands {
    pub(super) fn read(text: &str) -> Self {
        let (mut names, mut switches) = (Vec::new(), Vec::new());
        for word in words(text) {
            // `/b/y` are two switches.
            if word.starts_with('/') {
                switches.extend(word.split('/').filter(|s| !s.is_empty()).map(str::to_lowercase));
            } else {
                names.push(word.replace('"', ""));
            }
        }
        Self { names, switches }
    }

    pub(super) fn has(&self, switch: &str) -> bool {
        self.switches.iter().any(|found| found == switch)
    }
}

impl Shell {
    pub(super) fn file_command(&mut self, command: &str, rest: &str, streams: &Streams) -> Option<Flow> {
        let operands = Operands::read(rest);
        let result = match command {
            "md" | "mkdir" => self.make(&operands),
            "rd" | "rmdir" => self.remove(&operands),
            "del" | "erase" => {
                // `del` of nothing is not an error for errorlevel.
                if let Err(error) = self.delete(&operands) {
                    streams.complain(&error.to_string());
                }
                Ok(())
            }
            "ren" | "rename" => self.rename(&operands),
            "move" => self.move_to(&operands, streams),
            "type" => self.type_out(&operands, streams),
            "dir" => self.list(&operands, streams),
            _ => return None,
        };
        Some(self.ended(result, streams))
    }

    fn ended(&mut self, result: Result<(), DiskError>, streams: &Streams) -> Flow {
        self.errorlevel = i32::from(result.is_err());
        if let Err(error) = result {
            streams.complain(&error.to_string());
        }
        Flow::Next
    }

    pub(super) async fn copy_command(&mut self, rest: &str, streams: &Streams) -> Flow {
        let result = self.copy(&Operands::read(rest), streams).await;
        self.ended(result, streams)
    }

    pub(super) fn path(&self, name: &str) -> Result<WinPath, DiskError> {
        WinPath::parse(name, &self.folder)
    }

    fn make(&self, operands: &Operands) -> Result<(), DiskError> {
        if operands.names.is_empty() {
            return Err(DiskError::InvalidName);
        }
        for name in &operands.names {
            let path = self.path(name)?;
            if self.machine.disk.exists(&path) {
                return Err(DiskError::Exists);
            }
            self.machine.disk.make_dirs(&path)?;
        }
        Ok(())
    }

    fn remove(&self, operands: &Operands) -> Result<(), DiskError> {
        for name in &operands.names {
            let path = self.path(name)?;
            if !self.machine.disk.is_dir(&path) {
                return Err(DiskError::NotFound);
            }
            if operands.has("s") {
                self.machine.disk.remove_tree(&path)?;
            } else {
                self.machine.disk.remove_dir(&path)?;
            }
        }
        Ok(())
    }

    /// The files that a name or pattern means.
    fn files(&self, name: &str) -> Result<Vec<WinPath>, DiskError> {
        let Some((folder, pattern)) = split_pattern(name) else {
            let path = self.path(name)?;
            let entry = self.machine.disk.entry(&path)?;
            return if entry.is_dir { self.files(&format!("{name}\\*")) } else { Ok(vec![path]) };
        };
        let folder = self.path(folder)?;
        let mut found = Vec::new();
        for entry in self.machine.disk.list(&folder)? {
            if !entry.is_dir && matches_pattern(pattern, &entry.name) {
                found.push(folder.join(&entry.name)?);
            }
        }
        Ok(found)
    }

    fn delete(&self, operands: &Operands) -> Result<(), DiskError> {
        for name in &operands.names {
            for path in self.files(name)? {
                self.machine.disk.remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// `ren old new`: the new name is a name, not a path.
    fn rename(&self, operands: &Operands) -> Result<(), DiskError> {
        let [from, to] = operands.names.as_slice() else { return Err(DiskError::InvalidName) };
        if to.contains(['\\', '/', ':']) {
            return Err(DiskError::InvalidName);
        }
        let from = self.path(from)?;
        let to = from.parent().ok_or(DiskError::Denied)?.join(to)?;
        self.machine.disk.rename(&from, &to, false)
    }

    fn move_to(&self, operands: &Operands, streams: &Streams) -> Result<(), DiskError> {
        let [from, to] = operands.names.as_slice() else { return Err(DiskError::InvalidName) };
        let (from, to) = (self.path(from)?, self.path(to)?);
        let to = match from.name() {
            Some(name) if self.machine.disk.is_dir(&to) => to.join(name)?,
            _ => to,
        };
        // In a batch file `move` and `copy` replace without asking.
        self.machine.disk.rename(&from, &to, true)?;
        streams.line("        1 file(s) moved.")
    }

    async fn copy(&self, operands: &Operands, streams: &Streams) -> Result<(), DiskError> {
        let [from, to] = operands.names.as_slice() else { return Err(DiskError::InvalidName) };
        let sources = self.files(from)?;
        let to = self.path(to)?;
        let into_folder = self.machine.disk.is_dir(&to);
        let mut copied = 0;
        for source in &sources {
            let target = match source.name() {
                Some(name) if into_folder => to.join(name)?,
                _ => to.clone(),
            };
            if source.to_string().eq_ignore_ascii_case(&target.to_string()) {
                streams.complain("The file cannot be copied onto itself.");
                continue;
            }
            let modified = self.machine.disk.entry(source)?.modified;
            let (disk, from) = (Arc::clone(&self.machine.disk), source.clone());
            // A package of gigabytes would hold up the other Agents' work.
            let copying = tokio::task::spawn_blocking(move || {
                disk.copy(&from, &target)?;
                disk.set_modified(&target, modified)
            });
            copying.await.unwrap_or(Err(DiskError::Io))?;
            copied += 1;
        }
        streams.line(&format!("        {copied} file(s) copied."))?;
        if copied == 0 { Err(DiskError::NotFound) } else { Ok(()) }
    }

    fn type_out(&self, operands: &Operands, streams: &Streams) -> Result<(), DiskError> {
        for name in &operands.names {
            for path in self.files(name)? {
                let bytes = self.machine.disk.read(&path, MAX_TYPE)?;
                streams.out.write(&String::from_utf8_lossy(&bytes))?;
            }
        }
        if operands.names.is_empty() { Err(DiskError::InvalidName) } else { Ok(()) }
    }
}
