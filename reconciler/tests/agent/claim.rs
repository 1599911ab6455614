use dataminer_core::exec::effect::Disposition;
use dataminer_reconciler::agent::ClusterDriver;
use dms_simulator::{Fault, Reach};

use crate::harness::{Setup, agents, claim, exists, name};

const CORE: &str = "10.5.0 CU9 (build 16500)";
const OWNER: &str = "ProgramData/dataminer-reconciler/owner.json";

#[tokio::test]
async fn each_claim_raises_the_generation_on_all_agents() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    let driver = setup.driver();
    assert_eq!(driver.newest_generation().await.expect("nobody's"), 0);
    assert!(!exists(&setup.file("dma-1", OWNER)), "asking marks nothing");
    assert_eq!(claim(&driver, 0).await.expect("ours"), 1);
    assert_eq!(claim(&driver, 1).await.expect("ours"), 2);
    assert_eq!(claim(&setup.driver(), 0).await.expect("a lost store"), 3, "the Agents remember");
    assert_eq!(claim(&driver, 41).await.expect("ours"), 42, "so does the store");
    for agent in ["dma-1", "dma-2"] {
        assert!(exists(&setup.file(agent, "ProgramData/dataminer-reconciler/generations/0000000042")));
    }
}

#[tokio::test]
async fn old_generations_do_not_pile_up() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let driver = setup.driver();
    for generation in 1..=12 {
        driver.claim(generation).await.expect("ours");
    }
    let folder = setup.file("dma-1", "ProgramData/dataminer-reconciler/generations");
    let names: Vec<_> = std::fs::read_dir(folder).expect("a folder").filter_map(Result::ok).collect();
    assert!(names.len() <= 6, "{names:?}");
}

/// Invariant 6: whoever writes a generation down raises it alone.
#[tokio::test]
async fn a_generation_that_an_agent_has_reached_is_not_raised_again() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    setup.driver().claim(3).await.expect("ours");
    for generation in [1, 3] {
        let failure = setup.driver().claim(generation).await.expect_err("somebody else was faster");
        assert_eq!(
            (failure.reason.as_str(), failure.disposition),
            ("ManagedElsewhere", Disposition::Stalled)
        );
    }
    let folder = setup.file("dma-2", "ProgramData/dataminer-reconciler/generations");
    assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 1);
}

#[tokio::test]
async fn a_generation_that_nothing_can_follow_is_named() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    setup.driver().claim(1).await.expect("ours");
    let forged = setup.file("dma-2", "ProgramData/dataminer-reconciler/generations/9999999999");
    std::fs::create_dir(forged).expect("a folder");
    let failure = setup.driver().newest_generation().await.expect_err("nothing follows");
    assert_eq!(failure.reason, "TamperedFolder");
    assert!(failure.message.contains("dma-2"), "{}", failure.message);
}

#[tokio::test]
async fn another_installation_is_kept_out_until_it_takes_over() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    let first = setup.driver();
    first.claim(1).await.expect("ours");
    let other = ClusterDriver::new(&setup.cluster, setup.context("lab"));
    for failure in [
        other.newest_generation().await.expect_err("somebody else's"),
        other.claim(101).await.expect_err("somebody else's"),
    ] {
        assert_eq!(failure.reason, "ManagedElsewhere");
        assert_eq!(failure.disposition, Disposition::Stalled);
        assert!(failure.message.contains("`prod`"), "{}", failure.message);
        assert!(failure.help.contains("takeover brussels --reason"), "{}", failure.help);
    }
    assert!(!exists(&setup.file("dma-1", "ProgramData/dataminer-reconciler/generations/0000000101")));
    let seen = other.observe().await;
    let owner = seen.agents[0].operation.as_ref().and_then(|operation| operation.owner.as_deref());
    assert_eq!(owner, Some("prod"));

    let holders = other.holders().await.expect("everybody may ask");
    assert_eq!(holders.generation, 1);
    let marks: Vec<_> = holders.marks.iter().map(|(name, mark)| (name.as_str(), mark.as_str())).collect();
    assert_eq!(marks.len(), 2);
    assert!(marks.iter().all(|(_, mark)| mark.contains("`prod`")), "{marks:?}");
    other.take_over(2).await.expect("an operator said so");
    assert_eq!(other.newest_generation().await.expect("its own"), 2);
    let failure = first.newest_generation().await.expect_err("no longer ours");
    assert!(failure.message.contains("`lab`"), "{}", failure.message);
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_can_be_taken_over() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    setup.driver().claim(1).await.expect("ours");
    std::fs::write(setup.file("dma-2", OWNER), b"{").expect("the file can be written");
    let failure = setup.driver().claim(2).await.expect_err("it may be anybody's");
    assert_eq!(failure.reason, "TamperedFolder");
    assert!(!exists(&setup.file("dma-1", "ProgramData/dataminer-reconciler/generations/0000000002")));
    let holders = setup.driver().holders().await.expect("everybody may ask");
    assert!(holders.marks[1].1.contains("cannot be read"), "{holders:?}");
    setup.driver().take_over(2).await.expect("an operator said so");
    setup.driver().claim(3).await.expect("ours");
}

#[tokio::test]
async fn a_cluster_with_an_unreachable_agent_is_not_half_taken() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    setup.inject("dma-2", Fault::Network(Reach::Refuses)).await;
    for failure in [
        setup.driver().claim(1).await.expect_err("one is missing"),
        setup.driver().take_over(1).await.expect_err("one is missing"),
    ] {
        assert_eq!((failure.reason.as_str(), failure.disposition), ("AgentUnreachable", Disposition::Retry));
        assert!(failure.agents.contains(&name("dma-2")));
    }
    assert!(!exists(&setup.file("dma-1", OWNER)));
}
