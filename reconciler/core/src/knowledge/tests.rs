use std::collections::BTreeSet;

use dataminer_schema::{
    diagnostic::Code,
    v1::knowledge::{Impact, Range, ReleaseKind, ReleaseStatus},
    version::{Track, Version},
};
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::{
    release::{OPEN_END, Release},
    testing::{Scenario, version},
};

fn exact(text: &str) -> Release {
    Release::exact(version(text)).expect("a CU")
}

fn built_in() -> &'static Knowledge {
    Knowledge::built_in()
}

fn only(core: &Release) -> Software<'_> {
    Software { core, web: None }
}

/// Whether the built-in issue has this core.
fn has(id: &str, core: &Release) -> Option<bool> {
    affects(built_in().issue(id).expect("the issue is known"), only(core))
}

fn file(path: &str, spec: &str) -> SourceFile {
    let text = format!(
        "apiVersion: dataminer.gitops/v1\nkind: ReleaseKnowledge\nmetadata: {{ name: {path} }}\nspec:\n{spec}"
    );
    SourceFile { path: format!("{path}.yaml"), bytes: text.into_bytes() }
}

#[test]
fn the_built_in_knowledge_has_no_fault_and_is_whole() {
    let (documents, diagnostics) = builtin::judged();
    assert_eq!(diagnostics, []);
    let facts: Vec<&Facts> = documents.iter().map(|located| &located.value.facts).collect();
    let count = |of: fn(&Facts) -> usize| facts.iter().map(|facts| of(facts)).sum::<usize>();
    assert_eq!(count(|facts| facts.releases.len()), 488);
    assert_eq!(count(|facts| facts.builds.len()), 28);
    assert_eq!(count(|facts| facts.support.len()), 5);
    assert_eq!(count(|facts| facts.prerequisites.len()), 17);
    assert_eq!(count(|facts| facts.known_issues.len()), 127);
    assert_eq!(count(|facts| facts.breaking_changes.len()), 69);
    assert_eq!(built_in().issues().count(), 127);
    assert_eq!(built_in().breaking_changes().count(), 69);
    assert_eq!(built_in().prerequisites().count(), 17);
    assert_eq!((count(|facts| facts.side_effects.len()), built_in().side_effects().count()), (11, 11));
    assert_eq!(built_in().core_releases().count() + built_in().client_releases().count(), 488);
    assert_eq!(built_in().revision(), "2026-08-21");
}

#[test]
fn the_releases_are_those_that_the_documentation_lists() {
    let finals = built_in().final_releases();
    // 140 Main and 99 Feature pages of kind core, less 10.5.0 CU19, 10.6.0 CU7, 10.7.0 and 10.6.10 in progress.
    assert_eq!(finals.iter().filter(|release| release.track() == Track::Main).count(), 137);
    assert_eq!(finals.iter().filter(|release| release.track() == Track::Feature).count(), 98);
    let mains = [(10, 0, 21), (10, 1, 21), (10, 2, 21), (10, 3, 22), (10, 4, 21), (10, 5, 18), (10, 6, 6)];
    assert_eq!(built_in().main_releases(), mains);
    let of_kind = |kind, track| {
        let releases = built_in().core_releases().chain(built_in().client_releases());
        releases.filter(|fact| fact.kind == kind && fact.version.track() == track).count()
    };
    assert_eq!(
        (of_kind(ReleaseKind::Core, Track::Main), of_kind(ReleaseKind::Core, Track::Feature)),
        (140, 99)
    );
    assert_eq!((of_kind(ReleaseKind::Web, Track::Main), of_kind(ReleaseKind::Web, Track::Feature)), (73, 46));
    assert_eq!(
        (of_kind(ReleaseKind::Cube, Track::Main), of_kind(ReleaseKind::Cube, Track::Feature)),
        (73, 57)
    );
    assert!(finals.is_sorted_by_key(|release| (release.line(), release.cu())));
}

