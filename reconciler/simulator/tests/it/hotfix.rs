//! Hotfixes, from outside.

use dms_simulator::{RunState, ViolationKind, package::PackageSpec};

use crate::world::{agent, start, v, whole};

const CORE: &str = "10.5.0 CU9 (build 16700)";
const BOTH: [&str; 2] = ["10.0.0.1", "10.0.0.2"];
const FIRST: &str = "HF_10.5.0.0(CU9)_20251120-135714";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hotfix_is_an_entry_of_its_own_until_a_full_package_replaces_it_domain_01_section_5() {
    let world = start(vec![agent(1, CORE), agent(2, CORE)]).await;
    assert_eq!(world.hotfix("a", &format!("{FIRST}.dmupgrade"), &whole(&BOTH)).await, 0);
    for name in ["AGENT-1", "AGENT-2"] {
        let agent = world.agent(name);
        assert_eq!((agent.core, agent.state), (v(CORE), RunState::Running));
        assert_eq!(agent.hotfix.as_deref(), Some(FIRST));
        assert_eq!(agent.history.len(), 2);
        assert!(agent.history[1].ends_with(&format!(";{FIRST}")), "{:?}", agent.history);
    }
    let next = PackageSpec::full(v("10.5.0 CU10 (build 16800)"));
    assert_eq!(world.upgrade("b", &next, Some(&whole(&BOTH))).await, 0);
    assert_eq!(world.agent("AGENT-2").hotfix, None);
    assert_eq!(world.cluster().violations, []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hotfix_on_another_release_is_on_record() {
    let world = start(vec![agent(1, CORE)]).await;
    let other = "HF_10.5.0.0(CU10)_20251221-101010.dmupgrade";
    assert_eq!(world.hotfix("a", other, &whole(&BOTH[..1])).await, 0);
    let kinds: Vec<ViolationKind> = world.cluster().violations.into_iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [ViolationKind::HotfixOnAnotherRelease]);
    world.end().await;
}
