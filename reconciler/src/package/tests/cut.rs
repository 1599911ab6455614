//! Packages without one member (G2).

use std::io::Read;

use dataminer_schema::id::Sha256;

use super::{
    super::cut::{Cut, NoCut},
    zip_bytes::around_a_large_member,
    *,
};

const CHECK: &str = r"Update.zip\Prerequisites\VerifyNatsCluster.dll";

fn cut(bytes: &[u8]) -> Result<(Cut, Vec<u8>), NoCut> {
    let open = || Ok(Cursor::new(bytes));
    let cut = Cut::of(open, CHECK, &Caps::DEFAULT)?;
    let mut copy = Vec::new();
    cut.reader(open).expect("memory opens").read_to_end(&mut copy).expect("memory reads");
    assert_eq!((cut.size, &cut.sha256), (copy.len() as u64, &Sha256::of(&copy)));
    Ok((cut, copy))
}

/// Every member of an archive with its bytes, by a library that shares nothing with our reader.
fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    (0..archive.len())
        .map(|at| {
            let mut member = archive.by_index(at).expect("a member");
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("whole, with its checksum");
            (member.name().expect("a readable name").into_owned(), bytes)
        })
        .collect()
}

fn update_of(package: &[u8]) -> Vec<u8> {
    let found = members(package).into_iter().find(|(name, _)| name == "Update.zip");
    found.expect("Update.zip is there").1
}

/// Update.zip with everything that writers do: descriptors, backslashes, folders, stored and deflated members.
fn odd_update() -> Vec<Member> {
    let mut update = full_update();
    update[6] = Member { descriptor: true, ..deflated(r"prerequisites\verifynatscluster.DLL", "MZ b") };
    update[1] = Member { descriptor: true, ..update[1].clone() };
    update.push(deflated("Files/\u{e9}.txt", "last"));
    update.last_mut().expect("it was pushed").flags = 1 << 11;
    update
}

#[test]
fn g2_the_copy_lacks_that_member_and_nothing_else() {
    for update in [full_update(), odd_update()] {
        for (package, name) in [(package(&update), "stored"), (package_deflated(&update), "deflated")] {
            let (made, copy) = cut(&package).expect("it can be made");
            assert_eq!(made.removed, 1);
            let rest = |all: Vec<(String, Vec<u8>)>| -> Vec<_> {
                all.into_iter().filter(|(name, _)| name != "Update.zip").collect()
            };
            assert_eq!(rest(members(&copy)), rest(members(&package)), "{name}");
            let mut expected = members(&update_of(&package));
            expected.retain(|(name, _)| !name.to_lowercase().contains("verifynatscluster"));
            assert_eq!(members(&update_of(&copy)), expected, "{name}");
            assert_eq!(expected.len(), update.len() - 1);
            // A scan finds nothing wrong with it that was not wrong before.
            let before = codes(&look(&package, FULL));
            let after = codes(&look(&copy, FULL));
            assert!(after.iter().all(|code| before.contains(code)), "{name}: {after:?}, {before:?}");
            assert_eq!(cut(&copy).expect("it can be read").0.removed, 0);
        }
    }
}

/// Both digests are pinned, so the second must be the same wherever the copy is made.
#[test]
fn g2_the_copy_is_the_same_however_its_package_was_compressed_and_read() {
    let (stored, copy) = cut(&package(&full_update())).expect("it can be made");
    let (deflated, other) = cut(&package_deflated(&full_update())).expect("it can be made");
    assert_eq!((stored.sha256, copy), (deflated.sha256.clone(), other.clone()));
    // In small pieces, and from the middle on.
    let bytes = package_deflated(&full_update());
    let mut reader = deflated.reader(|| Ok(Cursor::new(&bytes))).expect("memory opens");
    let mut pieces: Vec<u8> = Vec::new();
    let mut buffer = [0; 7];
    loop {
        match reader.read(&mut buffer).expect("memory reads") {
            0 => break,
            count => pieces.extend(&buffer[..count]),
        }
    }
    assert_eq!(pieces, other);
}

#[test]
fn g2_a_package_that_never_had_it_stays_as_it_is() {
    for whole in [package(&web_update()), package_deflated(&web_update())] {
        let (made, copy) = cut(&whole).expect("it can be read");
        assert_eq!((made.removed, copy), (0, whole));
    }
}

#[test]
fn g2_what_a_scan_refuses_is_not_copied() {
    let mut update = full_update();
    update.push(stored(r"..\evil.dll", "MZ"));
    assert!(matches!(cut(&package(&update)), Err(NoCut::Refused(_))));
    assert!(matches!(cut(b"no archive"), Err(NoCut::Refused(_))));
    let whole = package_deflated(&full_update());
    assert!(cut(&whole[..whole.len() / 2]).is_err());
    let mut behind = package(&full_update());
    behind.extend(b"more");
    assert!(cut(&behind).is_err(), "bytes behind the archive");
}

#[test]
fn g2_zip64_is_told_and_not_mistaken() {
    let inner = zip(&full_update());
    let crc = zip_bytes::crc_of(&inner);
    let (mut bytes, tail) = around_a_large_member("Update.zip", inner.len() as u64, crc, &[]);
    bytes.extend(&inner);
    bytes.extend(tail);
    match cut(&bytes) {
        Err(NoCut::Unfit(why)) => assert!(why.contains("zip64"), "{why}"),
        other => panic!("it should have been refused: {other:?}"),
    }
}