#[test]
fn every_release_in_the_data_is_reachable() {
    for fact in built_in().core_releases() {
        assert_eq!(built_in().release(&fact.version), Some(fact));
        let found = built_in().final_releases().iter().any(|known| known.agrees_with(&fact.version));
        assert_eq!(found, fact.status == ReleaseStatus::Final, "{}", fact.version);
    }
    for fact in built_in().client_releases() {
        assert_eq!(built_in().client_release(fact.kind, &fact.version), Some(fact));
    }
    for (line, build, cu) in built_in().builds() {
        let release = Version::new(line.major, line.minor, line.feature).with_cu(cu);
        let builds: Vec<u32> = built_in().builds_of_release(&release).iter().map(|fact| fact.build).collect();
        assert!(builds.contains(&build), "{release}: {builds:?}");
        assert!(built_in().builds_of(line).any(|known| known == (build, cu)));
    }
    let again: Vec<u32> =
        built_in().builds_of_release(&version("10.5.0 CU4")).iter().map(|fact| fact.build).collect();
    assert_eq!(again, [15943, 16239]);
    assert_eq!(built_in().latest_final((10, 5), Track::Main), Some(&version("10.5.0 CU18")));
    assert_eq!(built_in().latest_final((10, 6), Track::Feature), Some(&version("10.6.9 CU0")));
    assert_eq!(built_in().release(&version("10.5.0")), None, "a Main Release without its CU is none");
    assert_eq!(built_in().release(&version("10.5.13")), None);
}

#[test]
fn each_title_is_short_and_each_fact_has_its_source() {
    let places = ["dataminer/", "release-notes/", "develop/", "domain/"];
    let sourced = |source: &str| assert!(places.iter().any(|place| source.starts_with(place)), "{source}");
    for issue in built_in().issues() {
        assert!((5..=70).contains(&issue.title.chars().count()), "{}: {}", issue.id, issue.title);
        sourced(&issue.source);
    }
    for change in built_in().breaking_changes() {
        assert!((5..=70).contains(&change.title.chars().count()), "{}: {}", change.id, change.title);
        sourced(&change.source);
    }
    for effect in built_in().side_effects() {
        assert!(
            (5..=130).contains(&effect.title.chars().count()) && !effect.title.ends_with('.'),
            "{}",
            effect.id
        );
        sourced(&effect.source);
    }
    built_in().prerequisites().for_each(|check| sourced(&check.source));
    built_in().core_releases().chain(built_in().client_releases()).for_each(|fact| sourced(&fact.source));
    let titles: BTreeSet<&str> = built_in().issues().map(|issue| issue.title.as_str()).collect();
    assert_eq!(titles.len(), 127, "a title tells its issue from the others");
}

#[test]
fn an_issue_is_read_in_the_band_and_on_the_track_of_the_release() {
    let table = [
        ("KI_Analytics_features_not_starting", "10.2.0 CU12", false),
        ("KI_Analytics_features_not_starting", "10.2.0 CU13", true),
        ("KI_Analytics_features_not_starting", "10.2.0 CU21", true),
        ("KI_Analytics_features_not_starting", "10.3.0 CU1", false),
        ("KI_Analytics_features_not_starting", "10.3.0 CU2", true),
        ("KI_Analytics_features_not_starting", "10.3.0 CU11", true),
        ("KI_Analytics_features_not_starting", "10.3.0 CU12", false),
        ("KI_Analytics_features_not_starting", "10.3.4", false),
        ("KI_Analytics_features_not_starting", "10.3.5", true),
        ("KI_Analytics_features_not_starting", "10.4.2", true),
        ("KI_Analytics_features_not_starting", "10.4.3", false),
        ("KI_Analytics_features_not_starting", "10.4.0 CU0", false),
        // Without a band: plain order over Main Releases; with one, the band alone.
        ("KI_Cassandra_cluster_data_not_offloaded", "10.1.0 CU3", true),
        ("KI_Cassandra_cluster_data_not_offloaded", "10.2.0 CU18", false),
        ("KI_Cassandra_cluster_data_not_offloaded", "10.3.0 CU5", true),
        ("KI_Cassandra_cluster_data_not_offloaded", "10.3.0 CU6", false),
        ("KI_Cassandra_cluster_data_not_offloaded", "10.4.0 CU0", false),
        // From one line to the next.
        ("KI_Failover_with_hostnames", "10.2.0 CU21", true),
        ("KI_Failover_with_hostnames", "10.3.0 CU10", true),
        ("KI_Failover_with_hostnames", "10.3.0 CU11", false),
        // A Feature Release's own CU is the fix.
        ("KI_Upgrade_to_1051_stuck", "10.5.1", true),
        ("KI_Upgrade_to_1051_stuck", "10.5.2", true),
        ("KI_Upgrade_to_1051_stuck", "10.5.2 CU1", false),
        ("KI_Upgrade_to_1051_stuck", "10.5.0 CU0", false),
        // A last release without a CU is all of it, unless the fix came in between.
        ("KI_SLNet_Deadlock_EPM_Setups", "10.3.10 CU1", true),
        ("KI_SLNet_Deadlock_EPM_Setups", "10.3.11", false),
        // Every release.
        ("KI_missing_NATS_services", "9.6.0 CU3", true),
        ("KI_missing_NATS_services", "10.6.9", true),
    ];
    for (id, release, expected) in table {
        assert_eq!(has(id, &exact(release)), Some(expected), "{id} on {release}");
    }
}

