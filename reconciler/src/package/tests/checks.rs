//! The checks of a package, taken out of it.

use super::{
    super::checks::{Check, NoChecks, checks},
    *,
};

fn of(bytes: &[u8], caps: &Caps) -> Result<Vec<Check>, Vec<FindingCode>> {
    checks(Cursor::new(bytes), caps).map_err(|why| match why {
        NoChecks::Refused(findings) => findings.iter().map(|finding| finding.code).collect(),
        NoChecks::Io(error) => panic!("memory reads: {error}"),
    })
}

/// Of a package whose Update.zip holds these members, stored and deflated: the same.
fn both(update: &[Member], caps: &Caps) -> Result<Vec<Check>, Vec<FindingCode>> {
    let (seekable, streamed) = (of(&package(update), caps), of(&package_deflated(update), caps));
    assert_eq!(seekable, streamed);
    seekable
}

fn check(file: &str, bytes: &str) -> Check {
    Check { file: file.to_owned(), bytes: bytes.as_bytes().to_vec() }
}

#[test]
fn checks_are_taken_out_and_nothing_else() {
    let mut update = full_update();
    update.push(deflated(r"Prerequisites/deeper/Helper.dll", "MZ no check"));
    update.push(stored(r"Prerequisites/readme.txt", "no check"));
    let found = both(&update, &Caps::DEFAULT);
    assert_eq!(
        found,
        Ok(vec![check("VerifyClusterPorts.dll", "MZ a"), check("VerifyNatsCluster.dll", "MZ b")])
    );
    assert_eq!(both(&web_update(), &Caps::DEFAULT), Ok(Vec::new()));
    let back = [deflated(r"PREREQUISITES\VerifyX.DLL", "MZ x")];
    assert_eq!(both(&back, &Caps::DEFAULT), Ok(vec![check("VerifyX.DLL", "MZ x")]));
}

#[test]
fn a_package_that_a_scan_refuses_gives_no_check() {
    let with = |member: Member| {
        let mut update = full_update();
        update.push(member);
        both(&update, &Caps::DEFAULT).expect_err("it is refused")
    };
    assert_eq!(with(stored(r"Prerequisites\..\..\evil.dll", "MZ"))[0], FindingCode::Escapes);
    assert!(
        with(stored("prerequisites/verifyclusterports.dll", "MZ other")).contains(&FindingCode::Ambiguous)
    );
    assert_eq!(of(b"no archive at all", &Caps::DEFAULT).map(|found| found.len()).ok(), None);
    assert_eq!(
        of(&zip(&[stored("Description.txt", "x")]), &Caps::DEFAULT),
        Err(vec![FindingCode::NoUpdateZip])
    );
    let lying =
        Member { listed_crc: Some(7), local_crc: Some(7), ..stored("Prerequisites/VerifyX.dll", "MZ") };
    assert_eq!(with(lying), [FindingCode::Damaged]);
    // Cut off in the middle.
    let whole = package_deflated(&full_update());
    assert!(of(&whole[..whole.len() / 2], &Caps::DEFAULT).is_err());
}

#[test]
fn checks_out_of_proportion_are_refused() {
    let update = full_update();
    let caps = Caps { check: 3, ..Caps::DEFAULT };
    assert_eq!(both(&update, &caps).expect_err("too long")[0], FindingCode::Bomb);
    let caps = Caps { checks: 7, ..Caps::DEFAULT };
    assert_eq!(both(&update, &caps).expect_err("too long together")[0], FindingCode::Bomb);
    let caps = Caps { prerequisites: 1, ..Caps::DEFAULT };
    assert_eq!(both(&update, &caps), Err(vec![FindingCode::TooManyMembers]));
}
