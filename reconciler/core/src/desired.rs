//! Desired: a Cluster manifest as planning sees it, with a digest over everything that matters to it.

use dataminer_schema::{
    id::{CommitId, Sha256},
    v1::{
        advisory::Advisory,
        cluster::{
            Agent, AgentKind, Approval, Cluster, Connection, Credential, Downgrade, Health, HealthCheck,
            Hook, JumpHost, Member, OnFailure, RunAs, SecretRef, Software, Ssh, Upgrade, UpgradeMode,
            WebServices, Window,
        },
    },
};
use serde_json::{Map, Value, json};

use crate::window::Calendar;

/// What is wanted of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    pub cluster: Cluster,
    /// Its windows, read once: parsing a schedule takes longer than asking it.
    pub calendar: Calendar,
    /// Over everything that matters to planning; labels and the commit do not. Quarantine is keyed by it.
    pub digest: Sha256,
    /// The commit that the manifest comes from; absent offline.
    pub commit: Option<CommitId>,
}

/// Resolves a manifest.
pub fn resolve(cluster: Cluster, commit: Option<CommitId>) -> Desired {
    let digest = Sha256::of(canonical(&cluster).to_string().as_bytes());
    let calendar = Calendar::read(&cluster.windows);
    Desired { cluster, calendar, digest, commit }
}

/// A serialisation that is stable over releases of this program: object keys are sorted, every field is named here,
/// and a field that came later is there only where it says something.
fn canonical(cluster: &Cluster) -> Value {
    let Cluster {
        name,
        labels: _,
        // What it gave stands in the other fields.
        profile: _,
        // Who goes first is no part of what is wanted.
        rollout: _,
        advisories,
        suspend,
        software,
        agents,
        connection,
        upgrade,
        downgrade,
        windows,
        approval,
        hooks,
        health,
        depends_on,
    } = cluster;
    let Software { core, web_apps, hotfixes } = software;
    let Upgrade {
        mode,
        failover_policy,
        options,
        run_as,
        stage_ahead,
        web_upgrades,
        accept_older_fixes,
        accept_hotfix_loss,
        min_free_disk,
        on_failure,
    } = upgrade;
    let Downgrade { policy, until, restore, extras, patch_prerequisites } = downgrade;
    let Health { settle, timeout, checks } = health;
    let Connection { ssh, via, web_services } = connection;
    let mut canonical = json!({
        "format": 1,
        "name": name,
        "suspend": suspend,
        "core": core,
        "webApps": web_apps,
        "agents": agents.iter().map(agent).collect::<Vec<_>>(),
        "ssh": ssh.as_ref().map(ssh_value),
        "failoverPolicy": failover_policy,
        "options": options,
        "runAs": account(run_as),
        "stageAhead": stage_ahead.as_secs(),
        "webUpgrades": web_upgrades,
        "acceptOlderFixes": accept_older_fixes,
        "minFreeDisk": min_free_disk.0,
        "downgrade": { "policy": policy, "until": until, "restore": restore, "extras": extras },
        "windows": windows.iter().map(window).collect::<Vec<_>>(),
        "settle": settle.as_secs(),
        "timeout": timeout.as_secs(),
    });
    let later = [
        ("hotfixes", (!hotfixes.is_empty()).then(|| json!(hotfixes))),
        ("via", via.as_ref().map(jump_host)),
        ("webServices", web_services.as_ref().map(api)),
        ("mode", (*mode != UpgradeMode::Apply).then(|| json!(mode))),
        ("acceptHotfixLoss", accept_hotfix_loss.then(|| json!(true))),
        ("onFailure", (*on_failure != OnFailure::Stop).then(|| json!(on_failure))),
        ("patchPrerequisites", patch_prerequisites.then(|| json!(true))),
        ("approval", (*approval != Approval::Downgrades).then(|| json!(approval))),
        ("hooks", (!hooks.is_empty()).then(|| hooks.iter().map(hook).collect())),
        ("checks", (!checks.is_empty()).then(|| checks.iter().map(check).collect())),
        ("advisories", (!advisories.is_empty()).then(|| advisories.iter().map(advisory).collect())),
        ("dependsOn", (!depends_on.is_empty()).then(|| json!(depends_on))),
    ];
    add(&mut canonical, later);
    canonical
}

/// Adds what says something.
fn add<const N: usize>(canonical: &mut Value, later: [(&str, Option<Value>); N]) {
    let said = later.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
    if let Value::Object(fields) = canonical {
        fields.extend(said.collect::<Map<_, _>>());
    }
}

