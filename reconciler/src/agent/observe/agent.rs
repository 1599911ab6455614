//! One look at one Agent: one script, and the files that tell the rest, all at once.

use dataminer_schema::{
    id::JobId,
    v1::observation::{Backup, OwedWork},
};
use futures::{StreamExt, join, stream};
use jiff::Timestamp;

use super::{
    backups,
    facts::{Facts, JobFacts, Known, Owner, PackageFacts},
    utility,
};
use crate::agent::{
    error::AgentError,
    layout::{Layout, checked_entry_name},
    link::{Link, Session},
    owed,
    probe::{
        dms::{self, Dms},
        history, maintenance,
        processes::Processes,
        progress, registry,
        sections::Sections,
        security,
        text::decode,
        windows::{self, Service},
    },
    render::JobRecord,
    scripts::{self, Argument, Script},
    transport::{Entry, ExecLimits},
};

const DMS_CAP: usize = 4 * 1024 * 1024;
const HISTORY_CAP: usize = 1024 * 1024;
const SETTINGS_CAP: usize = 1024 * 1024;
/// Large systems have some thousand users; each takes about a kilobyte.
const SECURITY_CAP: usize = 32 * 1024 * 1024;
const SMALL_CAP: usize = 64 * 1024;
const LOG_TAIL: u64 = 64 * 1024;
const MAX_ENTRIES: usize = 5000;
/// Newest first: older ones decide nothing.
const MAX_PACKAGES: usize = 30;
const MAX_JOBS: usize = 40;
/// Folders looked at at the same time; servers allow some hundred open handles.
const AT_ONCE: usize = 8;

/// Looks at an Agent. The error means that it could not be looked at at all.
pub(super) async fn look(session: &Session, layout: &Layout, link: &Link) -> Result<Facts, AgentError> {
    let look = Look { session, layout, link };
    let (probe, dms, identity, history, settings, security, backups, packages, jobs, owed, owner, utility) = join!(
        look.probe(),
        look.read(layout.skyline("DMS.xml"), DMS_CAP),
        look.read(layout.skyline("DataMiner.xml"), SETTINGS_CAP),
        look.read(layout.skyline(r"Upgrades\VersionHistory.txt"), HISTORY_CAP),
        look.read(layout.skyline("MaintenanceSettings.xml"), SETTINGS_CAP),
        look.read(layout.skyline("Security.xml"), SECURITY_CAP),
        look.backups(),
        look.packages(),
        look.jobs(),
        look.owed(),
        look.owner(),
        utility::version(session, layout, &link.utility),
    );
    let probe = probe?;
    let lines =
        |section: &str| probe.get(section).ok_or_else(|| format!("the probe printed no section {section}"));
    let settings = settings.and_then(|bytes| maintenance::parse(&bytes));
    let nats = lines("service nats-server").ok().and_then(windows::service);
    let dms = dms.and_then(|bytes| Dms::parse(&bytes));
    Ok(Facts {
        name: link.name.clone(),
        dms: dms.as_ref().ok().and_then(|dms| dms.name().map(str::to_owned)),
        topology: dms.and_then(|dms| dms.topology(identity.and_then(|bytes| dms::own_id(&bytes)))),
        history: history.and_then(|bytes| history::parse(&bytes)),
        zone: lines("timezone").and_then(|lines| {
            let id = registry::value(lines, "TimeZoneKeyName")
                .ok_or("the registry does not name the time zone")?;
            history::windows_zone(id)
        }),
        processes: lines("processes")
            .and_then(|lines| Processes::parse(lines).ok_or_else(|| "tasklist listed nothing".to_owned())),
        addresses: lines("addresses").map(registry::addresses).unwrap_or_default(),
        computer: probe.value("identity", "computer").map(str::to_owned).filter(|name| !name.is_empty()),
        broker_gateway: broker_gateway(&settings, nats),
        default_upgrade_options: settings.map(|settings| settings.default_upgrade_options),
        expired_users: security.and_then(|bytes| security::any_expired(&bytes)),
        pending_reboot: lines("reboot").map(registry::any_key),
        free_disk: lines("disk").and_then(|lines| {
            windows::free_bytes(lines).ok_or_else(|| "fsutil did not print three sizes".to_owned())
        }),
        dotnet: lines("dotnet").map(registry::dotnet),
        vcredist: lines("vcredist").map(|lines| registry::value(lines, "Version").map(str::to_owned)),
        os: lines("os").and_then(|lines| {
            let build =
                registry::value(lines, "CurrentBuildNumber").ok_or("the registry does not name the build")?;
            Ok(format!("Windows build {build}"))
        }),
        modules: lines("names")
            .and_then(|names| lines("versions").map(|versions| registry::modules(names, versions))),
        backups,
        owed,
        utility,
        lock_held: match probe.value("lock", "lock") {
            Some("held") => Ok(true),
            Some("free") => Ok(false),
            _ => Err("the probe did not tell whether a job runs".to_owned()),
        },
        jobs,
        packages,
        owner,
    })
}

