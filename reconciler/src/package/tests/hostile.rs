//! Archives made to harm, or harmed: each is refused or told, none costs more than it weighs.

use proptest::prelude::*;

use super::*;
use FindingCode::*;

/// The findings of a package whose Update.zip holds these members beside its own, stored and deflated: the same.
fn with_inner(more: Vec<Member>) -> Vec<FindingCode> {
    let mut members = web_update();
    members.extend(more);
    let (seekable, streamed) = (look(&package(&members), WEB), look(&package_deflated(&members), WEB));
    assert_eq!(codes(&seekable), codes(&streamed), "{seekable:#?} {streamed:#?}");
    codes(&seekable)
}

/// The findings of a package with these members beside its own.
fn with_outer(more: Vec<Member>) -> Vec<FindingCode> {
    let mut members = outer(stored("Update.zip", zip(&web_update())));
    members.extend(more);
    codes(&look(&zip(&members), WEB))
}

#[test]
fn names_that_lead_elsewhere_are_refused_wherever_they_stand() {
    for name in [
        "../evil.dll",
        r"..\evil.dll",
        r"Files\..\..\evil.dll",
        "/evil",
        r"\\server\share\evil",
        "C:/evil",
        "c:evil",
    ] {
        assert_eq!(with_outer(vec![stored(name, "x")])[0], Escapes, "{name}");
        assert_eq!(with_inner(vec![stored(name, "x")])[0], Escapes, "{name}");
    }
    for name in ["Files/a.dll:stream", "Files/NUL", "Files/com1.txt", "Files/a\nb", "Files/a.", "Files/a?b"] {
        assert_eq!(with_inner(vec![stored(name, "x")]), [BadMemberName], "{name:?}");
    }
}

#[test]
fn members_that_come_twice_are_told() {
    assert_eq!(with_inner(vec![stored("Files/a", "1"), stored("Files/a", "2")]), [Duplicate]);
    assert_eq!(with_inner(vec![stored("Files/a", "1"), stored("FILES/A", "2")]), [DuplicateCase]);
    assert_eq!(with_inner(vec![stored("updatecontent.TXT", "Kill\r\n")])[0], Ambiguous);
    assert_eq!(with_outer(vec![stored("UPDATE.ZIP", zip(&[]))])[0], Ambiguous);
    assert_eq!(with_inner(vec![stored("Files/a", "1"), stored(r"Files\b", "2")]), [MixedSeparators]);
    assert_eq!(with_inner(vec![stored("Update.zip", "PK")]), [NestedAgain]);
    let mut latin = stored("Files/", "");
    latin.name.extend(b"\xe9.txt");
    assert_eq!(with_inner(vec![latin]), [NameEncoding]);
}

#[test]
fn what_cannot_be_opened_is_refused() {
    assert_eq!(with_inner(vec![Member { flags: 1, ..stored("Files/a", "secret") }]), [Encrypted]);
    assert_eq!(with_inner(vec![Member { method: 14, ..stored("Files/a", "lzma") }]), [Method]);
    let link = Member { made_by: 3, attributes: 0o120_777 << 16, ..stored("Files/a", "/etc/passwd") };
    assert_eq!(with_inner(vec![link.clone()]), [LinkInside]);
    assert_eq!(with_outer(vec![link]), [LinkInside]);
    let members = outer(Member { flags: 1, ..stored("Update.zip", zip(&web_update())) });
    assert_eq!(codes(&look(&zip(&members), WEB)), [Encrypted]);
    let unread = Member { method: 9, ..stored("UpdateContent.txt", "Kill") };
    let inspection = look(&package(&[unread]), WEB);
    assert_eq!(codes(&inspection), [Method, NoFingerprint]);
    assert_eq!(inspection.update.and_then(|update| update.restart), None, "not read is not known");
    let members = outer(Member { method: 9, ..stored("Update.zip", zip(&web_update())) });
    assert_eq!(codes(&look(&zip(&members), WEB)), [Method]);
}

