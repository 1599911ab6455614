//! The vault in a real folder.

use camino::Utf8PathBuf;
use tokio::io::AsyncReadExt;

use super::*;

struct Scratch {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

fn scratch() -> Scratch {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = Utf8PathBuf::from_path_buf(folder.path().join("vault")).expect("a UTF-8 path");
    Scratch { _folder: folder, root }
}

fn cluster() -> ClusterName {
    "brussels".parse().expect("a cluster name")
}

fn object(file: &str) -> NewObject {
    NewObject {
        cluster: cluster(),
        agent: "a1".parse().expect("an Agent name"),
        file: file.to_owned(),
        content: Some("10.4.12".to_owned()),
        taken_at: Some("2026-11-21T21:00:00Z".parse().expect("a time")),
        copy: false,
        torn: false,
        sha256: None,
    }
}

#[tokio::test]
async fn what_was_put_is_listed_read_and_verified() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let bytes = vec![7_u8; 200_000];
    let stored = vault.put(&object("a.zip"), &bytes[..]).await.expect("it is stored");
    assert_eq!((stored.size, &stored.sha256), (200_000, &Sha256::of(&bytes)));

    // Another process, later.
    let vault = Vault::open_url(&format!("file://{}", scratch.root)).expect("the vault is there");
    let backups = vault.list(&cluster()).await.expect("it lists");
    assert_eq!(backups, [stored.backup()]);
    assert!(backups[0].vault);
    assert_eq!(backups[0].content.as_deref(), Some("10.4.12"));
    assert!(vault.holds(&cluster(), &stored.sha256).await.expect("it looks"));
    let copies = vault.copies(&cluster(), &stored.sha256).await.expect("it is there");
    assert_eq!(copies, std::slice::from_ref(&stored));
    let mut file = vault.open_object(&stored).await.expect("it opens");
    let mut read = Vec::new();
    file.read_to_end(&mut read).await.expect("it reads");
    assert_eq!(read, bytes);
    assert_eq!(vault.verify(&cluster()).await.expect("it verifies"), [(stored, Verdict::Good)]);
    let other: ClusterName = "paris".parse().expect("a cluster name");
    assert_eq!(vault.list(&other).await.expect("it lists"), []);
}

#[tokio::test]
async fn the_same_object_twice_is_one() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let first = vault.put(&object("a.zip"), &b"content"[..]).await.expect("it is stored");
    let mut later = object("a.zip");
    later.taken_at = None;
    assert_eq!(
        vault.put(&later, &b"content"[..]).await.expect("it is there"),
        first,
        "the first record stands"
    );
    vault.put(&object("a.zip"), &b"other content"[..]).await.expect("another object of that name");
    assert_eq!(vault.list(&cluster()).await.expect("it lists").len(), 2);
    let names: Vec<_> = std::fs::read_dir(scratch.root.join("brussels/a1")).expect("the folder").collect();
    assert_eq!(names.len(), 4, "two objects, two index entries, nothing left over");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let long = "a".repeat(201);
    for name in
        ["", "..", ".hidden", "../a.zip", "a/b", "a\\b", "C:a.zip", "a.zip::$DATA", "a\0b", "a\nb", &long]
    {
        let error = vault.put(&object(name), &b""[..]).await.expect_err(name);
        assert!(matches!(error, VaultError::Name { .. }), "{error}");
    }
    assert!(!scratch.root.join("brussels").exists(), "nothing was made");
}

#[tokio::test]
async fn bytes_that_are_not_what_was_announced_are_not_stored() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let mut announced = object("a.zip");
    announced.sha256 = Some(Sha256::of(b"what it should be"));
    let error = vault.put(&announced, &b"what it is"[..]).await.expect_err("the hash is wrong");
    assert!(matches!(error, VaultError::Changed { .. }), "{error}");
    assert_eq!(vault.list(&cluster()).await.expect("it lists"), []);
    assert_eq!(std::fs::read_dir(scratch.root.join("brussels/a1")).expect("the folder").count(), 0);
}

#[tokio::test]
async fn damage_and_loss_are_found() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let damaged = vault.put(&object("a.zip"), &b"content"[..]).await.expect("it is stored");
    let lost = vault.put(&object("b.zip"), &b"more"[..]).await.expect("it is stored");
    let folder = scratch.root.join("brussels/a1");
    std::fs::write(folder.join(damaged.file_name()), b"c0ntent").expect("it can be written");
    std::fs::remove_file(folder.join(lost.file_name())).expect("it can be removed");
    let verdicts = vault.verify(&cluster()).await.expect("it verifies");
    assert_eq!(
        verdicts,
        [(damaged, Verdict::Damaged { actual: Sha256::of(b"c0ntent") }), (lost, Verdict::Lost)]
    );
}

