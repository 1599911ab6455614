//! SSH and SFTP.

use std::time::Duration;

use dms_simulator::{AgentSpec, ClusterSpec, Fault, Reach, Simulation, SimulationSpec};
use russh_sftp::protocol::OpenFlags;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::client::Client;

fn spec() -> SimulationSpec {
    let agent = |number: u8| {
        let version = "10.4.0 CU4 (build 14511)".parse().expect("a version");
        AgentSpec::new(format!("AGENT-{number}"), 100 + u32::from(number), [10, 0, 0, number].into(), version)
    };
    SimulationSpec::new(vec![ClusterSpec::new("brussels", vec![agent(1), agent(2)])])
}

async fn start() -> Simulation {
    Simulation::start(spec()).await.expect("the simulation starts")
}

#[tokio::test]
async fn only_the_configured_user_and_key_get_in() {
    let simulation = start().await;
    let endpoint = &simulation.agents()[0];
    assert!(Client::connect_as(endpoint, &endpoint.user.to_uppercase(), &endpoint.client_key).await.is_ok());
    assert!(Client::connect_as(endpoint, "someone", &endpoint.client_key).await.is_err());
    let other = Simulation::start(spec().with_seed(1)).await.expect("another one starts");
    assert_ne!(other.agents()[0].host_key_fingerprint, endpoint.host_key_fingerprint);
    assert!(Client::connect_as(endpoint, &endpoint.user, &other.agents()[0].client_key).await.is_err());
    simulation.shutdown().await;
}

#[tokio::test]
async fn files_go_both_ways_and_resume() {
    let simulation = start().await;
    let client = Client::of(&simulation, "AGENT-1").await;
    let sftp = client.sftp().await;
    let dms = sftp.read("/C:/Skyline DataMiner/DMS.xml").await.expect("DMS.xml is there");
    assert!(String::from_utf8_lossy(&dms).contains("10.0.0.2"));
    sftp.create_dir("/C:/ProgramData/dataminer-reconciler").await.expect("a folder is made");
    assert!(sftp.create_dir("/c:/programdata/DATAMINER-reconciler").await.is_err());
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let path = "/C:/ProgramData/dataminer-reconciler/p.part";
    let mut file = sftp.create(path).await.expect("a file is made");
    file.write_all(&bytes[..1_000_000]).await.expect("the first part goes");
    file.shutdown().await.expect("it closes");
    assert_eq!(sftp.metadata(path).await.expect("it is there").len(), 1_000_000);
    let mut file = sftp.open_with_flags(path, OpenFlags::WRITE).await.expect("it opens again");
    file.seek(std::io::SeekFrom::Start(1_000_000)).await.expect("it seeks");
    file.write_all(&bytes[1_000_000..]).await.expect("the rest goes");
    file.shutdown().await.expect("it closes");
    sftp.rename(path, "/C:/ProgramData/dataminer-reconciler/p").await.expect("it is renamed");
    let mut file = sftp.open("/C:/programdata/dataminer-reconciler/P").await.expect("any case opens");
    let mut read = Vec::new();
    file.read_to_end(&mut read).await.expect("it reads");
    assert!(read == bytes, "what was read is what was written");
    assert!(sftp.read("/C:/../../../etc/passwd").await.is_err());
    client.close().await;
    simulation.shutdown().await;
}

#[tokio::test]
async fn file_times_are_set_and_read() {
    let simulation = start().await;
    let client = Client::of(&simulation, "AGENT-1").await;
    let sftp = client.sftp().await;
    sftp.write("/C:/Users/a.txt", b"x").await.err();
    let mut file = sftp.create("/C:/Users/a.txt").await.expect("a file is made");
    file.write_all(b"x").await.expect("it is written");
    file.shutdown().await.expect("it closes");
    let mut attributes = sftp.metadata("/C:/Users/a.txt").await.expect("it is there");
    attributes.mtime = Some(1_700_000_000);
    attributes.size = None;
    sftp.set_metadata("/C:/Users/a.txt", attributes).await.expect("its time is set");
    let found = sftp.metadata("/C:/Users/a.txt").await.expect("it is there");
    assert_eq!(found.mtime, Some(1_700_000_000));
    simulation.shutdown().await;
}

