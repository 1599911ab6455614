use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

mod notations;
mod orders;
mod packages;
mod releases;
mod rows;

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
        ("v10.5.0", "it does not start with numbers", "did you mean \"10.5.0\"?"),
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
        ("10.5.0CU9", "`CU9` cannot be read", "did you mean \"10.5.0 CU9\"?"),
        ("10.5.0 9", "`9` cannot be read", "write for example"),
        ("10.5.0.0-1-2024-release", "`-2024-release` cannot be read", "write for example"),
        ("10.5.0.0.0", "`.0` cannot be read", "write for example"),
        ("HF_10.0.7.0(CU0)_2020", "`_2020` cannot be read", "write for example"),
        ("10.05.0", "one of its numbers starts with a zero", "write for example"),
        ("2026-12-20", "this is a date", "write for example"),
        ("10.5.0\n", "cannot be read", "did you mean \"10.5.0\"?"),
    ] {
        let error = text.parse::<Version>().expect_err(text);
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(error.help().contains(help), "{text}: {}", error.help());
    }
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
