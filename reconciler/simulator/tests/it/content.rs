//! Content through upgrades, downgrades and synchronisation.

use std::{fs, io::Read, time::Duration};

use dms_simulator::{AgentReport, ContentState, Fault, ModuleState, package::PackageSpec};

use crate::{
    client::Client,
    world::{World, agent, start, start_at, v, whole},
};

const BOTH: [&str; 2] = ["10.0.0.1", "10.0.0.2"];
const OLD: &str = "10.5.0 CU4 (build 16000)";
const NEW: &str = "10.5.0 CU12 (build 16889)";
const SKYLINE: &str = "Skyline DataMiner";

async fn two(core: &str) -> World {
    start(vec![agent(1, core), agent(2, core)]).await
}

fn file(world: &World, agent: &str, path: &str) -> std::path::PathBuf {
    world.agent(agent).drive.join(SKYLINE).join(path).into_std_path_buf()
}

/// Puts the files of an Agent's newest backup into place on it, as somebody would by hand.
fn restore(world: &World, agent: &str, fresh: bool) {
    let AgentReport { drive, backups, .. } = world.agent(agent);
    let folder = drive.join(SKYLINE).join("System Cache/Web/Backups");
    let zip = fs::File::open(folder.join(backups.first().expect("a backup"))).expect("it opens");
    let mut zip = zip::ZipArchive::new(zip).expect("a zip");
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).expect("an entry");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("it reads");
        let path = drive.join(SKYLINE).join(entry.name().expect("a name").as_ref());
        fs::write(&path, bytes).expect("it is written");
        if !fresh {
            let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
            let file = fs::File::open(&path).expect("it opens");
            file.set_modified(long_ago).expect("it takes the time");
        }
    }
}

async fn down(world: &World) {
    let full = |text: &str| PackageSpec::full(v(text));
    assert_eq!(world.upgrade("up", &full(NEW), Some(&whole(&BOTH))).await, 0);
    assert_eq!(world.upgrade("down", &full(OLD), Some(&whole(&BOTH))).await, 0);
}

/// While the second Agent is down nothing is synchronised.
async fn second_agent(world: &World, fault: Fault) {
    world.simulation.inject("brussels", "AGENT-2", fault).await.expect("it is injected");
}