fn agent(agent: &Agent) -> Value {
    let Agent { member: main, kind, failover } = agent;
    let mut canonical = json!({ "member": member(main), "failover": failover.as_ref().map(member) });
    add(&mut canonical, [("kind", (*kind != AgentKind::Agent).then(|| json!(kind)))]);
    canonical
}

fn member(member: &Member) -> Value {
    let Member { name, host, port, host_keys, ssh } = member;
    json!({ "name": name, "host": host, "port": port, "hostKeys": host_keys, "ssh": ssh.as_ref().map(ssh_value) })
}

/// Names the secret, never its value: the manifest does not hold it.
fn ssh_value(ssh: &Ssh) -> Value {
    let Ssh { user, credential } = ssh;
    match credential {
        Credential::Key { identity, passphrase } => {
            let mut canonical = json!({ "user": user, "identity": secret(identity) });
            add(&mut canonical, [("passphrase", passphrase.as_ref().map(secret))]);
            canonical
        }
        Credential::Password(password) => json!({ "user": user, "password": secret(password) }),
    }
}

fn secret(secret: &SecretRef) -> Value {
    match secret {
        SecretRef::Env(name) => json!({ "env": name }),
        SecretRef::File(path) => json!({ "file": path }),
    }
}

fn account(account: &RunAs) -> Value {
    match account {
        RunAs::SshUser => json!("SshUser"),
        RunAs::System => json!("System"),
        RunAs::Named { user, password } => json!({ "user": user, "password": secret(password) }),
    }
}

fn jump_host(via: &JumpHost) -> Value {
    let JumpHost { host, port, host_keys, ssh } = via;
    json!({ "host": host, "port": port, "hostKeys": host_keys, "ssh": ssh_value(ssh) })
}

fn api(api: &WebServices) -> Value {
    let WebServices { url, user, password } = api;
    json!({ "url": url, "user": user, "password": secret(password) })
}

fn hook(hook: &Hook) -> Value {
    let Hook { event, run, timeout } = hook;
    json!({ "event": event, "run": run, "timeout": timeout.as_secs() })
}

/// Which clusters it selects is said by its being here; the reason changes nothing.
fn advisory(advisory: &Advisory) -> Value {
    let Advisory { name: _, issue, accept, clusters: _, reason: _, expires } = advisory;
    json!({ "issue": issue, "accept": accept, "expires": expires })
}

fn check(check: &HealthCheck) -> Value {
    match check {
        HealthCheck::Https { url, expect } => json!({ "https": url, "expect": expect }),
        HealthCheck::Bpa(name) => json!({ "bpa": name }),
    }
}

fn window(window: &Window) -> Value {
    match window {
        Window::Allow { schedule, duration, time_zone, cutoff, fit } => json!({
            "allow": schedule, "duration": duration.as_secs(), "timeZone": time_zone, "cutoff": cutoff.as_secs(),
            "fit": fit,
        }),
        Window::Deny { from, to, time_zone, reason } => {
            json!({ "deny": from, "to": to, "timeZone": time_zone, "reason": reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cluster;

    #[test]
    fn the_digest_is_over_what_matters_and_stable() {
        let base = || cluster("10.5.0 CU12", &["a1", "a2"]);
        let digest = |cluster: Cluster| resolve(cluster, None).digest;
        // Quarantine is stored by it: a change of this constant releases every quarantine of the past.
        assert_eq!(digest(base()).short(), "5afa465bf89e");
        let mut labelled = base();
        labelled.labels.insert("stage".to_owned(), "test".to_owned());
        assert_eq!(digest(labelled), digest(base()));
        let commit = CommitId::new("0".repeat(40)).ok();
        assert_eq!(resolve(base(), commit).digest, digest(base()));
        let changes: [fn(&mut Cluster); 11] = [
            |cluster| cluster.software.core = "10.5.0 CU13".parse().expect("a version"),
            |cluster| cluster.software.web_apps = dataminer_schema::version::WebWanted::Bundled,
            |cluster| cluster.suspend = true,
            |cluster| cluster.agents.reverse(),
            |cluster| cluster.agents[0].member.port = 2222,
            |cluster| cluster.upgrade.accept_older_fixes = true,
            |cluster| cluster.health.settle = jiff::SignedDuration::from_mins(6),
            |cluster| cluster.approval = Approval::Always,
            |cluster| cluster.software.hotfixes.push("HF".to_owned()),
            |cluster| cluster.agents[0].kind = AgentKind::Probe,
            |cluster| cluster.upgrade.mode = UpgradeMode::StageOnly,
        ];
        let mut seen = vec![digest(base())];
        for change in changes {
            let mut changed = base();
            change(&mut changed);
            let digest = digest(changed);
            assert!(!seen.contains(&digest));
            seen.push(digest);
        }
    }
}
