//! What is raised, what is left alone, and why.

use dataminer_schema::{
    id::Sha256,
    v1::catalog::{Insides, Package},
    version::{PackageKind, Track, Version},
};

use super::{Decision, Field, Ground, Share, StayCode, Verdict, Wish, agree, decide};
use crate::testing::{Scenario, package, version};

/// A scenario that wants what it runs, with only these packages and every tool.
fn wants(core: &str, full: &[&str], web: &[&str]) -> Scenario {
    let mut scenario = Scenario::new(core, core);
    scenario.observation = None;
    let release = |text: &str| {
        let release = version(text);
        let cu = release.cu().unwrap_or(0);
        release.with_cu(cu)
    };
    let build = |text: &str| crate::testing::build_of(&release(text));
    scenario.packages = full
        .iter()
        .map(|text| package(&release(text), PackageKind::Full, build(text)))
        .chain(web.iter().map(|text| package(&release(text), PackageKind::Web, build(text) + 1)))
        .chain(crate::testing::tools())
        .collect();
    scenario
}

fn decided(scenario: &Scenario, wish: &Wish) -> Decision {
    decide(
        &scenario.cluster,
        scenario.observation.as_ref(),
        Ground { catalog: &scenario.catalog(), knowledge: &scenario.knowledge },
        wish,
    )
}

fn track(track: Track) -> Wish {
    Wish { track: Some(track), ..Wish::default() }
}

fn up_to(ceiling: &str) -> Wish {
    Wish { ceiling: Some(version(ceiling)), ..Wish::default() }
}

fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Raise(raise) => raise.to.release_name(),
        Verdict::Stays(stays) => format!("{:?}", stays.code),
    }
}

fn core(scenario: &Scenario, wish: &Wish) -> String {
    shown(&decided(scenario, wish).core)
}

/// Core and web apps.
fn both(scenario: &Scenario, wish: &Wish) -> String {
    let decision = decided(scenario, wish);
    format!("{} + {}", shown(&decision.core), shown(&decision.web_apps))
}

#[test]
fn a_version_stays_on_its_own_track() {
    let offers = ["10.5.0 CU12", "10.5.0 CU18", "10.5.12", "10.6.0 CU6", "10.6.9"];
    assert_eq!(core(&wants("10.5.0 CU12", &offers, &[]), &Wish::default()), "10.6.0 CU6");
    assert_eq!(core(&wants("10.5.8", &offers, &[]), &Wish::default()), "10.6.9");
    assert_eq!(core(&wants("10.6.9", &offers, &[]), &Wish::default()), "Newest");
    let same = Wish { same_release: true, ..Wish::default() };
    assert_eq!(core(&wants("10.5.0 CU12", &offers, &[]), &same), "10.5.0 CU18");
    assert_eq!(core(&wants("10.5.8", &offers, &[]), &same), "Newest");
    assert_eq!(core(&wants("10.5.12", &["10.5.12", "10.5.12 CU2", "10.6.9"], &[]), &same), "10.5.12 CU2");
}

/// H4: without the packages of the migration the way into 10.6 is none, and the reason names them.
#[test]
fn a_way_whose_tool_is_missing_is_not_offered() {
    let mut scenario = wants("10.5.0 CU12", &["10.5.0 CU12", "10.6.0 CU6"], &[]);
    assert_eq!(core(&scenario, &Wish::default()), "10.6.0 CU6");
    scenario = scenario.without(crate::tool::Tool::Migration);
    let decision = decided(&scenario, &Wish::default());
    let Verdict::Stays(stays) = &decision.core else { panic!("{decision:?}") };
    assert!(stays.message.contains("NATSMigration"), "{}", stays.message);
}

#[test]
fn switching_tracks_never_lowers_a_version() {
    // The Update Center's own example: a Feature Release is not offered a CU of the Main Release below it.
    let offers = ["10.3.0 CU20", "10.3.12"];
    assert_eq!(core(&wants("10.3.12", &offers, &[]), &track(Track::Main)), "Newest");
    let offers = ["10.3.0 CU20", "10.4.0 CU0", "10.4.0 CU9"];
    assert_eq!(core(&wants("10.3.12", &offers, &[]), &track(Track::Main)), "10.4.0 CU9");
    // Nor its fixes: 10.5.0 CU12 is as new as 10.6.3.
    let offers = ["10.5.8", "10.5.12", "10.6.2"];
    let decision = decided(&wants("10.5.0 CU12", &offers, &[]), &track(Track::Feature));
    assert_eq!(shown(&decision.core), "OlderFixes");
    let offers = ["10.5.0 CU12", "10.5.12", "10.6.3", "10.6.2"];
    assert_eq!(core(&wants("10.5.0 CU12", &offers, &[]), &track(Track::Feature)), "10.6.3");
}

