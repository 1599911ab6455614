//! `rehearse`: plans carried out on simulated copies of what was observed.

use std::{fs, path::Path};

use dataminer_core::{catalog::Catalog, knowledge::Knowledge};
use dataminer_reconciler::rehearsal;
use dataminer_reconciler_tests::{
    dms::{four_agents, peers},
    environment::workspace,
    installation::Installation,
    program::{self, Ended, call},
    repository::Repository,
};
use dataminer_schema::{
    load::{Located, SourceFile, load_observations},
    v1::{
        catalog::PackageCatalog,
        observation::{AgentObservation, Observation},
    },
};
use dms_simulator::{BackupSpec, ClusterSpec, HistorySpec, Simulation, SimulationSpec, TraceSpec};
use serde_json::Value;
use tokio::task::block_in_place;

use crate::scene::{FROM, MIDDLE, Scene, TO, WEB};

const MARK: &str = "<!-- dataminer-reconciler:rehearsal -->";
const NOW: &str = "2026-11-21T10:00:00Z";
const EXAMPLE: [&str; 8] =
    ["rehearse", "-f", "examples/fleet", "--observed", "examples/observed", "--now", NOW, "brussels"];

fn rehearse(more: &[&str]) -> Ended {
    program::run(&[&EXAMPLE, more].concat(), workspace())
}

fn document(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", ended.stdout, ended.stderr))
}

fn actions(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = report["played"]["steps"].as_array().expect("it was played");
    steps.iter().map(|step| (text(&step["action"]), text(&step["end"]))).collect()
}

