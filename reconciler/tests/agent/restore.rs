use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use dataminer_core::exec::effect::{ContentRestore, Disposition, EffectKind, JobEnd, Outcome, Refusal};
use dataminer_reconciler::{agent::ClusterDriver, engine::Progress};
use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::BackupRef,
    v1::cluster::{Extras, RunAs},
};
use dms_simulator::{AgentReport, Fault, Reach};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Setup, agents, claim, exists, failure, name, perform, zip_of};

const CORE: &str = "10.5.0 CU9 (build 16500)";
const SKYLINE: &str = "Skyline DataMiner";
const OURS: &str = "ProgramData/dataminer-reconciler";
const BACKUPS: &str = "Skyline DataMiner/System Cache/Web/Backups";
const FIRST: &str = "0123456789ab-4-1";
const SECOND: &str = "0123456789ab-4-2";
const SAFE: &str = "ProgramData/dataminer-reconciler/content/0123456789ab-4";
/// In every Agent's content from the start.
const KNOWN: &str = "Dashboards/shared/Network health.dmadb.json";
/// As people name their dashboards.
const ODD: &str = "Dashboards/R\u{e9}gion & 100% (a)!/^x=;, caf\u{e9}.dmadb.json";

struct Scene {
    setup: Setup,
    driver: ClusterDriver,
    generation: u64,
}

impl Scene {
    async fn start(count: u8) -> Self {
        let setup = Setup::start(agents(count, CORE), 50.0).await;
        let driver = setup.driver();
        let generation = claim(&driver, 0).await.expect("ours");
        Self { setup, driver, generation }
    }

    fn names(&self) -> Vec<AgentName> {
        self.setup.simulation.agents().iter().map(|endpoint| name(&endpoint.name)).collect()
    }

    /// Puts a zip of these files into the vault.
    async fn backup(&self, files: &[(&str, &[u8])]) -> BackupRef {
        self.in_vault(&zip_of(files)).await
    }

    async fn in_vault(&self, bytes: &[u8]) -> BackupRef {
        self.setup.keep("b.zip", bytes).await
    }

    fn wanted(&self, id: &str, backup: &BackupRef) -> ContentRestore {
        ContentRestore {
            id: JobId::new(id).expect("a job id"),
            backup: backup.clone(),
            agents: self.names(),
            extras: Extras::Keep,
            run_as: RunAs::SshUser,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        }
    }

    async fn perform(&self, kind: EffectKind) -> (Outcome, Vec<Progress>) {
        perform(&self.driver, self.generation, kind).await
    }

    async fn restore(&self, wanted: &ContentRestore) -> (Outcome, Vec<Progress>) {
        self.perform(EffectKind::RestoreContent(Box::new(wanted.clone()))).await
    }

    async fn verify(&self, backup: &BackupRef) -> Outcome {
        let kind = EffectKind::VerifyContent { backup: backup.clone(), agents: self.names() };
        self.perform(kind).await.0
    }

    fn live(&self, agent: &str, path: &str) -> PathBuf {
        self.setup.file(agent, &format!("{SKYLINE}/{path}"))
    }

    fn read(&self, agent: &str, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.setup.file(agent, path)).ok()
    }

    fn put(&self, agent: &str, path: &str, bytes: &[u8]) {
        let file = self.live(agent, path);
        std::fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("new folders");
        std::fs::write(file, bytes).expect("a new file");
    }

    fn report(&self, agent: &str) -> AgentReport {
        let agents = self.setup.simulation.inspect().clusters.remove(0).agents;
        agents.into_iter().find(|report| report.name == agent).expect("it is there")
    }

    /// No file of `agent` was changed and nothing was started.
    fn assert_untouched(&self, agent: &str, before: &[u8]) {
        assert_eq!(self.read(agent, &format!("{SKYLINE}/{KNOWN}")).as_deref(), Some(before));
        assert!(!exists(&self.setup.file(agent, SAFE)), "no safety copy was begun");
        for id in [FIRST, SECOND] {
            assert!(!exists(&self.setup.file(agent, &format!("{OURS}/jobs/{id}/started.txt"))));
        }
    }
}

