//! The way to 10.6: the BrokerGateway migration between two hops, on all Agents together (H4).

use dataminer_reconciler_tests::dms::{add_package, four_agents};
use dms_simulator::package::{Kind, write_tool};
use tokio::task::block_in_place;

use crate::scene::{MIDDLE, Scene, entries};

const TARGET: &str = "10.6.0 CU2 (build 17200)";
const CHECK: &str = "NATSMigration - Prerequisite only.dmupgrade";
const MIGRATION: &str = "NATSMigration.dmupgrade";

/// Simulated Agents live 900 seconds in one, a reconciler does not: it would wait a quarter of an hour.
const KNOWLEDGE: &str = "apiVersion: dataminer.gitops/v1\nkind: ReleaseKnowledge\nmetadata: { name: quick }\nspec:\n  rules:\n    \
    h4: { line: 10.5.0, only: [10.6.0 CU0, 10.6.1], possible: [10.5.0 CU2, 10.5.5], automatic: [10.5.0 CU4, 10.5.7 CU1], \
    recommended: [10.5.0 CU11, 10.5.12 CU2], onlineTogetherMinutes: 0, source: tests }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_leads_over_the_brokergateway_migration_to_10_6() {
    let mut scene = Scene::of(four_agents("brussels", MIDDLE)).await;
    add_package(&mut scene.installation, TARGET, Kind::Full);
    for tool in [CHECK, MIGRATION] {
        let folder = scene.installation.package_path("");
        let folder = camino::Utf8Path::from_path(&folder).expect("a readable name");
        write_tool(folder, tool).expect("the package is written");
        scene.installation.approve(tool);
    }
    let knowledge = scene.installation.folder().join("knowledge");
    std::fs::create_dir(&knowledge).expect("a new folder");
    std::fs::write(knowledge.join("quick.yaml"), KNOWLEDGE).expect("a new file");
    let knowledge = knowledge.to_str().expect("a readable name").to_owned();
    let run = || block_in_place(|| scene.installation.run("run", &["--once", "--knowledge", &knowledge]));

    scene.want("10.6.0 CU2", "unmanaged");
    run().expect_status(0);
    scene.assert_runs(TARGET);
    scene.assert_ready();
    for agent in scene.cluster().agents {
        assert!(agent.broker_gateway, "{}", agent.name);
        let hops: Vec<_> = agent.history.iter().map(|line| line.split(';').nth(1).unwrap_or(line)).collect();
        assert_eq!(hops.len(), 3, "{}: {hops:?}", agent.name);
        assert!(hops[1].starts_with("10.5.0.0-16889") && hops[2].starts_with("10.6.0.0-17200"), "{hops:?}");
    }
    assert_eq!((scene.runs_of(CHECK), scene.runs_of(MIGRATION)), (1, 1));
    scene.assert_no_job_ran_twice();
    let history = scene.history().join("\n");
    for told in ["RunTool done", "UpgradeCore to 10.6.0 CU2"] {
        assert!(history.contains(told), "{told} in\n{history}");
    }

    // The same again changes nothing.
    run().expect_status(0);
    assert_eq!((scene.runs_of("DataMiner 10.6.0.0"), scene.runs_of(MIGRATION)), (1, 1));
    let jobs = scene.cluster().agents.remove(0).drive.join("ProgramData/dataminer-reconciler/packages");
    assert!(entries(jobs.as_std_path()).is_empty(), "nothing is left staged");
}