#[test]
fn a_directory_that_lies_is_refused() {
    for lie in [
        Member { local_name: Some(b"Files/b".to_vec()), ..stored("Files/a", "bytes") },
        Member { local_size: Some(4), ..deflated("Files/a", "bytes") },
        Member { local_crc: Some(7), ..stored("Files/a", "bytes") },
        Member { listed_size: Some(6), ..deflated("Files/a", "bytes") },
        Member { listed_crc: Some(7), ..stored("Files/a", "bytes") },
    ] {
        assert_eq!(with_inner(vec![lie.clone()]), [Disagreement], "{lie:?}");
    }
    // The own header in the directory, or nowhere.
    let wrong_place = Member { listed_offset: Some(1), ..stored("Files/a", "bytes") };
    assert!(look(&package(&[web_update(), vec![wrong_place.clone()]].concat()), WEB).refused());
    assert!(look(&package_deflated(&[web_update(), vec![wrong_place]].concat()), WEB).refused());
    // A member that only a program sees that does not read the directory.
    let unlisted = Member { listed: false, ..stored("UpdateContent.txt", "Format C:\r\n") };
    let members = [web_update(), vec![unlisted]].concat();
    assert_eq!(codes(&look(&package(&members), WEB)), [Hidden]);
    assert_eq!(codes(&look(&package_deflated(&members), WEB))[0], Disagreement);
}

#[test]
fn members_over_each_other_are_refused() {
    let first = stored("Files/a", "bytes");
    let over = Member { listed_offset: Some(0), ..stored("Files/b", "bytes") };
    let found = codes(&look(&package(&[vec![first], vec![over], web_update()].concat()), WEB));
    assert!(found.contains(&Overlap), "{found:?}");
}

#[test]
fn bombs_are_refused_before_they_unpack() {
    // Claims 3 GiB and holds little.
    let claims = Member { listed_size: Some(3 << 30), local_size: Some(3 << 30), ..deflated("Files/a", "x") };
    let found = with_inner(vec![claims]);
    assert!(found.contains(&Bomb) && found.contains(&Disagreement), "{found:?}");
    // Really unpacks: a megabyte of zeros a thousand times over would pass a check of claims alone.
    let zeros = vec![0_u8; 8 << 20];
    let caps = Caps { inflated: 1 << 20, ..Caps::DEFAULT };
    let bytes = zip(&outer(deflated("Update.zip", zip(&[stored("Files/zeros.dll", &zeros)]))));
    let inspection = inspect(Cursor::new(&bytes), WEB, &caps);
    assert_eq!(codes(&inspection), [Bomb]);
    assert_eq!(inspection.update, None);
    let caps = Caps { claimed: 1 << 20, ..Caps::DEFAULT };
    assert_eq!(codes(&inspect(Cursor::new(&bytes), WEB, &caps)), [Bomb]);
    let caps = Caps { members: 2, ..Caps::DEFAULT };
    assert_eq!(codes(&inspect(Cursor::new(package(&[])), WEB, &caps)), [TooManyMembers]);
    let caps = Caps { members: 3, ..Caps::DEFAULT };
    for bytes in [package(&full_update()), package_deflated(&full_update())] {
        assert_eq!(codes(&inspect(Cursor::new(bytes), FULL, &caps)), [TooManyMembers]);
    }
    let caps = Caps { directory: 64, ..Caps::DEFAULT };
    assert_eq!(codes(&inspect(Cursor::new(package(&web_update())), WEB, &caps)), [TooManyMembers]);
    let long = "x".repeat(1025);
    assert!(with_inner(vec![stored(&long, "")]).contains(&TooManyMembers));
}

#[test]
fn an_archive_inside_an_archive_is_never_opened() {
    // Only Update.zip of the package itself is; the bytes of Cube.zip are not even an archive.
    assert_eq!(with_inner(vec![stored("Webpages/DataMinerCubeStandalone/Cube.zip", "PK\x03\x04 or so")]), []);
}

#[test]
fn bytes_around_an_archive_are_told() {
    let bytes = package(&web_update());
    assert_eq!(codes(&look(&[b"#!/bin/sh\n", bytes.as_slice()].concat(), WEB)), [Prefix]);
    assert_eq!(codes(&look(&[bytes.as_slice(), b"more"].concat(), WEB)), [Trailing]);
    let inner = zip(&web_update());
    let around = |inner: Vec<u8>| {
        let (seekable, streamed) =
            (zip(&outer(stored("Update.zip", &inner))), zip(&outer(deflated("Update.zip", &inner))));
        (codes(&look(&seekable, WEB)), codes(&look(&streamed, WEB)))
    };
    let (seekable, streamed) = around([inner.as_slice(), b"more"].concat());
    assert_eq!((seekable, streamed), (vec![Trailing], vec![Trailing]));
    let (seekable, streamed) = around([b"more", inner.as_slice()].concat());
    assert_eq!((seekable, streamed), (vec![Prefix], vec![Damaged]));
    // A second archive behind the first: programs that read from the front see another one.
    let two = [bytes.as_slice(), bytes.as_slice()].concat();
    assert!(!codes(&look(&two, WEB)).is_empty());
    // An end inside the comment of an end.
    let mut commented = bytes.clone();
    let end = bytes.len() - 22;
    commented[end + 20] = 22;
    commented.extend(&bytes[end..]);
    assert!(look(&commented, WEB).refused());
}

