//! What somebody is told who approved one plan and is asked about another, and who reviews a change.

use dataminer_schema::v1::cluster::FailoverPolicy;

use crate::{
    plan::{Difference, What, difference, differences},
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
    assert_eq!(differences(&plan, &plan), []);
    let mut suspended = down();
    suspended.cluster.suspend = true;
    let suspended = suspended.plan();
    assert_eq!(difference(&plan, &suspended), [""; 0], "what is waited for is no other plan");
    let seen = differences(&plan, &suspended);
    assert!(seen.iter().any(|part| part.what == What::Result), "a reviewer sees it: {seen:?}");
    assert!(seen.iter().all(|part| !part.what.is_of_the_id()), "{seen:?}");
    assert!(
        seen.iter().any(|part| part.what == What::Waiting && part.before.is_none() && part.after.is_some()),
        "{seen:?}"
    );
}

#[test]
fn ends_and_steps_are_told() {
    let mut other = down();
    other.cluster.software.core = "10.4.0 CU20".parse().expect("a version");
    let told = difference(&down().plan(), &other.plan());
    assert!(told[0].starts_with("to 10.4.0 CU20") && told[0].contains("instead of 10.4.0 CU21"), "{told:?}");
    let (changed, restored) = (&told[1], "RestoreContent");
    assert!(changed.starts_with("steps changed: "), "{told:?}");
    let hop = changed.split(", ").find(|part| part.contains("DowngradeCore")).expect("the hop is told");
    assert!(
        hop.starts_with("DowngradeCore 10.4.0 CU20 [")
            && hop.contains("] instead of DowngradeCore 10.4.0 CU21 ["),
        "{hop}"
    );
    assert!(
        !changed.contains("SaveBackup") && !hop.contains("a1"),
        "what stays the same is not told: {told:?}"
    );
    let removed = told.iter().find(|part| part.starts_with("steps removed: ")).expect("no backup serves");
    assert!(removed.contains(restored) && removed.contains("on a1 and a2"), "{told:?}");
}

#[test]
fn another_backup_is_told_by_name_and_hash() {
    let newer = down().vault(backup("newer.zip", "2026-10-02T00:00:00Z", Some("10.4.0 CU21"))).plan();
    let told = difference(&down().plan(), &newer);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("steps changed: RestoreContent of newer.zip ("), "{told:?}");
    assert!(told[0].contains(") instead of RestoreContent of good.zip ("), "{told:?}");
    let seen = differences(&down().plan(), &newer);
    let lost = seen.iter().find(|part| part.what == What::ContentLoss).expect("other changes are lost");
    assert!(
        lost.after.as_ref().is_some_and(|after| after.contains("since 2026-10-02T00:00:00Z")),
        "{lost:?}"
    );
}

#[test]
fn a_hop_in_between_is_added_and_not_taken_for_another() {
    let near = Scenario::new("10.4.0 CU20", "10.4.0 CU21").plan();
    let far = Scenario::new("10.3.0 CU20", "10.4.0 CU21").plan();
    let hops: Vec<Difference> = differences(&near, &far)
        .into_iter()
        .filter(|part| [&part.before, &part.after].into_iter().flatten().any(|text| text.contains("Upgrade")))
        .collect();
    assert_eq!(hops, [], "the way is one hop from either");
    let farther = Scenario::new("10.2.0 CU20", "10.4.0 CU21").plan();
    let added: Vec<String> = differences(&near, &farther)
        .into_iter()
        .filter(|part| part.what == What::Step && part.before.is_none())
        .filter_map(|part| part.after)
        .filter(|text| text.starts_with("UpgradeCore"))
        .collect();
    assert!(added.len() == 1 && added[0].starts_with("UpgradeCore 10.3.0 CU"), "{added:?}");
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
