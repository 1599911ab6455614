//! A small fleet, and the steps of an upgrade as a reconciler takes them.

use std::time::Duration;

use camino::Utf8PathBuf;
use dms_simulator::{
    AgentReport, AgentSpec, ClusterReport, ClusterSpec, Simulation, SimulationSpec,
    package::{self, PackageSpec, Written},
};
use tokio::io::AsyncWriteExt;

use crate::client::Client;

pub(crate) const JOBS: &str = r"C:\ProgramData\jobs";

pub(crate) fn v(text: &str) -> dataminer_schema::version::Version {
    text.parse().expect("a version")
}

pub(crate) fn agent(number: u8, core: &str) -> AgentSpec {
    AgentSpec::new(format!("AGENT-{number}"), 100 + u32::from(number), [10, 0, 0, number].into(), v(core))
}

/// Fast: an upgrade of a quarter of an hour takes a third of a second.
pub(crate) async fn start(agents: Vec<AgentSpec>) -> World {
    start_at(3000.0, agents).await
}

/// Slower, for tests that have to hit a moment.
pub(crate) async fn start_at(speed: f64, agents: Vec<AgentSpec>) -> World {
    let spec = SimulationSpec::new(vec![ClusterSpec::new("brussels", agents)]).with_speed(speed).with_seed(7);
    let simulation = Simulation::start(spec).await.expect("the simulation starts");
    World { simulation, packages: tempfile::tempdir().expect("a folder") }
}

pub(crate) struct World {
    pub(crate) simulation: Simulation,
    packages: tempfile::TempDir,
}

impl World {
    pub(crate) fn package(&self, spec: &PackageSpec) -> Written {
        let folder = Utf8PathBuf::from_path_buf(self.packages.path().to_owned()).expect("UTF-8");
        package::write(&folder, spec).expect("the package is written")
    }

    /// Stages and runs a package that checks or migrates; the exit code.
    pub(crate) async fn tool(&self, job: &str, file: &str, info: &str) -> u32 {
        let folder = Utf8PathBuf::from_path_buf(self.packages.path().to_owned()).expect("UTF-8");
        let package = package::write_tool(&folder, file).expect("the package is written");
        let line = self.stage(job, &package, Some(info)).await;
        self.run(&line).await
    }

    /// Stages and runs a hotfix; the exit code.
    pub(crate) async fn hotfix(&self, job: &str, file: &str, info: &str) -> u32 {
        let folder = Utf8PathBuf::from_path_buf(self.packages.path().to_owned()).expect("UTF-8");
        let package = package::write_hotfix(&folder, file).expect("the package is written");
        let line = self.stage(job, &package, Some(info)).await;
        self.run(&line).await
    }

    pub(crate) fn cluster(&self) -> ClusterReport {
        self.simulation.inspect().clusters.remove(0)
    }

    pub(crate) fn agent(&self, name: &str) -> AgentReport {
        self.cluster().agents.into_iter().find(|agent| agent.name == name).expect("the Agent exists")
    }

    /// Uploads a package and UpgradeInfo.xml to AGENT-1 into a fresh folder; the command line that upgrades.
    pub(crate) async fn stage(&self, job: &str, package: &Written, info: Option<&str>) -> String {
        let client = Client::of(&self.simulation, "AGENT-1").await;
        let sftp = client.sftp().await;
        // Both exist from the second time on.
        let _there = sftp.create_dir("/C:/ProgramData/jobs").await;
        let folder = format!("/C:/ProgramData/jobs/{job}");
        let _there = sftp.create_dir(&folder).await;
        let bytes = std::fs::read(&package.path).expect("the package is there");
        let mut file = sftp.create(format!("{folder}/{}", package.file)).await.expect("a file is made");
        file.write_all(&bytes).await.expect("it is written");
        file.shutdown().await.expect("it closes");
        let utility =
            r"C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe";
        let mut line = format!(r#"start /wait "" "{utility}" -upgrade "{JOBS}\{job}\{}""#, package.file);
        if let Some(info) = info {
            let mut file = sftp.create(format!("{folder}/UpgradeInfo.xml")).await.expect("a file is made");
            file.write_all(info.as_bytes()).await.expect("it is written");
            file.shutdown().await.expect("it closes");
            line = format!(r#"{line} "{JOBS}\{job}\UpgradeInfo.xml""#);
        }
        client.close().await;
        line
    }

    /// Stages and upgrades; the exit code.
    pub(crate) async fn upgrade(&self, job: &str, spec: &PackageSpec, info: Option<&str>) -> u32 {
        let line = self.stage(job, &self.package(spec), info).await;
        self.run(&line).await
    }

    pub(crate) async fn run(&self, line: &str) -> u32 {
        let client = Client::of(&self.simulation, "AGENT-1").await;
        let ran = tokio::time::timeout(Duration::from_secs(60), client.exec(line)).await;
        ran.expect("it ends").expect("it runs").code.expect("it has a code")
    }

    /// All lines of all progress.log files of an Agent whose package name holds this text.
    pub(crate) async fn logs(&self, name: &str, package: &str) -> String {
        let client = Client::of(&self.simulation, name).await;
        let sftp = client.sftp().await;
        let mut text = String::new();
        let folder = "/C:/Skyline DataMiner/Upgrades/Packages";
        for entry in sftp.read_dir(folder).await.expect("the folder lists") {
            if entry.file_name().contains(package) {
                let log = format!("{folder}/{}/progress.log", entry.file_name());
                text.push_str(&String::from_utf8_lossy(&sftp.read(log).await.expect("a log is there")));
            }
        }
        text
    }

    pub(crate) async fn end(self) {
        self.simulation.shutdown().await;
    }
}

/// UpgradeInfo.xml for the whole cluster.
pub(crate) fn whole(addresses: &[&str]) -> String {
    info(addresses, true, "Simultaneously")
}

pub(crate) fn info(addresses: &[&str], cluster: bool, policy: &str) -> String {
    let agents: String = addresses.iter().map(|address| format!("<IP>{address}</IP>")).collect();
    format!(
        "<UpgradeInfo><Agents>{agents}</Agents><IsCluster>{cluster}</IsCluster><ExtractAllFiles>true</ExtractAllFiles>\
         <DelayedStart>true</DelayedStart><AutomaticStartServices>true</AutomaticStartServices><StopSNMP>false</StopSNMP>\
         <RebootAfterUpgrade>false</RebootAfterUpgrade><FailoverPolicy>{policy}</FailoverPolicy></UpgradeInfo>"
    )
}
