//! The names of packages (`domain/01`, "Package file names").

use super::*;

fn name(file: &str) -> PackageName {
    file.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn full(version: Version) -> PackageName {
    let (kind, channel) = (PackageKind::Full, ReleaseChannel::Standard);
    PackageName { version, kind, channel, change: None, patch_set: None }
}

#[test]
fn release_candidates_with_change_patch_set_and_free_text() {
    assert_eq!(
        name("DataMiner 10.5.5.0-15596 Full Upgrade (rc) GER-99162 PS-19 - random text.dmupgrade"),
        PackageName {
            channel: ReleaseChannel::Candidate,
            change: Some(99162),
            patch_set: Some(19),
            ..full(read("10.5.5 (build 15596)"))
        }
    );
}

#[test]
fn a_plain_name_leaves_the_cu_unknown() {
    let plain = name("DataMiner 10.5.6.0-15384 Full Upgrade.dmupgrade");
    assert_eq!(plain, full(read("10.5.6 (build 15384)")));
    assert_eq!(plain.version.cu(), None);
}

#[test]
fn internal_builds() {
    let internal = name("DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (internal).dmupgrade");
    assert_eq!((internal.version.cu(), internal.channel), (Some(0), ReleaseChannel::Internal));
}

#[test]
fn an_unknown_word_in_brackets_is_a_standard_build() {
    assert_eq!(
        name("DataMiner 1.2.3.4(CU186)-99999999 Full Upgrade (blabla).dmupgrade"),
        full(read("1.2.3.4 CU186 (build 99999999)"))
    );
    // The words count as they are written, and what follows an unknown one is free text.
    let upper = name("DataMiner 10.5.6.0-15384 Full Upgrade (RC) GER-1 PS-2.dmupgrade");
    assert_eq!((upper.channel, upper.change, upper.patch_set), (ReleaseChannel::Standard, None, None));
}

#[test]
fn web_packages() {
    let web = name("DataMiner 10.4.0.0-15634 Web Upgrade (internal).dmupgrade");
    assert_eq!((web.kind, web.channel), (PackageKind::Web, ReleaseChannel::Internal));
}

#[test]
fn change_and_patch_set_stand_alone_or_in_order() {
    for (tail, change, patch_set) in [
        (" GER-5", Some(5), None),
        (" PS-6", None, Some(6)),
        (" GER-5 PS-6", Some(5), Some(6)),
        (" PS-6 GER-5", None, Some(6)),
        (" GER- PS-6", None, None),
        (" GER-99999999999 PS-6", None, None),
        ("GER-5", None, None),
    ] {
        let read = name(&format!("DataMiner 10.5.6.0-15384 Full Upgrade{tail}.dmupgrade"));
        assert_eq!((read.change, read.patch_set), (change, patch_set), "{tail}");
    }
}

#[test]
fn the_pattern_is_not_anchored() {
    for file in [
        "copy of DataMiner X DataMiner 10.5.6.0-15384 Full Upgrade.dmupgrade",
        "DataMiner 10.5.14.0-1 DataMiner 10.5.6.0-15384 Full Upgrade.dmupgrade",
        "DataMinerDataMiner 10.5.6.0-15384 Full Upgrade-copy (2).dmupgrade",
        // The vendor's pattern takes any blank.
        "DataMiner\u{a0}10.5.6.0-15384\u{a0}Full\u{a0}Upgrade.dmupgrade",
    ] {
        assert_eq!(name(file).version, read("10.5.6 (build 15384)"), "{file}");
    }
}

#[test]
fn special_purposes_have_free_names() {
    for file in [
        "VerifyClusterPorts.dmupgrade",
        "10.5 VerifyClusterPorts (2).dmupgrade",
        "VerifyGRPCConnection.dmupgrade",
        "EnableDotNetRemoting.dmupgrade",
        "NATSMigration.dmupgrade",
        "NATSMigration - Prerequisite only.dmupgrade",
        "NATSMigrationRollback.dmupgrade",
        // Three numbers, no build, another kind, other words: not the vendor's pattern.
        "DataMiner 10.5.6 Full Upgrade.dmupgrade",
        "DataMiner 10.5.6.0 Full Upgrade.dmupgrade",
        "DataMiner 10.5.6.0-15384 Partial Upgrade.dmupgrade",
        "DataMiner 10.5.6.0-15384 full upgrade.dmupgrade",
        "DataMiner  10.5.6.0-15384 Full Upgrade.dmupgrade",
        ".dmupgrade",
    ] {
        assert_eq!(file.parse(), Ok(PackageFile { kind: PackageKind::Tool, version: None }), "{file}");
        assert!(matches!(file.parse::<PackageName>(), Err(PackageNameError::NoRelease(_))), "{file}");
    }
}

/// Such a name must not pass for that of a tool: nobody would look at it again.
#[test]
fn a_release_that_cannot_be_is_not_a_tool() {
    for (file, why) in [
        ("DataMiner 10.5.14.0-16000 Full Upgrade.dmupgrade", "there is no Feature Release 14"),
        ("DataMiner 10.5.2521.130-16000 Full Upgrade.dmupgrade", "the file version of a program"),
        ("DataMiner 10.05.0.0-16000 Web Upgrade.dmupgrade", "starts with a zero"),
        ("DataMiner 10.5.0.0(CU1000)-16000 Full Upgrade.dmupgrade", "too large"),
        ("DataMiner 10.5.0.0-123456789 Full Upgrade.dmupgrade", "cannot be read"),
    ] {
        let error = file.parse::<PackageFile>().expect_err(file);
        assert!(matches!(error, PackageNameError::BadRelease { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn delta_packages() {
    for (file, version) in [
        ("DataMiner 10.5.0.0(CU10)-16600 Update.dmupdate", Some(read("10.5.0 CU10 (build 16600)"))),
        ("DataMiner 10.5.14.0-16000 Update.dmupdate", None),
        ("fixes.dmupdate", None),
    ] {
        assert_eq!(file.parse(), Ok(PackageFile { kind: PackageKind::Update, version }), "{file}");
        assert!(file.parse::<PackageName>().is_err(), "{file}");
    }
}

#[test]
fn the_extension_is_tested_letter_by_letter() {
    for file in [
        "a.zip",
        "DataMiner 10.5.6.0-15384 Full Upgrade",
        "DataMiner 10.5.6.0-15384 Full Upgrade.DMUPGRADE",
        "DataMiner 10.5.6.0-15384 Full Upgrade.dmUpgrade",
        "x.dmupgrade.part",
        "x.dmupgrade ",
        "",
    ] {
        assert!(matches!(file.parse::<PackageFile>(), Err(PackageNameError::Extension(_))), "{file}");
    }
}

#[test]
fn paths_and_what_windows_does_not_take_are_refused() {
    let long = format!("{}.dmupgrade", "x".repeat(300));
    for file in
        ["../x.dmupgrade", "C:\\x.dmupgrade", "a\nb.dmupgrade", "a|b.dmupgrade", "a\0.dmupgrade", &long]
    {
        assert!(matches!(file.parse::<PackageFile>(), Err(PackageNameError::NotAFileName(_))), "{file:?}");
    }
}

proptest! {
    #[test]
    fn what_a_name_says_is_read_back(
        version in super::versions(),
        web in any::<bool>(),
        channel in 0_usize..3,
        change in proptest::option::of(any::<u32>()),
        patch_set in proptest::option::of(any::<u32>()),
        free in "( - [a-z ]{0,20})?",
    ) {
        let build = version.build().unwrap_or(16500);
        let version = Version { hotfix: false, build: Some(build), ..version };
        let (a, b, c) = (version.major(), version.minor(), version.feature());
        let cu = version.cu().map(|cu| format!("(CU{cu})")).unwrap_or_default();
        let (word, channel) = [
            ("", ReleaseChannel::Standard),
            (" (rc)", ReleaseChannel::Candidate),
            (" (internal)", ReleaseChannel::Internal),
        ][channel];
        let kind = if web { PackageKind::Web } else { PackageKind::Full };
        let change_text = change.map(|number| format!(" GER-{number}")).unwrap_or_default();
        let patch_text = patch_set.map(|number| format!(" PS-{number}")).unwrap_or_default();
        let file = format!(
            "DataMiner {a}.{b}.{c}.{}{cu}-{build} {kind:?} Upgrade{word}{change_text}{patch_text}{free}.dmupgrade",
            version.week()
        );
        prop_assert_eq!(file.parse::<Version>(), Ok(version.clone()));
        prop_assert_eq!(file.parse(), Ok(PackageName { version, kind, channel, change, patch_set }));
    }
}
