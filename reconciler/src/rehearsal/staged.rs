//! The manifest of a rehearsal: the cluster's own, reached at its copy, with what counts as given.

use std::{net::SocketAddr, time::Duration};

use dataminer_schema::{
    id::AgentName,
    v1::cluster::{Approval, Cluster, Connection, Credential, Member, RunAs, SecretRef, Ssh},
};
use dms_simulator::Simulation;
use jiff::SignedDuration;

/// Nothing settles faster: a simulated restart must not hide between two looks.
const LEAST_SETTLE: SignedDuration = SignedDuration::from_secs(1);
/// Connections, hashes and a busy machine take their real time.
const LEAST_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// What counts as given in a rehearsal of this cluster, in words.
pub(super) fn given(cluster: &Cluster) -> Vec<String> {
    let mut given = Vec::new();
    let mut add = |holds: bool, text: &str| {
        if holds {
            given.push(text.to_owned());
        }
    };
    add(!cluster.windows.is_empty(), "its windows count as open; when they are is what the forecast tells");
    add(cluster.approval != Approval::Never, "whatever waits for an operator's approval counts as approved");
    add(cluster.suspend, "it is not suspended");
    add(
        cluster.rollout.is_some() || !cluster.depends_on.is_empty(),
        "what it waits for among other clusters has passed",
    );
    add(!cluster.hooks.is_empty(), "its hooks are not called");
    add(!cluster.health.checks.is_empty(), "its own health checks pass");
    add(matches!(cluster.upgrade.run_as, RunAs::Named { .. }), "jobs run as the account that signs in");
    given
}

/// The manifest of the copy. `servers`: the simulated server of each Agent.
pub(super) fn staged(
    cluster: &Cluster,
    servers: &[(AgentName, String)],
    simulation: &Simulation,
    speed: u32,
) -> Cluster {
    let mut staged = cluster.clone();
    let place = |member: &mut Member| {
        let server = servers.iter().find(|(name, _)| *name == member.name).map(|(_, server)| server);
        let endpoint = server.and_then(|server| simulation.agent(cluster.name.as_str(), server));
        if let Some(endpoint) = endpoint {
            let addr: SocketAddr = endpoint.addr;
            member.host = addr.ip().to_string();
            member.port = addr.port();
            member.host_keys = vec![endpoint.host_key_fingerprint.clone()];
        }
        member.ssh = None;
    };
    for agent in &mut staged.agents {
        place(&mut agent.member);
        if let Some(partner) = &mut agent.failover {
            place(partner);
        }
    }
    staged.connection = Connection {
        ssh: simulation.agents().first().map(|endpoint| Ssh {
            user: endpoint.user.clone(),
            credential: Credential::Key { identity: identity(simulation), passphrase: None },
        }),
        ..Connection::default()
    };
    staged.windows = Vec::new();
    staged.approval = Approval::Never;
    staged.suspend = false;
    staged.rollout = None;
    staged.depends_on = Vec::new();
    staged.hooks = Vec::new();
    staged.health.checks = Vec::new();
    // The plan was made for its own time; these were judged there.
    staged.advisories = Vec::new();
    staged.downgrade.until = None;
    if matches!(staged.upgrade.run_as, RunAs::Named { .. }) {
        staged.upgrade.run_as = RunAs::SshUser;
    }
    let hurried = |duration: SignedDuration, least| (duration / hurry(speed)).max(least);
    staged.health.settle = hurried(staged.health.settle, LEAST_SETTLE);
    staged.health.timeout = hurried(staged.health.timeout, LEAST_PATIENCE);
    staged
}

/// The key that every simulated Agent accepts.
pub(super) fn identity(simulation: &Simulation) -> SecretRef {
    let key = simulation.agents().first().map(|endpoint| endpoint.client_key.to_string());
    SecretRef::File(key.unwrap_or_default())
}

/// The speed as the engine counts it.
pub(super) fn hurry(speed: u32) -> i32 {
    i32::try_from(speed).unwrap_or(i32::MAX).max(1)
}

/// Real time in simulated time.
pub(super) fn simulated(real: SignedDuration, speed: u32) -> SignedDuration {
    real.saturating_mul(hurry(speed))
}

/// How patiently the driver polls: often, because a simulated job takes seconds.
pub(super) fn pace() -> crate::agent::Pace {
    crate::agent::Pace {
        first: Duration::from_millis(30),
        longest: Duration::from_millis(250),
        ..crate::agent::Pace::default()
    }
}
