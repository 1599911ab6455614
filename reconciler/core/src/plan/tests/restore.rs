//! Which content follows a web level that falls, and which modules (G5, G6).

use dataminer_schema::{
    id::Sha256,
    plan::{Action, BlockCode},
    v1::{
        cluster::{Extras, Restore},
        observation::Backup,
    },
};

use crate::testing::{NOW, Scenario, backup, warnings, way};

pub(super) const MODULES: &str = "module DataMiner GQI, module DataMiner Web";

/// 10.5.0 CU12 with web 10.6.5; web 10.6.3 is wanted.
pub(super) fn falls() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12").web(Some("10.6.5")).want_web("10.6.3").allow_downgrades()
}

/// What is restored, and the warnings.
pub(super) fn restored(scenario: &Scenario) -> (String, String) {
    let plan = scenario.plan();
    let way = way(&plan).replace(&format!(", {MODULES}"), "");
    (way.replace("web down 10.6.3, ", ""), warnings(&plan).join(" "))
}

pub(super) fn chosen(scenario: &Scenario) -> String {
    restored(scenario).0
}

#[test]
fn g6_matching_takes_the_newest_of_exactly_that_level() {
    let scenario = falls()
        .vault(backup("old.zip", "2026-09-01T00:00:00Z", Some("10.6.3")))
        .vault(backup("exact.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")))
        .vault(backup("lower.zip", "2026-11-01T00:00:00Z", Some("10.6.2")))
        .vault(backup("higher.zip", "2026-11-02T00:00:00Z", Some("10.6.4")));
    assert_eq!(restored(&scenario), ("restore exact.zip".to_owned(), String::new()));
    let plan = scenario.plan();
    let loss = plan.content_loss.clone().expect("its time and level are known");
    assert_eq!(
        (loss.content.as_str(), loss.since.to_string()),
        ("10.5.0 CU12", "2026-10-01T00:00:00Z".to_owned())
    );
    assert_eq!((loss.backup.vault, loss.backup.agent.clone(), loss.agents.len()), (true, None, 2));
    let step = plan.steps.iter().find(|step| step.action == Action::RestoreContent).unwrap();
    assert_eq!(step.backup.as_ref(), Some(&loss.backup));
    assert_eq!(loss.backup.sha256, Sha256::of(b"exact.zip"));
}

#[test]
fn g6_matching_falls_back_to_the_newest_below_with_a_warning() {
    let scenario = falls()
        .vault(backup("lower.zip", "2026-11-01T00:00:00Z", Some("10.6.2")))
        .vault(backup("lowest.zip", "2026-10-01T00:00:00Z", Some("10.5.12")))
        .vault(backup("higher.zip", "2026-11-02T00:00:00Z", Some("10.6.4")));
    assert_eq!(restored(&scenario), ("restore lower.zip".to_owned(), "OlderContentChosen".to_owned()));
}

#[test]
fn g6_most_recent_takes_the_newest_that_can_be_read() {
    let mut scenario = falls()
        .vault(backup("exact.zip", "2026-10-01T00:00:00Z", Some("10.6.3")))
        .vault(backup("lower.zip", "2026-11-01T00:00:00Z", Some("10.6.2")))
        .vault(backup("higher.zip", "2026-11-02T00:00:00Z", Some("10.6.4")));
    scenario.cluster.downgrade.restore = Restore::MostRecent;
    assert_eq!(restored(&scenario), ("restore lower.zip".to_owned(), String::new()));
}

#[test]
fn g6_none_restores_nothing_and_says_so() {
    let mut scenario = falls().vault(backup("exact.zip", "2026-10-01T00:00:00Z", Some("10.6.3")));
    scenario.cluster.downgrade.restore = Restore::None;
    let plan = scenario.plan();
    assert_eq!(
        (way(&plan), warnings(&plan)),
        (format!("web down 10.6.3, {MODULES}"), vec!["ContentNotRestored"])
    );
    assert!(plan.content_loss.is_none());
}

#[test]
fn g6_our_own_copy_wins_at_equal_content_unless_it_is_much_older() {
    let copy = |at: &str, content: &str| Backup { copy: true, ..backup("copy.zip", at, Some(content)) };
    let newest = || falls().vault(backup("product.zip", "2026-11-01T12:00:00Z", Some("10.6.3")));
    assert_eq!(chosen(&newest().vault(copy("2026-11-01T11:00:00Z", "10.6.3"))), "restore copy.zip");
    assert_eq!(chosen(&newest().vault(copy("2026-10-31T12:00:00Z", "10.6.3"))), "restore copy.zip");
    assert_eq!(chosen(&newest().vault(copy("2026-10-31T11:59:59Z", "10.6.3"))), "restore product.zip");
    // Content goes before completeness; and the same bytes on an Agent are no copy of ours.
    assert_eq!(chosen(&newest().vault(copy("2026-11-01T11:00:00Z", "10.6.2"))), "restore product.zip");
    let stray = copy("2026-11-01T11:00:00Z", "10.6.3");
    assert_eq!(chosen(&newest().backup("a1", &stray)), "restore product.zip");
}

#[test]
fn g6_torn_backups_only_where_nothing_else_serves() {
    let torn = |file: &str, content: &str| Backup {
        torn: true,
        ..backup(file, "2026-11-01T00:00:00Z", Some(content))
    };
    let one = falls().vault(torn("torn.zip", "10.6.3"));
    assert_eq!(restored(&one), ("restore torn.zip".to_owned(), "TornBackup".to_owned()));
    let whole = one.vault(backup("whole.zip", "2026-10-01T00:00:00Z", Some("10.6.2")));
    assert_eq!(restored(&whole), ("restore whole.zip".to_owned(), "OlderContentChosen".to_owned()));
}