/// Longer than a start and than the Agents take to synchronise by themselves.
async fn a_while(world: &World) {
    world.simulation.clock().sleep(Duration::from_secs(30 * 60)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_downgrade_leaves_content_that_the_older_web_apps_cannot_read_domain_03_section_4() {
    let world = two(OLD).await;
    down(&world).await;
    for name in ["AGENT-1", "AGENT-2"] {
        let agent = world.agent(name);
        assert_eq!(agent.web, v(OLD));
        assert_eq!(agent.content, ContentState::Unreadable { level: v(NEW) });
        assert!(agent.unreadable.iter().any(|path| path.ends_with("Lisbon.dmadb.json")), "{agent:?}");
        assert!(agent.modules.iter().any(|module| module.state == ModuleState::TooNew), "{agent:?}");
        restore(&world, name, true);
        assert_eq!(world.agent(name).content, ContentState::Readable { level: v(OLD) });
    }
    a_while(&world).await;
    let (one, two) = (world.agent("AGENT-1"), world.agent("AGENT-2"));
    assert_eq!(one.content_digest, two.content_digest);
    assert_eq!(one.content, ContentState::Readable { level: v(OLD) });
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_with_old_file_times_loses_against_a_forgotten_agent_domain_03_section_4() {
    let world = two(OLD).await;
    down(&world).await;
    second_agent(&world, Fault::StopDataMiner).await;
    restore(&world, "AGENT-1", false);
    assert!(matches!(world.agent("AGENT-1").content, ContentState::Readable { .. }));
    second_agent(&world, Fault::StartDataMiner).await;
    a_while(&world).await;
    assert_eq!(world.agent("AGENT-1").content, ContentState::Unreadable { level: v(NEW) });
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_only_on_a_forgotten_agent_comes_back_because_deletions_do_not_travel() {
    let world = two(OLD).await;
    let newer = PackageSpec::full(v(NEW));
    assert_eq!(world.upgrade("up", &newer, Some(&whole(&BOTH))).await, 0);
    world.simulation.edit_content("brussels", "AGENT-1", "Made later").expect("it is made");
    let made = "Dashboards/users/Made later.dmadb.json";
    assert!(file(&world, "AGENT-2", made).exists(), "what users change is synchronised at once");
    assert_eq!(world.upgrade("down", &PackageSpec::full(v(OLD)), Some(&whole(&BOTH))).await, 0);
    second_agent(&world, Fault::StopDataMiner).await;
    for name in ["AGENT-1", "AGENT-2"] {
        restore(&world, name, true);
    }
    fs::remove_file(file(&world, "AGENT-1", made)).expect("it was there");
    assert!(matches!(world.agent("AGENT-1").content, ContentState::Readable { .. }));
    second_agent(&world, Fault::StartDataMiner).await;
    a_while(&world).await;
    assert_eq!(world.agent("AGENT-1").unreadable, [made.replace('/', "\\")]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_publish_apps_and_the_next_backup_takes_the_latest_versions_only() {
    let world = two("10.5.0 CU9 (build 16700)").await;
    let edit = |name| world.simulation.edit_app("brussels", "AGENT-2", name);
    for _ in 0..3 {
        edit("Rounds").expect("it is edited");
    }
    edit("Overview").expect("it is edited");
    assert_eq!(world.agent("AGENT-1").content_digest, world.agent("AGENT-2").content_digest);
    let web = PackageSpec::web(v(NEW));
    assert_eq!(world.upgrade("a", &web, Some(&whole(&BOTH))).await, 0);
    let AgentReport { drive, backups, .. } = world.agent("AGENT-1");
    let path = drive.join(SKYLINE).join("System Cache/Web/Backups").join(&backups[0]);
    let zip = zip::ZipArchive::new(fs::File::open(path).expect("it opens")).expect("a zip");
    let names: Vec<String> = zip.file_names().flatten().map(|name| name.into_owned()).collect();
    let versions = |app: &str| {
        let prefix = format!("Applications/{app}/version_");
        let mut found: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
        found.sort_unstable();
        found.join(" ")
    };
    assert_eq!(versions("Rounds"), "2/app.json 3/app.json");
    assert_eq!(versions("9f2c6d1e-overview"), "3/app.json 4/app.json");
    assert_eq!(versions("c83e11f0-retired"), "");
    // A full package of the old rule would keep the newer level from being opened.
    assert_eq!(world.upgrade("b", &PackageSpec::web(v(OLD)), Some(&whole(&BOTH))).await, 0);
    assert!(edit("Overview").expect_err("it is too new").to_string().contains("cannot open"));
    assert!(world.simulation.edit_content("brussels", "AGENT-1", "a/b").is_err());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_content_is_named() {
    let world = two(OLD).await;
    fs::remove_file(file(&world, "AGENT-1", "Dashboards/shared/Regional/Lisbon.dmadb.json")).expect("it was");
    fs::write(file(&world, "AGENT-1", "Applications/9f2c6d1e-overview/version_3/app.json"), "half")
        .expect("it is written");
    let agent = world.agent("AGENT-1");
    assert_eq!(
        agent.damaged,
        [
            r"Applications\9f2c6d1e-overview\version_3\app.json",
            r"Dashboards\shared\Regional\Lisbon.dmadb.json"
        ]
    );
    assert!(matches!(agent.content, ContentState::Damaged { .. }));
    assert_ne!(agent.content_digest, world.agent("AGENT-2").content_digest);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_of_different_majors_do_not_synchronise_domain_04_section_1() {
    let world = start(vec![agent(1, OLD), agent(2, "10.4.0 CU9 (build 15100)")]).await;
    world.simulation.edit_content("brussels", "AGENT-1", "Only here").expect("it is made");
    a_while(&world).await;
    assert!(!file(&world, "AGENT-2", "Dashboards/users/Only here.dmadb.json").exists());
    assert!(matches!(world.agent("AGENT-2").content, ContentState::Readable { .. }));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_10_4_package_stumbles_over_web_10_5_rn_43676_domain_03_section_1() {
    let world = two("10.4.0 CU9 (build 15100)").await;
    let web = PackageSpec::web(v("10.5.0 CU12 (build 16889)"));
    assert_eq!(world.upgrade("a", &web, Some(&whole(&BOTH))).await, 0);
    let full = PackageSpec::full(v("10.4.0 CU12 (build 15300)"));
    assert_ne!(world.upgrade("b", &full, Some(&whole(&BOTH))).await, 0);
    assert!(world.logs("AGENT-1", "15300").await.contains(r"Tools\ModuleInstallers\Web' does not exist!"));
    let cured = PackageSpec::full(v("10.4.0 CU20 (build 15900)"));
    assert_ne!(world.upgrade("c", &cured, Some(&whole(&BOTH))).await, 0, "the Agents are down now");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_backups_keep_their_names_and_times() {
    let world = two(OLD).await;
    assert_eq!(world.upgrade("up", &PackageSpec::full(v(NEW)), Some(&whole(&BOTH))).await, 0);
    let backup = |world: &World| {
        let AgentReport { drive, backups, .. } = world.agent("AGENT-1");
        let path = drive.join(SKYLINE).join("System Cache/Web/Backups").join(&backups[0]);
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
        (fs::read(&path).expect("it reads"), modified)
    };
    let inject = |fault| world.simulation.inject("brussels", "AGENT-1", fault);
    let before = backup(&world);
    inject(Fault::GarbageBackup).await.expect("it is injected");
    let garbage = backup(&world);
    assert!(garbage.0 != before.0 && garbage.0.len() == before.0.len() && garbage.1 == before.1);
    inject(Fault::TruncateBackup(100)).await.expect("it is injected");
    assert_eq!((backup(&world).0.len(), backup(&world).1), (100, before.1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_disk_fails_until_it_is_healed() {
    let world = two(OLD).await;
    let inject = |fault| world.simulation.inject("brussels", "AGENT-1", fault);
    inject(Fault::DiskLost(r"C:\Skyline DataMiner\Dashboards".to_owned())).await.expect("it is injected");
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let copy = r#"xcopy "C:\Skyline DataMiner\Applications" "C:\Skyline DataMiner\Dashboards" /e /i /y /q"#;
    assert_eq!(client.exec(copy).await.expect("it runs").code, Some(5));
    let folder = "/C:/Skyline DataMiner/Dashboards";
    assert!(client.sftp().await.read_dir(folder).await.is_err());
    assert!(matches!(world.agent("AGENT-1").content, ContentState::Damaged { .. }));
    inject(Fault::DiskHealed).await.expect("it is injected");
    assert!(client.sftp().await.read_dir(folder).await.is_ok());
    assert!(matches!(world.agent("AGENT-1").content, ContentState::Readable { .. }));
    inject(Fault::DiskLost(r"C:\".to_owned())).await.expect("it is injected");
    assert_eq!(client.exec(r"md C:\new").await.expect("it runs").code, Some(1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_cut_at_any_byte() {
    let world = two(OLD).await;
    for bytes in [1, 20, 500, 2000, 3001] {
        let cut = Fault::CutAfter(bytes);
        world.simulation.inject("brussels", "AGENT-1", cut).await.expect("it is injected");
        let attempt = async {
            let client = Client::connect(&world.simulation.agents()[0]).await?;
            client.exec(r"dir /s /b C:\").await
        };
        let ran = tokio::time::timeout(Duration::from_secs(20), attempt).await.expect("it does not hang");
        assert!(ran.is_err() || ran.is_ok_and(|ran| ran.code.is_none()), "{bytes}");
    }
    // It is used up.
    let client = Client::of(&world.simulation, "AGENT-1").await;
    assert_eq!(client.exec("hostname").await.expect("it runs").code, Some(0));
    world.end().await;
}

fn task(command: &str) -> Vec<u8> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<Task version=\"1.3\" \
         xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\"><Actions><Exec><Command>cmd.exe</Command>\
         <Arguments>/d /c {command}</Arguments></Exec></Actions></Task>"
    );
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_run_of_a_task_is_counted_and_whether_it_came_to_its_work() {
    let world = two(OLD).await;
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let drive = world.agent("AGENT-1").drive;
    let script = "@echo off\r\nif exist C:\\done.txt exit /b 0\r\n>C:\\done.txt echo x\r\n\
                  xcopy \"C:\\Skyline DataMiner\\Dashboards\" C:\\copy /e /i /y /q\r\n\
                  xcopy C:\\copy C:\\second /e /i /y /q\r\n";
    fs::write(drive.join("job.cmd"), script).expect("it is written");
    fs::write(drive.join("task.xml"), task("C:\\job.cmd")).expect("it is written");
    let create = r"schtasks /create /tn job-1 /xml C:\task.xml /f";
    assert_eq!(client.exec(create).await.expect("it runs").code, Some(0));
    for round in 1..=2 {
        assert_eq!(client.exec("schtasks /run /tn job-1").await.expect("it runs").code, Some(0));
        for _ in 0..200 {
            let state = client.exec("schtasks /query /tn job-1").await.expect("it runs").out;
            if state.contains("Ready") {
                break;
            }
            world.simulation.clock().sleep(Duration::from_secs(10)).await;
        }
        let done = world.agent("AGENT-1").tasks["job-1"];
        assert_eq!((done.started, done.worked), (round, 1));
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_restarts_in_the_middle_of_a_job() {
    let world = start_at(20.0, vec![agent(1, OLD)]).await;
    let fault = Fault::RebootDuringJob(10);
    world.simulation.inject("brussels", "AGENT-1", fault).await.expect("it is injected");
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let drive = world.agent("AGENT-1").drive;
    fs::write(drive.join("task.xml"), task("ping -n 60 127.0.0.1 &gt;nul &amp;&amp; md C:\\ended"))
        .expect("it is written");
    let line = r"schtasks /create /tn job-1 /xml C:\task.xml /f && schtasks /run /tn job-1";
    assert_eq!(client.exec(line).await.expect("it runs").code, Some(0));
    let lost = tokio::time::timeout(Duration::from_secs(30), client.exec("ping -n 60 127.0.0.1")).await;
    assert!(lost.expect("it ends").map_or(true, |ran| ran.code.is_none()), "the connection broke");
    for _ in 0..200 {
        if Client::connect(&world.simulation.agents()[0]).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(Client::connect(&world.simulation.agents()[0]).await.is_ok(), "SSH comes back");
    world.simulation.clock().sleep(Duration::from_secs(60)).await;
    assert!(!drive.join("ended").exists(), "the job died");
    world.end().await;
}
