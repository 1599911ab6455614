//! Findings about Agents: from an examination and an observation to what an operator reads.

use dataminer_core::{canary::Canary, catalog::Catalog, knowledge::Rules};
use dataminer_schema::{
    quantity::format_duration,
    v1::{
        cluster::{Cluster, RunAs},
        observation::{AgentObservation, AgentState},
    },
    version::{PackageKind, Version},
};
use jiff::SignedDuration;

use super::{Check, Finding, Severity};
use crate::agent::{
    error::{AgentError, Reason},
    examine::{Examination, Examined, Folder, Keys, PROGRAMS, Skew, Within},
    layout::{ROOT, UTILITY_NOWHERE},
};

/// Beyond it times of Agents and of this machine begin to contradict each other in what people read.
const SKEW_SEEN: SignedDuration = SignedDuration::from_secs(30);
/// Beyond it Windows refuses to sign in by Kerberos (its default tolerance).
const SKEW_HARMS: SignedDuration = SignedDuration::from_mins(5);

/// What the facts of one Agent are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Measure<'a> {
    pub cluster: &'a Cluster,
    pub catalog: &'a Catalog,
    pub rules: &'a Rules,
    pub installation: &'a str,
}

/// All findings about one Agent. `observed`: the look that followed, where one could follow.
pub fn findings(
    measure: &Measure<'_>,
    examination: &Examination,
    observed: Option<&AgentObservation>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    match &examination.seen {
        Err(error) => found.push(closed(error)),
        Ok(seen) => {
            let took = SignedDuration::try_from(seen.took).unwrap_or_default();
            let took = SignedDuration::from_millis(i64::try_from(took.as_millis()).unwrap_or(0));
            found.push(Finding::good(
                Check::Reachability,
                format!("{} answers; signed in within {took:#}", examination.peer),
            ));
            found.push(Finding::good(Check::SignIn, "the account signs in with its key"));
            found.push(keys(seen.keys.as_ref()));
            found.push(rights(seen));
            found.push(folder(seen));
            if let Some(within) = &seen.within {
                around(measure, within, &mut found);
            }
            if let Some(observed) = observed {
                watched(measure, observed, &mut found);
            }
        }
    }
    let own = |finding: Finding| finding.of(&measure.cluster.name).on(&examination.agent);
    found.into_iter().map(own).collect()
}

/// What a canary showed of the whole cluster.
pub fn canary(standing: &Canary<'_>) -> Finding {
    let cure = "run `doctor --canary`: it runs a package without a restart as an upgrade would be run";
    match standing {
        Canary::Passed(_) => Finding::good(Check::Canary, standing.message()),
        Canary::Failed(_, failure) => {
            Finding::new(Severity::Error, Check::Canary, standing.message(), failure.help.clone())
        }
        Canary::Never | Canary::Expired(_) => {
            Finding::new(Severity::Warning, Check::Canary, standing.message(), cure)
        }
    }
}

/// Nobody got in.
fn closed(error: &AgentError) -> Finding {
    let check = match error.reason {
        Reason::HostKeyRefused => Check::HostKey,
        Reason::AuthenticationFailed
        | Reason::SecretNotAllowed
        | Reason::SecretUnreadable
        | Reason::ConnectionIncomplete => Check::SignIn,
        _ => Check::Reachability,
    };
    let cure = if error.help.is_empty() { "look at the server" } else { &error.help };
    Finding::new(Severity::Error, check, error.message.clone(), cure)
}

fn unknown(check: Check, error: &AgentError) -> Finding {
    let cure = if error.help.is_empty() { "look at the server" } else { &error.help };
    Finding::new(Severity::Unknown, check, error.message.clone(), cure)
}

fn keys(keys: Result<&Keys, &AgentError>) -> Finding {
    let Keys { pinned, shown } = match keys {
        Ok(keys) => keys,
        Err(error) => return unknown(Check::HostKey, error),
    };
    let plain = |key: &str| key.trim_end_matches('=').to_owned();
    let gone: Vec<&str> = pinned
        .iter()
        .filter(|pin| !shown.iter().any(|key| plain(key) == plain(pin)))
        .map(String::as_str)
        .collect();
    if !gone.is_empty() {
        return Finding::new(
            Severity::Warning,
            Check::HostKey,
            format!("the server shows a pinned key, but no longer {}", gone.join(", ")),
            "take it out of `hostKey` if the server got new keys; a key that nobody shows helps nobody but an attacker",
        );
    }
    let others = shown.len().saturating_sub(pinned.len());
    let more = if others > 0 {
        format!("; {others} more of other algorithms are not pinned")
    } else {
        String::new()
    };
    Finding::good(Check::HostKey, format!("the server shows what is pinned{more}"))
}

