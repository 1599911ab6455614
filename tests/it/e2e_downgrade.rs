//! Downgrades with restore, over SSH: from a commit to content that was checked entry by entry.

use std::fs;

use dataminer_reconciler_tests::{dms::PATIENCE, program::Running, wait};
use dataminer_schema::{id::PlanId, status::ClusterState};
use dms_simulator::Fault;
use tokio::task::block_in_place;

use crate::{
    desk::Desk,
    scene::{MIDDLE, Scene, TO, entries},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_core_downgrade_puts_the_content_back_that_the_target_can_read() {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "10.6.4");
    scene.run_once().expect_status(0);
    scene.assert_content("10.6.4");

    scene.want_down_asking("10.4.0 CU21", "bundled");
    let desk = Desk::open(&scene, "run", &[]);
    let plan = prepared(&desk);
    // Whatever disrupts somebody waits, and so do the notes of what a downgrade will owe.
    scene.assert_runs(TO);
    scene.assert_content("10.6.4");
    scene.assert_nothing_owed();
    assert_eq!(scene.runs_of("DataMiner 10.4.0.0"), 0);
    let described = desk.ask(&["describe", "brussels"]).expect_status(0).stdout;
    let command = format!("dataminer-reconciler approve brussels {plan}");
    assert!(described.contains("waiting: Approval") && described.contains(&command), "{described}");
    // Another plan is not it, and a guess is none.
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = desk.ask(&["approve", "brussels", &other]).expect_status(1).stderr;
    assert!(refused.contains("409") && refused.contains(plan.as_str()), "{refused}");
    let refused = desk.ask(&["approve", "brussels", &plan.as_str()[..15]]).expect_status(1).stderr;
    assert!(refused.contains("is not the id of a plan") && refused.contains("help:"), "{refused}");

    desk.ask(&["approve", "brussels", plan.as_str(), "--reason", "TICKET-4711"]).expect_status(0);
    desk.until("at work", |cluster| {
        let given = cluster.approval.as_ref().is_some_and(|approval| approval.plan == plan);
        given && cluster.waiting.is_empty()
    });
    desk.until("back", |cluster| cluster.state == ClusterState::Ready);
    desk.close();
    scene.assert_runs(MIDDLE);
    scene.assert_ready();
    scene.assert_content("10.4.0 CU21");
    scene.assert_nothing_owed();
    for agent in scene.cluster().agents {
        let copies = agent.drive.join("ProgramData/dataminer-reconciler/content");
        assert_eq!(entries(copies.as_std_path()).len(), 1, "{}: one safety copy", agent.name);
    }
    // The same again changes nothing.
    scene.run_once().expect_status(0);
    assert_eq!(scene.runs_of("DataMiner 10.4.0.0"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_web_downgrade_restarts_no_agent_and_puts_the_content_back() {
    let scene = Scene::new(TO).await;
    scene.want("10.5.0 CU12", "10.6.4");
    scene.run_once().expect_status(0);
    let history: Vec<_> = scene.cluster().agents.into_iter().map(|agent| agent.history).collect();

    scene.want_down("10.5.0 CU12", "10.5.0 CU12");
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    scene.assert_ready();
    scene.assert_content("10.5.0 CU12");
    scene.assert_nothing_owed();
    let after: Vec<_> = scene.cluster().agents.into_iter().map(|agent| agent.history).collect();
    assert_eq!(after, history, "the core was left alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_leave_nothing_falls() {
    let scene = Scene::new(TO).await;
    scene.want("10.4.0 CU21", "bundled");
    scene.run_once().expect_status(1);
    let status = scene.installation.cluster("brussels");
    assert_eq!((status.state, status.reason.as_str()), (ClusterState::Stalled, "DowngradeNotAllowed"));
    scene.assert_runs(TO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_backup_that_the_target_can_read_nothing_falls() {
    let scene = Scene::new(TO).await;
    scene.want_down("10.4.0 CU21", "bundled");
    scene.run_once().expect_status(1);
    let status = scene.installation.cluster("brussels");
    assert_eq!(
        (status.state, status.reason.as_str()),
        (ClusterState::Stalled, "NoMatchingBackup"),
        "{status:#?}"
    );
    assert!(status.help.is_some(), "{status:?}");
    scene.assert_runs(TO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_that_was_tampered_with_is_found_before_anything_falls() {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    let mut spoilt = 0;
    for agent in entries(&scene.installation.folder().join("vault/brussels")) {
        let folder = scene.installation.folder().join("vault/brussels").join(agent);
        for name in entries(&folder).iter().filter(|name| name.ends_with(".zip")) {
            let mut bytes = fs::read(folder.join(name)).expect("the vault can be read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(folder.join(name), bytes).expect("the vault can be written");
            spoilt += 1;
        }
    }
    assert!(spoilt > 0);
    scene.want_down("10.4.0 CU21", "bundled");
    scene.run_once().expect_status(1);
    let status = scene.installation.cluster("brussels");
    assert_eq!((status.state, status.reason.as_str()), (ClusterState::Stalled, "NoBackup"), "{status:#?}");
    assert!(status.message.contains("damaged"), "{}", status.message);
    scene.assert_runs(TO);
    scene.assert_nothing_owed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_downgrade_owes_is_done_by_a_process_that_knows_nothing_of_it() {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "10.6.4");
    scene.run_once().expect_status(0);
    scene.want_down("10.4.0 CU21", "bundled");
    block_in_place(|| {
        let mut process: Running = scene.installation.start("first", "run", &[]);
        wait::until("every Agent to be back on the older core", PATIENCE, || {
            let agents = scene.cluster().agents;
            let down = agents.iter().all(|agent| agent.core == MIDDLE.parse().expect("a version"));
            if down {
                return Ok(());
            }
            match process.ended() {
                Ok(status) => panic!("it ended with {status:?}"),
                Err(running) => Err(running),
            }
        });
        process.kill();
    });
    assert_ne!(scene.owed(), [0; 4], "the notes lie on the Agents");
    // The store is lost, and with it every memory of the operation.
    for name in entries(scene.installation.folder()).iter().filter(|name| name.starts_with("state.db")) {
        fs::remove_file(scene.installation.folder().join(name)).expect("the store can be removed");
    }
    scene.run_once().expect_status(0);
    scene.assert_runs(MIDDLE);
    scene.assert_ready();
    scene.assert_content("10.4.0 CU21");
    scene.assert_nothing_owed();
}

/// Whatever the moment: content is owed until it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_that_reboots_in_the_middle_of_the_restore_gets_its_content_all_the_same() {
    let scene = Scene::with_a_past().await;
    scene.want_down("10.5.0 CU12", "10.5.0 CU12");
    block_in_place(|| killed_before_the_restore(&scene));
    // The next jobs on these are those of the restore.
    scene.inject("dma-02", Fault::RebootDuringJob(0)).await;
    scene.inject("dma-03", Fault::RebootDuringJob(20)).await;
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    scene.assert_ready();
    scene.assert_content("10.5.0 CU12");
    scene.assert_nothing_owed();
    scene.assert_no_job_ran_twice();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_that_loses_its_disk_in_the_middle_of_the_restore_is_named_and_waited_for() {
    let scene = Scene::with_a_past().await;
    scene.want_down("10.5.0 CU12", "10.5.0 CU12");
    block_in_place(|| killed_before_the_restore(&scene));
    scene.inject("dma-02", Fault::DiskLost(r"C:\Skyline DataMiner\Dashboards".to_owned())).await;
    let mut process = block_in_place(|| {
        let process: Running = scene.installation.start("second", "run", &[]);
        wait::until("a word about the Agent", PATIENCE, || {
            let log = fs::read_to_string(scene.installation.folder().join("second.err")).unwrap_or_default();
            let named = log.lines().any(|line| line.contains("WARN restore of") && line.contains("dma-02"));
            if named { Ok(()) } else { Err(log) }
        });
        let status = scene.installation.cluster("brussels");
        assert_ne!(status.state, ClusterState::Ready, "{status:#?}");
        assert!(!status.owed.is_empty(), "{status:#?}");
        process
    });
    scene.inject("dma-02", Fault::DiskHealed).await;
    block_in_place(|| {
        wait::until("the content to be back", PATIENCE, || {
            let status = scene.installation.cluster("brussels");
            if status.state == ClusterState::Ready { Ok(()) } else { Err(status.message) }
        });
        process.kill();
    });
    scene.assert_content("10.5.0 CU12");
    scene.assert_nothing_owed();
}

/// The way of one downgrade from the commit to verified content, as an operator sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_transcript_of_a_downgrade() {
    let scene = Scene::with_a_past().await;
    scene.want_down_asking("10.4.0 CU21", "bundled");
    let mut transcript = vec!["$ git commit -m 'brussels: back to 10.4.0 CU21'".to_owned()];
    let manifests = scene.installation.repository.path().to_str().expect("a readable path").to_owned();
    let plan = ["brussels", "--live", "-f", &manifests];
    transcript.push("$ dataminer-reconciler plan --live brussels".to_owned());
    transcript.push(block_in_place(|| scene.installation.run("plan", &plan)).expect_status(0).stdout);
    let desk = Desk::open(&scene, "run", &[]);
    let plan = prepared(&desk);
    transcript.push(format!("$ dataminer-reconciler approve brussels {} --reason TICKET-4711", plan.short()));
    let asked = desk.ask(&["approve", "brussels", plan.short(), "--reason", "TICKET-4711"]).expect_status(0);
    transcript.push(asked.stderr);
    desk.until("back", |cluster| cluster.state == ClusterState::Ready);
    desk.close();
    transcript.push("$ dataminer-reconciler history brussels".to_owned());
    // What the cluster's state was called in between hangs on the moment.
    transcript.extend(scene.history().into_iter().filter(|line| !line.contains("StateChanged")));
    transcript.push("$ dataminer-reconciler describe brussels".to_owned());
    let described = block_in_place(|| scene.installation.run("describe", &["brussels"]));
    let described = described.expect_status(0).stdout;
    // The conditions tell since when; that is another matter.
    transcript.push(described.split("CONDITION").next().unwrap_or_default().trim_end().to_owned());
    insta::with_settings!({ filters => vec![
        (r"\b[0-9a-f]{40,64}\b", "[digest]"),
        (r"\b[0-9a-f]{8,12}\b", "[digest]"),
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?", "[time]"),
        (r"\d{8}_\d{6}", "[time]"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \[time\]", "[time]"),
        (r"\d+(\.\d+)? ?(ms|s|min|h)\b", "[span]"),
        (r"\((now|\[span\] ago)\)", "([span] ago)"),
        (r"\bby [^:\n]+: TICKET", "by [account]: TICKET"),
        (r"[ \t]{2,}", "  "),
    ]}, { insta::assert_snapshot!(transcript.join("\n")) });
}

/// Waits until everything is done that needs no approval; the plan that asks for one.
fn prepared(desk: &Desk<'_>) -> PlanId {
    desk.until("an approval to be asked for", |cluster| cluster.reason == "Approval");
    wait::until("the preparations", PATIENCE, || {
        let history = desk.history();
        if history.contains("SaveBackup done") { Ok(()) } else { Err(history) }
    });
    let status = desk.until("waiting", |cluster| cluster.operation.is_none() && cluster.reason == "Approval");
    status.plan.expect("it has a plan")
}

/// Runs the process until the web apps are down on every Agent, and kills it.
fn killed_before_the_restore(scene: &Scene) {
    let mut process: Running = scene.installation.start("first", "run", &[]);
    wait::until("the web apps to be down", PATIENCE, || {
        let down = scene.cluster().agents.iter().all(|agent| agent.web.release_name() == "10.5.0 CU12");
        if down { Ok(()) } else { process.ended().map(|status| panic!("it ended with {status:?}")) }
    });
    process.kill();
}