/// The text without what differs from run to run: how long the simulated Agents took on this machine, and the width of
/// the columns that hangs on it.
fn steady(text: &str) -> String {
    let is_duration = |word: &str| {
        word == "<1m"
            || (word.ends_with(['m', 'h'])
                && word.chars().all(|c| c.is_ascii_digit() || matches!(c, 'h' | 'm')))
    };
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if let Some(done) = words.iter().position(|word| *word == "done") {
            let place = words.iter().skip(done + 1).position(|word| *word != "|").map(|at| done + 1 + at);
            if let Some(word) = place.and_then(|place| words.get_mut(place)).filter(|word| is_duration(word))
            {
                *word = "…";
            }
        }
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_golden(file: &str, text: &str) {
    let path = workspace().join("examples/rehearsal").join(file);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        fs::write(&path, text).expect("the golden file can be written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(steady(text), steady(&golden), "renew {} with INSTA_UPDATE=always", path.display());
}

#[test]
fn the_rehearsal_of_the_example_is_the_committed_one() {
    let ended = rehearse(&[]).expect_status(0);
    assert_golden("transcript.txt", &ended.stdout);
    assert!(ended.stderr.contains(": UpgradeCore 10.4.0 CU21 ("), "{}", ended.stderr);
}

#[test]
fn the_readme_shows_lines_of_the_committed_transcript() {
    let readme = read(&workspace().join("README.md"));
    let transcript = read(&workspace().join("examples/rehearsal/transcript.txt"));
    let (_, section) = readme.split_once("## Rehearsing an upgrade").expect("it tells how to rehearse");
    let shown = section.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next());
    let mut lines = transcript.lines();
    for line in shown.expect("it shows some").lines() {
        assert!(lines.any(|real| real == line), "the transcript has no line {line:?} there");
    }
}

#[test]
fn the_comment_of_the_example_is_the_committed_one() {
    let ended = rehearse(&["-o", "markdown"]).expect_status(0);
    assert!(ended.stdout.starts_with(MARK));
    assert_golden("comment.md", &ended.stdout);
}

#[test]
fn a_multi_hop_upgrade_converges_and_says_what_it_assumed() {
    let ended = rehearse(&["-o", "json", "--seed", "7"]).expect_status(0);
    let document = document(&ended);
    let report = &document["rehearsals"][0];
    assert_eq!((&document["formatVersion"], &report["verdict"]), (&"1.0".into(), &"Converges".into()));
    let played = &report["played"];
    assert_eq!(played["violations"], Value::Array(Vec::new()));
    assert_eq!((&played["seed"], &played["operations"]), (&7.into(), &1.into()));
    assert!(played["differs"].is_null(), "{}", played["differs"]);
    let steps = actions(report);
    assert_eq!(steps.iter().filter(|(action, _)| action == "UpgradeCore").count(), 2, "{steps:?}");
    assert!(steps.iter().all(|(_, end)| end == "Done"), "{steps:?}");
    assert_eq!(steps.len(), report["plan"]["steps"].as_array().expect("it has a plan").len());
    assert_eq!(played["content"]["lost"], Value::Array(Vec::new()), "an upgrade keeps what users made");
    assert!(!report["plan"]["forecast"].is_null());
    let assumed = report["assumptions"].to_string();
    for part in ["ASP.NET Core", "Visual C++", "Windows was not seen", "expired users", "modules"] {
        assert!(assumed.contains(part), "{part}: {assumed}");
    }
    let given = report["given"].to_string();
    assert!(given.contains("windows") && given.contains("approval"), "{given}");
}

#[test]
fn a_downgrade_converges_and_counts_what_the_restore_takes_back() {
    let (fleet, observed) = ("examples/downgrade/fleet", "examples/downgrade/observed");
    let ended = program::run(
        &["rehearse", "-f", fleet, "--observed", observed, "--now", NOW, "-o", "json"],
        workspace(),
    );
    let document = document(&ended.expect_status(0));
    let report = &document["rehearsals"][0];
    assert_eq!(report["verdict"], "Converges");
    let steps = actions(report);
    let has = |wanted: &str| steps.iter().any(|(action, _)| action == wanted);
    assert!(has("DowngradeCore") && has("RestoreContent"), "{steps:?}");
    let content = &report["played"]["content"];
    let lost = content["lost"].as_array().expect("it is a list");
    assert_eq!(lost.len(), 1, "the change behind the backup: {content}");
    assert_eq!(lost[0], content["changedBefore"]);
    assert_eq!(
        (&content["unreadable"], &content["damaged"]),
        (&Value::Array(Vec::new()), &Value::Array(Vec::new()))
    );
}

#[test]
fn a_blocked_plan_would_not_converge_and_ends_with_three() {
    let folder = "examples/review/blocked-jump";
    let arguments = [
        "rehearse",
        "-f",
        &format!("{folder}/fleet"),
        "--observed",
        &format!("{folder}/observed"),
        "--now",
        NOW,
    ];
    let ended = program::run(&[&arguments[..], &["-o", "json"]].concat(), workspace()).expect_status(3);
    let document = document(&ended);
    let report = &document["rehearsals"][0];
    assert_eq!((&report["verdict"], &report["reason"]), (&"WouldNotConverge".into(), &"NoPackage".into()));
    assert!(report["played"].is_null(), "there is nothing to play");
    let table = program::run(&arguments, workspace()).expect_status(3).stdout;
    assert!(table.contains("would not converge: NoPackage") && table.contains("help: "), "{table}");
    let markdown =
        program::run(&[&arguments[..], &["-o", "markdown"]].concat(), workspace()).expect_status(3).stdout;
    assert!(markdown.contains("**1 of 1 cluster would not converge**"), "{markdown}");
}

#[test]
fn a_cluster_that_was_never_seen_would_not_converge() {
    let ended = program::run(&["rehearse", "-f", "examples/fleet", "--now", NOW, "lisbon"], workspace());
    let ended = ended.expect_status(3);
    assert!(ended.stdout.contains("would not converge"), "{}", ended.stdout);
}

#[test]
fn a_rehearsal_that_does_not_end_is_given_up_and_says_where() {
    let ended = rehearse(&["--speed", "1", "--timeout", "20s", "-o", "json"]).expect_status(3);
    let document = document(&ended);
    let report = &document["rehearsals"][0];
    assert_eq!(report["reason"], "GivenUp", "{report}");
    let steps = actions(report);
    assert!(steps.last().is_some_and(|(_, end)| end == "Unfinished"), "{steps:?}");
}

#[test]
fn manifests_with_errors_end_with_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("x.yaml"), "kind: Cluster\n").expect("it can be written");
    let path = folder.path().to_str().expect("a plain path");
    program::run(&["rehearse", "-f", path], workspace()).expect_status(1);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn between_two_commits_only_what_changes_is_rehearsed() {
    let repository = Repository::new();
    let examples = workspace().join("examples");
    for file in ["clusters/brussels.yaml", "clusters/lisbon.yaml", "catalog/approved.yaml"] {
        repository.write(&format!("fleet/{file}"), &read(&examples.join("fleet").join(file)));
    }
    let base = repository.commit("The fleet");
    let lisbon = repository.path().join("fleet/clusters/lisbon.yaml");
    let text = read(&lisbon);
    repository.write("fleet/clusters/lisbon.yaml", &text.replace("webApps: 10.6.4", "webApps: bundled"));
    let head = repository.commit("lisbon: the web apps of its core");
    // What is not committed counts for nothing.
    repository.write("fleet/clusters/lisbon.yaml", "garbage");
    let folder = repository.path().join("fleet");
    let folder = folder.to_str().expect("a plain path");
    let run = |more: &[&str]| {
        let fixed = [
            "rehearse",
            "-f",
            folder,
            "--observed",
            "examples/observed",
            "--now",
            NOW,
            "--base",
            base.as_str(),
        ];
        Ended::of(&mut call(&[&fixed, more].concat(), workspace()))
    };
    let document = document(&run(&["-o", "json"]).expect_status(0));
    let reports = document["rehearsals"].as_array().expect("it is a list");
    assert_eq!(reports.len(), 1, "{document}");
    assert_eq!((&reports[0]["cluster"], &document["unchanged"]), (&"lisbon".into(), &1.into()));
    assert_eq!(reports[0]["plan"]["commit"], head.as_str());
    let markdown = run(&["-o", "markdown"]).expect_status(0).stdout;
    assert!(markdown.contains("1 other cluster does not change."), "{markdown}");

    repository.write("fleet/clusters/lisbon.yaml", "kind: Cluster\n");
    repository.commit("A broken one");
    let broken = run(&["-o", "markdown"]).expect_status(1).stdout;
    assert!(broken.contains("The manifests have"), "{broken}");
}

