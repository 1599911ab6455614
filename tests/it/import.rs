//! `import` against simulated Agents: the manifest that it writes, and what it refuses to guess.

use std::{fs, path::PathBuf};

use dataminer_reconciler_tests::{
    dms::{agent, four_agents},
    program::{self, Ended},
};
use dms_simulator::{AgentSpec, ClusterSpec, FailoverRole, Simulation, SimulationSpec};
use tempfile::TempDir;
use tokio::task::block_in_place;

const CORE: &str = "10.5.0 CU12 (build 16889)";

/// Simulated clusters, and a folder for what is written.
struct Desk {
    simulation: Simulation,
    folder: TempDir,
}

impl Desk {
    async fn new(clusters: Vec<ClusterSpec>) -> Self {
        let simulation =
            Simulation::start(SimulationSpec::new(clusters)).await.expect("the simulation starts");
        Self { simulation, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// How SSH reaches this Agent.
    fn host(&self, agent: &str) -> String {
        let found = self.simulation.agents().iter().find(|endpoint| endpoint.name == agent);
        found.expect("it is simulated").addr.to_string()
    }

    fn key(&self, agent: &str) -> &str {
        let found = self.simulation.agents().iter().find(|endpoint| endpoint.name == agent);
        &found.expect("it is simulated").host_key_fingerprint
    }

    /// Imports from these Agents.
    fn import(&self, agents: &[&str], more: &[&str]) -> Ended {
        let hosts: Vec<String> = agents.iter().map(|agent| self.host(agent)).collect();
        let first = &self.simulation.agents()[0];
        let fixed = ["import", "--user", &first.user, "--identity", first.client_key.as_str()];
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        block_in_place(|| program::run(&[&fixed, hosts.as_slice(), more].concat(), self.folder.path()))
    }

    /// The manifest with everything blotted out that differs from run to run.
    fn shown(&self, manifest: &str) -> String {
        let mut text = manifest.to_owned();
        for endpoint in self.simulation.agents() {
            text = text
                .replace(&endpoint.addr.to_string(), &format!("ADDRESS OF {}", endpoint.name))
                .replace(&endpoint.host_key_fingerprint, &format!("KEY OF {}", endpoint.name))
                .replace(endpoint.client_key.as_str(), "CLIENT KEY");
        }
        text
    }

    fn put(&self, file: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder around it")).expect("it can be made");
        fs::write(&path, text).expect("it can be written");
        path
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        block_in_place(|| program::run(arguments, self.folder.path()))
    }

    /// A configuration that grants the key to the simulated Agents.
    fn config(&self) {
        let folder = self.folder.path().display();
        let key = &self.simulation.agents()[0].client_key;
        self.put(
            "reconciler.yaml",
            &format!(
                "apiVersion: dataminer.gitops/v1\nkind: ReconcilerConfig\nspec:\n  installation: test\n  \
                 sources: [ {{ name: fleet, url: \"file://{folder}/fleet\", branch: main }} ]\n  \
                 store: {{ url: \"sqlite://{folder}/state.db\" }}\n  vault: {{ url: \"file://{folder}/vault\" }}\n  \
                 secrets: [ {{ file: \"{key}\", hosts: [\"127.0.0.1\"], clusters: [\"*\"] }} ]\n"
            ),
        );
    }

    fn wrote_on_agents(&self) -> bool {
        self.simulation
            .inspect()
            .clusters
            .iter()
            .flat_map(|cluster| &cluster.agents)
            .any(|agent| agent.drive.join("ProgramData/dataminer-reconciler").exists())
    }

    /// Replaces the DMS's own name on every Agent.
    fn rename_dms(&self, name: &str) {
        for agent in self.simulation.inspect().clusters.iter().flat_map(|cluster| &cluster.agents) {
            let path = agent.drive.join("Skyline DataMiner/DMS.xml");
            let text = fs::read_to_string(&path).expect("an Agent has a DMS.xml");
            let (before, rest) = text.split_once("<Cluster name=\"").expect("it names the DMS");
            let (_, after) = rest.split_once('"').expect("the name ends");
            fs::write(&path, format!("{before}<Cluster name=\"{name}\"{after}")).expect("it can be written");
        }
    }
}

const ALL: [&str; 4] = ["dma-01", "dma-02", "dma-03", "dma-03b"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_imported_manifest_is_valid_and_converged() {
    let desk = Desk::new(vec![four_agents("brussels", CORE)]).await;
    let ended = desk.import(&ALL, &["--accept-host-keys", "-o", "brussels.yaml"]).expect_status(0);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("4 of 4 Agents"), "{}", ended.stderr);
    let manifest = fs::read_to_string(desk.folder.path().join("brussels.yaml")).expect("it was written");
    insta::assert_snapshot!(desk.shown(&manifest));

    desk.run(&["validate", "brussels.yaml"]).expect_status(0);
    desk.config();
    desk.put("fleet/brussels.yaml", &manifest);
    let seen = desk.run(&["observe", "-f", "fleet", "--config", "reconciler.yaml"]).expect_status(0);
    desk.put("observed.yaml", &seen.stdout);
    let plan =
        desk.run(&["plan", "-f", "fleet", "--observed", "observed.yaml", "-o", "json"]).expect_status(0);
    let plans: serde_json::Value = serde_json::from_str(&plan.stdout).expect("it is JSON");
    let plan = &plans["plans"][0];
    assert_eq!(plan["steps"].as_array().map(Vec::len), Some(0), "{plan:#}");
    assert_eq!(plan["blocked"].as_array().map_or(0, Vec::len), 0, "{plan:#}");
    assert_eq!(plan["change"], "None");

    let again = desk.import(&ALL, &["--accept-host-keys", "-o", "brussels.yaml"]).expect_status(1);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unknown_keys_are_shown_and_refused_until_somebody_vouches() {
    let desk = Desk::new(vec![four_agents("brussels", CORE)]).await;
    let refused = desk.import(&ALL, &[]).expect_status(1);
    assert_eq!(refused.stdout, "");
    for agent in ALL {
        assert!(refused.stderr.contains(&format!("--host-key {}", desk.key(agent))), "{}", refused.stderr);
    }
    assert!(!desk.wrote_on_agents(), "a server that nobody vouched for is not even signed in to");

    // One of four is missing: still nothing.
    let three: Vec<&str> = ALL[..3].iter().flat_map(|agent| ["--host-key", desk.key(agent)]).collect();
    let refused = desk.import(&ALL, &three).expect_status(1);
    assert!(refused.stderr.contains(desk.key("dma-03b")), "{}", refused.stderr);
    assert!(!refused.stderr.contains(desk.key("dma-01")), "{}", refused.stderr);

    let all: Vec<&str> = ALL.iter().flat_map(|agent| ["--host-key", desk.key(agent)]).collect();
    let ended = desk.import(&ALL, &all).expect_status(0);
    assert!(ended.stdout.contains(&format!("hostKey: \"{}\"", desk.key("dma-03b"))), "{}", ended.stdout);
}

/// Agents that DMS.xml names at addresses where nobody answers.
fn far_away(spec: AgentSpec, last: u8) -> AgentSpec {
    AgentSpec { address: std::net::IpAddr::from([127, 77, 0, last]), ..spec }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_that_are_not_reached_stand_in_the_manifest_all_the_same() {
    let mut backup = far_away(agent("dma-02b", 3, CORE), 3).with_failover(FailoverRole::Backup, false);
    backup.id = 102;
    let agents = vec![
        far_away(agent("dma-01", 1, CORE), 1),
        far_away(agent("dma-02", 2, CORE), 2).with_failover(FailoverRole::Main, true),
        backup,
    ];
    let desk = Desk::new(vec![ClusterSpec::new("ghent", agents)]).await;
    let ended = desk.import(&["dma-01"], &["--accept-host-keys", "-o", "ghent.yaml"]).expect_status(1);
    assert!(ended.stderr.contains("1 of 3 Agents"), "{}", ended.stderr);
    let manifest = fs::read_to_string(desk.folder.path().join("ghent.yaml")).expect("it was written");
    for text in ["name: dma-01", "127.77.0.2", "name: dma-102", "127.77.0.3", "name: dma-102b", "failover:"] {
        assert!(manifest.contains(text), "{text}:\n{manifest}");
    }
    assert_eq!(manifest.matches("# It was not").count(), 2, "{manifest}");
    desk.run(&["validate", "ghent.yaml"]).expect_status(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hostile_names_stay_names() {
    let desk = Desk::new(vec![ClusterSpec::new("x", vec![agent("dma-01", 1, CORE)])]).await;
    for (own, name) in [
        ("x&#10;spec: { suspend: false }&#10;# &quot;", "x-spec-suspend-false"),
        ("&#x202e;&#27;[31m&#8232;kind: Profile", "31m-kind-profile"),
        ("ブリュッセル", "dma-01"),
    ] {
        desk.rename_dms(own);
        let ended = desk.import(&["dma-01"], &["--accept-host-keys"]).expect_status(0);
        desk.put("hostile.yaml", &ended.stdout);
        desk.run(&["validate", "hostile.yaml"]).expect_status(0);
        let read: serde_json::Value = serde_yaml::from_str(&ended.stdout).expect("it is YAML");
        assert_eq!(
            (&read["metadata"]["name"], &read["spec"]["suspend"]),
            (&name.into(), &true.into()),
            "{own}"
        );
        assert!(!ended.stdout.contains(['\u{1b}', '\u{202e}', '\u{2028}']), "{}", ended.stdout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_of_another_dms_is_refused_by_name() {
    let desk = Desk::new(vec![
        ClusterSpec::new("x", vec![agent("dma-01", 1, CORE)]),
        ClusterSpec::new("y", vec![agent("dma-09", 9, CORE)]),
    ])
    .await;
    let ended = desk.import(&["dma-01", "dma-09"], &["--accept-host-keys"]).expect_status(1);
    assert_eq!(ended.stdout, "");
    assert!(
        ended.stderr.contains(&format!("{} is no Agent of the DMS", desk.host("dma-09"))),
        "{}",
        ended.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mixed_dms_wants_what_most_agents_run_and_names_the_rest() {
    let agents = vec![
        agent("dma-01", 1, "10.4.0 CU21 (build 16523)"),
        agent("dma-02", 2, CORE),
        agent("dma-03", 3, CORE),
    ];
    let desk = Desk::new(vec![ClusterSpec::new("x", agents)]).await;
    let ended = desk.import(&ALL[..3], &["--accept-host-keys", "--name", "mixed"]).expect_status(0);
    assert!(ended.stdout.contains("name: mixed"), "{}", ended.stdout);
    assert!(ended.stdout.contains("build 16889"), "{}", ended.stdout);
    assert!(ended.stdout.contains("dma-01 runs 10.4.0.0-16523"), "{}", ended.stdout);
}
