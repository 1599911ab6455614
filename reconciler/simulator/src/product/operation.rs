//! One upgrade of one system: upload, checks on all Agents, then all Agents at their own pace.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::{FutureExt, join_all};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    agent::Agent,
    cluster::Cluster,
    info::UpgradeInfo,
    log::ProgressLog,
    package::{Content, Package},
    prerequisites, rules,
    steps::{core_upgrade, web_upgrade},
    tools,
};
use crate::{
    inspect::{RunState, ViolationKind},
    order::reached,
    spec::{FailoverPolicy, FailoverRole},
    windows::lock,
};

/// What was asked for.
pub(super) struct Order {
    pub(super) package: Package,
    pub(super) info: UpgradeInfo,
    pub(super) targets: Vec<Arc<Agent>>,
    pub(super) orchestrator: Arc<Agent>,
    /// The targets, by their place, on which it is over, well or badly.
    pub(super) over: watch::Sender<BTreeSet<usize>>,
}

impl Order {
    /// Whether this Agent stays down until all others are done: the orchestrating one of a whole system does, before
    /// 10.6.6/10.7.0 (`domain/04 section 1`, RN 45312). Whether the software before or after counts is not documented
    /// `[I]`.
    fn is_silent(&self, agent: &Arc<Agent>) -> bool {
        self.info.is_cluster
            && Arc::ptr_eq(agent, &self.orchestrator)
            && !reached(&agent.state().core, (10, 7, 0), (10, 6, 6))
    }

    /// Waits until it is over everywhere else; the other member of the own pair may come behind.
    async fn others(&self, agent: &Arc<Agent>) {
        let others = self.targets.iter().enumerate().filter(|(_, other)| other.spec.id != agent.spec.id);
        let others: BTreeSet<usize> = others.map(|(place, _)| place).collect();
        // The sender lives as long as this.
        let mut over = self.over.subscribe();
        let _closed = over.wait_for(|over| others.is_subset(over)).await;
    }
}

/// The one operation of a cluster; over when this is dropped.
pub(super) struct Running {
    cluster: Arc<Cluster>,
}

impl Running {
    /// The caller has marked the operation.
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *lock(&self.cluster.operation) = None;
        self.cluster.watch_for_mixture();
    }
}

/// Runs an operation for its utility. Killing the utility before the Agents have begun ends it; after that they go
/// on by themselves.
pub(super) async fn run(running: Running, order: Order) -> Result<(), String> {
    let cluster = Arc::clone(&running.cluster);
    let (sender, receiver) = oneshot::channel();
    let killed = CancellationToken::new();
    let _kills = killed.clone().drop_guard();
    let task = async move {
        let result = drive(&running.cluster, &order, killed).await;
        drop(running);
        // The utility may be gone.
        let _gone = sender.send(result);
    };
    cluster.spawn(task);
    receiver.await.unwrap_or_else(|_| Err("The upgrade was interrupted".to_owned()))
}