/// Foreign text in a comment is shown and never acts.
#[test]
fn what_agents_say_cannot_act_in_the_comment() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let observed = read(&workspace().join("examples/observed/lisbon.yaml"));
    let hostile = observed.replacen(
        "      freeDisk: 120GiB\n",
        "      freeDisk: 120GiB\n      backups:\n        - { file: \"@admins | <img src=x> [x](http://evil.example).zip\" }\n",
        1,
    );
    assert_ne!(hostile, observed);
    fs::write(folder.path().join("lisbon.yaml"), hostile).expect("it can be written");
    let path = folder.path().to_str().expect("a plain path");
    let arguments =
        ["rehearse", "-f", "examples/fleet", "--observed", path, "--now", NOW, "lisbon", "-o", "markdown"];
    let text = program::run(&arguments, workspace()).expect_status(0).stdout;
    assert!(text.contains("is not copied"), "the assumption is told: {text}");
    let line = text.lines().find(|line| line.contains("<img")).expect("it is shown");
    for part in ["<img", "](http"] {
        let before = line.split(part).next().unwrap_or_default();
        assert_eq!(before.matches('`').count() % 2, 1, "{part} stands in a code span: {line}");
    }
}

/// The recipes are those of the review but for the verb, and its comment is another one.
#[test]
fn the_recipes_call_the_program_in_ways_that_it_understands_and_renew_a_comment_of_their_own() {
    for recipe in ["github-rehearse.yaml", "gitlab-rehearse.yaml"] {
        let text = read(&workspace().join("examples/ci").join(recipe));
        let _is_yaml: serde_yaml::Value = serde_yaml::from_str(&text).expect("a recipe is YAML");
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("dataminer-reconciler "));
        let calls: Vec<&str> = lines.collect();
        let [call] = calls.as_slice() else { panic!("{recipe}: {calls:?}") };
        let call = call.split(" > ").next().unwrap_or_default().replace('"', "");
        let mut arguments: Vec<&str> = call.split_whitespace().skip(1).collect();
        assert!(arguments.contains(&"rehearse") && arguments.contains(&"--base"), "{recipe}: {call}");
        arguments.push("--help");
        program::run(&arguments, workspace()).expect_status(0);
        assert!(text.contains(&format!("startswith(\"{MARK}\")")), "{recipe}");
        let review = read(&workspace().join("examples/ci").join(recipe.replace("rehearse", "review")));
        let shell = |text: &str| -> Vec<String> {
            let asks = text
                .lines()
                .map(str::trim)
                .filter(|line| line.contains("--method") || line.contains("--request"));
            asks.map(|line| line.replace("REHEARSAL", "REVIEW").replace("rehearsal", "review")).collect()
        };
        assert_eq!(shell(&text), shell(&review), "{recipe}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_agents_are_copied_and_left_alone() {
    let scene = Scene::new(FROM).await;
    scene.want(TO, "bundled");
    let before = scene.cluster();
    let ended = block_in_place(|| {
        let folder = scene.installation.repository.path().to_owned();
        let config = scene.installation.folder().join("reconciler.yaml");
        let (folder, config) = (folder.to_str().expect("plain"), config.to_str().expect("plain"));
        program::run(&["rehearse", "-f", folder, "--live", "--config", config, "-o", "json"], workspace())
    });
    let document = document(&ended.expect_status(0));
    let report = &document["rehearsals"][0];
    assert_eq!(report["verdict"], "Converges", "{report}");
    let upgrades = actions(report).iter().filter(|(action, _)| action == "UpgradeCore").count();
    assert_eq!(upgrades, 2, "over {MIDDLE}");
    let after = scene.cluster();
    for (before, after) in before.agents.iter().zip(&after.agents) {
        assert_eq!((&before.core, &before.web, &before.history), (&after.core, &after.web, &after.history));
        assert_eq!((&before.content_digest, &before.backups), (&after.content_digest, &after.backups));
        assert!(after.tasks.is_empty(), "no job ran: {:?}", after.tasks);
    }
}

/// What an observation shows of an Agent, without what hangs on the moment or on the bytes of look-alikes.
fn lasting(agent: &AgentObservation) -> AgentObservation {
    let mut agent = agent.clone();
    for backup in agent.backups.iter_mut().flatten() {
        (backup.sha256, backup.size) = (None, None);
    }
    // Our own scripts lie on the disk by now.
    agent.free_disk = agent.free_disk.map(|bytes| dataminer_schema::quantity::ByteSize(bytes.0 >> 30));
    agent
}

/// What `observe` says of the Agents of a simulation.
fn observed(simulation: &Simulation) -> Observation {
    let first = &simulation.agents()[0];
    let installation = Installation::new(&first.user, first.client_key.as_std_path());
    installation.declare("brussels", "10.5.0 CU12", "unmanaged", &peers(simulation, "brussels"), "");
    let folder = installation.repository.path().to_str().expect("plain").to_owned();
    let config = installation.folder().join("reconciler.yaml");
    let arguments = ["observe", "-f", &folder, "--config", config.to_str().expect("plain"), "-o", "yaml"];
    let text = block_in_place(|| program::run(&arguments, workspace())).expect_status(0).stdout;
    let (mut observations, diagnostics) =
        load_observations(&[SourceFile { path: "observed.yaml".to_owned(), bytes: text.into_bytes() }]);
    assert_eq!(diagnostics, [], "observe writes what plan reads");
    observations.pop().expect("one cluster")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_copy_of_an_observation_is_observed_as_the_original_was() {
    let start = async |cluster: ClusterSpec| {
        Simulation::start(SimulationSpec::new(vec![cluster])).await.expect("the simulation starts")
    };
    let mut original = four_agents("brussels", TO);
    for (number, agent) in original.agents.iter_mut().enumerate() {
        let at = |text: &str| text.parse().expect("a time");
        let version = |text: &str| text.parse().expect("a version");
        agent.history = vec![HistorySpec {
            at: at("2024-02-03T04:05:06Z"),
            version: "10.4.0.0-16523-20240101-release".to_owned(),
        }];
        agent.installed_at = Some(at("2025-06-07T08:09:10Z"));
        agent.web = Some(version(WEB));
        agent.traces = Some(vec![
            TraceSpec {
                at: at("2025-06-07T08:09:10Z"),
                file: "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade".to_owned(),
            },
            TraceSpec {
                at: at("2025-07-07T08:09:10Z"),
                file: "DataMiner 10.6.4.0-16950 Web Upgrade.dmupgrade".to_owned(),
            },
        ]);
        agent.backups = vec![
            BackupSpec { at: at("2025-06-07T07:30:00Z"), content: version(MIDDLE), file: None },
            BackupSpec {
                at: at("2025-07-07T08:00:00Z"),
                content: version(TO),
                file: Some("Own name.zip".to_owned()),
            },
        ];
        agent.time_zone = ["W. Europe Standard Time", "UTC"][number % 2].to_owned();
        agent.free_disk = (40 + number as u64) << 30;
        agent.pending_reboot = number == 1;
        agent.broker_gateway = true;
        agent.dotnet = vec!["8.0.11".to_owned()];
        agent.os_build = 20348;
        agent.expired_users = number == 2;
        agent.default_upgrade_options = number == 3;
        // The member that is usually offline is the active one.
        if let Some(failover) = &mut agent.failover {
            failover.online = !failover.online;
        }
    }
    let first = start(original).await;
    let one = observed(&first);
    // The manifest names them alike, wherever they are.
    let installation = Installation::new("x", Path::new("/x"));
    installation.declare("brussels", "10.5.0 CU12", "unmanaged", &peers(&first, "brussels"), "");
    let manifest = read(&installation.repository.path().join("clusters/brussels.yaml"));
    let files = [SourceFile { path: "brussels.yaml".to_owned(), bytes: manifest.into_bytes() }];
    let (fleet, _warnings) = dataminer_reconciler::source::assemble(&files, &[]).expect("it is valid");
    let builds = [("10.5.0.0-16889", "10.5.0 CU12"), ("10.4.0.0-16523", "10.4.0 CU21")];
    let builds = builds.map(|(build, release)| (build.to_owned(), release.parse().expect("a version")));
    let known = PackageCatalog { name: "known".to_owned(), packages: Vec::new(), builds: builds.into() };
    let known = [Located::unmarked(known, "known.yaml")];
    let catalog = Catalog::unite(&known, Knowledge::built_in()).expect("it agrees with itself");
    let (copy, names, assumptions) = rehearsal::simulated(&fleet.clusters[0].value, &one, &catalog);
    assert!(names.iter().all(|(agent, server)| agent.as_str() == server), "{names:?}");
    let second = start(copy).await;
    let two = observed(&second);
    let lasting = |observation: &Observation| observation.agents.iter().map(lasting).collect::<Vec<_>>();
    assert_eq!(lasting(&two), lasting(&one), "assumed: {assumptions:?}");
    assert_eq!(two.topology, one.topology);
    assert_eq!(assumptions.len(), 0, "{assumptions:?}");
    first.shutdown().await;
    second.shutdown().await;
}
