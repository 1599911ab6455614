//! How an operation ends, and the failures that the machine itself finds.

use dataminer_schema::id::AgentName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::effect::{Disposition, Failure};

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Finish {
    /// Every step in scope is done.
    Succeeded,
    /// Nothing failed and nothing runs; the cluster is to be planned again.
    Paused {
        reason: Pause,
        until: Option<Timestamp>,
        message: String,
    },
    Failed {
        failure: Failure,
    },
}

/// Why an operation stopped between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pause {
    /// The next disruptive step may not start now.
    WindowClosed,
    /// Another commit is wanted by now.
    Superseded,
    /// The cluster is no longer as the plan saw it.
    Outdated,
}

/// Reason codes of failures that the machine finds; stable, shown by `status`.
pub mod reason {
    /// An operator asked to stop.
    pub const ABORTED: &str = "Aborted";
    pub const AGENT_UNREACHABLE: &str = "AgentUnreachable";
    /// What lies on an Agent is not what the backup holds; the restore is done again. Drivers say it too.
    pub const CONTENT_DIFFERS: &str = "ContentDiffers";
    /// The operation as a whole took too long.
    pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
    pub const INSUFFICIENT_DISK: &str = "InsufficientDisk";
    pub const MANAGED_ELSEWHERE: &str = "ManagedElsewhere";
    pub const MANUAL_STEP_REQUIRED: &str = "ManualStepRequired";
    /// A module that is owed could not be installed.
    pub const MODULE_FAILED: &str = "ModuleFailed";
    /// Notes of work that is not owed could not be removed.
    pub const NOTES_LEFT: &str = "NotesLeft";
    /// A plan was carried out, or begun again and again, and nothing came of it.
    pub const NO_PROGRESS: &str = "NoProgress";
    pub const OPERATION_IN_PROGRESS: &str = "OperationInProgress";
    pub const PACKAGE_UNVERIFIED: &str = "PackageUnverified";
    /// Some Agents changed and others did not.
    pub const PARTIAL_UPGRADE: &str = "PartialUpgrade";
    /// The plan itself is not complete; a defect of this program.
    pub const PLAN_INVALID: &str = "PlanInvalid";
    /// A prerequisite of the package was not met; nothing was changed.
    pub const PREREQUISITE_FAILED: &str = "PrerequisiteFailed";
    /// Content that is owed could not be put back.
    pub const RESTORE_FAILED: &str = "RestoreFailed";
    /// A tool failed, or nothing shows what it has done.
    pub const TOOL_FAILED: &str = "ToolFailed";
    pub const TOPOLOGY_MISMATCH: &str = "TopologyMismatch";
    pub const UNHEALTHY: &str = "Unhealthy";
    pub const UPGRADE_FAILED: &str = "UpgradeFailed";
    /// The Agents show the version but did not become healthy in time.
    pub const VERIFY_FAILED: &str = "VerifyFailed";
}

/// A failure with `disposition`.
pub(super) fn failure(
    disposition: Disposition,
    reason: &str,
    message: impl Into<String>,
    help: impl Into<String>,
    agents: Vec<AgentName>,
) -> Failure {
    Failure { disposition, reason: reason.to_owned(), message: message.into(), help: help.into(), agents }
}