#[test]
fn an_unknown_cu_or_build_is_an_unknown_answer() {
    let between = |low, high| Release::between(Version::new(10, 3, 0), low, high);
    let id = "KI_Analytics_features_not_starting";
    assert_eq!(has(id, &between(3, 8)), Some(true));
    assert_eq!(has(id, &between(0, 1)), Some(false));
    assert_eq!(has(id, &between(1, 2)), None);
    assert_eq!(has(id, &between(0, OPEN_END)), None);
    // The ends agree, and the middle does not.
    assert_eq!(has(id, &between(1, 12)), None);
    // 10.5.0 CU4 came out again: build 16239 is right.
    let leak = "KI_ClusterEndpoint_SLNet_leak";
    assert_eq!(has(leak, &exact("10.5.0 CU4")), None);
    assert_eq!(has(leak, &exact("10.5.0 CU4 (build 15943)")), Some(true));
    assert_eq!(has(leak, &exact("10.5.0 CU4 (build 16239)")), Some(false));
    assert_eq!(has(leak, &exact("10.5.0 CU6")), Some(false));
    // Right again in a build that nobody names.
    let handles = "KI_SLNet_handle_leak_caused_by_SAML_authentication_and_SLHelper_startup";
    assert_eq!(has(handles, &exact("10.5.0 CU12 (build 17000)")), None);
    // Of some, no releases are known.
    assert_eq!(has("KI_DIS_unable_to_connect", &exact("10.5.0 CU4")), None);
}

#[test]
fn what_rules_decide_is_known() {
    let rules = built_in().rules();
    assert_eq!(rules.issues().count(), 7);
    for id in rules.issues() {
        assert!(built_in().issue(id).is_some(), "{id}");
    }
}

#[test]
fn a_condition_on_the_version_of_windows_has_its_builds() {
    use dataminer_schema::v1::knowledge::Condition;
    for issue in built_in().issues() {
        let asked = issue.conditions.contains(&Condition::WindowsVersion);
        assert_eq!(asked, !issue.windows.is_empty(), "{}", issue.id);
    }
}

#[test]
fn a_way_introduces_and_resolves_issues() {
    let (from, to) = (exact("10.5.0 CU10"), exact("10.6.0 CU1"));
    let between = built_in().issues_between(only(&from), only(&to));
    let ids = |issues: &[&dataminer_schema::v1::knowledge::KnownIssue]| -> Vec<String> {
        issues.iter().map(|issue| issue.id.clone()).collect()
    };
    assert!(ids(&between.introduced).contains(&"KI_Cube_Alarm_storm_prevention".to_owned()));
    assert!(ids(&between.resolved).contains(&"KI_DataMinerMessageBroker_TLS".to_owned()));
    // Issues of web apps hang on a level that nobody told.
    assert!(ids(&between.unknown).contains(&"KI_Scrollbars_not_shown_in_web_apps".to_owned()));
    let web = exact("10.5.12");
    let software = |core| Software { core, web: Some(&web) };
    let between = built_in().issues_between(software(&from), software(&to));
    assert!(!ids(&between.unknown).contains(&"KI_Scrollbars_not_shown_in_web_apps".to_owned()));
    let none = built_in().issues_between(only(&from), only(&from));
    assert_eq!((none.introduced.len(), none.resolved.len()), (0, 0));
}

