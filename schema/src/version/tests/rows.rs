//! The notations of `domain/01 section 1`, one test for each row of its table, and what must not be read.

use super::*;

/// Every text of a row, with what it means.
fn reads(rows: &[(&str, Version)]) {
    for (text, version) in rows {
        assert_eq!(&read(text), version, "{text}");
        assert_eq!(&read(&version.to_string()), version, "{text}");
    }
}

const fn v(a: u16, b: u16, c: u16) -> Version {
    Version::new(a, b, c)
}

fn hotfix(version: Version) -> Version {
    Version { hotfix: true, ..version }
}

fn week(week: u16, version: Version) -> Version {
    Version { week, ..version }
}

fn refusal(text: &str) -> (String, String) {
    let error = text.parse::<Version>().expect_err(text);
    (error.to_string(), error.help())
}

#[test]
fn row_1_version_history_with_date_and_kind() {
    reads(&[
        ("10.4.0.0-14772-20240821-release", v(10, 4, 0).with_build(14772)),
        ("10.5.4.0-15588-20250319-release", v(10, 5, 4).with_build(15588)),
        ("10.5.4.0-15588-20250319-Release", v(10, 5, 4).with_build(15588)),
        // Any other kind is no default build.
        ("10.5.4.0-15588-20250319-custom", hotfix(v(10, 5, 4).with_build(15588))),
    ]);
    assert_eq!(read("10.4.0.0-14772-20240821-release").cu(), None, "unknown, not CU0");
}

#[test]
fn row_2_hotfixes_in_the_version_history() {
    reads(&[
        ("HF_10.0.7.0(CU0)_20200520-135714", hotfix(v(10, 0, 7).with_cu(0))),
        ("HF_10.5.0.0(CU9)-16512_20251120-081500", hotfix(v(10, 5, 0).with_cu(9).with_build(16512))),
    ]);
    let (message, help) = refusal("Hotfix");
    assert!(message.contains("does not say which hotfix"), "{message}");
    assert!(help.contains("\"10.0.7 CU0 (hotfix)\""), "{help}");
}

#[test]
fn row_3_cu_in_square_brackets_or_none() {
    reads(&[
        ("10.5.0 [CU9]", v(10, 5, 0).with_cu(9)),
        ("10.5.0 [CU0]", v(10, 5, 0).with_cu(0)),
        ("10.5.2 [CU1]", v(10, 5, 2).with_cu(1)),
        ("10.3.0[CU8]", v(10, 3, 0).with_cu(8)),
        ("10.3.0 CU2", v(10, 3, 0).with_cu(2)),
        ("10.5 [CU6]", v(10, 5, 0).with_cu(6)),
        ("10.5 CU6", v(10, 5, 0).with_cu(6)),
        ("10.5.12 CU2", v(10, 5, 12).with_cu(2)),
    ]);
}

#[test]
fn row_4_cu_in_round_brackets() {
    reads(&[("10.4.0 (CU13)", v(10, 4, 0).with_cu(13)), ("10.5 (CU1)", v(10, 5, 0).with_cu(1))]);
}

#[test]
fn row_5_feature_releases() {
    reads(&[("10.5.12", v(10, 5, 12)), ("10.6.1", v(10, 6, 1)), ("10.0.13", v(10, 0, 13))]);
    for feature in 1..=13 {
        assert_eq!(read(&format!("10.0.{feature}")).track(), Track::Feature);
    }
    assert!(refusal("10.5.14").0.contains("there is no Feature Release 14"));
}

#[test]
fn row_6_blank_dash_blank_before_the_build() {
    reads(&[
        ("10.3.0.0 - 12752", v(10, 3, 0).with_build(12752)),
        ("10.1.0.0 - 11229 CU10", v(10, 1, 0).with_cu(10).with_build(11229)),
        ("10.4.0.0 - 14003", v(10, 4, 0).with_build(14003)),
        ("10.5.2.0 - 15323", v(10, 5, 2).with_build(15323)),
        // The dashes of the release notes' typesetting (`design/02`).
        ("10.5.0.0 – 16782 CU11", v(10, 5, 0).with_cu(11).with_build(16782)),
        ("10.5.0.0 — 16782", v(10, 5, 0).with_build(16782)),
    ]);
}

#[test]
fn row_7_version_build_cu() {
    reads(&[("10.2.0.0-11897-CU4", v(10, 2, 0).with_cu(4).with_build(11897))]);
}

#[test]
fn row_8_version_cu_without_build() {
    reads(&[("10.0.3.0-CU0", v(10, 0, 3).with_cu(0))]);
}

#[test]
fn row_9_three_numbers_dash_cu() {
    reads(&[("10.4.0-CU4", v(10, 4, 0).with_cu(4))]);
}

#[test]
fn row_10_cu_and_the_word_build() {
    reads(&[
        ("10.5.0 [CU4] build 16239", v(10, 5, 0).with_cu(4).with_build(16239)),
        ("10.5.0 CU12 (build 16889)", v(10, 5, 0).with_cu(12).with_build(16889)),
    ]);
}

#[test]
fn row_11_version_build_without_blanks() {
    reads(&[
        ("10.4.5.0-14225", v(10, 4, 5).with_build(14225)),
        ("10.0.11.0-9451", v(10, 0, 11).with_build(9451)),
        ("10.6.1.0-16647", v(10, 6, 1).with_build(16647)),
    ]);
}

