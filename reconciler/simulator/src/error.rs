//! What can go wrong while a simulation is set up or controlled.

use std::io;

use camino::Utf8PathBuf;

/// Why a simulation could not be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("the simulation's description is not usable: {0}")]
    Spec(String),
    #[error("reading the simulation's description: {0}")]
    Parse(String),
    #[error("{action} {path}")]
    File {
        action: &'static str,
        path: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("listening on loopback for Agent {agent}")]
    Listen {
        agent: String,
        #[source]
        source: io::Error,
    },
    #[error("making a key: {0}")]
    Key(String),
    #[error("writing package {path}: {problem}")]
    Package { path: Utf8PathBuf, problem: String },
    #[error("changing content on Agent {agent}: {problem}")]
    Content { agent: String, problem: String },
    #[error("there is no Agent {agent} in cluster {cluster}")]
    NoSuchAgent { cluster: String, agent: String },
}

impl SimulatorError {
    pub(crate) fn file(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