fn broker_gateway(settings: &Known<maintenance::Maintenance>, nats: Option<Service>) -> Known<bool> {
    maintenance::broker_gateway(settings.as_ref().map_err(Clone::clone)?.broker_gateway, nats)
}

/// Whose the Agent is; `None` when nobody's.
pub(in crate::agent) async fn owner(session: &Session, layout: &Layout) -> Result<Option<Owner>, AgentError> {
    match session.sftp.read(&layout.own("owner.json"), SMALL_CAP).await {
        Ok(text) => serde_json::from_slice(&text.bytes).map(Some).map_err(|error| {
            AgentError::new(
                crate::agent::error::Reason::TamperedFolder,
                format!("owner.json on {} cannot be read ({error})", session.sftp.peer()),
                "look at it on the server; remove it if nobody else manages the Agent",
            )
        }),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

struct Look<'a> {
    session: &'a Session,
    layout: &'a Layout,
    link: &'a Link,
}

impl Look<'_> {
    async fn probe(&self) -> Result<Sections, AgentError> {
        let exec =
            scripts::run(&self.session.connection, Script::Probe, Argument::None, ExecLimits::default())
                .await?;
        Sections::parse(&exec.stdout, "probe 1")
    }

    async fn read(&self, path: String, cap: usize) -> Known<Vec<u8>> {
        let text = self.session.sftp.read(&path, cap).await.map_err(|error| error.message)?;
        if text.truncated { Err(format!("{path} is larger than {cap} bytes")) } else { Ok(text.bytes) }
    }

    /// A listing; a folder that is not there is empty.
    async fn list(&self, path: String) -> Known<Vec<Entry>> {
        match self.session.sftp.list(&path, MAX_ENTRIES).await {
            Ok(entries) => {
                Ok(entries.into_iter().filter(|entry| checked_entry_name(&entry.name).is_ok()).collect())
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.message),
        }
    }

    async fn backups(&self) -> Known<Vec<Backup>> {
        let entries = self.list(self.layout.skyline(r"System Cache\Web\Backups")).await?;
        let mut backups: Vec<Backup> = entries
            .into_iter()
            .filter(|entry| !entry.folder && entry.name.to_ascii_lowercase().ends_with(".zip"))
            .map(|entry| Backup { at: entry.modified, size: entry.size, ..Backup::new(entry.name) })
            .collect();
        backups.sort_by(|a, b| (a.at, &a.file).cmp(&(b.at, &b.file)));
        backups::add_hashes(self.session, &self.link.hashes, &mut backups).await;
        Ok(backups)
    }

    async fn packages(&self) -> Known<Vec<PackageFacts>> {
        let mut folders = self.list(self.layout.skyline(r"Upgrades\Packages")).await?;
        folders.retain(|entry| entry.folder && package_file(&entry.name).is_some());
        folders.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
        folders.truncate(MAX_PACKAGES);
        // Collected first: a stream over the borrowing iterator is not `Send`.
        let looks: Vec<_> = folders.iter().map(|folder| self.package(&folder.name)).collect();
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        Ok(found.into_iter().flatten().collect())
    }

    /// A folder without a readable log tells nothing and is left out.
    async fn package(&self, folder: &str) -> Option<PackageFacts> {
        let file = package_file(folder)?;
        let path = self.layout.skyline(&format!(r"Upgrades\Packages\{folder}\progress.log"));
        let (tail, modified) = tail(self.session, &path, LOG_TAIL).await.ok()??;
        let lines = progress::parse(&tail);
        Some(PackageFacts {
            file: file.to_owned(),
            end: progress::end(&lines),
            newest: progress::newest(&lines),
            modified,
        })
    }

    async fn jobs(&self) -> Known<Vec<JobFacts>> {
        let mut folders = self.list(self.layout.own("jobs")).await?;
        folders.retain(|entry| entry.folder && JobId::new(entry.name.as_str()).is_ok());
        folders.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
        folders.truncate(MAX_JOBS);
        let looks: Vec<_> = folders.iter().map(|folder| self.job(&folder.name)).collect();
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        Ok(found.into_iter().flatten().collect())
    }

    async fn job(&self, id: &str) -> Option<JobFacts> {
        let folder = self.layout.own(&format!(r"jobs\{id}"));
        let (entries, record) =
            join!(self.list(folder.clone()), self.read(format!("{folder}/job.json"), SMALL_CAP));
        let record: JobRecord = serde_json::from_slice(&record.ok()?).ok()?;
        if record.id.as_str() != id {
            return None;
        }
        let entries = entries.ok()?;
        let file = |name: &str| entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
        let exit = match file("exitcode.txt") {
            Some(entry) => {
                let bytes = self.read(format!("{folder}/exitcode.txt"), SMALL_CAP).await.ok()?;
                let code = decode(&bytes).trim().parse::<i64>().ok()?;
                Some((code, entry.modified))
            }
            None => None,
        };
        Some(JobFacts {
            record,
            // Without a time the epoch stands for "started".
            started: file("started.txt").map(|entry| entry.modified.unwrap_or(Timestamp::UNIX_EPOCH)),
            exit,
            refused: file("refused.txt").is_some(),
        })
    }

    /// A note that cannot be read makes all of it unknown: what is owed must never look like nothing.
    async fn owed(&self) -> Known<Vec<OwedWork>> {
        owed::read(self.session, self.layout).await.map_err(|error| error.message)
    }

    async fn owner(&self) -> Known<Option<Owner>> {
        owner(self.session, self.layout).await.map_err(|error| error.message)
    }
}

