use dataminer_core::exec::effect::{EffectKind, Outcome};
use dataminer_reconciler::agent::ClusterDriver;
use dataminer_schema::{
    id::{AgentName, JobId, Sha256},
    plan::Action,
    v1::observation::OwedWork,
};

use crate::harness::{Setup, agents, claim, exists, failure, name, observe, perform, zip_of};

const CORE: &str = "10.5.0 CU9 (build 16500)";
const OWED: &str = "ProgramData/dataminer-reconciler/owed";

fn id(text: &str) -> JobId {
    JobId::new(text).expect("a job id")
}

fn work() -> Vec<OwedWork> {
    let restore = OwedWork {
        id: Some(id("0123456789ab-4")),
        action: Action::RestoreContent,
        backup: Some(Sha256::of(&backup("a"))),
        module: None,
    };
    let module = OwedWork {
        id: Some(id("0123456789ab-5")),
        action: Action::ReinstallModule,
        backup: None,
        module: Some("DataMiner GQI".to_owned()),
    };
    vec![restore, module]
}

/// A content backup, always the same bytes.
fn backup(text: &str) -> Vec<u8> {
    zip_of(&[("Dashboards/one.json", text.as_bytes())])
}

fn both() -> Vec<AgentName> {
    vec![name("dma-1"), name("dma-2")]
}

async fn scene() -> (Setup, ClusterDriver, u64) {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    let driver = setup.driver();
    let generation = claim(&driver, 0).await.expect("ours");
    for text in ["a", "another"] {
        setup.keep(&format!("{text}.zip"), &backup(text)).await;
    }
    (setup, driver, generation)
}

#[tokio::test]
async fn notes_lie_on_every_agent_until_they_are_acquitted() {
    let (setup, driver, generation) = scene().await;
    assert_eq!(observe(&driver, "dma-1").await.owed, Some(Vec::new()));
    for _ in 0..2 {
        let owe = EffectKind::Owe { agents: both(), work: work() };
        assert_eq!(perform(&driver, generation, owe).await.0, Outcome::Done, "done twice equals done once");
        // Any later process knows it, too.
        for driver in [&driver, &setup.driver()] {
            for agent in ["dma-1", "dma-2"] {
                assert_eq!(observe(driver, agent).await.owed, Some(work()), "{agent}");
            }
        }
    }
    let clean = EffectKind::CleanUp { agents: both() };
    assert_eq!(perform(&driver, generation, clean).await.0, Outcome::Done);
    assert_eq!(observe(&driver, "dma-1").await.owed, Some(work()), "cleaning forgives no debts");
    for _ in 0..2 {
        let acquit = EffectKind::Acquit { agents: both(), notes: vec![id("0123456789ab-4")] };
        assert_eq!(perform(&driver, generation, acquit).await.0, Outcome::Done);
        assert_eq!(observe(&driver, "dma-2").await.owed, Some(work()[1..].to_vec()));
    }
    setup.assert_all_commands_known();
}

/// A downgrade whose backup turns out to be gone or broken must not begin.
#[tokio::test]
async fn nothing_is_owed_that_cannot_be_paid() {
    let (setup, driver, generation) = scene().await;
    let mut lost = work();
    lost[0].backup = Some(Sha256::of(b"nobody has it"));
    let outcome = perform(&driver, generation, EffectKind::Owe { agents: both(), work: lost }).await.0;
    assert_eq!(failure(&outcome).reason, "NoBackup", "{outcome:?}");

    let hostile = setup.keep("hostile.zip", &zip_of(&[("..\\outside.json", b"x")])).await;
    let mut outside = work();
    outside[0].backup = Some(hostile.sha256);
    let outcome = perform(&driver, generation, EffectKind::Owe { agents: both(), work: outside }).await.0;
    assert_eq!(failure(&outcome).reason, "BackupRefused", "{outcome:?}");
    assert_eq!(observe(&driver, "dma-1").await.owed, Some(Vec::new()));
}

