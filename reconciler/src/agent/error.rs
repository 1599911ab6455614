//! Why something with an Agent did not work, typed so that status, retries and help texts follow from it.

use std::fmt;

use dataminer_core::exec::effect::{Disposition, Failure};
use dataminer_schema::id::AgentName;

/// The stable reason codes of this module; equal to what `status` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No TCP or SSH connection, or it broke.
    AgentUnreachable,
    /// The server's host key is not a pinned one.
    HostKeyRefused,
    /// The server does not accept the account or its key.
    AuthenticationFailed,
    /// The configuration does not grant the secret to this host and cluster.
    SecretNotAllowed,
    /// The secret is granted but cannot be read or is no key.
    SecretUnreadable,
    /// The manifest says too little to connect (no account).
    ConnectionIncomplete,
    /// No answer in time.
    Timeout,
    /// The other side said something that makes no sense, or too much.
    ProtocolViolation,
    /// A file or folder is not there.
    NotFound,
    /// Something is there already.
    AlreadyExists,
    /// The account may not do it.
    PermissionDenied,
    /// The server refused without saying why.
    Refused,
    /// One of our scripts ended with an error.
    ScriptFailed,
    /// The Agent's disk is too full.
    InsufficientDisk,
    /// A package's bytes are not those that the plan pinned.
    PackageUnverified,
    /// No package place holds the file.
    NoPackage,
    /// Another installation owns the Agent.
    ManagedElsewhere,
    /// A newer generation acts on the cluster.
    GenerationSuperseded,
    /// A value may not go into a script or task.
    ValueRefused,
    /// DMS.xml and the manifest do not fit together.
    TopologyMismatch,
    /// Windows did not start a job.
    JobNotStarted,
    /// The Taskbar Utility is not installed.
    UtilityMissing,
    /// The vault did not take a backup.
    VaultFailed,
    /// The backup of a restore can be had from nowhere.
    NoBackup,
    /// The backup of a restore holds what must not go onto an Agent, or is broken.
    BackupRefused,
    /// What lies on an Agent is not what the backup holds.
    ContentDiffers,
    /// A module is installed in a way that Windows Installer cannot undo.
    ModuleNotRemovable,
    /// Our folder on the Agent holds something that we did not put there.
    TamperedFolder,
    /// The effect names an Agent that the manifest does not have.
    UnknownAgent,
}

impl Reason {
    /// Whether trying again later can help without anybody acting.
    pub fn disposition(self) -> Disposition {
        match self {
            Self::AgentUnreachable
            | Self::Timeout
            | Self::Refused
            | Self::ScriptFailed
            | Self::ContentDiffers
            | Self::ProtocolViolation => Disposition::Retry,
            Self::HostKeyRefused
            | Self::AuthenticationFailed
            | Self::SecretNotAllowed
            | Self::SecretUnreadable
            | Self::ConnectionIncomplete
            | Self::NotFound
            | Self::AlreadyExists
            | Self::PermissionDenied
            | Self::InsufficientDisk
            | Self::PackageUnverified
            | Self::NoPackage
            | Self::ManagedElsewhere
            | Self::GenerationSuperseded
            | Self::ValueRefused
            | Self::TopologyMismatch
            | Self::JobNotStarted
            | Self::UtilityMissing
            | Self::VaultFailed
            | Self::NoBackup
            | Self::BackupRefused
            | Self::ModuleNotRemovable
            | Self::TamperedFolder
            | Self::UnknownAgent => Disposition::Stalled,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variant names are the codes.
        fmt::Debug::fmt(self, f)
    }
}

/// A failure with what was attempted, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AgentError {
    pub reason: Reason,
    /// What was attempted, on what, and what is wrong.
    pub message: String,
    /// What to do; may be empty where nothing can be advised.
    pub help: String,
}

impl AgentError {
    /// A failure of this kind.
    pub fn new(reason: Reason, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { reason, message: message.into(), help: help.into() }
    }

    /// Whether the connection itself is gone, so that a new one may go on where this one stopped.
    pub fn is_connection_lost(&self) -> bool {
        matches!(self.reason, Reason::AgentUnreachable | Reason::Timeout)
    }

    /// Whether a file was simply not there.
    pub fn is_not_found(&self) -> bool {
        self.reason == Reason::NotFound
    }

    /// Puts the Agent's name, or another context, before the message.
    #[must_use]
    pub fn on(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// The failure as the execution machine takes it.
    pub fn into_failure(self, agents: Vec<AgentName>) -> Failure {
        let Self { reason, message, help } = self;
        Failure { disposition: reason.disposition(), reason: reason.to_string(), message, help, agents }
    }

    /// One line for an Observation: code, what is wrong, what to do.
    pub fn summary(&self) -> String {
        let Self { reason, message, help } = self;
        if help.is_empty() { format!("{reason}: {message}") } else { format!("{reason}: {message}; {help}") }
    }
}