/// The end of a file and its time; `None` when there is no such file.
pub(in crate::agent) async fn tail(
    session: &Session,
    path: &str,
    bytes: u64,
) -> Result<Option<(Vec<u8>, Option<Timestamp>)>, AgentError> {
    let Some(entry) = session.sftp.stat(path).await? else { return Ok(None) };
    let offset = entry.size.unwrap_or(0).saturating_sub(bytes);
    // An even offset keeps UTF-16 in step.
    let offset = offset - offset % 2;
    let cap = usize::try_from(bytes).unwrap_or(usize::MAX / 2);
    let text = session.sftp.read_from(path, offset, cap).await?;
    Ok(Some((text.bytes, entry.modified)))
}

/// The package's file name out of `<file>-<32 characters>`.
fn package_file(folder: &str) -> Option<&str> {
    let (file, suffix) = folder.rsplit_once('-')?;
    (suffix.len() == 32 && suffix.bytes().all(|b| b.is_ascii_alphanumeric()) && !file.is_empty())
        .then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_folders_end_in_32_characters() {
        let id = "0123456789abcdef0123456789ABCDEF";
        assert_eq!(
            package_file(&format!("VerifyClusterPorts.dmupgrade-{id}")),
            Some("VerifyClusterPorts.dmupgrade")
        );
        assert_eq!(
            package_file(&format!("DataMiner 10.5.5.0-15596 Web Upgrade.dmupgrade-{id}")),
            Some("DataMiner 10.5.5.0-15596 Web Upgrade.dmupgrade")
        );
        for folder in ["", "x", "x-1", &format!("-{id}"), &format!("x-{id}0")] {
            assert_eq!(package_file(folder), None, "{folder}");
        }
    }
}
