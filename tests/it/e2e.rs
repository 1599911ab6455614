//! The built program against simulated Agents over real SSH: a commit in, versions out.

use crate::scene::{FROM, Scene, TO, entries};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_upgrades_four_agents_over_two_hops_and_then_their_web_apps() {
    let scene = Scene::new(FROM).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    scene.assert_ready();
    for agent in scene.cluster().agents {
        let hops: Vec<_> = agent.history.iter().map(|line| line.split(';').nth(1).unwrap_or(line)).collect();
        assert_eq!(hops.len(), 3, "{}: {hops:?}", agent.name);
        assert!(hops[1].starts_with("10.4.0.0-16523") && hops[2].starts_with("10.5.0.0-16889"), "{hops:?}");
    }
    let kept = entries(&scene.installation.folder().join("vault/brussels"));
    assert!(kept.contains("dma-01") && kept.contains("dma-03b"), "content was saved first: {kept:?}");

    // The same again changes nothing.
    scene.run_once().expect_status(0);
    assert_eq!(scene.runs_of("DataMiner 10.5.0.0"), 1);

    scene.want("10.5.0 CU12", "10.6.4");
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    scene.assert_ready();
    for agent in scene.cluster().agents {
        assert_eq!(agent.web.release_name(), "10.6.4", "{}", agent.name);
    }
    assert_eq!(scene.runs_of("DataMiner 10.6.4.0"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broken_commit_leaves_the_last_good_one_in_force() {
    let scene = Scene::new(TO).await;
    let good = scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    let broken = scene.want("10.5", "unmanaged");
    scene.run_once().expect_status(1);
    let fleet = scene.installation.status();
    let source = &fleet.source;
    assert_eq!(source.last_good.as_ref().map(ToString::to_string), Some(good));
    let found = source.broken.as_ref().expect("the commit was set aside");
    assert_eq!(found.commit.to_string(), broken);
    let first = &found.diagnostics[0];
    assert!(first.path.ends_with("clusters/brussels.yaml") && first.line == 5, "{first:?}");
    scene.assert_ready();
    scene.assert_runs(TO);
    // A commit that mends it is acted on.
    scene.want("10.5.0 CU12", "10.6.4");
    scene.run_once().expect_status(0);
    assert!(scene.cluster().agents.iter().all(|agent| agent.web.release_name() == "10.6.4"));
}
