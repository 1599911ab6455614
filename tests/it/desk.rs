//! An operator's desk for the suites: a running process, and the verbs that ask it.

use std::net::TcpListener;

use dataminer_reconciler_tests::{
    dms::PATIENCE,
    program::{self, Ended, Running},
    wait,
};
use dataminer_schema::status::{ClusterStatus, FleetStatus};
use tokio::task::block_in_place;

use crate::scene::Scene;

/// A running process over a scene.
pub(crate) struct Desk<'a> {
    scene: &'a Scene,
    server: String,
    process: Running,
}

impl<'a> Desk<'a> {
    /// Starts `run` with `more` flags.
    pub(crate) fn open(scene: &'a Scene, name: &str, more: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("loopback has a free port").to_string();
        let flags = [&["--listen", address.as_str()], more].concat();
        let process = scene.installation.start(name, "run", &flags);
        Self { scene, server: format!("http://{address}"), process }
    }

    /// Runs a verb against the process.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Ended {
        let arguments = [arguments, &["--server", &self.server]].concat();
        block_in_place(|| program::run(&arguments, self.scene.installation.folder()))
    }

    fn status(&self) -> Result<ClusterStatus, String> {
        let ended = self.ask(&["status", "-o", "json"]);
        let fleet: FleetStatus =
            serde_json::from_str(&ended.stdout).map_err(|error| format!("{error}: {}", ended.stderr))?;
        fleet.clusters.into_iter().next().ok_or_else(|| "no cluster is known".to_owned())
    }

    /// Waits until the cluster is as wanted.
    pub(crate) fn until(&self, what: &str, right: impl Fn(&ClusterStatus) -> bool) -> ClusterStatus {
        wait::until(what, PATIENCE, || {
            let status = self.status()?;
            if right(&status) { Ok(status) } else { Err(format!("{status:#?}")) }
        })
    }

    /// What the history says, newest last.
    pub(crate) fn history(&self) -> String {
        self.ask(&["history"]).expect_status(0).stdout
    }

    /// Ends the process as an operator's system does.
    pub(crate) fn close(mut self) {
        self.process.terminate();
        block_in_place(|| wait::until("the end of the process", PATIENCE, || self.process.ended()));
    }
}
