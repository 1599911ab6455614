use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Version {
    text.parse().unwrap_or_else(|error: VersionError| panic!("{text}: {}", error.with_help()))
}

#[test]
fn every_notation_is_read() {
    for (text, name) in [
        ("10.5.0 CU9", "10.5.0 CU9"),
        ("10.5.0 [CU9]", "10.5.0 CU9"),
        ("10.5.0[CU9]", "10.5.0 CU9"),
        ("10.3.0[CU8]", "10.3.0 CU8"),
        ("10.5 [CU6]", "10.5.0 CU6"),
        ("10.5 (CU1)", "10.5.0 CU1"),
        ("10.5 CU1", "10.5.0 CU1"),
        ("10.5.0 (CU9)", "10.5.0 CU9"),
        ("10.5.0-CU9", "10.5.0 CU9"),
        ("10.4.0-CU4", "10.4.0 CU4"),
        ("10.5.0", "10.5.0"),
        ("10.5.12", "10.5.12"),
        ("10.5.12 CU2", "10.5.12 CU2"),
        ("10.5.2 [CU1]", "10.5.2 CU1"),
        ("10.5.0.0-16782", "10.5.0 (build 16782)"),
        ("10.5.0.0 - 16782", "10.5.0 (build 16782)"),
        ("10.5.0.0 – 16782 CU11", "10.5.0 CU11 (build 16782)"),
        ("10.5.0.0 — 16782", "10.5.0 (build 16782)"),
        ("10.1.0.0 - 11229 CU10", "10.1.0 CU10 (build 11229)"),
        ("10.2.0.0-11897-CU4", "10.2.0 CU4 (build 11897)"),
        ("10.0.3.0-CU0", "10.0.3 CU0"),
        ("10.5.5.0(CU0)-15664", "10.5.5 CU0 (build 15664)"),
        ("1.2.3.4(CU186)-99999999", "1.2.3.4 CU186 (build 99999999)"),
        ("10.5.4.0-15588-20250319-release", "10.5.4 (build 15588)"),
        ("10.4.0.0-14772-20240821-release", "10.4.0 (build 14772)"),
        ("10.4.0.0-14772-20240821-Release", "10.4.0 (build 14772)"),
        ("10.4.0.0-14772-20240821-custom", "10.4.0 (hotfix) (build 14772)"),
        ("HF_10.0.7.0(CU0)_20200520-135714", "10.0.7 CU0 (hotfix)"),
        ("HF_10.5.0.0(CU9)-16512_20251120-081500", "10.5.0 CU9 (hotfix) (build 16512)"),
        ("10.5.0 [CU4] build 16239", "10.5.0 CU4 (build 16239)"),
        ("10.5.0 CU12 (build 16889)", "10.5.0 CU12 (build 16889)"),
        ("10.3.3.7-5687", "10.3.3.7 (build 5687)"),
        ("9.0.3.7-5687", "9.0.3.7 (build 5687)"),
        ("9.6.0 CU10", "9.6.0 CU10"),
        ("10.0.13", "10.0.13"),
        (" 10.5.12 ", "10.5.12"),
    ] {
        let version = read(text);
        assert_eq!(version.to_string(), name, "{text}");
        assert_eq!(read(name), version, "{name}");
    }
}

#[test]
fn what_is_no_version_says_what_to_write() {
    for (text, message, help) in [
        (
            "10.5",
            "two numbers name a line, not a release",
            "write \"10.5.0 CU0\" (or another CU) for the Main Release",
        ),
        ("10.5-16782", "two numbers name a line, not a release", "write \"10.5.0 CU0\""),
        ("", "it is empty", "write for example"),
        ("10", "it does not start with numbers", "write for example"),
        ("latest", "it does not start with numbers", "write for example"),
        ("v10.5.0", "it does not start with numbers", "write for example"),
        ("10.5.2521.130", "this is the file version of a program", "the release that Cube shows"),
        ("10.4.2343.27106", "this is the file version of a program", "the release that Cube shows"),
        ("10.5.14", "there is no Feature Release 14", "write for example"),
        ("10.5.0 CU9999", "one of its numbers is too large", "write for example"),
        ("10.5.99999999999", "one of its numbers is too large", "write for example"),
        ("10.5.0.0-123456789", "`-123456789` cannot be read", "write for example"),
        ("10.5.0 [CU9] CU10", "it names two CUs that differ", "write for example"),
        ("10.5.0 (build 1) (build 2)", "`(build 2)` cannot be read", "write for example"),
        ("10.5.0 [CU9", "`[CU9` cannot be read", "write for example"),
        ("10.5.0 [CU]", "`CU` cannot be read", "write for example"),
        ("10.5.0 beta", "`beta` cannot be read", "write for example"),
        ("10.5.0CU9", "`CU9` cannot be read", "write for example"),
        ("10.5.0 9", "`9` cannot be read", "write for example"),
        ("10.5.0.0-1-2024-release", "`-2024-release` cannot be read", "write for example"),
        ("10.5.0.0.0", "`.0` cannot be read", "write for example"),
        ("HF_10.0.7.0(CU0)_2020", "`_2020` cannot be read", "write for example"),
        ("10.05.0", "one of its numbers starts with a zero", "write for example"),
        ("2026-12-20", "it does not start with numbers", "write for example"),
        ("10.5.0\n", "cannot be read", "write for example"),
    ] {
        let error = text.parse::<Version>().expect_err(text);
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(error.help().contains(help), "{text}: {}", error.help());
    }
}

