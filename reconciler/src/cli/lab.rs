//! The files that make a simulation a fleet: manifests, a repository around them, a configuration, the key.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::Context;
use dms_simulator::{AgentEndpoint, AgentSpec, ClusterSpec, FailoverRole, Simulation, SimulationSpec};

/// The manifest of a simulated cluster: what runs is what is wanted.
pub(super) fn manifest(cluster: &ClusterSpec, endpoints: &[AgentEndpoint]) -> String {
    let endpoint = |agent: &AgentSpec| {
        endpoints.iter().find(|endpoint| endpoint.cluster == cluster.name && endpoint.name == agent.name)
    };
    let core = cluster.agents.first().map(|agent| agent.core.to_string()).unwrap_or_default();
    let mut text = format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata:\n  name: {}\nspec:\n  software:\n    core: \"{core}\"\n  \
         agents:\n",
        cluster.name
    );
    let is_backup =
        |agent: &&AgentSpec| agent.failover.is_some_and(|failover| failover.role == FailoverRole::Backup);
    for agent in cluster.agents.iter().filter(|agent| !is_backup(agent)) {
        let Some(at) = endpoint(agent) else { continue };
        let _infallible = write!(
            text,
            "    - name: {}\n      address: \"{}\"\n      hostKey: \"{}\"\n",
            agent.name, at.addr, at.host_key_fingerprint
        );
        let partner = cluster.agents.iter().find(|other| other.id == agent.id && is_backup(other));
        if let Some((partner, at)) = partner.and_then(|partner| Some((partner, endpoint(partner)?))) {
            let _infallible = write!(
                text,
                "      failover:\n        name: {}\n        address: \"{}\"\n        hostKey: \"{}\"\n",
                partner.name, at.addr, at.host_key_fingerprint
            );
        }
    }
    if let Some(first) = endpoints.iter().find(|endpoint| endpoint.cluster == cluster.name) {
        let _infallible = write!(
            text,
            "  connection:\n    ssh:\n      user: {}\n      identity: {{ file: \"{}\" }}\n",
            first.user, first.client_key
        );
    }
    text
}

/// A catalogue without packages that says which releases the simulated builds are: every CU of a Main Release
/// reports the same version, and only the build differs.
fn catalogue(spec: &SimulationSpec) -> String {
    let mut text = "# Put packages into the folder `packages`, and their names and digests here: file, sha256.\n\
                    apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata:\n  name: lab\nspec:\n  packages: []\n"
        .to_owned();
    let builds: BTreeMap<String, String> = spec
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.agents)
        .filter_map(|agent| {
            let (core, build) = (&agent.core, agent.core.build()?);
            core.cu()?;
            let reported =
                format!("{}.{}.{}.{}-{build}", core.major(), core.minor(), core.feature(), core.week());
            Some((reported, core.release_name()))
        })
        .collect();
    if !builds.is_empty() {
        text.push_str("  builds:\n");
        for (build, release) in builds {
            let _infallible = writeln!(text, "    \"{build}\": {release}");
        }
    }
    text
}

/// Writes repository and configuration below `folder`; returns what to do with them, line by line.
pub(super) fn write(
    folder: &Path,
    simulation: &Simulation,
    spec: &SimulationSpec,
) -> anyhow::Result<Vec<String>> {
    let (fleet, packages) = (folder.join("fleet"), folder.join("packages"));
    for made in [&fleet.join("clusters"), &packages] {
        fs::create_dir_all(made).with_context(|| format!("making the folder {}", made.display()))?;
    }
    for cluster in &spec.clusters {
        let path = fleet.join("clusters").join(format!("{}.yaml", cluster.name));
        put(&path, &manifest(cluster, simulation.agents()))?;
    }
    let catalogue = catalogue(spec);
    put(&fleet.join("clusters").join("packages.yaml"), &catalogue)?;
    let folder = folder.canonicalize().with_context(|| format!("finding {}", folder.display()))?;
    let key = simulation.agents().first().map(|endpoint| endpoint.client_key.to_string()).unwrap_or_default();
    let config = folder.join("reconciler.yaml");
    put(
        &config,
        &format!(
            "apiVersion: dataminer.gitops/v1\nkind: ReconcilerConfig\nspec:\n  installation: lab\n  sources:\n    - name: fleet\n      \
             url: \"file://{0}/fleet\"\n      branch: main\n      path: clusters\n      interval: 60s\n  packages:\n    - {{ name: local, url: \"file://{0}/packages\" }}\n  \
             store: {{ url: \"sqlite://{0}/state.db\" }}\n  vault: {{ url: \"file://{0}/vault\" }}\n  secrets:\n    - {{ file: \"{key}\", hosts: [\"127.0.0.1\"], clusters: [\"*\"] }}\n  \
             loop: {{ observe: 30s }}\n  http: {{ listen: \"127.0.0.1:8080\" }}\n",
            folder.display()
        ),
    )?;
    commit(&fleet).context("committing the manifests")?;
    Ok(vec![
        format!("wrote the repository {} and the configuration {}", fleet.display(), config.display()),
        format!(
            "look at it: dataminer-reconciler observe -f {} --config {}",
            fleet.display(),
            config.display()
        ),
        format!("follow it:  dataminer-reconciler run --config {}", config.display()),
    ])
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// Commits everything in `folder`, whose repository is made if it is not there.
fn commit(folder: &Path) -> Result<(), git2::Error> {
    let mut options = git2::RepositoryInitOptions::new();
    options.initial_head("main").external_template(false);
    let repository = git2::Repository::init_opts(folder, &options)?;
    let mut index = repository.index()?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let parent = repository.head().and_then(|head| head.peel_to_commit()).ok();
    if parent.as_ref().is_some_and(|parent| parent.tree_id() == tree.id()) {
        return Ok(());
    }
    let who = git2::Signature::now("simulate", "simulate@localhost")?;
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(Some("HEAD"), &who, &who, "The fleet as it is simulated", &tree, &parents)?;
    Ok(())
}
