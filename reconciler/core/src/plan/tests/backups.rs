//! Which backups there are, and which web apps wrote them (G6).

use dataminer_schema::{plan::BlockCode, v1::observation::Backup};

use super::restore::{MODULES, chosen, falls, restored};
use crate::testing::{Scenario, backup, codes, name};

#[test]
fn g6_content_without_a_record_is_inferred_from_the_histories_of_its_agent() {
    let with = |core: &[(&str, &str)], web: &[(&str, &str)]| {
        let product = backup("product.zip", "2026-10-01T00:00:00Z", None);
        restored(&falls().backup("a2", &product).history("a2", core, web))
    };
    let inferred = ("restore product.zip".to_owned(), "ContentVersionInferred".to_owned());
    assert_eq!(
        with(&[("2026-01-01T00:00:00Z", "10.5.0 CU12"), ("2026-11-01T00:00:00Z", "10.6.0 CU2")], &[]),
        inferred
    );
    // A web package since the core entry left another level; one before it, or after the backup, did not.
    let since = with(&[("2026-01-01T00:00:00Z", "10.5.0 CU9")], &[("2026-02-01T00:00:00Z", "10.6.3")]);
    assert_eq!(since, inferred);
    let before = with(&[("2026-01-01T00:00:00Z", "10.5.0 CU12")], &[("2025-12-01T00:00:00Z", "10.6.2")]);
    assert_eq!(before, inferred);
    let after = with(&[("2026-01-01T00:00:00Z", "10.5.0 CU12")], &[("2026-10-02T00:00:00Z", "10.6.4")]);
    assert_eq!(after, inferred);
    let nothing = (String::from("!NoMatchingBackup"), String::new());
    // Newer content, a build that no table knows, no entry before it: never chosen.
    for core in [
        &[("2026-01-01T00:00:00Z", "10.6.0 CU2")][..],
        &[("2026-01-01T00:00:00Z", "10.5.0.0-16500-20251120-release")],
        &[("2026-10-02T00:00:00Z", "10.5.0 CU12")],
        &[],
    ] {
        assert_eq!(
            with(core, &[]).0.replace("web down 10.6.3", "").replace(&format!(", {MODULES}, "), ""),
            nothing.0,
            "{core:?}"
        );
    }
}

#[test]
fn g6_a_history_that_was_not_seen_tells_nothing() {
    let product = backup("product.zip", "2026-10-01T00:00:00Z", None);
    let seen = falls().backup("a1", &product).history("a1", &[("2026-01-01T00:00:00Z", "10.5.0 CU12")], &[]);
    assert_eq!(chosen(&seen), "restore product.zip");
    let unseen = seen.agent("a1", |agent| agent.web_history = None);
    assert_eq!(codes(&unseen.plan()), [BlockCode::NoMatchingBackup]);
}

#[test]
fn g6_after_a_fall_the_histories_do_not_tell_what_the_content_is() {
    // Taken between a downgrade and its restore, a backup holds what the newer web apps wrote.
    let product = backup("product.zip", "2026-10-01T00:00:00Z", None);
    let seen = |core: &[(&str, &str)], web: &[(&str, &str)]| {
        codes(&falls().backup("a1", &product).history("a1", core, web).plan())
    };
    let unknown = [BlockCode::NoMatchingBackup];
    assert_eq!(
        seen(&[("2026-01-01T00:00:00Z", "10.6.5"), ("2026-02-01T00:00:00Z", "10.5.0 CU12")], &[]),
        unknown
    );
    let web = [("2026-02-01T00:00:00Z", "10.6.5"), ("2026-03-01T00:00:00Z", "10.6.3")];
    assert_eq!(seen(&[("2026-01-01T00:00:00Z", "10.5.0 CU9")], &web), unknown);
    // Once the level has passed the old one, an old fall matters no more.
    assert_eq!(
        seen(
            &[
                ("2026-01-01T00:00:00Z", "10.5.12"),
                ("2026-02-01T00:00:00Z", "10.5.0 CU6"),
                ("2026-03-01T00:00:00Z", "10.5.0 CU12")
            ],
            &[]
        ),
        []
    );
}

