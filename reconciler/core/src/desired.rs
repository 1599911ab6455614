//! Desired: a Cluster manifest as planning sees it, with a digest over everything that matters to it.

use dataminer_schema::{
    id::{CommitId, Sha256},
    v1::cluster::{
        Agent, Cluster, Connection, Downgrade, Health, Member, SecretRef, Software, Ssh, Upgrade, Window,
    },
};
use serde_json::{Value, json};

/// What is wanted of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    pub cluster: Cluster,
    /// Over everything that matters to planning; labels and the commit do not. Quarantine is keyed by it.
    pub digest: Sha256,
    /// The commit that the manifest comes from; absent offline.
    pub commit: Option<CommitId>,
}

/// Resolves a manifest.
pub fn resolve(cluster: Cluster, commit: Option<CommitId>) -> Desired {
    let digest = Sha256::of(canonical(&cluster).to_string().as_bytes());
    Desired { cluster, digest, commit }
}

/// A serialisation that is stable over releases of this program: object keys are sorted, every field is named here.
fn canonical(cluster: &Cluster) -> Value {
    let Cluster {
        name,
        labels: _,
        suspend,
        software,
        agents,
        connection,
        upgrade,
        downgrade,
        windows,
        health,
    } = cluster;
    let Software { core, web_apps } = software;
    let Upgrade {
        failover_policy,
        options,
        run_as,
        stage_ahead,
        web_upgrades,
        accept_older_fixes,
        min_free_disk,
    } = upgrade;
    let Downgrade { policy, until, restore, extras } = downgrade;
    let Health { settle, timeout } = health;
    let Connection { ssh } = connection;
    json!({
        "format": 1,
        "name": name,
        "suspend": suspend,
        "core": core,
        "webApps": web_apps,
        "agents": agents.iter().map(agent).collect::<Vec<_>>(),
        "ssh": ssh.as_ref().map(ssh_value),
        "failoverPolicy": failover_policy,
        "options": options,
        "runAs": run_as,
        "stageAhead": stage_ahead.as_secs(),
        "webUpgrades": web_upgrades,
        "acceptOlderFixes": accept_older_fixes,
        "minFreeDisk": min_free_disk.0,
        "downgrade": { "policy": policy, "until": until, "restore": restore, "extras": extras },
        "windows": windows.iter().map(window).collect::<Vec<_>>(),
        "settle": settle.as_secs(),
        "timeout": timeout.as_secs(),
    })
}

fn agent(agent: &Agent) -> Value {
    let Agent { member: main, failover } = agent;
    json!({ "member": member(main), "failover": failover.as_ref().map(member) })
}

fn member(member: &Member) -> Value {
    let Member { name, host, port, host_keys, ssh } = member;
    json!({ "name": name, "host": host, "port": port, "hostKeys": host_keys, "ssh": ssh.as_ref().map(ssh_value) })
}

/// Names the secret, never its value: the manifest does not hold it.
fn ssh_value(ssh: &Ssh) -> Value {
    let Ssh { user, identity } = ssh;
    let identity = match identity {
        SecretRef::Env(name) => json!({ "env": name }),
        SecretRef::File(path) => json!({ "file": path }),
    };
    json!({ "user": user, "identity": identity })
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
        let changes: [fn(&mut Cluster); 7] = [
            |cluster| cluster.software.core = "10.5.0 CU13".parse().expect("a version"),
            |cluster| cluster.software.web_apps = dataminer_schema::version::WebWanted::Bundled,
            |cluster| cluster.suspend = true,
            |cluster| cluster.agents.reverse(),
            |cluster| cluster.agents[0].member.port = 2222,
            |cluster| cluster.upgrade.accept_older_fixes = true,
            |cluster| cluster.health.settle = jiff::SignedDuration::from_mins(6),
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