fn large() -> Vec<u8> {
    (0..3_000_001_u32).map(|at| (at % 251) as u8).collect()
}

fn exited(outcome: &Outcome) -> i64 {
    let Outcome::JobEnded(JobEnd::Exited { code, .. }) = outcome else {
        panic!("it should have exited: {outcome:?}")
    };
    *code
}

/// Invariant 12.
#[tokio::test]
async fn a_backup_is_restored_on_every_agent_behind_a_safety_copy() {
    let scene = Scene::start(2).await;
    let large = large();
    let odd = ODD.replace('/', r"\");
    let files: [(&str, &[u8]); 4] = [
        (KNOWN, b"restored"),
        (&odd, b"odd"),
        ("Applications/x/large.bin", &large),
        ("Dashboards/none", b""),
    ];
    let backup = scene.backup(&files).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    let begun = SystemTime::now() - Duration::from_secs(5);
    assert_eq!(failure(&scene.verify(&backup).await).reason, "ContentDiffers", "not yet restored");

    let wanted = scene.wanted(FIRST, &backup);
    let (outcome, progress) = scene.restore(&wanted).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert!(progress.iter().any(|event| matches!(event, Progress::Bytes { .. })), "{progress:?}");
    assert!(format!("{progress:?}").contains("does not know are kept"), "{progress:?}");
    for agent in ["dma-1", "dma-2"] {
        for (path, bytes) in
            [(KNOWN, b"restored".as_slice()), (ODD, b"odd"), ("Applications/x/large.bin", &large)]
        {
            assert!(
                scene.read(agent, &format!("{SKYLINE}/{path}")).as_deref() == Some(bytes),
                "{agent} {path}"
            );
            let modified = scene.live(agent, path).metadata().and_then(|data| data.modified());
            assert!(modified.expect("it has a time") >= begun, "older times lose against a peer's");
        }
        assert_eq!(scene.read(agent, &format!("{SAFE}/{KNOWN}")), Some(before.clone()));
        assert!(exists(&scene.setup.file(agent, &format!("{SAFE}/complete.txt"))));
    }
    assert_eq!(scene.verify(&backup).await, Outcome::Done);

    // The same again finds it done; it is not done twice.
    scene.put("dma-1", KNOWN, b"changed since");
    assert_eq!(exited(&scene.restore(&wanted).await.0), 0);
    assert_eq!(
        scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).as_deref(),
        Some(b"changed since".as_slice())
    );
    let differs = scene.verify(&backup).await;
    let differs = failure(&differs);
    assert_eq!((differs.reason.as_str(), differs.disposition), ("ContentDiffers", Disposition::Retry));
    assert!(differs.message.contains("dma-1") && differs.message.contains(KNOWN), "{differs:?}");
    assert_eq!(differs.agents, [name("dma-1")]);

    // Another attempt restores, and leaves the safety copy as it is.
    assert_eq!(exited(&scene.restore(&scene.wanted(SECOND, &backup)).await.0), 0);
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
    assert_eq!(scene.read("dma-1", &format!("{SAFE}/{KNOWN}")), Some(before));

    let clean = EffectKind::CleanUp { agents: scene.names() };
    assert_eq!(scene.perform(clean).await.0, Outcome::Done);
    for id in [FIRST, SECOND] {
        let job = scene.setup.file("dma-1", &format!("{OURS}/jobs/{id}"));
        assert!(!exists(&job.join("content")) && exists(&job.join("job.json")), "{id}");
    }
    assert!(exists(&scene.setup.file("dma-1", &format!("{SAFE}/complete.txt"))), "safety copies stay");
    scene.setup.assert_all_commands_known();
}

