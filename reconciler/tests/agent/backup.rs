use std::io::Read;

use dataminer_core::exec::effect::{EffectKind, Outcome};
use dataminer_schema::{
    id::{JobId, Sha256},
    plan::Action,
    v1::observation::OwedWork,
};
use dms_simulator::BackupSpec;

use crate::harness::{Setup, agents, failure, name, observe, perform, version, zip_of};

const CORE: &str = "10.5.0 CU9 (build 16500)";

fn save() -> EffectKind {
    EffectKind::SaveBackup { agents: vec![name("dma-1"), name("dma-2")] }
}

const BACKUPS: &str = "Skyline DataMiner/System Cache/Web/Backups";

async fn setup() -> Setup {
    let mut agents = agents(2, CORE);
    for agent in &mut agents {
        for (at, content) in [("2025-01-10T20:00:00Z", "10.4.0 CU9"), ("2025-06-10T20:00:00Z", "10.4.0 CU14")]
        {
            let at = at.parse().expect("a time");
            agent.backups.push(BackupSpec { at, content: version(content), file: None });
        }
    }
    Setup::start(agents, 1.0).await
}

#[tokio::test]
async fn the_products_backups_and_the_present_content_go_to_the_vault_once() {
    let setup = setup().await;
    let driver = setup.driver();
    let (outcome, _) = perform(&driver, 1, save()).await;
    let Outcome::Saved(saved) = outcome else { panic!("it should have saved: {outcome:?}") };
    assert_eq!(saved.len(), 6, "two zips of the product and one of ours, for two Agents: {saved:?}");
    assert!(saved.iter().all(|backup| backup.vault && backup.sha256.is_some()), "{saved:?}");
    let objects = setup.vault().objects(&setup.cluster.name).await.expect("the vault reads");
    assert_eq!(objects.len(), 6);
    let old =
        objects.iter().find(|object| object.file.contains("20250110")).expect("the product's file name");
    assert_eq!(old.taken_at.map(|at| at.to_string()).as_deref(), Some("2025-01-10T20:00:00Z"));

    let again = perform(&driver, 1, save()).await.0;
    assert!(matches!(again, Outcome::Saved(_)), "{again:?}");
    let objects = setup.vault().objects(&setup.cluster.name).await.expect("the vault reads");
    assert_eq!(objects.len(), 6, "unchanged content is the same backup");
    setup.assert_all_commands_known();
}

#[tokio::test]
async fn our_zip_holds_every_file_and_follows_changes() {
    let setup = setup().await;
    let driver = setup.driver();
    let nested = setup.file("dma-1", "Skyline DataMiner/Dashboards/a/b");
    std::fs::create_dir_all(&nested).expect("new folders");
    // Larger than what is fetched ahead.
    let large: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 241) as u8).collect();
    std::fs::write(nested.join("large.bin"), &large).expect("a new file");
    let (outcome, _) = perform(&driver, 1, EffectKind::SaveBackup { agents: vec![name("dma-1")] }).await;
    assert!(matches!(outcome, Outcome::Saved(_)), "{outcome:?}");

    let objects = setup.vault().objects(&setup.cluster.name).await.expect("the vault reads");
    let ours = objects.iter().find(|object| object.file.starts_with("content-")).expect("our own zip");
    assert!(!ours.torn);
    let file = setup.vault().open_object(ours).await.expect("the object opens");
    let mut zip = zip::ZipArchive::new(file.into_std().await).expect("a zip");
    let mut found = Vec::new();
    zip.by_name("Dashboards/a/b/large.bin").expect("the file").read_to_end(&mut found).expect("it reads");
    assert!(found == large);
    let names: Vec<String> =
        zip.file_names().map(|name| name.expect("a readable name").into_owned()).collect();
    assert!(
        names.iter().all(|name| name.starts_with("Applications/") || name.starts_with("Dashboards/")),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name.starts_with("Applications/")), "{names:?}");

    std::fs::write(nested.join("new.json"), "{}").expect("a new file");
    let (outcome, _) = perform(&driver, 1, EffectKind::SaveBackup { agents: vec![name("dma-1")] }).await;
    assert!(matches!(outcome, Outcome::Saved(_)), "{outcome:?}");
    let objects = setup.vault().objects(&setup.cluster.name).await.expect("the vault reads");
    assert_eq!(objects.iter().filter(|object| object.file.starts_with("content-")).count(), 2);
}

#[tokio::test]
async fn a_broken_backup_is_left_out_and_stops_nothing() {
    let setup = setup().await;
    let folder = setup.file("dma-1", "Skyline DataMiner/System Cache/Web/Backups");
    std::fs::write(folder.join("half.zip"), b"PK\x03\x04 and no more").expect("a new file");
    let (outcome, progress) =
        perform(&setup.driver(), 1, EffectKind::SaveBackup { agents: vec![name("dma-1")] }).await;
    let Outcome::Saved(saved) = outcome else { panic!("it should have saved: {outcome:?}") };
    assert_eq!(saved.len(), 3);
    assert!(format!("{progress:?}").contains("half.zip"), "{progress:?}");
}