#[test]
fn a_long_text_is_refused_and_not_repeated_whole() {
    let error = "1".repeat(100_000).parse::<Version>().expect_err("too long");
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn accessors_tell_track_and_parts() {
    let version = read("10.5.12.0(CU2)-16999");
    assert_eq!((version.major(), version.minor(), version.feature(), version.week()), (10, 5, 12, 0));
    assert_eq!((version.track(), version.cu(), version.build()), (Track::Feature, Some(2), Some(16999)));
    assert_eq!(version.release_name(), "10.5.12 CU2");
    assert_eq!(read("10.5.0 CU9").track(), Track::Main);
    assert_eq!(version.line().to_string(), "10.5.12");
    assert_eq!(version.clone().without_build(), read("10.5.12 CU2"));
    assert_eq!(Version::new(10, 5, 0).with_cu(9).with_build(1), read("10.5.0.0-1-CU9"));
}

#[test]
fn lines_order_as_the_product_orders_them() {
    let mut lines: Vec<Line> =
        ["10.6.0", "10.5.1", "10.5.0", "9.6.0", "10.5.12", "10.10.0"].map(|text| read(text).line()).into();
    lines.sort();
    let shown: Vec<String> = lines.iter().map(Line::to_string).collect();
    assert_eq!(shown, ["9.6.0", "10.5.0", "10.5.1", "10.5.12", "10.6.0", "10.10.0"]);
}

#[test]
fn what_two_texts_say_is_put_together() {
    let named = read("10.5.0.0-16500");
    let said = read("10.5.0 CU9");
    assert!(named.agrees_with(&said) && said.agrees_with(&named));
    assert_eq!(said.completed_by(&named), read("10.5.0 CU9 (build 16500)"));
    for (one, other) in [("10.5.0 CU9", "10.5.0 CU10"), ("10.5.0.0-1", "10.5.0.0-2"), ("10.5.0", "10.5.1")] {
        assert!(!read(one).agrees_with(&read(other)), "{one} {other}");
    }
}

/// D2, with the examples of `domain/01 section 3`.
#[test]
fn month_indices_compare_fixes_across_tracks() {
    let index = |text: &str| read(text).month_index().map(|MonthIndex(index)| index);
    for group in [
        ["10.5.12", "10.5.0 CU9", "10.4.0 CU21"],
        ["10.6.3", "10.6.0 CU0", "10.5.0 CU12"],
        ["10.6.9", "10.6.0 CU6", "10.5.0 CU18"],
        ["10.4.7", "10.4.0 CU4", "10.3.0 CU16"],
        ["10.5.4", "10.5.0 CU1", "10.4.0 CU13"],
        // The shift of the 10.0 line.
        ["10.1.8", "10.1.0 CU5", "10.0.0 CU16"],
        ["10.1.12", "10.1.0 CU9", "10.0.0 CU20"],
    ] {
        assert_eq!(index(group[0]), index(group[1]), "{group:?}");
        assert_eq!(index(group[0]), index(group[2]), "{group:?}");
    }
    assert_eq!(index("10.5.12"), Some(72));
    assert_eq!(index("10.5.12 CU2"), Some(72));
    assert_eq!(index("10.5.0 CU18"), Some(81));
    assert_eq!(index("10.0.0 CU10"), Some(13));
    assert_eq!(index("10.0.0 CU11"), Some(15));
    assert_eq!(index("10.5.0"), None);
    assert_eq!(index("9.6.0 CU99"), Some(0));
    assert_eq!(index("9.6.0"), Some(0));
    assert!(index("10.0.1") > Some(0) && index("11.0.0 CU0") > index("10.12.0 CU30"));
}

/// All releases that have a page of release notes: they are read, and the formula holds for each.
#[test]
fn every_known_release_is_read_and_stands_beside_its_counterparts() {
    let mut count = 0;
    for row in include_str!("releases.tsv").lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [notation, track, cu, beside] = cells.as_slice() else { panic!("four cells: {row}") };
        let version = read(notation);
        let cu: u16 = cu.parse().expect("the CU is a number");
        assert_eq!(version.cu().unwrap_or(0), cu, "{notation}");
        assert_eq!(
            version.track(),
            if *track == "main" { Track::Main } else { Track::Feature },
            "{notation}"
        );
        let whole = if version.cu().is_some() { version.clone() } else { version.clone().with_cu(0) };
        for other in beside.split("; ").filter(|other| !other.is_empty()).map(read) {
            let other = if other.cu().is_some() { other } else { other.with_cu(0) };
            // The data carries the plain formula; the 10.0 line leaves it at CU11.
            let shifted = [&whole, &other].iter().any(|version| {
                version.line() == Version::new(10, 0, 0).line() && version.cu().is_some_and(|cu| cu >= 11)
            });
            if !shifted {
                assert_eq!(whole.month_index(), other.month_index(), "{notation} {other}");
            }
        }
        count += 1;
    }
    assert_eq!(count, 243);
}

