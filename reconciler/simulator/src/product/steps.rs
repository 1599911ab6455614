//! What an upgrade does on one Agent.

use std::sync::Arc;

use dataminer_schema::version::Version;

use super::{
    agent::Agent,
    content, content_backup,
    info::UpgradeInfo,
    layout::{self, BACKUPS, dataminer},
    log::ProgressLog,
    modules,
    package::Package,
};
use crate::{
    inspect::RunState,
    model::web::{self, KEPT_BACKUPS},
    windows::{Value, lock},
};

/// A full upgrade: backup, stop, new files with the package's own web apps, start once `before_start` is over.
pub(super) async fn core_upgrade(
    agent: &Arc<Agent>,
    log: &ProgressLog,
    package: &Package,
    target: &Version,
    info: &UpgradeInfo,
    before_start: impl Future<Output = ()> + Send,
) -> Result<(), String> {
    log.append("step", "Extracting package");
    // The package and what is in it.
    let space = package.size.saturating_mul(2);
    agent.machine.disk.reserve(space).map_err(|error| format!("Extract failed: {error}"))?;
    let _space = Space { agent, bytes: space };
    agent.pause(30, 90).await;
    backup(agent, log, target).await?;
    log.append("step", "Stopping DataMiner");
    agent.change(|state| state.run = RunState::Upgrading);
    agent.pause(30, 120).await;
    if agent.faults(|faults| std::mem::take(&mut faults.next_halfway)) {
        agent.change(|state| state.run = RunState::Stopped);
        return Err("Execute failed: Access is denied. (injected)".to_owned());
    }
    let present = agent.state();
    if web::stumbles(&present.core, &present.web, target) {
        let folder = r"C:\Skyline DataMiner\Tools\ModuleInstallers\Web";
        return Err(format!("Execute failed: The directory '{folder}' does not exist!"));
    }
    log.append("step", "Replacing files");
    agent.change(|state| state.torn = true);
    agent.pause(120, 240).await;
    let disk = &agent.machine.disk;
    layout::installed(disk, target, target).map_err(|error| format!("Update failed: {error}"))?;
    let today = agent.machine.clock.now().to_zoned(agent.machine.zone.clone()).date();
    agent.change(|state| {
        state.core = target.clone();
        // Whatever web apps there were: those of the package count now (`domain/03 section 1`).
        state.web = target.clone();
        state.history_due = Some(layout::entry(target, today));
        state.torn = false;
    });
    log.append("step", "Installing modules");
    agent.pause(60, 180).await;
    modules::upgrade(agent, &modules::of_core(target));
    modules::upgrade(agent, &modules::of_web(target));
    if let Some(runtime) = agent.lacks_runtime(target) {
        log.append("information", "Microsoft Visual C++ runtime installed. Rebooting...");
        agent.change(|state| state.vcredist = Some(runtime.to_owned()));
        lock(&agent.machine.registry).set(
            r"SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x64",
            "Version",
            Value::Text(runtime.to_owned()),
        );
        agent.restart_windows(true).await;
    }
    log.append("step", "Registering components");
    agent.pause(20, 60).await;
    if info.reboot_afterwards {
        log.append("step", "Rebooting");
        agent.restart_windows(true).await;
    }
    if !info.start_afterwards {
        agent.change(|state| state.run = RunState::Stopped);
        return Ok(());
    }
    before_start.await;
    log.append("step", "Starting DataMiner");
    agent.start_dataminer(|text| log.append("information", text)).await;
    Ok(())
}

/// A web upgrade: only the web server restarts.
pub(super) async fn web_upgrade(
    agent: &Arc<Agent>,
    log: &ProgressLog,
    package: &Package,
    target: &Version,
) -> Result<(), String> {
    log.append("step", "Extracting package");
    let space = package.size.saturating_mul(2);
    agent.machine.disk.reserve(space).map_err(|error| format!("Extract failed: {error}"))?;
    let _space = Space { agent, bytes: space };
    agent.pause(10, 30).await;
    backup(agent, log, target).await?;
    log.append("step", "IIS Stop");
    agent.pause(5, 15).await;
    if agent.faults(|faults| std::mem::take(&mut faults.next_halfway)) {
        return Err("Execute failed: Access is denied. (injected)".to_owned());
    }
    log.append("step", "Update Webpages");
    agent.pause(20, 60).await;
    let disk = &agent.machine.disk;
    layout::web_installed(disk, target).map_err(|error| format!("Update failed: {error}"))?;
    agent.change(|state| state.web = target.clone());
    modules::upgrade(agent, &modules::of_web(target));
    let migrated = content::migrate(disk, target).map_err(|error| format!("Migration failed: {error}"))?;
    log.append("information", &format!("Migrated {migrated} dashboards and apps"));
    log.append("step", "IIS Start");
    agent.pause(5, 15).await;
    Ok(())
}

/// Space that an unpacked package takes meanwhile.
struct Space<'a> {
    agent: &'a Agent,
    bytes: u64,
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        self.agent.machine.disk.release(self.bytes);
    }
}

/// Every upgrade from 10.3.0 CU8/10.3.11 on first saves dashboards and apps, and keeps five such files.
async fn backup(agent: &Arc<Agent>, log: &ProgressLog, target: &Version) -> Result<(), String> {
    if !content_backup::takes_one(target) {
        return Ok(());
    }
    log.append("step", "Backing up dashboards and low-code apps");
    agent.pause(5, 30).await;
    let disk = &agent.machine.disk;
    let failed = |error: &dyn std::fmt::Display| format!("Backup of web content failed: {error}");
    let files = content::read_all(disk).map_err(|(path, error)| failed(&format!("{path}: {error}")))?;
    let (files, warnings) = content_backup::select(files, target);
    warnings.iter().for_each(|warning| log.append("notice", warning));
    let bytes = layout::zip_of(files.into_iter()).map_err(|error| failed(&error))?;
    let mut name = layout::backup_name(agent.machine.clock.now());
    let mut number = 1;
    while disk.exists(&dataminer(&format!(r"{BACKUPS}\{name}"))) {
        number += 1;
        name = layout::backup_name(agent.machine.clock.now()).replace(".zip", &format!("_{number}.zip"));
    }
    disk.write(&dataminer(&format!(r"{BACKUPS}\{name}")), &bytes).map_err(|error| failed(&error))?;
    let mut backups = disk.list(&dataminer(BACKUPS)).map_err(|error| failed(&error))?;
    backups.retain(|entry| entry.name.to_lowercase().ends_with(".zip"));
    backups.sort_by_key(|entry| entry.modified);
    let surplus = backups.len().saturating_sub(KEPT_BACKUPS);
    for old in backups.iter().take(surplus) {
        // One that somebody reads right now stays.
        let _held = disk.remove_file(&dataminer(&format!(r"{BACKUPS}\{}", old.name)));
    }
    Ok(())
}
