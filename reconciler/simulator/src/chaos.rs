//! Faults by the clock and by the seed: those of a file that come later, and random ones.

use std::{sync::Arc, time::Duration};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, Reach},
    product::{Agent, Cluster},
    random,
    simulation::put,
};

/// Faults that strike at random, by the simulation's seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomFaults {
    /// Simulated seconds between two of them, on average.
    pub every: u32,
    /// No more after so many simulated seconds; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u32>,
    /// What may strike; whatever passes by itself if absent.
    #[serde(default = "passing")]
    pub kinds: Vec<FaultKind>,
}

/// A kind of fault whose details are drawn. Where one would stay for ever, it is healed after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// Connections break after some bytes.
    CutConnections,
    /// An upload breaks after some bytes.
    DropUpload,
    /// Nobody answers for some minutes.
    Silence,
    /// Connections are refused for some minutes.
    Refuse,
    /// Windows restarts.
    Reboot,
    /// Windows restarts while the next job runs.
    RebootDuringJob,
    /// Running jobs are killed.
    KillJobs,
    /// The disk is full for a while.
    DiskFull,
    /// A prerequisite fails for a while.
    FailPrerequisite,
    /// DataMiner stops for some minutes.
    StopDataMiner,
    /// Somebody else runs an upgrade.
    ForeignOperation,
    /// The next run of the Taskbar Utility fails.
    UtilityExit,
    /// The next run of the Taskbar Utility hangs.
    UtilityHangs,
    /// The next upgrade fails half-way on this Agent.
    UpgradeHalfway,
    /// The next installation of a module fails.
    MsiexecExit,
    /// The newest content backup of the product is spoilt.
    SpoilBackup,
    /// The server shows another host key.
    ChangeHostKey,
}

fn passing() -> Vec<FaultKind> {
    use FaultKind::{
        CutConnections, DiskFull, DropUpload, FailPrerequisite, ForeignOperation, KillJobs, Reboot,
        RebootDuringJob, Refuse, Silence, StopDataMiner,
    };
    vec![
        CutConnections,
        DropUpload,
        Silence,
        Refuse,
        Reboot,
        RebootDuringJob,
        KillJobs,
        DiskFull,
        FailPrerequisite,
        StopDataMiner,
        ForeignOperation,
    ]
}

/// The prerequisites that random faults let fail.
const CHECKS: [&str; 3] = ["VerifyClusterPorts", "VerifyDotNetVersion", "VerifyNatsIsRunning"];

/// Puts a fault on an Agent so many simulated seconds from now.
pub(crate) fn later(cluster: &Arc<Cluster>, seed: u64, agent: &str, fault: Fault, seconds: u32) {
    let (this, agent) = (Arc::clone(cluster), agent.to_owned());
    cluster.spawn(async move {
        this.clock.sleep(Duration::from_secs(u64::from(seconds))).await;
        strike(&this, seed, &agent, fault).await;
    });
}

/// Lets random faults strike until the simulation ends.
pub(crate) fn unleash(cluster: &Arc<Cluster>, seed: u64, faults: &RandomFaults) {
    let (this, faults) = (Arc::clone(cluster), faults.clone());
    let mut random = random::stream(seed, &[&cluster.name, "faults"]);
    cluster.spawn(async move {
        let mut passed = 0_u32;
        loop {
            let pause =
                random.random_range(faults.every.div_ceil(2)..=faults.every.saturating_mul(3).div_ceil(2));
            passed = passed.saturating_add(pause);
            if faults.until.is_some_and(|until| passed > until) || this.agents().is_empty() {
                return;
            }
            // Drawn before it is waited: what strikes next does not hang on how long the last one took.
            let agent = &this.agents()[random.random_range(0..this.agents().len())];
            let kind = faults.kinds[random.random_range(0..faults.kinds.len())];
            let drawn = draw(kind, agent, &mut random);
            this.clock.sleep(Duration::from_secs(u64::from(pause))).await;
            for (seconds, fault) in drawn {
                if seconds == 0 {
                    strike(&this, seed, &agent.spec.name, fault).await;
                } else {
                    later(&this, seed, &agent.spec.name, fault, seconds);
                }
            }
        }
    });
}

async fn strike(cluster: &Arc<Cluster>, seed: u64, agent: &str, fault: Fault) {
    tracing::info!(cluster = %cluster.name, agent, ?fault, "a fault strikes");
    if let Err(error) = put(cluster, seed, agent, fault).await {
        tracing::warn!(cluster = %cluster.name, agent, %error, "a fault could not be put on an Agent");
    }
}

/// The faults of this kind and what heals them, each with the simulated seconds from now on.
fn draw(kind: FaultKind, agent: &Agent, random: &mut ChaCha8Rng) -> Vec<(u32, Fault)> {
    let mut minutes = |from: u32, to: u32| 60 * random.random_range(from..=to);
    match kind {
        FaultKind::Silence => {
            vec![(0, Fault::Network(Reach::Silent)), (minutes(1, 10), Fault::Network(Reach::Reachable))]
        }
        FaultKind::Refuse => {
            vec![(0, Fault::Network(Reach::Refuses)), (minutes(1, 10), Fault::Network(Reach::Reachable))]
        }
        FaultKind::DiskFull => {
            vec![(0, Fault::DiskFull), (minutes(5, 30), Fault::FreeDisk(agent.spec.free_disk))]
        }
        FaultKind::FailPrerequisite => {
            let heals = minutes(10, 60);
            let check = CHECKS[random.random_range(0..CHECKS.len())].to_owned();
            vec![(0, Fault::FailPrerequisite(check.clone())), (heals, Fault::ClearPrerequisite(check))]
        }
        FaultKind::StopDataMiner => {
            vec![(0, Fault::StopDataMiner), (minutes(5, 15), Fault::StartDataMiner)]
        }
        FaultKind::ForeignOperation => vec![(0, Fault::ForeignOperation(minutes(5, 60)))],
        FaultKind::Reboot => vec![(0, Fault::Reboot)],
        FaultKind::RebootDuringJob => vec![(0, Fault::RebootDuringJob(minutes(1, 10)))],
        FaultKind::KillJobs => vec![(0, Fault::KillJobs)],
        FaultKind::CutConnections => vec![(0, Fault::CutAfter(random.random_range(2_000..400_000)))],
        FaultKind::DropUpload => vec![(0, Fault::DropUploadAfter(random.random_range(1_000..1_000_000)))],
        FaultKind::UtilityExit => vec![(0, Fault::NextUtilityExit(random.random_range(1..6)))],
        FaultKind::UtilityHangs => vec![(0, Fault::NextUtilityHangs)],
        FaultKind::UpgradeHalfway => vec![(0, Fault::NextUpgradeFailsHalfway)],
        FaultKind::MsiexecExit => vec![(0, Fault::NextMsiexecExit(1603))],
        FaultKind::SpoilBackup if random.random_bool(0.5) => vec![(0, Fault::GarbageBackup)],
        FaultKind::SpoilBackup => vec![(0, Fault::TruncateBackup(random.random_range(0..200)))],
        FaultKind::ChangeHostKey => vec![(0, Fault::HostKeyChanged)],
    }
}