#[test]
fn package_names_are_read_with_their_odd_cases() {
    for (file, version, kind, channel) in [
        (
            "DataMiner 10.5.5.0-15596 Full Upgrade (rc) GER-99162 PS-19 - random text.dmupgrade",
            "10.5.5 (build 15596)",
            PackageKind::Full,
            ReleaseChannel::Candidate,
        ),
        (
            "DataMiner 10.5.6.0-15384 Full Upgrade.dmupgrade",
            "10.5.6 (build 15384)",
            PackageKind::Full,
            ReleaseChannel::Standard,
        ),
        (
            "DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (internal).dmupgrade",
            "10.5.5 CU0 (build 15664)",
            PackageKind::Full,
            ReleaseChannel::Internal,
        ),
        (
            "DataMiner 1.2.3.4(CU186)-99999999 Full Upgrade (blabla).dmupgrade",
            "1.2.3.4 CU186 (build 99999999)",
            PackageKind::Full,
            ReleaseChannel::Standard,
        ),
        (
            "DataMiner 10.4.0.0-15634 Web Upgrade (internal).dmupgrade",
            "10.4.0 (build 15634)",
            PackageKind::Web,
            ReleaseChannel::Internal,
        ),
        // The pattern is not anchored.
        (
            "copy of DataMiner X DataMiner 10.5.6.0-15384 Full Upgrade.dmupgrade",
            "10.5.6 (build 15384)",
            PackageKind::Full,
            ReleaseChannel::Standard,
        ),
    ] {
        let name: PackageName = file.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (name.version.to_string().as_str(), name.kind, name.channel),
            (version, kind, channel),
            "{file}"
        );
        let any: PackageFile = file.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(any, PackageFile { kind, version: Some(name.version) });
    }
}

#[test]
fn tools_have_free_names_and_other_files_are_refused() {
    for file in [
        "VerifyClusterPorts.dmupgrade",
        "NATSMigration - Prerequisite only.dmupgrade",
        "DataMiner 10.5.6 Full Upgrade.dmupgrade",
    ] {
        assert_eq!(file.parse(), Ok(PackageFile { kind: PackageKind::Tool, version: None }), "{file}");
        assert!(matches!(file.parse::<PackageName>(), Err(PackageNameError::NoRelease(_))), "{file}");
    }
    assert_eq!(
        "DataMiner 10.5.0.0(CU10)-16600 Update.dmupdate".parse(),
        Ok(PackageFile { kind: PackageKind::Update, version: Some(read("10.5.0 CU10 (build 16600)")) })
    );
    for file in ["a.zip", "DataMiner 10.5.6.0-15384 Full Upgrade.DMUPGRADE", "x.dmupgrade.part"] {
        assert!(matches!(file.parse::<PackageFile>(), Err(PackageNameError::Extension(_))), "{file}");
    }
    for file in ["../x.dmupgrade", "C:\\x.dmupgrade", "a\nb.dmupgrade", "a|b.dmupgrade"] {
        assert!(matches!(file.parse::<PackageFile>(), Err(PackageNameError::NotAFileName(_))), "{file}");
    }
}

