//! A thousand Agents in one process, looked at by one driver.

use std::net::IpAddr;

use dataminer_schema::v1::observation::AgentState;
use dms_simulator::AgentSpec;

use crate::harness::{Setup, version};

const AGENTS: u16 = 1000;

/// The most that the process may hold at the end, simulation and driver together: 300 KiB for each Agent, half of it
/// the connection and the two ends of its encryption. No clock is asked: how long it takes is this machine's matter.
const MOST_KIB: u64 = 300 * AGENTS as u64 + 200 * 1024;

/// What the process holds, in KiB; none where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_agents_are_simulated_and_observed_in_one_process() {
    let agents = (0..AGENTS)
        .map(|number| {
            let [high, low] = number.to_be_bytes();
            let address = IpAddr::from([10, 0, high, low]);
            AgentSpec::new(
                format!("dma-{number}"),
                1000 + u32::from(number),
                address,
                version("10.5.0 CU12 (build 16889)"),
            )
        })
        .collect();
    let setup = Setup::start(agents, 60.0).await;
    let observation = setup.driver().observe().await;
    assert_eq!(observation.topology.as_ref().map(Vec::len), Some(usize::from(AGENTS)));
    assert_eq!(observation.agents.len(), usize::from(AGENTS));
    for agent in &observation.agents {
        assert!(agent.reachable, "{}: {:?}", agent.name, agent.reason);
        assert_eq!(agent.state, Some(AgentState::Running), "{}", agent.name);
        assert_eq!(agent.web_apps.as_deref(), Some("10.5.0 CU12"), "{}: {:?}", agent.name, agent.unknown);
        assert!(agent.address.is_some(), "{}", agent.name);
    }
    setup.assert_all_commands_known();
    if let Some(resident) = resident() {
        assert!(resident < MOST_KIB, "{resident} KiB for {AGENTS} Agents");
    }
}
