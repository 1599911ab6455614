//! The reconciler of the demo: this very binary, as a user starts it.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use dataminer_schema::status::FleetStatus;
use tokio::process::{Child, Command};

use super::stage::Stage;
use crate::http::client;

/// How many lines of the log tell why it ended.
const LAST_LINES: usize = 20;

/// A running `run`.
pub(super) struct Process {
    child: Child,
    server: String,
    log: PathBuf,
}

impl Process {
    /// Starts it and waits until it answers.
    pub(super) async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let listen = free_port()?;
        let config = stage.write_config(listen)?;
        let log = stage.folder().join("reconciler.log");
        let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let binary = std::env::current_exe().context("finding this program")?;
        let child = Command::new(binary)
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .context("starting `run`")?;
        let mut process = Self { child, server: format!("http://{listen}"), log };
        process.ready().await?;
        Ok(process)
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..200 {
            if let Some(status) = self.child.try_wait()? {
                bail!("`run` ended with {status}:\n{}", self.last_words());
            }
            if client::get::<FleetStatus>(&self.server, "/api/v1/clusters").await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("`run` did not answer on {} within 10 s:\n{}", self.server, self.last_words());
    }

    /// The URL of its HTTP interface.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Waits until it ends by itself, which it should not.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    /// Asks it to end, and waits a moment for that.
    pub(super) async fn stop(&mut self) -> Option<ExitStatus> {
        if let Some(pid) = self.child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed())) {
            // It may have ended already.
            let _asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.ok()?.ok()
    }
}

fn free_port() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
    Ok(listener.local_addr()?)
}
