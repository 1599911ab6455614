//! Our driver against sshd and Wine's cmd: what it sends is understood, what it reads is what was said.

use std::{collections::BTreeMap, fs, sync::Arc};

use camino::Utf8Path;
use dataminer_core::exec::{
    checks::{Checked, PrerequisiteRun, Verdict},
    effect::{
        ContentRestore, Effect, EffectKind, Job, JobEnd, Meanwhile, ModuleInstall, Outcome, Package, Refusal,
    },
};
use dataminer_reconciler::{
    agent::{ClusterDriver, DriverContext, secrets::SecretResolver},
    packages::PackagePlaces,
    vault::Vault,
};
use dataminer_reconciler_tests::{wait, wine::WineHost};
use dataminer_schema::{
    id::{AgentName, ClusterName, JobId, Sha256},
    load::{SourceFile, load_fleet},
    plan::{Action, BackupRef},
    v1::{
        cluster::{Cluster, Extras, FailoverPolicy, RunAs, SecretRef, UpgradeOptions},
        config::SecretGrant,
        observation::{AgentState, OwedWork},
    },
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, sync::mpsc};

use crate::wine_agent::{PATIENCE, ROOT, backup, lay_dms};

const FILE: &str = "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade";

/// A DMS of one Agent behind Wine, and a driver for it.
struct Scene {
    host: WineHost,
    packages: TempDir,
    vault: Vault,
    driver: ClusterDriver,
    agent: AgentName,
}

fn cluster(host: &WineHost, host_key: &str) -> Cluster {
    let text = format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: wine }}\nspec:\n  \
         software: {{ core: 10.5.0 CU12 }}\n  agents:\n    - {{ name: dma-01, address: \"127.0.0.1:{}\", \
         hostKey: \"{host_key}\" }}\n  connection: {{ ssh: {{ user: {}, identity: {{ file: {} }} }} }}\n",
        host.port(),
        host.user(),
        host.client_key().display()
    );
    let file = SourceFile { path: "wine.yaml".to_owned(), bytes: text.into_bytes() };
    let (fleet, faults) = load_fleet(&[file]);
    assert!(faults.is_empty(), "{faults:?}");
    fleet.clusters.into_iter().next().expect("the manifest holds one").value
}

fn cluster_name() -> ClusterName {
    ClusterName::new("wine").expect("a valid name")
}

impl Scene {
    fn new() -> Option<Self> {
        let host = WineHost::start()?;
        lay_dms(&host);
        let packages = TempDir::new().expect("a temporary folder can be made");
        let folder = Utf8Path::from_path(packages.path()).expect("a readable name");
        let vault = Vault::open(&folder.join("vault")).expect("a temporary folder can be written");
        let driver = Self::driver_of(&host, &packages, &vault, host.host_key());
        Some(Self { host, packages, vault, driver, agent: AgentName::new("dma-01").expect("a valid name") })
    }

    fn driver_of(host: &WineHost, packages: &TempDir, vault: &Vault, host_key: &str) -> ClusterDriver {
        let grant = SecretGrant {
            secret: SecretRef::File(host.client_key().display().to_string()),
            hosts: vec!["127.0.0.1".to_owned()],
            clusters: vec!["*".to_owned()],
        };
        let context = DriverContext::new(
            "test",
            "file:///fleet",
            SecretResolver::new(vec![grant]),
            Arc::new(PackagePlaces::new(vec![packages.path().to_owned()])),
            vault.clone(),
            4,
        );
        ClusterDriver::new(&cluster(host, host_key), context)
    }

    /// Puts a package file into its place.
    fn package(&self, bytes: &[u8]) -> Package {
        fs::write(self.packages.path().join(FILE), bytes).expect("the temporary folder can be written");
        Package { file: FILE.to_owned(), sha256: Sha256::of(bytes), patch: None }
    }

    async fn perform(&self, generation: u64, kind: EffectKind) -> Outcome {
        let (progress, _events) = mpsc::channel(64);
        self.driver.perform(generation, &Effect { id: 1, step: "s1".to_owned(), kind }, &progress).await
    }

    async fn claim(&self) -> u64 {
        let generation = self.driver.newest_generation().await.expect("nobody else owns it") + 1;
        self.driver.claim(generation).await.expect("nobody else owns it");
        generation
    }

    async fn stage(&self, package: &Package) {
        let kind = EffectKind::StagePackage { package: package.clone(), agents: vec![self.agent.clone()] };
        assert_eq!(self.perform(1, kind).await, Outcome::Done);
    }