#[test]
fn broken_copies_are_told_from_other_files() {
    let bytes = package(&full_update());
    for cut in [bytes.len() / 2, bytes.len() - 1, 40] {
        assert_eq!(codes(&look(&bytes[..cut], FULL)), [CutOff], "{cut}");
    }
    assert_eq!(codes(&look(b"", FULL)), [Empty]);
    assert_eq!(codes(&look(b"MZ\x90 a program", FULL)), [NotAZip]);
    assert_eq!(codes(&look(b"\r\n<!DOCTYPE html><html>Sign in</html>", FULL)), [WebPage]);
    let mut changed = bytes.clone();
    let at = changed.windows(9).position(|part| part == b"MZ engine").expect("it is stored");
    changed[at] ^= 1;
    assert_eq!(codes(&look(&changed, FULL)), [Damaged]);
    // Somewhere inside the deflated Update.zip.
    let streamed = package_deflated(&full_update());
    let mut changed = streamed.clone();
    changed[streamed.len() / 2] ^= 0x55;
    assert!(look(&changed, FULL).refused());
    let with_hole = [&bytes[..100], &bytes[110..]].concat();
    assert!(look(&with_hole, FULL).refused());
}

/// Found by fuzzing: as much of the text was kept as had come out before the damage, more or less of it from a reader
/// that gives more or fewer bytes at once.
#[test]
fn a_damaged_description_is_none() {
    let mut bytes = package(&full_update());
    let at =
        bytes.windows(15).position(|part| part == b"Description.txt").expect("it is the first member") + 15;
    for byte in &mut bytes[at + 8..at + 12] {
        *byte ^= 0xff;
    }
    let inspection = look(&bytes, FULL);
    assert_eq!(
        (inspection.description.as_deref(), inspection.refused()),
        (None, true),
        "{:?}",
        inspection.findings
    );
}

#[test]
fn a_member_without_a_known_end_leaves_the_rest_unknown() {
    let blind = Member { descriptor: true, ..stored("Files/a.txt", "bytes") };
    let members = [vec![blind], web_update()].concat();
    assert_eq!(codes(&look(&package(&members), WEB)), [], "the directory tells");
    let streamed = look(&package_deflated(&members), WEB);
    assert_eq!(codes(&streamed), [NotFollowed]);
    assert_eq!(streamed.update, None);
    assert!(!streamed.refused());
}

/// Packages that the property changes.
fn samples() -> Vec<Vec<u8>> {
    let mut with_descriptors = full_update();
    with_descriptors.iter_mut().for_each(|member| member.descriptor = true);
    vec![
        package(&full_update()),
        package_deflated(&full_update()),
        package(&with_descriptors),
        package_deflated(&with_descriptors),
        // Inside a stored member every change reaches the inner structures.
        zip(&with_descriptors),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 600, ..ProptestConfig::default() })]

    /// Whatever happens to a package, the answer is an inspection or findings; what is not found was not changed where it matters.
    #[test]
    fn a_changed_package_never_panics(
        sample in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        insert in prop::option::of((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..40))),
    ) {
        let mut bytes = samples()[sample].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some((at, more)) = insert {
            let at = at.index(bytes.len());
            bytes.splice(at..at, more);
        }
        if let Some(at) = cut {
            bytes.truncate(at.index(bytes.len()));
        }
        let inspection = look(&bytes, FULL);
        prop_assert!(inspection.update.is_some() || !inspection.findings.is_empty(), "nothing was said");
        prop_assert_eq!(inspection.size, bytes.len() as u64);
    }

    /// Noise is no package.
    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(look(&bytes, FULL).refused());
    }
}