#[test]
fn row_12_names_of_packages() {
    reads(&[
        ("DataMiner 10.0.12.0-9536 Full Upgrade (rc)", v(10, 0, 12).with_build(9536)),
        ("DataMiner 10.0.12.0-9536 Full Upgrade (rc).dmupgrade", v(10, 0, 12).with_build(9536)),
        (
            "DataMiner 10.5.5.0(CU0)-15664 Full Upgrade (internal).dmupgrade",
            v(10, 5, 5).with_cu(0).with_build(15664),
        ),
        ("DataMiner 10.4.0.0-15634 Web Upgrade", v(10, 4, 0).with_build(15634)),
        // Longer than any other notation may be.
        (
            "DataMiner 10.5.5.0-15596 Full Upgrade (rc) GER-99162 PS-19 - random text that goes on.dmupgrade",
            v(10, 5, 5).with_build(15596),
        ),
    ]);
    for name in
        ["VerifyClusterPorts.dmupgrade", "DataMiner 10.5.0.0(CU10)-16600 Update.dmupdate", "x.dmupgrade"]
    {
        let (message, help) = refusal(name);
        assert!(message.contains("does not say which release it installs"), "{message}");
        assert!(help.contains("Full or Web Upgrade package"), "{help}");
    }
}

#[test]
fn rows_13_and_14_file_versions_are_no_releases() {
    for text in ["10.4.2343.27106", "10.4.2425.2536", "10.5.2521.130"] {
        let (message, help) = refusal(text);
        assert!(message.contains("this is the file version of a program"), "{message}");
        assert!(help.contains("programs and Cube count by year and week"), "{help}");
        assert!(help.contains("the release that Cube shows"), "{help}");
    }
}

#[test]
fn row_15_very_old_builds_keep_their_week() {
    reads(&[
        ("10.3.3.7-5687", week(7, v(10, 3, 3).with_build(5687))),
        ("9.0.3.7-5687", week(7, v(9, 0, 3).with_build(5687))),
    ]);
}

#[test]
fn row_16_thresholds_are_several_releases() {
    for (text, members) in [
        ("10.2.0/10.1.8", "\"10.2.0\" or \"10.1.8\""),
        ("10.3.0 [CU8]/10.3.11", "\"10.3.0 CU8\" or \"10.3.11\""),
        ("10.4.0 [CU21]/10.5.0 [CU9]/10.5.12", "\"10.4.0 CU21\" or \"10.5.0 CU9\" or \"10.5.12\""),
        ("10.2.7 / 10.2.0 [CU14]", "\"10.2.7\" or \"10.2.0 CU14\""),
    ] {
        let (message, help) = refusal(text);
        assert!(message.contains("a release of each track, not one release"), "{message}");
        assert!(help.ends_with(members), "{help}");
    }
    assert!(refusal("10.2.0/x").0.contains("`/x` cannot be read"));
}

/// What stands in the place of a version where YAML or a spreadsheet made something else of it.
#[test]
fn dates_and_words_are_named() {
    for text in ["2026-12-20", "2026-12-20T10:00:00Z", "2026-12-20 10:00"] {
        let (message, help) = refusal(text);
        assert!(
            message.ends_with("this is a date") && help.contains("no release is named by its day"),
            "{message}"
        );
    }
    for text in ["true", "False", "yes", "NO", "on", "null", "~"] {
        let (message, help) = refusal(text);
        assert!(message.ends_with("this is a word that YAML knows, not a release"), "{message}");
        assert!(help.contains("\"10.5.12\""), "{help}");
    }
}

#[test]
fn a_text_that_is_nearly_a_version_gets_it_proposed() {
    for (text, meant) in [
        ("v10.5.0", "10.5.0"),
        ("V10.5.12 CU2", "10.5.12 CU2"),
        ("DataMiner 10.5.0 [CU9]", "10.5.0 CU9"),
        ("DataMiner version 10.5.12", "10.5.12"),
        ("10.5.0 cu9", "10.5.0 CU9"),
        ("10.5.0CU9", "10.5.0 CU9"),
        ("10.5.0 CU 9", "10.5.0 CU9"),
        ("10.5.0\u{a0}[CU9]", "10.5.0 CU9"),
        ("10.5.0\n", "10.5.0"),
        ("DataMiner 10.5.4.0-15588-20250319-release", "10.5.4 (build 15588)"),
    ] {
        assert_eq!(refusal(text).1, format!("did you mean \"{meant}\"?"), "{text:?}");
    }
}

#[test]
fn hostile_texts_are_refused_in_few_printable_words() {
    let long = "1".repeat(100_000);
    let long_package = format!("DataMiner 10.5.0.0-16500 Full Upgrade {}", "x".repeat(100_000));
    let dots = "10.".repeat(20);
    for (text, message) in [
        (long.as_str(), "it is too long"),
        (long_package.as_str(), "it is too long"),
        ("１０.５.０", "it holds digits other than 0 to 9"),
        ("10.5.٣", "it holds digits other than 0 to 9"),
        ("10.5.0 CU９", "it holds digits other than 0 to 9"),
        ("4294967296.5.0", "one of its numbers is too large"),
        ("10.5.99999999999", "one of its numbers is too large"),
        ("1000.5.0", "one of its numbers is too large"),
        ("10.5.0 CU99999", "one of its numbers is too large"),
        ("10.5.0 (build 4294967296)", "one of its numbers is too large"),
        ("10.5.0.0-123456789", "`-123456789` cannot be read"),
        (dots.as_str(), "cannot be read"),
        ("10.5.0\0CU9", "`\u{fffd}CU9` cannot be read"),
        ("\u{202e}9UC 0.5.01", "it does not start with numbers"),
        ("10.5.0 \u{1b}[31m", "`\u{fffd}[31m` cannot be read"),
    ] {
        let (said, help) = refusal(text);
        assert!(said.contains(message), "{said}");
        assert!(said.chars().count() < 300 && !help.is_empty(), "{said}");
        assert!(said.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{said:?}");
    }
}
