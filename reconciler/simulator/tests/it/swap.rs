//! Modules that a release below 10.3.8 cannot start beside (`domain/02 section 3`), from outside.

use dms_simulator::{ModuleState, RunState, package::PackageSpec};

use crate::{
    client::Client,
    world::{World, agent, start, v, whole},
};

const UTILITY: &str =
    r#""C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe""#;
const INSTALLERS: &str = r"C:\Skyline DataMiner\Tools\ModuleInstallers";

async fn utility(world: &World, command: &str) -> u32 {
    world.run(&format!(r#"start /wait "" {UTILITY} {command}"#)).await
}

/// Removes what is installed of a module, and installs what the package brought.
async fn swap(world: &World, module: &str, installer: &str) {
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let uninstall = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
    let told = client.exec(&format!(r#"reg query "{uninstall}" /s /v DisplayName"#)).await.expect("it runs");
    let lines: Vec<&str> = told.out.lines().collect();
    let at =
        lines.iter().position(|line| line.trim_end().ends_with(module)).expect("the module is installed");
    let key = lines[..at].iter().rev().find(|line| line.starts_with("HKEY")).expect("its key");
    let code = key.rsplit('\\').next().expect("a product code").trim();
    client.close().await;
    assert_eq!(world.run(&format!(r#"start /wait "" msiexec /x {code} /qn /norestart"#)).await, 0);
    let install = format!(r#"start /wait "" msiexec /i "{INSTALLERS}\{installer}" /qn /norestart"#);
    assert_eq!(world.run(&install).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_10_3_8_dataminer_does_not_start_beside_newer_modules_domain_02_section_3() {
    let world = start(vec![agent(1, "10.3.9 (build 13300)")]).await;
    let down = PackageSpec::full(v("10.3.6 (build 13000)"));
    assert_eq!(world.upgrade("a", &down, Some(&whole(&["10.0.0.1"]))).await, 0, "it shows as completed");
    assert_eq!(world.agent("AGENT-1").state, RunState::Starting);
    // One of the two is not enough, and a restart alone is nothing.
    swap(&world, "DataMiner StorageModule", "DataMiner StorageModule 1.0.1.msi").await;
    assert_eq!(utility(&world, "-stop").await, 0);
    assert_eq!(utility(&world, "-start").await, 0);
    assert_eq!(world.agent("AGENT-1").state, RunState::Starting);
    assert_eq!(utility(&world, "-stop").await, 0);
    let api = "DataMiner UserDefinableApiEndpoint";
    swap(&world, api, "DataMiner UserDefinableApiEndpoint 1.1.1.msi").await;
    assert_eq!(utility(&world, "-start").await, 0);
    let agent = world.agent("AGENT-1");
    assert_eq!(agent.state, RunState::Running);
    assert!(agent.modules.iter().all(|module| module.state == ModuleState::Fits), "{:?}", agent.modules);
    assert!(agent.history[1].contains(";10.3.6.0-13000-"), "{:?}", agent.history);
    world.end().await;
}
