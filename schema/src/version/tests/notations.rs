//! Print-parse round trips: whatever a notation can say of a version is read back from it.

use super::*;

/// `version` in each notation of `domain/01 section 1` that can say all of it.
fn spellings(version: &Version) -> Vec<String> {
    let Version { line: Line { major: a, minor: b, feature: c }, week, cu, build, hotfix } = version.clone();
    let three = format!("{a}.{b}.{c}");
    let four = format!("{three}.{week}");
    let lines = if week == 0 { vec![four.clone(), three] } else { vec![four.clone()] };
    let mut spelt = Vec::new();
    match (cu, build, hotfix) {
        (None, Some(build), false) => {
            spelt.push(format!("{four}-{build}-20240821-release"));
            spelt.push(format!("{four}-{build}"));
            spelt.push(format!("{four} - {build}"));
            spelt.push(format!("{four} – {build}"));
            spelt.push(format!("DataMiner {four}-{build} Full Upgrade (rc)"));
        }
        (None, Some(build), true) => {
            spelt.push(format!("{four}-{build}-20240821-custom"));
            spelt.push(format!("HF_{four}-{build}_20200520-135714"));
        }
        (Some(cu), None, true) => spelt.push(format!("HF_{four}(CU{cu})_20200520-135714")),
        (Some(cu), Some(build), true) => spelt.push(format!("HF_{four}(CU{cu})-{build}_20200520-135714")),
        (Some(cu), None, false) => {
            for line in &lines {
                for form in ["[CU]", " [CU]", "(CU)", " (CU)", " CU", "-CU", " - CU"] {
                    spelt.push(format!("{line}{}", form.replace("CU", &format!("CU{cu}"))));
                }
            }
            if c == 0 && week == 0 {
                spelt.extend([
                    format!("{a}.{b} [CU{cu}]"),
                    format!("{a}.{b} (CU{cu})"),
                    format!("{a}.{b} CU{cu}"),
                ]);
            }
        }
        (Some(cu), Some(build), false) => {
            spelt.push(format!("{four} - {build} CU{cu}"));
            spelt.push(format!("{four}-{build}-CU{cu}"));
            spelt.push(format!("{four}(CU{cu})-{build}"));
            spelt.push(format!("DataMiner {four}(CU{cu})-{build} Web Upgrade.dmupgrade"));
            spelt.extend(lines.iter().map(|line| format!("{line} [CU{cu}] build {build}")));
            spelt.extend(lines.iter().map(|line| format!("{line} CU{cu} (build {build})")));
        }
        (None, None, false) => spelt.extend(lines),
        (None, None, true) => spelt.extend(lines.iter().map(|line| format!("{line} (hotfix)"))),
    }
    spelt
}

proptest! {
    #[test]
    fn every_notation_is_a_round_trip(version in versions()) {
        let pattern = regex_of(VERSION_PATTERN);
        for text in spellings(&version) {
            prop_assert_eq!(text.parse::<Version>(), Ok(version.clone()), "{}", text);
            prop_assert!(pattern.is_valid(&serde_json::Value::from(text.as_str())), "{}", text);
        }
    }

    #[test]
    fn printing_and_reading_is_a_round_trip(version in versions()) {
        prop_assert_eq!(version.to_string().parse(), Ok(version.clone()));
        prop_assert_eq!(version.release_name().parse(), Ok(Version { hotfix: false, build: None, ..version }));
    }

    /// Whatever is read stays what it is, in every notation that can say it.
    #[test]
    fn what_is_read_is_a_fixed_point(text in near_notations()) {
        if let Ok(version) = text.parse::<Version>() {
            for spelt in spellings(&version) {
                prop_assert_eq!(spelt.parse::<Version>(), Ok(version.clone()), "{} {}", text, spelt);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in prop_oneof!["\\PC{0,90}", near_notations(), ".{0,40}"]) {
        match text.parse::<Version>() {
            Ok(version) => prop_assert_eq!(version.to_string().parse(), Ok(version)),
            Err(error) => {
                prop_assert!(!error.help().is_empty() && error.with_help().chars().count() < 500, "{}", error);
                prop_assert!(!error.with_help().contains(char::is_control), "{:?}", error);
            }
        }
        prop_assert!(text.parse::<PackageFile>().is_ok() || text.parse::<PackageName>().is_err());
    }

    /// What is proposed instead can be written, and is another text than the one refused.
    #[test]
    fn proposals_are_versions(text in near_notations()) {
        if let Err(error) = text.parse::<Version>()
            && let Some(meant) = error.help().strip_prefix("did you mean \"")
        {
            let meant = meant.trim_end_matches("\"?");
            prop_assert!(meant.parse::<Version>().is_ok() && meant != text, "{} {}", text, meant);
        }
    }

    /// The pattern for editors must not refuse what the reader takes.
    #[test]
    fn what_is_read_matches_the_published_pattern(text in near_notations()) {
        let pattern = regex_of(VERSION_PATTERN);
        if text.parse::<Version>().is_ok() {
            prop_assert!(pattern.is_valid(&serde_json::Value::from(text.as_str())), "{}", text);
        }
    }
}

/// Texts put together from the pieces of notations, so that many are read and many are just off.
fn near_notations() -> impl Strategy<Value = String> {
    let head = "(HF_|DataMiner |DataMiner\u{a0}|v| )?(9|10)\\.[0-9](\\.[0-9]{1,2}){0,2}";
    let piece = prop_oneof![
        "[ -]?[\\[(]?CU[0-9]{1,4}[\\])]?",
        "( ?[-–—] ?|)[0-9]{5}",
        "-[0-9]{8}-(release|rc|)",
        "_[0-9]{8}-[0-9]{6}",
        " ?\\(?build [0-9]{5}\\)?",
        Just(" (hotfix)".to_owned()),
        " (Full|Web) Upgrade( \\(rc\\)| \\(internal\\))?( GER-[0-9]{1,6})?( PS-[0-9]{1,3})?",
        Just(".dmupgrade".to_owned()),
        Just("/10.5.12".to_owned()),
        "\\PC{0,3}",
    ];
    (head, proptest::collection::vec(piece, 0..4)).prop_map(|(head, pieces)| head + &pieces.concat())
}