fn rights(seen: &Examined) -> Finding {
    match &seen.rights {
        Err(error) => unknown(Check::Rights, error),
        Ok(rights) => match rights.is_administrator() {
            Some(true) => {
                Finding::good(Check::Rights, "the account is an administrator, with all its rights")
            }
            Some(false) => Finding::new(
                Severity::Error,
                Check::Rights,
                "the account has no administrator's rights in its session: it can neither close our folder nor register \
                 a task",
                "add it to the local Administrators; a local account other than the built-in one also needs the registry \
                 value LocalAccountTokenFilterPolicy = 1",
            ),
            None => Finding::new(
                Severity::Unknown,
                Check::Rights,
                "`whoami /groups` does not tell whether the account is an administrator",
                "look at the account on the server; the canary shows whether it can run a task",
            ),
        },
    }
}

fn folder(seen: &Examined) -> Finding {
    match &seen.folder {
        Ok(Folder::Absent) => Finding::good(Check::Folder, format!("{ROOT} is made on the first look")),
        Ok(Folder::Ours) => Finding::good(Check::Folder, format!("{ROOT} belongs to us")),
        Ok(Folder::Foreign(owner)) => Finding::new(
            Severity::Error,
            Check::Folder,
            format!("{ROOT} belongs to {owner}, who could exchange what runs as an administrator"),
            "find out who made it, and remove the folder; nothing of it was used, and the rest of this Agent was not \
             looked at",
        ),
        Err(error) => unknown(Check::Folder, error),
    }
}

fn around(measure: &Measure<'_>, within: &Within, found: &mut Vec<Finding>) {
    found.push(match &within.other_owner {
        Err(error) => unknown(Check::Ownership, error),
        Ok(None) => Finding::good(Check::Ownership, "no installation has marked it"),
        Ok(Some(owner)) if owner == measure.installation => {
            Finding::good(Check::Ownership, "it is marked as this installation's")
        }
        Ok(Some(owner)) => Finding::new(
            Severity::Error,
            Check::Ownership,
            format!("it is managed by installation `{owner}`"),
            format!(
                "remove the Agent there; or `dataminer-reconciler takeover {} --reason TEXT`",
                measure.cluster.name
            ),
        ),
    });
    found.push(match &within.clock {
        Err(error) => unknown(Check::Clock, error),
        Ok(skew) => clock(*skew),
    });
    found.push(match &within.missing {
        Err(error) => unknown(Check::Programs, error),
        Ok(missing) if missing.is_empty() => {
            Finding::good(Check::Programs, format!("{} are there", PROGRAMS.join(", ")))
        }
        Ok(missing) => Finding::new(
            Severity::Error,
            Check::Programs,
            format!("C:\\Windows\\System32 lacks {}", missing.join(", ")),
            "these belong to every Windows Server: repair Windows (`sfc /scannow`), or look at what took them away",
        ),
    });
    found.push(match &within.executor {
        Err(error) => unknown(Check::BpaExecutor, error),
        Ok(true) => Finding::good(Check::BpaExecutor, "StandaloneBpaExecutor.exe is there"),
        Ok(false) => Finding::new(
            Severity::Warning,
            Check::BpaExecutor,
            "StandaloneBpaExecutor.exe is not below C:\\Skyline DataMiner\\Tools",
            "a package's checks then run only in the upgrade itself; releases below 10.4.0 do not bring it, others do: \
             install the release again where it should be there",
        ),
    });
}

fn clock(skew: Skew) -> Finding {
    let off = skew.certain();
    if off.is_zero() {
        return Finding::good(
            Check::Clock,
            "the clock agrees with this machine's, as far as the round trip shows",
        );
    }
    let way = if off.is_positive() { "ahead of" } else { "behind" };
    let off = SignedDuration::from_secs(off.abs().as_secs().max(1));
    let message = format!("the clock is at least {} {way} this machine's", format_duration(off));
    let severity = match off {
        off if off > SKEW_HARMS => Severity::Error,
        off if off > SKEW_SEEN => Severity::Warning,
        _ => return Finding::good(Check::Clock, message),
    };
    Finding::new(
        severity,
        Check::Clock,
        message,
        "synchronise both with the same time server (`w32tm /resync` there); windows, backups and the history of versions \
         are read by time, and beyond five minutes domain accounts cannot sign in",
    )
}

