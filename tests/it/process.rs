//! `run` as an operator runs it, over simulated Agents: a commit becomes a plan, the history tells, the end is clean.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use dataminer_reconciler_tests::{
    program::{self, Running},
    wait,
};
use dataminer_schema::status::{ClusterState, FleetStatus};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// `simulate --write`: Agents, a repository and a configuration that fit each other.
struct Lab {
    folder: TempDir,
    port: u16,
    _simulation: Running,
}

impl Lab {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let lab = folder.path().join("lab");
        let mut simulate = program::call(
            &["simulate", "--agents", "2", "--write", lab.to_str().expect("a plain path")],
            folder.path(),
        );
        let mut simulation = Running::start(&mut simulate, &folder.path().join("simulate"));
        wait::until("the simulation", PATIENCE, || {
            assert!(simulation.ended().is_err(), "{}", read(&folder.path().join("simulate.err")));
            if read(&folder.path().join("simulate.err")).contains("Ctrl-C") {
                Ok(())
            } else {
                Err("not up yet")
            }
        });
        Self { folder, port: free_port(), _simulation: simulation }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("lab/reconciler.yaml")
    }

    fn call(&self, arguments: &[&str]) -> Command {
        let mut command = program::call(arguments, self.folder.path());
        command.env("DATAMINER_RECONCILER_CONFIG", self.config());
        command.env("DATAMINER_RECONCILER_LISTEN", format!("127.0.0.1:{}", self.port));
        command.env("DATAMINER_RECONCILER_SERVER", format!("http://127.0.0.1:{}", self.port));
        command
    }

    fn run(&self, name: &str) -> Running {
        Running::start(&mut self.call(&["run"]), &self.folder.path().join(name))
    }

    fn log(&self, name: &str) -> String {
        read(&self.folder.path().join(format!("{name}.err")))
    }

    fn status(&self) -> Result<FleetStatus, String> {
        let ended = program::Ended::of(&mut self.call(&["status", "-o", "json"]));
        serde_json::from_str(&ended.stdout).map_err(|error| format!("{error}: {}", ended.stderr))
    }

    /// Waits until the status is as wanted.
    fn until(&self, what: &str, right: impl Fn(&FleetStatus) -> bool) -> FleetStatus {
        wait::until(what, PATIENCE, || {
            let status = self.status()?;
            if right(&status) { Ok(status) } else { Err(format!("{status:?}")) }
        })
    }

    /// Replaces the manifest and commits it.
    fn commit(&self, change: impl Fn(&str) -> String) -> String {
        let fleet = self.folder.path().join("lab/fleet");
        let manifest = fleet.join("clusters/lab.yaml");
        fs::write(&manifest, change(&read(&manifest))).expect("the manifest can be written");
        let repository = git2::Repository::open(&fleet).expect("the lab has a repository");
        let mut index = repository.index().expect("the repository has an index");
        index.add_path(Path::new("clusters/lab.yaml")).expect("the manifest can be added");
        let tree = index.write_tree().expect("a tree can be written");
        let tree = repository.find_tree(tree).expect("the tree is there");
        let parent = repository.head().and_then(|head| head.peel_to_commit()).expect("the lab has a commit");
        let who = git2::Signature::now("Ada", "ada@example.com").expect("a valid name");
        let id = repository.commit(Some("HEAD"), &who, &who, "Change the lab", &tree, &[&parent]);
        id.expect("a commit can be made").to_string()
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn state(status: &FleetStatus) -> Option<ClusterState> {
    status.clusters.first().map(|cluster| cluster.state)
}

#[test]
fn commits_good_and_broken_are_followed_and_told() {
    let lab = Lab::start();
    let mut process = lab.run("run");
    lab.until("a converged cluster", |status| state(status) == Some(ClusterState::Ready));

    // Another process keeps its hands off the store.
    let mut second = lab.call(&["run", "--listen", "127.0.0.1:0"]);
    let refused = program::Ended::of(&mut second).expect_status(1);
    assert!(
        refused.stderr.contains("in use by another process") && refused.stderr.contains("help:"),
        "{}",
        refused.stderr
    );

    // A broken commit is set aside; the good one stays in force.
    let good = lab.status().expect("the process answers").source.last_good.expect("a commit is in force");
    let broken = lab.commit(|text| text.replace("software:", "sofware:"));
    let status = lab.until("the broken commit", |status| status.source.broken.is_some());
    assert_eq!(status.source.last_good, Some(good));
    let set_aside = status.source.broken.as_ref().expect("it was waited for");
    assert_eq!(set_aside.commit.as_str(), broken);
    assert!(set_aside.diagnostics.iter().any(|found| found.path == "clusters/lab.yaml" && found.line > 0));
    assert_eq!(state(&status), Some(ClusterState::Ready));

    // A commit that wants what no package brings is planned, and the reason is there.
    let wanted = lab.commit(|text| {
        text.replace("sofware:", "software:").replace("10.5.0 CU12 (build 16889)", "10.5.0 CU13")
    });
    let status = lab.until("the new plan", |status| state(status) == Some(ClusterState::Stalled));
    assert_eq!(status.source.last_good.as_ref().map(|commit| commit.as_str()), Some(wanted.as_str()));
    assert!(status.source.broken.is_none());
    assert_eq!(status.clusters[0].reason, "NoPackage");
    assert!(status.clusters[0].help.is_some());

    let history = program::Ended::of(&mut lab.call(&["history"])).expect_status(0);
    assert!(
        history.stdout.contains("CommitSeen") && history.stdout.contains("CommitBroken"),
        "{}",
        history.stdout
    );

    // In order: SIGTERM ends it with 0, and the store can be read without it.
    process.terminate();
    let ended = wait::until("the end of the process", PATIENCE, || process.ended());
    assert_eq!(ended, Some(0), "{}", lab.log("run"));
    let config = lab.config();
    let after = ["status", "-o", "json", "--config", config.to_str().expect("a plain path")];
    let ended = program::Ended::of(&mut lab.call(&after)).expect_status(0);
    let stored: FleetStatus = serde_json::from_str(&ended.stdout).expect("it is a status");
    assert_eq!(state(&stored), Some(ClusterState::Stalled));
}

#[test]
fn once_ends_by_itself_and_says_how_it_went() {
    let lab = Lab::start();
    let ended = program::Ended::of(&mut lab.call(&["run", "--once"])).expect_status(0);
    assert!(ended.stdout.contains("Ready"), "{}\n{}", ended.stdout, ended.stderr);
    lab.commit(|text| text.replace("10.5.0 CU12 (build 16889)", "10.5.0 CU13"));
    let ended = program::Ended::of(&mut lab.call(&["run", "--once"])).expect_status(1);
    assert!(ended.stdout.contains("NoPackage"), "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn without_any_good_commit_once_fails_with_the_reason() {
    let lab = Lab::start();
    lab.commit(|text| text.replace("software:", "sofware:"));
    let ended = program::Ended::of(&mut lab.call(&["run", "--once"])).expect_status(1);
    assert!(ended.stderr.contains("no commit could be put in force"), "{}", ended.stderr);
    assert!(ended.stderr.contains("clusters/lab.yaml:"), "{}", ended.stderr);
}

#[test]
fn a_listener_for_everybody_is_refused() {
    let lab = Lab::start();
    let ended = program::Ended::of(&mut lab.call(&["run", "--listen", "0.0.0.0:0"])).expect_status(1);
    assert!(
        ended.stderr.contains("no authentication") && ended.stderr.contains("loopback"),
        "{}",
        ended.stderr
    );
}

/// The status code and body of one request.
fn ask(port: u16, path: &str) -> Result<(String, String), String> {
    let broken = |error: std::io::Error| format!("{path}: {error}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(broken)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(broken)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(broken)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{path}: {answer}"))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok((status.to_owned(), body.to_owned()))
}

#[test]
fn probes_and_figures_can_be_shown_to_others_without_the_api() {
    let lab = Lab::start();
    let others = free_port();
    let config = read(&lab.config());
    let both = format!("http: {{ metrics: \"0.0.0.0:{others}\", ");
    fs::write(lab.config(), config.replace("http: { ", &both)).expect("the configuration can be written");
    let _process = lab.run("run");
    lab.until("the cluster", |status| !status.clusters.is_empty());
    wait::until("readiness", PATIENCE, || match ask(others, "/readyz")? {
        (status, _) if status == "200" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(ask(others, "/healthz").expect("it listens").0, "200");
    let (status, figures) = ask(others, "/metrics").expect("it listens");
    assert!(status == "200" && figures.contains("dataminer_reconciler_build_info"), "{status} {figures}");
    for path in ["/api/v1/clusters", "/api/v1/clusters/lab", "/api/v1/events"] {
        assert_eq!(ask(others, path).expect("it listens").0, "404", "{path}");
        assert_eq!(ask(lab.port, path).expect("the API listens on loopback").0, "200", "{path}");
    }
}
