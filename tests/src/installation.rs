//! One installation of the reconciler in a temporary folder: its repository, packages, keys and configuration.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use dataminer_schema::status::{ClusterStatus, FleetStatus};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::{
    program::{self, Ended, Running},
    repository::Repository,
};

/// An Agent as SSH reaches it.
#[derive(Clone, Debug)]
pub struct Peer {
    pub name: String,
    /// `127.0.0.1:…`.
    pub address: String,
    /// `SHA256:…`.
    pub host_key: String,
    /// The Failover partner.
    pub partner: Option<Box<Self>>,
}

/// An installation; everything lies in one temporary folder.
pub struct Installation {
    folder: TempDir,
    pub repository: Repository,
    user: String,
    identity: PathBuf,
    packages: BTreeMap<String, String>,
    builds: BTreeMap<String, String>,
}

impl Installation {
    /// An empty one that logs on to Agents as `user` with the private key in `identity`.
    ///
    /// # Panics
    /// When the temporary folder cannot be written.
    pub fn new(user: &str, identity: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["packages", "vault"] {
            std::fs::create_dir(folder.path().join(name)).expect("the temporary folder can be written");
        }
        let this = Self {
            folder,
            repository: Repository::new(),
            user: user.to_owned(),
            identity: identity.to_owned(),
            packages: BTreeMap::new(),
            builds: BTreeMap::new(),
        };
        this.write_config();
        this
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The package place.
    pub fn package_path(&self, file: &str) -> PathBuf {
        self.folder.path().join("packages").join(file)
    }

    /// Takes a package that lies at [`Self::package_path`] into the catalogue with the hash it has now.
    ///
    /// # Panics
    /// When it does not lie there.
    pub fn approve(&mut self, file: &str) -> &mut Self {
        let bytes = std::fs::read(self.package_path(file)).expect("the package lies in its place");
        self.packages.insert(file.to_owned(), hex::encode(Sha256::digest(&bytes)));
        self.write_catalogue();
        self
    }

    /// Says in the catalogue which release a build is.
    pub fn explain(&mut self, build: &str, release: &str) -> &mut Self {
        self.builds.insert(build.to_owned(), release.to_owned());
        self.write_catalogue();
        self
    }

    fn write_catalogue(&self) {
        let mut text =
            "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: { name: approved }\n\
                        spec:\n  packages:\n"
                .to_owned();
        for (file, hash) in &self.packages {
            writeln!(text, "    - {{ file: \"{file}\", sha256: {hash} }}").expect("text grows");
        }
        if !self.builds.is_empty() {
            text.push_str("  builds:\n");
        }
        for (build, release) in &self.builds {
            writeln!(text, "    \"{build}\": \"{release}\"").expect("text grows");
        }
        self.repository.write("catalog.yaml", &text);
    }

    /// Writes the manifest of a cluster; `more` are further lines of its spec, indented by two blanks.
    pub fn declare(&self, cluster: &str, core: &str, web_apps: &str, peers: &[Peer], more: &str) -> &Self {
        let mut text = format!(
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: {cluster} }}\nspec:\n  \
             software: {{ core: \"{core}\", webApps: \"{web_apps}\" }}\n  agents:\n"
        );
        for peer in peers {
            let Peer { name, address, host_key, partner } = peer;
            writeln!(text, "    - name: {name}\n      address: \"{address}\"\n      hostKey: \"{host_key}\"")
                .expect("text grows");
            if let Some(partner) = partner {
                let Peer { name, address, host_key, .. } = &**partner;
                writeln!(
                    text,
                    "      failover: {{ name: {name}, address: \"{address}\", hostKey: \"{host_key}\" }}"
                )
                .expect("text grows");
            }
        }
        writeln!(
            text,
            "  connection:\n    ssh: {{ user: {}, identity: {{ file: {} }} }}",
            self.user,
            self.identity.display()
        )
        .expect("text grows");
        text.push_str(more);
        self.repository.write(&format!("clusters/{cluster}.yaml"), &text);
        self
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("reconciler.yaml")
    }

    fn write_config(&self) {
        let folder = self.folder.path().display();
        let text = format!(
            "apiVersion: dataminer.gitops/v1\nkind: ReconcilerConfig\nspec:\n  installation: test\n  sources:\n    \
             - {{ name: fleet, url: \"{}\", branch: main, path: ., interval: 1s }}\n  packages:\n    \
             - {{ name: local, url: \"file://{folder}/packages\" }}\n  \
             store: {{ url: \"sqlite://{folder}/state.db\" }}\n  vault: {{ url: \"file://{folder}/vault\" }}\n  \
             secrets:\n    - {{ file: {}, hosts: [\"127.0.0.1\"], clusters: [\"*\"] }}\n  \
             loop: {{ observe: 2s, concurrency: 8 }}\n  http: {{ listen: \"127.0.0.1:0\" }}\n",
            self.repository.url(),
            self.identity.display()
        );
        std::fs::write(self.config(), text).expect("the temporary folder can be written");
    }

    fn call(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = program::call(&[verb, "--config"], self.folder.path());
        command.arg(self.config()).args(more);
        command
    }

    /// Runs a verb with this installation's configuration to its end.
    pub fn run(&self, verb: &str, more: &[&str]) -> Ended {
        Ended::of(&mut self.call(verb, more))
    }

    /// Starts a verb; its output lies in `NAME.out` and `NAME.err` of the folder.
    pub fn start(&self, name: &str, verb: &str, more: &[&str]) -> Running {
        Running::start(&mut self.call(verb, more), &self.folder.path().join(name))
    }

    /// The status of the fleet, as `status -o json` reads it from the store.
    ///
    /// # Panics
    /// When the verb fails or prints something else.
    pub fn status(&self) -> FleetStatus {
        let ended = self.run("status", &["-o", "json"]).expect_status(0);
        serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("not a status: {e}\n{}", ended.stdout))
    }

    /// The status of one cluster.
    ///
    /// # Panics
    /// When it is not known.
    pub fn cluster(&self, name: &str) -> ClusterStatus {
        let fleet = self.status();
        let found = fleet.clusters.into_iter().find(|cluster| cluster.name.as_str() == name);
        found.unwrap_or_else(|| panic!("the status knows no cluster {name}"))
    }
}