#[test]
fn issues_of_a_way_are_those_of_both_ends() {
    let on = |from: &str, to: &str| {
        let (from, to) = (exact(from), exact(to));
        let (sure, _) = built_in().issues_on_the_way(only(&from), only(&to));
        sure.into_iter().map(|issue| issue.id.as_str()).collect::<BTreeSet<&str>>()
    };
    let snmp = "KI_SNMPv3_elements_broken_after_upgrade";
    assert!(on("10.4.0 CU6", "10.4.9").contains(snmp));
    assert!(!on("10.4.0 CU5", "10.4.9").contains(snmp));
    assert!(!on("10.4.0 CU6", "10.5.1").contains(snmp));
    let nats = "KI_Downgrade_fails_VerifyNatsIsRunning_prerequisite";
    assert!(on("10.4.0 CU6", "10.3.0 CU3").contains(nats));
    assert!(!on("10.3.0 CU3", "10.4.0 CU6").contains(nats));
    assert!(on("10.4.0 CU2", "10.5.5").contains("KI_DCOMConfig_flagged_as_virus"));
    assert!(!on("10.5.5", "10.4.0 CU2").contains("KI_DCOMConfig_flagged_as_virus"));
}

#[test]
fn breaking_changes_are_read_per_track_and_line() {
    let between = |from: &str, to: &str| {
        let between = built_in().breaking_changes_between(&exact(from), &exact(to));
        assert_eq!(between.unknown, Vec::<&dataminer_schema::v1::knowledge::BreakingChange>::new());
        let ids = |changes: Vec<&dataminer_schema::v1::knowledge::BreakingChange>| {
            changes.into_iter().map(|change| change.id.clone()).collect::<BTreeSet<String>>()
        };
        (ids(between.brought), ids(between.undone))
    };
    let (brought, undone) = between("10.5.0 CU16", "10.5.0 CU17");
    let expected = ["BC_45545", "BC_45579", "BC_45600"].map(str::to_owned);
    assert_eq!(brought, BTreeSet::from(expected.clone()));
    assert_eq!(undone, BTreeSet::new());
    assert_eq!(between("10.5.0 CU17", "10.5.0 CU16"), (BTreeSet::new(), BTreeSet::from(expected.clone())));
    // 10.6.0 CU4 has fewer fixes than 10.5.0 CU17: it takes these three back.
    let (brought, undone) = between("10.5.0 CU17", "10.6.0 CU4");
    assert!(brought.contains("BC_44136"));
    assert_eq!(undone, BTreeSet::from(expected));
    assert_eq!(between("10.5.9", "10.5.9").0, BTreeSet::new());
    let unknown = built_in()
        .breaking_changes_between(&Release::between(Version::new(10, 5, 0), 10, 18), &exact("10.6.0 CU6"));
    assert!(unknown.unknown.iter().any(|change| change.id == "BC_45545"));
}

#[test]
fn support_ends_by_and_by() {
    let at = |text: &str, day| built_in().support_at(&version(text), day);
    assert!(matches!(at("10.5.0 CU3", date(2026, 11, 20)), Support::Regular(_)));
    assert!(matches!(at("10.5.0 CU3", date(2026, 11, 21)), Support::Supported(_)));
    assert!(matches!(at("10.5.0", date(2028, 2, 26)), Support::Limited(_)));
    assert!(matches!(at("10.3.0 CU22", date(2027, 2, 27)), Support::Ended(_)));
    assert_eq!(at("10.2.0 CU21", date(2026, 11, 21)), Support::Unknown);
    assert_eq!(at("10.6.9", date(2026, 11, 21)), Support::LatestFeature);
    assert_eq!(at("10.6.8", date(2026, 11, 21)), Support::OlderFeature);
}

