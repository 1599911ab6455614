use super::*;

fn disk() -> (tempfile::TempDir, Arc<Disk>) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path().to_owned(), 1000, Clock::new(1.0, None));
    (folder, disk)
}

fn path(text: &str) -> WinPath {
    WinPath::fixed(text)
}

#[tokio::test]
async fn names_are_found_whatever_their_case() {
    let (_folder, disk) = disk();
    disk.write(&path(r"C:\Skyline DataMiner\DMS.xml"), b"x").unwrap();
    assert_eq!(disk.read(&path(r"c:\skyline dataminer\dms.XML"), 10).unwrap(), b"x");
    disk.write(&path(r"C:\SKYLINE DATAMINER\dms.xml"), b"y").unwrap();
    assert_eq!(disk.list(&path(r"C:\Skyline DataMiner")).unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_held_by_a_redirection_refuses_a_second_writer_and_deletion() {
    let (_folder, disk) = disk();
    let lock = path(r"C:\active.lock");
    let held = disk.open(&lock, OpenHow::replace()).unwrap();
    assert_eq!(disk.open(&lock, OpenHow::append()).err(), Some(DiskError::Sharing));
    assert_eq!(disk.remove_file(&lock), Err(DiskError::Sharing));
    assert_eq!(disk.rename(&lock, &path(r"C:\other"), true), Err(DiskError::Sharing));
    assert!(disk.read(&lock, 10).is_ok());
    drop(held);
    disk.remove_file(&lock).unwrap();
}

#[tokio::test]
async fn space_is_counted_and_runs_out() {
    let (_folder, disk) = disk();
    let file = path(r"C:\big.bin");
    disk.write(&file, &[0; 600]).unwrap();
    assert_eq!(disk.free(), 400);
    disk.write(&file, &[0; 700]).unwrap();
    assert_eq!(disk.free(), 300);
    assert_eq!(disk.append(&file, &[0; 301]), Err(DiskError::Full));
    disk.remove_file(&file).unwrap();
    assert_eq!(disk.free(), 1000);
}

#[tokio::test]
async fn a_link_out_of_the_tree_does_not_exist() {
    let (folder, disk) = disk();
    std::os::unix::fs::symlink("/etc", folder.path().join("way-out")).unwrap();
    assert!(!disk.exists(&path(r"C:\way-out\passwd")));
    assert_eq!(disk.read(&path(r"C:\WAY-OUT\passwd"), 10), Err(DiskError::PathNotFound));
}

#[tokio::test]
async fn renaming_needs_consent_to_replace() {
    let (_folder, disk) = disk();
    disk.write(&path(r"C:\a"), b"1").unwrap();
    disk.write(&path(r"C:\b"), b"2").unwrap();
    assert_eq!(disk.rename(&path(r"C:\a"), &path(r"C:\b"), false), Err(DiskError::Exists));
    disk.rename(&path(r"C:\a"), &path(r"C:\b"), true).unwrap();
    assert_eq!(disk.read(&path(r"C:\b"), 10).unwrap(), b"1");
    assert!(!disk.exists(&path(r"C:\a")));
}

#[tokio::test]
async fn virtual_time_stamps_files() {
    let folder = tempfile::tempdir().unwrap();
    let start = "2026-03-01T10:00:00Z".parse().unwrap();
    let disk = Disk::new(folder.path().to_owned(), 1000, Clock::new(1.0, Some(start)));
    disk.write(&path(r"C:\a"), b"1").unwrap();
    let modified = jiff::Timestamp::try_from(disk.entry(&path(r"C:\a")).unwrap().modified).unwrap();
    assert_eq!(modified.as_second(), start.as_second());
}

/// Found where two Agents synchronised a dashboard while a test read it: an open that truncates shows half a file.
#[tokio::test]
async fn a_reader_sees_the_old_file_or_the_new_one_and_never_a_part() {
    let (_folder, disk) = disk();
    let file = path(r"C:\Skyline DataMiner\Dashboards\a.json");
    disk.write(&file, &[b'a'; 400]).unwrap();
    let writer = Arc::clone(&disk);
    let target = file.clone();
    let writing = std::thread::spawn(move || {
        for turn in 0..2000_u32 {
            let letter = if turn.is_multiple_of(2) { b'b' } else { b'a' };
            writer.write(&target, &[letter; 400]).unwrap();
        }
    });
    while !writing.is_finished() {
        let bytes = disk.read(&file, 1000).unwrap();
        assert!(bytes.len() == 400 && bytes.iter().all(|byte| *byte == bytes[0]), "{bytes:?}");
    }
    writing.join().unwrap();
    assert_eq!(disk.free(), 600);
}