#[test]
fn d2_a_newer_main_release_with_older_fixes_is_left_out_and_named() {
    let offers = ["10.5.0 CU18", "10.6.0 CU2"];
    let decision = decided(&wants("10.5.0 CU18", &offers, &[]), &Wish::default());
    let Verdict::Stays(stays) = &decision.core else { panic!("{decision:?}") };
    assert_eq!(stays.code, StayCode::OlderFixes);
    assert!(stays.message.contains("10.6.0 CU2"), "{}", stays.message);
    // A CU of the own line goes before it.
    let offers = ["10.5.0 CU18", "10.6.0 CU2", "10.5.0 CU19"];
    assert_eq!(core(&wants("10.5.0 CU18", &offers, &[]), &Wish::default()), "10.5.0 CU19");
}

#[test]
fn the_ceiling_is_never_passed() {
    let offers = ["10.5.0 CU13", "10.5.0 CU14", "10.5.0 CU18", "10.6.0 CU6"];
    let scenario = wants("10.5.0 CU12", &offers, &[]);
    assert_eq!(core(&scenario, &up_to("10.5.0")), "10.5.0 CU18");
    assert_eq!(core(&scenario, &up_to("10.5.0 CU14")), "10.5.0 CU14");
    assert_eq!(core(&scenario, &up_to("10.5.0 CU17")), "10.5.0 CU14");
    assert_eq!(core(&scenario, &up_to("10.5.0 CU12")), "Ceiling");
    assert_eq!(core(&scenario, &up_to("10.4.12")), "Ceiling");
    // By number, whichever track it is written in.
    assert_eq!(core(&scenario, &up_to("10.5.1")), "10.5.0 CU18");
}

#[test]
fn hotfixes_are_left_alone_and_named() {
    let mut scenario = wants("10.5.0 CU12", &["10.5.0 CU18"], &[]);
    scenario.cluster.software.hotfixes.push("HF.dmupgrade".to_owned());
    assert_eq!(core(&scenario, &Wish::default()), "Hotfix");
    let mut scenario = wants("10.5.0 CU12", &["10.5.0 CU18"], &["10.5.0 CU18"]).want_web("10.5.0 CU12");
    scenario.cluster.software.core = version("HF_10.5.0.0(CU12)_20260301-135714");
    assert_eq!(both(&scenario, &Wish::default()), "Hotfix + Hotfix");
    let seen = |text: &str| {
        let mut scenario =
            wants("10.5.0 CU12", &["10.5.0 CU18"], &[]).seen(&[("a1", "10.5.0 CU12"), ("a2", text)]);
        scenario.packages.truncate(1);
        decided(&scenario, &Wish::default()).core
    };
    for text in ["HF_10.5.0.0(CU12)_20260301-135714", "Hotfix"] {
        let Verdict::Stays(stays) = seen(text) else { panic!("{text} was raised") };
        assert_eq!(stays.code, StayCode::Hotfix);
        assert!(stays.message.contains("a2") && stays.message.contains(text), "{}", stays.message);
    }
    assert_eq!(shown(&seen("10.5.0 CU12")), "10.5.0 CU18");
}

#[test]
fn what_runs_is_a_floor_too() {
    let seen = |text: &str| {
        wants("10.5.0 CU12", &["10.5.0 CU14", "10.5.0 CU12"], &[]).seen(&[("a1", text), ("a2", text)])
    };
    assert_eq!(core(&seen("10.5.0 CU14"), &Wish::default()), "10.5.0 CU14");
    assert_eq!(core(&seen("10.5.0 CU18"), &Wish::default()), "Newest");
    // A build above every one that is offered, whichever CU it is.
    assert_eq!(core(&seen("10.5.0.0-29999"), &Wish::default()), "Newest");
}

#[test]
fn an_unknown_cu_is_not_guessed() {
    let mut scenario = wants("10.5.0 CU12", &["10.5.0 CU18"], &[]);
    scenario.cluster.software.core = version("10.5.0 (build 16500)");
    assert_eq!(core(&scenario, &Wish::default()), "UnknownBuild");
    scenario.builds.insert("10.5.0.0-16500".to_owned(), version("10.5.0 CU9"));
    assert_eq!(core(&scenario, &Wish::default()), "10.5.0 CU18");
}

