//! The package folder of one upgrade on one Agent, and its progress.log (`domain/05 section 6`).

use std::sync::Arc;

use super::{agent::Agent, layout::dataminer};
use crate::{
    clock::local_text,
    disk::{DiskError, WinPath},
};

/// A package folder on an Agent.
#[derive(Clone)]
pub(crate) struct ProgressLog {
    agent: Arc<Agent>,
    folder: WinPath,
}

impl ProgressLog {
    /// Makes `Upgrades\Packages\<file>-<32 hex>` with its log, its checks and the package's own files.
    pub(crate) fn open(
        agent: &Arc<Agent>,
        file: &str,
        id: &str,
        checks: &[String],
    ) -> Result<Self, DiskError> {
        let folder = dataminer(&format!(r"Upgrades\Packages\{file}-{id}"));
        let log = Self { agent: Arc::clone(agent), folder };
        let disk = &agent.machine.disk;
        disk.make_dirs(&log.folder)?;
        disk.write(&log.folder.join("Update.zip")?, b"simulated")?;
        for check in checks {
            disk.write(&log.folder.join(&format!(r"Prerequisites\{check}"))?, b"MZ")?;
        }
        log.append("information", &format!("Package {file} received"));
        Ok(log)
    }

    /// `AGENT|yyyy-MM-dd HH:mm:ss|LEVEL|TEXT`, in the Agent's local time.
    pub(crate) fn append(&self, level: &str, text: &str) {
        self.append_of(&self.agent.spec.address.to_string(), level, text);
    }

    /// A line that another Agent sent.
    pub(crate) fn append_of(&self, agent: &str, level: &str, text: &str) {
        let machine = &self.agent.machine;
        let time = local_text(machine.clock.now(), &machine.zone);
        self.raw(&format!("{agent}|{time}|{level}|{text}\r\n"));
    }

    pub(crate) fn raw(&self, text: &str) {
        let written = self
            .folder
            .join("progress.log")
            .and_then(|path| self.agent.machine.disk.append(&path, text.as_bytes()));
        if let Err(error) = written {
            // A full disk loses log lines on Windows too.
            tracing::debug!(agent = %self.agent.spec.name, %error, "a line of progress.log was lost");
        }
    }

    /// What the product leaves behind: only the log, and after a failure the checks.
    pub(crate) fn clean(&self, succeeded: bool) {
        let disk = &self.agent.machine.disk;
        for entry in disk.list(&self.folder).unwrap_or_default() {
            let keep = entry.name == "progress.log" || (!succeeded && entry.name == "Prerequisites");
            let Ok(path) = self.folder.join(&entry.name) else { continue };
            if !keep {
                // What somebody holds open stays until the next start, as with the product.
                let _later = if entry.is_dir { disk.remove_tree(&path) } else { disk.remove_file(&path) };
            }
        }
    }
}