#[tokio::test]
async fn a_killed_restore_vanishes_and_the_next_attempt_finishes_it() {
    let scene = Scene::start(2).await;
    // Long enough to be killed in the middle: xcopy takes its time for each file.
    let names: Vec<String> = (0..200).map(|number| format!("Dashboards/many/{number}.json")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), b"restored".as_slice())).collect();
    let backup = scene.backup(&files).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    let wanted = scene.wanted(FIRST, &backup);
    let kill = async {
        let started = scene.setup.file("dma-1", &format!("{OURS}/jobs/{FIRST}/started.txt"));
        while !exists(&started) {
            tokio::task::yield_now().await;
        }
        scene.setup.inject("dma-1", Fault::KillJobs).await;
    };
    let (outcome, ()) = tokio::join!(scene.restore(&wanted), kill);
    assert_eq!(outcome.0, Outcome::JobEnded(JobEnd::Vanished));
    assert_eq!(scene.restore(&wanted).await.0, Outcome::JobEnded(JobEnd::Vanished), "it stays so");
    let (outcome, _) = scene.restore(&scene.wanted(SECOND, &backup)).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
    assert_eq!(scene.read("dma-1", &format!("{SAFE}/{KNOWN}")), Some(before));

    // What the dead job left behind is large: it goes, too.
    let clean = EffectKind::CleanUp { agents: scene.names() };
    assert_eq!(scene.perform(clean).await.0, Outcome::Done);
    assert!(!exists(&scene.setup.file("dma-1", &format!("{OURS}/jobs/{FIRST}/content"))));
}

#[tokio::test]
async fn a_driver_that_died_takes_the_restore_up_again() {
    let scene = Scene::start(2).await;
    let files: Vec<(String, Vec<u8>)> =
        (0..200).map(|number| (format!("Dashboards/many/{number}.json"), vec![7; 100])).collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let backup = scene.backup(&files).await;
    let wanted = scene.wanted(FIRST, &backup);
    // First it dies while it stages, then while the job runs.
    for moment in ["content/Dashboards/many/0.json", "started.txt"] {
        let there = scene.setup.file("dma-2", &format!("{OURS}/jobs/{FIRST}/{moment}"));
        tokio::select! {
            outcome = scene.restore(&wanted) => panic!("too fast: {outcome:?}"),
            () = async { while !exists(&there) { tokio::task::yield_now().await } } => {}
        }
    }
    let second = scene.setup.driver();
    let generation = claim(&second, scene.generation).await.expect("ours");
    let kind = EffectKind::RestoreContent(Box::new(wanted));
    let (outcome, _) = perform(&second, generation, kind).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
}

#[tokio::test]
async fn files_that_the_backup_does_not_know_are_moved_aside() {
    let scene = Scene::start(2).await;
    scene.put("dma-1", ODD, b"mine");
    scene.put("dma-1", "Applications/new app/App.info.json", b"new");
    let backup = scene.backup(&[(KNOWN, b"restored")]).await;
    let wanted = ContentRestore { extras: Extras::MoveAside, ..scene.wanted(FIRST, &backup) };
    let (outcome, progress) = scene.restore(&wanted).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert!(format!("{progress:?}").contains("moved into the safety copy"), "{progress:?}");
    for (path, bytes) in [(ODD, b"mine".as_slice()), ("Applications/new app/App.info.json", b"new")] {
        assert!(!exists(&scene.live("dma-1", path)), "{path}");
        assert_eq!(scene.read("dma-1", &format!("{SAFE}/aside/{path}")).as_deref(), Some(bytes));
        assert_eq!(scene.read("dma-1", &format!("{SAFE}/{path}")).as_deref(), Some(bytes), "and copied");
    }
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
    // A peer brought it back: it goes next to the first, which stays.
    scene.put("dma-1", ODD, b"again");
    assert_eq!(exited(&scene.restore(&wanted).await.0), 0);
    assert!(!exists(&scene.live("dma-1", ODD)));
    assert_eq!(scene.read("dma-1", &format!("{SAFE}/aside/{ODD}")).as_deref(), Some(b"mine".as_slice()));
    assert_eq!(scene.read("dma-1", &format!("{SAFE}/aside-1/{ODD}")).as_deref(), Some(b"again".as_slice()));
}