async fn drive(cluster: &Arc<Cluster>, order: &Order, killed: CancellationToken) -> Result<(), String> {
    let Order { package, info, targets, orchestrator, over: _ } = order;
    let id = orchestrator.random_hex(32);
    let mut logs = Vec::new();
    for agent in targets {
        let log = ProgressLog::open(agent, &package.file, &id, &package.prerequisites)
            .map_err(|error| format!("{}: {error}", agent.spec.address))?;
        logs.push(log);
    }
    let own = targets.iter().position(|agent| Arc::ptr_eq(agent, orchestrator));
    let prepared = killed.run_until_cancelled(prepare(order, &logs, own)).await;
    let failed = match prepared {
        None => Some("The upgrade was aborted".to_owned()),
        Some(result) => result.err(),
    };
    if let Some(problem) = failed {
        for log in &logs {
            log.append("error", &format!("Upgrade failed: {problem}"));
            log.clean(false);
        }
        return Err(problem);
    }
    if let Content::Tool(tool) = package.content {
        let result = tools::run(tool, cluster, targets, &logs).await;
        for log in &logs {
            conclude(log, result.as_ref().err());
        }
        return result;
    }
    let policy = info.policy.unwrap_or(cluster.failover_policy);
    record_violations(cluster, order, policy);
    let mut units = Vec::new();
    for (index, agent) in targets.iter().enumerate() {
        let partner =
            targets.iter().position(|other| other.spec.id == agent.spec.id && !Arc::ptr_eq(other, agent));
        let main = agent.spec.failover.is_none_or(|failover| failover.role == FailoverRole::Main);
        match partner {
            // Main brings its partner along.
            Some(_) if !main => {}
            Some(partner)
                if policy != FailoverPolicy::Simultaneously
                    && matches!(package.content, Content::Full(_)) =>
            {
                units.push(one_after_the_other(order, &logs, index, partner, policy).boxed());
            }
            Some(partner) => {
                units.push(single(order, &logs, index).boxed());
                units.push(single(order, &logs, partner).boxed());
            }
            None => units.push(single(order, &logs, index).boxed()),
        }
    }
    let results = join_all(units).await;
    let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

/// Upload and checks: nothing has changed when this fails.
async fn prepare(order: &Order, logs: &[ProgressLog], own: Option<usize>) -> Result<(), String> {
    let Order { package, targets, orchestrator, .. } = order;
    let tell = |level: &str, text: &str| {
        for log in logs {
            log.append(level, text);
        }
    };
    tell("step", "Uploading package");
    // A gigabyte takes about a minute.
    let upload = Duration::from_secs(5 + package.size / (16 << 20));
    orchestrator.machine.clock.sleep(upload).await;
    for agent in targets.iter().filter(|agent| !Arc::ptr_eq(agent, orchestrator)) {
        // SLNet receives; without it a whole-system upgrade is impossible (`domain/04 section 1`).
        if agent.state().run != RunState::Running {
            let problem = format!("Upload failed: {} cannot be reached", agent.spec.address);
            tell("error", &problem);
            return Err(problem);
        }
    }
    tell("information", "UploadComplete");
    tell("step", "Verifying prerequisites");
    let checked = targets.iter().zip(logs).map(|(agent, log)| async move {
        agent.pause(10, 40).await;
        let mut failures = Vec::new();
        for check in &package.prerequisites {
            agent.pause(1, 4).await;
            match prerequisites::run(agent, &package.content, check) {
                Ok(()) => log.append("information", &format!("Prerequisite {check} succeeded")),
                Err(text) => failures.push(format!("Prerequisite {check} failed: {text}")),
            }
        }
        if let Err(text) = prerequisites::web_gate(agent, package) {
            failures.push(format!("Prerequisite WebUpgradeRequirements failed: {text}"));
        }
        for failure in &failures {
            log.append("error", failure);
        }
        (agent.spec.address.to_string(), failures)
    });
    let results = join_all(checked).await;
    let all: Vec<(&str, &String)> = results
        .iter()
        .flat_map(|(address, failures)| failures.iter().map(move |failure| (address.as_str(), failure)))
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    // The first Agent's log has them all.
    if let Some(log) = own.and_then(|own| logs.get(own)) {
        for (address, failure) in &all {
            if *address != orchestrator.spec.address.to_string() {
                log.append_of(address, "error", failure);
            }
        }
    }
    for log in logs {
        log.raw(&format!("DataMiner Agent: {} error(s) and 0 notice(s)\r\n", all.len()));
        for (_, failure) in &all {
            log.raw(&format!("    - {failure}\r\n"));
        }
        log.raw("    - One or more prerequisites failed\r\n");
    }
    Err("One or more prerequisites failed".to_owned())
}

fn record_violations(cluster: &Cluster, order: &Order, policy: FailoverPolicy) {
    let Content::Full(target) = &order.package.content else { return };
    for agent in &order.targets {
        for (kind, detail) in rules::hop(agent, target) {
            cluster.violate(kind, detail);
        }
        if rules::unsafe_policy(agent, target, policy) {
            let detail = format!("{}: {policy:?} to {target}", agent.spec.name);
            cluster.violate(ViolationKind::UnsafeFailoverPolicy, detail);
        }
    }
}

async fn single(order: &Order, logs: &[ProgressLog], index: usize) -> Result<(), String> {
    let (Some(agent), Some(log)) = (order.targets.get(index), logs.get(index)) else {
        return Err("no such Agent".to_owned());
    };
    let silent = order.is_silent(agent);
    let before_start = async {
        if silent {
            order.others(agent).await;
        }
    };
    let work = async {
        match &order.package.content {
            Content::Web(target) => web_upgrade(agent, log, &order.package, target).await,
            Content::Full(target) => {
                core_upgrade(agent, log, &order.package, target, &order.info, before_start).await
            }
            Content::Tool(_) => Ok(()),
        }
    };
    let result = agent
        .until_reboot(work)
        .await
        .unwrap_or_else(|| Err("Windows was restarted in the middle".to_owned()));
    conclude(log, result.as_ref().err());
    order.over.send_modify(|over| {
        over.insert(index);
    });
    result.map_err(|problem| format!("{}: {problem}", agent.spec.address))
}

/// The last lines of an Agent's log, and what stays of its folder.
fn conclude(log: &ProgressLog, problem: Option<&String>) {
    match problem {
        None => {
            log.append("information", "LocalComplete");
            log.raw("DataMiner Agent: 0 error(s) and 0 notice(s)\r\n");
            log.append("information", "Upgrade finished successfully.");
        }
        Some(problem) => {
            log.append("step", "Executing on-failure steps due to failure...");
            log.append("error", &format!("Upgrade failed: {problem}"));
        }
    }
    log.clean(problem.is_none());
}

/// The offline member first, then a switch, then the other.
async fn one_after_the_other(
    order: &Order,
    logs: &[ProgressLog],
    main: usize,
    backup: usize,
    policy: FailoverPolicy,
) -> Result<(), String> {
    let online = |index: usize| order.targets.get(index).is_some_and(|agent| agent.state().online);
    let (first, second) = if online(main) { (backup, main) } else { (main, backup) };
    if let Err(problem) = single(order, logs, first).await {
        order.over.send_modify(|over| {
            over.insert(second);
        });
        return Err(problem);
    }
    switch(order, first, second);
    single(order, logs, second).await?;
    if policy == FailoverPolicy::BackupFirstWithSwitchback {
        switch(order, second, first);
    }
    Ok(())
}

fn switch(order: &Order, to_online: usize, to_offline: usize) {
    for (index, online) in [(to_online, true), (to_offline, false)] {
        if let Some(agent) = order.targets.get(index) {
            agent.change(|state| state.online = online);
        }
    }
}