#[test]
fn prerequisites_and_requirements_are_those_of_the_target() {
    let of = |text: &str| {
        let release = exact(text);
        let (sure, perhaps) = built_in().prerequisites_of(&release);
        assert_eq!(perhaps.len(), 0);
        sure.into_iter().map(|check| check.id.clone()).collect::<BTreeSet<String>>()
    };
    assert!(of("10.6.0 CU0").contains("VerifyBrokerGatewayMigration"));
    assert!(!of("10.5.0 CU18").contains("VerifyBrokerGatewayMigration"));
    assert!(of("10.5.0 CU2").contains("VerifyNatsIsRunning"));
    assert!(!of("10.5.0 CU3").contains("VerifyNatsIsRunning"));
    assert!(of("10.3.0 CU12").contains("VerifyDotNetVersion"));
    assert!(!of("10.3.0 CU11").contains("VerifyDotNetVersion"));
    assert!(of("10.4.0 CU0").contains("VerifyDotNetVersion"));
    assert_eq!(of("9.6.0 CU0"), BTreeSet::new());
    let unknown = Release::between(Version::new(10, 5, 0), 2, 3);
    let (_, perhaps) = built_in().prerequisites_of(&unknown);
    assert!(perhaps.iter().any(|check| check.id == "VerifyNatsCluster"));

    let dotnet = |text: &str| {
        let row = built_in().dotnet_of(&exact(text));
        row.map(|row| row.needs.iter().map(|needed| needed.version.clone()).collect::<Vec<_>>())
    };
    assert_eq!(dotnet("10.5.0 CU10"), Some(vec!["4.8".to_owned(), "8.0".to_owned(), "10.0".to_owned()]));
    assert_eq!(dotnet("10.5.0 CU9"), Some(vec!["4.8".to_owned(), "8.0".to_owned()]));
    assert_eq!(dotnet("10.4.9"), Some(vec!["4.8".to_owned(), "6.0".to_owned(), "8.0".to_owned()]));
    assert_eq!(dotnet("10.1.0 CU3"), None, "the documentation does not say");
    let vcredist = |text: &str| built_in().vcredist_of(&exact(text)).map(|row| row.version.clone());
    assert_eq!(vcredist("10.6.0 CU0").as_deref(), Some("14.40.33816"));
    assert_eq!(vcredist("10.6.0 CU1").as_deref(), Some("14.44.35211.0"));
    assert_eq!(vcredist("10.2.0 CU17"), None);
    let ports = |text: &str| built_in().ports_of(&exact(text)).iter().any(|port| port.port == 9090);
    assert!(ports("10.5.0 CU18"));
    assert!(!ports("10.6.0 CU0"), "the legacy NATS is gone");
    assert_eq!(built_in().os_of(&exact("10.6.1")).map(|row| row.server), Some(2016));
    assert_eq!(built_in().os_of(&exact("10.4.1")), None);
}