/// One Agent's copy of a backup was damaged in the vault; the equal one of another still pays.
#[tokio::test]
async fn a_damaged_object_does_not_hide_a_whole_one() {
    let (setup, driver, generation) = scene().await;
    let whole = setup.vault().objects(&setup.cluster.name).await.expect("the vault reads");
    let first = whole.iter().find(|object| object.file == "a.zip").expect("it was kept");
    let twin = dataminer_reconciler::vault::NewObject {
        cluster: first.cluster.clone(),
        agent: name("dma-2"),
        file: first.file.clone(),
        content: None,
        taken_at: None,
        copy: false,
        torn: false,
        sha256: None,
    };
    setup.vault().put(&twin, &backup("a")[..]).await.expect("it is stored");
    let path = setup.vault().root().join("brussels/dma-1").join(first.file_name());
    let mut bytes = std::fs::read(&path).expect("it is there");
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).expect("it can be written");
    let owe = EffectKind::Owe { agents: both(), work: work() };
    assert_eq!(perform(&driver, generation, owe).await.0, Outcome::Done);
}

#[tokio::test]
async fn another_note_of_the_same_name_stays() {
    let (setup, driver, generation) = scene().await;
    let owe = |work| EffectKind::Owe { agents: both(), work };
    assert_eq!(perform(&driver, generation, owe(work())).await.0, Outcome::Done);
    let mut other = work();
    other[0].backup = Some(Sha256::of(&backup("another")));
    let (outcome, _) = perform(&driver, generation, owe(other)).await;
    assert_eq!(failure(&outcome).reason, "TamperedFolder", "{outcome:?}");
    assert_eq!(failure(&outcome).agents, both());
    assert_eq!(observe(&driver, "dma-1").await.owed, Some(work()));

    // What a power failure leaves of a note is none.
    let path = setup.file("dma-1", &format!("{OWED}/0123456789ab-4.json"));
    std::fs::write(&path, [0; 40]).expect("the drive can be written");
    assert_eq!(perform(&driver, generation, owe(work())).await.0, Outcome::Done);
    assert_eq!(observe(&driver, "dma-1").await.owed, Some(work()));
}

/// Invariant 4: a note that cannot be read is not the absence of one.
#[tokio::test]
async fn what_is_owed_never_looks_like_nothing() {
    let (setup, driver, _) = scene().await;
    let folder = setup.file("dma-1", OWED);
    for (file, bytes) in [
        ("0123456789ab-4.json", "{ half"),
        ("0123456789ab-4.json", ""),
        ("readme.txt", "{}"),
        ("UPPER.json", r#"{ "action": "RestoreContent" }"#),
        ("0123456789ab-4.json", r#"{ "action": "RestoreContent", "surprise": 1 }"#),
    ] {
        std::fs::write(folder.join(file), bytes).expect("the drive can be written");
        let agent = observe(&driver, "dma-1").await;
        assert_eq!(agent.owed, None, "{file} {bytes}");
        let reason = agent.unknown.get("owed").expect("the reason is told");
        assert!(reason.contains(file), "{reason}");
        std::fs::remove_file(folder.join(file)).expect("it is there");
    }
    for number in 0..201 {
        std::fs::write(folder.join(format!("note-{number}.json")), r#"{ "action": "RestoreContent" }"#)
            .expect("the drive can be written");
    }
    let agent = observe(&driver, "dma-1").await;
    assert!(agent.unknown.get("owed").is_some_and(|reason| reason.contains("more than 200")), "{agent:?}");
}

#[tokio::test]
async fn a_superseded_process_neither_owes_nor_acquits() {
    let (setup, driver, generation) = scene().await;
    let owe = || EffectKind::Owe { agents: both(), work: work() };
    assert_eq!(perform(&driver, generation, owe()).await.0, Outcome::Done);
    claim(&setup.driver(), generation).await.expect("the new owner");
    let acquit = EffectKind::Acquit { agents: both(), notes: vec![id("0123456789ab-4")] };
    for effect in [owe(), acquit] {
        let (outcome, _) = perform(&driver, generation, effect).await;
        assert_eq!(failure(&outcome).reason, "GenerationSuperseded");
    }
    assert!(exists(&setup.file("dma-2", &format!("{OWED}/0123456789ab-4.json"))));
}
