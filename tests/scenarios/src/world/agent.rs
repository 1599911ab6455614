//! One Agent: what it is, and what probes see of that.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::{AgentName, Sha256},
    quantity::ByteSize,
    v1::observation::{AgentObservation, AgentState, Backup, FailoverState, HistoryEntry, WebEvidence},
    version::Version,
};
use jiff::Timestamp;

use super::{Content, absent, seen_text};
use crate::releases;

/// The product keeps so many content backups (`domain/03 section 4`).
const KEPT: usize = 5;

/// One Agent.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// What probes show while it is reachable.
    pub(crate) seen: AgentObservation,
    /// Its DataMiner ID; both members of a pair have one.
    pub(super) id: u32,
    pub(super) address: String,
    /// What runs, with CU and build.
    pub(crate) core: Version,
    pub(crate) web: Version,
    pub(crate) content: Content,
    /// The packages that lie there, by their names.
    pub(super) staged: BTreeMap<String, Sha256>,
}

impl Member {
    pub(super) fn new(
        name: AgentName,
        id: u32,
        address: String,
        failover: Option<FailoverState>,
        core: &Version,
        web: &Version,
        now: Timestamp,
    ) -> Self {
        // Installed half a year ago, and used since.
        let installed = now.checked_sub(jiff::SignedDuration::from_hours(24 * 180)).unwrap_or(now);
        let seen = AgentObservation {
            address: Some(address.clone()),
            core: Some(seen_text(core)),
            web_apps: Some(web.release_name()),
            web_evidence: Some(WebEvidence::PackageFolder),
            state: Some(AgentState::Running),
            failover,
            broker_gateway: Some(false),
            swarming: Some(false),
            expired_users: Some(false),
            default_upgrade_options: Some(false),
            pending_reboot: Some(false),
            free_disk: Some(ByteSize(200 << 30)),
            dotnet: Some(["5.0.17", "6.0.36", "8.0.22", "10.0.1"].map(str::to_owned).to_vec()),
            vcredist: Some("14.44.35211.0".to_owned()),
            os: Some("Microsoft Windows Server 2022".to_owned()),
            taskbar_utility: Some("10.5.2521.130".to_owned()),
            history: Some(vec![HistoryEntry { at: installed, version: seen_text(core) }]),
            web_history: Some(Vec::new()),
            backups: Some(Vec::new()),
            modules: Some(Vec::new()),
            owed: Some(Vec::new()),
            ..AgentObservation::new(name, true)
        };
        let content = Content { level: web.clone(), edited: installed };
        let (core, web) = (core.clone(), web.clone());
        Self { seen, id, address, core, web, content, staged: BTreeMap::new() }
    }

    pub(crate) fn name(&self) -> &AgentName {
        &self.seen.name
    }

    /// The digests of the packages that lie there.
    pub(crate) fn staged(&self) -> Vec<Sha256> {
        self.staged.values().cloned().collect()
    }

    /// A backup that lies there.
    pub(super) fn keep_backup(&mut self, file: &str, at: Timestamp, sha256: Sha256) {
        let backup = Backup { at: Some(at), sha256: Some(sha256), size: Some(1 << 20), ..Backup::new(file) };
        self.seen.backups.get_or_insert_default().insert(0, backup);
    }

    pub(super) fn observed(&self) -> AgentObservation {
        if self.seen.reachable { self.seen.clone() } else { absent(&self.seen) }
    }

    /// Takes over that `field` is so. `core` and `webApps` change what runs, everything else only what is seen.
    ///
    /// # Errors
    /// A field or a value that an observation does not have.
    pub(crate) fn set(&mut self, field: &str, value: &str) -> Result<(), String> {
        match (field, value) {
            ("core", value) if value != "unknown" => {
                // An entry of VersionHistory.txt, or anything else in quotes, is shown verbatim.
                let quoted = value.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                let (release, text) = match quoted {
                    Some(text) => (self.core.clone(), text.to_owned()),
                    None if value.contains('-') => {
                        (value.parse().map_err(|error| format!("`{value}`: {error}"))?, value.to_owned())
                    }
                    None => releases::release(value).map(|release| (release.clone(), seen_text(&release)))?,
                };
                // As its full package would leave it: with its own web apps.
                if release != self.core {
                    self.web = release.clone();
                    self.content.level = release.clone();
                    self.seen.web_apps = Some(self.web.release_name());
                }
                self.core = release;
                self.seen.core = Some(text);
                return Ok(());
            }
            ("webApps", value) if value != "unknown" => {
                self.web = releases::release(value)?;
                self.content.level = self.web.clone();
                self.seen.web_apps = Some(value.to_owned());
                return Ok(());
            }
            _ => {}
        }
        let mut fields = serde_json::to_value(&self.seen).map_err(|error| error.to_string())?;
        let Some(map) = fields.as_object_mut() else { return Err("an observation is a map".to_owned()) };
        if value == "unknown" {
            map.remove(field).ok_or_else(|| format!("`{field}` is not known anyway"))?;
        } else {
            let value: serde_json::Value =
                serde_yaml::from_str(value).map_err(|error| format!("`{value}`: {error}"))?;
            map.insert(field.to_owned(), value);
        }
        self.seen = serde_json::from_value(fields).map_err(|error| format!("`{field}: {value}`: {error}"))?;
        Ok(())
    }

    /// A content backup of the product's own before it is changed; the oldest of more than five goes.
    pub(super) fn back_up(&mut self, now: Timestamp) -> (Sha256, Content) {
        let sha256 = self.content.digest();
        let file = format!("Backup_{}.zip", now.strftime("%Y%m%d_%H%M%S"));
        self.keep_backup(&file, now, sha256.clone());
        self.seen.backups.iter_mut().for_each(|backups| backups.truncate(KEPT));
        (sha256, self.content.clone())
    }

    pub(super) fn remember(&mut self, now: Timestamp, web: Option<String>) {
        match web {
            None => {
                let version = seen_text(&self.core);
                self.seen.core = Some(version.clone());
                self.seen.history.get_or_insert_default().push(HistoryEntry { at: now, version });
            }
            Some(version) => {
                self.seen.web_history.get_or_insert_default().push(HistoryEntry { at: now, version });
            }
        }
        self.seen.web_apps = Some(self.web.release_name());
        self.seen.web_evidence = Some(WebEvidence::OwnJob);
        self.seen.unknown = BTreeMap::new();
    }
}