fn watched(measure: &Measure<'_>, agent: &AgentObservation, found: &mut Vec<Finding>) {
    if !agent.reachable {
        let reason = agent.reason.clone().unwrap_or_else(|| "the observation failed".to_owned());
        found.push(Finding::new(
            Severity::Error,
            Check::Reachability,
            reason,
            "look again; if it stays so, look at the server's load",
        ));
        return;
    }
    found.push(utility(measure, agent));
    found.push(disk(measure, agent));
    found.push(account(measure));
    found.push(match agent.default_upgrade_options {
        Some(false) => Finding::good(Check::UpgradeDefaults, "MaintenanceSettings.xml holds no DefaultUpgradeOptions"),
        Some(true) => Finding::new(
            Severity::Warning,
            Check::UpgradeDefaults,
            "MaintenanceSettings.xml holds DefaultUpgradeOptions: SLNet does not start with them on 10.4.1 to 10.5.6 and \
             10.5.0 CU0 to CU3",
            "remove that element on every Agent before an upgrade to one of these (`explain H13`)",
        ),
        None => not_seen(agent, Check::UpgradeDefaults, "defaultUpgradeOptions", "MaintenanceSettings.xml"),
    });
    found.push(match agent.pending_reboot {
        Some(false) => Finding::good(Check::Reboot, "Windows waits for no reboot"),
        Some(true) => Finding::new(
            Severity::Error,
            Check::Reboot,
            "Windows waits for a reboot, and an upgrade would hit it half way",
            "reboot the server in an orderly way",
        ),
        None => not_seen(agent, Check::Reboot, "pendingReboot", "the registry"),
    });
    let offline = agent.failover.is_some_and(|failover| failover.online == Some(false));
    found.push(match agent.state {
        Some(AgentState::Running) => Finding::good(Check::AgentState, "DataMiner runs"),
        Some(AgentState::Disconnected) if offline => {
            Finding::good(Check::AgentState, "the offline member of its Failover pair")
        }
        Some(AgentState::Unknown) | None if offline => {
            Finding::good(Check::AgentState, "the offline member of its Failover pair")
        }
        Some(AgentState::Unknown) | None => {
            not_seen(agent, Check::AgentState, "state", "the list of processes")
        }
        Some(state) => Finding::new(
            Severity::Error,
            Check::AgentState,
            format!("DataMiner is {state:?}, not Running"),
            "start it, and look into why it was not: every Agent must run before an upgrade",
        ),
    });
}

fn not_seen(agent: &AgentObservation, check: Check, item: &str, source: &str) -> Finding {
    let why = agent.unknown.get(item).map_or("no reason is known", String::as_str);
    Finding::new(
        Severity::Unknown,
        check,
        format!("not known: {why}"),
        format!("look at {source} on the server"),
    )
}

/// S10, by the core, which brings the utility along.
fn utility(measure: &Measure<'_>, agent: &AgentObservation) -> Finding {
    let Some(version) = &agent.taskbar_utility else {
        let why = agent.unknown.get("taskbarUtility").map_or("no reason is known", String::as_str);
        // Where the program is, but bears no version, upgrades run.
        let severity = if why == UTILITY_NOWHERE { Severity::Error } else { Severity::Unknown };
        return Finding::new(
            severity,
            Check::TaskbarUtility,
            format!("SLTaskbarUtility.exe: {why}"),
            "install the DataMiner Taskbar Utility on the server; the first Agent of the manifest that runs and has it \
             orchestrates",
        );
    };
    let core = agent.core.as_deref().and_then(|core| core.parse::<Version>().ok());
    let old = core.is_some_and(|core| {
        measure.catalog.release_of(&core).at_least(&measure.rules.s10.reads_arguments) == Some(false)
    });
    if old {
        return Finding::new(
            Severity::Warning,
            Check::TaskbarUtility,
            format!(
                "SLTaskbarUtility.exe {version} comes from before {} and may hang where nobody sits before it",
                measure.rules.s10.reads_arguments
            ),
            "prove it with `doctor --canary` (`explain S10`)",
        );
    }
    Finding::good(Check::TaskbarUtility, format!("SLTaskbarUtility.exe {version}"))
}

fn disk(measure: &Measure<'_>, agent: &AgentObservation) -> Finding {
    let Some(free) = agent.free_disk else { return not_seen(agent, Check::Disk, "freeDisk", "drive C:") };
    let least = measure.cluster.upgrade.min_free_disk.0;
    let full = measure.catalog.packages().filter(|entry| entry.kind == PackageKind::Full);
    let largest = full.filter_map(|entry| entry.size).max().unwrap_or(0);
    let need = least.saturating_add(largest.saturating_mul(2));
    let cure =
        "free disk space on drive C:, or lower `upgrade.minFreeDisk` if the server is so small on purpose";
    let (has, needs) = (gibibytes(free.0), gibibytes(need));
    if free.0 < least {
        let message = format!("{has} are free, `upgrade.minFreeDisk` asks for {}", gibibytes(least));
        Finding::new(Severity::Error, Check::Disk, message, cure)
    } else if free.0 < need {
        let message =
            format!("{has} are free, {needs} are needed with twice the largest package of the catalogue");
        Finding::new(Severity::Warning, Check::Disk, message, cure)
    } else {
        Finding::good(Check::Disk, format!("{has} are free, {needs} are needed"))
    }
}

fn account(measure: &Measure<'_>) -> Finding {
    let account = dataminer_core::canary::account(measure.cluster);
    let message = format!("jobs run under {account}");
    match measure.cluster.upgrade.run_as {
        RunAs::SshUser => Finding::good(Check::JobAccount, message),
        RunAs::Named { .. } => Finding::new(
            Severity::Error,
            Check::JobAccount,
            format!("{message}, and this release runs none under such an account"),
            "write `upgrade.runAs: { account: SshUser }` or `{ account: System }`",
        ),
        RunAs::System => Finding::new(
            Severity::Warning,
            Check::JobAccount,
            format!(
                "{message}, which DataMiner knows only if the Taskbar Utility holds credentials of its own"
            ),
            "prove it with `doctor --canary`; or save credentials of a user with the right Upgrade / restore in the \
             utility's Options > slnet",
        ),
    }
}

fn gibibytes(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, ((bytes & ((1 << 30) - 1)) * 10) >> 30)
}