#[tokio::test]
async fn commands_print_and_end_with_their_code() {
    let simulation = start().await;
    let client = Client::of(&simulation, "AGENT-2").await;
    let ran = client.exec("echo %COMPUTERNAME% & exit 3010").await.expect("it runs");
    assert_eq!((ran.code, ran.out.trim()), (Some(3010), "AGENT-2"));
    let ran = client.exec("powershell -c 1").await.expect("it runs");
    assert_eq!(ran.code, Some(9009));
    assert!(ran.error.contains("not recognized"));
    let report = simulation.inspect();
    assert_eq!(report.clusters[0].agents[1].unknown_commands, ["powershell -c 1"]);
    assert!(report.clusters[0].agents[0].unknown_commands.is_empty());
    simulation.shutdown().await;
}

#[tokio::test]
async fn an_eleventh_channel_is_refused() {
    let simulation = start().await;
    let client = Client::of(&simulation, "AGENT-1").await;
    let mut channels = Vec::new();
    for _ in 0..10 {
        channels.push(client.session.channel_open_session().await.expect("ten channels open"));
    }
    assert!(client.session.channel_open_session().await.is_err());
    simulation.shutdown().await;
}

#[tokio::test]
async fn a_command_dies_with_its_connection() {
    let simulation = start().await;
    let client = Client::of(&simulation, "AGENT-1").await;
    let channel = client.session.channel_open_session().await.expect("a channel opens");
    channel.exec(true, r"(ping -n 600 127.0.0.1) >C:\Users\held.txt").await.expect("it starts");
    let observer = Client::of(&simulation, "AGENT-1").await;
    let taken = || async { observer.exec(r"echo x>C:\Users\held.txt").await.expect("it runs").code };
    for _ in 0..500 {
        if taken().await == Some(1) {
            break;
        }
    }
    assert_eq!(taken().await, Some(1));
    client.close().await;
    for _ in 0..500 {
        if taken().await == Some(0) {
            break;
        }
    }
    assert_eq!(taken().await, Some(0));
    simulation.shutdown().await;
}

#[tokio::test]
async fn an_upload_breaks_at_the_very_byte() {
    let simulation = start().await;
    simulation.inject("brussels", "AGENT-1", Fault::DropUploadAfter(700_001)).await.expect("it is injected");
    let client = Client::of(&simulation, "AGENT-1").await;
    let sftp = client.sftp().await;
    let mut file = sftp.create("/C:/Users/big").await.expect("a file is made");
    let bytes = vec![7; 2_000_000];
    let upload = async {
        file.write_all(&bytes).await?;
        file.shutdown().await
    };
    let result = tokio::time::timeout(Duration::from_secs(20), upload).await.expect("it ends");
    assert!(result.is_err(), "the upload cannot succeed");
    let client = Client::of(&simulation, "AGENT-1").await;
    let found = client.sftp().await.metadata("/C:/Users/big").await.expect("a part is there");
    assert_eq!(found.len(), 700_001);
    simulation.shutdown().await;
}

#[tokio::test]
async fn a_full_disk_fails_the_upload() {
    let simulation = start().await;
    simulation.inject("brussels", "AGENT-1", Fault::FreeDisk(100_000)).await.expect("it is injected");
    let client = Client::of(&simulation, "AGENT-1").await;
    let sftp = client.sftp().await;
    let mut file = sftp.create("/C:/Users/big").await.expect("a file is made");
    let upload = async {
        file.write_all(&vec![7; 400_000]).await?;
        file.shutdown().await
    };
    assert!(upload.await.is_err());
    let ran = client.exec("fsutil volume diskfree C:").await.expect("it runs");
    assert!(!ran.out.contains("100000"), "{}", ran.out);
    simulation.shutdown().await;
}