#[tokio::test]
async fn an_object_that_was_cut_off_does_not_exist() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let folder = scratch.root.join("brussels/a1");
    std::fs::create_dir_all(&folder).expect("it can be made");
    std::fs::write(folder.join(".a.zip.part"), b"half").expect("it can be written");
    std::fs::write(folder.join("0123456789ab-a.zip"), b"no index").expect("it can be written");
    assert_eq!(vault.list(&cluster()).await.expect("it lists"), []);
    vault.put(&object("a.zip"), &b"whole"[..]).await.expect("it is stored over the leftover");
    assert_eq!(vault.list(&cluster()).await.expect("it lists").len(), 1);
}

#[tokio::test]
async fn a_vault_whose_folder_is_gone_says_so() {
    let scratch = scratch();
    let error = Vault::open(&scratch.root.join("not/mounted")).expect_err("its parent is not there");
    assert!(matches!(error, VaultError::Missing { .. }), "{error}");
    let vault = Vault::open(&scratch.root).expect("a new vault");
    std::fs::remove_dir(&scratch.root).expect("it can be removed");
    let error = vault.put(&object("a.zip"), &b"content"[..]).await.expect_err("the folder is gone");
    assert!(matches!(error, VaultError::Missing { .. }), "{error}");
    let error = vault.list(&cluster()).await.expect_err("an absent vault is not an empty one");
    assert!(matches!(error, VaultError::Missing { .. }), "{error}");
}

/// A reader that fails as a full disk does.
struct Failing(io::ErrorKind);

impl AsyncRead for Failing {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Err(self.0.into()))
    }
}

#[tokio::test]
async fn a_full_disk_and_a_lost_connection_leave_nothing_behind() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let error =
        vault.put(&object("a.zip"), Failing(io::ErrorKind::StorageFull)).await.expect_err("the disk is full");
    assert!(matches!(error, VaultError::Full { .. }), "{error}");
    let error =
        vault.put(&object("a.zip"), Failing(io::ErrorKind::ConnectionReset)).await.expect_err("it was cut");
    assert!(matches!(error, VaultError::Io { doing: "receiving", .. }), "{error}");
    assert_eq!(std::fs::read_dir(scratch.root.join("brussels/a1")).expect("the folder").count(), 0);
}

#[test]
fn urls_name_a_folder() {
    for wrong in ["", "s3://bucket", "file://", "/var/vault"] {
        assert!(matches!(Vault::open_url(wrong), Err(VaultError::Url { .. })), "{wrong}");
    }
}

#[tokio::test]
async fn equal_objects_of_two_agents_are_both_offered() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let mut stored = Vec::new();
    for agent in ["a1", "a2"] {
        let object = NewObject { agent: agent.parse().expect("an Agent name"), ..object("a.zip") };
        stored.push(vault.put(&object, &b"content"[..]).await.expect("it is stored"));
    }
    assert_eq!(vault.copies(&cluster(), &stored[0].sha256).await.expect("they are there"), stored);
    let other = dataminer_schema::id::Sha256::of(b"another");
    assert!(matches!(vault.copies(&cluster(), &other).await, Err(VaultError::NotFound { .. })));
}

/// A look at the vault names what cannot be read, and shows the rest; a backup that is itself JSON is no index.
#[tokio::test]
async fn one_bad_index_entry_is_named_and_written_anew_with_its_object() {
    let scratch = scratch();
    let vault = Vault::open(&scratch.root).expect("a new vault");
    let good = vault.put(&object("a.json"), &b"[]"[..]).await.expect("it is stored");
    let bad = vault.put(&object("b.zip"), &b"other"[..]).await.expect("it is stored");
    let index = scratch.root.join("brussels/a1").join(format!("{}.json", bad.file_name()));
    std::fs::write(&index, b"{").expect("it can be written");
    let census = vault.census(&cluster()).await.expect("it looks");
    assert_eq!(census.objects, [good]);
    assert_eq!(census.unreadable.len(), 1);
    assert!(census.unreadable[0].to_string().contains("b.zip.json"), "{:?}", census.unreadable);
    assert!(vault.objects(&cluster()).await.is_err(), "a plan is not made upon half a vault");
    vault.put(&object("b.zip"), &b"other"[..]).await.expect("it is stored");
    assert_eq!(vault.objects(&cluster()).await.expect("whole again").len(), 2);
    assert_eq!(vault.clusters().await.expect("it looks"), [cluster()]);
}