    fn job(&self, id: &str, package: &Package) -> EffectKind {
        EffectKind::RunJob(Box::new(Job {
            id: JobId::new(id).expect("a valid id"),
            action: Action::UpgradeCore,
            package: package.clone(),
            to: Some("10.5.0 CU12".to_owned()),
            orchestrator: self.agent.clone(),
            agents: vec![self.agent.clone()],
            whole_cluster: true,
            options: UpgradeOptions::default(),
            failover_policy: FailoverPolicy::Simultaneously,
            run_as: RunAs::SshUser,
            deadline: Timestamp::now() + SignedDuration::from_mins(5),
        }))
    }

    fn utility_runs(&self) -> usize {
        fs::read_to_string(self.host.file("standins/utility.log")).unwrap_or_default().lines().count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_observes_what_the_server_says() {
    let Some(scene) = Scene::new() else { return };
    // Before the first claim: looking needs nothing of ours on the server.
    let observation = scene.driver.observe().await;
    let agent = &observation.agents[0];
    assert!(agent.reachable, "{agent:?}");
    assert_eq!(agent.core.as_deref(), Some("10.5.0.0-16500-20251120-release"), "{agent:?}");
    assert_eq!(agent.state, Some(AgentState::Running), "{agent:?}");
    assert_eq!(agent.address.as_deref(), Some("10.0.0.1"), "{agent:?}");
    assert_eq!(agent.pending_reboot, Some(false), "{agent:?}");
    assert_eq!(agent.broker_gateway, Some(false), "{agent:?}");
    assert_eq!(agent.expired_users, Some(false), "{agent:?}");
    assert_eq!(agent.history.as_ref().map(Vec::len), Some(2), "{agent:?}");
    assert!(agent.free_disk.is_some_and(|bytes| bytes.0 > 0), "{agent:?}");
    assert_eq!(agent.dotnet.as_deref(), Some(["8.0.11".to_owned(), "10.0.1".to_owned()].as_slice()));
    let modules = agent.modules.as_ref().expect("they were listed");
    assert_eq!((modules[0].name.as_str(), modules[0].version.as_str()), ("DataMiner APIGateway", "3.1.0"));
    let backups = agent.backups.as_ref().expect("they were listed");
    assert_eq!(backups.iter().map(|backup| backup.file.as_str()).collect::<Vec<_>>(), ["20251122_2241.zip"]);
    assert_eq!(agent.operation, None);
    assert_eq!(observation.topology.as_ref().map(Vec::len), Some(1));
    // Nothing was misread: no package left a trace of the web apps, and everything else is known.
    let unknown: Vec<_> = agent.unknown.keys().map(String::as_str).collect();
    assert_eq!(unknown, ["taskbarUtility", "webApps"], "{:?}", agent.unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_refuses_a_host_key_that_is_not_pinned() {
    let Some(scene) = Scene::new() else { return };
    let wrong = "SHA256:NBZWZxYWUD6AJUfwBcNsmVKfgKswYQ2F7pIMITKc15s";
    let driver = Scene::driver_of(&scene.host, &scene.packages, &scene.vault, wrong);
    let observation = driver.observe().await;
    let agent = &observation.agents[0];
    assert!(!agent.reachable);
    let reason = agent.reason.as_deref().unwrap_or_default();
    assert!(reason.contains(scene.host.host_key()), "the key that was offered is shown: {reason}");
    assert!(!scene.host.file(ROOT).exists(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_the_driver_runs_once_and_is_found_again() {
    let Some(scene) = Scene::new() else { return };
    let generation = scene.claim().await;
    // More than one write window, and no multiple of a block.
    let package = scene.package(&vec![7; 3_000_001]);
    scene.stage(&package).await;
    scene.stage(&package).await;

    let first = scene.perform(generation, scene.job("p1-s1-1", &package)).await;
    assert!(matches!(&first, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{first:?}");
    let again = scene.perform(generation, scene.job("p1-s1-1", &package)).await;
    assert!(matches!(&again, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{again:?}");
    assert_eq!(scene.utility_runs(), 1);
    let info = scene.host.file(&format!("{ROOT}/jobs/p1-s1-1/UpgradeInfo.xml"));
    let info = fs::read_to_string(info).expect("it was written");
    assert!(info.contains("<IP>10.0.0.1</IP>") && info.contains("<IsCluster>true</IsCluster>"), "{info}");

    fs::write(scene.host.file("standins/exitcode"), "1603").expect("the drive can be written");
    let failed = scene.perform(generation, scene.job("p1-s1-2", &package)).await;
    let Outcome::JobEnded(JobEnd::Exited { code: 1603, log_tail }) = failed else { panic!("{failed:?}") };
    assert!(log_tail.iter().any(|line| line.contains("Upgrade failed")), "{log_tail:?}");

    let clean = EffectKind::CleanUp { agents: vec![scene.agent.clone()] };
    assert_eq!(scene.perform(generation, clean).await, Outcome::Done);
    assert!(!scene.host.file(&format!("{ROOT}/packages/{}", package.sha256)).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_went_away_finds_its_job_again() {
    let Some(scene) = Scene::new() else { return };
    let generation = scene.claim().await;
    let package = scene.package(b"a package");
    scene.stage(&package).await;
    fs::write(scene.host.file("standins/hold"), "").expect("the drive can be written");
    {
        let wanted = scene.job("p1-s1-1", &package);
        let running = scene.perform(generation, wanted);
        // The future is dropped as soon as the utility runs, as if the process had died.
        let begun = tokio::task::spawn_blocking({
            let log = scene.host.file("standins/utility.log");
            move || wait::until("the utility", PATIENCE, || fs::metadata(&log))
        });
        tokio::select! {
            ended = running => panic!("{ended:?}"),
            begun = begun => drop(begun.expect("it began")),
        }
    }
    let other = Scene::driver_of(&scene.host, &scene.packages, &scene.vault, scene.host.host_key());
    assert!(other.observe().await.agents[0].operation.is_some(), "the operation is seen");
    fs::remove_file(scene.host.file("standins/hold")).expect("the drive can be written");
    let ended = scene.perform(generation, scene.job("p1-s1-1", &package)).await;
    assert!(matches!(&ended, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{ended:?}");
    assert_eq!(scene.utility_runs(), 1);
}

/// Invariant 6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_generation_of_the_driver_is_refused() {
    let Some(scene) = Scene::new() else { return };
    let older = scene.claim().await;
    let newer = scene.claim().await;
    assert!(newer > older, "{newer} > {older}");
    let package = scene.package(b"a package");
    scene.stage(&package).await;
    let ended = scene.perform(older, scene.job("p1-s1-1", &package)).await;
    assert_eq!(ended, Outcome::JobEnded(JobEnd::Refused { reason: Refusal::Generation }));
    assert_eq!(scene.utility_runs(), 0);
    let ended = scene.perform(newer, scene.job("p2-s1-1", &package)).await;
    assert!(matches!(&ended, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checks_of_a_package_run_by_the_products_own_program() {
    let Some(scene) = Scene::new() else { return };
    let generation = scene.claim().await;
    let check =
        |name: &str, outcome: &str| (format!("Prerequisites/{name}.dll"), outcome.as_bytes().to_vec());
    let members = [
        check("VerifyGood", "NoIssues"),
        check("Verify (1) Bad", "IssuesDetected"),
        check("VerifySilent", "silent"),
        ("UpdateContent.txt".to_owned(), b"SLEEP 1".to_vec()),
    ];
    let update = zip_of(members);
    let package = scene.package(&zip_of([("Update.zip".to_owned(), update)]));
    let run = |id: &str| {
        EffectKind::RunPrerequisites(Box::new(PrerequisiteRun {
            id: JobId::new(id).expect("a valid id"),
            package: package.clone(),
            without: Vec::new(),
            agents: vec![scene.agent.clone()],
            run_as: RunAs::SshUser,
            deadline: Timestamp::now() + SignedDuration::from_mins(5),
        }))
    };
    for _again in 0..2 {
        let ended = scene.perform(generation, run("p1-s2-1")).await;
        let Outcome::Checked(Checked { passed: 1, findings }) = &ended else { panic!("{ended:?}") };
        let found: Vec<_> = findings.iter().map(|found| (found.check.as_str(), found.verdict)).collect();
        assert_eq!(found, [("Verify (1) Bad.dll", Verdict::Failed), ("VerifySilent.dll", Verdict::Unknown)]);
        assert_eq!(findings[0].message, "the stand-in was told so");
    }
    let log = fs::read_to_string(scene.host.file("standins/executor.log")).expect("it was started");
    assert_eq!(log.lines().count(), 3, "once each: {log}");
}

fn zip_of(members: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("a fresh entry");
        std::io::Write::write_all(&mut zip, &bytes).expect("memory can be written");
    }
    zip.finish().expect("memory can be written").into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_and_content_reach_the_vault_whole() {
    let Some(scene) = Scene::new() else { return };
    let save = EffectKind::SaveBackup { agents: vec![scene.agent.clone()] };
    let Outcome::Saved(saved) = scene.perform(1, save).await else { panic!("nothing was saved") };
    assert!(saved.iter().any(|backup| backup.file == "20251122_2241.zip"), "{saved:?}");
    let objects = scene.vault.objects(&cluster_name()).await.expect("the vault can be read");
    let mut kept = BTreeMap::new();
    for object in objects {
        let mut file = scene.vault.open_object(&object).await.expect("it is listed");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await.expect("it can be read");
        kept.insert(object.file, bytes);
    }
    assert_eq!(kept.remove("20251122_2241.zip"), Some(backup()));
    let (_, content) = kept.pop_first().expect("the content was copied");
    let mut copy = zip::ZipArchive::new(std::io::Cursor::new(content)).expect("the copy is a zip");
    let names: Vec<_> = copy.file_names().map(|name| name.expect("a readable name").into_owned()).collect();
    for wanted in ["Applications/app/one.json", "Dashboards/board/two.json"] {
        assert!(names.iter().any(|name| name == wanted), "{names:?}");
    }
    let board = names.iter().find(|name| name.ends_with("two.json")).expect("listed above");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut copy.by_name(board).expect("listed above"), &mut text)
        .expect("it is text");
    assert_eq!(text, "{ \"two\": 2 }");
}

/// The whole end of a downgrade as the machine asks for it: owed, restored, verified, exchanged, acquitted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_restores_content_and_exchanges_a_module() {
    let Some(scene) = Scene::new() else { return };
    let generation = scene.claim().await;
    let agents = vec![scene.agent.clone()];
    let backups = scene.driver.observe().await.agents.remove(0).backups.expect("they were listed");
    let sha256 = Sha256::of(&backup());
    assert_eq!(backups[0].sha256.as_ref(), Some(&sha256), "it was hashed on the server");
    let backup = BackupRef {
        file: backups[0].file.clone(),
        sha256: sha256.clone(),
        agent: Some(scene.agent.clone()),
        vault: false,
    };
    let note = OwedWork {
        id: Some(JobId::new("p1-s2").expect("a valid id")),
        action: Action::RestoreContent,
        backup: Some(sha256),
        module: None,
    };
    let owe = || EffectKind::Owe { agents: agents.clone(), work: vec![note.clone()] };
    let Outcome::Failed(early) = scene.perform(generation, owe()).await else { panic!("the vault is empty") };
    assert_eq!(early.reason, "NoBackup");
    let save = EffectKind::SaveBackup { agents: agents.clone() };
    assert!(matches!(scene.perform(generation, save).await, Outcome::Saved(_)));
    assert_eq!(scene.perform(generation, owe()).await, Outcome::Done);
    assert_eq!(scene.driver.observe().await.agents[0].owed, Some(vec![note]));

    let verify = || EffectKind::VerifyContent { backup: backup.clone(), agents: agents.clone() };
    let Outcome::Failed(differs) = scene.perform(generation, verify()).await else { panic!("it differs") };
    assert_eq!(differs.reason, "ContentDiffers");
    let restore = EffectKind::RestoreContent(Box::new(ContentRestore {
        id: JobId::new("p1-s2-1").expect("a valid id"),
        backup: backup.clone(),
        agents: agents.clone(),
        extras: Extras::MoveAside,
        run_as: RunAs::SshUser,
        deadline: Timestamp::now() + SignedDuration::from_mins(5),
    }));
    for _ in 0..2 {
        let ended = scene.perform(generation, restore.clone()).await;
        assert!(matches!(&ended, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{ended:?}");
        assert_eq!(scene.perform(generation, verify()).await, Outcome::Done);
    }
    let safe = scene.host.file(&format!("{ROOT}/content/p1-s2"));
    let kept = fs::read_to_string(safe.join("Dashboards/board/two.json")).expect("the safety copy");
    assert_eq!(kept, "{ \"two\": 2 }");
    assert!(!scene.host.file("Skyline DataMiner/Applications/app/one.json").exists());
    assert!(safe.join("aside/Applications/app/one.json").is_file(), "what the backup does not know");

    let folder = scene.host.file("Skyline DataMiner/Tools/ModuleInstallers");
    fs::create_dir_all(&folder).expect("the drive can be written");
    let installer = "{0123ABCD-0000-1111-2222-000000000002}\r\nDataMiner GQI\r\n3.0.3\r\n";
    fs::write(folder.join("DataMiner GQI 3.0.3.msi"), installer).expect("the drive can be written");
    let module = EffectKind::ReinstallModule(Box::new(ModuleInstall {
        id: JobId::new("p1-s3-1").expect("a valid id"),
        module: "DataMiner GQI".to_owned(),
        dataminer: Meanwhile::Untouched,
        agents: agents.clone(),
        run_as: RunAs::SshUser,
        deadline: Timestamp::now() + SignedDuration::from_mins(5),
    }));
    let ended = scene.perform(generation, module).await;
    assert!(matches!(&ended, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{ended:?}");
    let acquit = EffectKind::Acquit { agents, notes: vec![JobId::new("p1-s2").expect("a valid id")] };
    assert_eq!(scene.perform(generation, acquit).await, Outcome::Done);
    let agent = scene.driver.observe().await.agents.remove(0);
    let modules = agent.modules.expect("they were listed");
    assert!(modules.iter().any(|module| module.name == "DataMiner GQI" && module.version == "3.0.3"));
    assert_eq!(agent.owed, Some(Vec::new()));
}
