//! Owed work (D6, G8): before everything else, whatever the versions say.

use dataminer_schema::{
    plan::{Action, BlockCode, Change, PlanResult, WaitingOn},
    v1::observation::OwedWork,
};

use crate::testing::{Scenario, backup, codes, name, owed_module, owed_restore, warnings, way};

fn converged() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12")
}

fn with_backup(scenario: Scenario) -> Scenario {
    scenario.vault(backup("owed.zip", "2026-10-01T00:00:00Z", Some("10.6.3")))
}

/// Invariant 8.
#[test]
fn d6_owed_work_is_never_converged() {
    assert_eq!(converged().way(), "Converged");
    let owed = with_backup(converged()).owed("a1", &owed_restore("p1-7", "owed.zip"));
    let plan = owed.plan();
    assert_eq!((plan.result, plan.change), (PlanResult::Ready, Change::Repair));
    let actions: Vec<String> =
        plan.steps.iter().map(|step| format!("{:?} {}", step.action, step.agents.len())).collect();
    assert_eq!(actions, ["SaveBackup 2", "RestoreContent 2", "VerifyCluster 2", "CleanUp 2"]);
    assert_eq!(plan.steps[2].to.as_deref(), Some("10.5.0 CU12"));
    assert_eq!(plan.content_loss.expect("its time is known").since.to_string(), "2026-10-01T00:00:00Z");
    // A note without a way to do it is no less owed.
    let module = converged().owed("a2", &owed_module("p1-8", "DataMiner GQI"));
    assert_eq!(module.way(), "module DataMiner GQI");
    for owed in [
        OwedWork { id: None, action: Action::RestoreContent, backup: None, module: None },
        OwedWork { id: None, action: Action::ReinstallModule, backup: None, module: None },
        OwedWork { id: None, action: Action::RunTool, backup: None, module: None },
    ] {
        let plan = converged().owed("a1", &owed).plan();
        assert_eq!((codes(&plan), plan.change), (vec![BlockCode::ManualStepRequired], Change::Repair));
    }
}

#[test]
fn d6_owed_work_comes_before_what_is_wanted() {
    let owed = |scenario: Scenario| {
        with_backup(scenario)
            .owed("a1", &owed_module("p1-9", "DataMiner Web"))
            .owed("a1", &owed_restore("p1-7", "owed.zip"))
            .owed("a1", &owed_module("p1-8", "DataMiner GQI"))
    };
    let tail = "restore owed.zip, module DataMiner GQI, module DataMiner Web";
    assert_eq!(owed(Scenario::new("10.5.0 CU9", "10.5.0 CU12")).way(), tail);
    assert_eq!(owed(Scenario::new("10.5.0 CU12", "10.5.0 CU9")).way(), tail);
    // A mix is repaired behind it; what all run is then not known to the last look.
    let mixed = owed(converged().seen(&[("a1", "10.5.0 CU12"), ("a2", "10.5.0 CU9")]));
    let plan = mixed.plan();
    assert_eq!(way(&plan), tail);
    let verify = plan.steps.iter().find(|step| step.action == Action::VerifyCluster).unwrap();
    assert_eq!(verify.to, None);
}

#[test]
fn g8_the_same_note_on_every_agent_counts_once() {
    let note = owed_restore("p1-7", "owed.zip");
    let module = owed_module("p1-8", "DataMiner GQI");
    let scenario = with_backup(converged())
        .owed("a1", &note)
        .owed("a2", &note)
        .owed("a1", &module)
        .owed("a2", &OwedWork { id: None, ..module.clone() });
    assert_eq!(scenario.way(), "restore owed.zip, module DataMiner GQI");
    assert_eq!(warnings(&scenario.plan()), [""; 0]);
}

#[test]
fn g8_a_backup_that_nobody_has_is_named_by_its_hash() {
    let note = owed_restore("p1-7", "gone.zip");
    let plan = with_backup(converged()).owed("a2", &note).plan();
    assert_eq!((codes(&plan), plan.change), (vec![BlockCode::NoMatchingBackup], Change::Repair));
    let hash = note.backup.clone().expect("a restore").to_string();
    assert!(plan.blocked[0].message.contains(&hash), "{}", plan.blocked[0].message);
    assert_eq!(plan.blocked[0].agents, [name("a2")]);
    // Any Agent that was reached serves as well as the vault; also one that is torn or of unknown content.
    let torn = dataminer_schema::v1::observation::Backup {
        torn: true,
        at: None,
        ..backup("gone.zip", "2026-10-01T00:00:00Z", None)
    };
    let scenario = converged().owed("a2", &note).backup("a1", &torn);
    assert_eq!(scenario.way(), "restore gone.zip");
    assert!(scenario.plan().content_loss.is_none());
}

#[test]
fn g8_of_two_restores_the_newest_backup_goes_back() {
    let scenario = with_backup(converged())
        .vault(backup("newer.zip", "2026-10-02T00:00:00Z", Some("10.6.3")))
        .owed("a1", &owed_restore("p1-7", "owed.zip"))
        .owed("a2", &owed_restore("p2-7", "newer.zip"));
    assert_eq!(scenario.way(), "restore newer.zip");
    assert_eq!(warnings(&scenario.plan()), ["SeveralRestoresOwed"]);
}

#[test]
fn g8_a_note_that_cannot_be_read_blocks() {
    let unread = |scenario: Scenario| {
        scenario.agent("a2", |agent| {
            agent.unknown.insert("owed".to_owned(), "a note cannot be read".to_owned());
        })
    };
    let plan = unread(converged()).plan();
    assert_eq!((codes(&plan), plan.result), (vec![BlockCode::ManualStepRequired], PlanResult::Blocked));
    assert!(plan.blocked[0].message.contains("a note cannot be read"), "{}", plan.blocked[0].message);
    // Beside a note that can be read as well: what the other one says is not known.
    let both = unread(with_backup(converged()).owed("a1", &owed_restore("p1-7", "owed.zip")));
    assert_eq!(both.way(), "restore owed.zip, !ManualStepRequired");
}

/// Invariant 7.
#[test]
fn s7_no_window_holds_owed_work_but_operators_do() {
    let owed = || with_backup(converged()).owed("a1", &owed_restore("p1-7", "owed.zip"));
    assert_eq!(owed().saturday_nights().at("2026-11-17T20:00:00Z").plan().result, PlanResult::Ready);
    let mut suspended = owed();
    suspended.cluster.suspend = true;
    assert_eq!(suspended.plan().waiting[0].on, WaitingOn::Suspended);
    let mut quarantined = owed();
    quarantined.state.quarantine = Some(crate::plan::Quarantine {
        desired: quarantined.desired().digest,
        reason: "RestoreFailed".to_owned(),
    });
    assert_eq!(quarantined.plan().waiting[0].on, WaitingOn::Quarantine);
    let unreachable = owed().agent("a2", |agent| agent.reachable = false);
    assert_eq!(codes(&unreachable.plan()), [BlockCode::AgentUnreachable]);
}
