//! What steps took, what is planned by it, and when a plan that waits is looked at again.

use dataminer_schema::plan::{ForecastBasis, WaitingOn};

use super::*;

/// A window that opens on 29 February alone.
const LEAP_DAY: &str =
    "  windows: [ { kind: Allow, schedule: \"0 0 29 2 *\", duration: 4h, timeZone: UTC, cutoff: 0m } ]\n";

impl Run {
    async fn took(&self) -> Vec<Action> {
        let took = self.handle.store().durations(&cluster()).await.expect("it reads");
        took.into_iter().map(|(action, _)| action).collect()
    }
}

#[tokio::test]
async fn what_steps_took_is_kept_for_estimates_and_what_they_found_done_is_not() {
    let bench = Bench::new("10.5.12");
    let run = bench.start().await;
    run.ready().await;
    let took = run.took().await;
    let count = |action| took.iter().filter(|have| **have == action).count();
    assert_eq!((count(Action::UpgradeCore), count(Action::VerifyCluster)), (1, 1), "{took:?}");
    assert_eq!(count(Action::StagePackage), 0, "not a byte was sent: {took:?}");
    run.end().await;
}

/// How long an upgrade took that two processes saw is not known.
#[tokio::test]
async fn a_step_that_another_process_began_is_no_sample() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    run.end().await;
    let run = bench.start().await;
    bench.dms.in_job().await;
    bench.dms.lift();
    run.ready().await;
    let took = run.took().await;
    assert!(!took.contains(&Action::UpgradeCore), "{took:?}");
    assert!(took.contains(&Action::VerifyCluster), "what came behind it was seen whole: {took:?}");
    run.end().await;
}

#[tokio::test]
async fn a_failed_step_is_no_sample() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().ends = vec![JobEnd::Exited { code: 3, log_tail: Vec::new() }];
    let run = bench.start().await;
    run.stalled().await;
    let took = run.took().await;
    assert!(!took.contains(&Action::UpgradeCore), "{took:?}");
    run.end().await;
}

#[tokio::test]
async fn a_plan_that_waits_for_its_window_says_when_it_starts_and_by_what() {
    let bench = Bench::new("10.5.12");
    bench.desired.send_replace(fleet("10.5.12", LEAP_DAY));
    let run = bench.start().await;
    let status = run.until("waiting", |cluster| cluster.forecast.is_some()).await;
    let opens = status.waiting[0].until.expect("the next leap day is known");
    assert_eq!(status.waiting[0].on, WaitingOn::Window);
    let forecast = status.forecast.expect("it has one");
    assert_eq!((forecast.starts, forecast.basis), (opens, ForecastBasis::Defaults));
    assert!(status.next_attempt_at.is_some_and(|at| at < opens), "it is observed meanwhile");
    let store = run.handle.store().clone();
    for _ in 0..dataminer_core::plan::ENOUGH_FOR_P50 {
        let took = SignedDuration::from_mins(3);
        store.record_duration(&cluster(), Action::UpgradeCore, 1, took, now()).await.expect("noted");
    }
    drop(store);
    run.end().await;

    let run = bench.start().await;
    let status = run.until("planned anew", |cluster| cluster.forecast.is_some()).await;
    let measured = run
        .until("planned by its history", |cluster| {
            cluster.forecast.as_ref().is_some_and(|forecast| forecast.basis == ForecastBasis::Mixed)
        })
        .await;
    let ends = measured.forecast.expect("it has one").ends;
    assert_eq!(ends, forecast.ends - SignedDuration::from_mins(35 - 3));
    assert_eq!(measured.plan, status.plan, "an estimate makes no other plan");
    run.end().await;
}