#[test]
fn g6_without_a_backup_the_plan_says_what_there_is_and_what_to_do() {
    let scenario = falls()
        .vault(backup("newer.zip", "2026-10-01T00:00:00Z", Some("10.6.4")))
        .vault(backup("unknown.zip", "2026-09-01T00:00:00Z", None))
        .backup("a2", &Backup { sha256: None, ..backup("bare.zip", "2026-08-01T00:00:00Z", None) });
    let plan = scenario.plan();
    let block = &plan.blocked[0];
    assert_eq!(block.code, BlockCode::NoMatchingBackup);
    for part in ["`newer.zip` in the vault", "content 10.6.4", "`unknown.zip`", "content not known", "10.6.3"]
    {
        assert!(block.message.contains(part), "{part}: {}", block.message);
    }
    for part in ["`bare.zip` on a2 has no hash yet", "downgrade.restore: None"] {
        assert!(block.help.contains(part), "{part}: {}", block.help);
    }
    assert!(falls().plan().blocked[0].message.contains("none"));
}

#[test]
fn g6_a_hostile_file_name_does_not_write_on_the_terminal() {
    let plan = falls().vault(backup("a\u{1b}[2J\n.zip", NOW, Some("10.6.4"))).plan();
    assert!(!plan.blocked[0].message.contains(char::is_control), "{:?}", plan.blocked[0].message);
}

#[test]
fn g6_content_loss_needs_a_time() {
    let undated = Backup { at: None, ..backup("exact.zip", NOW, Some("10.6.3")) };
    let plan = falls().vault(undated).plan();
    assert!(way(&plan).contains("restore exact.zip"));
    assert!(plan.content_loss.is_none());
}

#[test]
fn g5_content_follows_the_web_level_not_the_core() {
    let old =
        |scenario: Scenario| scenario.vault(backup("old.zip", "2026-01-01T00:00:00Z", Some("10.4.0 CU2")));
    // The core goes up to older fixes: the web level falls, content goes back.
    let up = old(Scenario::new("10.4.0 CU21", "10.5.0 CU3"))
        .allow_downgrades()
        .only(&["10.5.0 CU1", "10.5.0 CU3"])
        .upgrade(|upgrade| upgrade.accept_older_fixes = true);
    assert!(up.way().contains("10.5.0 CU3, restore old.zip, module DataMiner GQI"), "{}", up.way());
    // The core goes down, the level does not.
    assert_eq!(old(Scenario::new("10.5.12", "10.5.0 CU18")).allow_downgrades().way(), "down 10.5.0 CU18");
    assert_eq!(
        old(Scenario::new("10.5.0 CU9", "10.5.0 CU8")).allow_downgrades().want_web("10.5.12").way(),
        "down 10.5.0 CU8, web 10.5.12"
    );
}

#[test]
fn g5_modules_that_come_with_the_final_web_apps_are_reinstalled() {
    let modules = |core: &str, seen: &str, wanted: &str| {
        let mut scenario = Scenario::new(core, core).web(Some(seen)).want_web(wanted).allow_downgrades();
        scenario.cluster.downgrade.restore = Restore::None;
        let plan = scenario.plan();
        let modules = plan.steps.iter().filter_map(|step| step.module.clone());
        modules.collect::<Vec<_>>().join(", ")
    };
    // Each threshold is read on its own track (T1).
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.5.0 CU8"), "DataMiner GQI, DataMiner Web");
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.5.0 CU7"), "DataMiner GQI");
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.5.11"), "DataMiner GQI, DataMiner Web");
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.5.10"), "DataMiner GQI");
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.5.2"), "DataMiner GQI");
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.5.1"), "");
    assert_eq!(modules("10.5.0 CU12", "10.6.5", "10.4.0 CU20"), "");
    // The Web DcM works only with core 10.5.0 or later.
    assert_eq!(modules("10.4.0 CU20", "10.5.12", "10.5.11"), "DataMiner GQI");
}

#[test]
fn the_id_covers_backup_module_and_what_becomes_of_extras_where_content_is_restored() {
    let scenario = falls().vault(backup("exact.zip", "2026-10-01T00:00:00Z", Some("10.6.3")));
    let id = scenario.plan().id;
    let other = falls().vault(backup("other.zip", "2026-10-01T00:00:00Z", Some("10.6.3")));
    assert_ne!(other.plan().id, id);
    let mut aside = scenario.clone();
    aside.cluster.downgrade.extras = Extras::MoveAside;
    assert_ne!(aside.plan().id, id);
    let upgrade = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    let mut keeps = upgrade.clone();
    keeps.cluster.downgrade.extras = Extras::MoveAside;
    assert_eq!(keeps.plan().id, upgrade.plan().id);
}

#[test]
fn s7_the_tail_counts_for_the_window() {
    let mut scenario = falls()
        .vault(backup("exact.zip", "2026-10-01T00:00:00Z", Some("10.6.3")))
        .saturday_nights()
        .at("2026-11-22T00:05:00Z");
    assert_eq!(scenario.plan().waiting.len(), 1, "past the cutoff");
    // Two and a half hours are left: with a restore it takes longer.
    scenario = scenario.at("2026-11-21T22:30:00Z").prepared();
    let with = scenario.plan();
    let mut bare = scenario;
    bare.cluster.downgrade.restore = Restore::None;
    let without = bare.prepared().plan();
    let tail = |plan: &dataminer_schema::plan::Plan| warnings(plan).contains(&"WindowTooShort");
    assert!(tail(&with) && !tail(&without), "{:?} {:?}", with.warnings, without.warnings);
}