#[test]
fn releases_correspond_by_their_month() {
    let names = |text: &str| {
        let found = built_in().counterparts(&version(text));
        found.into_iter().map(Version::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names("10.5.12"), ["10.4.0 CU21", "10.5.0 CU9"]);
    assert_eq!(names("10.5.0 CU9"), ["10.4.0 CU21", "10.5.12 CU0", "10.5.12 CU1", "10.5.12 CU2"]);
    assert_eq!(names("10.6.9"), ["10.5.0 CU18", "10.6.0 CU6"]);
    assert_eq!(names("10.5.0"), [""; 0], "without its CU nothing corresponds");
}

#[test]
fn a_user_adds_to_what_is_known_and_corrects_it() {
    let own = file(
        "own",
        "  releases: [{ version: 10.5.0 CU19, kind: Core, source: mail }]\n\
         \x20 builds:\n\
         \x20   - { build: 16889, release: 10.5.0 CU12, source: package }\n\
         \x20   - { build: 17100, release: 10.5.0 CU19, source: package }\n\
         \x20 knownIssues:\n\
         \x20   - id: OWN_1\n\
         \x20     title: Trouble of ours\n\
         \x20     component: Core\n\
         \x20     impact: Downtime\n\
         \x20     affects: [{ track: Main, from: 10.5.0 CU12, band: 10.5.0 }]\n\
         \x20     source: ticket\n\
         \x20   - id: KI_missing_NATS_services\n\
         \x20     title: Not seen here\n\
         \x20     component: Core\n\
         \x20     impact: Info\n\
         \x20     affects: [{ track: Feature, from: 10.5.1, to: 10.5.2 }]\n\
         \x20     source: ticket\n",
    );
    let knowledge = built_in().extended(&[own]).expect("there is no fault");
    assert!(knowledge.is_extended());
    assert_ne!(&knowledge, built_in());
    assert_eq!(knowledge.issues().count(), 128);
    assert_eq!(knowledge.issue("OWN_1").map(|issue| issue.impact), Some(Impact::Downtime));
    let nats = knowledge.issue("KI_missing_NATS_services").expect("it is known");
    assert_eq!(affects(nats, only(&exact("10.6.9"))), Some(false));
    assert_eq!(knowledge.main_releases().iter().find(|(_, b, _)| *b == 5), Some(&(10, 5, 19)));
    let catalog = crate::catalog::Catalog::unite(&[], &knowledge).expect("there is no conflict");
    assert_eq!(catalog.release_of(&version("10.5.0.0-17100")).name(), "10.5.0 CU19");
    assert_eq!(crate::catalog::Catalog::default().release_of(&version("10.5.0.0-17100")).cu(), None);
    // A third layer goes before the second.
    let more = file("more", "  builds: [{ build: 17100, release: 10.5.0 CU18, source: package }]\n");
    let knowledge = knowledge.extended(&[more]).expect("there is no fault");
    assert_eq!(knowledge.builds_of_release(&version("10.5.0 CU18")).len(), 1);
}

#[test]
fn a_user_corrects_a_rule_and_plans_follow_it() {
    let mut scenario = Scenario::new("10.3.0 CU10", "10.5.0 CU18");
    assert_eq!(scenario.way(), "10.4.0 CU21, 10.5.0 CU18");
    let own = file(
        "own",
        "  rules:\n    h12:\n      releases: [{ track: Main, from: 10.4.0 CU21, to: 10.4.0 CU21, band: 10.4.0 }]\n\
         \x20     instead: another release\n      source: ticket\n",
    );
    scenario.knowledge = built_in().extended(&[own]).expect("there is no fault");
    assert_eq!(scenario.way(), "10.4.0 CU20, 10.5.0 CU18");
}

#[test]
fn a_contradiction_is_refused_with_its_place() {
    let one = file("one", "  builds: [{ build: 17100, release: 10.5.0 CU18, source: a }]\n");
    let other = file(
        "other",
        "  builds:\n    - { build: 17100, release: 10.5.0 CU17, source: b }\n    - { build: 1, release: 10.5.0 CU77, source: b }\n",
    );
    let found = built_in().extended(&[one, other]).expect_err("one build is one release");
    let said: Vec<(Code, &str, usize)> =
        found.iter().map(|found| (found.code, found.path.as_str(), found.line)).collect();
    assert_eq!(said, [(Code::DuplicateFact, "other.yaml", 6), (Code::UnknownRelease, "other.yaml", 7)]);
}

proptest! {
    /// What an interval answers, each CU in it answers too.
    #[test]
    fn an_interval_answers_as_all_of_its_cus_do(low in 0_u16..24, length in 0_u16..6, minor in 0_u16..7, issue in 0_usize..127) {
        let issue = built_in().issues().nth(issue).expect("there are 127");
        let ranges: &[Range] = issue.affects.as_deref().unwrap_or_default();
        let line = Version::new(10, minor, 0);
        let interval = Release::between(line.clone(), low, low + length);
        let each: BTreeSet<Option<bool>> = (low..=low + length)
            .map(|cu| holds(ranges, &Release::between(line.clone(), cu, cu)))
            .collect();
        let expected = match each.into_iter().collect::<Vec<_>>().as_slice() {
            [one] => *one,
            _ => None,
        };
        prop_assert_eq!(holds(ranges, &interval), expected);
    }
}