#[test]
fn serde_takes_texts_only() {
    assert_eq!(serde_json::from_str::<Version>("\"10.5.0 [CU9]\"").ok(), Some(read("10.5.0 CU9")));
    assert_eq!(
        serde_json::to_string(&read("10.5.0.0-16500")).ok().as_deref(),
        Some("\"10.5.0 (build 16500)\"")
    );
    for number in ["10.5", "10", "true", "null", "[]"] {
        let error = serde_json::from_str::<Version>(number).expect_err(number).to_string();
        assert!(error.contains("a version in quotes"), "{error}");
    }
    let error = serde_json::from_str::<Version>("\"10.5\"").expect_err("10.5 is a line").to_string();
    assert!(error.contains("10.5.0 CU0"), "{error}");
}

#[test]
fn web_apps_wanted_are_read() {
    assert_eq!("unmanaged".parse(), Ok(WebWanted::Unmanaged));
    assert_eq!("bundled".parse(), Ok(WebWanted::Bundled));
    assert_eq!("10.5.12".parse(), Ok(WebWanted::Version(read("10.5.12"))));
    assert!("Bundled".parse::<WebWanted>().is_err());
}

/// Any version that a text can tell.
fn versions() -> impl Strategy<Value = Version> {
    let numbers = (0_u16..=999, 0_u16..=999, 0_u16..=13, 0_u16..=99);
    (numbers, proptest::option::of(0_u16..=999), proptest::option::of(0_u32..=99_999_999), any::<bool>())
        .prop_map(|((major, minor, feature, week), cu, build, hotfix)| Version {
            line: Line { major, minor, feature },
            week,
            cu,
            build,
            hotfix,
        })
}

proptest! {
    #[test]
    fn printing_and_reading_is_a_round_trip(version in versions()) {
        prop_assert_eq!(version.to_string().parse(), Ok(version));
    }

    /// Over the same part of the ordering that D2 covers, more CUs never mean fewer fixes.
    #[test]
    fn the_month_index_grows_with_the_cu(version in versions(), more in 1_u16..20) {
        let Some(cu) = version.cu() else { return Ok(()) };
        let later = version.clone().with_cu(cu + more);
        prop_assert!(later.month_index() >= version.month_index());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,90}") {
        let read = text.parse::<Version>();
        prop_assert!(read.is_ok() || read.is_err_and(|error| !error.help().is_empty()));
    }

    /// The pattern for editors must not refuse what the reader takes.
    #[test]
    fn what_is_read_matches_the_published_pattern(
        text in "(HF_)?10\\.[0-9](\\.[0-9]{1,2}){0,2}( ?\\[CU[0-9]{1,2}\\]| ?\\(CU[0-9]\\)|[ -]CU[0-9])?( ?\\(hotfix\\))?( ?[-–—] ?[0-9]{5}| build [0-9]{5}| ?\\(build [0-9]{5}\\))?([ -]CU[0-9]| ?\\[CU[0-9]\\])?(-[0-9]{8}-(release|rc)|_[0-9]{8}-[0-9]{6})?"
    ) {
        let pattern = regex_of(VERSION_PATTERN);
        if text.parse::<Version>().is_ok() {
            prop_assert!(pattern.is_valid(&serde_json::Value::from(text.as_str())), "{}", text);
        }
    }
}

/// A validator for a pattern, as editors would use it; compiled once.
fn regex_of(pattern: &'static str) -> std::sync::Arc<jsonschema::Validator> {
    use std::sync::{Arc, Mutex, OnceLock};
    static COMPILED: OnceLock<Mutex<BTreeMap<&'static str, Arc<jsonschema::Validator>>>> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().expect("no test panics while compiling");
    let validator = compiled.entry(pattern).or_insert_with(|| {
        let schema = serde_json::json!({ "type": "string", "pattern": pattern });
        Arc::new(jsonschema::draft7::new(&schema).expect("the pattern is a regular expression"))
    });
    Arc::clone(validator)
}
