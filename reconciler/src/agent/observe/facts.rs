//! What one look at one Agent brought, before the Agents of a cluster are put side by side.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    v1::observation::{Backup, HistoryEntry, Module, OwedWork, TopologyEntry},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::agent::{
    probe::{
        history::{self, LocalEntry},
        processes::Processes,
        progress,
    },
    render::JobRecord,
};

/// A value, or why it is not known.
pub(super) type Known<T> = Result<T, String>;

/// Everything that one Agent told.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) name: AgentName,
    pub(super) topology: Known<Vec<TopologyEntry>>,
    pub(super) history: Known<Vec<LocalEntry>>,
    pub(super) zone: Known<TimeZone>,
    pub(super) processes: Known<Processes>,
    pub(super) addresses: Vec<String>,
    pub(super) computer: Option<String>,
    /// What DMS.xml calls the DMS.
    pub(super) dms: Option<String>,
    pub(super) broker_gateway: Known<bool>,
    pub(super) default_upgrade_options: Known<bool>,
    pub(super) expired_users: Known<bool>,
    pub(super) pending_reboot: Known<bool>,
    pub(super) free_disk: Known<u64>,
    pub(super) dotnet: Known<Vec<String>>,
    pub(super) vcredist: Known<Option<String>>,
    pub(super) os: Known<String>,
    pub(super) modules: Known<Vec<Module>>,
    pub(super) backups: Known<Vec<Backup>>,
    pub(super) owed: Known<Vec<OwedWork>>,
    /// The version of the Taskbar Utility.
    pub(super) utility: Known<String>,
    /// Whether a job of ours holds the lock.
    pub(super) lock_held: Known<bool>,
    pub(super) jobs: Known<Vec<JobFacts>>,
    pub(super) packages: Known<Vec<PackageFacts>>,
    pub(super) owner: Known<Option<Owner>>,
}

impl Facts {
    /// The history in UTC; needs the zone.
    pub(super) fn utc_history(&self) -> Known<Vec<HistoryEntry>> {
        Ok(history::in_utc(
            self.history.as_ref().map_err(Clone::clone)?,
            self.zone.as_ref().map_err(Clone::clone)?,
        ))
    }

    /// When a package's log ended: by its own lines, else by the file's time.
    pub(super) fn package_time(&self, package: &PackageFacts) -> Option<Timestamp> {
        let zone = self.zone.as_ref().ok();
        package.newest.zip(zone).and_then(|(at, zone)| history::to_utc(at, zone)).or(package.modified)
    }

    /// The reasons of everything that is not known.
    pub(super) fn unknown(&self) -> BTreeMap<String, String> {
        fn note<T>(unknown: &mut BTreeMap<String, String>, item: &str, known: &Known<T>) {
            if let Err(reason) = known {
                unknown.insert(item.to_owned(), reason.clone());
            }
        }
        let mut unknown = BTreeMap::new();
        let map = &mut unknown;
        note(map, "topology", &self.topology);
        note(map, "core", &self.history);
        note(map, "timeZone", &self.zone);
        note(map, "state", &self.processes);
        note(map, "brokerGateway", &self.broker_gateway);
        note(map, "defaultUpgradeOptions", &self.default_upgrade_options);
        note(map, "expiredUsers", &self.expired_users);
        note(map, "pendingReboot", &self.pending_reboot);
        note(map, "freeDisk", &self.free_disk);
        note(map, "dotnet", &self.dotnet);
        note(map, "vcredist", &self.vcredist);
        note(map, "os", &self.os);
        note(map, "taskbarUtility", &self.utility);
        note(map, "modules", &self.modules);
        note(map, "backups", &self.backups);
        note(map, "owed", &self.owed);
        note(map, "operation", &self.lock_held);
        note(map, "jobs", &self.jobs);
        note(map, "packages", &self.packages);
        note(map, "owner", &self.owner);
        unknown
    }
}

/// A job folder of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobFacts {
    pub(super) record: JobRecord,
    pub(super) started: Option<Timestamp>,
    /// The exit code and when it was written.
    pub(super) exit: Option<(i64, Option<Timestamp>)>,
    pub(super) refused: bool,
}

/// A folder below `Upgrades\Packages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackageFacts {
    /// The package's file name, without the 32 characters that DataMiner adds.
    pub(super) file: String,
    pub(super) end: progress::End,
    /// The newest local time in the log.
    pub(super) newest: Option<jiff::civil::DateTime>,
    /// When the log was last written, UTC.
    pub(super) modified: Option<Timestamp>,
}

/// Whose the Agent is (`owner.json`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::agent) struct Owner {
    pub(in crate::agent) installation: String,
    pub(in crate::agent) repository: String,
    pub(in crate::agent) cluster: String,
}