#[tokio::test]
async fn the_network_refuses_keeps_silent_and_comes_back() {
    let simulation = start().await;
    let endpoint = simulation.agents()[0].clone();
    let set = |reach| simulation.inject("brussels", "AGENT-1", Fault::Network(reach));
    set(Reach::Refuses).await.expect("it is injected");
    assert!(Client::connect(&endpoint).await.is_err());
    set(Reach::Silent).await.expect("it is injected");
    let silent = tokio::time::timeout(Duration::from_millis(300), Client::connect(&endpoint)).await;
    assert!(silent.is_err(), "nothing answers");
    set(Reach::Reachable).await.expect("it is injected");
    assert!(Client::connect(&endpoint).await.is_ok());
    simulation.inject("brussels", "AGENT-1", Fault::HostKeyChanged).await.expect("it is injected");
    assert!(Client::connect(&endpoint).await.is_err(), "the fingerprint is another");
    simulation.shutdown().await;
}

/// A reader that fills its own window with answers, while more requests come than a channel used to hold, once
/// stopped the whole session for good.
#[tokio::test]
async fn many_reads_in_flight_do_not_stop_the_session() {
    let simulation = start().await;
    let client = Client::of(&simulation, "AGENT-1").await;
    let sftp = client.sftp().await;
    let mut file = sftp.create("/C:/Users/big").await.expect("a file is made");
    let bytes = vec![7; 16 << 20];
    file.write_all(&bytes).await.expect("it is written");
    file.shutdown().await.expect("it closes");
    let channel = client.session.channel_open_session().await.expect("a channel opens");
    channel.request_subsystem(true, "sftp").await.expect("SFTP is there");
    let raw = russh_sftp::client::RawSftpSession::new(channel.into_stream());
    raw.init().await.expect("SFTP begins");
    let flags = OpenFlags::READ;
    let handle = raw.open("/C:/Users/big", flags, Default::default()).await.expect("it opens").handle;
    let reads = (0..512_u64).map(|number| raw.read(handle.clone(), number * (32 << 10), 32 << 10));
    let all = tokio::time::timeout(Duration::from_secs(30), futures::future::join_all(reads));
    let read: usize =
        all.await.expect("they end").into_iter().map(|data| data.expect("it reads").data.len()).sum();
    assert_eq!(read, bytes.len());
    simulation.shutdown().await;
}

#[tokio::test]
async fn a_description_in_yaml_starts_and_a_wrong_one_says_why() {
    let yaml = "
speed: 60
seed: 3
clusters:
  - name: lisbon
    agents:
      - { name: LIS-1, id: 1, address: 10.0.0.1, core: \"10.5.0 CU9 (build 16700)\", osBuild: 20348, language: German }
      - { name: LIS-2, id: 2, address: 10.0.0.2, core: \"10.5.0 CU9 (build 16700)\", web: \"10.5.12 (build 16690)\" }
    faults:
      - { agent: LIS-2, fault: { freeDisk: 1000000 } }
      - { agent: LIS-2, fault: nextUtilityHangs }
      - { agent: LIS-2, fault: { network: Reachable } }
";
    let spec = SimulationSpec::from_yaml(yaml).expect("it reads");
    let simulation = Simulation::start(spec.clone()).await.expect("it starts");
    let client = Client::of(&simulation, "LIS-1").await;
    let ran = client.exec("fsutil volume diskfree C: & sc query nats-server").await.expect("it runs");
    assert!(ran.out.contains("85.899.345.920 ( 80.0 GB)"), "{}", ran.out);
    assert_eq!(ran.code, Some(1060));
    assert_eq!(simulation.inspect().clusters[0].agents[1].free_disk, 1_000_000);
    simulation.shutdown().await;
    let again: SimulationSpec =
        SimulationSpec::from_yaml(&serde_json::to_string(&spec).expect("it is written"))
            .expect("JSON is YAML");
    assert_eq!(again, spec);
    for (from, to, part) in [
        ("name: LIS-1", "name: LIS-2", "used once"),
        ("id: 2,", "id: 1,", "DataMiner ID 1"),
        ("10.0.0.2", "10.0.0.1", "used twice"),
        ("speed: 60", "speed: 0", "speed"),
        ("id: 2,", "id: 2, color: red,", "color"),
        ("10.5.12 (build", "10.x (build", "10.x"),
        ("id: 2,", "id: 2, timeZone: Mars,", "Mars"),
    ] {
        let error = SimulationSpec::from_yaml(&yaml.replace(from, to)).expect_err("it is wrong");
        assert!(error.to_string().contains(part), "{error}");
    }
}
