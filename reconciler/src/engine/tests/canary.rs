//! Canary runs: an operation like any other, of which only a proof remains.

use dataminer_schema::status::{ConditionStatus, ConditionType};

use super::*;
use crate::engine::CanaryEnd;

/// The condition `Proven`.
fn proven(cluster: &ClusterStatus) -> (ConditionStatus, String) {
    let found = cluster.conditions.iter().find(|condition| condition.kind == ConditionType::Proven);
    found.map_or((ConditionStatus::Unknown, String::new()), |found| (found.status, found.reason.clone()))
}

fn refused(code: i64) -> JobEnd {
    JobEnd::Exited { code, log_tail: vec!["no right to upgrade".to_owned()] }
}

#[tokio::test]
async fn s10_a_canary_is_an_operation_that_leaves_a_proof_and_nothing_else() {
    let bench = Bench::new("10.5.11");
    let run = bench.start().await;
    let status = run.ready().await;
    assert_eq!(proven(&status), (ConditionStatus::Unknown, "NeverTried".to_owned()));
    run.request(RequestKind::Canary).await;
    let status = run.until("proven", |cluster| proven(cluster).0 == ConditionStatus::True).await;
    let canary = status.canary.expect("what it showed");
    assert_eq!(
        (canary.package.as_str(), canary.run_as.as_str(), &canary.failure),
        ("VerifyGRPCConnection.dmupgrade", "the SSH account svc", &None)
    );
    run.ready().await;
    assert_eq!(bench.dms.script().core, OLD, "it changes nothing");
    let asked = bench.dms.script().asked.clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(canary.job.map(|job| job.to_string()), Some(asked[0].0.clone()));
    assert_eq!(bench.dms.script().staged, 1);
    let kinds = run.kinds().await;
    assert!(kinds.contains(&EventKind::CanaryPassed), "{kinds:?}");
    let durations = run.handle.store().durations(&cluster()).await.expect("it reads");
    assert_eq!(durations, [], "how long a canary takes is no measure of upgrades");
    let account = run.handle.store().is_account_proven(&cluster(), "the SSH account svc").await;
    assert!(account.expect("it reads"), "a job that ended proves its account");
    run.end().await;

    // The next process knows it from the store.
    let run = bench.start().await;
    run.until("proven after a restart", |cluster| {
        cluster.state == ClusterState::Ready && proven(cluster).0 == ConditionStatus::True
    })
    .await;
    // Another account is not proven.
    bench.desired.send_replace(fleet("10.5.11", "  upgrade: { runAs: { account: System } }\n"));
    let status = run.until("expired", |cluster| proven(cluster).1 == "ProofExpired").await;
    assert_eq!(status.state, ClusterState::Ready);
    run.end().await;
}

#[tokio::test]
async fn s10_a_failed_canary_says_why_and_quarantines_nothing() {
    let bench = Bench::new("10.5.11");
    bench.dms.script().ends = vec![refused(5)];
    let run = bench.start().await;
    run.ready().await;
    run.request(RequestKind::Canary).await;
    let status = run
        .until("disproven", |cluster| {
            cluster.state == ClusterState::Ready && proven(cluster).0 == ConditionStatus::False
        })
        .await;
    assert_eq!(status.failure, None, "nothing that is wanted failed");
    let failure = status.canary.and_then(|canary| canary.failure).expect("why");
    assert!(failure.message.contains("no right to upgrade"), "{}", failure.message);
    assert_eq!(run.handle.store().quarantine(&cluster()).await.expect("it reads"), None);
    assert!(run.kinds().await.contains(&EventKind::CanaryFailed));
    run.end().await;
}

#[tokio::test]
async fn s10_nothing_runs_beside_a_canary() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    run.until("at work", |cluster| cluster.operation.is_some()).await;
    let request = OperatorRequest { kind: RequestKind::Canary, reason: None, by: None };
    let error = run.handle.request(&cluster(), request).await.expect_err("an operation is under way");
    assert!(matches!(error, RequestError::Busy(_)), "{error}");
    run.end().await;

    // Neither without a process: the store holds an operation that is not over.
    let engine = bench.engine().await;
    let ends = engine.canaries(&fleet("10.5.12", ""), None, &CancellationToken::new()).await;
    let ends = ends.expect("the store works");
    let [(_, CanaryEnd::Refused(failure))] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!(failure.reason, "OperationInProgress");
    engine.handle().store().close().await;
}

#[tokio::test]
async fn s10_a_canary_that_a_crash_cut_is_taken_up_again() {
    let bench = Bench::new("10.5.11");
    let run = bench.start().await;
    run.ready().await;
    bench.dms.script().held = true;
    run.request(RequestKind::Canary).await;
    bench.dms.in_job().await;
    run.end().await;

    let run = bench.start().await;
    bench.dms.in_job().await;
    bench.dms.lift();
    run.until("proven", |cluster| proven(cluster).0 == ConditionStatus::True).await;
    run.ready().await;
    let asked = bench.dms.script().asked.clone();
    assert_eq!(asked[0].0, asked[1].0, "the same job was found again");
    run.end().await;
}

#[tokio::test]
async fn s10_without_a_process_a_canary_leaves_its_proof_and_no_status() {
    let bench = Bench::new("10.5.12");
    let engine = bench.engine().await;
    let stop = CancellationToken::new();
    let ends = engine.canaries(&fleet("10.5.12", ""), None, &stop).await.expect("the store works");
    assert!(matches!(ends.as_slice(), [(_, CanaryEnd::Ran(canary))] if canary.failure.is_none()), "{ends:?}");
    let store = engine.handle().store().clone();
    assert_eq!(store.statuses().await.expect("it reads"), []);
    assert_eq!(bench.dms.script().core, OLD, "what is wanted is not its business");
    store.close().await;
    drop((engine, store));

    let run = bench.start().await;
    let status = run.ready().await;
    // The core brought another utility along, whose version nobody can see here.
    assert_eq!(proven(&status).1, "ProofExpired");
    run.end().await;

    // A store that never acted is not the one of the process that keeps the cluster.
    let other = Bench { dms: bench.dms.clone(), ..Bench::new("10.5.12") };
    let engine = other.engine().await;
    let ends = engine.canaries(&fleet("10.5.12", ""), None, &stop).await.expect("the store works");
    let [(_, CanaryEnd::Refused(failure))] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!(failure.reason, "ManagedElsewhere");
    engine.handle().store().close().await;
}
