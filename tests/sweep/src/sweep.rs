//! The exhaustive sweep: every ordered pair of known releases of the core, times what is known of the web apps and of
//! BrokerGateway, times whether versions may fall, times what the catalogue has. Every plan is linted, carried out in
//! the simulator's rule model, and its refusals are judged; the model and the judge are written from the domain
//! facts, apart from the planner.
//!
//! `cargo test` takes a sample that visits every axis. Every pair in every catalogue, in a few minutes:
//!
//! ```text
//! DATAMINER_RECONCILER_LONG=1 cargo test --release -p dataminer-reconciler-sweep -- --nocapture
//! ```
//!
//! With `DATAMINER_RECONCILER_SWEEP=6000000` besides, every single case.

mod case;
mod fleet;
mod judge;
mod random;
mod shelves;
mod tally;
mod truth;
mod ways;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use dataminer_core::plan::plan;

use self::{case::Case, judge::judge, shelves::Stage, tally::Tally};

/// A prime beyond every axis: steps of this size visit all of them evenly.
const STRIDE: u64 = 1_000_003;
/// What an ordinary run takes; unoptimised, that is well below a minute.
const SAMPLE: u64 = 8_000;
/// What a full run takes: every ordered pair many times.
const LONG: u64 = 1_000_000;
/// What a full run takes where nothing is optimised.
const LONG_UNOPTIMISED: u64 = 150_000;

/// Whether the full figures were asked for (`.ci/run --long`).
fn long_run() -> bool {
    std::env::var_os("DATAMINER_RECONCILER_LONG").is_some_and(|value| value == "1")
}

/// How many cases a run takes of all of them.
fn share(all: u64) -> u64 {
    let named = std::env::var("DATAMINER_RECONCILER_SWEEP").ok().and_then(|text| text.parse().ok());
    let share = match (long_run(), cfg!(debug_assertions)) {
        (true, false) => LONG,
        (true, true) => LONG_UNOPTIMISED,
        (false, _) => SAMPLE,
    };
    named.unwrap_or(share).min(all)
}

#[test]
fn every_plan_is_right_or_refused_for_the_right_reason() {
    let stage = Stage::built_in();
    let all = Case::count(&stage);
    let share = share(all);
    let next = AtomicU64::new(0);
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut tally = Tally::default();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= share {
                            return tally;
                        }
                        let number = u64::try_from(u128::from(at) * u128::from(STRIDE) % u128::from(all));
                        sweep(&stage, number.unwrap_or_default(), &mut tally);
                    }
                })
            })
            .collect();
        let tallies = workers.into_iter().map(|worker| worker.join().expect("no plan panics"));
        tallies.fold(Tally::default(), Tally::add)
    });
    let took = started.elapsed();
    let text = tally.summary(took);
    assert!(tally.is_good(), "{text}");
    assert!(tally.visited_everything(), "an axis was left out: {text}");
    assert!(share < LONG || tally.pairs() == stage.releases.len().pow(2), "a pair was left out: {text}");
    // Shown by `--nocapture`.
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("stdout takes it");
}

fn sweep(stage: &Stage, number: u64, tally: &mut Tally) {
    let case = Case::of(stage, number);
    let fleet = case.fleet();
    let made = plan(&fleet.input(stage, false));
    tally.planned(&case, &made);
    if let Err(finding) = judge(&case, &fleet, &made) {
        tally.found(&finding, || format!("{case}\n{}", judge::told(&made)));
    }
    if case.shuffles() {
        let mut shuffled = fleet.clone();
        shuffled.reverse();
        let again = plan(&shuffled.input(stage, true));
        let same = serde_json::to_string(&made).ok() == serde_json::to_string(&again).ok();
        if !same {
            tally.found("the order of Agents or packages shows in the plan", || case.to_string());
        }
    }
}
