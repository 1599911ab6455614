use dataminer_core::exec::effect::Disposition;
use dataminer_reconciler::agent::ClusterDriver;
use dms_simulator::{Fault, Reach};

use crate::harness::{Setup, agents, exists, name};

const CORE: &str = "10.5.0 CU9 (build 16500)";

#[tokio::test]
async fn each_claim_raises_the_generation_on_all_agents() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    let driver = setup.driver();
    assert_eq!(driver.claim(0).await.expect("ours"), 1);
    assert_eq!(driver.claim(1).await.expect("ours"), 2);
    assert_eq!(setup.driver().claim(0).await.expect("a lost store"), 3, "the Agents remember");
    assert_eq!(driver.claim(41).await.expect("ours"), 42, "so does the store");
    for agent in ["dma-1", "dma-2"] {
        assert!(exists(&setup.file(agent, "ProgramData/dataminer-reconciler/generations/0000000042")));
    }
}

#[tokio::test]
async fn old_generations_do_not_pile_up() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let driver = setup.driver();
    for _ in 0..12 {
        driver.claim(0).await.expect("ours");
    }
    let folder = setup.file("dma-1", "ProgramData/dataminer-reconciler/generations");
    let names: Vec<_> = std::fs::read_dir(folder).expect("a folder").filter_map(Result::ok).collect();
    assert!(names.len() <= 6, "{names:?}");
}

#[tokio::test]
async fn another_installation_is_kept_out() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    setup.driver().claim(0).await.expect("ours");
    let other = ClusterDriver::new(&setup.cluster, setup.context("lab"));
    let failure = other.claim(100).await.expect_err("somebody else's");
    assert_eq!(failure.reason, "ManagedElsewhere");
    assert_eq!(failure.disposition, Disposition::Stalled);
    assert!(failure.message.contains("`prod`"), "{}", failure.message);
    assert!(!exists(&setup.file("dma-1", "ProgramData/dataminer-reconciler/generations/0000000101")));
    let seen = other.observe().await;
    let owner = seen.agents[0].operation.as_ref().and_then(|operation| operation.owner.as_deref());
    assert_eq!(owner, Some("prod"));
}

#[tokio::test]
async fn a_cluster_with_an_unreachable_agent_is_not_half_taken() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    setup.inject("dma-2", Fault::Network(Reach::Refuses)).await;
    let failure = setup.driver().claim(0).await.expect_err("one is missing");
    assert_eq!((failure.reason.as_str(), failure.disposition), ("AgentUnreachable", Disposition::Retry));
    assert!(failure.agents.contains(&name("dma-2")));
    assert!(!exists(&setup.file("dma-1", "ProgramData/dataminer-reconciler/owner.json")));
}