#[test]
fn release_candidates_and_internal_builds_are_never_offered() {
    let mut scenario = wants("10.5.12", &["10.6.3"], &[]);
    for (file, release) in [
        ("DataMiner 10.6.9.0-30000 Full Upgrade (rc).dmupgrade", "10.6.9 (build 30000)"),
        ("DataMiner 10.6.8.0-30001 Full Upgrade (internal).dmupgrade", "10.6.8 (build 30001)"),
    ] {
        scenario.packages.push(Package {
            file: file.to_owned(),
            sha256: Sha256::of(file.as_bytes()),
            size: None,
            source: None,
            kind: PackageKind::Full,
            version: Some(version(release)),
            insides: Insides::default(),
        });
    }
    assert_eq!(core(&scenario, &Wish::default()), "10.6.3");
}

#[test]
fn a_re_release_is_a_raise_only_where_the_build_is_wanted() {
    let mut scenario = wants("10.5.0 CU4", &[], &[]);
    let release = version("10.5.0 CU4");
    scenario.packages =
        vec![package(&release, PackageKind::Full, 15943), package(&release, PackageKind::Full, 16239)];
    assert_eq!(core(&scenario, &Wish::default()), "Newest");
    scenario.cluster.software.core = version("10.5.0 CU4 (build 15943)");
    let Verdict::Raise(raise) = decided(&scenario, &Wish::default()).core else { panic!("not raised") };
    assert_eq!(raise.to, version("10.5.0 CU4 (build 16239)"));
}

#[test]
fn what_the_planner_refuses_is_left_out_and_the_next_best_taken() {
    // H9: from 10.4.0 the prerequisites of 10.5.0 CU4 fail, and there is no detour that does not lose fixes.
    let offers = ["10.4.0 CU16", "10.4.0 CU20", "10.5.0 CU8", "10.5.0 CU4"];
    assert_eq!(core(&wants("10.4.0 CU16", &offers, &[]), &Wish::default()), "10.5.0 CU8");
    let offers = ["10.4.0 CU16", "10.5.0 CU4"];
    let decision = decided(&wants("10.4.0 CU16", &offers, &[]), &Wish::default());
    let Verdict::Stays(stays) = &decision.core else { panic!("{decision:?}") };
    assert_eq!(stays.code, StayCode::Refused);
    assert!(stays.message.contains("KnownIssue"), "{}", stays.message);
    // No stop of 10.4 in the catalogue: the way to 10.5 is closed, the newest CU of 10.3 is not.
    let offers = ["10.3.0 CU20", "10.3.0 CU22", "10.5.0 CU12"];
    let decision = decided(&wants("10.3.0 CU20", &offers, &[]), &Wish::default());
    assert_eq!(shown(&decision.core), "10.3.0 CU22");
    assert!(
        decision.notes[0].contains("10.5.0 CU12") && decision.notes[0].contains("NoPackage"),
        "{decision:?}"
    );
}

#[test]
fn web_apps_follow_their_track_and_the_core() {
    let scenario = |web: &str, full: &[&str], webs: &[&str]| wants("10.5.0 CU12", full, webs).want_web(web);
    // Bundled and unmanaged are no versions.
    for wanted in ["bundled", "unmanaged"] {
        assert_eq!(
            both(&scenario(wanted, &["10.5.0 CU18"], &["10.6.9"]), &Wish::default()),
            "10.5.0 CU18 + NotAVersion"
        );
    }
    // The newest of its own notation.
    let webs = ["10.5.0 CU18", "10.6.4", "10.6.6"];
    assert_eq!(both(&scenario("10.6.4", &["10.5.0 CU13"], &webs), &Wish::default()), "10.5.0 CU13 + 10.6.6");
    assert_eq!(
        both(&scenario("10.5.0 CU12", &["10.5.0 CU13"], &webs), &Wish::default()),
        "10.5.0 CU13 + 10.5.0 CU18"
    );
    // The core alone may be the newest already.
    assert_eq!(both(&scenario("10.6.4", &[], &webs), &Wish::default()), "Newest + 10.6.6");
    // The core overtakes the web apps and nothing follows it: its own level is wanted.
    assert_eq!(
        both(&scenario("10.5.0 CU12", &["10.5.0 CU18"], &[]), &Wish::default()),
        "10.5.0 CU18 + 10.5.0 CU18"
    );
    // W3: 10.6.4 is below 10.5.0 CU18, whose number is lower; so the core waits at the newest that fits.
    let decision = decided(&scenario("10.6.4", &["10.5.0 CU13", "10.5.0 CU18"], &[]), &Wish::default());
    assert_eq!(shown(&decision.core), "10.5.0 CU13");
    assert!(decision.notes[0].contains("WebRegression"), "{decision:?}");
}