/// A plan pins a backup by its hash: a backup without one is of no use to it.
#[tokio::test]
async fn backups_are_observed_with_their_hashes() {
    let setup = setup().await;
    let driver = setup.driver();
    let folder = setup.file("dma-1", BACKUPS);
    // Whatever the product calls them.
    let odd = "Zur Sicherung & 100% (\u{e9}t\u{e9})!.zip";
    std::fs::write(folder.join(odd), b"odd").expect("a new file");
    // certutil cannot read an empty file.
    std::fs::write(folder.join("empty.zip"), b"").expect("a new file");
    for _ in 0..2 {
        let backups = observe(&driver, "dma-1").await.backups.expect("they were listed");
        assert_eq!(backups.len(), 4, "{backups:?}");
        for backup in &backups {
            let bytes = std::fs::read(folder.join(&backup.file)).expect("it is there");
            let wanted = (!bytes.is_empty()).then(|| Sha256::of(&bytes));
            assert_eq!(backup.sha256, wanted, "{backup:?}");
        }
    }
    // Another file of the same name, size and age in seconds is hard to make; another size is not.
    std::fs::write(folder.join(odd), b"changed").expect("it can be written");
    let backups = observe(&driver, "dma-1").await.backups.expect("they were listed");
    let changed = backups.iter().find(|backup| backup.file == odd).expect("it is listed");
    assert_eq!(changed.sha256, Some(Sha256::of(b"changed")));
    setup.assert_all_commands_known();
}

#[tokio::test]
async fn a_vault_that_is_gone_or_full_is_named() {
    let setup = setup().await;
    let driver = setup.driver();
    let root = setup.vault().root().to_owned();
    std::fs::remove_dir(&root).expect("it is empty");
    let (outcome, _) = perform(&driver, 1, save()).await;
    let gone = failure(&outcome);
    assert_eq!(gone.reason, "VaultFailed");
    assert!(gone.message.contains(root.as_str()) && gone.message.contains("is not there"), "{gone:?}");
    // Every write to it fails, as on a full or read-only share.
    std::fs::create_dir(&root).expect("a new folder");
    std::fs::write(root.join("brussels"), b"no folder").expect("a new file");
    let (outcome, _) = perform(&driver, 1, save()).await;
    assert_eq!(failure(&outcome).reason, "VaultFailed", "{outcome:?}");
    assert_eq!(failure(&outcome).agents.len(), 2);
}

/// Content that newer web apps wrote must never look as if the lower level had written it: it would be chosen for a
/// restore on that level, and be unreadable there.
#[tokio::test]
async fn while_a_restore_is_owed_copies_carry_the_level_from_before_the_fall() {
    let setup = setup().await;
    let driver = setup.driver();
    let copies = || async {
        let objects = setup.vault().objects(&setup.cluster.name).await.expect("the vault reads");
        let mut copies: Vec<_> =
            objects.into_iter().filter(|object| object.copy && object.agent == name("dma-1")).collect();
        copies.sort_by_key(|object| object.taken_at);
        copies
    };
    let note = OwedWork {
        id: Some(JobId::new("0123456789ab-4").expect("a job id")),
        action: Action::RestoreContent,
        backup: Some(setup.keep("owed.zip", &zip_of(&[("Dashboards/one.json", b"1")])).await.sha256),
        module: None,
    };
    // The note on one Agent counts for the content of all.
    let owe = EffectKind::Owe { agents: vec![name("dma-2")], work: vec![note] };
    let touch = |text: &str| {
        std::fs::write(setup.file("dma-1", "Skyline DataMiner/Dashboards/new.json"), text)
            .expect("a new file");
    };

    assert!(matches!(perform(&driver, 1, save()).await.0, Outcome::Saved(_)));
    assert_eq!(copies().await[0].content.as_deref(), Some("10.5.0 CU9"), "what is installed wrote it");
    // As if it had been copied at a higher level, before a downgrade to what is installed now.
    let object = dataminer_reconciler::vault::NewObject {
        cluster: setup.cluster.name.clone(),
        agent: name("dma-1"),
        file: "content-x.zip".to_owned(),
        content: Some("10.6.3".to_owned()),
        taken_at: Some(jiff::Timestamp::now()),
        copy: true,
        torn: false,
        sha256: None,
    };
    setup.vault().put(&object, &b"content"[..]).await.expect("it is stored");
    assert_eq!(perform(&driver, 1, owe).await.0, Outcome::Done);
    touch("1");
    assert!(matches!(perform(&driver, 1, save()).await.0, Outcome::Saved(_)));
    assert_eq!(copies().await[2].content.as_deref(), Some("10.6.3"));

    let notes = vec![JobId::new("0123456789ab-4").expect("a job id")];
    let acquit = EffectKind::Acquit { agents: vec![name("dma-2")], notes };
    assert_eq!(perform(&driver, 1, acquit).await.0, Outcome::Done);
    touch("22");
    assert!(matches!(perform(&driver, 1, save()).await.0, Outcome::Saved(_)));
    assert_eq!(copies().await[3].content.as_deref(), Some("10.5.0 CU9"), "restored and verified");
}
