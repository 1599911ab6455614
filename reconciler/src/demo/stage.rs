//! What the demo plays on: simulated Agents, look-alike packages, a repository, a configuration.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use camino::Utf8Path;
use dataminer_schema::{
    id::CommitId,
    version::{PackageKind, PackageName},
};
use dms_simulator::{
    AgentEndpoint, AgentSpec, ClusterSpec, FailoverRole, Simulation, SimulationSpec,
    package::{self, PackageSpec},
};
use git2::{IndexAddOption, Repository, Signature};

use super::{Chapter, fleet};

/// Bytes of padding in each package: enough for a progress bar, little enough for a demo.
const PADDING: u64 = 8 << 20;

/// What every Agent runs at first; build and CU as the example's catalogue knows them.
const AT_FIRST: &str = "10.3.0 CU20 (build 14985)";

/// An Agent of the example.
pub(super) struct DemoAgent {
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) role: &'static str,
    pub(super) endpoint: AgentEndpoint,
}

/// Name, DataMiner ID, DataMiner's own address, role, and place in a Failover pair.
type Part = (&'static str, u32, &'static str, &'static str, Option<(FailoverRole, bool)>);

const PARTS: [Part; 4] = [
    ("bru-dma-01", 101, "10.0.0.11", "", None),
    ("bru-dma-02", 102, "10.0.0.12", "", None),
    ("bru-dma-03", 103, "10.0.0.13", "Failover main, online", Some((FailoverRole::Main, true))),
    ("bru-dma-03b", 103, "10.0.0.14", "Failover backup, offline", Some((FailoverRole::Backup, false))),
];

/// Everything but the process.
pub(super) struct Stage {
    folder: tempfile::TempDir,
    pub(super) simulation: Simulation,
    pub(super) agents: Vec<DemoAgent>,
    pub(super) packages: PathBuf,
    pub(super) repository: PathBuf,
    catalog: String,
}

impl Stage {
    /// Builds it in a temporary folder.
    pub(super) async fn build(speed: f64) -> anyhow::Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("dataminer-demo-").tempdir().context("making a folder")?;
        let simulation =
            Simulation::start(simulation(speed)?).await.context("starting the simulated Agents")?;
        let agents = PARTS
            .iter()
            .map(|&(name, _, address, role, _)| {
                let endpoint = simulation.agent("brussels", name).context("an Agent did not start")?.clone();
                Ok(DemoAgent { name, address, role, endpoint })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let packages = folder.path().join("packages");
        let catalog = write_packages(&packages)?;
        let repository = folder.path().join("fleet");
        let opened = Repository::init(&repository).context("making the fleet repository")?;
        opened.set_head("refs/heads/main")?;
        Ok(Self { folder, simulation, agents, packages, repository, catalog })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Commits the manifests with what the chapter wants.
    pub(super) fn commit(&self, chapter: &Chapter) -> anyhow::Result<CommitId> {
        let endpoint = &self.agents[0].endpoint;
        let cluster = fleet::cluster(&self.agents, &endpoint.user, endpoint.client_key.as_str(), chapter)?;
        write(&self.repository.join("clusters/brussels.yaml"), &cluster)?;
        write(&self.repository.join("catalog/approved.yaml"), &self.catalog)?;
        let repository = Repository::open(&self.repository)?;
        let mut index = repository.index()?;
        index.add_all(["."], IndexAddOption::DEFAULT, None)?;
        index.write()?;
        let tree = repository.find_tree(index.write_tree()?)?;
        let author = Signature::now("Demo", "demo@example.com")?;
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        let id = repository
            .commit(Some("HEAD"), &author, &author, chapter.message, &tree, &parents)
            .context("committing")?;
        Ok(CommitId::new(id.to_string())?)
    }

    /// A user edits a dashboard with the web apps that run.
    pub(super) fn edit(&self, dashboard: &str) -> anyhow::Result<()> {
        let edited = self.simulation.edit_content("brussels", PARTS[0].0, dashboard);
        edited.with_context(|| format!("editing the dashboard {dashboard}"))
    }

    /// Writes the configuration of the process.
    pub(super) fn write_config(&self, listen: SocketAddr) -> anyhow::Result<PathBuf> {
        let key = &self.agents[0].endpoint.client_key;
        let folder = self.folder().display();
        let text = format!(
            "apiVersion: dataminer.gitops/v1
kind: ReconcilerConfig
spec:
  installation: demo
  sources: [{{ name: fleet, url: \"file://{repository}\", branch: main, interval: 5s }}]
  packages: [{{ name: demo, url: \"file://{packages}\" }}]
  store: {{ url: \"sqlite://{folder}/state.db\" }}
  vault: {{ url: \"file://{folder}/vault\" }}
  secrets: [{{ file: \"{key}\", hosts: [\"127.0.0.0/8\"], clusters: [\"*\"] }}]
  loop: {{ observe: 5s }}
  http: {{ listen: \"{listen}\" }}
",
            repository = self.repository.display(),
            packages = self.packages.display(),
        );
        let path = self.folder().join("reconciler.yaml");
        write(&path, &text)?;
        Ok(path)
    }

    /// How many copies of content the vault holds.
    pub(super) fn vault_objects(&self) -> anyhow::Result<usize> {
        count_files(&self.folder().join("vault"))
    }
}

fn simulation(speed: f64) -> anyhow::Result<SimulationSpec> {
    let agents = PARTS
        .iter()
        .map(|&(name, id, address, _, failover)| {
            let address: IpAddr = address.parse().context("reading an address")?;
            let core = AT_FIRST.parse().context("reading the first version")?;
            let agent = AgentSpec::new(name, id, address, core);
            Ok(match failover {
                Some((role, online)) => agent.with_failover(role, online),
                None => agent,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(SimulationSpec::new(vec![ClusterSpec::new("brussels", agents)]).with_speed(speed).with_seed(1))
}

/// Makes a look-alike of each package of the example, and the catalogue with their digests.
fn write_packages(folder: &Path) -> anyhow::Result<String> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let folder = Utf8Path::from_path(folder).context("the temporary folder's name is not UTF-8")?;
    let mut known = Vec::new();
    for name in fleet::package_names()? {
        let parsed: PackageName = name.parse().with_context(|| format!("reading the package name {name}"))?;
        let spec = match parsed.kind {
            PackageKind::Full => PackageSpec::full(parsed.version),
            PackageKind::Web => PackageSpec::web(parsed.version),
            PackageKind::Tool | PackageKind::Update => bail!("the demo has no look-alike of {name}"),
        };
        let written = package::write(&folder.join(&name), &spec.with_padding(PADDING))?;
        known.push((written.file, written.sha256, written.size));
    }
    fleet::catalog(&known)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn count_files(folder: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        count += if path.is_dir() {
            count_files(&path)?
        } else {
            usize::from(path.extension().is_some_and(|e| e == "zip"))
        };
    }
    Ok(count)
}