#[test]
fn g6_the_newest_web_apps_of_any_agent_migrated_the_content_of_all() {
    let product = backup("product.zip", "2026-10-01T00:00:00Z", None);
    let scenario = falls()
        .backup("a1", &product)
        .history("a1", &[("2026-01-01T00:00:00Z", "10.5.0 CU12")], &[])
        .history("a2", &[("2026-01-01T00:00:00Z", "10.5.0 CU12")], &[("2026-02-01T00:00:00Z", "10.6.4")]);
    assert_eq!(codes(&scenario.plan()), [BlockCode::NoMatchingBackup]);
}

#[test]
fn g6_a_vault_backup_without_a_record_needs_its_agent_or_all_to_agree() {
    let product = || backup("product.zip", "2026-10-01T00:00:00Z", None);
    let level = |cu: &'static str| [("2026-01-01T00:00:00Z", cu)];
    let vault = falls().vault(product()).history("a1", &level("10.5.0 CU12"), &[]);
    assert_eq!(codes(&vault.plan()), [BlockCode::NoMatchingBackup], "a2 says nothing");
    let agree = vault.clone().history("a2", &level("10.5.0 CU12"), &[]);
    assert_eq!(chosen(&agree), "restore product.zip");
    let differ = vault.clone().history("a2", &level("10.5.0 CU11"), &[]);
    assert_eq!(codes(&differ.plan()), [BlockCode::NoMatchingBackup]);
    // The Agent that still shows the file is the one that made it.
    let named = differ.backup("a1", &Backup { sha256: None, ..product() });
    assert_eq!(chosen(&named), "restore product.zip");
}

#[test]
fn g6_a_record_that_cannot_be_read_is_no_reason_to_guess() {
    let history =
        |scenario: Scenario| scenario.history("a1", &[("2026-01-01T00:00:00Z", "10.5.0 CU12")], &[]);
    for record in ["newest", "10.5.0", "10.5.0.0-16500"] {
        let scenario = history(falls().backup("a1", &backup("p.zip", "2026-10-01T00:00:00Z", Some(record))));
        assert_eq!(codes(&scenario.plan()), [BlockCode::NoMatchingBackup], "{record}");
    }
}

#[test]
fn g6_the_same_bytes_count_once_and_the_vault_goes_first() {
    let same = backup("same.zip", "2026-10-01T00:00:00Z", Some("10.6.3"));
    let scenario = falls().backup("a2", &same).backup("a1", &same);
    let at = |scenario: &Scenario| {
        let loss = scenario.plan().content_loss.expect("a restore");
        (loss.backup.vault, loss.backup.agent)
    };
    assert_eq!(at(&scenario), (false, Some(name("a1"))));
    let id = scenario.plan().id;
    let saved = scenario.vault(same);
    assert_eq!(at(&saved), (true, None));
    // The plan does not become another one because its own SaveBackup did its work.
    assert_eq!(saved.plan().id, id);
    // Unchanged content saved under two levels: what the newer one migrated, the older cannot read.
    let both = falls()
        .vault(backup("b.zip", "2026-10-01T00:00:00Z", Some("10.6.3")))
        .vault(Backup { at: None, ..backup("b.zip", "2026-10-01T00:00:00Z", Some("10.6.5")) });
    assert_eq!(codes(&both.plan()), [BlockCode::NoMatchingBackup]);
}

#[test]
fn g6_backups_of_agents_that_were_not_reached_do_not_count() {
    let scenario = falls()
        .backup("a1", &backup("a.zip", "2026-10-01T00:00:00Z", Some("10.6.3")))
        .agent("a1", |agent| agent.reachable = false);
    assert_eq!(codes(&scenario.plan()), [BlockCode::AgentUnreachable, BlockCode::NoMatchingBackup]);
}
