//! Packages that are staged as a copy without one member (G2).

use dataminer_schema::{
    id::Sha256,
    plan::{PackagePatch, Plan},
};

use super::{
    super::effect::{Outcome, Package},
    plans,
    world::{machine_of, resumed_of},
    *,
};

const REMOVES: &str = r"Update.zip\Prerequisites\VerifyNatsIsRunning.dll";

/// The first hop's package is used without one of its checks.
fn patched() -> Plan {
    let mut plan = plans::downgrade();
    let package = plan.steps[0].package.clone();
    for step in plan.steps.iter_mut().filter(|step| step.package == package) {
        step.patch = Some(PackagePatch { removes: REMOVES.to_owned(), sha256: None });
    }
    plan
}

/// The packages that were staged, and those of the jobs.
fn packages(world: &World) -> (Vec<Package>, Vec<Package>) {
    let (mut staged, mut installed) = (Vec::new(), Vec::new());
    for entry in &world.journal {
        let Record::Intent { effect } = &entry.record else { continue };
        match &effect.kind {
            EffectKind::StagePackage { package, .. } => staged.push(package.clone()),
            EffectKind::RunJob(job) => installed.push(job.package.clone()),
            _ => {}
        }
    }
    (staged, installed)
}

#[test]
fn g2_the_job_installs_the_copy_that_was_staged_and_names_both_digests() {
    let mut world = World::on(NEW, Some(plans::HIGH_WEB));
    let mut machine = machine_of(&world, patched(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let (staged, installed) = packages(&world);
    assert_eq!(staged[0].staged(), None, "nobody knows it before it was made");
    let copy = installed[0].patch.as_ref().and_then(|patch| patch.sha256.clone()).expect("it is known");
    assert_eq!((&installed[0].sha256, installed[0].staged()), (&staged[0].sha256, Some(&copy)));
    assert_ne!(copy, installed[0].sha256);
    // Both stand in the journal.
    let told = world.journal.iter().any(|entry| {
        matches!(&entry.record, Record::Outcome { outcome: Outcome::Patched(told), .. } if *told == copy)
    });
    assert!(told, "{:#?}", world.journal);
    assert_eq!((&installed[1].patch, installed[1].staged()), (&None, Some(&staged[1].sha256)));
}

/// Invariant 5.
#[test]
fn g2_a_crash_at_any_boundary_forgets_no_digest() {
    let mut whole = World::on(NEW, Some(plans::HIGH_WEB));
    let mut machine = machine_of(&whole, patched(), Vec::new());
    assert_eq!(whole.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    for boundary in (1..whole.events).step_by(3) {
        let mut world = World::on(NEW, Some(plans::HIGH_WEB));
        let mut machine = machine_of(&world, patched(), Vec::new());
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "died at {boundary}");
        let mut again = resumed_of(&world, patched());
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "resumed at {boundary}");
        assert_eq!(packages(&world).1.last(), packages(&whole).1.last());
        let copies: Vec<_> = packages(&world).1.into_iter().filter_map(|package| package.patch).collect();
        assert!(copies.iter().all(|patch| patch.sha256.is_some()), "from {boundary}: {copies:?}");
    }
}

#[test]
fn g2_a_copy_that_was_never_made_is_not_installed() {
    let mut plan = patched();
    plan.steps[0].patch = None;
    let mut world = World::on(NEW, Some(plans::HIGH_WEB));
    let mut machine = machine_of(&world, plan, Vec::new());
    let told = failure(world.drive(&mut machine, Crash::Never));
    assert_eq!(told.reason, super::super::finish::reason::PLAN_INVALID);
    assert!(world.ran.is_empty());
}

#[test]
fn what_an_older_journal_says_of_packages_and_modules_still_reads() {
    let digest = Sha256::of(b"");
    let text = format!(r#"{{ "file": "a.dmupgrade", "sha256": "{digest}" }}"#);
    let package: Package = serde_json::from_str(&text).expect("it reads");
    assert_eq!(package.staged(), Some(&digest));
}
