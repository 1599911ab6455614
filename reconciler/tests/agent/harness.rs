//! A simulated cluster, and a driver for it.

use std::{
    io::{Cursor, Write},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use camino::Utf8Path;
use dataminer_core::exec::effect::{Effect, EffectKind, Failure, Outcome, Package};
use dataminer_reconciler::{
    agent::{ClusterDriver, DriverContext, Pace, secrets::SecretResolver},
    engine::Progress,
    packages::PackagePlaces,
    vault::{NewObject, Vault},
};
use dataminer_schema::{
    id::{AgentName, ClusterName, Sha256},
    plan::BackupRef,
    quantity::ByteSize,
    v1::{
        cluster::{Agent, AgentKind, Cluster, Credential, Member, SecretRef, Ssh},
        config::SecretGrant,
        observation::AgentObservation,
    },
    version::Version,
};
use dms_simulator::{AgentSpec, ClusterSpec, Fault, Simulation, SimulationSpec};
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub(crate) const CLUSTER: &str = "brussels";

/// A cluster of simulated Agents with everything that a driver needs.
pub(crate) struct Setup {
    pub(crate) simulation: Simulation,
    pub(crate) cluster: Cluster,
    folder: tempfile::TempDir,
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

pub(crate) fn name(text: &str) -> AgentName {
    AgentName::new(text).expect("an Agent name")
}

/// Agents `dma-1`, `dma-2`, … of this core, without Failover.
pub(crate) fn agents(count: u8, core: &str) -> Vec<AgentSpec> {
    (1..=count)
        .map(|number| {
            let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 10 + number));
            AgentSpec::new(format!("dma-{number}"), 100 + u32::from(number), address, version(core))
        })
        .collect()
}

impl Setup {
    /// Starts the simulation; durations pass `speed` times as fast.
    pub(crate) async fn start(agents: Vec<AgentSpec>, speed: f64) -> Self {
        let spec = SimulationSpec::new(vec![ClusterSpec::new(CLUSTER, agents)]).with_speed(speed);
        let simulation = Simulation::start(spec).await.expect("the simulation starts");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for part in ["packages", "vault"] {
            std::fs::create_dir(folder.path().join(part)).expect("a new folder");
        }
        let cluster = cluster(&simulation);
        Self { simulation, cluster, folder }
    }

    pub(crate) fn packages(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    pub(crate) fn vault(&self) -> Vault {
        let path = self.folder.path().join("vault");
        Vault::open(Utf8Path::from_path(&path).expect("a UTF-8 path")).expect("a vault")
    }

    /// Puts a content backup into the vault.
    pub(crate) async fn keep(&self, file: &str, bytes: &[u8]) -> BackupRef {
        let object = NewObject {
            cluster: self.cluster.name.clone(),
            agent: name("dma-1"),
            file: file.to_owned(),
            content: None,
            taken_at: None,
            copy: false,
            torn: false,
            sha256: None,
        };
        let stored = self.vault().put(&object, bytes).await.expect("it is stored");
        BackupRef { file: stored.file, sha256: stored.sha256, agent: None, vault: true }
    }

    /// Puts bytes into the package place and says what a plan would.
    pub(crate) fn package(&self, file: &str, bytes: &[u8]) -> Package {
        std::fs::write(self.packages().join(file), bytes).expect("the package is written");
        Package { file: file.to_owned(), sha256: Sha256::of(bytes), patch: None }
    }

    pub(crate) fn context(&self, installation: &str) -> DriverContext {
        let secret = self.key();
        let grant =
            SecretGrant { secret, hosts: vec!["127.0.0.0/8".to_owned()], clusters: vec!["*".to_owned()] };
        let packages = Arc::new(PackagePlaces::new(vec![self.packages()]));
        let secrets = SecretResolver::new(vec![grant]);
        let mut context = DriverContext::new(
            installation,
            "https://git.example/fleet",
            secrets,
            packages,
            self.vault(),
            16,
        );
        context.pace =
            Pace { first: Duration::from_millis(20), longest: Duration::from_millis(200), ..Pace::default() };
        context
    }

    fn key(&self) -> SecretRef {
        SecretRef::File(self.simulation.agents()[0].client_key.to_string())
    }

    pub(crate) fn driver(&self) -> ClusterDriver {
        ClusterDriver::new(&self.cluster, self.context("prod"))
    }

    pub(crate) async fn inject(&self, agent: &str, fault: Fault) {
        self.simulation.inject(CLUSTER, agent, fault).await.expect("the fault is simulated");
    }

    /// The real file behind a path of an Agent's drive.
    pub(crate) fn file(&self, agent: &str, path: &str) -> PathBuf {
        self.simulation.root().join(CLUSTER).join(agent).join("C").join(path).into_std_path_buf()
    }

    /// Every command line that an Agent did not know: there must be none.
    pub(crate) fn assert_all_commands_known(&self) {
        for agent in &self.simulation.inspect().clusters[0].agents {
            assert!(agent.unknown_commands.is_empty(), "{}: {:?}", agent.name, agent.unknown_commands);
        }
    }
}

fn cluster(simulation: &Simulation) -> Cluster {
    let endpoints = simulation.agents();
    let ssh = Ssh {
        user: endpoints[0].user.clone(),
        credential: Credential::Key {
            identity: SecretRef::File(endpoints[0].client_key.to_string()),
            passphrase: None,
        },
    };
    let agents = endpoints.iter().map(|endpoint| Agent {
        member: Member {
            name: name(&endpoint.name),
            host: endpoint.addr.ip().to_string(),
            port: endpoint.addr.port(),
            host_keys: vec![endpoint.host_key_fingerprint.clone()],
            ssh: None,
        },
        kind: AgentKind::Agent,
        failover: None,
    });
    let name = ClusterName::new(CLUSTER).expect("a name");
    let mut cluster = Cluster::new(name, version("10.5.0 CU12"), agents.collect());
    cluster.connection.ssh = Some(ssh);
    cluster.upgrade.min_free_disk = ByteSize(0);
    cluster
}

/// Performs one effect under generation 1 and collects its progress.
pub(crate) async fn perform(
    driver: &ClusterDriver,
    generation: u64,
    kind: EffectKind,
) -> (Outcome, Vec<Progress>) {
    let (sender, mut receiver) = mpsc::channel(10_000);
    let effect = Effect { id: 1, step: "1".to_owned(), kind };
    let outcome = driver.perform(generation, &effect, &sender).await;
    drop(sender);
    let mut progress = Vec::new();
    while let Ok(event) = receiver.try_recv() {
        progress.push(event);
    }
    (outcome, progress)
}

/// The observation of one Agent.
pub(crate) async fn observe(driver: &ClusterDriver, agent: &str) -> AgentObservation {
    let observation = driver.observe().await;
    observation
        .agents
        .into_iter()
        .find(|found| found.name.as_str() == agent)
        .expect("every Agent is reported")
}

pub(crate) fn failure(outcome: &Outcome) -> &dataminer_core::exec::effect::Failure {
    let Outcome::Failed(failure) = outcome else { panic!("it should have failed: {outcome:?}") };
    failure
}

pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Claims the cluster as the engine does it whose store ends at `known`.
pub(crate) async fn claim(driver: &ClusterDriver, known: u64) -> Result<u64, Failure> {
    let generation = driver.newest_generation().await?.max(known) + 1;
    driver.claim(generation).await.map(|()| generation)
}

/// A zip of these files.
pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(*name, options).expect("a fresh entry");
        zip.write_all(bytes).expect("memory can be written");
    }
    zip.finish().expect("memory can be written").into_inner()
}
