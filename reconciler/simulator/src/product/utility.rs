//! `SLTaskbarUtility.exe` on the command line (`domain/05 section 1`).
//!
//! What its return codes mean is not documented; here 0 is success and anything else is not.

use std::sync::Arc;

use super::{
    agent::Agent,
    cluster::Cluster,
    info::UpgradeInfo,
    operation::{self, Order},
    package,
};
use crate::{
    cmd::Streams,
    disk::WinPath,
    inspect::{RunState, ViolationKind},
    order::reached,
    windows::lock,
};

/// The utility shows up in the task list while it runs.
struct Visible<'a>(&'a Agent);

impl Drop for Visible<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.utilities = state.utilities.saturating_sub(1));
    }
}

/// Runs the utility to its end; dropping it is killing it.
pub(super) async fn run(
    agent: Arc<Agent>,
    cluster: Arc<Cluster>,
    arguments: Vec<String>,
    streams: &Streams,
) -> i32 {
    agent.change(|state| state.utilities += 1);
    let _visible = Visible(&agent);
    let (exit, hangs) =
        agent.faults(|faults| (faults.next_exit.take(), std::mem::take(&mut faults.next_hangs)));
    // RN 37952: it does not read its command line with no instance of it running, and waits for somebody.
    let deaf = !agent.spec.tray && !reached(&agent.state().core, (10, 3, 11), (10, 4, 2));
    if hangs || deaf {
        std::future::pending::<()>().await;
    }
    if let Some(code) = exit {
        agent.pause(2, 10).await;
        return code;
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["-upgrade", package] => upgrade(&agent, &cluster, package, None).await,
        ["-upgrade", package, info] => upgrade(&agent, &cluster, package, Some(info)).await,
        ["-stop"] => {
            agent.pause(10, 30).await;
            agent.stop_dataminer();
            Ok(())
        }
        ["-start"] if agent.state().run == RunState::Stopped => {
            agent.start_dataminer(|_| {}).await;
            Ok(())
        }
        ["-start"] => Ok(()),
        ["-restart"] => {
            agent.stop_dataminer();
            agent.pause(10, 30).await;
            agent.start_dataminer(|_| {}).await;
            Ok(())
        }
        ["-help", ..] => Ok(()),
        _ => {
            agent.machine.note_unknown(format!("SLTaskbarUtility {}", arguments.join(" ")));
            Err((2, "Invalid arguments".to_owned()))
        }
    };
    match result {
        Ok(()) => 0,
        Err((code, text)) => {
            streams.complain(&text);
            code
        }
    }
}

type Failed = (i32, String);

async fn upgrade(
    agent: &Arc<Agent>,
    cluster: &Arc<Cluster>,
    package: &str,
    info: Option<&str>,
) -> Result<(), Failed> {
    let folder = WinPath::root();
    let disk = &agent.machine.disk;
    let info = match info {
        None => UpgradeInfo::local(),
        Some(path) => WinPath::parse(path, &folder)
            .and_then(|path| disk.read(&path, 1 << 20))
            .map_err(|error| error.to_string())
            .and_then(|bytes| UpgradeInfo::read(&bytes))
            .map_err(|problem| (3, format!("{path} cannot be used: {problem}")))?,
    };
    let path = WinPath::parse(package, &folder).map_err(|error| (4, error.to_string()))?;
    let host = disk.find(&path).map_err(|error| (4, format!("{package}: {error}")))?;
    let file = path.name().unwrap_or_default().to_owned();
    let read = tokio::task::spawn_blocking(move || package::read(host, &file)).await;
    let package = read.map_err(|error| (4, error.to_string()))?.map_err(|problem| (4, problem))?;
    let (targets, partial) = targets(agent, cluster, &info)?;
    let operation = {
        let mut current = lock(&cluster.operation);
        if let Some(running) = current.as_ref() {
            let detail = format!("{}: {} while {running} runs", agent.spec.name, package.file);
            drop(current);
            cluster.violate(ViolationKind::SecondOperation, detail);
            return Err((5, "Another upgrade is in progress".to_owned()));
        }
        if !lock(&agent.consumed).insert(package.copy) {
            return Err((
                6,
                format!("The package {} is completed and cannot be executed again", package.file),
            ));
        }
        *current = Some(package.file.clone());
        operation::Running::new(Arc::clone(cluster))
    };
    if partial {
        let detail = format!("{}: IsCluster is true, but not every Agent is listed", agent.spec.name);
        cluster.violate(ViolationKind::AmbiguousAgentList, detail);
    }
    let order = Order {
        package,
        info,
        targets,
        orchestrator: Arc::clone(agent),
        over: tokio::sync::watch::Sender::default(),
    };
    operation::run(operation, order).await.map_err(|problem| (1, problem))
}

/// The Agents that UpgradeInfo.xml means, and whether it names a part where it says the whole.
fn targets(
    agent: &Arc<Agent>,
    cluster: &Arc<Cluster>,
    info: &UpgradeInfo,
) -> Result<(Vec<Arc<Agent>>, bool), Failed> {
    let mut listed: Vec<Arc<Agent>> = Vec::new();
    for address in &info.agents {
        let found = cluster.agents().iter().find(|member| {
            if address.eq_ignore_ascii_case("localhost") {
                Arc::ptr_eq(member, agent)
            } else {
                member.spec.address.to_string() == *address
            }
        });
        let Some(found) = found else {
            return Err((3, format!("{address} is not an Agent of this DataMiner System")));
        };
        // An entry of a pair means both members.
        for member in cluster.agents().iter().filter(|member| member.spec.id == found.spec.id) {
            if !listed.iter().any(|known| Arc::ptr_eq(known, member)) {
                listed.push(Arc::clone(member));
            }
        }
    }
    if info.is_cluster {
        let partial = listed.len() < cluster.agents().len();
        return Ok((cluster.agents().to_vec(), partial));
    }
    Ok((listed, false))
}