/// Issue 3: a missing, truncated or tampered backup.
#[tokio::test]
async fn a_backup_that_cannot_be_had_whole_changes_nothing() {
    let scene = Scene::start(2).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    let bytes = zip_of(&[(KNOWN, b"restored")]);
    let backup = scene.in_vault(&bytes).await;
    let folder = scene.setup.vault().root().join("brussels/dma-1");
    let object = folder.join(format!("{}-b.zip", backup.sha256.short()));
    let mut tampered = bytes.clone();
    tampered[40] ^= 1;
    for damage in [Some(&bytes[..bytes.len() / 2]), Some(&tampered[..]), Some(b""), None] {
        match damage {
            Some(damage) => std::fs::write(&object, damage).expect("it can be written"),
            None => std::fs::remove_file(&object).expect("it is there"),
        }
        let (outcome, _) = scene.restore(&scene.wanted(FIRST, &backup)).await;
        let lost = failure(&outcome);
        assert_eq!((lost.reason.as_str(), lost.disposition), ("NoBackup", Disposition::Stalled), "{lost:?}");
        assert!(lost.message.contains("b.zip") && lost.help.contains(backup.sha256.as_str()), "{lost:?}");
        scene.assert_untouched("dma-1", &before);
        scene.assert_untouched("dma-2", &before);
    }
    assert_eq!(failure(&scene.verify(&backup).await).reason, "NoBackup");
    // An Agent that cannot be asked may have it.
    scene.setup.inject("dma-2", Fault::Network(Reach::Refuses)).await;
    let lost = scene.verify(&backup).await;
    assert_eq!(failure(&lost).disposition, Disposition::Retry, "{lost:?}");
    scene.setup.inject("dma-2", Fault::Network(Reach::Reachable)).await;
    // Another file of the same name is not it.
    std::fs::write(scene.setup.file("dma-1", BACKUPS).join("b.zip"), &tampered).expect("a new file");
    assert_eq!(failure(&scene.restore(&scene.wanted(FIRST, &backup)).await.0).reason, "NoBackup");
    // An Agent that still has the same bytes stands in for the vault, even for one whose folder is gone.
    std::fs::write(scene.setup.file("dma-2", BACKUPS).join("b.zip"), &bytes).expect("a new file");
    std::fs::remove_dir_all(scene.setup.vault().root()).expect("it is there");
    let (outcome, _) = scene.restore(&scene.wanted(FIRST, &backup)).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
}

/// Issue 3: a backup with entries outside Applications and Dashboards or with Windows-style traversal. The whole table
/// of names stands beside the checker; here nothing of such a backup reaches an Agent.
#[tokio::test]
async fn a_hostile_backup_is_refused_by_name_before_anything_is_sent() {
    let scene = Scene::start(1).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    for entry in ["../x", r"..\x", r"C:\x", r"Applications\..\..\x", "Files/SLNet.exe", "Applications/NUL"] {
        let backup = scene.backup(&[(KNOWN, b"restored"), (entry, b"x")]).await;
        let (outcome, _) = scene.restore(&scene.wanted(FIRST, &backup)).await;
        let refused = failure(&outcome);
        assert_eq!((refused.reason.as_str(), refused.disposition), ("BackupRefused", Disposition::Stalled));
        assert!(refused.message.contains(&*entry.escape_debug().to_string()), "{refused:?}");
        scene.assert_untouched("dma-1", &before);
        assert!(!exists(&scene.setup.file("dma-1", &format!("{OURS}/jobs/{FIRST}"))), "nothing was sent");
    }
}

