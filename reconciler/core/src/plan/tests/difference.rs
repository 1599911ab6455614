//! What somebody is told who approved one plan and is asked about another.

use dataminer_schema::v1::cluster::FailoverPolicy;

use crate::{
    plan::difference,
    testing::{Scenario, backup},
};

fn down() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.4.0 CU21")
        .allow_downgrades()
        .broker(Some(false))
        .each(|agent| agent.swarming = Some(false))
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.4.0 CU21")))
}

#[test]
fn the_same_plan_has_no_difference() {
    let plan = down().plan();
    assert_eq!(difference(&plan, &plan), [""; 0]);
    let mut suspended = down();
    suspended.cluster.suspend = true;
    assert_eq!(difference(&plan, &suspended.plan()), [""; 0], "what is waited for is no other plan");
}

#[test]
fn ends_and_steps_are_told() {
    let mut other = down();
    other.cluster.software.core = "10.4.0 CU20".parse().expect("a version");
    let told = difference(&down().plan(), &other.plan());
    assert!(told[0].starts_with("to 10.4.0 CU20") && told[0].contains("instead of 10.4.0 CU21"), "{told:?}");
    assert!(
        told[1].starts_with("steps added: ") && told[1].contains("DowngradeCore 10.4.0 CU20"),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("steps removed: ") && told[2].contains("DowngradeCore 10.4.0 CU21"),
        "{told:?}"
    );
    assert!(told[1].contains("on a1 and a2") && !told[1].contains("SaveBackup"), "{told:?}");
}

#[test]
fn another_backup_is_told_by_name_and_hash() {
    let newer = down().vault(backup("newer.zip", "2026-10-02T00:00:00Z", Some("10.4.0 CU21"))).plan();
    let told = difference(&down().plan(), &newer);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("RestoreContent of newer.zip (") && told[1].contains("good.zip ("), "{told:?}");
}

#[test]
fn two_ids_never_look_the_same() {
    let one_by_one = down().upgrade(|upgrade| upgrade.failover_policy = FailoverPolicy::BackupFirst);
    let (before, after) = (down().plan(), one_by_one.plan());
    assert_ne!(before.id, after.id);
    let told = difference(&before, &after);
    assert!(told.len() == 1 && told[0].contains("Failover policy"), "{told:?}");
    let mut turned = before.clone();
    turned.id = after.id;
    turned.steps.swap(0, 1);
    assert!(difference(&before, &turned)[0].contains("another order"));
}
