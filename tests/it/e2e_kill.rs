//! The promise that makes it usable at night: killed at any moment, the process finishes the work once.
//!
//! Each round changes a cluster one way, kills the process with SIGKILL at moments drawn from the round's number, and
//! lets a last process end the work. A round that fails names itself; `ROUND=n` runs it alone.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use dataminer_reconciler_tests::{dms::PATIENCE, environment::long_run, program::Running, wait};
use dms_simulator::Fault;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::block_in_place;

use crate::scene::{MIDDLE, Scene, TO};

/// What a round does to a cluster.
#[derive(Clone, Copy, Debug)]
enum Change {
    WebUpgrade,
    Upgrade,
    WebDowngrade,
    Downgrade,
}

impl Change {
    /// A cluster where the change begins.
    async fn scene(self) -> Scene {
        match self {
            Self::WebUpgrade => Scene::new(TO).await,
            Self::Upgrade => Scene::new(MIDDLE).await,
            Self::WebDowngrade | Self::Downgrade => Scene::with_a_past().await,
        }
    }

    fn commit(self, scene: &Scene) {
        match self {
            Self::WebUpgrade => scene.want("10.5.0 CU12", "10.6.4"),
            Self::Upgrade => scene.want("10.5.0 CU12", "unmanaged"),
            Self::WebDowngrade => scene.want_down("10.5.0 CU12", "10.5.0 CU12"),
            Self::Downgrade => scene.want_down("10.4.0 CU21", "bundled"),
        };
    }

    /// The core, the level of the content, and the package that must have run once.
    fn end(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::WebUpgrade => (TO, "10.6.4", "DataMiner 10.6.4.0-16950 Web"),
            Self::Upgrade => (TO, "10.5.0 CU12", "DataMiner 10.5.0.0(CU12)-16889 Full"),
            Self::WebDowngrade => (TO, "10.5.0 CU12", "DataMiner 10.5.0.0(CU12)-16891 Web"),
            Self::Downgrade => (MIDDLE, "10.4.0 CU21", "DataMiner 10.4.0.0(CU21)-16523 Full"),
        }
    }

    /// About how long the change takes at the pace of these tests.
    fn takes(self) -> Duration {
        match self {
            Self::WebUpgrade => Duration::from_secs(4),
            Self::Upgrade => Duration::from_secs(6),
            Self::WebDowngrade => Duration::from_secs(8),
            Self::Downgrade => Duration::from_secs(10),
        }
    }
}

/// Says which round it was when it fails.
struct Named(String);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nothing else can be done about a closed standard error.
            drop(writeln!(std::io::stderr().lock(), "failed: {}", self.0));
        }
    }
}

async fn round(change: Change, number: u64) {
    let mut random = StdRng::seed_from_u64(number);
    let scene = change.scene().await;
    change.commit(&scene);
    let kills = random.random_range(1..=3);
    for kill in 1..=kills {
        let moment = change.takes().mul_f64(random.random_range(0.02..1.0) / f64::from(kills));
        cut(&scene, &mut random).await;
        block_in_place(|| {
            let begun = Instant::now();
            let mut process: Running = scene.installation.start(&format!("kill-{kill}"), "run", &[]);
            wait::until("the moment to kill", PATIENCE, || {
                if begun.elapsed() >= moment { Ok(()) } else { Err("not yet") }
            });
            process.kill();
        });
    }
    cut(&scene, &mut random).await;
    scene.run_once().expect_status(0);
    let (core, content, package) = change.end();
    scene.assert_runs(core);
    scene.assert_content(content);
    scene.assert_nothing_owed();
    scene.assert_ready();
    assert_eq!(scene.runs_of(package), 1, "{package}");
    scene.assert_no_job_ran_twice();
}

/// Every other time a connection to some Agent breaks as well, at any byte in either direction.
async fn cut(scene: &Scene, random: &mut StdRng) {
    if random.random_bool(0.5) {
        let agent = ["dma-01", "dma-02", "dma-03", "dma-03b"][random.random_range(0..4)];
        // As likely within the first kilobytes as within the first megabytes.
        let bytes = 1_u64 << random.random_range(7..21);
        scene.inject(agent, Fault::CutAfter(random.random_range(bytes..2 * bytes))).await;
    }
}

async fn rounds(change: Change) {
    let count = if long_run() { 50 } else { 5 };
    let alone = std::env::var("ROUND").ok().and_then(|number| number.parse::<u64>().ok());
    for number in alone.map_or(1..=count, |number| number..=number) {
        let _named = Named(format!("{change:?}, round {number}; `ROUND={number}` runs it alone"));
        round(change, number).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_web_upgrade_survives_kills() {
    rounds(Change::WebUpgrade).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upgrade_survives_kills() {
    rounds(Change::Upgrade).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_web_downgrade_survives_kills() {
    rounds(Change::WebDowngrade).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_downgrade_survives_kills() {
    rounds(Change::Downgrade).await;
}