#[tokio::test]
async fn a_full_disk_is_named_before_and_in_the_middle() {
    let scene = Scene::start(2).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    let large = large();
    let backup = scene.backup(&[(KNOWN, b"restored"), ("Applications/x/large.bin", &large)]).await;
    // Room for the staged content alone, behind the margin that stays free.
    let margin = 64 * 1024 * 1024;
    scene.setup.inject("dma-2", Fault::FreeDisk(margin + 3_500_000)).await;
    let (outcome, _) = scene.restore(&scene.wanted(FIRST, &backup)).await;
    let full = failure(&outcome);
    assert_eq!(full.reason, "InsufficientDisk", "{full:?}");
    assert_eq!(full.agents, [name("dma-2")]);
    scene.assert_untouched("dma-1", &before);
    scene.assert_untouched("dma-2", &before);
    // The disk fills up while the job runs; the safety copy is not complete.
    scene.setup.inject("dma-2", Fault::FreeDisk(10 * margin)).await;
    let fill = async {
        let begun = scene.setup.file("dma-2", &format!("{OURS}/jobs/{FIRST}/started.txt"));
        while !exists(&begun) {
            tokio::task::yield_now().await;
        }
        scene.setup.inject("dma-2", Fault::FreeDisk(100)).await;
    };
    let wanted = scene.wanted(FIRST, &backup);
    let (outcome, ()) = tokio::join!(scene.restore(&wanted), fill);
    let full = failure(&outcome.0);
    assert_eq!(full.reason, "InsufficientDisk", "{full:?}");
    scene.setup.inject("dma-2", Fault::FreeDisk(10 * margin)).await;
    let (outcome, _) = scene.restore(&scene.wanted(SECOND, &backup)).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
    assert_eq!(
        scene.read("dma-2", &format!("{SAFE}/{KNOWN}")),
        Some(before),
        "the copy is of what was before"
    );
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_is_taken_up_again() {
    let scene = Scene::start(2).await;
    let large = large();
    let backup = scene.backup(&[(KNOWN, b"restored"), ("Applications/x/large.bin", &large)]).await;
    scene.setup.inject("dma-1", Fault::DropUploadAfter(1_000_000)).await;
    scene.setup.inject("dma-2", Fault::DropUploadAfter(3)).await;
    let (outcome, progress) = scene.restore(&scene.wanted(FIRST, &backup)).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert!(format!("{progress:?}").contains("taking it up again"), "{progress:?}");
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
    scene.setup.inject("dma-2", Fault::Network(Reach::Refuses)).await;
    let away = scene.verify(&backup).await;
    let away = failure(&away);
    assert_eq!((away.reason.as_str(), away.disposition), ("AgentUnreachable", Disposition::Retry));
    assert_eq!(away.agents, [name("dma-2")]);
}

#[tokio::test]
async fn a_superseded_process_restores_nothing() {
    let scene = Scene::start(2).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    let backup = scene.backup(&[(KNOWN, b"restored")]).await;
    claim(&scene.setup.driver(), scene.generation).await.expect("the new owner");
    let (outcome, _) = scene.restore(&scene.wanted(FIRST, &backup)).await;
    assert_eq!(outcome, Outcome::JobEnded(JobEnd::Refused { reason: Refusal::Generation }));
    scene.assert_untouched("dma-1", &before);
    assert!(scene.report("dma-1").unknown_commands.is_empty());
}

#[tokio::test]
async fn an_agent_that_reboots_in_the_middle_is_restored_by_the_next_attempt() {
    let scene = Scene::start(2).await;
    let names: Vec<String> = (0..200).map(|number| format!("Dashboards/many/{number}.json")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), b"restored".as_slice())).collect();
    let backup = scene.backup(&files).await;
    let reboot = async {
        let started = scene.setup.file("dma-2", &format!("{OURS}/jobs/{FIRST}/started.txt"));
        while !exists(&started) {
            tokio::task::yield_now().await;
        }
        scene.setup.inject("dma-2", Fault::Reboot).await;
    };
    let wanted = scene.wanted(FIRST, &backup);
    let (outcome, ()) = tokio::join!(scene.restore(&wanted), reboot);
    assert_eq!(outcome.0, Outcome::JobEnded(JobEnd::Vanished));
    assert_eq!(exited(&scene.restore(&scene.wanted(SECOND, &backup)).await.0), 0);
    assert_eq!(scene.verify(&backup).await, Outcome::Done);
}

#[tokio::test]
async fn a_backup_without_files_restores_nothing_and_says_so() {
    let scene = Scene::start(1).await;
    let before = scene.read("dma-1", &format!("{SKYLINE}/{KNOWN}")).expect("it is there");
    let backup = scene.backup(&[]).await;
    let (outcome, progress) = scene.restore(&scene.wanted(FIRST, &backup)).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert!(format!("{progress:?}").contains("holds no file"), "{progress:?}");
    scene.assert_untouched("dma-1", &before);
    assert_eq!(backup.sha256, Sha256::of(&zip_of(&[])));
}