#[test]
fn w2_a_web_level_that_the_core_cannot_carry_is_left_out() {
    let webs = ["10.5.4", "10.6.4"];
    let scenario = wants("10.4.0 CU13", &["10.4.0 CU13"], &webs).want_web("10.5.4");
    let decision = decided(&scenario, &Wish::default());
    assert_eq!(both(&scenario, &Wish::default()), "Refused + Newest");
    let Verdict::Stays(stays) = &decision.core else { panic!("{decision:?}") };
    assert!(stays.message.contains("WebRequiresNewerCore"), "{}", stays.message);
}

#[test]
fn suspended_clusters_are_raised_and_said() {
    let mut scenario = wants("10.5.0 CU12", &["10.5.0 CU18"], &[]);
    scenario.cluster.suspend = true;
    let decision = decided(&scenario, &Wish::default());
    assert!(decision.suspended && decision.raises());
}

#[test]
fn a_raise_is_the_end_until_the_catalogue_changes() {
    for (from, web) in [("10.4.0 CU16", "10.5.0 CU4"), ("10.5.8", "10.5.12"), ("10.3.0 CU10", "bundled")] {
        let mut scenario = Scenario::new(from, from).want_web(web);
        scenario.observation = None;
        let first = decided(&scenario, &Wish::default());
        let take = |verdict: &Verdict| verdict.raise().map(|raise| raise.to.clone());
        assert!(first.raises(), "{first:?}");
        if let Some(core) = take(&first.core) {
            scenario.cluster.software.core = core;
        }
        if let Some(web) = take(&first.web_apps) {
            scenario = scenario.want_web(&web.to_string());
        }
        let second = decided(&scenario, &Wish::default());
        assert!(!second.raises(), "{from}: {second:?}");
    }
}

#[test]
fn those_who_share_a_value_move_together_or_not_at_all() {
    let decide = |core: &str, web: &str| {
        let scenario = wants(core, &["10.5.0 CU12", "10.5.0 CU18"], &["10.6.9"]).want_web(web);
        decided(&scenario, &Wish::default())
    };
    let share = |cluster, field, place: &'static str| Share { cluster, field, place };
    let mut alike = [decide("10.5.0 CU12", "bundled"), decide("10.5.0 CU12", "bundled")];
    agree(&mut alike, &[share(0, Field::Core, "p"), share(1, Field::Core, "p")]);
    assert!(alike.iter().all(Decision::raises));

    let mut held =
        [decide("10.5.0 CU12", "10.6.4"), decide("10.5.0 CU12", "bundled"), decide("10.5.0 CU18", "bundled")];
    agree(
        &mut held,
        &[
            share(0, Field::Core, "p"),
            share(0, Field::WebApps, "q"),
            share(1, Field::Core, "r"),
            share(2, Field::Core, "p"),
        ],
    );
    // Its web apps were chosen for the core that it does not get.
    assert_eq!((shown(&held[0].core), shown(&held[0].web_apps)), ("Shared".to_owned(), "Shared".to_owned()));
    assert_eq!(shown(&held[1].core), "10.5.0 CU18");
    let Verdict::Stays(stays) = &held[0].core else { panic!("{held:?}") };
    assert!(stays.message.contains("brussels stays"), "{}", stays.message);
}

/// Whatever is wanted and offered: a raise never lowers number or fixes, and never passes the ceiling.
#[test]
fn no_raise_lowers_anything() {
    let releases: Vec<Version> = crate::knowledge::Knowledge::built_in().final_releases().to_vec();
    let tracks = [None, Some(Track::Main), Some(Track::Feature)];
    for (at, from) in releases.iter().enumerate().filter(|(_, from)| from.major() == 10).step_by(7) {
        let mut scenario = Scenario::new(&from.to_string(), &from.to_string());
        scenario.observation = None;
        let catalog = scenario.catalog();
        let ceiling = releases.get((at * 31) % releases.len()).cloned();
        for track in tracks {
            for ceiling in [None, ceiling.clone()] {
                let wish = Wish { track, ceiling: ceiling.clone(), same_release: false };
                let decision = decide(
                    &scenario.cluster,
                    None,
                    Ground { catalog: &catalog, knowledge: &scenario.knowledge },
                    &wish,
                );
                let Some(raise) = decision.core.raise() else { continue };
                assert!(raise.to.line() >= from.line(), "{from} -> {}", raise.to);
                assert!(raise.to.month_index() >= from.month_index(), "{from} -> {}", raise.to);
                assert_eq!(raise.to.track(), track.unwrap_or_else(|| from.track()));
                if let Some(ceiling) = ceiling {
                    assert!(raise.to.line() <= ceiling.line(), "{from} -> {} past {ceiling}", raise.to);
                }
            }
        }
    }
}
