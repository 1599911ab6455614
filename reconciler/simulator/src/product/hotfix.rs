//! Hotfixes: packages that replace some files of one release and are installed like upgrades (`domain/01 section 5`).
//!
//! What a hotfix does on another release than its own is not documented; here it is a violation `[I]`. So is that it
//! leaves the web apps and the modules as they are.

use std::sync::Arc;

use dataminer_schema::version::Version;

use super::{agent::Agent, info::UpgradeInfo, layout::dataminer, log::ProgressLog};
use crate::inspect::RunState;

/// A hotfix, as its package's name tells it: `HF_10.0.7.0(CU0)_20200520-135714` (`domain/01`, notation 2).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hotfix {
    /// What VersionHistory.txt gets.
    pub(crate) entry: String,
    /// The release that it was made for.
    pub(crate) base: Version,
}

impl Hotfix {
    /// By file name.
    pub(crate) fn named(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".dmupgrade").filter(|stem| stem.starts_with("HF_"))?;
        let base: Version = stem.parse().ok()?;
        Some(Self { entry: stem.to_owned(), base })
    }

    /// Whether it was made for what the Agent runs.
    pub(crate) fn fits(&self, core: &Version) -> bool {
        core.line() == self.base.line() && core.cu().unwrap_or(0) == self.base.cu().unwrap_or(0)
    }
}

/// Installs it on one Agent: stop, new files, start.
pub(super) async fn install(
    agent: &Arc<Agent>,
    log: &ProgressLog,
    hotfix: &Hotfix,
    info: &UpgradeInfo,
) -> Result<(), String> {
    log.append("step", "Extracting package");
    agent.pause(5, 20).await;
    log.append("step", "Stopping DataMiner");
    agent.change(|state| state.run = RunState::Upgrading);
    agent.pause(30, 120).await;
    if agent.faults(|faults| std::mem::take(&mut faults.next_halfway)) {
        agent.change(|state| state.run = RunState::Stopped);
        return Err("Execute failed: Access is denied. (injected)".to_owned());
    }
    log.append("step", "Replacing files");
    agent.change(|state| state.torn = true);
    agent.pause(10, 30).await;
    let text = format!("MZ core {} with {}", agent.state().core, hotfix.entry);
    let replaced = agent.machine.disk.write(&dataminer(r"Files\SLNet.exe"), text.as_bytes());
    replaced.map_err(|error| format!("Update failed: {error}"))?;
    agent.change(|state| {
        state.hotfix = Some(hotfix.entry.clone());
        state.history_due = Some(hotfix.entry.clone());
        state.torn = false;
    });
    if !info.start_afterwards {
        agent.change(|state| state.run = RunState::Stopped);
        return Ok(());
    }
    log.append("step", "Starting DataMiner");
    agent.start_dataminer(|text| log.append("information", text)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hotfix_is_told_by_its_name_domain_01_notation_2() {
        let hotfix = Hotfix::named("HF_10.0.7.0(CU0)_20200520-135714.dmupgrade").expect("a hotfix");
        assert_eq!(hotfix.entry, "HF_10.0.7.0(CU0)_20200520-135714");
        assert!(hotfix.fits(&"10.0.7 (build 9312)".parse().unwrap()));
        assert!(!hotfix.fits(&"10.0.8".parse().unwrap()));
        let hotfix = Hotfix::named("HF_10.5.0.0(CU9)_20251120-135714.dmupgrade").expect("a hotfix");
        assert!(hotfix.fits(&"10.5.0 CU9 (build 16700)".parse().unwrap()));
        assert!(!hotfix.fits(&"10.5.0 CU10".parse().unwrap()));
        for other in
            ["NATSMigration.dmupgrade", "HF_x.dmupgrade", "DataMiner 10.5.12.0-16690 Web Upgrade.dmupgrade"]
        {
            assert_eq!(Hotfix::named(other), None, "{other}");
        }
    }
}
