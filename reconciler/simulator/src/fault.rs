//! Faults that a specification or a test puts on an Agent.

use serde::{Deserialize, Serialize};

/// A fault on one Agent of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Injected {
    pub agent: String,
    /// `fault: { freeDisk: 1000000 }`, `fault: reboot`.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    pub fault: Fault,
    /// Simulated seconds after the start.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference to the field")]
fn is_zero(seconds: &u32) -> bool {
    *seconds == 0
}

/// What can go wrong on an Agent. Faults that say "next" are used up by what they hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The connection breaks when the next upload has brought this many bytes; they are kept.
    DropUploadAfter(u64),
    /// A connection is cut when all of them together have carried this many bytes from now on, in both directions.
    CutAfter(u64),
    /// How the network treats connections, until changed again.
    Network(Reach),
    /// No byte is free any more.
    DiskFull,
    /// This many bytes are free from now on.
    FreeDisk(u64),
    /// The disk behind this Windows path is gone, `C:\` for all of it: reading and writing fail until
    /// [`Fault::DiskHealed`].
    DiskLost(String),
    /// What was lost is back as it was.
    DiskHealed,
    /// The prerequisite of this name fails until [`Fault::ClearPrerequisite`].
    FailPrerequisite(String),
    ClearPrerequisite(String),
    /// Windows restarts now: connections, running jobs and tasks die, DataMiner starts again afterwards.
    Reboot,
    /// Windows restarts after this many simulated seconds.
    RebootAfter(u32),
    /// Windows restarts this many simulated seconds after the next scheduled task has begun.
    RebootDuringJob(u32),
    /// Every running job is killed, Windows stays up.
    KillJobs,
    /// The next run of the Taskbar Utility ends with this code and changes nothing.
    NextUtilityExit(i32),
    /// The next run of the Taskbar Utility never ends and changes nothing.
    NextUtilityHangs,
    /// The next run of msiexec ends with this code; it changes nothing unless the code is 0 or 3010.
    NextMsiexecExit(i32),
    /// The next upgrade fails on this Agent after it was stopped; the others go on.
    NextUpgradeFailsHalfway,
    /// The file of this Windows path holds garbage from now on.
    Garbage(String),
    /// The newest content backup of the product is altered: same name, size and time, other bytes in the middle.
    GarbageBackup,
    /// Of the newest content backup of the product this many bytes are left.
    TruncateBackup(u64),
    /// The server shows another host key from now on.
    HostKeyChanged,
    /// The server's clock is this many seconds ahead, or behind: its files are stamped so.
    ClockSkew(i64),
    /// The folder of this Windows path belongs to an ordinary user from now on.
    TakenByUser(String),
    /// The account of SSH sessions is no administrator any more.
    NotAdministrator,
    /// DataMiner stops.
    StopDataMiner,
    /// DataMiner starts.
    StartDataMiner,
    /// Somebody else runs an upgrade that takes this many simulated seconds and touches nothing.
    ForeignOperation(u32),
}

/// How the network treats connections to an Agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    #[default]
    Reachable,
    /// Connections are refused.
    Refuses,
    /// Connections are accepted and never answered.
    Silent,
}
